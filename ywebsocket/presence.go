package ywebsocket

import (
	"sync"
	"time"

	"github.com/yrs-go/yrs/ycrdt"
)

// presence is what the clients of a room tell each other about themselves, and
// which connection told it first-hand.
type presence struct {
	room    *room
	timeout time.Duration
	states  *ycrdt.Awareness

	// mu is held over every change of states, so that their observer runs before
	// the change returns.
	mu sync.Mutex
	// owners has every client with a state, and the connection that brought the
	// newest one. Clients pass on what they hear from others; that is not newer.
	owners map[uint64]*conn
	// touched are the clients of the change under way.
	touched []uint64
	timer   *time.Timer // runs while there are owners
	closed  bool
}

func newPresence(r *room, timeout time.Duration) *presence {
	doc := ycrdt.NewDoc() // only its client id is used, and without a local state not even that
	defer doc.Close()
	p := &presence{
		room:    r,
		timeout: timeout,
		states: ycrdt.NewAwarenessWith(doc, ycrdt.AwarenessOptions{
			OutdatedTimeout: timeout,
			NoLocalState:    true,
			Logger:          r.log,
		}),
		owners: make(map[uint64]*conn),
	}
	p.states.Observe(p.observe)
	return p
}

// apply takes in what a client says about itself and others, and tells the others
// what is new.
func (p *presence) apply(c *conn, update []byte) error {
	return asClose(p.change(c, func() error { return p.states.ApplyUpdate(update, c) }))
}

// leave takes all clients for gone that were reached through c.
func (p *presence) leave(c *conn) {
	err := p.change(c, func() error {
		var ids []uint64
		for id, owner := range p.owners {
			if owner == c {
				ids = append(ids, id)
			}
		}
		return p.states.RemoveStates(ids, c)
	})
	if err != nil {
		p.room.log.Error("cannot remove awareness states", "error", err)
	}
}

// expire takes clients for gone that have not renewed their state.
func (p *presence) expire() {
	if err := p.change(nil, p.states.CheckOutdated); err != nil {
		p.room.log.Error("cannot remove outdated awareness states", "error", err)
	}
}

// change calls fn, which changes states, and broadcasts the result to everybody
// but c.
func (p *presence) change(c *conn, fn func() error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.touched = p.touched[:0]
	err := fn()
	if len(p.touched) > 0 {
		// It fails only for clients that are not known, and these were just changed.
		if update, encodeErr := p.states.EncodeUpdate(p.touched); encodeErr == nil {
			p.room.broadcast(awarenessFrame(update), c)
		}
	}
	p.setTimer()
	return err
}

// observe is called within change.
func (p *presence) observe(event ycrdt.AwarenessEvent) {
	p.touched = append(p.touched, event.ClientIDs...)
	for _, id := range event.ClientIDs {
		if c, ok := event.Origin.(*conn); ok && event.Kind != ycrdt.AwarenessRemoved {
			p.owners[id] = c
		} else {
			delete(p.owners, id)
		}
	}
}

// setTimer starts the timer if somebody is there and it does not run. y-protocols
// looks at the clock ten times in a timeout.
func (p *presence) setTimer() {
	if p.timer == nil && len(p.owners) > 0 && !p.closed {
		p.timer = time.AfterFunc(p.timeout/10, p.tick)
	}
}

func (p *presence) tick() {
	p.mu.Lock()
	p.timer = nil
	p.mu.Unlock()
	p.expire()
}

// greet sends a client that has joined everybody's state.
func (p *presence) greet(c *conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.owners) > 0 {
		p.send(c)
	}
}

// answer sends everybody's state to a client that has asked for it.
func (p *presence) answer(c *conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.send(c)
}

func (p *presence) send(c *conn) {
	f := awarenessFrame(p.states.EncodeStates())
	f.kind = frameReply
	c.out.send(f)
}

// close stops the timer for good.
func (p *presence) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	if p.timer != nil {
		p.timer.Stop()
	}
}
