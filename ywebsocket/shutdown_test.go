package ywebsocket

import (
	"context"
	"log/slog"
	"net/http"
	"testing"

	"github.com/gobwas/ws"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt/protocol"
	"github.com/yrs-go/yrs/ywebsocket/store"
)

func TestServer_ShutdownStoresTellsAndCloses(t *testing.T) {
	gated := &gatedStore{Store: store.NewMemory(), gate: newGate()}
	s, url := serve(t, Options{Store: gated})
	a, _ := join(t, url+"room")
	update := insert(1, 0, "last words")
	a.sendUpdate(update)
	require.Eventually(t, func() bool { return gated.waiting.Load() == 1 }, patience, testTick)

	down := make(chan error, 1)
	go func() { down <- s.Shutdown(context.Background()) }()
	require.Eventually(t, func() bool { return s.Ready(t.Context()) == ErrShuttingDown }, patience, testTick)
	status, text := refused(t, url+"room", nil)
	assert.Equal(t, http.StatusServiceUnavailable, status)
	assert.Contains(t, text, "shutting down")

	a.sendUpdate(insert(1, 10, "too late"))
	a.send(protocol.AppendQueryAwareness(nil))
	a.sendFrame(ws.NewPingFrame(nil))
	pong, err := a.readFrame()
	require.NoError(t, err)
	require.Equal(t, ws.OpPong, pong.Header.OpCode, "messages are ignored")

	gated.gate.open()
	assert.Equal(t, update, a.expectUpdate(), "what is stored is confirmed")
	code, reason := a.expectClose()
	assert.Equal(t, CloseServiceRestart, code)
	assert.NotEmpty(t, reason)
	assert.NoError(t, <-down)
	assert.Equal(t, [][]byte{update}, stored(t, gated, "room"))
	assert.NoError(t, gated.Ping(t.Context()), "the store stays open")
	assert.NoError(t, s.Shutdown(t.Context()), "once more does nothing")
}

func TestServer_ShutdownGivesUpWithItsContext(t *testing.T) {
	gated := &gatedStore{Store: store.NewMemory(), gate: newGate()}
	defer gated.gate.open()
	s, err := NewServer(Options{Store: gated, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	url := listen(t, s)
	a, _ := join(t, url+"room")
	a.sendUpdate(insert(1, 0, "x"))
	require.Eventually(t, func() bool { return gated.waiting.Load() == 1 }, patience, testTick)

	ctx, cancel := context.WithTimeout(t.Context(), testTick)
	defer cancel()
	assert.ErrorIs(t, s.Shutdown(ctx), context.DeadlineExceeded)
	a.drain()
	require.Eventually(t, func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.admitted == 0
	}, patience, testTick)
}

// drain reads until the connection ends.
func (c *client) drain() {
	c.t.Helper()
	for {
		if _, err := c.readFrame(); err != nil {
			return
		}
	}
}

func TestServer_ShutdownWhileARoomLoads(t *testing.T) {
	g := newGate()
	s, url := serve(t, Options{}, slowLoads(g))
	c := connect(t, url+"room")
	require.Eventually(t, func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.connections) == 1
	}, patience, testTick)
	down := make(chan error, 1)
	go func() { down <- s.Shutdown(context.Background()) }()
	code, _ := c.expectClose()
	assert.Equal(t, CloseServiceRestart, code)
	g.open()
	assert.NoError(t, <-down)
}

func TestServer_ShutdownHammered(t *testing.T) {
	for range 20 {
		s, err := NewServer(Options{Logger: slog.New(slog.DiscardHandler)})
		require.NoError(t, err)
		url := listen(t, s)
		c, _ := join(t, url+"room")
		down := make(chan error, 10)
		for range cap(down) {
			go func() { down <- s.Shutdown(context.Background()) }()
		}
		c.expectClose()
		for range cap(down) {
			assert.NoError(t, <-down)
		}
	}
}

func TestServer_Ready(t *testing.T) {
	memory := store.NewMemory()
	s, _ := serve(t, Options{Store: memory})
	assert.NoError(t, s.Ready(t.Context()))
	require.NoError(t, memory.Close())
	assert.ErrorIs(t, s.Ready(t.Context()), store.ErrClosed)
}
