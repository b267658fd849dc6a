package ywebsocket

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt"
	"github.com/yrs-go/yrs/ywebsocket/store"
)

// Whoever is in a room that is restored sees it, and keeps what was written meanwhile.
func TestServer_RestoreARoomInUse(t *testing.T) {
	for name, openArchive := range archives {
		t.Run(name, func(t *testing.T) {
			a := openArchive(t)
			defer a.Close()
			s := newTestServer(t, Options{Store: a, History: time.Hour})
			url := listen(t, s)
			ada, grace := open(t, url), open(t, url)
			ada.write("the first. ")
			require.NoError(t, ada.Saved(withPatience(t)))
			require.NoError(t, s.SaveVersion(t.Context(), "room", "first"))
			between := time.Now()
			ada.write("the second. ")
			require.NoError(t, ada.Saved(withPatience(t)))
			grace.expectText("the first. the second. ")

			grace.Disconnect()
			grace.write("grace. ") // behind everybody's back
			require.NoError(t, s.Restore(t.Context(), "room", "first"))
			assert.Equal(t, "the first. ", textOf(t, stored(t, a, "room")...), "it is stored")
			ada.expectText("the first. ")
			ada.write("ada. ")
			grace.Connect()
			require.Eventually(t, func() bool {
				text := ada.text()
				return text == grace.text() && strings.HasPrefix(text, "the first. ") &&
					strings.Contains(text, "grace. ") && strings.Contains(text, "ada. ") && len(text) == len("the first. grace. ada. ")
			}, patience, testTick, "what was written meanwhile stays")

			require.NoError(t, ada.Saved(withPatience(t)))
			require.NoError(t, grace.Saved(withPatience(t)))
			require.NoError(t, s.RestoreAt(t.Context(), "room", between))
			ada.expectText("the first. ")
			grace.expectText("the first. ")
			versions, err := s.Versions(t.Context(), "room")
			require.NoError(t, err)
			require.Len(t, versions, 1)
			assert.Equal(t, "first", versions[0].Name)
		})
	}
}

// A room that nobody has open is restored all the same, with all that it holds, and
// still is after a restart.
func TestServer_RestoreAnIdleRoom(t *testing.T) {
	for name, openArchive := range archives {
		t.Run(name, func(t *testing.T) {
			a := openArchive(t)
			defer a.Close()
			author := ycrdt.NewDoc()
			defer author.Close()
			author.OnUpdate(func(event ycrdt.UpdateEvent) { assert.NoError(t, a.Append(t.Context(), "room", event.Update)) })
			write := func(fn func(tx *ycrdt.Tx) error) { require.NoError(t, author.Transact(fn)) }
			write(func(tx *ycrdt.Tx) error {
				return tx.Map("map").Set("list", ycrdt.NewArray{1, ycrdt.NewMap{"deep": ycrdt.NewText("text")}})
			})
			write(func(tx *ycrdt.Tx) error { return tx.Text("text").Insert(0, "first") })
			s := newTestServer(t, Options{Store: a})
			require.NoError(t, s.SaveVersion(t.Context(), "room", "first"))
			want := contentOf(t, stored(t, a, "room"))
			write(func(tx *ycrdt.Tx) error { return tx.Map("map").Delete("list") })
			write(func(tx *ycrdt.Tx) error { return tx.Text("text").Delete(1, 3) })
			require.NotEqual(t, want.text, contentOf(t, stored(t, a, "room")).text)
			s.registryEmpty(t)

			require.NoError(t, s.Restore(t.Context(), "room", "first"))
			got := contentOf(t, stored(t, a, "room"))
			assert.Equal(t, want.text, got.text)
			assert.Equal(t, want.entries, got.entries)
			log := len(stored(t, a, "room"))
			require.NoError(t, s.Restore(t.Context(), "room", "first"))
			assert.Len(t, stored(t, a, "room"), log, "there is nothing to do")
		})
	}
}

// registryEmpty removes the rooms that nobody uses, as if they had been idle for long.
func (s *Server) registryEmpty(t *testing.T) {
	t.Helper()
	s.registry.mu.Lock()
	var rooms []*room
	for _, r := range s.registry.rooms {
		rooms = append(rooms, r)
	}
	s.registry.mu.Unlock()
	for _, r := range rooms {
		require.Eventually(t, func() bool { return !r.busy() }, patience, testTick)
		s.registry.removeIdle(r)
	}
}

func TestServer_VersionsThatCannotBe(t *testing.T) {
	ctx := t.Context()
	plain := newTestServer(t, Options{Store: &gatedStore{Store: store.NewMemory(), gate: newGate()}})
	for _, err := range []error{
		plain.SaveVersion(ctx, "room", "v"), plain.Restore(ctx, "room", "v"), plain.RestoreAt(ctx, "room", time.Now()),
	} {
		assert.ErrorIs(t, err, ErrNoArchive)
	}
	_, err := plain.Versions(ctx, "room")
	assert.ErrorIs(t, err, ErrNoArchive)

	backing := store.NewMemory()
	s, err := NewServer(Options{Store: backing})
	require.NoError(t, err)
	assert.ErrorIs(t, s.SaveVersion(ctx, "room", "v"), store.ErrNotFound)
	assert.ErrorIs(t, s.Restore(ctx, "room", "v"), store.ErrNotFound)
	assert.ErrorIs(t, s.RestoreAt(ctx, "room", time.Now()), store.ErrNotFound)
	assert.Error(t, s.SaveVersion(ctx, "", "v"))
	require.NoError(t, backing.Append(ctx, "room", insert(1, 0, "a")))
	require.NoError(t, s.SaveVersion(ctx, "room", "v"))
	assert.ErrorIs(t, s.SaveVersion(ctx, "room", "v"), store.ErrVersionExists)
	assert.ErrorIs(t, s.RestoreAt(ctx, "room", time.Now().Add(-time.Hour)), store.ErrNotFound)
	require.NoError(t, backing.SaveVersion(ctx, "room", "broken", []byte("nonsense")))
	assert.ErrorIs(t, s.Restore(ctx, "room", "broken"), ycrdt.ErrMalformed)
	require.NoError(t, s.Shutdown(ctx))
	assert.ErrorIs(t, s.Restore(ctx, "room", "v"), ErrShuttingDown)
}

// failingArchive appends nothing while broken.
type failingArchive struct {
	store.Archive
	brokenStore
}

func (f *failingArchive) Append(ctx context.Context, room string, updates ...[]byte) error {
	return f.brokenStore.Append(ctx, room, updates...)
}

func (f *failingArchive) Load(ctx context.Context, room string, each func([]byte) error) error {
	return f.brokenStore.Load(ctx, room, each)
}

func (f *failingArchive) Ping(ctx context.Context) error { return f.Archive.Ping(ctx) }
func (f *failingArchive) Close() error                   { return f.Archive.Close() }

// While the store fails nothing is restored, and nothing that was is confirmed.
func TestServer_RestoreWhileTheStoreFails(t *testing.T) {
	backing := store.NewMemory()
	a := &failingArchive{Archive: backing, brokenStore: brokenStore{Store: backing}}
	s := newTestServer(t, Options{Store: a})
	ada := open(t, listen(t, s))
	ada.write("one")
	require.NoError(t, ada.Saved(withPatience(t)))
	require.NoError(t, s.SaveVersion(t.Context(), "room", "v"))
	ada.write(" two")
	require.NoError(t, ada.Saved(withPatience(t)))

	a.brokenAppend.Store(true)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	assert.ErrorIs(t, s.Restore(ctx, "room", "v"), context.DeadlineExceeded, "it is not stored yet")
	ada.expectState("denied", func(state ProviderState) bool { return state.Denied != "" })
	ada.write(" three")
	assert.ErrorIs(t, s.Restore(t.Context(), "room", "v"), ErrStoreFails)
	assert.Equal(t, "one two", textOf(t, stored(t, backing, "room")...))

	a.brokenAppend.Store(false)
	require.NoError(t, ada.Saved(withPatience(t)))
	assert.Equal(t, "one three", textOf(t, stored(t, backing, "room")...), "the first call's edit was kept, and stored")
	require.NoError(t, s.Restore(t.Context(), "room", "v"))
	assert.Equal(t, "one", textOf(t, stored(t, backing, "room")...))
	ada.expectText("one")
}
