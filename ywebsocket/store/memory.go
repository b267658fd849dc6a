package store

import (
	"bytes"
	"context"
	"iter"
	"maps"
	"slices"
	"sort"
	"sync"
	"time"

	"github.com/yrs-go/yrs/ywebsocket/store/internal/feed"
)

// Memory is an [Archive] that forgets everything when the process ends. Make one
// with [NewMemory].
type Memory struct {
	mu     sync.RWMutex
	rooms  map[string]*memoryRoom
	lastID uint64
	closed bool
}

// memoryRoom is a room in memory. The bytes of its updates are never changed, nor
// is an update put in the place of another in the same array.
type memoryRoom struct {
	id      uint64 // of a room that is deleted and made anew, it is another
	created time.Time
	log     []memoryUpdate
	// compactions counts how often the beginning of the log was replaced.
	compactions int
	versions    []memoryVersion
}

type memoryUpdate struct {
	data   []byte
	stored time.Time
}

type memoryVersion struct {
	Version
	state []byte
}

var _ Archive = (*Memory)(nil)

// NewMemory returns an empty store in memory.
func NewMemory() *Memory {
	return &Memory{rooms: make(map[string]*memoryRoom)}
}

// Load implements [Store].
func (m *Memory) Load(ctx context.Context, room string, each func(update []byte) error) error {
	snapshot, err := m.snapshot(room)
	if err != nil {
		return err
	}
	return feed.All(ctx, dataOf(snapshot.log), each)
}

// LoadAt implements [Archive].
func (m *Memory) LoadAt(ctx context.Context, room string, at time.Time, each func(update []byte) error) error {
	snapshot, err := m.snapshot(room)
	if err != nil {
		return err
	}
	if at.Before(snapshot.created) {
		return ErrNotFound
	}
	log := snapshot.log
	log = log[:sort.Search(len(log), func(i int) bool { return log[i].stored.After(at) })]
	if len(log) == 0 {
		return ErrCompacted
	}
	return feed.All(ctx, dataOf(log), each)
}

// dataOf are the updates of a log.
func dataOf(log []memoryUpdate) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for _, update := range log {
			if !yield(update.data) {
				return
			}
		}
	}
}

// snapshot returns the room as it is now.
func (m *Memory) snapshot(room string) (memoryRoom, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if m.closed {
		return memoryRoom{}, ErrClosed
	}
	r := m.rooms[room]
	if r == nil {
		return memoryRoom{}, ErrNotFound
	}
	return *r, nil
}

// Append implements [Store].
func (m *Memory) Append(ctx context.Context, room string, updates ...[]byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := CheckName(room); err != nil {
		return err
	}
	copies := make([]memoryUpdate, len(updates))
	for i, update := range updates {
		copies[i].data = bytes.Clone(update)
	}
	return m.write(func() error {
		if len(copies) == 0 {
			return nil
		}
		now := memoryNow()
		r := m.rooms[room]
		if r == nil {
			m.lastID++
			r = &memoryRoom{id: m.lastID, created: now}
			m.rooms[room] = r
		} else if last := r.log[len(r.log)-1].stored; now.Before(last) {
			now = last // the clock was set back
		}
		for i := range copies {
			copies[i].stored = now
		}
		r.log = append(r.log, copies...)
		return nil
	})
}

// memoryNow is the time as an archive tells it, by the wall clock alone.
func memoryNow() time.Time { return time.Now().Truncate(time.Microsecond) }

// write calls fn while nobody else uses the rooms.
func (m *Memory) write(fn func() error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return ErrClosed
	}
	return fn()
}

// Compact implements [Archive].
func (m *Memory) Compact(ctx context.Context, room string, before time.Time, merge func(updates [][]byte) ([]byte, error)) error {
	snapshot, err := m.snapshot(room)
	if err != nil {
		return err
	}
	var old [][]byte
	for _, update := range snapshot.log {
		if !before.IsZero() && !update.stored.Before(before) {
			break
		}
		old = append(old, update.data)
	}
	if len(old) < 2 {
		return ctx.Err()
	}
	merged, err := merge(old)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	checkpoint := memoryUpdate{data: bytes.Clone(merged), stored: snapshot.log[len(old)-1].stored}
	return m.write(func() error {
		r := m.rooms[room]
		if r == nil || r.id != snapshot.id || r.compactions != snapshot.compactions {
			return ErrChanged
		}
		r.log = append([]memoryUpdate{checkpoint}, r.log[len(old):]...)
		r.compactions++
		return nil
	})
}

// Stat implements [Archive].
func (m *Memory) Stat(ctx context.Context, room string) (Info, error) {
	if err := ctx.Err(); err != nil {
		return Info{}, err
	}
	snapshot, err := m.snapshot(room)
	if err != nil {
		return Info{}, err
	}
	log := snapshot.log
	info := Info{Room: room, Created: snapshot.created, Modified: log[len(log)-1].stored, Updates: int64(len(log))}
	for _, update := range log {
		info.Bytes += int64(len(update.data))
	}
	return info, nil
}

// Rooms implements [Archive].
func (m *Memory) Rooms(ctx context.Context, after string, each func(Info) error) error {
	m.mu.RLock()
	names, closed := slices.Sorted(maps.Keys(m.rooms)), m.closed
	m.mu.RUnlock()
	if closed {
		return ErrClosed
	}
	for _, name := range names {
		if name <= after {
			continue
		}
		info, err := m.Stat(ctx, name)
		if err == ErrNotFound {
			continue
		}
		if err != nil {
			return err
		}
		if err := each(info); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// Delete implements [Archive].
func (m *Memory) Delete(ctx context.Context, room string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return m.write(func() error {
		delete(m.rooms, room)
		return nil
	})
}

// SaveVersion implements [Archive].
func (m *Memory) SaveVersion(ctx context.Context, room, name string, state []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := CheckName(name); err != nil {
		return err
	}
	version := memoryVersion{
		Version: Version{Name: name, Created: memoryNow(), Bytes: int64(len(state))},
		state:   bytes.Clone(state),
	}
	return m.write(func() error {
		r := m.rooms[room]
		if r == nil {
			return ErrNotFound
		}
		if r.version(name) >= 0 {
			return ErrVersionExists
		}
		r.versions = append(r.versions, version)
		return nil
	})
}

// version returns the index of a version, or -1.
func (r *memoryRoom) version(name string) int {
	return slices.IndexFunc(r.versions, func(v memoryVersion) bool { return v.Name == name })
}

// Versions implements [Archive].
func (m *Memory) Versions(ctx context.Context, room string) ([]Version, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	if m.closed {
		return nil, ErrClosed
	}
	var versions []Version
	if r := m.rooms[room]; r != nil {
		for _, v := range r.versions {
			versions = append(versions, v.Version)
		}
	}
	return versions, nil
}

// LoadVersion implements [Archive].
func (m *Memory) LoadVersion(ctx context.Context, room, name string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	if m.closed {
		return nil, ErrClosed
	}
	if r := m.rooms[room]; r != nil {
		if i := r.version(name); i >= 0 {
			return bytes.Clone(r.versions[i].state), nil
		}
	}
	return nil, ErrNotFound
}

// DeleteVersion implements [Archive].
func (m *Memory) DeleteVersion(ctx context.Context, room, name string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return m.write(func() error {
		if r := m.rooms[room]; r != nil {
			r.versions = slices.DeleteFunc(r.versions, func(v memoryVersion) bool { return v.Name == name })
		}
		return nil
	})
}

// Ping implements [Store].
func (m *Memory) Ping(ctx context.Context) error {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if m.closed {
		return ErrClosed
	}
	return ctx.Err()
}

// Close implements [Store].
func (m *Memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	m.rooms = nil
	return nil
}
