package ywebsocket

import "bytes"

// An update that says nothing is a question: it is returned when everything that its
// sender has sent before is stored. So it is kept back while something of the sender is
// not, be it held back by the document or given up and asked for again. In both cases
// the sender is asked for what the document lacks, and its answer holds everything that
// it had sent until then.

// standing is what a room thinks of a member. membersMu guards it.
type standing struct {
	// refused: something of it may have been refused while the room was read-only.
	// Nothing counts before its answer to the question since then.
	refused bool
	// lost: something of it was held back and is gone.
	lost bool
	// withheld counts the updates without content that are to be returned later.
	withheld int
}

// maxWithheld bounds them. Those above it are never returned; clients have one or two.
const maxWithheld = 1000

// accepts reports whether an update of a member counts. documentMu is held.
func (r *room) accepts(in *inbound) bool {
	r.membersMu.Lock()
	defer r.membersMu.Unlock()
	if in.answer {
		in.from.standing.refused = false
	}
	return !in.from.standing.refused
}

// confirms reports whether an update is to be returned to its sender once everything
// before is stored. documentMu is held.
func (r *room) confirms(in *inbound, ch change) bool {
	if !ch.complete {
		return false
	}
	r.membersMu.Lock()
	defer r.membersMu.Unlock()
	if in.answer {
		delete(r.heldFrom, in.from) // all of it is in the document now
		in.from.standing.lost = false
	}
	if !r.misses(in.from) || !bytes.Equal(in.update, emptyUpdate) {
		return true
	}
	if s := &in.from.standing; s.withheld < maxWithheld {
		s.withheld++
		r.withheldFrom[in.from] = struct{}{}
	}
	return false
}

// misses reports whether something that a member has sent may not be in the document.
// membersMu is held.
func (r *room) misses(c *conn) bool {
	_, held := r.heldFrom[c]
	return held || c.standing.lost
}

// takeWithheld returns the updates without content that can be returned after all, once
// what the document has now is stored.
func (r *room) takeWithheld() (due []*inbound) {
	r.membersMu.Lock()
	defer r.membersMu.Unlock()
	for c := range r.withheldFrom {
		if r.misses(c) {
			continue
		}
		for range c.standing.withheld {
			due = append(due, &inbound{from: c, update: emptyUpdate})
		}
		c.standing.withheld = 0
		delete(r.withheldFrom, c)
	}
	return due
}

// refuseAll has nothing of the members count before they answer a question that goes
// out now. What was withheld is not returned any more: they know that it was refused.
// membersMu is held.
func (r *room) refuseAll() {
	for c := range r.members {
		c.standing.refused = true
		c.standing.withheld = 0
	}
	clear(r.withheldFrom)
}
