package ycrdt

import (
	"encoding/json"
	"log/slog"
	"slices"
	"sync"
	"time"
)

// The defaults of [AwarenessOptions].
const (
	// DefaultOutdatedTimeout is the one of y-protocols.
	DefaultOutdatedTimeout        = 30 * time.Second
	DefaultMaxAwarenessStates     = 10_000
	DefaultMaxAwarenessStateBytes = 64 << 10
)

// AwarenessOptions says how an [Awareness] behaves. The zero value behaves like
// y-protocols, with limits.
type AwarenessOptions struct {
	// OutdatedTimeout is how long the state of another client lives without being
	// renewed. The own state is renewed when half of it has passed, and a tenth of
	// it lies between two looks at the clock. 0 means DefaultOutdatedTimeout. All
	// clients of a room should use the same.
	OutdatedTimeout time.Duration

	// NoLocalState starts without a state of one's own, as a server does that
	// only keeps the states of others.
	NoLocalState bool

	// MaxStates bounds the number of clients with a state. An update that would
	// exceed it is refused with ErrTooLarge; the local state never is. As many
	// clients again are remembered after they left, and beyond that some are
	// forgotten early. 0 means DefaultMaxAwarenessStates.
	MaxStates int

	// MaxStateBytes bounds the length of one state in JSON. Longer ones, of
	// whomever, are refused with ErrTooLarge. 0 means
	// DefaultMaxAwarenessStateBytes.
	MaxStateBytes int

	// Logger hears of observers that panic while nobody waits for a result, which
	// is after Start. nil means slog.Default().
	Logger *slog.Logger
}

// withDefaults fills in what was left out.
func (o AwarenessOptions) withDefaults() AwarenessOptions {
	if o.OutdatedTimeout <= 0 {
		o.OutdatedTimeout = DefaultOutdatedTimeout
	}
	if o.MaxStates <= 0 {
		o.MaxStates = DefaultMaxAwarenessStates
	}
	if o.MaxStateBytes <= 0 {
		o.MaxStateBytes = DefaultMaxAwarenessStateBytes
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o
}

// Awareness holds what the clients of a document tell each other about
// themselves and nobody stores: who is there, under which name, where the cursor
// stands. It follows the awareness protocol of y-protocols.
//
// Each client has one state, any JSON value and usually an object, which it alone
// sets, with a clock that counts the changes. A newer clock wins. Other clients
// learn of it through an update: pass what [Awareness.EncodeUpdate] returns for
// the clients named in an [AwarenessEvent] on to them, and what they send to
// [Awareness.ApplyUpdate].
//
// A client that is silent for OutdatedTimeout is taken for gone. For that, and to
// keep its own state alive, an Awareness has to look at the clock: call
// [Awareness.Start], or [Awareness.CheckOutdated] from a timer of yours.
//
// States go in and come out as copies, in the types that encoding/json gives an
// any: map[string]any, []any, string, float64, bool and nil.
//
// All methods are safe for concurrent use, from observers too. An Awareness does
// not use its document and may outlive it.
type Awareness struct {
	clientID uint64
	opts     AwarenessOptions

	mu        sync.Mutex
	clients   map[uint64]awarenessClient
	present   int  // clients that have a state
	hasLocal  bool // whether the entry of clientID is under our control
	observers []*awarenessObserver
	queue     awarenessQueue
	run       *awarenessRun // the last Start
}

// awarenessClient is what is known of one client.
type awarenessClient struct {
	clock   uint64
	updated time.Time
	state   json.RawMessage // never changed in place; nil: the client is gone
	lostTo  any             // the connection whose end took the state away, if one did
}

// AwarenessMeta says how recent the knowledge about a client is.
type AwarenessMeta struct {
	// Clock counts the changes of the client's state.
	Clock uint64
	// LastUpdated is when the last change arrived here.
	LastUpdated time.Time
}

// NewAwareness returns an Awareness for the client that writes to doc, with
// default options. Its local state is {}.
func NewAwareness(doc *Doc) *Awareness {
	return NewAwarenessWith(doc, AwarenessOptions{})
}

// NewAwarenessWith returns an Awareness for the client that writes to doc. Its
// local state is {}, unless there is to be none.
func NewAwarenessWith(doc *Doc, opts AwarenessOptions) *Awareness {
	a := &Awareness{
		clientID: doc.ClientID(),
		opts:     opts.withDefaults(),
		clients:  make(map[uint64]awarenessClient),
	}
	a.queue.room = sync.NewCond(&a.mu)
	if !opts.NoLocalState {
		a.hasLocal = true
		a.put(a.clientID, awarenessClient{updated: time.Now(), state: json.RawMessage("{}")})
	}
	return a
}

// ClientID returns the id of the document's client, whose state is the local one.
func (a *Awareness) ClientID() uint64 { return a.clientID }

// OutdatedTimeout returns how long a state lives without being renewed.
func (a *Awareness) OutdatedTimeout() time.Duration { return a.opts.OutdatedTimeout }

// LocalState returns a copy of this client's state, or nil if it has none.
func (a *Awareness) LocalState() any {
	state, _ := a.State(a.clientID)
	return state
}

// State returns a copy of a client's state, and whether the client has one.
func (a *Awareness) State(clientID uint64) (state any, ok bool) {
	a.mu.Lock()
	raw := a.clients[clientID].state
	a.mu.Unlock()
	if raw == nil {
		return nil, false
	}
	return decodeState(raw), true
}

// States returns copies of the states of all clients that have one.
func (a *Awareness) States() map[uint64]any {
	a.mu.Lock()
	raw := make(map[uint64]json.RawMessage, a.present)
	for id, client := range a.clients {
		if client.state != nil {
			raw[id] = client.state
		}
	}
	a.mu.Unlock()
	states := make(map[uint64]any, len(raw))
	for id, state := range raw {
		states[id] = decodeState(state)
	}
	return states
}

// ClientIDs returns the ids of all clients that have a state, in ascending order.
// It costs much less than [Awareness.States].
func (a *Awareness) ClientIDs() []uint64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.presentIDs()
}

// presentIDs is ClientIDs for callers that hold the lock.
func (a *Awareness) presentIDs() []uint64 {
	ids := make([]uint64, 0, a.present)
	for id, client := range a.clients {
		if client.state != nil {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// ClientMeta returns clock and time of a client's last change, and whether the
// client is known. See [Awareness.Meta].
func (a *Awareness) ClientMeta(clientID uint64) (meta AwarenessMeta, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	client, ok := a.clients[clientID]
	return client.meta(), ok
}

// Meta returns clock and time of the last change of every known client. That
// includes clients that are gone: they are remembered until three times
// OutdatedTimeout have passed since the last change, longer than any other client
// could still believe in them, lest a late message bring them back.
func (a *Awareness) Meta() map[uint64]AwarenessMeta {
	a.mu.Lock()
	defer a.mu.Unlock()
	metas := make(map[uint64]AwarenessMeta, len(a.clients))
	for id, client := range a.clients {
		metas[id] = client.meta()
	}
	return metas
}

func (c awarenessClient) meta() AwarenessMeta {
	return AwarenessMeta{Clock: c.clock, LastUpdated: c.updated}
}
