package ycrdt

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt/internal/ffi"
)

// recorded tells whether the native document records events when its root map "m" changes.
func recorded(t *testing.T, doc *Doc) bool {
	t.Helper()
	require.NoError(t, doc.lockWrite(t.Context(), "test"))
	defer doc.unlockWrite()
	native, err := doc.native.Begin(true)
	require.NoError(t, err)
	slot, err := native.Root(ffi.KindMap, "m")
	require.NoError(t, err)
	require.NoError(t, native.MapSet(slot, "k", []byte{126}))
	commit, err := native.Commit(false)
	require.NoError(t, err)
	return commit.Events != nil
}

func TestSubscription_CloseRemovesTheNativeObserver(t *testing.T) {
	subscribe := map[string]func(*Doc) (*Subscription, error){
		"observe":      func(doc *Doc) (*Subscription, error) { return doc.Observe(RootMap("m"), func(Event) {}) },
		"observe deep": func(doc *Doc) (*Subscription, error) { return doc.ObserveDeep(RootMap("m"), func([]Event) {}) },
	}
	commit := map[string]func(*Doc) error{
		"transact": func(doc *Doc) error { return doc.Transact(func(*Tx) error { return nil }) },
		"apply":    func(doc *Doc) error { return doc.ApplyUpdate([]byte{0, 0}) },
	}
	for how, subscribe := range subscribe {
		for when, commit := range commit {
			t.Run(how+"/"+when, func(t *testing.T) {
				doc := NewDoc()
				defer doc.Close()
				first, err := subscribe(doc)
				require.NoError(t, err)
				second, err := subscribe(doc)
				require.NoError(t, err)
				first.Close()
				require.NoError(t, commit(doc))
				assert.True(t, recorded(t, doc), "one is still listening")
				second.Close()
				require.NoError(t, commit(doc))
				assert.False(t, recorded(t, doc))
				assert.Empty(t, doc.observers.byKey)
				assert.Empty(t, doc.observers.byID)
				assert.Empty(t, doc.observers.stale)
			})
		}
	}
}

// Subscribers of one type share what the native document records.
func TestDoc_Observe_SharesTheNativeObserver(t *testing.T) {
	doc := NewDoc()
	defer doc.Close()
	for range 10 {
		sub, err := doc.Observe(RootMap("m"), func(Event) {})
		require.NoError(t, err)
		defer sub.Close()
	}
	assert.Len(t, doc.observers.byID, 1)
}
