package file

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/yrs-go/yrs/ywebsocket/store"
)

// Append implements [store.Store]. Each call waits for the disk by itself.
func (s *Store) Append(ctx context.Context, room string, updates ...[]byte) error {
	end, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	if err := store.CheckName(room); err != nil {
		return err
	}
	if len(updates) == 0 {
		return nil
	}
	return s.change(ctx, room, func(r *roomFiles) error {
		record, err := updatesRecord(r.now(), updates...)
		if err != nil {
			return err
		}
		if r.known {
			return r.append(record)
		}
		return r.create(record)
	})
}

// change calls fn with a room that is known, unless it does not exist, and changed by
// nobody else.
func (s *Store) change(ctx context.Context, name string, fn func(*roomFiles) error) error {
	if err := s.acquire(ctx, s.writes); err != nil {
		return err
	}
	defer func() { <-s.writes }()
	r, err := s.hold(ctx, name)
	if err != nil {
		return err
	}
	damaged, err := r.know(s.giveUpDamaged)
	if err == nil || errors.Is(err, store.ErrNotFound) {
		err = fn(r)
	}
	s.release(r)
	if damaged > 0 {
		s.onDamage(name, damaged)
	}
	if errors.Is(err, errLost) {
		return s.errDamaged(name)
	}
	return describe(err)
}

// changeAnyhow is change for what does not need the log, nor that it is sound.
func (s *Store) changeAnyhow(ctx context.Context, name string, fn func(*roomFiles) error) error {
	if err := s.acquire(ctx, s.writes); err != nil {
		return err
	}
	defer func() { <-s.writes }()
	r, err := s.hold(ctx, name)
	if err != nil {
		return err
	}
	defer s.release(r)
	return describe(fn(r))
}

// describe says where an error comes from, unless the caller knows it, and what to do.
func describe(err error) error {
	if err == nil || errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrChanged) ||
		errors.Is(err, store.ErrVersionExists) || errors.Is(err, context.Canceled) || errors.Is(err, errTooLarge) {
		return err
	}
	return fmt.Errorf("file: %w", advise(err))
}

// advise adds to an error of the file system what to do, where somebody can do something
// about it.
func advise(err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), errors.Is(err, syscall.EFBIG):
		return fmt.Errorf("the disk is full, or the quota used up; make room: %w", err)
	case errors.Is(err, syscall.EROFS):
		return fmt.Errorf("the file system is read-only; look into its log for why, and mount it for writing: %w", err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("it cannot be written; check the permissions: %w", err)
	case errors.Is(err, syscall.EIO):
		return fmt.Errorf("the disk fails; replace it, and restore what it held from a backup: %w", err)
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("the store's directory is gone; put it back: %w", err)
	default:
		return err
	}
}

// append writes a record behind the log. If it cannot be written, or not be made
// durable, nothing is left of it: the part of it that is in the file might be taken
// for a record that is on the disk.
func (r *roomFiles) append(record []byte) error {
	f, err := os.OpenFile(r.logPath(), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close() // after Sync there is nothing that it could lose
	if _, err = f.WriteAt(record, r.end); err == nil {
		err = f.Sync()
	}
	if err != nil {
		r.known = false // whatever comes of the following
		return errors.Join(err, f.Truncate(r.end))
	}
	r.wrote(record)
	return nil
}

// wrote notes that a record was written behind the log.
func (r *roomFiles) wrote(record []byte) {
	h, _ := parseHeader(record)
	r.end += int64(len(record))
	r.last = h.stored
}

// create makes a room with a first record.
func (r *roomFiles) create(record []byte) error {
	if err := makeDir(filepath.Dir(r.dir)); err != nil {
		return err
	}
	if err := makeDir(r.dir); err != nil {
		return err
	}
	h, _ := parseHeader(record)
	name := nameRecord(h.stored, r.name, false)
	if err := writeFile(r.logPath(), name, record); err != nil {
		return err
	}
	r.known, r.end = true, int64(len(name))
	r.wrote(record)
	return nil
}
