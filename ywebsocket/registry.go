package ywebsocket

import (
	"sync"
	"time"
)

// registry holds the rooms in memory. Whoever uses a room holds it; a room that
// nobody holds is removed after a delay, once everything in it is stored. Until
// then it can be held again and nothing has been lost, so a join and a removal
// never meet: one of them comes first, under the lock.
type registry struct {
	limit int
	idle  time.Duration
	make  func(name string) *room

	mu     sync.Mutex
	rooms  map[string]*room
	closed bool
}

func newRegistry(limit int, idle time.Duration, newRoom func(name string) *room) *registry {
	return &registry{limit: limit, idle: idle, make: newRoom, rooms: make(map[string]*room)}
}

// hold returns the room, made if there is none, and keeps it in memory until
// release.
func (g *registry) hold(name string) (*room, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return nil, ErrShuttingDown
	}
	r, ok := g.rooms[name]
	if !ok {
		if len(g.rooms) >= g.limit {
			return nil, errTooManyRooms
		}
		r = g.make(name)
		g.rooms[name] = r
	}
	r.holds++
	if r.removal != nil {
		r.removal.Stop()
		r.removal = nil
	}
	return r, nil
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

// removeAfter is called with the lock held.
func (g *registry) removeAfter(delay time.Duration, r *room) {
	r.removal = time.AfterFunc(delay, func() { g.removeIdle(r) })
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
	delete(g.rooms, r.name)
	return true
}

// close lets nobody hold a room from now on, and returns the rooms.
func (g *registry) close() []*room {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	rooms := make([]*room, 0, len(g.rooms))
	for _, r := range g.rooms {
		if r.removal != nil {
			r.removal.Stop()
		}
		rooms = append(rooms, r)
	}
	return rooms
}
