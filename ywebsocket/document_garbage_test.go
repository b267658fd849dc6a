package ywebsocket

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt"
	"github.com/yrs-go/yrs/ywebsocket/store"
)

// A document that keeps too many deleted types is replaced by one that does not, and nobody notices.
func TestLiveDocument_CollectsGarbage(t *testing.T) {
	d, _, err := loadDocument(t.Context(), store.NewMemory(), "room", nil)
	require.NoError(t, err)
	t.Cleanup(d.close)
	live := d.(*liveDocument)
	before := live.doc

	author := ycrdt.NewDoc()
	defer author.Close()
	defer author.OnUpdate(func(event ycrdt.UpdateEvent) {
		ch, err := d.apply(t.Context(), event.Update)
		assert.NoError(t, err)
		assert.True(t, ch.complete)
		assert.Equal(t, event.Update, ch.update)
	}).Close()
	fill := func(n int) {
		require.NoError(t, author.Transact(func(tx *ycrdt.Tx) error {
			values := make([]any, n)
			for i := range values {
				values[i] = ycrdt.NewMap{"text": ycrdt.NewText("some text")}
			}
			return tx.Array("a").Append(values...)
		}))
	}
	empty := func(n int) {
		require.NoError(t, author.Transact(func(tx *ycrdt.Tx) error { return tx.Array("a").Delete(0, n) }))
	}
	fill(maxGarbage/2 + 10)
	empty(maxGarbage/2 - 10)
	require.Same(t, before, live.doc)
	used := before.MemoryUsage()
	empty(10)
	require.NotSame(t, before, live.doc)
	assert.Zero(t, live.doc.Garbage())
	assert.Less(t, live.doc.MemoryUsage(), used/2)

	fill(1) // goes on as before
	want, err := author.EncodeStateVector()
	require.NoError(t, err)
	got, err := d.stateVector(t.Context())
	require.NoError(t, err)
	assert.Equal(t, want, got)
	state, err := d.missing(t.Context(), []byte{0})
	require.NoError(t, err)
	loaded := ycrdt.NewDoc()
	defer loaded.Close()
	require.NoError(t, loaded.ApplyUpdate(state))
	assert.Equal(t, export(t, author), export(t, loaded))
}

func export(t *testing.T, doc *ycrdt.Doc) (values []any) {
	t.Helper()
	require.NoError(t, doc.View(func(tx *ycrdt.Tx) (err error) {
		values, err = tx.Array("a").AsSlice()
		return err
	}))
	return values
}
