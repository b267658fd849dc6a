package ycrdt

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
)

// Subscription is a subscriber's registration.
type Subscription struct {
	once  sync.Once
	close func()
}

// Close ends the subscription: calls that have not begun will not. It does not wait for one under way, may be
// called by the subscriber itself, and does nothing the second time.
func (s *Subscription) Close() { s.once.Do(s.close) }

// UpdateEvent tells of a commit that changed the document.
type UpdateEvent struct {
	// Update is the change as an update, to be stored or sent to peers. It may be kept but not written to: all
	// subscribers share it. It is nil if nothing changed and the transaction was made with NotifyEmpty.
	Update []byte
	// Origin is TxOptions.Origin of the transaction.
	Origin any
	// Local is set for changes made through a transaction, by Tx.ApplyUpdate too, and not for those of Doc.ApplyUpdate.
	Local bool
	// Pending is set while updates, or parts of them, are held back because they miss others that have not arrived.
	// They are in no Update until then. A peer that is sent this document's state vector sends what is missing.
	Pending bool
	// Held is set if that is some of what this very transaction applied.
	Held bool
}

// OnUpdate has fn called after every commit that changed the document. Events come in the order of the commits,
// one at a time, after the document's lock was released: usually before the call that committed returns, or from
// another goroutine that is delivering already; see [Doc.Delivered]. If fn panics, the other subscribers are still
// called, and then the panic goes on in the call that was delivering.
//
// Of one commit the subscribers of Observe and ObserveDeep hear first, then those of OnUpdate in the order in which they
// subscribed.
//
// At most 16 MiB of events wait for slow subscribers; then commits wait too, except inside a subscriber. OnUpdate panics
// if fn is nil.
func (d *Doc) OnUpdate(fn func(UpdateEvent)) *Subscription {
	if fn == nil {
		panic("ycrdt: OnUpdate: the subscriber is nil")
	}
	sub := d.events.subscribe(fn)
	return &Subscription{close: func() { d.events.unsubscribe(sub) }}
}

const opDelivered = "delivered"

// Delivered waits until the subscribers have heard of everything that was committed before the call. A call that commits
// usually returns after that; but while another goroutine is delivering, that one delivers this too, and later. Delivered
// is for those who count on what their subscriber has seen.
//
// It fails when ctx ends. Inside a subscriber, or a transaction, of whatever document, where it could wait for itself, it
// fails with ErrInSubscriber or ErrInTransaction instead of waiting; if nothing waits to be delivered it returns nil there
// too. That a document is closed makes no difference: what was committed is delivered.
func (d *Doc) Delivered(ctx context.Context) error {
	return wrap(opDelivered, d.events.waitHeard(ctx, d.events.queued()))
}

// Observe has fn called after every commit that changed the shared type ref itself; nested types are not
// followed. Delivery is that of OnUpdate. The event is of the shared type's kind: a [*TextEvent], [*MapEvent],
// [*ArrayEvent] or [*OpaqueEvent]. A root that does not exist is created. When a nested type is deleted, its
// subscribers hear nothing more. Observe is a write transaction of its own: inside one, use [Tx.Observe]. It fails with
// ErrInvalidArgument if fn is nil, and otherwise as [Tx.Resolve] does.
func (d *Doc) Observe(ref Ref, fn func(Event)) (sub *Subscription, err error) {
	err = d.Transact(func(tx *Tx) error {
		sub, err = tx.Observe(ref, fn)
		return err
	})
	return sub, err
}

// ObserveDeep is Observe for the shared type and everything nested in it. fn gets all events of a commit
// at once, in the order of their paths.
func (d *Doc) ObserveDeep(ref Ref, fn func([]Event)) (sub *Subscription, err error) {
	err = d.Transact(func(tx *Tx) error {
		sub, err = tx.ObserveDeep(ref, fn)
		return err
	})
	return sub, err
}

// Observe is Doc.Observe within a write transaction; fn hears of this transaction too.
func (tx *Tx) Observe(ref Ref, fn func(Event)) (*Subscription, error) {
	var first func([]Event)
	if fn != nil {
		first = func(events []Event) { fn(events[0]) }
	}
	return tx.observe("observe", observerKey{ref, false}, first)
}

// ObserveDeep is Doc.ObserveDeep within a write transaction; fn hears of this transaction too.
func (tx *Tx) ObserveDeep(ref Ref, fn func([]Event)) (*Subscription, error) {
	return tx.observe("observe deep", observerKey{ref, true}, fn)
}

func (tx *Tx) observe(op string, key observerKey, fn func([]Event)) (*Subscription, error) {
	if err := tx.use(op); err != nil {
		return nil, err
	}
	if !tx.write {
		return nil, fail(op, CodeReadOnly)
	}
	if fn == nil {
		return nil, &Error{Op: op, Code: CodeInvalidArgument, Msg: "the subscriber is nil"}
	}
	sub, err := tx.doc.observers.subscribe(tx, key, fn)
	if err != nil {
		return nil, err
	}
	return &Subscription{close: func() { tx.doc.observers.unsubscribe(sub) }}, nil
}

// observerTable maps the observers registered in the native document to their subscribers. One native observer
// serves all subscribers of a shared type, so that an event is encoded once. The zero value is ready.
type observerTable struct {
	mu    sync.Mutex
	last  uint64
	byKey map[observerKey]*observer
	byID  map[uint64]*observer
	// stale are observers without subscribers. Removing one needs a write transaction; the next one does it.
	stale []*observer
}

type observerKey struct {
	ref  Ref
	deep bool
}

type observer struct {
	id          uint64
	key         observerKey
	subscribers []*eventSubscriber // replaced, never changed in place
}

// eventSubscriber hears the commits after its own number.
type eventSubscriber struct {
	observer *observer
	after    uint64
	closed   atomic.Bool
	fn       func([]Event)
}

// subscribe adds a subscriber, registering the native observer if it is the first. The document's lock is held.
func (t *observerTable) subscribe(tx *Tx, key observerKey, fn func([]Event)) (*eventSubscriber, error) {
	handle, err := tx.Resolve(key.ref)
	if err != nil {
		return nil, err
	}
	after := tx.doc.events.queued()
	t.mu.Lock()
	defer t.mu.Unlock()
	o := t.byKey[key]
	if o == nil {
		o = &observer{id: t.last + 1, key: key}
		if err := tx.native.Observe(slotOf(handle), o.id, key.deep); err != nil {
			return nil, wrap("observe", err)
		}
		t.last = o.id
		if t.byKey == nil {
			t.byKey, t.byID = make(map[observerKey]*observer), make(map[uint64]*observer)
		}
		t.byKey[key], t.byID[o.id] = o, o
	}
	sub := &eventSubscriber{observer: o, after: after, fn: fn}
	o.subscribers = append(slices.Clone(o.subscribers), sub)
	return sub, nil
}

func (t *observerTable) unsubscribe(sub *eventSubscriber) {
	sub.closed.Store(true)
	t.mu.Lock()
	defer t.mu.Unlock()
	o := sub.observer
	o.subscribers = slices.DeleteFunc(slices.Clone(o.subscribers),
		func(other *eventSubscriber) bool { return other == sub })
	if len(o.subscribers) == 0 && t.byID[o.id] == o {
		delete(t.byKey, o.key)
		delete(t.byID, o.id)
		t.stale = append(t.stale, o)
	}
}

// removeStale unregisters the observers that nobody needs any more. The document's lock is held for writing.
func (t *observerTable) removeStale(doc *Doc) {
	t.mu.Lock()
	stale := t.stale
	t.stale = nil
	t.mu.Unlock()
	if len(stale) == 0 {
		return
	}
	tx, err := doc.begin(context.Background(), true)
	if err != nil {
		return // the document is poisoned: nothing is recorded any more
	}
	for _, o := range stale {
		handle, err := tx.Resolve(o.key.ref)
		if err != nil { // a shared type that is gone took its observers with it
			doc.native.Unobserved()
			continue
		}
		_ = tx.native.Unobserve(slotOf(handle), o.id, o.key.deep)
	}
	_, _ = tx.native.Commit(false) // nothing was changed
}

// appendCalls decodes what the native observers recorded in a commit, and appends the calls to its subscribers.
func (t *observerTable) appendCalls(calls []func(), d delivery) []func() {
	reader := eventReader{dec: newNativeDecoder(d.commit.Events), origin: d.opts.Origin, local: d.local}
	for reader.dec.Remaining() > 0 {
		id, events, err := reader.record()
		if err != nil {
			// The native library and this package disagree: a bug, not an input.
			return append(calls, func() { panic(fmt.Sprintf("ycrdt: cannot read events: %v", err)) })
		}
		for _, sub := range t.listeners(id) {
			if sub.after < d.number {
				calls = append(calls, func() {
					if !sub.closed.Load() {
						sub.fn(events)
					}
				})
			}
		}
	}
	return calls
}

func (t *observerTable) listeners(id uint64) []*eventSubscriber {
	t.mu.Lock()
	defer t.mu.Unlock()
	if o := t.byID[id]; o != nil {
		return o.subscribers
	}
	return nil
}
