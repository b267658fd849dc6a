package ywebsocket

import "sync/atomic"

// incoming counts the bytes of the messages that all connections are receiving or
// working on. It is safe for concurrent use.
type incoming struct {
	max  int64
	used atomic.Int64
}

// unsharedBytes is how much of a message does not count, so that what is usual gets
// through when others use everything up.
const unsharedBytes = 64 << 10

// share is the part of incoming that one connection has. It belongs to one
// goroutine.
type share struct {
	of    *incoming
	bytes int64
}

// grow makes the share large enough for a message of this length, and reports
// whether there was enough.
func (s *share) grow(length int) bool {
	more := int64(length) - unsharedBytes - s.bytes
	if more <= 0 {
		return true
	}
	if s.of.used.Add(more) > s.of.max {
		s.of.used.Add(-more)
		return false
	}
	s.bytes += more
	return true
}

// release gives everything back.
func (s *share) release() {
	s.of.used.Add(-s.bytes)
	s.bytes = 0
}
