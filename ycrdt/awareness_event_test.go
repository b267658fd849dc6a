package ycrdt_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt"
	"github.com/yrs-go/yrs/ycrdt/protocol"
)

func TestAwareness_Observe_OneEventPerKind(t *testing.T) {
	a := newAwareness(t, 1, ycrdt.AwarenessOptions{})
	learn(t, a, clientState(2, 1, `2`), clientState(3, 1, `3`), clientState(4, 1, `4`))
	events := recordAwareness(a)
	require.NoError(t, a.ApplyUpdate(awarenessUpdate(
		clientState(2, 2, `null`), clientState(3, 2, `3`), clientState(4, 2, `"new"`),
		clientState(5, 1, `5`), clientState(6, 1, `6`),
	), "peer"))
	assert.Equal(t, []ycrdt.AwarenessEvent{
		{Kind: ycrdt.AwarenessAdded, ClientIDs: []uint64{5, 6}, Changed: []uint64{5, 6}, Origin: "peer"},
		{Kind: ycrdt.AwarenessUpdated, ClientIDs: []uint64{3, 4}, Changed: []uint64{4}, Origin: "peer"},
		{Kind: ycrdt.AwarenessRemoved, ClientIDs: []uint64{2}, Changed: []uint64{2}, Origin: "peer"},
	}, events.take())
}

func TestAwareness_Observe_LocalOrigin(t *testing.T) {
	a := newAwareness(t, 1, ycrdt.AwarenessOptions{})
	events := recordAwareness(a)
	require.NoError(t, a.SetLocalState(1))
	require.NoError(t, a.SetLocalState(1))
	require.NoError(t, a.SetLocalState(nil))
	require.NoError(t, a.SetLocalState(2))
	one, local := []uint64{1}, any(ycrdt.OriginLocal)
	assert.Equal(t, []ycrdt.AwarenessEvent{
		{Kind: ycrdt.AwarenessUpdated, ClientIDs: one, Changed: one, Origin: local},
		{Kind: ycrdt.AwarenessUpdated, ClientIDs: one, Origin: local},
		{Kind: ycrdt.AwarenessRemoved, ClientIDs: one, Changed: one, Origin: local},
		{Kind: ycrdt.AwarenessAdded, ClientIDs: one, Changed: one, Origin: local},
	}, events.take())
}

func TestAwareness_Observe_Close(t *testing.T) {
	a := newAwareness(t, 1, ycrdt.AwarenessOptions{})
	var calls []string
	a.Observe(func(ycrdt.AwarenessEvent) { calls = append(calls, "first") })
	subscription := a.Observe(func(ycrdt.AwarenessEvent) { calls = append(calls, "second") })
	a.Observe(func(ycrdt.AwarenessEvent) { calls = append(calls, "third") })
	require.NoError(t, a.SetLocalState(1))
	subscription.Close()
	subscription.Close()
	require.NoError(t, a.SetLocalState(2))
	assert.Equal(t, []string{"first", "second", "third", "first", "third"}, calls)
}

func TestAwareness_Observe_ClosedBeforeItsTurn(t *testing.T) {
	a := newAwareness(t, 1, ycrdt.AwarenessOptions{})
	var subscription *ycrdt.Subscription
	a.Observe(func(ycrdt.AwarenessEvent) { subscription.Close() })
	subscription = a.Observe(func(ycrdt.AwarenessEvent) { assert.Fail(t, "called") })
	events := recordAwareness(a)
	require.NoError(t, a.SetLocalState(1))
	assert.Len(t, events.take(), 1)
}

func TestAwareness_Observe_Panics(t *testing.T) {
	a := newAwareness(t, 1, ycrdt.AwarenessOptions{})
	cause := errors.New("cause")
	a.Observe(func(ycrdt.AwarenessEvent) { panic(cause) })
	events := recordAwareness(a)
	a.Observe(func(ycrdt.AwarenessEvent) { panic("text") })

	changes := map[string]func() error{
		"set":       func() error { return a.SetLocalState(7) },
		"set again": func() error { return a.SetLocalState(map[string]any{}) },
		"field":     func() error { return a.SetLocalStateField("a", 1) },
		"apply":     func() error { return a.ApplyUpdate(awarenessUpdate(clientState(2, 1, `2`)), nil) },
		"remove":    func() error { return a.RemoveStates([]uint64{2}, nil) },
	}
	for _, name := range []string{"set", "set again", "field", "apply", "remove"} {
		events.take()
		err := changes[name]()
		var panicked *ycrdt.ObserverPanicError
		require.ErrorAs(t, err, &panicked, name)
		assert.Equal(t, cause, panicked.Value)
		assert.Contains(t, string(panicked.Stack), "TestAwareness_Observe_Panics")
		require.ErrorIs(t, err, cause)
		assert.EqualError(t, err, "ycrdt: awareness observer panicked: cause\nycrdt: awareness observer panicked: text")
		assert.Len(t, events.take(), 1, "the others are told: %s", name)
	}
	assert.Equal(t, map[uint64]any{1: map[string]any{"a": 1.0}}, a.States())
}

func TestAwareness_Observe_Goexit(t *testing.T) {
	var logged bytes.Buffer
	a := newAwareness(t, 1, ycrdt.AwarenessOptions{Logger: slog.New(slog.NewTextHandler(&logged, nil))})
	subscription := a.Observe(func(ycrdt.AwarenessEvent) { runtime.Goexit() })
	events := recordAwareness(a)
	a.Observe(func(ycrdt.AwarenessEvent) { panic("heard too") })
	var wg sync.WaitGroup
	wg.Go(func() { _ = a.SetLocalState(1) })
	wg.Wait()
	assert.Len(t, events.take(), 1)
	assert.Contains(t, logged.String(), "heard too")

	subscription.Close()
	require.Error(t, a.SetLocalState(2))
	assert.Len(t, events.take(), 1, "later events are delivered")
}

func TestAwareness_Observe_Reentrant(t *testing.T) {
	a := newAwareness(t, 1, ycrdt.AwarenessOptions{})
	require.NoError(t, a.Start(t.Context()))
	var log []string
	var subscription *ycrdt.Subscription
	subscription = a.Observe(func(event ycrdt.AwarenessEvent) {
		log = append(log, fmt.Sprint("first ", event.Origin))
		subscription.Close()
		a.Stop()
		a.Stop()
		assert.NoError(t, a.Start(t.Context()))
		a.Observe(func(event ycrdt.AwarenessEvent) { log = append(log, fmt.Sprint("new ", event.Origin)) })
		assert.NoError(t, a.SetLocalState("inner"))
		assert.NoError(t, a.RemoveStates([]uint64{2}, "inner"))
		_, err := a.EncodeUpdate(a.ClientIDs())
		assert.NoError(t, err)
		assert.Equal(t, "inner", a.States()[1])
		log = append(log, "first done")
	})
	a.Observe(func(event ycrdt.AwarenessEvent) { log = append(log, fmt.Sprint("second ", event.Origin)) })

	require.NoError(t, a.ApplyUpdate(awarenessUpdate(clientState(2, 1, `2`)), "outer"))
	a.Stop()
	assert.Equal(t, []string{
		"first outer", "first done", "second outer",
		"second local", "new local", "second inner", "new inner",
	}, log)
}

func TestAwareness_Observe_OrderAcrossGoroutines(t *testing.T) {
	a := newAwareness(t, 1, ycrdt.AwarenessOptions{})
	calls := 0 // no lock of its own: deliveries must not overlap
	a.Observe(func(ycrdt.AwarenessEvent) { calls++ })
	const goroutines, changes = 8, 200
	var wg sync.WaitGroup
	for range goroutines {
		wg.Go(func() {
			for i := range changes {
				assert.NoError(t, a.SetLocalState(i))
				subscription := a.Observe(func(ycrdt.AwarenessEvent) {})
				a.States()
				a.Meta()
				a.EncodeStates()
				subscription.Close()
			}
		})
	}
	wg.Wait()
	// Another goroutine may have had the last events to deliver, and has returned.
	assert.Equal(t, goroutines*changes, calls)
	assert.EqualValues(t, goroutines*changes, a.Meta()[1].Clock)
}

// TestAwareness_Observe_Bounded fills the queue while an observer is stuck.
func TestAwareness_Observe_Bounded(t *testing.T) {
	a := newAwareness(t, 1, ycrdt.AwarenessOptions{MaxStates: 100_000})
	synctest.Test(t, func(t *testing.T) {
		crowd := make([]protocol.AwarenessEntry, 1<<16)
		for i := range crowd {
			crowd[i] = clientState(uint64(i+2), 1, `0`)
		}
		var delivered []ycrdt.AwarenessEventKind
		release := make(chan struct{})
		a.Observe(func(event ycrdt.AwarenessEvent) {
			delivered = append(delivered, event.Kind)
			if len(delivered) == 1 {
				<-release
				assert.NoError(t, a.SetLocalState("from an observer"))
			}
		})
		go func() { assert.NoError(t, a.SetLocalState("stuck")) }()
		synctest.Wait()
		learn(t, a, crowd...) // there is room

		waiting := true
		go func() {
			assert.NoError(t, a.SetLocalState(nil))
			waiting = false
		}()
		synctest.Wait()
		assert.True(t, waiting)
		assert.Equal(t, "stuck", a.LocalState(), "a change waits before it is made")

		close(release)
		synctest.Wait()
		assert.False(t, waiting)
		assert.Equal(t, []ycrdt.AwarenessEventKind{
			ycrdt.AwarenessUpdated, ycrdt.AwarenessAdded, ycrdt.AwarenessUpdated, ycrdt.AwarenessRemoved,
		}, delivered)
	})
}

func TestAwarenessEventKind_String(t *testing.T) {
	kinds := []ycrdt.AwarenessEventKind{ycrdt.AwarenessAdded, ycrdt.AwarenessUpdated, ycrdt.AwarenessRemoved, 9}
	assert.Equal(t, "[added updated removed AwarenessEventKind(9)]", fmt.Sprint(kinds))
}
