package ywebsocket

import (
	"bytes"
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt"
	"github.com/yrs-go/yrs/ycrdt/protocol"
	"github.com/yrs-go/yrs/ywebsocket/store"
)

// fragile is a document that a certain update poisons. All updates that are known
// to do that to a real one are refused before.
type fragile struct {
	document
	code   ycrdt.Code // of the poisoning
	broken atomic.Bool
}

var poison = []byte("poison")

// poisonous returns one of many updates that poison.
func poisonous(i int) []byte { return insert(666, 0, fmt.Sprintf("%s %d", poison, i)) }

func failure(code ycrdt.Code) error { return &ycrdt.Error{Op: "test", Code: code, Msg: "test"} }

func (d *fragile) apply(ctx context.Context, update []byte) (change, error) {
	if d.broken.Load() {
		return change{}, failure(ycrdt.CodeDocPoisoned)
	}
	if bytes.Contains(update, poison) {
		d.broken.Store(true)
		// The real one may have committed already when it finds out.
		return change{update: update, complete: true}, failure(d.code)
	}
	return d.document.apply(ctx, update)
}

func (d *fragile) missing(ctx context.Context, stateVector []byte) ([]byte, error) {
	if d.broken.Load() {
		return nil, failure(ycrdt.CodeDocPoisoned)
	}
	return d.document.missing(ctx, stateVector)
}

func (d *fragile) stateVector(ctx context.Context) ([]byte, error) {
	if d.broken.Load() {
		return nil, failure(ycrdt.CodeDocPoisoned)
	}
	return d.document.stateVector(ctx)
}

// fragileLoads loads fragile documents and remembers the last.
func fragileLoads(code ycrdt.Code, last *atomic.Pointer[fragile]) func(*Server) {
	return func(s *Server) {
		s.load = func(ctx context.Context, st store.Store, room string, pending [][]byte) (document, int, error) {
			d, stored, err := loadDocument(ctx, st, room, pending)
			if err != nil {
				return nil, 0, err
			}
			f := &fragile{document: d, code: code}
			last.Store(f)
			return f, stored, nil
		}
	}
}

func TestRoom_PoisonCostsItsSenderTheConnection(t *testing.T) {
	for name, code := range map[string]ycrdt.Code{"error": ycrdt.CodeApplyFailed, "panic": ycrdt.CodePanic} {
		t.Run(name, func(t *testing.T) {
			backing := store.NewMemory()
			var last atomic.Pointer[fragile]
			_, url := serve(t, Options{Store: backing}, fragileLoads(code, &last))
			a, _ := join(t, url+"room")
			b, _ := join(t, url+"room")
			evil, _ := join(t, url+"room")
			a.sendUpdate(insert(1, 0, "before "))
			b.expectUpdate()
			broken := last.Load()

			evil.sendUpdate(poisonous(1))
			closed, reason := evil.expectClose()
			assert.Equal(t, ClosePoisoned, closed)
			assert.NotEmpty(t, reason)

			a.sendUpdate(insert(1, 7, "after"))
			b.expectUpdate()
			a.expectUpdate()
			a.expectUpdate()
			assert.NotSame(t, broken, last.Load(), "the room was loaded again")
			_, state := join(t, url+"room")
			assert.Equal(t, "before after", textOf(t, state))
			for _, update := range stored(t, backing, "room") {
				assert.NotContains(t, string(update), string(poison))
			}
		})
	}
}

// An update that is not stored yet must not get lost with the document.
func TestRoom_PoisonWhileTheStoreIsSlow(t *testing.T) {
	gated := &gatedStore{Store: store.NewMemory(), gate: newGate()}
	defer gated.gate.open() // before the server is shut down
	var last atomic.Pointer[fragile]
	_, url := serve(t, Options{Store: gated}, fragileLoads(ycrdt.CodeApplyFailed, &last))
	a, _ := join(t, url+"room")
	b, _ := join(t, url+"room")
	a.sendUpdate(insert(1, 0, "unsaved"))
	b.expectUpdate()
	b.sendUpdate(poisonous(1))
	closed, _ := b.expectClose()
	assert.Equal(t, ClosePoisoned, closed)
	_, state := join(t, url+"room")
	assert.Equal(t, "unsaved", textOf(t, state))
}

// The document may turn out to be unusable in a call that is not to blame.
func TestRoom_PoisonedBefore(t *testing.T) {
	tests := map[string]func(*testing.T, *client){
		"by a reader": func(t *testing.T, c *client) {
			c.send(protocol.AppendSyncStep1(nil, []byte{0}))
			assert.Equal(t, "x", textOf(t, c.expectSync(protocol.SyncStep2)))
		},
		"by a writer": func(t *testing.T, c *client) {
			update := insert(1, 1, "y")
			c.sendUpdate(update)
			assert.Equal(t, update, c.expectUpdate())
		},
	}
	for name, use := range tests {
		t.Run(name, func(t *testing.T) {
			var last atomic.Pointer[fragile]
			_, url := serve(t, Options{}, fragileLoads(ycrdt.CodeApplyFailed, &last))
			c, _ := join(t, url+"room")
			c.sendUpdate(insert(1, 0, "x"))
			c.expectUpdate()
			last.Load().broken.Store(true)
			use(t, c)
			c.expectSilence()
		})
	}
}

func TestRoom_PoisonAndTheStoreFails(t *testing.T) {
	broken := &brokenStore{Store: store.NewMemory()}
	var last atomic.Pointer[fragile]
	_, url := serve(t, Options{Store: broken}, fragileLoads(ycrdt.CodeApplyFailed, &last))
	a, _ := join(t, url+"room")
	a.sendUpdate(insert(1, 0, "kept"))
	a.expectUpdate()
	evil, _ := join(t, url+"room")
	broken.brokenLoad.Store(true)
	evil.sendUpdate(poisonous(1))
	closed, _ := evil.expectClose()
	assert.Equal(t, ClosePoisoned, closed)
	a.sendUpdate(insert(1, 4, " in the client"))
	closed, _ = a.expectClose()
	assert.Equal(t, CloseTryAgainLater, closed)

	broken.brokenLoad.Store(false)
	_, state := join(t, url+"room")
	assert.Equal(t, "kept", textOf(t, state))
}

// The others notice a pause at most, which grows while it repeats.
func TestRoom_PoisonThatRepeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		backing := store.NewMemory()
		var last atomic.Pointer[fragile]
		s := newTestServer(t, Options{Store: backing, Timeouts: patient})
		fragileLoads(ycrdt.CodeApplyFailed, &last)(s)
		a, b := servePipe(t, s, "room"), servePipe(t, s, "room")
		texts := 0
		poisoned := func() (pause time.Duration) {
			evil := servePipe(t, s, "room")
			evil.sendUpdate(poisonous(texts))
			code, _ := evil.expectClose()
			require.Equal(t, ClosePoisoned, code)
			start := time.Now()
			update := insert(1, uint64(texts), "x")
			texts++
			a.sendUpdate(update)
			require.Equal(t, update, a.expectUpdate())
			require.Equal(t, update, b.expectUpdate())
			return time.Since(start)
		}
		var pauses []time.Duration
		for range 6 {
			pauses = append(pauses, poisoned())
		}
		assert.Equal(t, []time.Duration{0, 1e9, 2e9, 4e9, 8e9, 16e9}, pauses)

		time.Sleep(poisonMemory + time.Second)
		assert.Zero(t, poisoned(), "that was long ago")
		assert.Len(t, stored(t, backing, "room"), texts, "nothing else was stored, and nothing lost")
	})
}

// Somebody who was waiting for the document may find it broken again.
func TestRoom_PoisonedAgainBeforeItIsUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		loads := 0
		s := newTestServer(t, Options{Timeouts: patient})
		s.load = func(ctx context.Context, st store.Store, room string, pending [][]byte) (document, int, error) {
			d, stored, err := loadDocument(ctx, st, room, pending)
			f := &fragile{document: d}
			loads++
			f.broken.Store(loads > 1 && loads < 5)
			return f, stored, err
		}
		c := servePipe(t, s, "room")
		r, err := s.registry.hold("room")
		require.NoError(t, err)
		defer s.registry.release(r)
		r.document.(*fragile).broken.Store(true)
		update := insert(1, 0, "x")
		c.sendUpdate(update)
		assert.Equal(t, update, c.expectUpdate())
		assert.Equal(t, 5, loads)
	})
}

// Nobody waits longer for a room than for a store.
func TestRoom_PoisonThatRepeats_Patience(t *testing.T) {
	tests := map[string]func(*client){
		"of a writer": func(c *client) { c.sendUpdate(insert(1, 0, "x")) },
		"of a reader": func(c *client) { c.send(protocol.AppendSyncStep1(nil, []byte{0})) },
	}
	for name, use := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				timeouts := patient
				timeouts.Load = 2500 * time.Millisecond
				var last atomic.Pointer[fragile]
				s := newTestServer(t, Options{Timeouts: timeouts})
				fragileLoads(ycrdt.CodePanic, &last)(s)
				c, idle := servePipe(t, s, "room"), servePipe(t, s, "room")
				for i := range 4 { // after the last one the pause is 4 s
					evil := servePipe(t, s, "room")
					evil.sendUpdate(poisonous(i))
					evil.expectClose()
				}
				start := time.Now()
				use(c)
				code, _ := c.expectClose()
				assert.Equal(t, CloseTryAgainLater, code)
				assert.Equal(t, timeouts.Load, time.Since(start))

				time.Sleep(4 * time.Second)
				idle.expectSilence()
			})
		})
	}
}

// A room is not forgotten while that would cut its pauses short.
func TestRoom_RecoveringRoomStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		timeouts := patient
		timeouts.Idle = time.Millisecond
		var last atomic.Pointer[fragile]
		s := newTestServer(t, Options{Timeouts: timeouts})
		fragileLoads(ycrdt.CodePanic, &last)(s)
		start := time.Now()
		for i := range 5 {
			evil := servePipe(t, s, "room")
			evil.sendUpdate(poisonous(i))
			evil.expectClose()
			time.Sleep(10 * time.Millisecond)
		}
		assert.Equal(t, (0+1+2+4)*time.Second, time.Since(start).Truncate(time.Second))
		time.Sleep(2 * lastPause)
		s.registry.mu.Lock()
		defer s.registry.mu.Unlock()
		assert.Empty(t, s.registry.rooms, "but it is in the end")
	})
}

func TestServer_ShutdownWhilePausing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var last atomic.Pointer[fragile]
		s := newTestServer(t, Options{Timeouts: patient})
		fragileLoads(ycrdt.CodePanic, &last)(s)
		c := servePipe(t, s, "room")
		for i := range 2 {
			evil := servePipe(t, s, "room")
			evil.sendUpdate(poisonous(i))
			evil.expectClose()
		}
		c.sendUpdate(insert(1, 0, "x"))
		synctest.Wait()
		start := time.Now()
		done := make(chan error, 1)
		go func() { done <- s.Shutdown(t.Context()) }()
		code, _ := c.expectClose()
		assert.Equal(t, CloseServiceRestart, code)
		assert.NoError(t, <-done)
		assert.Zero(t, time.Since(start))
	})
}
