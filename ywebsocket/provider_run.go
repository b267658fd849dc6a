package ywebsocket

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/yrs-go/yrs/ycrdt"
)

// stayConnected connects again and again until ctx ends or there is no use.
func (p *Provider) stayConnected(ctx context.Context, run *providerRun) {
	defer close(run.done)
	defer run.cancel()
	if err := p.awaitLocal(ctx); err != nil || ctx.Err() != nil {
		p.stop(err)
		return
	}
	failures, refusals := 0, 0
	for {
		synced, err := p.connectOnce(ctx)
		var refusal *HandshakeError
		if errors.As(err, &refusal) && refusal.mayPass {
			refusals++
			refusal.mayPass = refusals < maxRefusals
		} else {
			refusals = 0
		}
		if ctx.Err() != nil {
			p.stop(nil)
			return
		}
		if errors.Is(err, ErrPermanent) {
			p.log.Error("the provider has stopped", "error", err)
			p.stop(err)
			return
		}
		if synced {
			failures = 0
		}
		pause := p.options.Backoff.delay(failures)
		failures++
		if refusal != nil {
			pause += min(refusal.RetryAfter, maxRetryAfter)
		}
		p.log.Info("not connected; will try again", "error", err, "pause", pause)
		p.mu.Lock()
		p.setState(func(s *ProviderState) { s.Status, s.Err = StatusConnecting, err })
		p.mu.Unlock()
		_ = sleep(ctx, pause) // the next attempt notices that ctx has ended
	}
}

const (
	// maxRefusals is how often in a row the provider is refused before it gives up, where that may pass.
	maxRefusals = 5
	// maxRetryAfter is how long a server can ask the provider to stay away.
	maxRetryAfter = time.Hour
)

// awaitLocal waits until the document is loaded from the local store. A server must not take for all there is what was
// only not loaded. It returns why that will never be, and nil when ctx has ended.
func (p *Provider) awaitLocal(ctx context.Context) error {
	if p.local == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = waitFor(ctx, p.changed, func() bool { return p.local.loaded || p.local.unusable != nil })
	return p.local.unusable
}

func (p *Provider) stop(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	again := p.run.again && !p.closed
	p.run = nil
	p.setState(func(s *ProviderState) { s.Status, s.Err = StatusDisconnected, err })
	p.changed.Broadcast()
	if again {
		p.start()
	}
}

var errSyncTimeout = errors.New("the server has not answered the first message: is there a room at this address?")

// connectOnce makes one connection and returns when it has ended, and whether it was in sync.
func (p *Provider) connectOnce(ctx context.Context) (synced bool, err error) {
	conn, err := p.dial(ctx)
	if err != nil {
		return false, err
	}
	stateVector, err := encodeStateVector(ctx, p.doc)
	if err != nil {
		_ = conn.Close(CloseNormal, "")
		return false, documentError(err)
	}
	s := newSession(p, conn, stateVector)
	leave := context.AfterFunc(ctx, s.leave)
	defer leave()
	s.awaitSync()
	written := make(chan struct{})
	go func() {
		defer close(written)
		s.write()
	}()
	err = s.read()
	s.end(err)
	<-written
	synced, err = s.result()
	p.loseOthers()
	return synced, err
}

func (p *Provider) dial(ctx context.Context) (conn Conn, err error) {
	ctx, cancel := context.WithTimeout(ctx, p.options.ConnectTimeout)
	defer cancel()
	err = protect(func() error {
		conn, err = p.options.Dial(ctx)
		return err
	})
	return conn, err
}

// loseOthers removes the awareness states that came from the server. They come back with its next connection.
func (p *Provider) loseOthers() {
	if p.keepsOthers {
		return
	}
	p.mu.Lock()
	ids := make([]uint64, 0, len(p.heard))
	for id := range p.heard {
		ids = append(ids, id)
	}
	clear(p.heard)
	p.mu.Unlock()
	_ = p.awareness.LoseStates(ids, p) // only an observer that panics is an error
}

// documentError says what an error of the document means for the provider.
func documentError(err error) error {
	switch {
	case err == nil, errors.Is(err, context.Canceled): // the connection was closed meanwhile
		return err
	case errors.Is(err, ycrdt.ErrMalformed), errors.Is(err, ycrdt.ErrTooLarge), errors.Is(err, ycrdt.ErrHeldFull),
		errors.Is(err, ycrdt.ErrDocPoisoned):
		return fmt.Errorf("%w: the document refuses what the server sent; look into the room there: %w", ErrPermanent, err)
	default:
		return fmt.Errorf("%w: the document cannot be used: %w", ErrPermanent, err)
	}
}
