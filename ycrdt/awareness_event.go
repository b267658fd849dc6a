package ycrdt

import (
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"

	"github.com/yrs-go/yrs/internal/stack"
)

// The origins of changes that no caller has named.
const (
	OriginLocal   = "local"   // SetLocalState and its like, and the renewal of the local state
	OriginTimeout = "timeout" // a client was silent for OutdatedTimeout
)

// AwarenessEventKind says what happened to the clients of an [AwarenessEvent].
type AwarenessEventKind uint8

// The kinds, in the order in which the events of one change are delivered.
const (
	// AwarenessAdded: clients that were not known have a state, or this client has
	// one again.
	AwarenessAdded AwarenessEventKind = iota
	// AwarenessUpdated: the state was set anew, perhaps to the same, by a client
	// that is known. As in y-protocols, that includes a client that comes back
	// while it is remembered as gone.
	AwarenessUpdated
	// AwarenessRemoved: clients are gone.
	AwarenessRemoved

	awarenessKinds = iota
)

// String returns "added", "updated" or "removed".
func (k AwarenessEventKind) String() string {
	switch k {
	case AwarenessAdded:
		return "added"
	case AwarenessUpdated:
		return "updated"
	case AwarenessRemoved:
		return "removed"
	default:
		return fmt.Sprintf("AwarenessEventKind(%d)", uint8(k))
	}
}

// AwarenessEvent tells of a change, with one event for each kind that occurred in
// it. It stays valid for ever; the observers share it and must not change it.
type AwarenessEvent struct {
	Kind AwarenessEventKind
	// ClientIDs are the clients it happened to, each once: those to pass on to
	// others with EncodeUpdate.
	ClientIDs []uint64
	// Changed are those of ClientIDs whose state has other content than before.
	// Without any, nothing needs to be drawn anew.
	Changed []uint64
	// Origin is OriginLocal, OriginTimeout, or what the caller of ApplyUpdate or
	// RemoveStates has given.
	Origin any
}

// ObserverPanicError says that an observer panicked. The change of which it was
// told has happened, and the other observers were told too.
type ObserverPanicError struct {
	// Value is what the observer panicked with.
	Value any
	// Stack is the stack of the panic, as debug.Stack prints it.
	Stack []byte
}

func (e *ObserverPanicError) Error() string {
	return fmt.Sprintf("ycrdt: awareness observer panicked: %v", e.Value)
}

// Unwrap returns the value of the panic if that is an error.
func (e *ObserverPanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// awarenessObserver is a function that wants events.
type awarenessObserver struct {
	fn     func(AwarenessEvent)
	closed bool // guarded by Awareness.mu
}

// Observe calls fn for every event from now on, until the subscription is closed.
//
// Events arrive one after the other, in the order of the changes, and with no lock
// held: fn may call every method of the Awareness, and finds it as it is by then,
// which may be newer than the event. They are delivered by the
// goroutine that makes the change, before its call returns; while another is busy
// delivering, that one delivers them. That holds for a change inside fn as well:
// its events follow when fn has returned. A panic in fn becomes the error of the
// call that delivered.
//
// While events about 65,536 clients wait to be delivered, changes wait, except
// those made in observers. So fn must not wait for another goroutine's change.
//
// Observe panics if fn is nil.
func (a *Awareness) Observe(fn func(AwarenessEvent)) *Subscription {
	if fn == nil {
		panic("ycrdt: Awareness.Observe: the observer is nil")
	}
	observer := &awarenessObserver{fn: fn}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.observers = append(a.observers, observer) // queued events keep the shorter slice
	return &Subscription{close: func() { a.unobserve(observer) }}
}

func (a *Awareness) unobserve(observer *awarenessObserver) {
	a.mu.Lock()
	defer a.mu.Unlock()
	observer.closed = true
	// In a new slice: queued events keep the old one.
	a.observers = slices.DeleteFunc(slices.Clone(a.observers), func(o *awarenessObserver) bool {
		return o == observer
	})
}

// maxQueuedClients bounds what waits for slow observers: see Observe.
const maxQueuedClients = 1 << 16

// awarenessQueue holds the events that have not been delivered yet. It is guarded
// by Awareness.mu.
type awarenessQueue struct {
	deliveries []awarenessDelivery
	clients    int        // how many client ids are in the deliveries
	draining   bool       // somebody is delivering
	room       *sync.Cond // signals that clients has fallen
}

// awarenessDelivery is an event and those it is still to be delivered to.
type awarenessDelivery struct {
	event     AwarenessEvent
	observers []*awarenessObserver
}

// lock takes the lock to make a change, when there is room for its events.
func (a *Awareness) lock() {
	a.mu.Lock()
	if a.queue.clients < maxQueuedClients || inAwarenessObserver() {
		return
	}
	for a.queue.clients >= maxQueuedClients {
		a.queue.room.Wait()
	}
}

// inAwarenessObserver tells whether the caller has been called by an observer. It
// is slow.
func inAwarenessObserver() bool {
	return stack.Has("ycrdt.(*awarenessObserver).call")
}

// finish queues the events of changes, releases the lock and delivers, unless
// somebody is at it already.
func (a *Awareness) finish(changes ...awarenessChange) error {
	for _, change := range changes {
		for _, event := range change.events {
			if len(event.ClientIDs) > 0 && len(a.observers) > 0 {
				a.queue.deliveries = append(a.queue.deliveries, awarenessDelivery{event, a.observers})
				a.queue.clients += len(event.ClientIDs)
			}
		}
	}
	busy := a.queue.draining || len(a.queue.deliveries) == 0
	a.queue.draining = a.queue.draining || !busy
	a.mu.Unlock()
	if busy {
		return nil
	}
	return a.drain()
}

// drain delivers until the queue is empty.
func (a *Awareness) drain() error {
	var errs []error
	done := false
	defer func() {
		if done {
			return
		}
		// An observer ends the goroutine: deliver the rest before.
		if err := errors.Join(append(errs, a.drain())...); err != nil {
			a.logPanic(err)
		}
	}()
	for {
		observer, event, ok := a.nextDelivery()
		if !ok {
			done = true
			return errors.Join(errs...)
		}
		if err := observer.call(event); err != nil {
			errs = append(errs, err)
		}
	}
}

// logPanic reports what nobody waits for.
func (a *Awareness) logPanic(err error) {
	a.opts.Logger.Error("awareness observer panicked", "error", err)
}

// nextDelivery takes the next pair of event and observer off the queue.
func (a *Awareness) nextDelivery() (*awarenessObserver, AwarenessEvent, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	queue := &a.queue
	for len(queue.deliveries) > 0 {
		next := &queue.deliveries[0]
		if len(next.observers) == 0 {
			queue.clients -= len(next.event.ClientIDs)
			queue.room.Broadcast()
			*next = awarenessDelivery{}
			queue.deliveries = queue.deliveries[1:]
			continue
		}
		observer := next.observers[0]
		next.observers = next.observers[1:]
		if !observer.closed {
			return observer, next.event, true
		}
	}
	queue.deliveries = nil
	queue.draining = false
	return nil, AwarenessEvent{}, false
}

// call calls the observer's function. Its name is what inAwarenessObserver looks
// for.
//
//go:noinline
func (o *awarenessObserver) call(event AwarenessEvent) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = &ObserverPanicError{Value: value, Stack: debug.Stack()}
		}
	}()
	o.fn(event)
	return nil
}
