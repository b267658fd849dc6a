package ywebsocket

import (
	"context"
	"errors"
	"time"
)

// loadAttempt is one try to read a room from the store. However many wait for
// the room, they share it.
type loadAttempt struct {
	done chan struct{} // closed when the attempt is over
	err  error         // valid then
}

const notLoadedReason = "the room could not be loaded: try again later"

var (
	// errNotLoaded is what is said to those who want a room that cannot be loaded.
	errNotLoaded   = closing(CloseTryAgainLater, notLoadedReason)
	errLoadTimeout = errors.New("the store, or an update, took too long")
)

// load waits until the room is in memory. After an attempt that failed the next
// call makes another, not before the pause that recovery prescribes is over.
func (r *room) load(ctx context.Context) error {
	deadline := time.Now().Add(r.server.options.Timeouts.Load)
	attempt, pause := r.startLoad()
	for attempt == nil {
		if err := sleep(ctx, min(pause, time.Until(deadline))); err != nil {
			return err
		}
		if !time.Now().Before(deadline) {
			return errNotLoaded
		}
		attempt, pause = r.startLoad()
	}
	select {
	case <-attempt.done:
		return attempt.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// startLoad returns the attempt to wait for; nil, and how long to wait, when it is
// too early for one.
func (r *room) startLoad() (*loadAttempt, time.Duration) {
	r.loadMu.Lock()
	defer r.loadMu.Unlock()
	if r.attempt == nil {
		if pause := r.recovery.pause(time.Now()); pause > 0 {
			return nil, pause
		}
		attempt := &loadAttempt{done: make(chan struct{})}
		r.attempt = attempt
		// Not the work of one connection: those that wait may go, and others come.
		r.server.goroutines.Go(func() { r.runLoad(attempt) })
	}
	return r.attempt, 0
}

func (r *room) runLoad(attempt *loadAttempt) {
	defer close(attempt.done)
	err := r.loadDocument()
	pause := r.endLoad(err == nil)
	if err != nil {
		r.log.Error("cannot load the room", "error", err, "pause", pause)
		attempt.err = errNotLoaded
		r.closeAll(CloseTryAgainLater, notLoadedReason)
	}
}

// endLoad accounts for an attempt, and returns how long to wait for the next.
func (r *room) endLoad(succeeded bool) time.Duration {
	r.loadMu.Lock()
	defer r.loadMu.Unlock()
	if succeeded {
		r.recovery.failedLoads = 0
		return 0
	}
	r.attempt = nil
	return r.recovery.loadFailed(time.Now())
}

// loadDocument reads what is stored or about to be.
func (r *room) loadDocument() error {
	ctx, stop := withStallLimit(r.server.ctx, r.server.options.Timeouts.Load, errLoadTimeout)
	defer stop()
	var loaded document
	var stored int
	err := protect(func() (err error) {
		loaded, stored, err = r.server.load(ctx, r.server.options.Store, r.name, r.saver.pending())
		return err
	})
	if err != nil {
		return errors.Join(err, context.Cause(ctx))
	}
	r.askAuthors(ctx, loaded)
	r.logLength.Store(0)
	r.logged(stored)
	r.documentMu.Lock()
	defer r.documentMu.Unlock()
	r.document = loaded
	return nil
}

// drop gives an unusable document up, unless somebody else has done so. The next
// call of load reads the room again.
func (r *room) drop(unusable document) {
	r.documentMu.Lock()
	defer r.documentMu.Unlock()
	if unusable == nil || r.document != unusable {
		return
	}
	r.document.close()
	r.document = nil
	r.diffs.reset()
	r.loadMu.Lock()
	defer r.loadMu.Unlock()
	r.attempt = nil
	r.recovery.poisoned(time.Now())
}

func (r *room) isLoading() bool {
	r.loadMu.Lock()
	defer r.loadMu.Unlock()
	if r.attempt == nil {
		return false
	}
	select {
	case <-r.attempt.done:
		return false
	default:
		return true
	}
}

// isRecovering reports whether a new room of the same name might be loaded too
// early.
func (r *room) isRecovering() bool {
	r.loadMu.Lock()
	defer r.loadMu.Unlock()
	return r.recovery.isRecent(time.Now())
}
