package ywebsocket

import (
	"bytes"
	"encoding/json"
	"sync"
	"time"

	"github.com/yrs-go/yrs/ycrdt/protocol"
)

const (
	// rememberedFor is how long a client that is gone is remembered, in units of
	// Timeouts.Awareness: longer than any other client could still believe in it,
	// lest a late message bring it back.
	rememberedFor = 3

	// usualClocks has room for those that count changes, and for those that are times
	// in microseconds. Beyond that, a clock may be ahead of the highest one in the room
	// by maxLeap. What is further ahead is ignored: somebody hostile could use up the
	// clocks of a client with it, which has to go on above the highest that it has
	// heard of, and must not go beyond 2^53-1.
	usualClocks = 1 << 51
	maxLeap     = 1 << 16
)

// presence is what the clients of a room tell each other about themselves: their
// awareness states, by the rules of y-protocols.
//
// Here each client belongs to a connection, the first that brings a state for it.
// That connection alone changes and removes the state, and the state ends with it.
// What others say about the client is hearsay, as y-websocket sends back whatever it
// receives, and what it has heard from other tabs of its browser; contest says when it
// counts nevertheless.
type presence struct {
	room    *room
	timeout time.Duration

	mu      sync.Mutex
	clients map[uint64]*participant
	present int    // those with a state
	bytes   int    // of their states
	highest uint64 // of all clocks
	// changed and corrections are what the change under way will send: the former
	// to everybody but its connection, the latter to that one.
	changed     []*participant
	corrections []protocol.AwarenessEntry
	// everybody is the message with all states, or nothing if it is outdated.
	everybody frame
	full      bool        // the log knows that not all states have room
	timer     *time.Timer // runs while there are clients
	closed    bool
}

// participant is what is known of a client.
type participant struct {
	id      uint64
	clock   uint64
	state   json.RawMessage // never changed in place; nil: gone
	updated time.Time       // when state or its end was heard of
	owner   *conn           // nil: gone
	claimed uint64          // the highest clock that other connections have claimed for it
	changed bool            // is in presence.changed
}

func newPresence(r *room, timeout time.Duration) *presence {
	return &presence{room: r, timeout: timeout, clients: make(map[uint64]*participant)}
}

func (p *presence) limits() *Limits { return &p.room.server.options.Limits }

// apply takes in what a client says about itself and others, and tells the others
// what is new.
func (p *presence) apply(c *conn, update []byte) error {
	entries, err := p.decode(update)
	if err != nil {
		return err
	}
	return p.change(c, func() error {
		for _, entry := range entries {
			if err := p.receive(c, entry); err != nil {
				return err
			}
		}
		return nil
	})
}

// decode reads an update within the limits of a message.
func (p *presence) decode(update []byte) ([]protocol.AwarenessEntry, error) {
	limits := p.limits()
	n, err := protocol.NewDecoder(update).ReadVarUint()
	if err == nil && n > uint64(limits.AwarenessEntries) && n < uint64(len(update)) {
		return nil, closing(CloseTooBig, "awareness message about %d clients, above %d", n, limits.AwarenessEntries)
	}
	entries, err := protocol.DecodeAwarenessUpdate(update)
	if err != nil {
		return nil, closing(CloseMalformed, "awareness: %v", err)
	}
	for _, entry := range entries {
		if len(entry.State) > limits.AwarenessState {
			return nil, closing(CloseTooBig, "awareness state of %d bytes, above %d: keep it small", len(entry.State), limits.AwarenessState)
		}
	}
	return entries, nil
}

// receive takes in one entry. It fails if that costs c the connection.
func (p *presence) receive(c *conn, entry protocol.AwarenessEntry) error {
	k := p.clients[entry.ClientID]
	switch {
	case entry.Clock > max(usualClocks, p.highest)+maxLeap:
		return nil
	case k == nil && (entry.State == nil || entry.Clock == 0):
		return nil // y-protocols, too, begins to listen at clock 1
	case k == nil:
		return p.introduce(c, &participant{id: entry.ClientID}, entry)
	case k.owner == c:
		p.renew(k, entry)
	case k.owner != nil:
		p.contest(c, k, entry)
	case entry.State == nil:
		return nil // it is gone already
	case entry.Clock > k.clock:
		return p.introduce(c, k, entry)
	default:
		// The client has come back, or somebody else has not heard that it is gone.
		// The one raises its clock when it is told so, the other learns of it.
		p.corrections = append(p.corrections, protocol.AwarenessEntry{ClientID: k.id, Clock: k.clock})
	}
	return nil
}

// introduce takes in the state of a client that had none.
func (p *presence) introduce(c *conn, k *participant, entry protocol.AwarenessEntry) error {
	if p.present >= p.limits().AwarenessStates || !p.fits(len(entry.State)) {
		p.reportFull()
		return nil
	}
	if !c.speaker.own(k.id, p.limits().AwarenessClients) {
		return closing(CloseTooBig, "awareness states of more than %d clients on one connection", p.limits().AwarenessClients)
	}
	k.owner = c
	p.clients[k.id] = k
	p.set(k, entry)
	return nil
}

// renew takes in what a client's own connection says about it.
func (p *presence) renew(k *participant, entry protocol.AwarenessEntry) {
	switch {
	case entry.Clock < k.clock, entry.Clock == k.clock && entry.State != nil:
		return
	case entry.State == nil:
		k.clock = entry.Clock
		p.remove(k)
	default:
		p.update(k, entry)
	}
}

// update gives a client that has a state another one, if there is room for it.
func (p *presence) update(k *participant, entry protocol.AwarenessEntry) {
	if growth := len(entry.State) - len(k.state); growth > 0 && !p.fits(growth) {
		p.reportFull()
		entry.State = k.state // it is still there, and that matters most
	}
	p.set(k, entry)
}

// fits reports whether there is room for more bytes of states.
func (p *presence) fits(more int) bool { return p.bytes+more <= p.limits().AwarenessBytes }

// reportFull logs once that not everybody can be shown.
func (p *presence) reportFull() {
	if !p.full {
		p.full = true
		p.room.log.Warn("the awareness states of the room have reached a limit: further ones are not shown",
			"states", p.present, "bytes", p.bytes)
	}
}

// set gives a client, which has an owner, a state.
func (p *presence) set(k *participant, entry protocol.AwarenessEntry) {
	if k.state == nil {
		p.present++
	}
	p.bytes += len(entry.State) - len(k.state)
	k.clock, k.state, k.updated = entry.Clock, bytes.Clone(entry.State), time.Now()
	p.note(k)
}

// remove takes a client's state away, with a clock that makes the client contradict if
// it lives: see contest.
func (p *presence) remove(k *participant) {
	p.present--
	p.bytes -= len(k.state)
	k.clock, k.claimed = max(k.clock, k.claimed), 0
	k.state, k.updated, k.owner = nil, time.Now(), nil
	p.note(k)
}

// note adds a client to those of the change under way.
func (p *presence) note(k *participant) {
	p.highest = max(p.highest, k.clock)
	if !k.changed {
		k.changed = true
		p.changed = append(p.changed, k)
	}
}

// leave takes all clients for gone that belong to c.
func (p *presence) leave(c *conn) {
	_ = p.change(c, func() error {
		if c.speaker.asking != nil {
			c.speaker.asking.Stop()
		}
		for id := range c.speaker.owned {
			if k := p.clients[id]; k != nil && k.owner == c {
				p.remove(k)
			}
		}
		return nil
	})
}

// expire takes clients for gone that have not renewed their state, and forgets
// those that have been gone for long.
func (p *presence) expire() {
	_ = p.change(nil, func() error {
		now := time.Now()
		for id, k := range p.clients {
			age := now.Sub(k.updated)
			switch {
			case k.state != nil && age >= p.timeout:
				p.remove(k)
			case k.state == nil && age >= rememberedFor*p.timeout:
				delete(p.clients, id)
			}
		}
		return nil
	})
}

// change calls fn, which changes clients, and sends the result to everybody but
// c, whose message or end it is.
func (p *presence) change(c *conn, fn func() error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	err := fn()
	if len(p.corrections) > 0 {
		f := awarenessFrame(protocol.AppendAwarenessUpdate(nil, p.corrections...))
		f.kind = frameReply
		c.out.send(f)
		p.corrections = nil
	}
	if len(p.changed) > 0 {
		p.everybody = frame{}
		p.room.broadcast(awarenessFrame(encodeParticipants(p.changed)), c)
		for _, k := range p.changed {
			k.changed = false
		}
		p.changed = nil
		p.forget()
	}
	p.setTimer()
	return err
}

// forget forgets clients that are gone if there are more than states are allowed.
func (p *presence) forget() {
	for id, k := range p.clients {
		if len(p.clients)-p.present <= p.limits().AwarenessStates {
			return
		}
		if k.state == nil {
			delete(p.clients, id)
		}
	}
}

// setTimer starts the timer if somebody is known and it does not run. y-protocols
// looks at the clock ten times in a timeout.
func (p *presence) setTimer() {
	if p.timer == nil && len(p.clients) > 0 && !p.closed {
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
	if p.present > 0 {
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
	if p.everybody.wire == nil {
		present := make([]*participant, 0, p.present)
		for _, k := range p.clients {
			if k.state != nil {
				present = append(present, k)
			}
		}
		p.everybody = awarenessFrame(encodeParticipants(present))
		p.everybody.kind = frameReply
	}
	c.out.send(p.everybody)
}

// encodeParticipants encodes what is known of some clients.
func encodeParticipants(clients []*participant) []byte {
	const overhead = 24 // at most, for id, clock and lengths
	entries := make([]protocol.AwarenessEntry, len(clients))
	size := overhead
	for i, k := range clients {
		entries[i] = protocol.AwarenessEntry{ClientID: k.id, Clock: k.clock, State: k.state}
		size += overhead + len(k.state)
	}
	return protocol.AppendAwarenessUpdate(make([]byte, 0, size), entries...)
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
