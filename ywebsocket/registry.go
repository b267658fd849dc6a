package ywebsocket

import (
	"container/list"
	"sync"
	"time"
)

// registry holds the rooms in memory. Whoever uses a room holds it; a room that
// nobody holds is removed after a delay, or when its place is needed, once
// everything in it is stored. Until then it can be held again and nothing has been
// lost, so a join and a removal never meet: one of them comes first, under the lock.
type registry struct {
	limit int
	idle  time.Duration
	make  func(name string) *room

	mu     sync.Mutex
	rooms  map[string]*room
	unheld list.List // of the rooms that nobody holds, the one left first in front
	// full is until when it is known that no room can make way.
	full   time.Time
	closed bool
}

func newRegistry(limit int, idle time.Duration, newRoom func(name string) *room) *registry {
	return &registry{limit: limit, idle: idle, make: newRoom, rooms: make(map[string]*room)}
}

// hold returns the room, made if there is none, and keeps it in memory until
// release.
func (g *registry) hold(name string) (*room, error) {
	r, replaced, err := g.holdLocked(name)
	if replaced != nil {
		replaced.free()
	}
	return r, err
}

// holdLocked also returns the room that has made way for a new one, if any.
func (g *registry) holdLocked(name string) (r, replaced *room, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return nil, nil, ErrShuttingDown
	}
	r, ok := g.rooms[name]
	if !ok {
		if len(g.rooms) >= g.limit {
			if replaced = g.detachOldest(); replaced == nil {
				return nil, nil, errTooManyRooms
			}
		}
		r = g.make(name)
		g.rooms[name] = r
	}
	r.holds++
	g.wake(r)
	return r, replaced, nil
}

// release undoes a hold.
func (g *registry) release(r *room) {
	g.mu.Lock()
	defer g.mu.Unlock()
	r.holds--
	if r.holds == 0 && !g.closed {
		g.removeAfter(g.idle, r)
	}
}

// removeAfter puts the room behind the others that nobody holds. It is called with
// the lock held, as are wake, detach and detachOldest.
func (g *registry) removeAfter(delay time.Duration, r *room) {
	g.wake(r)
	r.unheld = g.unheld.PushBack(r)
	r.removal = time.AfterFunc(delay, func() { g.removeIdle(r) })
}

// wake undoes removeAfter, if that was called.
func (g *registry) wake(r *room) {
	if r.unheld != nil {
		g.unheld.Remove(r.unheld)
		r.removal.Stop()
		r.unheld, r.removal = nil, nil
	}
}

func (g *registry) removeIdle(r *room) {
	if g.detachIdle(r) {
		r.free()
	}
}

// busyDelay is the least time between two looks at a room that has work to do.
const busyDelay = 100 * time.Millisecond

// detachIdle takes the room out of the registry, if nobody has held it meanwhile
// and it has nothing left to do.
func (g *registry) detachIdle(r *room) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed || r.holds > 0 || g.rooms[r.name] != r {
		return false
	}
	if r.busy() {
		g.removeAfter(max(g.idle, busyDelay), r)
		return false
	}
	g.detach(r)
	return true
}

func (g *registry) detach(r *room) {
	g.wake(r)
	delete(g.rooms, r.name)
}

// detachOldest takes out the room that everybody left first, of those that have
// nothing left to do. It returns nil if there is none. Those that have go to the
// back, so that they are not looked at again for each join; if all have, none is
// looked at for a while.
func (g *registry) detachOldest() *room {
	now := time.Now()
	if now.Before(g.full) {
		return nil
	}
	for range g.unheld.Len() {
		oldest := g.unheld.Front()
		r := oldest.Value.(*room)
		if !r.busy() {
			g.detach(r)
			return r
		}
		g.unheld.MoveToBack(oldest)
	}
	if g.unheld.Len() > 0 {
		g.full = now.Add(busyDelay)
	}
	return nil
}

// close lets nobody hold a room from now on, and returns the rooms.
func (g *registry) close() []*room {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	rooms := make([]*room, 0, len(g.rooms))
	for _, r := range g.rooms {
		g.wake(r)
		rooms = append(rooms, r)
	}
	return rooms
}
