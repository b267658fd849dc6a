package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/yrs-go/yrs/ywebsocket/store"
)

// queryer is a pool, or a transaction.
type queryer interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}

// row is an update in the log; its data are valid until the next one is read.
type row struct {
	id     int64
	data   pgtype.DriverBytes
	stored time.Time
}

// anyTime is a bound for times that lets all pass.
var anyTime = pgtype.Timestamptz{InfinityModifier: pgtype.Infinity, Valid: true}

// until is the bound for what was stored at a time, which includes it.
func until(at time.Time) pgtype.Timestamptz { return pgtype.Timestamptz{Time: at, Valid: true} }

// Load implements [store.Store].
func (s *Store) Load(ctx context.Context, room string, each func(update []byte) error) error {
	_, id, err := s.find(ctx, room)
	if err != nil {
		return err
	}
	return s.load(ctx, room, id, anyTime, func(r row) error { return each(r.data) })
}

// LoadAt implements [store.Archive].
func (s *Store) LoadAt(ctx context.Context, room string, at time.Time, each func(update []byte) error) error {
	created, id, err := s.find(ctx, room)
	if err != nil {
		return err
	}
	if at.Before(created) {
		return store.ErrNotFound
	}
	found := false
	err = s.load(ctx, room, id, until(at), func(r row) error {
		found = true
		return each(r.data)
	})
	if err == nil && !found {
		return store.ErrCompacted
	}
	return err
}

// find returns when a room was created, and its id.
func (s *Store) find(ctx context.Context, room string) (created time.Time, id int64, err error) {
	if s.committer.closed() {
		return created, 0, store.ErrClosed
	}
	err = s.pool.QueryRow(ctx, `SELECT created, id FROM rooms WHERE name = $1`, room).Scan(&created, &id)
	if errors.Is(err, pgx.ErrNoRows) {
		return created, 0, store.ErrNotFound
	}
	if err != nil {
		return created, 0, fmt.Errorf("postgres: find the room: %w", explain(err))
	}
	return created, id, nil
}

// load calls each with the rows of a room that were stored until then, in order.
// Damaged ones are set aside.
func (s *Store) load(ctx context.Context, room string, id int64, until pgtype.Timestamptz, each func(row) error) error {
	damaged, err := read(ctx, s.pool, id, until, each)
	if err != nil || len(damaged) == 0 {
		return err
	}
	if err := setAside(ctx, s.pool, damaged); err != nil {
		return err
	}
	s.onDamage(room, len(damaged))
	return nil
}

// read is load, but returns the ids of the damaged rows.
func read(ctx context.Context, q queryer, room int64, until pgtype.Timestamptz, each func(row) error) (damaged []int64, err error) {
	rows, err := q.Query(ctx, `
		SELECT id, data, checksum, stored FROM updates WHERE room = $1 AND stored <= $2 ORDER BY id`, room, until)
	if err != nil {
		return nil, fmt.Errorf("postgres: load: %w", explain(err))
	}
	defer rows.Close()
	var r row
	var sum int64
	for rows.Next() {
		if err := rows.Scan(&r.id, &r.data, &sum, &r.stored); err != nil {
			return nil, fmt.Errorf("postgres: load: %w", err)
		}
		if checksum(r.data) != sum {
			damaged = append(damaged, r.id)
			continue
		}
		if err := each(r); err != nil {
			return nil, err
		}
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("postgres: load: %w", explain(err))
	}
	return damaged, nil
}

// setAside moves rows to where nobody loads them.
func setAside(ctx context.Context, q queryer, ids []int64) error {
	_, err := q.Exec(ctx, `
		WITH bad AS (DELETE FROM updates WHERE id = ANY ($1) RETURNING *)
		INSERT INTO damaged (id, room, data, checksum, stored) SELECT id, room, data, checksum, stored FROM bad`, ids)
	if err != nil {
		return fmt.Errorf("postgres: set damaged rows aside: %w", explain(err))
	}
	return nil
}
