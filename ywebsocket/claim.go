package ywebsocket

import (
	"bytes"
	"time"

	"github.com/yrs-go/yrs/ycrdt/protocol"
)

// maxAnswerTime bounds how long an owner may leave the ping unanswered that it gets
// because of a claim.
const maxAnswerTime = 5 * time.Second

// claim is what a connection says about a client that belongs to another one, when
// it is newer than what that one has said. The reason may be
//
//   - that the client has come back on a new connection before the server knows
//     that the old one is dead: a laptop slept, a network changed;
//   - that two tabs of a browser tell each other what they do, and one is faster in
//     passing it on than the other in sending it;
//   - that somebody wants to pass for somebody else.
//
// Between different identities a claim is ignored. Within one identity the client
// goes over at once. Where nobody has an identity the owner is pinged, and loses the
// client if nothing arrives from it for answerTime, or if its connection ends before
// that; should it speak for the client later it gets it back.
//
// The second case leaves a client with the wrong one of two tabs if the other one is
// the first to mention it, and the client would not leave with its own tab. So a
// connection that began with a client may claim it without a newer clock too, from
// one that did not: within an identity that suffices, and otherwise the owner is told
// that the client is gone. A tab that had it by hearsay believes that and says so,
// which is a removal, and hands it over; a client that it is about contradicts.
//
// y-websocket renews a state every 15 s, so a client that comes back claims itself
// within that time; its old state is shown meanwhile.
type claim struct {
	by    *conn
	entry protocol.AwarenessEntry
	since time.Time
	told  bool // the owner, that the client is gone
}

func (p *presence) answerTime() time.Duration {
	return min(p.room.server.options.Timeouts.Pong, maxAnswerTime)
}

// counts reports whether the claim is one, now.
func (cl *claim) counts(k *participant) bool {
	return !cl.by.speaker.left && !cl.by.out.isClosed() && k.claimable(cl.by, cl.entry)
}

// claimable reports whether an entry from c, which is not the owner, is a claim.
func (k *participant) claimable(c *conn, entry protocol.AwarenessEntry) bool {
	return entry.Clock > k.clock ||
		entry.Clock == k.clock && entry.State != nil && c.speaker.is(k.id)
}

// contest takes in what a connection says about a client of another one.
func (p *presence) contest(c *conn, k *participant, entry protocol.AwarenessEntry) {
	newer := entry.Clock > k.clock
	switch {
	case c.identity.User != k.owner.identity.User || !k.claimable(c, entry):
		return
	case k.owner.missedPing(p.answerTime()):
		p.displace(k, c, entry)
	case c.identity.User != "" && (newer || !k.owner.speaker.is(k.id)), newer && c == k.displaced:
		p.handOver(k, c, entry)
	default:
		p.fileClaim(c, k, entry)
	}
}

// missedPing reports whether nothing can come from the connection any more, or
// nothing has for that long since it was pinged for its silence.
func (c *conn) missedPing(answerTime time.Duration) bool {
	return c.out.isClosed() ||
		c.pinged.Load() && c.silence() >= c.server.options.Timeouts.Ping+answerTime
}

// handOver makes a client that of another connection, with what that one says about
// it, and reports whether that one may have it. No claim is left.
func (p *presence) handOver(k *participant, to *conn, entry protocol.AwarenessEntry) bool {
	p.dropClaim(k)
	if !to.speaker.own(k.id, p.limits().AwarenessClients) {
		return false
	}
	k.owner, k.displaced = to, nil
	switch {
	case entry.State == nil:
		k.clock = entry.Clock
		p.remove(k)
	case entry.Clock > k.clock:
		p.update(k, entry)
	default:
		k.updated = time.Now() // it is the same state
	}
	return true
}

// fileClaim remembers a claim, if there is no better one, and asks the owner.
func (p *presence) fileClaim(c *conn, k *participant, entry protocol.AwarenessEntry) {
	filed := &claim{by: c, entry: entry, since: time.Now()}
	old := k.claim
	if old != nil {
		if old.by == c {
			filed.since = old.since
		} else if old.counts(k) && !filed.isBetter(k, old) {
			return
		}
		filed.told = old.told
	}
	p.dropClaim(k)
	if !p.fits(len(entry.State)) {
		return
	}
	filed.entry.State = bytes.Clone(entry.State)
	p.bytes += len(entry.State)
	k.claim = filed
	p.ask(k.owner)
	if !filed.told && c.speaker.is(k.id) && !k.owner.speaker.is(k.id) {
		filed.told = true
		k.owner.out.send(endFrame(k))
	}
}

func (cl *claim) isBetter(k *participant, than *claim) bool {
	return cl.entry.Clock > than.entry.Clock ||
		cl.entry.Clock == than.entry.Clock && cl.by.speaker.is(k.id) && !than.by.speaker.is(k.id)
}

// endFrame says that a client is gone. The client itself answers that it is not,
// with a clock above that one. It is not to be merged with what follows, which may be
// another state of the client.
func endFrame(k *participant) frame { return awarenessReply(k.end()) }

// awarenessReply is an awareness message for one connection.
func awarenessReply(entries ...protocol.AwarenessEntry) frame {
	f := awarenessFrame(protocol.AppendAwarenessUpdate(nil, entries...))
	f.kind = frameReply
	return f
}

func (p *presence) dropClaim(k *participant) {
	if k.claim != nil {
		p.bytes -= len(k.claim.entry.State)
		k.claim = nil
	}
}

// ask pings a connection, whose clients are claimed, unless that is under way.
func (p *presence) ask(owner *conn) {
	s := &owner.speaker
	if s.asking == nil {
		s.asked = time.Now()
		s.asking = time.AfterFunc(p.answerTime(), func() { p.decide(owner) })
		owner.out.send(pingFrame)
	}
}

// decide ends the claims for the clients of a connection after it was asked. Newer
// claims wait for it to be asked again.
func (p *presence) decide(owner *conn) {
	// The owner hears that the clients are gone, and not of their new states, which
	// a client would take for its own.
	_ = p.change(owner, func() error {
		s := &owner.speaker
		s.asking = nil
		dead := owner.out.isClosed() || owner.silence() > time.Since(s.asked)
		again := false
		for id := range s.owned {
			k := p.clients[id]
			switch {
			case k == nil || k.owner != owner || k.claim == nil:
			case dead && k.claim.counts(k):
				p.displace(k, k.claim.by, k.claim.entry)
			case k.claim.since.After(s.asked):
				again = true
			default:
				p.dropClaim(k)
			}
		}
		if again {
			p.ask(owner)
		}
		return nil
	})
}

// displace hands a client over because its owner is silent. If that is not dead but
// slow, it contradicts now, and gets the client back.
func (p *presence) displace(k *participant, to *conn, entry protocol.AwarenessEntry) {
	owner := k.owner
	if !p.handOver(k, to, entry) {
		return
	}
	owner.out.send(endFrame(k))
	if k.owner != nil {
		k.displaced = owner
	}
}

// release ends a client's state, on behalf of its owner or because that has gone,
// unless somebody claims the client.
func (p *presence) release(k *participant) {
	cl := k.claim
	if cl == nil || !cl.counts(k) || !p.handOver(k, cl.by, cl.entry) {
		p.remove(k)
	} else if k.owner != nil {
		// The former owner has heard that the client is gone, or even said so to
		// others: the next clock tells them that it is not.
		cl.by.out.send(endFrame(k))
	}
}
