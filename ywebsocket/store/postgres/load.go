package postgres

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/yrs-go/yrs/ywebsocket/store"
)

// queryer is a pool, or a transaction.
type queryer interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}

// transact calls fn in a transaction.
func transact(ctx context.Context, pool *pgxpool.Pool, fn func(tx pgx.Tx) error) error {
	tx, err := pool.Begin(ctx)
	if err != nil {
		return fmt.Errorf("postgres: begin: %w", explain(err))
	}
	defer tx.Rollback(context.Background()) // does nothing after a commit
	if err := fn(tx); err != nil {
		return err
	}
	if err := tx.Commit(ctx); err != nil {
		return fmt.Errorf("postgres: commit: %w", explain(err))
	}
	return nil
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

// hashOf is by what a name is found. Its text is not compared: what has the same SHA-256
// is the same.
func hashOf(name string) string { return `sha256(convert_to(` + name + `, 'UTF8'))` }

// find returns when a room was created, and its id.
func (s *Store) find(ctx context.Context, room string) (created time.Time, id int64, err error) {
	if s.committer.closed() {
		return created, 0, store.ErrClosed
	}
	err = s.pool.QueryRow(ctx, `SELECT created, id FROM rooms WHERE hash = `+hashOf("$1"), room).Scan(&created, &id)
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
	seen, err := s.read(ctx, s.pool, room, id, until, each)
	if err != nil {
		return err
	}
	if seen.sound == 0 && len(seen.damaged) == 0 {
		return s.explainEmpty(ctx, room, id)
	}
	if len(seen.damaged) > 0 {
		s.report(room, seen, s.setAside(ctx, id, seen.damaged))
	}
	return nil
}

// found is what there is in a room's log.
type found struct {
	sound   int
	damaged []int64 // ids of rows
}

// read is load, but leaves damaged rows where they are. It ends at the first row that was
// stored later, so that what it reads is a beginning of the log, whatever the clocks of
// those who wrote it.
func (s *Store) read(ctx context.Context, q queryer, room string, id int64, until pgtype.Timestamptz, each func(row) error) (seen found, err error) {
	before, args := "", []any{id}
	if until != anyTime {
		before = `AND id < coalesce((
			SELECT id FROM updates WHERE room = $1 AND stored > $2 ORDER BY id LIMIT 1), $3)`
		args = append(args, until, int64(math.MaxInt64))
	}
	rows, err := q.Query(ctx, `
		SELECT id, data, checksum, stored, checkpoint FROM updates
		WHERE room = $1 `+before+` ORDER BY id`, args...)
	if err != nil {
		return seen, fmt.Errorf("postgres: load: %w", explain(err))
	}
	defer rows.Close()
	var r row
	var sum int64
	var checkpoint bool
	for rows.Next() {
		if err := rows.Scan(&r.id, &r.data, &sum, &r.stored, &checkpoint); err != nil {
			return seen, fmt.Errorf("postgres: load: %w", err)
		}
		if checksum(r.data) == sum {
			seen.sound++
			if err := each(r); err != nil {
				return seen, err
			}
			continue
		}
		seen.damaged = append(seen.damaged, r.id)
		if checkpoint && !s.giveUpDamaged {
			return seen, errDamaged(room, "the row that holds most of it", r.id)
		}
	}
	if err := rows.Err(); err != nil {
		return seen, fmt.Errorf("postgres: load: %w", explain(err))
	}
	if seen.sound == 0 && len(seen.damaged) > 0 && !s.giveUpDamaged {
		return seen, errDamaged(room, "every row of it", seen.damaged...)
	}
	return seen, nil
}
