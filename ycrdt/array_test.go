package ycrdt_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt"
)

func TestArray_Edits(t *testing.T) {
	for _, test := range []struct {
		name string
		edit func(*ycrdt.Array) error
		want []any
	}{
		{"insert at the start", func(a *ycrdt.Array) error { return a.Insert(0, "x", "y") }, []any{"x", "y", int64(1), int64(2), int64(3)}},
		{"insert inside", func(a *ycrdt.Array) error { return a.Insert(1, "x") }, []any{int64(1), "x", int64(2), int64(3)}},
		{"insert at the end", func(a *ycrdt.Array) error { return a.Insert(3, nil) }, []any{int64(1), int64(2), int64(3), nil}},
		{"insert nothing", func(a *ycrdt.Array) error { return a.Insert(1) }, []any{int64(1), int64(2), int64(3)}},
		{"append", func(a *ycrdt.Array) error { return a.Append("x", "y") }, []any{int64(1), int64(2), int64(3), "x", "y"}},
		{"append nothing", func(a *ycrdt.Array) error { return a.Append() }, []any{int64(1), int64(2), int64(3)}},
		{"delete", func(a *ycrdt.Array) error { return a.Delete(1, 1) }, []any{int64(1), int64(3)}},
		{"delete all", func(a *ycrdt.Array) error { return a.Delete(0, 3) }, []any{}},
		{"delete nothing", func(a *ycrdt.Array) error { return a.Delete(3, 0) }, []any{int64(1), int64(2), int64(3)}},
		{"types between values", func(a *ycrdt.Array) error {
			return a.Insert(1, "x", ycrdt.NewMap{"k": 1}, ycrdt.NewText("t"), "y", "z", ycrdt.NewArray{})
		}, []any{int64(1), "x", map[string]any{"k": int64(1)}, "t", "y", "z", []any{}, int64(2), int64(3)}},
	} {
		t.Run(test.name, func(t *testing.T) {
			doc := newDoc(t)
			write(t, doc, func(tx *ycrdt.Tx) {
				require.NoError(t, tx.Array("a").Insert(0, 1, 2, 3))
				require.NoError(t, test.edit(tx.Array("a")))
			})
			assert.Equal(t, test.want, arrayOf(t, doc, "a"))
			assert.Equal(t, test.want, arrayOf(t, copyOf(t, doc), "a"))
			view(t, doc, func(tx *ycrdt.Tx) { assert.Equal(t, len(test.want), tx.Array("a").Len()) })
		})
	}
}

func TestArray_IndicesOutOfRangeChangeNothing(t *testing.T) {
	doc := newDoc(t)
	write(t, doc, func(tx *ycrdt.Tx) { require.NoError(t, tx.Array("a").Insert(0, 1, 2, 3)) })
	before := encode(t, doc)
	for name, edit := range map[string]func(*ycrdt.Array) error{
		"insert past the end":   func(a *ycrdt.Array) error { return a.Insert(4, 1) },
		"insert nothing there":  func(a *ycrdt.Array) error { return a.Insert(4) },
		"insert negative":       func(a *ycrdt.Array) error { return a.Insert(-1, 1) },
		"delete past the end":   func(a *ycrdt.Array) error { return a.Delete(2, 2) },
		"delete from past":      func(a *ycrdt.Array) error { return a.Delete(4, 0) },
		"delete negative":       func(a *ycrdt.Array) error { return a.Delete(-1, 1) },
		"delete negative count": func(a *ycrdt.Array) error { return a.Delete(1, -1) },
	} {
		write(t, doc, func(tx *ycrdt.Tx) { assert.ErrorIs(t, edit(tx.Array("a")), ycrdt.ErrOutOfRange, name) })
		assert.Equal(t, before, encode(t, doc), name)
	}
	view(t, doc, func(tx *ycrdt.Tx) {
		for _, index := range []int{-1, 3} {
			_, ok := tx.Array("a").Value(index)
			assert.False(t, ok, index)
		}
		value, ok := tx.Array("a").Value(2)
		assert.True(t, ok)
		assert.Equal(t, int64(3), value)
	})
}

// A value that is refused takes the whole call with it.
func TestArray_Insert_IsAllOrNothing(t *testing.T) {
	doc := newDoc(t)
	write(t, doc, func(tx *ycrdt.Tx) {
		err := tx.Array("a").Insert(0, 1, ycrdt.NewMap{"k": 1}, struct{}{})
		assert.ErrorIs(t, err, ycrdt.ErrUnsupportedValue)
		assert.ErrorContains(t, err, "value 2")
		assert.False(t, tx.Changed())
	})
}

func TestArray_All_IsASnapshot(t *testing.T) {
	doc := newDoc(t)
	write(t, doc, func(tx *ycrdt.Tx) {
		a := tx.Array("a")
		require.NoError(t, a.Insert(0, ycrdt.NewText("x"), 1, ycrdt.NewText("y")))
		var seen []any
		for i, value := range a.All() {
			assert.Equal(t, len(seen), i)
			if text, ok := value.(*ycrdt.Text); ok {
				value = text.String()
			}
			seen = append(seen, value)
			require.NoError(t, a.Insert(0, "new"))
		}
		assert.Equal(t, []any{"x", int64(1), "y"}, seen)
		assert.Equal(t, 6, a.Len())
		for range a.All() {
			break
		}
	})
}

// Values inserted by one call travel as one block, as Yjs does, and not as one each.
func TestArray_Insert_WritesOneBlock(t *testing.T) {
	doc := newDoc(t)
	values := make([]any, 1000)
	write(t, doc, func(tx *ycrdt.Tx) { require.NoError(t, tx.Array("a").Insert(0, values...)) })
	assert.Less(t, len(encode(t, doc)), len(values)+50)
}

func TestArray_NestedHandles(t *testing.T) {
	doc := newDoc(t)
	write(t, doc, func(tx *ycrdt.Tx) {
		a := tx.Array("a")
		require.NoError(t, a.Insert(0, ycrdt.NewText("x"), ycrdt.NewMap{"k": 1}, ycrdt.NewArray{1, 2}, "plain"))
		text, ok := a.Text(0)
		require.True(t, ok)
		assert.Equal(t, "x", text.String())
		m, ok := a.Map(1)
		require.True(t, ok)
		assert.Equal(t, 1, m.Len())
		inner, ok := a.Array(2)
		require.True(t, ok)
		assert.Equal(t, 2, inner.Len())
		for _, index := range []int{-1, 1, 3, 4} {
			_, ok := a.Text(index)
			assert.False(t, ok, index)
		}
	})
}
