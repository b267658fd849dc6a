package file

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"time"

	"github.com/yrs-go/yrs/ywebsocket/store"
)

// Compact implements [store.Archive]. No lock is held while merge runs.
func (s *Store) Compact(ctx context.Context, room string, before time.Time, merge func(updates [][]byte) ([]byte, error)) error {
	end, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	r := s.use(room) // so that the count of its changes is not forgotten
	defer s.unuse(r)
	b, err := s.beginning(ctx, r, before)
	if errors.Is(err, errMendFirst) {
		if err = s.setAside(ctx, room); err == nil {
			b, err = s.beginning(ctx, r, before)
		}
	}
	if err != nil || len(b.updates) < 2 {
		return err
	}
	merged, err := merge(b.updates)
	if err != nil {
		return err
	}
	record, err := checkpointRecord(b.last, merged)
	if err != nil {
		return err
	}
	return s.change(ctx, room, func(r *roomFiles) error {
		if !r.known || r.changes != b.changes {
			return store.ErrChanged
		}
		return r.replace(nameRecord(b.created, r.name, true), record, b.end)
	})
}

// beginning is the first part of a log.
type beginning struct {
	changes       int   // of the room, when this was known
	end           int64 // of the records with these updates; at first of the log
	updates       [][]byte
	created, last int64
}

// errMendFirst means that the log is damaged.
var errMendFirst = errors.New("the log is to be mended first")

// beginning reads the part of a room's log that was stored before a time, if that is
// not zero.
func (s *Store) beginning(ctx context.Context, r *roomFiles, before time.Time) (b beginning, err error) {
	var log *os.File // which stays the same when another one is put in its place
	err = s.change(ctx, r.name, func(r *roomFiles) (err error) {
		b.changes, b.end = r.changes, r.end
		log, _, err = r.openLog()
		return err
	})
	if err != nil {
		return b, err
	}
	defer log.Close()
	seen, err := walk(log, b.end, true, func(record record) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if record.start == 0 {
			b.created = record.stored
			return nil
		}
		if !before.IsZero() && record.stored >= before.UnixMicro() {
			return errLater
		}
		b.end, b.last = record.end, record.stored
		return eachUpdate(record.contents, func(update []byte) error {
			b.updates = append(b.updates, bytes.Clone(update))
			return nil
		})
	})
	if errors.Is(err, errLater) {
		err = nil
	}
	switch {
	case err != nil, len(seen.damaged) == 0:
	case seen.lost(r.name) && !s.giveUpDamaged:
		return b, s.errDamaged(r.name)
	default:
		err = errMendFirst
	}
	return b, describe(err)
}

// replace writes a log of these records and what follows behind an offset of the old
// one.
func (r *roomFiles) replace(name, record []byte, behind int64) error {
	old, length, err := r.openLog()
	if err != nil {
		return err
	}
	defer old.Close()
	if length < r.end {
		return io.ErrUnexpectedEOF
	}
	parts := []io.Reader{bytes.NewReader(name), bytes.NewReader(record), io.NewSectionReader(old, behind, r.end-behind)}
	size, err := r.rewrite(io.MultiReader(parts...))
	if err == nil {
		r.end = size
	}
	return err
}

// rewrite puts another log in the place of the room's, and returns its length.
func (r *roomFiles) rewrite(content io.Reader) (int64, error) {
	f, err := os.OpenFile(r.logPath()+unfinished, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return 0, err
	}
	size, err := io.Copy(f, content)
	if err = finish(f, r.logPath(), err); err != nil {
		r.known = false // the last step may have failed
		return 0, err
	}
	r.changes++
	return size, nil
}
