package ycrdt_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt"
)

func TestMap_Entries(t *testing.T) {
	doc := newDoc(t)
	write(t, doc, func(tx *ycrdt.Tx) {
		m := tx.Map("m")
		for key, value := range map[string]any{"b": 2, "": "empty key", "a\x00": nil, "é😀": true} {
			require.NoError(t, m.Set(key, value))
		}
		require.NoError(t, m.Set("b", 3), "overwriting")
		require.NoError(t, m.Set("gone", 1))
		require.NoError(t, m.Delete("gone"))
		require.NoError(t, m.Delete("never there"))
	})
	want := map[string]any{"b": int64(3), "": "empty key", "a\x00": nil, "é😀": true}
	for _, doc := range []*ycrdt.Doc{doc, copyOf(t, doc)} {
		view(t, doc, func(tx *ycrdt.Tx) {
			m := tx.Map("m")
			assert.Equal(t, 4, m.Len())
			assert.Equal(t, want, maps.Collect(m.All()))
			assert.Equal(t, []string{"", "a\x00", "b", "é😀"}, slices.Collect(m.Keys()), "in order")
			for key, value := range want {
				got, ok := m.Value(key)
				assert.True(t, ok, key)
				assert.Equal(t, value, got, key)
			}
			for _, key := range []string{"gone", "never there", "a"} {
				_, ok := m.Value(key)
				assert.False(t, ok, key)
			}
		})
		assert.Equal(t, want, mapOf(t, doc, "m"))
	}
	write(t, doc, func(tx *ycrdt.Tx) { require.NoError(t, tx.Map("m").Clear()) })
	assert.Empty(t, mapOf(t, doc, "m"))
	assert.Empty(t, mapOf(t, copyOf(t, doc), "m"))
}

func TestMap_NestedTypes(t *testing.T) {
	doc := newDoc(t)
	write(t, doc, func(tx *ycrdt.Tx) {
		require.NoError(t, tx.Map("m").Set("text", ycrdt.NewText("x")))
		require.NoError(t, tx.Map("m").Set("map", ycrdt.NewMap{"a": ycrdt.NewArray{1}}))
		require.NoError(t, tx.Map("m").Set("array", ycrdt.NewArray{ycrdt.NewText("y"), nil}))
		require.NoError(t, tx.Map("m").Set("plain", map[string]any{"a": 1}))
	})
	write(t, copyOf(t, doc), func(tx *ycrdt.Tx) {
		m := tx.Map("m")
		text, ok := m.Text("text")
		require.True(t, ok)
		require.NoError(t, text.Insert(1, "!"))
		nested, ok := m.Map("map")
		require.True(t, ok)
		list, ok := nested.Array("a")
		require.True(t, ok)
		require.NoError(t, list.Append(2))
		array, ok := m.Array("array")
		require.True(t, ok)
		assert.Equal(t, 2, array.Len())
		assert.Equal(t, ycrdt.KindText, text.Kind())
		assert.Equal(t, ycrdt.KindMap, nested.Kind())
		assert.Equal(t, ycrdt.KindArray, array.Kind())

		for key, found := range map[string]func(string) bool{
			"plain": func(key string) bool { _, ok := m.Map(key); return ok },
			"text":  func(key string) bool { _, ok := m.Map(key); return ok },
			"map":   func(key string) bool { _, ok := m.Array(key); return ok },
			"array": func(key string) bool { _, ok := m.Text(key); return ok },
			"none":  func(key string) bool { _, ok := m.Text(key); return ok },
		} {
			assert.False(t, found(key), key)
		}
		assert.NoError(t, tx.Err(), "something else under the key is no failure")
		plain, err := m.AsMap()
		require.NoError(t, err)
		assert.Equal(t, map[string]any{
			"text": "x!", "map": map[string]any{"a": []any{int64(1), int64(2)}}, "array": []any{"y", nil}, "plain": map[string]any{"a": int64(1)},
		}, plain)
	})
}

// An iteration shows the map as it was when it began.
func TestMap_All_IsASnapshot(t *testing.T) {
	doc := newDoc(t)
	write(t, doc, func(tx *ycrdt.Tx) {
		m := tx.Map("m")
		for _, key := range []string{"a", "b", "c"} {
			require.NoError(t, m.Set(key, ycrdt.NewMap{"own": key}))
		}
		var seen []string
		for key, value := range m.All() {
			seen = append(seen, key)
			require.NoError(t, value.(*ycrdt.Map).Set("touched", true))
			require.NoError(t, m.Set("new "+key, 1))
		}
		assert.Equal(t, []string{"a", "b", "c"}, seen)
		assert.Equal(t, 6, m.Len())
		for range m.All() {
			break
		}
		for range m.Keys() {
			break
		}
		require.NoError(t, tx.Err())
	})
}

// Nested types that the loop deletes are an ErrDeleted for who uses them, not for the iteration.
func TestMap_All_WhileDeleting(t *testing.T) {
	doc := newDoc(t)
	write(t, doc, func(tx *ycrdt.Tx) {
		m := tx.Map("m")
		for _, key := range []string{"a", "b", "c"} {
			require.NoError(t, m.Set(key, ycrdt.NewText(key)))
		}
		var seen []string
		for key := range m.All() {
			seen = append(seen, key)
			require.NoError(t, m.Clear())
		}
		assert.Equal(t, []string{"a", "b", "c"}, seen)
		assert.NoError(t, tx.Err())
	})
}

func TestMap_ConcurrentSetsConverge(t *testing.T) {
	a, b := newDocWith(t, ycrdt.DocOptions{ClientID: 1}), newDocWith(t, ycrdt.DocOptions{ClientID: 2})
	set(t, a, "k", "from a")
	set(t, b, "k", "from b")
	require.NoError(t, a.ApplyUpdate(encode(t, b)))
	require.NoError(t, b.ApplyUpdate(encode(t, a)))
	assert.Equal(t, map[string]any{"k": "from b"}, mapOf(t, a, "m"), "the higher client id wins")
	assert.Equal(t, mapOf(t, a, "m"), mapOf(t, b, "m"))
}
