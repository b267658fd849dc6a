package ywebsocket

import (
	"time"

	"github.com/yrs-go/yrs/ycrdt/protocol"
)

// maxAnswerTime bounds how long an owner may leave the ping unanswered that it gets
// because of a claim.
const maxAnswerTime = 5 * time.Second

// speaker is what presence knows of a connection. presence.mu guards it.
type speaker struct {
	// owned has all clients that have ever belonged to the connection, some of which
	// may belong to others now.
	owned map[uint64]struct{}
	// asked is when it was last pinged because of a claim, and asking the timer that
	// runs until it must have answered.
	asked  time.Time
	asking *time.Timer
}

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

// contest takes in what a connection says about a client of another one. If it is
// newer than what that one has said, it is a claim. The reason may be
//
//   - that the client has come back on a new connection before the server knows
//     that the old one is dead: a laptop slept, a network changed;
//   - that two tabs of a browser tell each other what they do, and the one speaks for
//     the other;
//   - that somebody wants to pass for somebody else.
//
// Between different identities a claim is ignored. Within one identity the client
// goes over at once.
//
// Where nobody has an identity, nothing tells the cases apart but whether the owner is
// there. So it is pinged, and if it does not answer the client is gone, with the clock
// that was claimed. That is not what the claim said: a client that lives hears that it
// is gone, contradicts with the next clock, as y-protocols has it, and belongs to the
// connection that says so. The same happens if the owner leaves.
//
// When a chain says that a client is gone, it is taken for gone elsewhere, because the connection of the chain was, and is
// seen again with its next clock only. So it is told, and contradicts.
func (p *presence) contest(c *conn, k *participant, entry protocol.AwarenessEntry) {
	switch {
	case c.identity.relays && entry.State == nil && entry.Clock == k.clock:
		f := awarenessFrame(protocol.AppendAwarenessUpdate(nil, entry))
		f.kind = frameReply
		k.owner.out.send(f)
	case c.identity.User != k.owner.identity.User || entry.Clock <= k.clock:
		return
	case c.identity.User == "":
		k.claimed = max(k.claimed, entry.Clock)
		p.ask(k.owner)
	case c.speaker.own(k.id, p.limits().AwarenessClients):
		k.owner = c
		p.renew(k, entry)
	}
}

// ask pings a connection, whose clients are claimed, unless that is under way.
func (p *presence) ask(owner *conn) {
	s := &owner.speaker
	if s.asking == nil {
		s.asked = time.Now()
		answerTime := min(p.room.server.options.Timeouts.Pong, maxAnswerTime)
		s.asking = time.AfterFunc(answerTime, func() { p.decide(owner) })
		owner.out.send(pingFrame)
	}
}

// decide removes the claimed clients of a connection that was asked and from which
// nothing has come since then. If it is not dead but slow, it hears of that too.
func (p *presence) decide(owner *conn) {
	_ = p.change(nil, func() error {
		s := &owner.speaker
		s.asking = nil
		if owner.silence() <= time.Since(s.asked) {
			return nil
		}
		for id := range s.owned {
			if k := p.clients[id]; k != nil && k.owner == owner && k.claimed > k.clock {
				p.remove(k)
			}
		}
		return nil
	})
}
