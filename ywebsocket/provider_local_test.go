package ywebsocket

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt"
	"github.com/yrs-go/yrs/ywebsocket/store"
	"github.com/yrs-go/yrs/ywebsocket/store/file"
)

// offline is a network that is not there.
func offline(context.Context) (Conn, error) { return nil, errors.New("no network") }

// toServer makes connections in memory.
func toServer(s *Server) func(context.Context) (Conn, error) {
	return func(context.Context) (Conn, error) {
		client, server := Pipe()
		go func() { _ = s.ServeConn(server, "room", Identity{}) }()
		return client, nil
	}
}

// end closes a provider and its document, as the end of a program does.
func (e *editor) end() {
	e.Close()
	assert.NoError(e.t, e.doc.Close())
}

func TestProvider_LocalStoreKeepsWhatWasWrittenOffline(t *testing.T) {
	directory := t.TempDir()
	open := map[string]func(t *testing.T) store.Store{
		"files": func(t *testing.T) store.Store {
			opened, err := file.Open(directory, file.Options{})
			require.NoError(t, err)
			return opened
		},
	}
	memory := store.NewMemory()
	open["memory"] = func(*testing.T) store.Store { return memory }
	for name, open := range open {
		t.Run(name, func(t *testing.T) {
			first := open(t)
			e := newEditor(t, ProviderOptions{Room: "room", Local: first, Dial: offline})
			e.Connect()
			e.write("written ")
			require.NoError(t, e.Stored(withPatience(t)))
			e.write("offline")
			assert.Equal(t, 2, e.State().Unsynced)
			e.end()
			if name == "files" {
				require.NoError(t, first.Close())
			}

			server := newTestServer(t, Options{})
			second := open(t)
			defer second.Close()
			again := newEditor(t, ProviderOptions{Room: "room", Local: second, Dial: toServer(server)})
			require.NoError(t, again.Loaded(withPatience(t)))
			assert.Equal(t, "written offline", again.text())
			assert.Equal(t, 1, again.State().Unsynced)
			again.Connect()
			require.NoError(t, again.Saved(withPatience(t)))
			assert.Equal(t, "written offline", textOf(t, stored(t, server.options.Store, "room")...))

			other := newEditor(t, ProviderOptions{Dial: toServer(server)})
			other.Connect()
			require.NoError(t, other.Synced(withPatience(t)))
			other.write(", and by others")
			again.expectText("written offline, and by others")
			require.NoError(t, again.Stored(withPatience(t)))
			assert.Zero(t, again.State().Unstored)
			assert.Equal(t, "written offline, and by others", textOf(t, stored(t, second, "room")...))
		})
	}
}

// Who asks at once whether all is saved hears of what the store holds, too.
func TestProvider_SavedCoversWhatTheLocalStoreHolds(t *testing.T) {
	kept := store.NewMemory()
	require.NoError(t, kept.Append(t.Context(), "mine", insert(1, 0, "from yesterday")))
	server := newTestServer(t, Options{})
	e := newEditor(t, ProviderOptions{Local: kept, LocalName: "mine", Dial: toServer(server)})
	e.Connect()
	require.NoError(t, e.Saved(withPatience(t)))
	assert.Equal(t, "from yesterday", textOf(t, stored(t, server.options.Store, "room")...))
}

func TestProvider_LocalStoreGetsWhatTheDocumentHeldBefore(t *testing.T) {
	kept := store.NewMemory()
	doc := ycrdt.NewDoc()
	defer doc.Close()
	require.NoError(t, doc.ApplyUpdate(insert(1, 0, "before")))
	p, err := NewProvider(doc, ProviderOptions{Room: "room", Local: kept, Dial: offline})
	require.NoError(t, err)
	defer p.Close()
	require.NoError(t, p.Stored(withPatience(t)))
	assert.Equal(t, "before", textOf(t, stored(t, kept, "room")...))
}

// A document that could not be loaded is not an empty one.
func TestProvider_DoesNotConnectBeforeTheLocalStoreIsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := &brokenStore{Store: store.NewMemory()}
		require.NoError(t, broken.Append(t.Context(), "room", insert(1, 0, "kept")))
		broken.brokenLoad.Store(true)
		server := newTestServer(t, Options{})
		w := &network{serve: func(_ int, conn Conn) error {
			go func() { _ = server.ServeConn(conn, "room", Identity{}) }()
			return nil
		}}
		e := online(t, ProviderOptions{Room: "room", Local: broken, Dial: w.dial})
		time.Sleep(time.Minute)
		assert.Empty(t, w.attempts())
		assert.Equal(t, StatusConnecting, e.State().Status)
		require.ErrorIs(t, e.State().LocalErr, errBroken)
		soon, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, e.Synced(soon), errBroken)
		assert.Less(t, broken.loads.Load(), int64(20), "it is tried with pauses")

		broken.brokenLoad.Store(false)
		require.NoError(t, e.Saved(t.Context()))
		assert.Equal(t, "kept", e.text())
		assert.NoError(t, e.State().LocalErr)
	})
}

func TestProvider_DisconnectWhileTheLocalStoreIsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := &brokenStore{Store: store.NewMemory()}
		broken.brokenLoad.Store(true)
		var dials atomic.Int64
		e := online(t, ProviderOptions{Room: "room", Local: broken, Dial: func(context.Context) (Conn, error) {
			dials.Add(1)
			return nil, errors.New("no network")
		}})
		time.Sleep(time.Second)
		e.Disconnect()
		assert.Equal(t, StatusDisconnected, e.State().Status)
		assert.Zero(t, dials.Load())
	})
}

// What the document refuses does not get better, and nobody connects with half of it.
func TestProvider_LocalStoreThatHoldsSomethingElse(t *testing.T) {
	kept := store.NewMemory()
	require.NoError(t, kept.Append(t.Context(), "room", insert(1, 0, "x"), []byte("not an update")))
	e := newEditor(t, ProviderOptions{Room: "room", Local: kept, Dial: offline})
	e.Connect()
	err := e.Synced(withPatience(t))
	require.ErrorIs(t, err, ErrProviderStopped)
	require.ErrorIs(t, err, ErrPermanent)
	require.ErrorContains(t, err, "stored update 2 (13 bytes)")
	require.ErrorIs(t, e.Loaded(withPatience(t)), ErrPermanent)
	e.expectState("stopped", func(s ProviderState) bool { return s.Status == StatusDisconnected && errors.Is(s.Err, ErrPermanent) })

	e.write("nothing is lost all the same")
	require.NoError(t, e.Stored(withPatience(t)))
	assert.Len(t, stored(t, kept, "room"), 3)
	assert.ErrorIs(t, e.State().LocalErr, ErrPermanent)
}

func TestProvider_KeepsWhatTheLocalStoreDoesNotTake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := &brokenStore{Store: store.NewMemory()}
		broken.brokenAppend.Store(true)
		e := online(t, ProviderOptions{Room: "room", Local: broken, Dial: offline, Queue: 10 << 10})
		line := strings.Repeat("x", 1000)
		for range 100 {
			e.write(line)
			time.Sleep(time.Second)
		}
		state := e.State()
		assert.Equal(t, 100, state.Unstored)
		require.ErrorIs(t, state.LocalErr, errBroken)
		e.Provider.mu.Lock()
		assert.LessOrEqual(t, e.local.queuedBytes, 10<<10)
		assert.Empty(t, e.local.queue, "the document has it all")
		e.Provider.mu.Unlock()

		broken.brokenAppend.Store(false)
		require.NoError(t, e.Stored(t.Context()))
		assert.Zero(t, e.State().Unstored)
		assert.NoError(t, e.State().LocalErr)
		assert.Equal(t, strings.Repeat(line, 100), textOf(t, stored(t, broken, "room")...))
	})
}

// What arrives while the store works goes into its next call, as one update.
func TestProvider_LocalStoreGetsBatches(t *testing.T) {
	gated := &gatedStore{Store: store.NewMemory(), gate: newGate()}
	e := newEditor(t, ProviderOptions{Room: "room", Local: gated, Dial: offline})
	e.write("0")
	require.Eventually(t, func() bool { return gated.waiting.Load() == 1 }, patience, testTick)
	for i := range 9 {
		e.write(fmt.Sprint(i + 1))
	}
	gated.gate.open()
	require.NoError(t, e.Stored(withPatience(t)))
	assert.Len(t, stored(t, gated, "room"), 2)
	assert.Equal(t, "0123456789", textOf(t, stored(t, gated, "room")...))
}

func TestProvider_MergesALongLocalLog(t *testing.T) {
	kept := store.NewMemory()
	for i := range localCompactAfter {
		require.NoError(t, kept.Append(t.Context(), "room", insert(1, uint64(i), "x")))
	}
	e := newEditor(t, ProviderOptions{Room: "room", Local: kept, Dial: offline})
	e.write("y")
	require.NoError(t, e.Stored(withPatience(t)))
	assert.LessOrEqual(t, len(stored(t, kept, "room")), 2)
	assert.Equal(t, strings.Repeat("x", localCompactAfter)+"y", textOf(t, stored(t, kept, "room")...))
}

// The end of a provider waits for the store, but not for ever.
func TestProvider_CloseStoresTheRest(t *testing.T) {
	t.Run("what is on its way", func(t *testing.T) {
		kept := store.NewMemory()
		e := newEditor(t, ProviderOptions{Room: "room", Local: kept, Dial: offline})
		for range 50 {
			e.write("x")
		}
		e.Close()
		assert.Equal(t, strings.Repeat("x", 50), textOf(t, stored(t, kept, "room")...))
		require.NoError(t, e.Stored(t.Context()))
	})
	t.Run("a store that hangs", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			gated := &gatedStore{Store: store.NewMemory(), gate: newGate()}
			e := newEditor(t, ProviderOptions{Room: "room", Local: gated, Dial: offline})
			e.write("x")
			start := time.Now()
			e.Close()
			assert.Equal(t, localCloseTimeout, time.Since(start))
			assert.ErrorIs(t, e.Stored(t.Context()), ErrProviderStopped)
			assert.ErrorIs(t, e.State().LocalErr, context.Canceled)
		})
	})
	t.Run("a store that fails", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			broken := &brokenStore{Store: store.NewMemory()}
			broken.brokenAppend.Store(true)
			e := newEditor(t, ProviderOptions{Room: "room", Local: broken, Dial: offline})
			e.write("x")
			time.Sleep(time.Minute)
			broken.brokenAppend.Store(false)
			start := time.Now()
			e.Close()
			assert.Zero(t, time.Since(start), "the pause is cut short for a last try")
			assert.Equal(t, "x", textOf(t, stored(t, broken, "room")...))
		})
	})
	t.Run("a store that was not read yet", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			broken := &brokenStore{Store: store.NewMemory()}
			broken.brokenLoad.Store(true)
			e := newEditor(t, ProviderOptions{Room: "room", Local: broken, Dial: offline})
			e.write("x")
			e.Close()
			assert.Equal(t, "x", textOf(t, stored(t, broken.Store, "room")...))
		})
	})
}

// relapsing fails as often as it is told.
type relapsing struct {
	store.Store
	failures atomic.Int64
}

func (s *relapsing) Append(ctx context.Context, room string, updates ...[]byte) error {
	if s.failures.Add(-1) >= 0 {
		return errBroken
	}
	return s.Store.Append(ctx, room, updates...)
}

// The last try is for all that is left: nothing is stored behind what is not.
func TestProvider_CloseLeavesNoGap(t *testing.T) {
	for name, failures := range map[string]int64{"and fails": 1, "and succeeds": 0} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				kept := &relapsing{Store: store.NewMemory()}
				kept.failures.Store(1000)
				e := newEditor(t, ProviderOptions{Room: "room", Local: kept, Dial: offline})
				require.NoError(t, e.Loaded(t.Context()))
				e.write("one ")
				synctest.Wait()
				e.write("two")
				kept.failures.Store(failures)
				e.Close()
				if failures == 0 {
					assert.NoError(t, e.Stored(t.Context()))
					assert.Equal(t, "one two", textOf(t, stored(t, kept, "room")...))
					return
				}
				assert.ErrorIs(t, e.Stored(t.Context()), ErrProviderStopped)
				assert.Equal(t, 2, e.State().Unstored)
				assert.ErrorIs(t, e.State().LocalErr, errBroken)
				assert.True(t, isEmpty(t, kept, "room"))
			})
		})
	}
}

func TestNewProvider_LocalStoreNeedsAName(t *testing.T) {
	doc := ycrdt.NewDoc()
	defer doc.Close()
	_, err := NewProvider(doc, ProviderOptions{Local: store.NewMemory(), Dial: offline})
	assert.ErrorContains(t, err, "set LocalName or Room")
}
