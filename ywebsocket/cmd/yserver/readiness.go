package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/yrs-go/yrs/ywebsocket"
)

const (
	readinessTimeout = 5 * time.Second
	// readinessAge is how long an answer holds. To ask the store can cost a write to the
	// disk, and everybody may ask.
	readinessAge = time.Second
)

// readiness answers whether the server can serve. What is wrong with the store goes
// into the log when it changes, and to nobody else: it may name files and hosts.
type readiness struct {
	// check is not called again before it has returned, nor before the result is old.
	check func(context.Context) error
	log   *slog.Logger

	mu     sync.Mutex
	latest *readinessCheck
	logged string // of the latest error
}

type readinessCheck struct {
	done chan struct{} // closed when the rest is valid
	err  error
	end  time.Time
}

var errCheckFailed = errors.New("the check has failed")

func (p *readiness) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	err := p.ready(r.Context())
	switch {
	case err == nil:
		_, _ = io.WriteString(w, "ready\n")
	case errors.Is(err, ywebsocket.ErrShuttingDown):
		http.Error(w, "shutting down", http.StatusServiceUnavailable)
	default:
		http.Error(w, "not ready: see the log of the server", http.StatusServiceUnavailable)
	}
}

// ready returns the result of the latest check, or makes one, for all that ask meanwhile.
func (p *readiness) ready(ctx context.Context) error {
	c, isNew := p.current()
	if isNew {
		// The others wait for it even if this client does not.
		p.run(context.WithoutCancel(ctx), c)
	}
	select {
	case <-c.done:
		return c.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *readiness) current() (c *readinessCheck, isNew bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c := p.latest; c != nil && !c.isOld() {
		return c, false
	}
	p.latest = &readinessCheck{done: make(chan struct{}), err: errCheckFailed}
	return p.latest, true
}

func (c *readinessCheck) isOld() bool {
	select {
	case <-c.done:
		return time.Since(c.end) >= readinessAge
	default:
		return false
	}
}

func (p *readiness) run(ctx context.Context, c *readinessCheck) {
	ctx, cancel := context.WithTimeout(ctx, readinessTimeout)
	defer cancel()
	defer func() {
		c.end = time.Now()
		p.report(c.err)
		close(c.done)
	}()
	c.err = p.check(ctx)
}

// report logs an error that is another one than before.
func (p *readiness) report(err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	p.mu.Lock()
	changed := text != p.logged
	p.logged = text
	p.mu.Unlock()
	switch {
	case !changed:
	case err == nil:
		p.log.Info("ready again")
	default:
		p.log.Warn("not ready", "error", err)
	}
}
