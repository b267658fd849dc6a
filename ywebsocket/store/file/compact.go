package file

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
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
	if errors.Is(err, errDamaged) {
		if err = s.mend(ctx, room); err == nil {
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
	record, err := updatesRecord(b.last, merged)
	if err != nil {
		return err
	}
	return s.change(ctx, room, func(r *roomFiles) error {
		if !r.known || r.changes != b.changes {
			return store.ErrChanged
		}
		return r.replace(nameRecord(b.created, r.name), record, b.end)
	})
}

// beginning is the first part of a log.
type beginning struct {
	changes       int   // of the room, when this was known
	end           int64 // of the records with these updates; at first of the log
	updates       [][]byte
	created, last int64
}

// errDamaged means that the log is to be mended first.
var errDamaged = errors.New("the log is damaged")

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
	if err == nil && len(seen.damaged) > 0 {
		err = errDamaged
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

// setAside copies the damaged parts of a log to a file of their own, and writes a log
// without them. Then the room is to be made known.
func (r *roomFiles) setAside(old io.ReaderAt, length, created int64, damaged []span) error {
	if err := r.keepDamaged(old, damaged); err != nil {
		return err
	}
	var parts []io.Reader
	if damaged[0].start == 0 { // the name, which is known
		parts = append(parts, bytes.NewReader(nameRecord(created, r.name)))
	}
	at := int64(0)
	for _, part := range damaged {
		parts = append(parts, io.NewSectionReader(old, at, part.start-at))
		at = part.end
	}
	parts = append(parts, io.NewSectionReader(old, at, length-at))
	if _, err := r.rewrite(io.MultiReader(parts...)); err != nil {
		return err
	}
	_, err := r.know()
	return err
}

// keepDamaged appends the damaged parts of a log to the file for them, as they are.
func (r *roomFiles) keepDamaged(old io.ReaderAt, damaged []span) error {
	f, err := os.OpenFile(filepath.Join(r.dir, damagedFile), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	for _, part := range damaged {
		if _, err = io.Copy(f, io.NewSectionReader(old, part.start, part.end-part.start)); err != nil {
			break
		}
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return syncDir(r.dir)
}
