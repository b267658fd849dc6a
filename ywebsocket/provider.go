package ywebsocket

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/yrs-go/yrs/internal/stack"
	"github.com/yrs-go/yrs/ycrdt"
)

// Provider keeps a document and its awareness states in sync with a room of a server: this one's, y-websocket's or any
// other that speaks its protocol. It connects again when a connection ends. What is written meanwhile is in the
// document, and reaches the server with the next sync; nothing is queued for it.
//
// All methods are safe for concurrent use.
type Provider struct {
	doc          *ycrdt.Doc
	awareness    *ycrdt.Awareness
	ownAwareness bool
	options      ProviderOptions
	log          *slog.Logger
	subscribed   []*ycrdt.Subscription

	mu      sync.Mutex
	changed *sync.Cond // state, progress or run have changed
	state   ProviderState
	events  stateEvents
	local   *localCopy   // nil: there is no local store
	run     *providerRun // nil: it does not want to be connected
	session *session     // nil: it is not connected
	closed  bool
	ended   chan struct{} // closed when everything that runs until Close has ended

	progress progress
	// heard are the awareness clients known through the server, which are gone with the connection, unless keepsOthers
	// is set.
	heard       map[uint64]struct{}
	keepsOthers bool // does not change
}

// providerRun is what one call of Connect has started.
type providerRun struct {
	ctx    context.Context
	cancel context.CancelFunc
	done   chan struct{}
	again  bool // Connect was called after it was told to end; the provider's lock guards it
}

// NewProvider returns a provider that is not connected yet. The document stays the caller's, who closes it after the
// provider.
func NewProvider(doc *ycrdt.Doc, options ProviderOptions) (*Provider, error) {
	options, err := options.withDefaults()
	if err != nil {
		return nil, err
	}
	p := &Provider{
		doc:       doc,
		awareness: options.Awareness,
		options:   options,
		log:       options.Logger.With("room", options.Room),
		heard:     make(map[uint64]struct{}),
		ended:     make(chan struct{}),
	}
	p.changed = sync.NewCond(&p.mu)
	if options.Local != nil {
		p.local = newLocalCopy(p, options.Local, options.LocalName)
	}
	// What is written from here on is heard of, so that nothing is missed.
	p.subscribed = append(p.subscribed, doc.OnUpdate(p.updated))
	if err := p.begin(); err != nil {
		p.subscribed[0].Close()
		return nil, err
	}
	return p, nil
}

// begin takes in what there is already, and starts what runs until Close.
func (p *Provider) begin() error {
	stateVector, err := p.doc.EncodeStateVector()
	if err != nil {
		return err
	}
	if p.awareness == nil {
		p.ownAwareness = true
		p.awareness = ycrdt.NewAwareness(p.doc)
		if err := p.awareness.Start(context.Background()); err != nil {
			return err
		}
	}
	p.subscribed = append(p.subscribed, p.awareness.Observe(p.presenceChanged))
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(stateVector) > 1 {
		p.writtenBefore()
	}
	if p.local != nil {
		go p.local.run()
	}
	return nil
}

// writtenBefore counts what is in the document already as a change. The lock is held.
func (p *Provider) writtenBefore() {
	p.progress.written++
	if p.local != nil {
		p.local.addDocument()
	}
	p.countChanges()
}

// countChanges shows how many changes are under way. The lock is held.
func (p *Provider) countChanges() {
	p.setState(func(s *ProviderState) {
		s.Unsynced = p.progress.unsynced()
		if p.local != nil {
			s.Unstored = int(p.local.changes - p.local.stored)
		}
	})
}

// Awareness returns the one of the options, or the provider's own.
func (p *Provider) Awareness() *ycrdt.Awareness { return p.awareness }

// Connect makes the provider connect, and stay connected until Disconnect, Close or an error that matches
// [ErrPermanent]. It returns at once; while the provider is at it already it does nothing.
func (p *Provider) Connect() {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.closed:
	case p.run != nil:
		p.run.again = p.run.ctx.Err() != nil // it starts again when that one has ended
	default:
		p.start()
	}
}

// start is called with the lock held.
func (p *Provider) start() {
	ctx, cancel := context.WithCancel(context.Background())
	p.run = &providerRun{ctx: ctx, cancel: cancel, done: make(chan struct{})}
	p.setState(func(s *ProviderState) { s.Status, s.Err = StatusConnecting, nil })
	go p.stayConnected(ctx, p.run)
}

// Disconnect ends the connection and waits until it has ended: a second at most, and until functions of the options return
// that do not heed their context, and subscribers. A transaction that is open meanwhile does not hold it up. Connect comes
// back.
//
// Called inside a transaction, by a subscriber of a document or an awareness, or by a function of the options, it does not
// wait: it could be what it would wait for. Status of the state shows when the connection has ended; Connect need not wait
// for that.
func (p *Provider) Disconnect() {
	p.mu.Lock()
	run := p.run
	if run != nil {
		run.again = false
		run.cancel()
	}
	p.mu.Unlock()
	if run != nil && !mustNotWait() {
		<-run.done
	}
}

// mustNotWait reports whether the caller is, or may be, what the end of a provider waits for: its own goroutines, whoever
// delivers events, and who is in a transaction, for which subscribers may wait.
func mustNotWait() bool {
	return stack.Has("ywebsocket.(*Provider).stayConnected", "ywebsocket.(*session).write", "ywebsocket.(*localCopy).run",
		"ycrdt.(*dispatcher).deliver", "ycrdt.(*awarenessObserver).call", "ycrdt.(*Tx).run")
}

// Close disconnects for ever and frees what the provider holds. It does not wait for changes to be saved; [Provider.Saved]
// does. What the local store does not have yet gets there now; if that fails it is logged, and after 5 seconds given up.
// With an Awareness of its own it takes this client's state away first.
//
// Where Disconnect does not wait Close does not either: the rest happens while the caller goes on. Closing again does nothing
// but wait for the first to be done; only then the document can be closed without losing what the local store is to get.
func (p *Provider) Close() {
	p.mu.Lock()
	first := !p.closed
	p.closed = true
	p.changed.Broadcast()
	p.mu.Unlock()
	if first {
		p.leave()
	}
	if !mustNotWait() {
		<-p.ended
	}
}

// leave begins what Close does.
func (p *Provider) leave() {
	defer func() { go p.finish() }() // even if an observer ends the goroutine
	if p.ownAwareness {
		_ = p.awareness.SetLocalState(nil) // only an observer that panics is an error
	}
}

// finish does the rest of it.
func (p *Provider) finish() {
	defer close(p.ended)
	p.Disconnect()
	if p.local != nil {
		p.local.addUnheard()
	}
	for _, subscription := range p.subscribed {
		subscription.Close()
	}
	if p.local != nil {
		p.local.close()
	}
	if p.ownAwareness {
		p.awareness.Stop()
	}
}

// Synced waits until the document has everything that the server had when the provider connected. It fails when ctx
// ends, or with the provider's error when that has stopped.
func (p *Provider) Synced(ctx context.Context) error {
	return p.await(ctx, func() bool { return p.state.Synced })
}

// Saved waits until the server has sent back everything that was written to the document before the call, also what the
// local store holds from earlier on. A server of this package does so once it is stored. A server that sends nothing
// back, as others do not for an update without news, never confirms anything: then Saved fails when ctx ends.
//
// Like [ycrdt.Doc.Delivered] it waits for slow subscribers of the document, and fails inside one and inside a transaction.
func (p *Provider) Saved(ctx context.Context) error {
	if err := p.Loaded(ctx); err != nil {
		return err
	}
	target, err := p.heardOf(ctx, &p.progress.written)
	if err == nil {
		err = p.await(ctx, func() bool { return p.progress.saved >= target })
	}
	if err != nil {
		return fmt.Errorf("the server has not confirmed what was written: %w", err)
	}
	return nil
}

// Loaded waits until the document has everything that the local store holds; without a local store it has. It fails
// when ctx ends, or with the provider's error when the document cannot be loaded.
func (p *Provider) Loaded(ctx context.Context) error {
	if p.local == nil {
		return nil
	}
	return p.awaitUnless(ctx, func() bool { return p.local.loaded }, func() bool { return p.closed || p.local.unusable != nil })
}

// Stored waits until the local store has everything that was written to the document before the call; without a local
// store there is nothing to wait for. About subscribers and transactions see [Provider.Saved].
func (p *Provider) Stored(ctx context.Context) error {
	if p.local == nil {
		return nil
	}
	target, err := p.heardOf(ctx, &p.local.changes)
	if err == nil {
		err = p.awaitUnless(ctx, func() bool { return p.local.stored >= target }, func() bool { return p.closed })
	}
	if err != nil {
		return fmt.Errorf("the local store does not have what was written: %w", err)
	}
	return nil
}

// heardOf returns a count of changes once it includes all that were committed before.
func (p *Provider) heardOf(ctx context.Context, count *uint64) (uint64, error) {
	if err := p.doc.Delivered(ctx); err != nil {
		return 0, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return *count, nil
}

// await waits for something that only a provider does that connects.
func (p *Provider) await(ctx context.Context, ready func() bool) error {
	return p.awaitUnless(ctx, ready, func() bool {
		return p.closed || errors.Is(p.state.Err, ErrPermanent) || p.local != nil && p.local.unusable != nil
	})
}

func (p *Provider) awaitUnless(ctx context.Context, ready, stopped func() bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := waitFor(ctx, p.changed, func() bool { return ready() || stopped() }); err != nil {
		return errors.Join(err, p.state.Err, p.state.LocalErr)
	}
	if !ready() {
		return errors.Join(ErrProviderStopped, p.state.Err, p.state.LocalErr)
	}
	return nil
}

// ErrProviderStopped is what waiting for a provider returns that has been closed or has given up.
var ErrProviderStopped = errors.New("the provider has stopped")
