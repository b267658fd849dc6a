package ycrdt

import (
	"context"
	"sync"

	"github.com/yrs-go/yrs/ycrdt/internal/ffi"
)

// maxQueuedBytes bounds what waits for slow subscribers of one document. When more is queued, later commits wait
// before they take the document's lock.
const maxQueuedBytes = 16 << 20

// dispatcher delivers what commits leave behind: one queue per document, in the order of the commits, emptied by
// whoever finds it idle. The zero value is ready.
type dispatcher struct {
	mu       sync.Mutex
	commits  uint64 // how many were queued so far
	queue    []delivery
	bytes    int
	draining bool
	room     chan struct{} // closed when the queue has room again; nil when nobody waits
	updates  []*updateSubscriber
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
	closed bool // guarded by dispatcher.mu
	fn     func(UpdateEvent)
}

func (q *dispatcher) subscribe(fn func(UpdateEvent)) *updateSubscriber {
	q.mu.Lock()
	defer q.mu.Unlock()
	sub := &updateSubscriber{after: q.commits, fn: fn}
	// A new slice: deliveries under way keep the old one.
	q.updates = append(q.updates[:len(q.updates):len(q.updates)], sub)
	return sub
}

func (q *dispatcher) unsubscribe(sub *updateSubscriber) {
	q.mu.Lock()
	defer q.mu.Unlock()
	sub.closed = true
	kept := make([]*updateSubscriber, 0, len(q.updates))
	for _, other := range q.updates {
		if other != sub {
			kept = append(kept, other)
		}
	}
	q.updates = kept
}

// wantsUpdates tells whether a commit needs to encode its update.
func (q *dispatcher) wantsUpdates() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.updates) > 0
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

// waitForRoom waits while the queue is full. A subscriber does not wait: it is what empties the queue.
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
		if onStack(deliveringFrames...) {
			return nil
		}
		select {
		case <-room:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// drain delivers what is queued, unless somebody is at it already. If subscribers panic, the others still hear
// everything, and then the first panic goes on.
func (q *dispatcher) drain() {
	q.mu.Lock()
	if q.draining || len(q.queue) == 0 {
		q.mu.Unlock()
		return
	}
	q.draining = true
	q.mu.Unlock()

	var panics panicKeeper
	q.deliverAll(&panics)
	panics.goOn()
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
	if len(q.queue) == 0 {
		q.queue = nil
		q.draining = false
		return delivery{}, false
	}
	next := q.queue[0]
	q.queue[0] = delivery{}
	q.queue = q.queue[1:]
	q.bytes -= next.size()
	if q.room != nil && q.bytes < maxQueuedBytes {
		close(q.room)
		q.room = nil
	}
	return next, true
}

// deliver calls the subscribers of one commit. Its name is what waitForRoom looks for.
//
//go:noinline
func (q *dispatcher) deliver(d delivery, panics *panicKeeper) {
	if d.commit.Events != nil {
		d.doc.observers.deliver(d, panics)
	}
	if d.commit.Update == nil && !d.opts.NotifyEmpty {
		return
	}
	q.mu.Lock()
	subscribers := q.updates
	q.mu.Unlock()
	event := UpdateEvent{Update: d.commit.Update, Origin: d.opts.Origin, Local: d.local}
	for _, sub := range subscribers {
		if sub.after < d.number && q.live(sub) {
			panics.call(func() { sub.fn(event) })
		}
	}
}

func (q *dispatcher) live(sub *updateSubscriber) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return !sub.closed
}

// panicKeeper holds back panics until all subscribers have been called.
type panicKeeper struct {
	panicked bool
	first    any
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
