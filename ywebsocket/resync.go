package ywebsocket

import (
	"context"
	"sync"
	"time"
)

const (
	// firstResync and lastResync bound the time between two questions to one client.
	firstResync = time.Second
	lastResync  = time.Minute
)

// resync asks the client of a connection for what its updates build on, when the
// document holds some of them back: a client that is sent a state vector answers
// with what is missing there.
//
// The first question goes out at once. What is held back soon after it leads to
// another one when firstResync is over, and to the next after twice that time, up
// to lastResync: a client gets at least one question after the last update that
// was held back, but one whose answers are held back too does not keep the server
// busy.
type resync struct {
	mu      sync.Mutex
	pause   time.Duration // since the last question
	timer   *time.Timer   // runs during the pause
	due     bool          // there will be a question at its end
	stopped bool
}

// request is called when an update of c was held back.
func (s *resync) request(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.stopped:
	case s.timer != nil:
		s.due = true
	default:
		s.ask(c)
	}
}

// ask sends the question, unless it is answered already, and begins the pause.
func (s *resync) ask(c *conn) {
	s.due = false
	if !c.room.ask(c) {
		s.pause = 0
		return
	}
	s.pause = min(max(2*s.pause, firstResync), lastResync)
	s.timer = time.AfterFunc(s.pause, func() { s.endPause(c) })
}

func (s *resync) endPause(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.timer = nil
	switch {
	case s.stopped:
	case s.due:
		s.ask(c)
	default:
		s.pause = 0
	}
}

// stop ends the questions, and waits for one under way.
func (s *resync) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = true
	if s.timer != nil {
		s.timer.Stop()
	}
}

// ask sends c the state vector, if something of it may still be held back, and
// reports whether it was. While there is no document it is not: whoever loads it
// asks. Nor while the room is read-only, when a question would allow what is denied:
// everybody is asked after it.
func (r *room) ask(c *conn) bool {
	r.documentMu.RLock()
	defer r.documentMu.RUnlock()
	if r.document == nil || !r.isHeldFrom(c) {
		return false
	}
	stateVector, err := r.document.stateVector(c.ctx)
	if err != nil {
		return false // c is closed, or the document about to be loaded again
	}
	r.membersMu.Lock()
	defer r.membersMu.Unlock()
	if r.readOnly.Load() {
		return false
	}
	c.out.send(step1Frame(stateVector))
	return true
}

func (r *room) isHeldFrom(c *conn) bool {
	r.membersMu.Lock()
	defer r.membersMu.Unlock()
	_, held := r.heldFrom[c]
	return held
}

// askAgain asks everybody of whom the document may have held something back that it
// has given up, because that came in with an update of too high a cost.
func (r *room) askAgain(ctx context.Context, used document) {
	r.documentMu.RLock()
	defer r.documentMu.RUnlock()
	if r.document == used {
		r.askAuthors(ctx, used)
	}
}

// askAuthors asks everybody from whom the document may have held something back
// that is gone with it, now that it is loaded again.
func (r *room) askAuthors(ctx context.Context, loaded document) {
	stateVector, err := loaded.stateVector(ctx)
	r.membersMu.Lock()
	defer r.membersMu.Unlock()
	if err != nil || len(r.heldFrom) == 0 {
		return // what cannot even say that much is about to be loaded again
	}
	f := step1Frame(stateVector)
	for c := range r.heldFrom {
		c.standing.lost = true
		if !r.readOnly.Load() { // afterwards everybody is asked
			c.out.send(f)
		}
	}
	clear(r.heldFrom)
}
