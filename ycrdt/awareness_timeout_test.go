package ycrdt_test

import (
	"bytes"
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/yrs-go/yrs/ycrdt"
)

// pass lets d go by on the fake clock, and everything happen that is due then.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestAwareness_Start_RenewsLocalState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAwareness(t, 1, ycrdt.AwarenessOptions{})
		require.NoError(t, a.SetLocalState("here"))
		events := recordAwareness(a)
		require.NoError(t, a.Start(t.Context()))
		defer a.Stop()
		began := time.Now()

		pass(15*time.Second - 1)
		assert.Empty(t, events.take())
		pass(1)
		assert.Equal(t, []ycrdt.AwarenessEvent{
			{Kind: ycrdt.AwarenessUpdated, ClientIDs: []uint64{1}, Origin: ycrdt.OriginLocal},
		}, events.take())
		meta, _ := a.ClientMeta(1)
		assert.Equal(t, ycrdt.AwarenessMeta{Clock: 2, LastUpdated: began.Add(15 * time.Second)}, meta)
		assert.Equal(t, "here", a.LocalState())

		pass(time.Minute)
		assert.Len(t, events.take(), 4)
	})
}

func TestAwareness_Start_DoesNotRenewWhatIsCleared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cleared := newAwareness(t, 1, ycrdt.AwarenessOptions{})
		require.NoError(t, cleared.SetLocalState(nil))
		server := newAwareness(t, 2, ycrdt.AwarenessOptions{NoLocalState: true})
		for _, a := range []*ycrdt.Awareness{cleared, server} {
			events := recordAwareness(a)
			require.NoError(t, a.Start(t.Context()))
			pass(time.Hour)
			a.Stop()
			assert.Empty(t, events.take())
		}
		assert.Contains(t, cleared.Meta(), uint64(1), "its own clock is never forgotten")
	})
}

func TestAwareness_Start_RemovesOutdated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAwareness(t, 1, ycrdt.AwarenessOptions{NoLocalState: true})
		events := recordAwareness(a)
		require.NoError(t, a.Start(t.Context()))
		defer a.Stop()
		learn(t, a, clientState(3, 1, `3`), clientState(2, 1, `2`), clientState(1, 1, `1`), clientState(4, 1, `4`))
		pass(20 * time.Second)
		learn(t, a, clientState(4, 2, `4`))
		events.take()

		pass(10*time.Second - 1)
		assert.Empty(t, events.take())
		pass(1)
		ids := []uint64{1, 2, 3}
		assert.Equal(t, []ycrdt.AwarenessEvent{
			{Kind: ycrdt.AwarenessRemoved, ClientIDs: ids, Changed: ids, Origin: ycrdt.OriginTimeout},
		}, events.take())
		assert.Equal(t, map[uint64]any{4: 4.0}, a.States())
		_, err := a.EncodeUpdate(ids)
		assert.NoError(t, err, "the removal can be passed on")
	})
}

func TestAwareness_Start_ForgetsTheGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAwareness(t, 1, ycrdt.AwarenessOptions{})
		require.NoError(t, a.Start(t.Context()))
		defer a.Stop()
		learn(t, a, clientState(2, 5, `2`), clientState(3, 5, `null`))
		pass(89 * time.Second)
		learn(t, a, clientState(2, 5, `2`), clientState(3, 4, `3`))
		assert.Equal(t, []uint64{1}, a.ClientIDs(), "late messages do not bring them back")
		pass(time.Second)
		assert.Len(t, a.Meta(), 1)

		events := recordAwareness(a)
		learn(t, a, clientState(2, 6, `2`))
		assert.Equal(t, ycrdt.AwarenessAdded, events.take()[0].Kind)
	})
}

func TestAwareness_OutdatedTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAwareness(t, 1, ycrdt.AwarenessOptions{OutdatedTimeout: time.Second})
		assert.Equal(t, time.Second, a.OutdatedTimeout())
		learn(t, a, clientState(2, 1, `2`))
		require.NoError(t, a.Start(t.Context()))
		defer a.Stop()
		pass(500 * time.Millisecond)
		assert.Equal(t, map[uint64]uint64{1: 1, 2: 1}, awarenessClocks(a))
		pass(500 * time.Millisecond)
		assert.Equal(t, []uint64{1}, a.ClientIDs())
	})
}

// Two clients, connected, keep each other alive; cut off, they lose each other.
func TestAwareness_Start_TwoClients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAwareness(t, 1, ycrdt.AwarenessOptions{})
		b := newAwareness(t, 2, ycrdt.AwarenessOptions{})
		var connected atomic.Bool
		connected.Store(true)
		connect := func(from, to *ycrdt.Awareness) {
			from.Observe(func(event ycrdt.AwarenessEvent) {
				if connected.Load() && event.Origin != "network" {
					encoded, err := from.EncodeUpdate(event.ClientIDs)
					assert.NoError(t, err)
					assert.NoError(t, to.ApplyUpdate(encoded, "network"))
				}
			})
		}
		connect(a, b)
		connect(b, a)
		for _, each := range []*ycrdt.Awareness{a, b} {
			require.NoError(t, each.SetLocalState(map[string]any{"id": each.ClientID()}))
			require.NoError(t, each.Start(t.Context()))
			defer each.Stop()
		}
		pass(10 * time.Minute)
		assert.Equal(t, []uint64{1, 2}, a.ClientIDs())
		assert.Equal(t, a.States(), b.States())

		connected.Store(false)
		pass(30 * time.Second)
		assert.Equal(t, []uint64{1}, a.ClientIDs())
		assert.Equal(t, []uint64{2}, b.ClientIDs())
	})
}

func TestAwareness_CheckOutdated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAwareness(t, 1, ycrdt.AwarenessOptions{})
		learn(t, a, clientState(2, 1, `2`))
		require.NoError(t, a.CheckOutdated())
		assert.Equal(t, map[uint64]uint64{1: 0, 2: 1}, awarenessClocks(a))
		events := recordAwareness(a)
		a.Observe(func(ycrdt.AwarenessEvent) { panic("no") })

		pass(30 * time.Second)
		var panicked *ycrdt.ObserverPanicError
		require.ErrorAs(t, a.CheckOutdated(), &panicked)
		one, two := []uint64{1}, []uint64{2}
		assert.Equal(t, []ycrdt.AwarenessEvent{
			{Kind: ycrdt.AwarenessUpdated, ClientIDs: one, Origin: ycrdt.OriginLocal},
			{Kind: ycrdt.AwarenessRemoved, ClientIDs: two, Changed: two, Origin: ycrdt.OriginTimeout},
		}, events.take())
	})
}

func TestAwareness_Start_LogsPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var logged bytes.Buffer
		a := newAwareness(t, 1, ycrdt.AwarenessOptions{Logger: slog.New(slog.NewTextHandler(&logged, nil))})
		a.Observe(func(ycrdt.AwarenessEvent) { panic("no one waits") })
		require.NoError(t, a.Start(t.Context()))
		pass(15 * time.Second)
		a.Stop()
		assert.Contains(t, logged.String(), "no one waits")
	})
}

func TestAwareness_StartStop(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	a := newAwareness(t, 1, ycrdt.AwarenessOptions{})
	a.Stop()

	ctx, cancel := context.WithCancel(t.Context())
	require.NoError(t, a.Start(ctx))
	require.ErrorIs(t, a.Start(ctx), ycrdt.ErrAwarenessRunning)
	a.Stop()
	a.Stop()
	require.NoError(t, a.Start(ctx), "it can be started again")
	cancel()
	require.ErrorIs(t, a.Start(ctx), context.Canceled)
	require.NoError(t, a.Start(t.Context()), "the end of its context stops it")
	a.Stop()
}

func TestAwareness_StartStop_Concurrently(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	a := newAwareness(t, 1, ycrdt.AwarenessOptions{OutdatedTimeout: 1})
	a.Observe(func(ycrdt.AwarenessEvent) { a.Stop() })
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			for range 100 {
				if err := a.Start(t.Context()); err != nil {
					assert.ErrorIs(t, err, ycrdt.ErrAwarenessRunning)
				}
				a.Stop()
			}
		})
	}
	wg.Wait()
}

func TestAwareness_Stop_Waits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAwareness(t, 1, ycrdt.AwarenessOptions{})
		release := make(chan struct{})
		a.Observe(func(ycrdt.AwarenessEvent) { <-release })
		require.NoError(t, a.Start(t.Context()))
		pass(15 * time.Second)
		stopped := make(chan struct{})
		go func() {
			a.Stop()
			close(stopped)
		}()
		synctest.Wait()
		select {
		case <-stopped:
			assert.Fail(t, "Stop returned while an observer was running")
		default:
		}
		close(release)
		<-stopped
	})
}

// An observer that the goroutine of Start calls may stop it.
func TestAwareness_Stop_FromTheGoroutineItStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for range 20 {
			a := newAwareness(t, 1, ycrdt.AwarenessOptions{})
			events := recordAwareness(a)
			a.Observe(func(ycrdt.AwarenessEvent) {
				time.Sleep(time.Minute) // the next look at the clock is long due
				a.Stop()
			})
			require.NoError(t, a.Start(t.Context()))
			pass(time.Hour)
			assert.Len(t, events.take(), 1)
		}
	})
}
