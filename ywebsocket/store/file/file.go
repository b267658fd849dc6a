// Package file keeps rooms in files: a directory per room, and in it the log of
// updates. It needs no database and no driver, and its files can be copied.
//
//	format                 says which version of this package wrote the directory
//	lock                   is locked while a store has it open
//	rooms/ab/abcd…/log     the updates, see record.go; the directory is the SHA-256 of the room's name
//	rooms/ab/abcd…/versions/…
//	rooms/ab/abcd…/damaged what was found in a log and is no record
//	deleted/               rooms that are being deleted
//
// Everything that a call has confirmed is on the disk. What a write has left
// behind that was cut short, by the death of the process or a full disk, is dropped
// by the next one. Records have checksums: what was damaged is set aside, and the
// rest of the room opens.
package file

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"github.com/yrs-go/yrs/ywebsocket/store"
)

// Store keeps rooms in a directory. Its methods are safe for concurrent use. To
// list or measure rooms it reads their files; a call of Rooms takes memory for the
// names of all of them.
type Store struct {
	dir      string
	lock     *os.File
	onDamage func(room string, parts int)
	// giveUpDamaged is that of [Options].
	giveUpDamaged bool

	// writes and reads bound how many calls use files at once: each takes a thread.
	writes, reads chan struct{}

	mu     sync.Mutex
	rooms  map[string]*roomFiles
	calls  sync.WaitGroup // Add is called with the lock held
	closed bool
}

var _ store.Archive = (*Store)(nil)

// Options of a store. The zero value is fine.
type Options struct {
	// OnDamage is told how many damaged parts of a room's log were set aside. A part is
	// what was stored by one call, or several in a row. While nothing can be written they
	// stay where they are, and are reported whenever the room is loaded. The default logs
	// it with slog.
	OnDamage func(room string, parts int)
	// GiveUpDamaged has rooms opened, too, that are refused with [store.ErrDamaged]
	// otherwise: what is damaged is set aside, and what is left of the room is loaded,
	// which may be nothing. It is for one run, of an operator who has no backup.
	GiveUpDamaged bool
}

const (
	maxWrites = 64
	maxReads  = 16
)

func logDamage(room string, parts int) {
	slog.Error("parts of a room are damaged on the disk, and left out; the file named damaged beside its log has them: restore them from a backup",
		"room", room, "parts", parts)
}

// Open opens the store in a directory, and creates it if it does not exist. Its
// parent must exist. Close the store when done: until then no other can be opened
// there, in whatever process.
//
// A directory that a newer version of the program has written is refused with an
// error that matches [store.ErrSchemaVersion]; so is one that holds something else.
func Open(dir string, options Options) (*Store, error) {
	s, err := open(dir, options)
	if err != nil {
		return nil, fmt.Errorf("cannot open the file store %s: %w", dir, explain(err))
	}
	return s, nil
}

func open(dir string, options Options) (*Store, error) {
	if options.OnDamage == nil {
		options.OnDamage = logDamage
	}
	if dir == "" {
		return nil, errors.New("the path is empty")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	lock, err := prepare(dir)
	if err != nil {
		return nil, err
	}
	return &Store{
		dir:           dir,
		lock:          lock,
		onDamage:      options.OnDamage,
		giveUpDamaged: options.GiveUpDamaged,
		writes:        make(chan struct{}, maxWrites),
		reads:         make(chan struct{}, maxReads),
		rooms:         make(map[string]*roomFiles),
	}, nil
}

// explain adds to an error of the file system what to do.
func explain(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("the directory above it does not exist; create it or name another one: %w", err)
	case errors.Is(err, syscall.ENOTDIR), errors.Is(err, fs.ErrExist):
		return fmt.Errorf("it is a file, or in one; name a directory: %w", err)
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return fmt.Errorf("it cannot be written; check the permissions: %w", err)
	default:
		return err
	}
}

// begin is called before anything else by every method but Close, and the function
// that it returns at their end.
func (s *Store) begin(ctx context.Context) (end func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, store.ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.calls.Add(1)
	return s.calls.Done, nil
}

// Ping implements [store.Store]. It writes to the disk.
func (s *Store) Ping(ctx context.Context) error {
	end, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	if err := s.acquire(ctx, s.writes); err != nil {
		return err
	}
	defer func() { <-s.writes }()
	if err := s.whyNotFound(); !errors.Is(err, store.ErrNotFound) {
		return describe(err)
	}
	probe, err := os.CreateTemp(s.dir, "probe-*")
	if err != nil {
		return describe(err)
	}
	_, err = probe.Write(make([]byte, 4096))
	err = errors.Join(err, probe.Sync(), probe.Close(), os.Remove(probe.Name()))
	return describe(err)
}

func (s *Store) acquire(ctx context.Context, slots chan struct{}) error {
	if err := ctx.Err(); err != nil {
		return err // even if there is a slot
	}
	select {
	case slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close implements [store.Store].
func (s *Store) Close() error {
	s.mu.Lock()
	first := !s.closed
	s.closed = true
	s.mu.Unlock()
	s.calls.Wait()
	if !first {
		return nil
	}
	return s.lock.Close() // which unlocks it
}
