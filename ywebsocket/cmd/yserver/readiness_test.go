package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/yrs-go/yrs/ywebsocket"
)

// ask returns status and text of the answer.
func (p *readiness) ask(ctx context.Context) (int, string) {
	w := httptest.NewRecorder()
	p.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/readyz", nil).WithContext(ctx))
	return w.Code, strings.TrimSpace(w.Body.String())
}

// However many ask, the store is asked once in a second.
func TestReadiness_ChecksOnceInASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		checks := 0
		p := &readiness{log: slog.New(slog.DiscardHandler), check: func(ctx context.Context) error {
			checks++
			time.Sleep(3 * time.Second)
			return ctx.Err()
		}}
		gone, leave := context.WithCancel(t.Context())
		var all sync.WaitGroup
		all.Go(func() { p.ask(gone) })
		synctest.Wait()
		for range 10 {
			all.Go(func() {
				status, text := p.ask(t.Context())
				assert.Equal(t, http.StatusOK, status, text)
			})
		}
		leave()
		all.Wait()
		assert.Equal(t, 1, checks)
		p.ask(t.Context())
		assert.Equal(t, 1, checks, "it has just been asked")
		time.Sleep(readinessAge)
		p.ask(t.Context())
		assert.Equal(t, 2, checks)
	})
}

// Details are for the log.
func TestReadiness_SaysWhatIsWrongToTheLogOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var failure error
		var log bytes.Buffer
		p := &readiness{
			log:   slog.New(slog.NewTextHandler(&log, nil)),
			check: func(context.Context) error { return failure },
		}
		answers := func(err error, status int, text string) {
			failure = err
			time.Sleep(readinessAge)
			gotStatus, got := p.ask(t.Context())
			assert.Equal(t, status, gotStatus)
			assert.Equal(t, text, got)
		}
		answers(nil, http.StatusOK, "ready")
		assert.Empty(t, log.String())
		secret := errors.New("open /secret/path: permission denied")
		for range 3 {
			answers(secret, http.StatusServiceUnavailable, "not ready: see the log of the server")
		}
		assert.Equal(t, 1, strings.Count(log.String(), "/secret/path"))
		answers(nil, http.StatusOK, "ready")
		assert.Contains(t, log.String(), "ready again")
		answers(secret, http.StatusServiceUnavailable, "not ready: see the log of the server")
		assert.Equal(t, 2, strings.Count(log.String(), "/secret/path"))
		answers(ywebsocket.ErrShuttingDown, http.StatusServiceUnavailable, "shutting down")
	})
}

// A check that panics leaves nobody waiting.
func TestReadiness_CheckThatPanics(t *testing.T) {
	p := &readiness{log: slog.New(slog.DiscardHandler), check: func(context.Context) error { panic("broken") }}
	assert.Panics(t, func() { p.ask(t.Context()) })
	status, _ := p.ask(t.Context())
	assert.Equal(t, http.StatusServiceUnavailable, status)
}
