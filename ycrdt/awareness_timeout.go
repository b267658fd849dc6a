package ycrdt

import (
	"context"
	"errors"
	"slices"
	"time"
)

// ErrAwarenessRunning is returned by [Awareness.Start] after Start.
var ErrAwarenessRunning = errors.New("ycrdt: awareness start: it is running already; call Stop first")

// rememberedFor is how long a client that is gone is remembered after its last
// change, in units of OutdatedTimeout.
const rememberedFor = 3

// awarenessRun is the goroutine of one Start.
type awarenessRun struct {
	ctx    context.Context
	cancel context.CancelFunc
	done   chan struct{} // closed when the goroutine has ended
}

// Start begins to renew the local state and to remove outdated ones, in a
// goroutine that ends with ctx or with [Awareness.Stop]. It returns at once, and
// fails with ErrAwarenessRunning if it was called before and neither has happened
// since.
func (a *Awareness) Start(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return wrap("awareness start", err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.run != nil && a.run.ctx.Err() == nil {
		return ErrAwarenessRunning
	}
	ctx, cancel := context.WithCancel(ctx)
	a.run = &awarenessRun{ctx: ctx, cancel: cancel, done: make(chan struct{})}
	go a.watch(a.run)
	return nil
}

// Stop ends what Start has begun and waits until it has ended; called from an
// observer, it does not wait. It leaves the states alone: a client that leaves
// calls SetLocalState(nil) before and sends that. Without Start, or after another
// Stop, it does nothing.
func (a *Awareness) Stop() {
	a.mu.Lock()
	run := a.run
	a.mu.Unlock()
	if run == nil {
		return
	}
	run.cancel()
	if !inAwarenessObserver() {
		<-run.done
	}
}

// watch looks at the clock ten times in an OutdatedTimeout.
func (a *Awareness) watch(run *awarenessRun) {
	defer close(run.done)
	defer run.cancel()
	ticker := time.NewTicker(max(a.opts.OutdatedTimeout/10, 1))
	defer ticker.Stop()
	for {
		select {
		case <-run.ctx.Done():
			return
		case <-ticker.C:
			if run.ctx.Err() != nil {
				return
			}
			if err := a.CheckOutdated(); err != nil {
				a.logPanic(err)
			}
		}
	}
}

// CheckOutdated renews the local state if it is half of OutdatedTimeout old, and
// removes states of other clients that are older than OutdatedTimeout. It is what
// Start calls at intervals, for those who keep many Awarenesses and would rather
// go through them with one timer than with a goroutine each.
//
// If an observer panics, the error is an [*ObserverPanicError].
func (a *Awareness) CheckOutdated() error {
	a.lock()
	renewal := a.newChange(OriginLocal)
	own := a.clients[a.clientID]
	if a.hasLocal && own.state != nil && renewal.now.Sub(own.updated) >= a.opts.OutdatedTimeout/2 {
		a.writeLocal(&renewal, own.state)
	}
	expiry := a.newChange(OriginTimeout)
	for _, id := range a.outdated(expiry.now) {
		a.remove(&expiry, id)
	}
	return a.finish(renewal, expiry)
}

// outdated returns the other clients whose state is too old, in ascending order,
// and forgets those that have been gone for long.
func (a *Awareness) outdated(now time.Time) []uint64 {
	var ids []uint64
	for id, client := range a.clients {
		age := now.Sub(client.updated)
		switch {
		case a.isLocal(id):
		case client.state != nil && age >= a.opts.OutdatedTimeout:
			ids = append(ids, id)
		case client.state == nil && age >= rememberedFor*a.opts.OutdatedTimeout:
			delete(a.clients, id)
		}
	}
	slices.Sort(ids)
	return ids
}
