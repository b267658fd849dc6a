package ywebsocket

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt"
	"github.com/yrs-go/yrs/ywebsocket/store"
)

// busy has a goroutine deliver events to a subscriber that does not return before the second call: what others write
// meanwhile is heard of later.
func (e *editor) busy() (release func()) {
	e.t.Helper()
	entered, gate, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	var once atomic.Bool
	e.doc.OnUpdate(func(ycrdt.UpdateEvent) {
		if !once.Swap(true) {
			close(entered)
			<-gate
		}
	})
	go func() {
		defer close(done)
		assert.NoError(e.t, e.doc.ApplyUpdate(insert(9, 0, "other ")))
	}()
	<-entered
	return func() {
		close(gate)
		<-done
	}
}

// What was written before the call counts, even if the provider has not heard of it yet.
func TestProvider_WaitsForWhatItHasNotHeardOf(t *testing.T) {
	for name, wait := range map[string]func(*Provider, context.Context) error{"Saved": (*Provider).Saved, "Stored": (*Provider).Stored} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, local := newTestServer(t, Options{}), store.NewMemory()
				e := online(t, ProviderOptions{Room: "room", Local: local, Dial: toServer(s)})
				require.NoError(t, e.Synced(t.Context()))
				release := e.busy()
				e.write("mine")
				returned := make(chan error, 1)
				go func() { returned <- wait(e.Provider, t.Context()) }()
				synctest.Wait()
				assert.Empty(t, returned)
				release()
				require.NoError(t, <-returned)
				kept := map[string]store.Store{"Saved": s.options.Store, "Stored": local}[name]
				assert.Equal(t, e.text(), textOf(t, stored(t, kept, "room")...))
			})
		})
	}
}

func TestProvider_CannotWaitInsideASubscriber(t *testing.T) {
	e := newEditor(t, ProviderOptions{Room: "room", Local: store.NewMemory(), Dial: offline})
	require.NoError(t, e.Loaded(t.Context()))
	var saved, kept error
	e.doc.OnUpdate(func(ycrdt.UpdateEvent) { saved, kept = e.Saved(withPatience(t)), e.Stored(withPatience(t)) })
	e.write("x")
	assert.ErrorIs(t, saved, ycrdt.ErrInSubscriber)
	assert.ErrorIs(t, kept, ycrdt.ErrInSubscriber)
}

// Close loses nothing that was written before it, however long subscribers of the document take.
func TestProvider_CloseStoresWhatItHasNotHeardOf(t *testing.T) {
	for name, slow := range map[string]bool{"in time": false, "too late": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				local := store.NewMemory()
				e := newEditor(t, ProviderOptions{Room: "room", Local: local, Dial: offline})
				require.NoError(t, e.Loaded(t.Context()))
				release := e.busy()
				e.write("mine")
				closed := make(chan struct{})
				go func() {
					defer close(closed)
					e.Close()
				}()
				if slow {
					<-closed
				} else {
					synctest.Wait()
				}
				release()
				<-closed
				assert.Equal(t, e.text(), textOf(t, stored(t, local, "room")...))
				assert.Zero(t, e.State().Unstored)
			})
		})
	}
}
