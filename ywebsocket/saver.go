package ywebsocket

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/yrs-go/yrs/ywebsocket/store"
)

// saver appends the updates of one room to the store, in order, and tells the
// senders when theirs is committed. A goroutine runs while there is something to
// do; what arrives meanwhile goes into its next call of the store.
//
// A store that fails is tried again until it succeeds or ctx ends: an update is
// never given up while the server runs, and never confirmed before it is stored.
type saver struct {
	ctx      context.Context
	store    store.Store
	room     string
	log      *slog.Logger
	maxBytes int
	// failing counts the savers of the server whose last try failed.
	failing *atomic.Int64
	events  saverEvents

	// outage is set from fails to works. It belongs to run.
	outage bool

	mu      sync.Mutex
	changed *sync.Cond
	queue   []unsaved
	batch   []unsaved // is being written
	bytes   int       // of both
	running bool
	err     error // why the saver has given up
}

// saverEvents are called by the saver, which holds no lock then and waits for them.
type saverEvents struct {
	// stored is told how many updates were.
	stored func(updates int)
	// fails is called when the store has failed twice in a row, works when it has stored
	// everything after that, and who waited for it was told.
	fails, works func()
}

// unsaved is an update on its way to the store.
type unsaved struct {
	// update is empty when there is nothing to store: the sender is told as soon as
	// everything before is stored.
	update []byte
	// receivers get the update once it is stored.
	receivers []*conn
	// origin, if any, is told then that it is.
	origin *inbound
	// withheld are those whose senders are told after that.
	withheld []*inbound
	// saved, if any, is closed then.
	saved chan<- struct{}
}

// inbound is an update that a client has sent.
type inbound struct {
	from   *conn
	update []byte
	answer bool // to a question for what the document lacks
}

// cost is what it takes in memory: what was sent is what came in, or encloses it,
// or is enclosed by it.
func (u unsaved) cost() int {
	size := len(u.update)
	if u.origin != nil {
		size = max(size, len(u.origin.update))
	}
	return size + frameOverhead
}

// confirm tells those that have waited for the update to be stored.
func (u unsaved) confirm() {
	if len(u.receivers) > 0 {
		f := updateFrame(u.update)
		for _, c := range u.receivers {
			c.out.send(f)
		}
	}
	if u.origin != nil {
		u.origin.from.saved(u.origin.update)
	}
	for _, in := range u.withheld {
		in.from.saved(in.update)
	}
	if u.saved != nil {
		close(u.saved)
	}
}

func newSaver(ctx context.Context, s *Server, room string, log *slog.Logger, events saverEvents) *saver {
	v := &saver{
		ctx:      ctx,
		store:    s.options.Store,
		room:     room,
		log:      log,
		maxBytes: s.options.Limits.Unsaved,
		failing:  &s.failingSavers,
		events:   events,
	}
	v.changed = sync.NewCond(&v.mu)
	return v
}

// add queues u. It does not wait.
func (v *saver) add(u unsaved) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.queue = append(v.queue, u)
	v.bytes += u.cost()
	if !v.running {
		v.running = true
		go v.run()
	}
}

// waitForRoom waits until less than maxBytes are unsaved, at most that long.
func (v *saver) waitForRoom(ctx context.Context, timeout time.Duration) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	hasRoom := func() bool { return v.bytes < v.maxBytes }
	if hasRoom() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return waitFor(ctx, v.changed, hasRoom)
}

// flush waits until nothing is unsaved. It fails when ctx ends before that, or
// the saver has given up.
func (v *saver) flush(ctx context.Context) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if err := waitFor(ctx, v.changed, func() bool { return !v.running }); err != nil {
		return err
	}
	return v.err
}

// pending returns the updates that may not be in the store yet, in order.
func (v *saver) pending() [][]byte {
	v.mu.Lock()
	defer v.mu.Unlock()
	var updates [][]byte
	for _, u := range slices.Concat(v.batch, v.queue) {
		if len(u.update) > 0 {
			updates = append(updates, u.update)
		}
	}
	return updates
}

func (v *saver) isDrained() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return len(v.queue) == 0
}

// busy reports whether something is unsaved.
func (v *saver) busy() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.running
}

func (v *saver) run() {
	for batch := v.take(); batch != nil; batch = v.take() {
		stored, err := v.save(batch)
		if err != nil {
			v.giveUp(err)
			return
		}
		for _, u := range batch {
			u.confirm()
		}
		v.events.stored(stored)
		if v.outage && v.isDrained() {
			v.outage = false
			v.events.works()
		}
	}
}

// maxSave bounds the updates of one call of the store, in bytes.
const maxSave = 1 << 20

// take forgets the batch that has been saved and returns the next one, at least
// one update long; nil, and run has ended, when there is none.
func (v *saver) take() []unsaved {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, u := range v.batch {
		v.bytes -= u.cost()
	}
	clear(v.batch)
	v.batch = nil
	v.changed.Broadcast()
	if len(v.queue) == 0 {
		v.queue = nil
		v.running = false
		return nil
	}
	n, size := 0, 0
	for n < len(v.queue) && (n == 0 || size+v.queue[n].cost() <= maxSave) {
		size += v.queue[n].cost()
		n++
	}
	v.batch, v.queue = v.queue[:n:n], v.queue[n:]
	return v.batch
}

const (
	firstRetry = 100 * time.Millisecond
	lastRetry  = 10 * time.Second
)

// save stores a batch, however often it takes, and returns how many updates that were.
// It fails only when v.ctx ends.
func (v *saver) save(batch []unsaved) (stored int, err error) {
	updates := make([][]byte, 0, len(batch))
	for _, u := range batch {
		if len(u.update) > 0 {
			updates = append(updates, u.update)
		}
	}
	if len(updates) == 0 {
		return 0, nil
	}
	failures := 0
	for retry := firstRetry; ; retry = min(2*retry, lastRetry) {
		err := protect(func() error { return v.store.Append(v.ctx, v.room, updates...) })
		if err == nil {
			v.recovered(failures)
			return len(updates), nil
		}
		failures++
		v.failed(failures)
		if v.ctx.Err() == nil {
			v.log.Error("cannot store updates; will try again", "updates", len(updates), "error", err)
		}
		if sleep(v.ctx, retry/2+rand.N(retry/2)) != nil {
			v.failing.Add(-1)
			return 0, err
		}
	}
}

// manyFailures in a row are taken for more than a connection of the store that was
// lost.
const manyFailures = 2

func (v *saver) failed(times int) {
	if times == 1 {
		v.failing.Add(1)
	}
	if times == manyFailures && !v.outage && v.ctx.Err() == nil {
		v.outage = true
		v.events.fails()
	}
}

func (v *saver) recovered(failures int) {
	if failures > 0 {
		v.failing.Add(-1)
		v.log.Info("store works again")
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// errUnsaved is what flush returns after the saver has given up. Nobody was told
// that these updates are saved: clients that come back send them again.
var errUnsaved = errors.New("updates could not be stored")

func (v *saver) giveUp(err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.err = fmt.Errorf("%w: %d of room %q: %w", errUnsaved, len(v.batch)+len(v.queue), v.room, err)
	v.batch, v.queue, v.bytes, v.running = nil, nil, 0, false
	v.changed.Broadcast()
}
