package ycrdt

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/yrs-go/yrs/internal/stack"
	"github.com/yrs-go/yrs/ycrdt/internal/ffi"
)

// maxQueuedBytes bounds what waits for slow subscribers of one document. When more is queued, later commits wait
// before they take the document's lock.
const maxQueuedBytes = 16 << 20

// maxIdleQueue is the longest queue whose memory is kept while it is empty.
const maxIdleQueue = 64

// dispatcher delivers what commits leave behind: one queue per document, in the order of the commits, emptied by
// whoever finds it idle. The zero value is ready.
type dispatcher struct {
	mu       sync.Mutex
	commits  uint64 // how many were queued so far
	taken    uint64 // how many of them were taken from the queue
	heard    uint64 // how many of them everybody has heard of
	queue    []delivery
	head     int // the first of queue that is still to be delivered
	bytes    int
	draining bool
	room     chan struct{} // closed when the queue has room again; nil when nobody waits
	progress chan struct{} // closed when heard grows; nil when nobody waits
	calls    []func()      // scratch space of whoever is draining

	// updates are the subscribers of OnUpdate. The slice is replaced under mu and never changed in place.
	updates atomic.Pointer[[]*updateSubscriber]
}

// delivery is one commit on its way to the subscribers.
type delivery struct {
	doc    *Doc
	number uint64
	commit ffi.Commit
	opts   TxOptions
	local  bool
}

func (d *delivery) size() int { return len(d.commit.Update) + len(d.commit.Events) + 64 }

// updateSubscriber is a subscription to OnUpdate. It hears the commits after its own number.
type updateSubscriber struct {
	after  uint64
	closed atomic.Bool
	fn     func(UpdateEvent)
}

func (q *dispatcher) subscribe(fn func(UpdateEvent)) *updateSubscriber {
	q.mu.Lock()
	defer q.mu.Unlock()
	sub := &updateSubscriber{after: q.commits, fn: fn}
	updates := append(slices.Clone(q.updateSubscribers()), sub)
	q.updates.Store(&updates)
	return sub
}

func (q *dispatcher) unsubscribe(sub *updateSubscriber) {
	sub.closed.Store(true)
	q.mu.Lock()
	defer q.mu.Unlock()
	updates := slices.Clone(q.updateSubscribers())
	updates = slices.DeleteFunc(updates, func(other *updateSubscriber) bool { return other == sub })
	q.updates.Store(&updates)
}

func (q *dispatcher) updateSubscribers() []*updateSubscriber {
	if updates := q.updates.Load(); updates != nil {
		return *updates
	}
	return nil
}

// wantsUpdates tells whether a commit needs to encode its update.
func (q *dispatcher) wantsUpdates() bool { return len(q.updateSubscribers()) > 0 }

// queued returns how many commits were queued so far.
func (q *dispatcher) queued() uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.commits
}

// push queues a commit. The caller holds the document's lock.
func (q *dispatcher) push(doc *Doc, commit ffi.Commit, opts TxOptions, local bool) {
	if commit.Update == nil && commit.Events == nil && !opts.NotifyEmpty {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.commits++
	d := delivery{doc: doc, number: q.commits, commit: commit, opts: opts, local: local}
	q.queue = append(q.queue, d)
	q.bytes += d.size()
}

// deliveringFrames are the functions that call subscribers.
var deliveringFrames = []string{"ycrdt.(*dispatcher).deliver"}

// waitForRoom waits while the queue is full. A subscriber does not wait: it is what empties the queue. Subscribers
// of other documents do not wait either, as Go cannot tell them apart; waiting for each other they could stop for
// ever.
func (q *dispatcher) waitForRoom(ctx context.Context) error {
	for {
		q.mu.Lock()
		if q.bytes < maxQueuedBytes {
			q.mu.Unlock()
			return nil
		}
		if q.room == nil {
			q.room = make(chan struct{})
		}
		room := q.room
		q.mu.Unlock()
		if stack.Has(deliveringFrames...) {
			return nil
		}
		select {
		case <-room:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// waitHeard waits until everybody has heard of the first commits, so many of them.
func (q *dispatcher) waitHeard(ctx context.Context, commits uint64) error {
	for {
		progress := q.progressTo(commits)
		if progress == nil {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if stack.Has(deliveringFrames...) {
			return fail(opDelivered, CodeInSubscriber)
		}
		if stack.Has(transactionFrames...) {
			return fail(opDelivered, CodeInTransaction)
		}
		select {
		case <-progress:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// progressTo returns what is closed when somebody hears of a commit, nil if everybody has heard of so many.
func (q *dispatcher) progressTo(commits uint64) <-chan struct{} {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.heard >= commits {
		return nil
	}
	if q.progress == nil {
		q.progress = make(chan struct{})
	}
	return q.progress
}

// drain delivers what is queued, unless somebody is at it already. If subscribers panic, the others still hear
// everything, and then the first panic goes on.
func (q *dispatcher) drain() {
	q.mu.Lock()
	if q.draining || q.head == len(q.queue) {
		q.mu.Unlock()
		return
	}
	q.draining = true
	q.mu.Unlock()

	var panics panicKeeper
	defer panics.goOn()
	q.deliverAll(&panics)
}

func (q *dispatcher) deliverAll(panics *panicKeeper) {
	done := false
	defer func() {
		if !done {
			// A subscriber ended its goroutine (runtime.Goexit). What is queued is still delivered first.
			q.deliverAll(panics)
		}
	}()
	for {
		next, ok := q.pop()
		if !ok {
			break
		}
		q.deliver(next, panics)
	}
	done = true
}

// pop takes the next delivery; when there is none the queue is idle again.
func (q *dispatcher) pop() (delivery, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.heard = q.taken // whoever delivers comes back here, whatever the subscribers do
	if q.progress != nil {
		close(q.progress)
		q.progress = nil
	}
	if q.head == len(q.queue) {
		q.draining = false
		return delivery{}, false
	}
	next := q.queue[q.head]
	q.taken = next.number
	q.queue[q.head] = delivery{}
	q.head++
	if q.head == len(q.queue) {
		// Empty: start over in the same memory, unless a burst has made it large.
		q.queue, q.head = q.queue[:0], 0
		if cap(q.queue) > maxIdleQueue {
			q.queue = nil
		}
	}
	q.bytes -= next.size()
	if q.room != nil && q.bytes < maxQueuedBytes {
		close(q.room)
		q.room = nil
	}
	return next, true
}

// deliver calls the subscribers of one commit. Its name is what waiters look for on their stacks.
//
//go:noinline
func (q *dispatcher) deliver(d delivery, panics *panicKeeper) {
	q.calls = d.doc.observers.appendCalls(q.calls[:0], d)
	if d.commit.Update != nil || d.opts.NotifyEmpty {
		event := UpdateEvent{Update: d.commit.Update, Origin: d.opts.Origin, Local: d.local, Pending: d.commit.Pending, Held: d.commit.Held}
		for _, sub := range q.updateSubscribers() {
			if sub.after < d.number {
				q.calls = append(q.calls, func() {
					if !sub.closed.Load() {
						sub.fn(event)
					}
				})
			}
		}
	}
	panics.callAll(q.calls)
	clear(q.calls)
}

// panicKeeper holds back panics until all subscribers have been called.
type panicKeeper struct {
	panicked bool
	first    any
}

// callAll makes the calls. If one of them ends its goroutine (runtime.Goexit), the others are made first.
func (k *panicKeeper) callAll(calls []func()) {
	made := 0
	defer func() {
		if made < len(calls) {
			k.callAll(calls[made:])
		}
	}()
	for made < len(calls) {
		made++
		k.call(calls[made-1])
	}
}

func (k *panicKeeper) call(fn func()) {
	defer func() {
		if value := recover(); value != nil && !k.panicked {
			k.panicked, k.first = true, value
		}
	}()
	fn()
}

func (k *panicKeeper) goOn() {
	if k.panicked {
		panic(k.first)
	}
}
