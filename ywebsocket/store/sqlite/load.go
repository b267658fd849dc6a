package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/yrs-go/yrs/ywebsocket/store"
)

// Load implements [store.Store].
func (s *Store) Load(ctx context.Context, room string, each func(update []byte) error) error {
	_, id, err := s.find(ctx, room)
	if err != nil {
		return err
	}
	return s.load(ctx, room, id, maxTime, func(_ int64, update []byte) error { return each(update) })
}

// LoadAt implements [store.Archive].
func (s *Store) LoadAt(ctx context.Context, room string, at time.Time, each func(update []byte) error) error {
	created, id, err := s.find(ctx, room)
	if err != nil {
		return err
	}
	if at.UnixMicro() < created {
		return store.ErrNotFound
	}
	found := false
	err = s.load(ctx, room, id, at.UnixMicro(), func(_ int64, update []byte) error {
		found = true
		return each(update)
	})
	if err == nil && !found {
		return store.ErrCompacted
	}
	return err
}

// maxTime is later than any time in the database.
const maxTime = 1<<63 - 1

// find returns when a room was created, and its id.
func (s *Store) find(ctx context.Context, room string) (created, id int64, err error) {
	if s.committer.closed() {
		return 0, 0, store.ErrClosed
	}
	err = s.db.QueryRowContext(ctx, `SELECT created, id FROM rooms WHERE name = ?`, room).Scan(&created, &id)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, 0, store.ErrNotFound
	}
	if err != nil {
		return 0, 0, fmt.Errorf("sqlite: find the room: %w", explain(err))
	}
	return created, id, nil
}

// load calls each with the row ids and updates of a room that were stored until
// then, in order. Damaged rows are set aside.
func (s *Store) load(ctx context.Context, room string, id, until int64, each func(row int64, update []byte) error) error {
	damaged, err := s.read(ctx, id, until, each)
	if err != nil || len(damaged) == 0 {
		return err
	}
	if err := s.committer.submit(ctx, 0, func() error { return s.committer.setAside(damaged) }); err != nil {
		return err
	}
	s.onDamage(room, len(damaged))
	return nil
}

// read is load, but returns the damaged rows.
func (s *Store) read(ctx context.Context, id, until int64, each func(row int64, update []byte) error) (damaged []int64, err error) {
	rows, err := s.db.QueryContext(ctx, `
		SELECT id, data, checksum FROM updates WHERE room = ? AND stored <= ? ORDER BY id`, id, until)
	if err != nil {
		return nil, fmt.Errorf("sqlite: load: %w", explain(err))
	}
	defer rows.Close()
	for rows.Next() {
		var row int64
		var update sql.RawBytes // valid until the next row
		var sum sql.NullInt64
		if err := rows.Scan(&row, &update, &sum); err != nil {
			return nil, fmt.Errorf("sqlite: load: %w", explain(err))
		}
		if sum.Valid && checksum(update) != sum.Int64 {
			damaged = append(damaged, row)
			continue
		}
		if err := each(row, update); err != nil {
			return nil, err
		}
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("sqlite: load: %w", explain(err))
	}
	return damaged, nil
}

// setAside moves rows to where nobody loads them. It runs in a transaction.
func (c *committer) setAside(rows []int64) error {
	ctx, now := context.Background(), time.Now().UnixMicro()
	for _, row := range rows {
		_, err := c.conn.ExecContext(ctx, `
			INSERT INTO damaged (id, room, data, stored, checksum, found)
			SELECT id, room, data, stored, checksum, ? FROM updates WHERE id = ?`, now, row)
		if err == nil {
			_, err = c.conn.ExecContext(ctx, `DELETE FROM updates WHERE id = ?`, row)
		}
		if err != nil {
			return fmt.Errorf("sqlite: set a damaged row aside: %w", explain(err))
		}
	}
	return nil
}
