package ywebsocket

import (
	"sync"
	"time"
)

// incoming counts the bytes of the messages that all connections are receiving or
// working on. It is safe for concurrent use.
//
// When they are too many, room is made for a message that comes faster: those who
// send large ones slowly could occupy all of it for hours.
type incoming struct {
	max int64

	mu     sync.Mutex
	used   int64
	shares map[*share]struct{} // those that count
}

const (
	// unsharedBytes is how much of a message does not count, so that what is usual gets
	// through when others use everything up.
	unsharedBytes = 64 << 10
	// undisturbed is how long a message may take before it has to make room.
	undisturbed = 10 * time.Second
)

// share is the part of incoming that one connection has. It belongs to one
// goroutine, but others may take it away.
type share struct {
	of *incoming
	// evict has the connection end that has to make room.
	evict func()
	// counts is set while the message is long enough to count.
	counts bool

	// of.mu guards these.
	bytes   int64
	since   time.Time // the message began to count
	waits   bool      // for the rest of the message
	evicted bool
}

// grow makes the share large enough for a message of this length of which the rest
// is to be waited for, and reports whether there was enough.
func (s *share) grow(length int) bool {
	if length <= unsharedBytes {
		return true
	}
	s.counts = true
	s.of.mu.Lock()
	defer s.of.mu.Unlock()
	more := int64(length) - unsharedBytes - s.bytes
	if s.evicted || more <= 0 {
		return !s.evicted
	}
	for s.of.used+more > s.of.max {
		if slowest := s.of.slowest(s); slowest != nil {
			slowest.take()
			continue
		}
		return false
	}
	if s.bytes == 0 {
		s.since = time.Now()
		if s.of.shares == nil {
			s.of.shares = make(map[*share]struct{})
		}
		s.of.shares[s] = struct{}{}
	}
	s.waits = true
	s.bytes += more
	s.of.used += more
	return true
}

// slowest returns the share of the message that takes longest for its length, of
// those that have been coming for long; nil if there is none.
func (all *incoming) slowest(except *share) *share {
	now := time.Now()
	var found *share
	rate := 0.0
	for s := range all.shares {
		took := now.Sub(s.since)
		if s == except || !s.waits || took < undisturbed {
			continue
		}
		if r := float64(s.bytes) / took.Seconds(); found == nil || r < rate {
			found, rate = s, r
		}
	}
	return found
}

// take takes the share away and has its connection end.
func (s *share) take() {
	s.evicted = true
	s.giveBack()
	s.evict()
}

// arrived says that nothing of the message is waited for any more.
func (s *share) arrived() {
	if !s.counts {
		return
	}
	s.of.mu.Lock()
	defer s.of.mu.Unlock()
	s.waits = false
}

// release gives everything back.
func (s *share) release() {
	if !s.counts {
		return
	}
	s.counts = false
	s.of.mu.Lock()
	defer s.of.mu.Unlock()
	s.giveBack()
}

func (s *share) giveBack() {
	s.of.used -= s.bytes
	s.bytes, s.waits = 0, false
	delete(s.of.shares, s)
}

// inUse returns how many bytes count.
func (all *incoming) inUse() int64 {
	all.mu.Lock()
	defer all.mu.Unlock()
	return all.used
}
