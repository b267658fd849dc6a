package ywebsocket

import "slices"

// Status says whether a [Provider] is connected.
type Status uint8

const (
	// StatusDisconnected: it does not try. Connect has not been called, or Disconnect has, or ProviderState.Err says
	// why trying again is of no use.
	StatusDisconnected Status = iota
	// StatusConnecting: it is connecting, or waits before it does so again.
	StatusConnecting
	// StatusConnected: the connection is open.
	StatusConnected
)

// String returns the word that y-websocket uses.
func (s Status) String() string {
	return [...]string{"disconnected", "connecting", "connected"}[s]
}

// ProviderState is what there is to know about a [Provider] at one time.
type ProviderState struct {
	Status Status
	// Synced: the document has everything that the server had at the beginning of the connection.
	Synced bool
	// Unsynced is the number of changes of the document that the server is not known to have. A server that sends
	// updates back, as this one does once they are stored, is believed when it has done so; another one when it has
	// answered a question that was sent behind them.
	Unsynced int
	// Denied is what a server says that takes no changes, now or at all; empty otherwise. They stay in the document,
	// and are sent when the server asks for them.
	Denied string
	// Err is why the last connection ended, or could not be made. If it matches [ErrPermanent] the provider has given
	// up. It is nil while connected.
	Err error
	// Unstored is the number of changes of the document, whoever made them, that the local store does not have yet.
	Unstored int
	// LocalErr is why the local store could not be read, or has not taken what was written, at the last try. It is nil
	// once that has succeeded. If it matches [ErrPermanent] the provider never connects.
	LocalErr error
}

// State returns the present state.
func (p *Provider) State() ProviderState {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state
}

// Subscribe has fn called with every new state, in order, one at a time and with no lock held. A slow fn holds nothing
// up: it misses states in between, but not the last one. After the returned function was called no call begins.
func (p *Provider) Subscribe(fn func(ProviderState)) (unsubscribe func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	listener := &stateListener{fn: fn}
	p.events.listeners = append(slices.Clone(p.events.listeners), listener)
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		listener.closed = true
		p.events.listeners = slices.DeleteFunc(slices.Clone(p.events.listeners),
			func(other *stateListener) bool { return other == listener })
	}
}

// stateEvents are the states that are to be delivered. The provider's lock guards it.
type stateEvents struct {
	listeners  []*stateListener // replaced, never changed in place
	queue      []ProviderState
	delivering bool
}

type stateListener struct {
	fn     func(ProviderState)
	closed bool
}

// maxStateEvents bounds the queue of states.
const maxStateEvents = 64

// setState changes the state with the lock held.
func (p *Provider) setState(change func(*ProviderState)) {
	before := p.state
	change(&p.state)
	if p.state.equals(before) {
		return
	}
	p.changed.Broadcast()
	e := &p.events
	if len(e.listeners) == 0 {
		return
	}
	last := len(e.queue) - 1
	if last >= 0 && (onlyCountsDiffer(e.queue[last], p.state) || len(e.queue) >= maxStateEvents) {
		e.queue[last] = p.state
	} else {
		e.queue = append(e.queue, p.state)
	}
	if !e.delivering {
		e.delivering = true
		go p.deliver()
	}
}

func onlyCountsDiffer(a, b ProviderState) bool {
	a.Unsynced, a.Unstored = b.Unsynced, b.Unstored
	return a.equals(b)
}

// equals takes states with errors for different: not all errors can be compared.
func (s ProviderState) equals(other ProviderState) bool {
	for _, err := range []error{s.Err, s.LocalErr, other.Err, other.LocalErr} {
		if err != nil {
			return false
		}
	}
	return s == other
}

// deliver runs while there are states to deliver.
func (p *Provider) deliver() {
	p.mu.Lock()
	defer p.mu.Unlock()
	e := &p.events
	for len(e.queue) > 0 {
		state := e.queue[0]
		e.queue = e.queue[1:]
		for _, listener := range e.listeners {
			if listener.closed {
				continue
			}
			p.mu.Unlock()
			listener.fn(state)
			p.mu.Lock()
		}
	}
	e.queue, e.delivering = nil, false
}
