package file

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/yrs-go/yrs/ywebsocket/store"
)

// roomFiles are the files of a room, and what is remembered of them between calls.
type roomFiles struct {
	name, dir string
	users     int // belongs to the store's lock; a room without users may be forgotten

	// lock is held by who changes the files of the room. What it holds back may wait
	// for a disk, and so ends with a context.
	lock chan struct{}

	// The rest is valid if known.
	known bool
	// end is where the next record of the log goes, last the time of the one before.
	end, last int64
	// changes counts how often the log was replaced or deleted.
	changes int
}

// maxKnown is how many rooms are remembered that nobody uses.
const maxKnown = 4096

// hold returns a room, with the lock held; release ends that.
func (s *Store) hold(ctx context.Context, name string) (*roomFiles, error) {
	r := s.use(name)
	if err := r.take(ctx); err != nil {
		s.unuse(r)
		return nil, err
	}
	return r, nil
}

func (s *Store) release(r *roomFiles) {
	r.give()
	s.unuse(r)
}

// use returns a room that is not forgotten until unuse.
func (s *Store) use(name string) *roomFiles {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.rooms[name]
	if r == nil {
		r = &roomFiles{name: name, dir: s.roomDir(name), lock: make(chan struct{}, 1)}
		s.rooms[name] = r
	}
	r.users++
	return r
}

func (s *Store) unuse(r *roomFiles) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r.users--
	if len(s.rooms) <= maxKnown {
		return
	}
	for name, r := range s.rooms { // in no order: one is as good as another
		if r.users == 0 {
			delete(s.rooms, name)
			return
		}
	}
}

func (r *roomFiles) take(ctx context.Context) error {
	select {
	case r.lock <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (r *roomFiles) give() { <-r.lock }

func (r *roomFiles) logPath() string { return filepath.Join(r.dir, logFile) }

// openLog opens the log for reading. Its length is what it has at the moment. It
// returns store.ErrNotFound if there is no room.
func (r *roomFiles) openLog() (f *os.File, length int64, err error) {
	f, err = os.Open(r.logPath())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, store.ErrNotFound
	}
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err != nil {
		_ = f.Close() // it was not written
		return nil, 0, err
	}
	return f, info.Size(), nil
}

// know makes sure that what is remembered of the log is known, and that the log
// holds records only: what is damaged is set aside, and how many parts that were is
// returned. A log of which too little would be left is not touched, unless it is given
// up: that is errLost. The lock is held.
func (r *roomFiles) know(giveUp bool) (damaged int, err error) {
	if r.known {
		return 0, nil
	}
	f, length, err := r.openLog()
	if err != nil {
		return 0, err
	}
	defer f.Close()
	created := int64(-1)
	r.last = 0
	seen, err := walk(f, length, true, func(record record) error {
		if created < 0 {
			created = record.stored
		}
		r.last = max(r.last, record.stored)
		return nil
	})
	if err != nil {
		return 0, err
	}
	lost := seen.lost(r.name)
	if lost && !giveUp {
		return 0, errLost
	}
	if lost || len(seen.damaged) > 0 {
		if created < 0 {
			created = time.Now().UnixMicro()
		}
		if err := r.setAside(f, length, created, seen); err != nil {
			return 0, err
		}
		return max(1, len(seen.damaged)), nil
	}
	r.end, r.known = seen.end, true
	if seen.torn {
		return 0, os.Truncate(r.logPath(), seen.end)
	}
	return 0, nil
}

// now is the time of a record that is written behind the last one.
func (r *roomFiles) now() int64 { return max(r.last, time.Now().UnixMicro()) }
