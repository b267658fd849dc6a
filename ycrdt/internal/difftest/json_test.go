package difftest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/internal/peers"
	"github.com/yrs-go/yrs/ycrdt"
)

// TestLargeNumbersInText: JavaScript writes a large float of an embed or an attribute as if it were an integer, of which
// only the first digits are exact. It is read as what it was, and can be written again.
func TestLargeNumbersInText(t *testing.T) {
	const large = -68523089085873184 // in JSON -68523089085873180
	node := peers.StartDiffer(t)
	text := peers.Text("text")
	written := yjsState(t, node,
		text.InsertEmbed(0, map[string]any{"in": []any{large, 1<<53 - 1}}),
		text.Format(0, 1, map[string]any{"size": large}))
	want := ycrdt.Delta{{
		Insert:     map[string]any{"in": []any{float64(large), int64(1<<53 - 1)}},
		Attributes: map[string]any{"size": float64(large)},
	}}

	doc := ycrdt.NewDoc()
	t.Cleanup(func() { require.NoError(t, doc.Close()) })
	var event ycrdt.Event
	_, err := doc.Observe(ycrdt.RootText("text"), func(e ycrdt.Event) { event = e })
	require.NoError(t, err)
	require.NoError(t, doc.ApplyUpdate(written))
	assert.Equal(t, want, event.(*ycrdt.TextEvent).Delta)
	require.NoError(t, doc.Transact(func(tx *ycrdt.Tx) error {
		delta := tx.Text("text").ToDelta()
		assert.Equal(t, want, delta)
		return tx.Text("text").ApplyDelta(delta)
	}))
	state, err := doc.EncodeStateAsUpdate(nil)
	require.NoError(t, err)
	const insertion = `{"insert":{"in":[-68523089085873184,9007199254740991]},"attributes":{"size":-68523089085873184}}`
	assert.JSONEq(t, richText(insertion+","+insertion), yjsTree(t, node, state))
}
