package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/yrs-go/yrs/ywebsocket/store"
	"github.com/yrs-go/yrs/ywebsocket/store/internal/feed"
)

// Load implements [store.Store]. It reads in pages, and keeps no connection from others
// while each runs.
//
// A compaction between two pages puts one update in the place of a beginning of the log,
// under the greatest id of those that it replaces: it is read with the next page, or
// holds nothing but what was read before.
func (s *Store) Load(ctx context.Context, room string, each func(update []byte) error) error {
	_, id, err := s.find(ctx, room)
	if err != nil {
		return err
	}
	var seen found
	more, err := s.readPage(ctx, room, id, &seen, each)
	if err == nil && more {
		err = s.readPages(ctx, room, id, &seen, each)
	}
	if err != nil {
		return err
	}
	return s.finish(ctx, room, id, seen)
}

// readPages reads what is behind the first page: all that is there now, and not all that
// is appended meanwhile.
func (s *Store) readPages(ctx context.Context, room string, id int64, seen *found, each func(update []byte) error) error {
	last, err := s.lastRow(ctx, id)
	for more := true; more && err == nil; {
		if more, err = s.readPage(ctx, room, id, seen, each); err == nil {
			more, err = s.goesOn(ctx, id, more, seen.last, last)
		}
	}
	return err
}

// readPage calls each with the updates of the page behind what was seen, when nothing is
// held any more, and reports whether there is another.
func (s *Store) readPage(
	ctx context.Context, room string, id int64, seen *found, each func(update []byte) error,
) (more bool, err error) {
	var updates [][]byte
	more, err = s.read(ctx, part{room, id, seen.last, maxTime, pageBytes}, seen, func(_ int64, update []byte) {
		updates = append(updates, bytes.Clone(update))
	})
	if err != nil {
		return false, err
	}
	return more, feed.All(ctx, slices.Values(updates), each)
}

// pageBytes is how much Load reads at once, or one update.
const pageBytes = 1 << 20

// lastRow returns the id of the last row of a room's log.
func (s *Store) lastRow(ctx context.Context, id int64) (last int64, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT ifnull(max(id), 0) FROM updates WHERE room = ?`, id).Scan(&last)
	if err != nil {
		return 0, s.loadError(err)
	}
	return last, nil
}

// goesOn reports whether there is more to read behind a row of several pages, up to the
// row last. What was there in the beginning may have been compacted with later updates.
func (s *Store) goesOn(ctx context.Context, id int64, more bool, row, last int64) (bool, error) {
	var exists, compacted bool
	err := s.db.QueryRowContext(ctx, `
		SELECT EXISTS (SELECT 1 FROM rooms WHERE id = ?1),
			EXISTS (SELECT 1 FROM updates WHERE room = ?1 AND id > ?2 AND checkpoint)`,
		id, row).Scan(&exists, &compacted)
	if err != nil {
		return false, s.loadError(err)
	}
	if !exists {
		return false, store.ErrNotFound // it was deleted between two pages
	}
	return more && (row < last || compacted), nil
}

// LoadAt implements [store.Archive]. What it reads is in memory at once.
func (s *Store) LoadAt(ctx context.Context, room string, at time.Time, each func(update []byte) error) error {
	created, id, err := s.find(ctx, room)
	if err != nil {
		return err
	}
	if at.UnixMicro() < created {
		return store.ErrNotFound
	}
	_, updates, err := s.load(ctx, room, id, at.UnixMicro())
	if err != nil {
		return err
	}
	if len(updates) == 0 {
		return store.ErrCompacted
	}
	return feed.All(ctx, slices.Values(updates), each)
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

// load returns the row ids and updates of a room that were stored until then, in order.
// Damaged rows are set aside.
func (s *Store) load(ctx context.Context, room string, id, until int64) (rows []int64, updates [][]byte, err error) {
	var seen found
	_, err = s.read(ctx, part{room, id, 0, until, math.MaxInt}, &seen, func(row int64, update []byte) {
		rows, updates = append(rows, row), append(updates, bytes.Clone(update))
	})
	if err == nil {
		err = s.finish(ctx, room, id, seen)
	}
	return rows, updates, err
}

// finish sets aside what is damaged of what was seen, and says why there was nothing.
func (s *Store) finish(ctx context.Context, room string, id int64, seen found) error {
	switch {
	case seen.sound == 0 && len(seen.damaged) == 0:
		return s.explainEmpty(ctx, room, id)
	case seen.sound == 0 && !s.giveUpDamaged:
		return errDamaged(room, "every row of it", seen.damaged...)
	case len(seen.damaged) > 0:
		s.report(room, seen, s.setAside(ctx, seen.damaged))
	}
	return nil
}

// part is a part of the log of a room: the rows behind one that were stored until then,
// so many that they have that many bytes.
type part struct {
	room             string
	id, after, until int64
	bytes            int
}

// found is what there is in a room's log.
type found struct {
	sound   int
	damaged []int64 // ids of rows
	last    int64   // the last row of all
}

// read calls keep with the sound rows of a part of a log, and adds what it has found to
// seen. It reports whether there is more behind that part.
func (s *Store) read(ctx context.Context, p part, seen *found, keep func(row int64, update []byte)) (more bool, err error) {
	rows, err := s.db.QueryContext(ctx, `
		SELECT id, data, checksum, checkpoint FROM updates
		WHERE room = ? AND id > ? AND stored <= ? ORDER BY id`, p.id, p.after, p.until)
	if err != nil {
		return false, s.loadError(err)
	}
	defer rows.Close()
	for size := 0; rows.Next(); {
		if size >= p.bytes {
			return true, nil
		}
		var update sql.RawBytes // valid until the next row
		var sum sql.NullInt64
		var checkpoint bool
		if err := rows.Scan(&seen.last, &update, &sum, &checkpoint); err != nil {
			return false, s.loadError(err)
		}
		size += len(update)
		if !sum.Valid || checksum(update) == sum.Int64 {
			seen.sound++
			keep(seen.last, update)
			continue
		}
		seen.damaged = append(seen.damaged, seen.last)
		if checkpoint && !s.giveUpDamaged {
			return false, errDamaged(p.room, "the row that holds most of it", seen.last)
		}
	}
	if err := rows.Err(); err != nil {
		return false, s.loadError(err)
	}
	return false, nil
}

func (s *Store) loadError(err error) error {
	if s.committer.closed() {
		return store.ErrClosed // between two pages
	}
	return fmt.Errorf("sqlite: load: %w", explain(err))
}
