package ywebsocket

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/yrs-go/yrs/ycrdt"
	"github.com/yrs-go/yrs/ywebsocket/store"
)

// LocalStore keeps a provider's document on its own side of the network, so that what was written without a connection
// outlives the program. It is the part of [store.Store] that a provider needs. If it has the method Compact of
// [store.Archive] as well, a log that has grown long is merged.
type LocalStore interface {
	// Load calls each with every update that was appended under the name, in order. It returns an error that matches
	// [store.ErrNotFound] if there is none; every other error means that the document is not known.
	Load(ctx context.Context, name string, each func(update []byte) error) error
	// Append adds updates behind those of the name, and returns when they are safe.
	Append(ctx context.Context, name string, updates ...[]byte) error
}

const (
	// localCompactAfter is the length of a local log that is worth merging.
	localCompactAfter = 500
	// localCloseTimeout bounds what a provider that is closed still does to store what was written.
	localCloseTimeout = 5 * time.Second
	// localHearTimeout is how long a provider that is closed waits to hear of what was written. After it the local store
	// gets the whole document.
	localHearTimeout = time.Second
)

// localCopy keeps a provider's document in its local store. A goroutine loads it, and then appends what is written, by
// whomever, until the provider is closed. The provider's lock guards the fields up to quit; none is held while the store
// works.
type localCopy struct {
	p     *Provider
	store LocalStore
	name  string
	wake  *sync.Cond // there is something to append, or the end has come

	loaded   bool
	unusable error // why it will never be loaded
	// queue are the updates that wait. When they get too long, whole takes their place: the document has it all.
	queue       [][]byte
	queuedBytes int
	whole       bool
	// changes were made since the beginning, and so many of the first of them are stored.
	changes, stored uint64
	closing         bool

	quit    chan struct{} // closed with closing: pauses are over
	ctx     context.Context
	cancel  context.CancelFunc // ends calls of the store
	loading context.Context
	endLoad context.CancelFunc // ends only the first of them
	done    chan struct{}

	length int // of the log; it belongs to the goroutine
}

func newLocalCopy(p *Provider, local LocalStore, name string) *localCopy {
	l := &localCopy{p: p, store: local, name: name, quit: make(chan struct{}), done: make(chan struct{})}
	l.wake = sync.NewCond(&p.mu)
	l.ctx, l.cancel = context.WithCancel(context.Background())
	l.loading, l.endLoad = context.WithCancel(l.ctx)
	return l
}

// add has a change stored. The lock is held.
func (l *localCopy) add(update []byte) {
	l.changes++
	if !l.whole {
		l.queue = append(l.queue, update)
		if l.queuedBytes += len(update) + frameOverhead; l.queuedBytes > l.p.options.Queue {
			l.queue, l.queuedBytes, l.whole = nil, 0, true
		}
	}
	l.wake.Broadcast()
}

// addDocument has what the document holds stored. The lock is held.
func (l *localCopy) addDocument() {
	l.changes++
	l.whole = true
	l.wake.Broadcast()
}

// addUnheard has stored what was committed and is still to be heard of, because subscribers of the document take their
// time: once the provider is closed it hears nothing more.
func (l *localCopy) addUnheard() {
	ctx, cancel := context.WithTimeout(context.Background(), localHearTimeout)
	defer cancel()
	if l.p.doc.Delivered(ctx) == nil {
		return
	}
	l.p.mu.Lock()
	defer l.p.mu.Unlock()
	l.addDocument()
	l.p.countChanges()
}

// close waits until what was written is stored, or cannot be.
func (l *localCopy) close() {
	l.p.mu.Lock()
	if !l.closing {
		l.closing = true
		close(l.quit)
		l.wake.Broadcast()
	}
	l.p.mu.Unlock()
	l.endLoad()
	timeout := time.AfterFunc(localCloseTimeout, l.cancel)
	defer timeout.Stop()
	<-l.done
	l.cancel()
}

func (l *localCopy) run() {
	defer close(l.done)
	l.load()
	for batch, ok := l.take(); ok && l.save(batch); batch, ok = l.take() {
	}
}

// load reads the store, however often it takes.
func (l *localCopy) load() {
	for retry := firstRetry; ; retry = min(2*retry, lastRetry) {
		err := protect(l.loadOnce)
		if l.isClosing() {
			return
		}
		l.p.mu.Lock()
		l.loaded = err == nil
		if errors.Is(err, ErrPermanent) {
			l.unusable = err
		}
		if l.loaded && l.length > 0 {
			l.p.progress.written = max(l.p.progress.written, 1) // what the server may not have
		}
		l.report(err)
		l.p.mu.Unlock()
		if err == nil {
			l.compact()
			return
		}
		l.p.log.Error("the document cannot be loaded from the local store; the provider does not connect before", "error", err)
		if errors.Is(err, ErrPermanent) {
			return
		}
		l.pause(retry)
	}
}

func (l *localCopy) loadOnce() error {
	l.length = 0
	var refused error
	err := l.store.Load(l.loading, l.name, numbered("stored", func(update []byte) error {
		l.length++
		refused = l.p.doc.ApplyUpdateContext(l.loading, ycrdt.TxOptions{Origin: l}, update)
		return refused
	}))
	switch {
	case err == nil, errors.Is(err, store.ErrNotFound):
		return nil
	case refused != nil:
		return fmt.Errorf("%w: the document does not take what the local store holds under %q; repair that, or choose another LocalName: %w",
			ErrPermanent, l.name, err)
	default:
		return fmt.Errorf("load the document from the local store: %w", err)
	}
}

// localBatch is what one call of the store takes: updates, or the whole document.
type localBatch struct {
	updates [][]byte
	whole   bool
	changes uint64 // are stored with it, counted from the beginning
}

// take waits for something to store. There is nothing more when it reports false.
func (l *localCopy) take() (batch localBatch, ok bool) {
	l.p.mu.Lock()
	defer l.p.mu.Unlock()
	for !l.closing && len(l.queue) == 0 && !l.whole {
		l.wake.Wait()
	}
	l.extend(&batch)
	return batch, len(batch.updates) > 0 || batch.whole
}

// extend adds what waits to a batch. The lock is held.
func (l *localCopy) extend(batch *localBatch) {
	batch.updates = append(batch.updates, l.queue...)
	batch.whole = batch.whole || l.whole
	batch.changes = l.changes
	l.queue, l.queuedBytes, l.whole = nil, 0, false
}

// save appends a batch, however often it takes. When the provider is being closed it tries once more, with all that there
// is, and reports whether that has succeeded: nothing can be stored behind a gap.
func (l *localCopy) save(batch localBatch) bool {
	var updates [][]byte
	for retry := firstRetry; ; retry = min(2*retry, lastRetry) {
		last := l.isClosing()
		if last {
			l.p.mu.Lock()
			l.extend(&batch)
			l.p.mu.Unlock()
			updates = nil
		}
		err := protect(func() (err error) {
			if updates == nil {
				if updates, err = l.encode(batch); err != nil {
					return err
				}
			}
			return l.store.Append(l.ctx, l.name, updates...)
		})
		l.p.mu.Lock()
		if err == nil {
			l.stored = batch.changes
		}
		left := l.changes - l.stored
		l.report(err)
		l.p.mu.Unlock()
		switch {
		case err == nil:
			l.length += len(updates)
			l.compact()
			return true
		case last:
			l.p.log.Error("the last changes are not in the local store", "changes", left, "error", err)
			return false
		}
		l.p.log.Error("changes cannot be kept in the local store; will try again", "changes", left, "error", err)
		l.pause(retry)
	}
}

// encode makes one update of a batch, where that can be done.
func (l *localCopy) encode(batch localBatch) ([][]byte, error) {
	if batch.whole {
		state, err := encodeState(l.ctx, l.p.doc, nil)
		return [][]byte{state}, err
	}
	if len(batch.updates) == 1 {
		return batch.updates, nil
	}
	if merged, err := ycrdt.MergeUpdates(batch.updates...); err == nil {
		return [][]byte{merged}, nil
	}
	return batch.updates, nil
}

// report shows how it stands. The lock is held.
func (l *localCopy) report(err error) {
	if err == nil {
		err = l.unusable // which stays
	}
	l.p.setState(func(s *ProviderState) { s.LocalErr = err })
	l.p.countChanges()
	l.p.changed.Broadcast()
}

// compact merges a log that has grown long, if the store can do that.
func (l *localCopy) compact() {
	archive, ok := l.store.(interface {
		Compact(ctx context.Context, name string, before time.Time, merge func(updates [][]byte) ([]byte, error)) error
	})
	if !ok || l.length < localCompactAfter {
		return
	}
	l.length = 0 // if it fails now, the next time is soon enough
	err := protect(func() error {
		return archive.Compact(l.ctx, l.name, time.Time{}, func(log [][]byte) ([]byte, error) { return mergeLog(l.ctx, log) })
	})
	if err != nil && l.ctx.Err() == nil {
		l.p.log.Warn("the log of the local store was not merged; it stays as it is", "error", err)
	}
}

func (l *localCopy) isClosing() bool {
	select {
	case <-l.quit:
		return true
	default:
		return false
	}
}

// pause waits, but not when the provider is being closed.
func (l *localCopy) pause(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-l.quit:
	}
}
