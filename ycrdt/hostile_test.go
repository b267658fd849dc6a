package ycrdt_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt"
)

// Updates that no honest peer sends and that are let in, or nearly, and what must not come of them.

func TestHostile_DeepAttributes(t *testing.T) {
	deep := func(levels int) []byte { return []byte(strings.Repeat("[", levels) + strings.Repeat("]", levels)) }
	for name, content := range map[string]func(json []byte) []byte{
		"attribute": func(json []byte) []byte { return one(6, 1, 1, "t", 1, "b", varint(uint64(len(json))), json) },
		"embed":     func(json []byte) []byte { return one(5, 1, 1, "t", varint(uint64(len(json))), json) },
	} {
		doc := newDoc(t)
		sub, err := doc.ObserveDeep(ycrdt.RootText("t"), func([]ycrdt.Event) {})
		require.NoError(t, err)
		assert.ErrorContains(t, doc.ApplyUpdate(content(deep(65))), "value nested too deeply", name)
		assert.NoError(t, doc.ApplyUpdate(content(deep(64))), name)
		sub.Close()
	}
}

// What is held back under clocks that were filled in another way is not what the document holds.
func TestHostile_HeldUnderClocksOfOthers(t *testing.T) {
	doc, err := ycrdt.NewDocWith(ycrdt.DocOptions{ClientID: 1})
	require.NoError(t, err)
	defer doc.Close()
	// Three characters of client 1, right of something of client 2 that is missing.
	require.NoError(t, doc.ApplyUpdate(cat(1, 1, 1, 0, 0x84, 2, 0, 3, "abc", 0)))
	write(t, doc, func(tx *ycrdt.Tx) { require.NoError(t, tx.Text("t").Insert(0, "xy")) })
	loaded := copyOf(t, doc)
	view(t, loaded, func(tx *ycrdt.Tx) { assert.Equal(t, "xy", tx.Text("t").String()) })
	write(t, doc, func(tx *ycrdt.Tx) { require.NoError(t, tx.Text("t").Insert(2, "zz")) })
	var pending bool
	defer doc.OnUpdate(func(e ycrdt.UpdateEvent) { pending = e.Pending }).Close()
	require.NoError(t, doc.ApplyUpdate(cat(1, 1, 3, 0, char, 0)))
	assert.False(t, pending, "what was held back is known by now")
}

func TestHostile_OwnClientAtItsLastClock(t *testing.T) {
	doc, err := ycrdt.NewDocWith(ycrdt.DocOptions{ClientID: 1})
	require.NoError(t, err)
	defer doc.Close()
	err = doc.ApplyUpdate(cat(1, 1, 1, 0, 0, varint(1<<31-2), 0))
	assert.ErrorIs(t, err, ycrdt.ErrMalformed)
	assert.ErrorContains(t, err, "own client")
	require.NoError(t, doc.ApplyUpdate(cat(1, 1, 2, 0, 0, varint(1<<31-2), 0)), "of others it does not matter")
	write(t, doc, func(tx *ycrdt.Tx) { require.NoError(t, tx.Text("t").Insert(0, "x")) })
}

// An attribute as the value of a key: yrs fails to say what the key has become.
func TestHostile_AttributeAsValue(t *testing.T) {
	doc := newDoc(t)
	heard := 0
	_, err := doc.ObserveDeep(ycrdt.RootMap("m"), func(events []ycrdt.Event) { heard += len(events) })
	require.NoError(t, err)
	require.NoError(t, doc.ApplyUpdate(one(0x26, 1, 1, "m", 1, "k", 1, "b", 4, "true")))
	assert.Zero(t, heard, "there is nothing to tell")
	set(t, doc, "other", 1)
	assert.Equal(t, 1, heard, "the observer lives on")
	encode(t, doc)
}

// Plain values in a text: offsets behind them would be taken for others.
func TestHostile_ValuesInText(t *testing.T) {
	doc, err := ycrdt.NewDocWith(ycrdt.DocOptions{OffsetKind: ycrdt.OffsetBytes})
	require.NoError(t, err)
	defer doc.Close()
	require.NoError(t, doc.ApplyUpdate(cat(1, 2, 1, 0, 8, 1, 1, "t", 2, 126, 126, 0x84, 1, 1, 5, "ß€", 0)))
	write(t, doc, func(tx *ycrdt.Tx) {
		text := tx.Text("t")
		for at := range text.Len() + 1 {
			assert.ErrorIs(t, text.Insert(at, "z"), ycrdt.ErrWrongType)
			assert.ErrorIs(t, text.Format(0, at, bold), ycrdt.ErrWrongType)
			assert.ErrorIs(t, text.Delete(0, at), ycrdt.ErrWrongType)
		}
	})
	copyOf(t, doc)
}

// An item whose parent holds no shared type comes in as a tombstone, as in Yjs.
func TestHostile_ParentThatIsNoType(t *testing.T) {
	for name, parent := range map[string][]byte{
		"character": one(char), "value": one(entry, 1, 126), "deleted": one(0x21, 1, 1, "m", 1, "k", 1), "gone": one(0, 1),
	} {
		doc := newDoc(t)
		require.NoError(t, doc.ApplyUpdate(parent), name)
		child := cat(1, 2, 2, 0, 4, 0, 1, 0, 1, "y", 0x87, 2, 0, 1, 0)
		require.NoError(t, doc.ApplyUpdate(child), name)
		require.NoError(t, doc.ApplyUpdate(cat(1, 1, 3, 0, 0x27, 0, 2, 1, 1, "k", 1, 0)), name)
		copyOf(t, doc)
		view(t, doc, func(tx *ycrdt.Tx) { assert.NotContains(t, tx.Text("t").String(), "y", name) })
	}
}

// A deletion that leaves half a surrogate pair, as Yjs allows, changes what the rest is in bytes. yrs does not notice.
func TestHostile_HalfASurrogatePair(t *testing.T) {
	for kind, length := range map[ycrdt.OffsetKind]int{ycrdt.OffsetUTF16: 3, ycrdt.OffsetBytes: 5} {
		doc, err := ycrdt.NewDocWith(ycrdt.DocOptions{OffsetKind: kind})
		require.NoError(t, err)
		defer doc.Close()
		require.NoError(t, doc.ApplyUpdate(one(4, 1, 1, "t", 6, "a😀b")))
		require.NoError(t, doc.ApplyUpdate(cat(0, 1, 1, 1, 1, 1)))
		write(t, doc, func(tx *ycrdt.Tx) {
			text := tx.Text("t")
			assert.Equal(t, "a\uFFFDb", text.String())
			require.Equal(t, length, text.Len())
			require.NoError(t, text.Insert(length, "c"))
			require.NoError(t, text.Delete(0, length))
			assert.Equal(t, "c", text.String())
		})
		copyOf(t, doc)
	}
}

// A subdocument that is deleted beside something else that is.
func TestHostile_DeletedSubdocument(t *testing.T) {
	doc := newDoc(t)
	require.NoError(t, doc.ApplyUpdate(cat(1, 3, 1, 0, 8, 1, 1, "a", 1, 126, 0x89, 1, 0, 1, "g", 118, 0, 0x88, 1, 1, 1, 126, 0)))
	write(t, doc, func(tx *ycrdt.Tx) { require.NoError(t, tx.Array("a").Delete(0, 3)) })
	assert.Equal(t, 1, doc.Garbage())
	copyOf(t, doc)
}

// What stands between a list and a map counts as an entry of the map, and so does what is inserted beside it.
func TestHostile_BetweenListAndMap(t *testing.T) {
	doc := newDoc(t)
	require.NoError(t, doc.ApplyUpdate(one(entry, 1, 126)))
	require.NoError(t, doc.ApplyUpdate(cat(1, 2, 2, 0, 8, 1, 1, "a", 1, 126, 0xc8, 2, 0, 1, 0, 1, 126, 0)))
	write(t, doc, func(tx *ycrdt.Tx) {
		array := tx.Array("a")
		for at := range array.Len() + 1 {
			// Whether it is possible does not matter; it must not break the document.
			if err := array.Insert(at, 1, ycrdt.NewMap{}, 2, ycrdt.NewMap{}, 3); err != nil {
				assert.ErrorIs(t, err, ycrdt.ErrWrongType)
			}
		}
	})
	copyOf(t, doc)
}

// Characters in the place of XML elements, and arrays that hold characters.
func TestHostile_ForeignContentInXML(t *testing.T) {
	doc := newDoc(t)
	require.NoError(t, doc.ApplyUpdate(cat(1, 6, 1, 0,
		7, 1, 1, "a", 3, 1, "p", // an element in the root array "a"
		4, 0, 1, 0, 4, "😀", // a character in it
		0x87, 1, 2, 0, // an array behind that, at clock 3
		4, 0, 1, 3, 4, "😀", // with a character
		0x27, 0, 1, 0, 1, "k", 0, // an array as its attribute "k", at clock 6
		4, 0, 1, 6, 4, "😀",
		0)))
	view(t, doc, func(tx *ycrdt.Tx) {
		values, err := tx.Array("a").AsSlice()
		require.NoError(t, err)
		assert.Equal(t, []any{"<p></p>"}, values)
	})
}
