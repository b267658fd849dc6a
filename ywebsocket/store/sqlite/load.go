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
	if err := s.committer.place.check(); err != nil {
		return 0, 0, err
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
	seen, err := s.read(ctx, room, id, until, each)
	if err != nil {
		return err
	}
	if seen.sound == 0 && len(seen.damaged) == 0 {
		return s.explainEmpty(ctx, room, id)
	}
	if len(seen.damaged) > 0 {
		s.report(room, seen, s.setAside(ctx, seen.damaged))
	}
	return nil
}

// found is what there is in a room's log.
type found struct {
	sound   int
	damaged []int64 // ids of rows
}

// read is load, but leaves damaged rows where they are.
func (s *Store) read(ctx context.Context, room string, id, until int64, each func(row int64, update []byte) error) (seen found, err error) {
	rows, err := s.db.QueryContext(ctx, `
		SELECT id, data, checksum, checkpoint FROM updates WHERE room = ? AND stored <= ? ORDER BY id`, id, until)
	if err != nil {
		return seen, fmt.Errorf("sqlite: load: %w", explain(err))
	}
	defer rows.Close()
	for rows.Next() {
		var row int64
		var update sql.RawBytes // valid until the next row
		var sum sql.NullInt64
		var checkpoint bool
		if err := rows.Scan(&row, &update, &sum, &checkpoint); err != nil {
			return seen, fmt.Errorf("sqlite: load: %w", explain(err))
		}
		if !sum.Valid || checksum(update) == sum.Int64 {
			seen.sound++
			if err := each(row, update); err != nil {
				return seen, err
			}
			continue
		}
		seen.damaged = append(seen.damaged, row)
		if checkpoint && !s.giveUpDamaged {
			return seen, errDamaged(room, "the row that holds most of it", row)
		}
	}
	if err := rows.Err(); err != nil {
		return seen, fmt.Errorf("sqlite: load: %w", explain(err))
	}
	if seen.sound == 0 && len(seen.damaged) > 0 && !s.giveUpDamaged {
		return seen, errDamaged(room, "every row of it", seen.damaged...)
	}
	return seen, nil
}
