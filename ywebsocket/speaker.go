package ywebsocket

import (
	"time"

	"github.com/yrs-go/yrs/ycrdt/protocol"
)

// speaker is what presence knows of a connection. presence.mu guards it.
type speaker struct {
	// self is the client that the connection began with, if it began with one.
	self            uint64
	spoken, hasSelf bool
	// owned has all clients that have ever belonged to the connection, some of which
	// may belong to others now.
	owned map[uint64]struct{}
	// asked is when it was last pinged because of a claim, and asking the timer that
	// runs until it must have answered.
	asked  time.Time
	asking *time.Timer
	left   bool
}

// hear takes note of what a connection says, after its answer to the server's first
// message or before.
//
// y-websocket begins with the state of its own client, if that has one. Later on it
// passes on what it is sent, which is about anybody; it cannot before that answer.
func (s *speaker) hear(entries []protocol.AwarenessEntry, answered bool) {
	if !s.spoken && !answered && len(entries) == 1 && entries[0].State != nil {
		s.self, s.hasSelf = entries[0].ClientID, true
	}
	s.spoken = true
}

// is reports whether the connection began with this client.
func (s *speaker) is(id uint64) bool { return s.hasSelf && s.self == id }

// own adds a client to those of the connection, up to a limit.
func (s *speaker) own(id uint64, limit int) bool {
	if _, owned := s.owned[id]; owned {
		return true
	}
	if len(s.owned) >= limit {
		return false
	}
	if s.owned == nil {
		s.owned = make(map[uint64]struct{})
	}
	s.owned[id] = struct{}{}
	return true
}
