package ycrdt_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt"
)

// Every edit at every offset of a text with characters of all sizes, in both units: it hits the boundary that it
// names, or it is refused and nothing changes.
func TestText_OffsetsHitCharactersOrAreRefused(t *testing.T) {
	const content = "aé€😀z"
	boundaries := map[ycrdt.OffsetKind]map[int]int{ // offset → byte
		ycrdt.OffsetUTF16: {0: 0, 1: 1, 2: 3, 3: 6, 5: 10, 6: 11},
		ycrdt.OffsetBytes: {0: 0, 1: 1, 3: 3, 6: 6, 10: 10, 11: 11},
	}
	for kind, boundaries := range boundaries {
		for _, split := range []bool{false, true} { // one block, or a block a character
			t.Run(fmt.Sprintf("kind %d, split %v", kind, split), func(t *testing.T) {
				source := newDocWith(t, ycrdt.DocOptions{OffsetKind: kind})
				write(t, source, func(tx *ycrdt.Tx) {
					if !split {
						require.NoError(t, tx.Text("t").Insert(0, content))
						return
					}
					for i := len(content); i > 0; { // backwards, so that the blocks do not merge
						start := i - 1
						for content[start]&0xc0 == 0x80 {
							start--
						}
						require.NoError(t, tx.Text("t").Insert(0, content[start:i]))
						i = start
					}
				})
				state := encode(t, source)
				fresh := func() *ycrdt.Doc {
					doc := newDocWith(t, ycrdt.DocOptions{OffsetKind: kind})
					require.NoError(t, doc.ApplyUpdate(state))
					return doc
				}
				last := 0
				for offset := range boundaries {
					last = max(last, offset)
				}
				view(t, fresh(), func(tx *ycrdt.Tx) { assert.Equal(t, last, tx.Text("t").Len()) })
				for offset := -1; offset <= last+2; offset++ {
					checkInsert(t, fresh, state, content, boundaries, offset)
					for length := -1; length <= last+2; length++ {
						checkDelete(t, fresh, state, content, boundaries, offset, length)
						checkFormat(t, fresh, state, boundaries, offset, length)
					}
				}
			})
		}
	}
}

func checkInsert(t *testing.T, fresh func() *ycrdt.Doc, state []byte, content string, boundaries map[int]int, offset int) {
	t.Helper()
	for name, insert := range map[string]func(*ycrdt.Text) error{
		"insert":     func(text *ycrdt.Text) error { return text.Insert(offset, "|") },
		"attributes": func(text *ycrdt.Text) error { return text.InsertWithAttributes(offset, "|", bold) },
		"delta":      func(text *ycrdt.Text) error { return text.ApplyDelta(ycrdt.Delta{{Retain: offset}, {Insert: "|"}}) },
		"embed":      func(text *ycrdt.Text) error { return text.InsertEmbed(offset, 1, nil) },
	} {
		doc := fresh()
		var err error
		write(t, doc, func(tx *ycrdt.Tx) { err = insert(tx.Text("t")) })
		at, ok := boundaries[offset]
		if !ok {
			assert.ErrorIs(t, err, ycrdt.ErrOutOfRange, "%s at %d", name, offset)
			assert.Equal(t, state, encode(t, doc), "%s at %d", name, offset)
			continue
		}
		assert.NoError(t, err, "%s at %d", name, offset)
		if name == "embed" {
			assert.Equal(t, content[:at], charactersBefore(deltaOf(t, doc, "t")), "%s at %d", name, offset)
		} else {
			assert.Equal(t, content[:at]+"|"+content[at:], textOf(t, doc, "t"), "%s at %d", name, offset)
		}
	}
}

// charactersBefore returns the characters before the first embedded value.
func charactersBefore(delta ycrdt.Delta) string {
	before, _ := delta[0].Insert.(string)
	return before
}

func checkDelete(t *testing.T, fresh func() *ycrdt.Doc, state []byte, content string, boundaries map[int]int, offset, length int) {
	t.Helper()
	for name, del := range map[string]func(*ycrdt.Text) error{
		"delete": func(text *ycrdt.Text) error { return text.Delete(offset, length) },
		"delta":  func(text *ycrdt.Text) error { return text.ApplyDelta(ycrdt.Delta{{Retain: offset}, {Delete: length}}) },
	} {
		doc := fresh()
		var err error
		write(t, doc, func(tx *ycrdt.Tx) { err = del(tx.Text("t")) })
		from, ok := boundaries[offset]
		to, ok2 := boundaries[offset+length]
		if !ok || !ok2 || length < 0 {
			assert.ErrorIs(t, err, ycrdt.ErrOutOfRange, "%s %d+%d", name, offset, length)
			assert.Equal(t, state, encode(t, doc), "%s %d+%d", name, offset, length)
			continue
		}
		assert.NoError(t, err, "%s %d+%d", name, offset, length)
		assert.Equal(t, content[:from]+content[to:], textOf(t, doc, "t"), "%s %d+%d", name, offset, length)
	}
}

func checkFormat(t *testing.T, fresh func() *ycrdt.Doc, state []byte, boundaries map[int]int, offset, length int) {
	t.Helper()
	doc := fresh()
	var err error
	write(t, doc, func(tx *ycrdt.Tx) { err = tx.Text("t").Format(offset, length, bold) })
	from, ok := boundaries[offset]
	to, ok2 := boundaries[offset+length]
	if !ok || !ok2 || length < 0 {
		assert.ErrorIs(t, err, ycrdt.ErrOutOfRange, "format %d+%d", offset, length)
		assert.Equal(t, state, encode(t, doc), "format %d+%d", offset, length)
		return
	}
	assert.NoError(t, err, "format %d+%d", offset, length)
	formatted := 0
	for _, op := range deltaOf(t, doc, "t") {
		if op.Attributes != nil {
			formatted += len(op.Insert.(string))
		}
	}
	assert.Equal(t, to-from, formatted, "format %d+%d", offset, length)
}

func TestText_HugeOffsetsAreRefused(t *testing.T) {
	doc := newDoc(t)
	write(t, doc, func(tx *ycrdt.Tx) { require.NoError(t, tx.Text("t").Insert(0, "abc")) })
	before := encode(t, doc)
	for _, huge := range []int{4, math.MaxInt32, math.MaxUint32, math.MaxUint32 + 1, math.MaxUint32 + 3, math.MaxInt, math.MinInt} {
		write(t, doc, func(tx *ycrdt.Tx) {
			text := tx.Text("t")
			for name, err := range map[string]error{
				"insert":        text.Insert(huge, "x"),
				"delete from":   text.Delete(huge, 0),
				"delete length": text.Delete(1, huge),
				"format from":   text.Format(huge, 0, bold),
				"format length": text.Format(1, huge, bold),
				"embed":         text.InsertEmbed(huge, 1, nil),
				"delta retain":  text.ApplyDelta(ycrdt.Delta{{Insert: "x"}, {Retain: huge}}),
				"delta delete":  text.ApplyDelta(ycrdt.Delta{{Insert: "x"}, {Delete: huge}}),
				"array insert":  tx.Array("a").Insert(huge, 1),
				"array delete":  tx.Array("a").Delete(0, huge),
			} {
				assert.ErrorIs(t, err, ycrdt.ErrOutOfRange, "%s %d", name, huge)
				var typed *ycrdt.Error
				assert.ErrorAs(t, err, &typed, "%s %d", name, huge)
			}
			_, ok := tx.Array("a").Value(huge)
			assert.False(t, ok)
			assert.NoError(t, tx.Err(), "asking for a value that is not there is no failure")
		})
	}
	assert.Equal(t, before, encode(t, doc))
}

// Embedded values and deleted characters do not shift the boundaries that later offsets are checked against.
func TestText_OffsetsBetweenEmbedsAndDeletions(t *testing.T) {
	doc := newDoc(t)
	write(t, doc, func(tx *ycrdt.Tx) {
		text := tx.Text("t")
		require.NoError(t, text.Insert(0, "😀x😀"))
		require.NoError(t, text.InsertEmbed(2, map[string]any{}, bold)) // 😀 embed x 😀
		require.NoError(t, text.Insert(4, "gone"))
		require.NoError(t, text.Delete(4, 4))
		for _, inside := range []int{1, 5} {
			assert.ErrorIs(t, text.Insert(inside, "|"), ycrdt.ErrOutOfRange)
			assert.ErrorIs(t, text.Delete(inside, 1), ycrdt.ErrOutOfRange)
		}
		require.NoError(t, text.Insert(4, "4"))
		require.NoError(t, text.Insert(3, "3"))
		require.NoError(t, text.Insert(2, "2"))
		assert.Equal(t, "😀23x4😀", text.String())
	})
}

func TestOffset_Conversions(t *testing.T) {
	const s = "aé€😀z" // bytes 0 1 3 6 10 11, UTF-16 0 1 2 3 5 6, runes 0 to 5
	bytes, units := []int{0, 1, 3, 6, 10, 11}, []int{0, 1, 2, 3, 5, 6}
	assert.Equal(t, 6, ycrdt.UTF16Len(s))
	for i := range bytes {
		at, err := ycrdt.UTF16Offset(s, bytes[i])
		require.NoError(t, err)
		assert.Equal(t, units[i], at)
		at, err = ycrdt.ByteOffset(s, units[i])
		require.NoError(t, err)
		assert.Equal(t, bytes[i], at)
		at, err = ycrdt.RuneOffset(s, i)
		require.NoError(t, err)
		assert.Equal(t, units[i], at)
	}
	for _, wrong := range []int{-1, 2, 4, 5, 7, 8, 9, 12} {
		_, err := ycrdt.UTF16Offset(s, wrong)
		assert.ErrorIs(t, err, ycrdt.ErrOutOfRange, wrong)
	}
	for _, wrong := range []int{-1, 4, 7} {
		_, err := ycrdt.ByteOffset(s, wrong)
		assert.ErrorIs(t, err, ycrdt.ErrOutOfRange, wrong)
	}
	for _, wrong := range []int{-1, 6} {
		_, err := ycrdt.RuneOffset(s, wrong)
		assert.ErrorIs(t, err, ycrdt.ErrOutOfRange, wrong)
	}
	for _, convert := range []func(string, int) (int, error){ycrdt.UTF16Offset, ycrdt.ByteOffset, ycrdt.RuneOffset} {
		at, err := convert("", 0)
		assert.NoError(t, err)
		assert.Zero(t, at)
		_, err = convert("", 1)
		assert.ErrorIs(t, err, ycrdt.ErrOutOfRange)
	}
	_, err := ycrdt.ByteOffset(s, 4)
	assert.EqualError(t, err, "ycrdt: byte offset: offset 4 is outside the string or inside a character")
}
