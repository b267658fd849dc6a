package file

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/yrs-go/yrs/ywebsocket/store"
)

// Load implements [store.Store].
func (s *Store) Load(ctx context.Context, room string, each func(update []byte) error) error {
	_, err := s.read(ctx, room, math.MaxInt64, each)
	return err
}

// LoadAt implements [store.Archive].
func (s *Store) LoadAt(ctx context.Context, room string, at time.Time, each func(update []byte) error) error {
	found := false
	created, err := s.read(ctx, room, at.UnixMicro(), func(update []byte) error {
		found = true
		return each(update)
	})
	switch {
	case err != nil || found:
		return err
	case at.UnixMicro() < created:
		return store.ErrNotFound
	default:
		return store.ErrCompacted
	}
}

// errLater ends a walk.
var errLater = errors.New("stored later")

// read calls each with the updates of a room that were stored until then, and
// returns when the room was created. What is appended meanwhile is left out. It keeps
// none of the reads while each runs, only an open file.
func (s *Store) read(ctx context.Context, name string, until int64, each func(update []byte) error) (created int64, err error) {
	end, err := s.begin(ctx)
	if err != nil {
		return 0, err
	}
	defer end()
	created = math.MaxInt64
	seen, err := s.walkRoom(ctx, name, func(record record) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		created = min(created, record.stored)
		if record.stored > until {
			return errLater
		}
		return eachUpdate(record.contents[nameLength(record):], each)
	})
	if err != nil && !errors.Is(err, errLater) {
		return created, err
	}
	lost := seen.lost(name)
	if lost && !s.giveUpDamaged {
		return created, s.errDamaged(name)
	}
	if lost || len(seen.damaged) > 0 {
		s.mend(ctx, name, max(1, len(seen.damaged)))
	} else if err == nil && seen.updates == 0 && !s.giveUpDamaged {
		return created, s.errSetAside(name)
	}
	return created, nil
}

// nameLength is how much of a record's contents are a name, and not updates.
func nameLength(r record) int64 {
	if r.updates == 0 {
		return r.length
	}
	return 0
}

// walkRoom walks through the log of a room.
func (s *Store) walkRoom(ctx context.Context, name string, visit func(record) error) (found, error) {
	r := s.use(name)
	defer s.unuse(r)
	f, length, err := s.openLog(ctx, r)
	if err != nil {
		return found{}, err
	}
	defer f.Close()
	return walk(&boundedReader{ctx, s, f}, length, true, visit)
}

// openLog opens the log of a room as one of the reads.
func (s *Store) openLog(ctx context.Context, r *roomFiles) (f *os.File, length int64, err error) {
	if err := s.acquire(ctx, s.reads); err != nil {
		return nil, 0, err
	}
	defer func() { <-s.reads }()
	f, length, err = r.openLog()
	if errors.Is(err, store.ErrNotFound) {
		err = s.whyNotFound()
	}
	return f, length, describe(err)
}

// boundedReader is a file of which each part is one of the reads: nobody waits for what
// is done with it in between.
type boundedReader struct {
	ctx   context.Context
	store *Store
	file  *os.File
}

func (b *boundedReader) ReadAt(p []byte, at int64) (int, error) {
	if err := b.store.acquire(b.ctx, b.store.reads); err != nil {
		return 0, err
	}
	defer func() { <-b.store.reads }()
	return b.file.ReadAt(p, at)
}

// whyNotFound returns store.ErrNotFound, unless the whole store is gone: a disk may have
// been unmounted. Then nothing is known of any room.
func (s *Store) whyNotFound() error {
	if _, err := os.Stat(filepath.Join(s.dir, formatFile)); err != nil {
		return err
	}
	return store.ErrNotFound
}
