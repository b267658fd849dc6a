package ywebsocket

import (
	"context"
	"errors"
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
	errLoadTimeout = errors.New("the store took too long")
)

// load waits until the room is in memory. After an attempt that failed the next
// call makes another.
func (r *room) load(ctx context.Context) error {
	attempt := r.startLoad()
	select {
	case <-attempt.done:
		return attempt.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (r *room) startLoad() *loadAttempt {
	r.loadMu.Lock()
	defer r.loadMu.Unlock()
	if r.attempt == nil {
		attempt := &loadAttempt{done: make(chan struct{})}
		r.attempt = attempt
		// Not the work of one connection: those that wait may go, and others come.
		r.server.goroutines.Go(func() { r.runLoad(attempt) })
	}
	return r.attempt
}

func (r *room) runLoad(attempt *loadAttempt) {
	defer close(attempt.done)
	if err := r.loadDocument(); err != nil {
		r.log.Error("cannot load the room", "error", err)
		attempt.err = errNotLoaded
		r.forgetLoad()
		r.closeAll(CloseTryAgainLater, notLoadedReason)
	}
}

// loadDocument reads what is stored or about to be.
func (r *room) loadDocument() error {
	ctx, cancel := context.WithTimeoutCause(r.server.ctx, r.server.options.Timeouts.Load, errLoadTimeout)
	defer cancel()
	var loaded document
	err := protect(func() (err error) {
		loaded, err = r.server.load(ctx, r.server.options.Store, r.name, r.saver.pending(), r.changed)
		return err
	})
	if err != nil {
		return errors.Join(err, context.Cause(ctx))
	}
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
	if unusable != nil && r.document == unusable {
		r.document.close()
		r.document = nil
		r.forgetLoad()
	}
}

// forgetLoad makes the next call of load try again.
func (r *room) forgetLoad() {
	r.loadMu.Lock()
	defer r.loadMu.Unlock()
	r.attempt = nil
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
