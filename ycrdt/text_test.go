package ycrdt_test

import (
	"fmt"
	"math"
	"math/big"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt"
)

var (
	bold   = map[string]any{"bold": true}
	italic = map[string]any{"italic": true}
)

func TestText_Edits(t *testing.T) {
	image := map[string]any{"image": "url"}
	for _, test := range []struct {
		name string
		edit func(*ycrdt.Text) error
		want ycrdt.Delta
	}{
		{"insert", func(text *ycrdt.Text) error { return text.Insert(3, "é\x00") },
			ycrdt.Delta{{Insert: "a😀é\x00b"}}},
		{"insert at the end", func(text *ycrdt.Text) error { return text.Insert(4, "!") },
			ycrdt.Delta{{Insert: "a😀b!"}}},
		{"delete", func(text *ycrdt.Text) error { return text.Delete(1, 2) },
			ycrdt.Delta{{Insert: "ab"}}},
		{"delete all", func(text *ycrdt.Text) error { return text.Delete(0, 4) },
			ycrdt.Delta{}},
		{"format", func(text *ycrdt.Text) error { return text.Format(1, 2, bold) },
			ycrdt.Delta{{Insert: "a"}, {Insert: "😀", Attributes: bold}, {Insert: "b"}}},
		{"insert inherits", func(text *ycrdt.Text) error {
			return first(text.Format(0, 3, bold), text.Insert(1, "x"))
		}, ycrdt.Delta{{Insert: "ax😀", Attributes: bold}, {Insert: "b"}}},
		{"insert with attributes", func(text *ycrdt.Text) error {
			return first(text.Format(0, 3, bold), text.InsertWithAttributes(1, "x", italic))
		}, ycrdt.Delta{{Insert: "a", Attributes: bold}, {Insert: "x", Attributes: italic}, {Insert: "😀", Attributes: bold}, {Insert: "b"}}},
		{"insert without attributes", func(text *ycrdt.Text) error {
			return first(text.Format(0, 3, bold), text.InsertWithAttributes(1, "x", nil))
		}, ycrdt.Delta{{Insert: "a", Attributes: bold}, {Insert: "x"}, {Insert: "😀", Attributes: bold}, {Insert: "b"}}},
		{"unformat", func(text *ycrdt.Text) error {
			return first(text.Format(0, 4, bold), text.Format(1, 2, map[string]any{"bold": nil}))
		}, ycrdt.Delta{{Insert: "a", Attributes: bold}, {Insert: "😀"}, {Insert: "b", Attributes: bold}}},
		{"formats overlap", func(text *ycrdt.Text) error {
			return first(text.Format(0, 3, bold), text.Format(1, 3, italic))
		}, ycrdt.Delta{{Insert: "a", Attributes: bold}, {Insert: "😀", Attributes: map[string]any{"bold": true, "italic": true}}, {Insert: "b", Attributes: italic}}},
		{"attribute values", func(text *ycrdt.Text) error {
			return text.Format(0, 4, map[string]any{"": map[string]any{"list": []any{1, 2.5, "x", nil}}, "n": -1})
		}, ycrdt.Delta{{Insert: "a😀b", Attributes: map[string]any{"": map[string]any{"list": []any{int64(1), 2.5, "x", nil}}, "n": int64(-1)}}}},
		{"embed", func(text *ycrdt.Text) error { return text.InsertEmbed(1, image, bold) },
			ycrdt.Delta{{Insert: "a"}, {Insert: image, Attributes: bold}, {Insert: "😀b"}}},
		{"embed counts one", func(text *ycrdt.Text) error {
			return first(text.InsertEmbed(0, image, nil), text.Insert(1, "x"), text.Delete(0, 1))
		}, ycrdt.Delta{{Insert: "xa😀b"}}},
		{"delta", func(text *ycrdt.Text) error {
			return text.ApplyDelta(ycrdt.Delta{{Insert: "<"}, {Retain: 1, Attributes: bold}, {Delete: 2}, {Insert: image}, {Retain: 1}, {Insert: ">", Attributes: italic}})
		}, ycrdt.Delta{{Insert: "<"}, {Insert: "a", Attributes: bold}, {Insert: image}, {Insert: "b"}, {Insert: ">", Attributes: italic}}},
		{"delta inserts unformatted", func(text *ycrdt.Text) error {
			return first(text.Format(0, 4, bold), text.ApplyDelta(ycrdt.Delta{{Retain: 1}, {Insert: "x"}}))
		}, ycrdt.Delta{{Insert: "a", Attributes: bold}, {Insert: "x"}, {Insert: "😀b", Attributes: bold}}},
		{"empty delta", func(text *ycrdt.Text) error { return text.ApplyDelta(nil) },
			ycrdt.Delta{{Insert: "a😀b"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			doc := newDoc(t)
			write(t, doc, func(tx *ycrdt.Tx) {
				require.NoError(t, tx.Text("t").Insert(0, "a😀b"))
				require.NoError(t, test.edit(tx.Text("t")))
				assert.Equal(t, test.want, tx.Text("t").ToDelta())
			})
			assert.Equal(t, test.want, deltaOf(t, copyOf(t, doc), "t"))
			view(t, doc, func(tx *ycrdt.Tx) {
				want := 0
				for _, op := range test.want {
					if s, ok := op.Insert.(string); ok {
						want += ycrdt.UTF16Len(s)
					} else {
						want++
					}
				}
				assert.Equal(t, want, tx.Text("t").Len())
			})
		})
	}
}

// first returns the first failure of several calls.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// Embedded values and attributes are JSON on the wire. What JSON cannot carry would arrive as something else.
func TestText_RefusesValuesThatJSONCannotCarry(t *testing.T) {
	doc := newDoc(t)
	for _, value := range []any{
		ycrdt.Undefined, []byte{1}, math.NaN(), math.Inf(1), math.Inf(-1), new(big.Int).SetInt64(1<<53 + 1),
		[]any{[]byte{}}, map[string]any{"k": []any{math.NaN()}}, map[string]any{"k": ycrdt.Undefined},
		"\xff", []any{"\xff"}, map[string]any{"\xff": 1}, struct{}{}, func() {},
	} {
		name := fmt.Sprintf("%T %v", value, value)
		attributes := map[string]any{"k": value}
		write(t, doc, func(tx *ycrdt.Tx) {
			text := tx.Text("t")
			for where, err := range map[string]error{
				"embed":            text.InsertEmbed(0, value, nil),
				"attribute":        text.InsertWithAttributes(0, "x", attributes),
				"embed attribute":  text.InsertEmbed(0, 1, attributes),
				"format":           text.Format(0, 0, attributes),
				"delta insert":     text.ApplyDelta(ycrdt.Delta{{Insert: "x"}, {Insert: []any{value}}}),
				"delta attribute":  text.ApplyDelta(ycrdt.Delta{{Insert: "x", Attributes: attributes}}),
				"retain attribute": text.ApplyDelta(ycrdt.Delta{{Retain: 0, Attributes: attributes}}),
				"rich text":        tx.Map("m").Set("k", ycrdt.NewRichText{{Insert: []any{value}}}),
				"rich attribute":   tx.Map("m").Set("k", ycrdt.NewRichText{{Insert: "x", Attributes: attributes}}),
			} {
				assert.ErrorIs(t, err, ycrdt.ErrUnsupportedValue, where+" "+name)
			}
			assert.False(t, tx.Changed(), name)
		})
	}
}

// What an embed and an attribute hold is the same here and at a peer.
func TestText_ValuesArriveAsTheyWereWritten(t *testing.T) {
	for _, value := range []any{
		true, false, 0, -7, 1 << 40, 1<<53 - 1, 0.5, -1e300, "s", "", "\x00é😀",
		[]any{}, []any{nil, []any{1.5}}, map[string]any{}, map[string]any{"": nil, "k": map[string]any{"a": 1}},
	} {
		doc := newDoc(t)
		write(t, doc, func(tx *ycrdt.Tx) {
			require.NoError(t, tx.Text("t").InsertWithAttributes(0, "x", map[string]any{"k": value}))
			if _, isString := value.(string); !isString {
				require.NoError(t, tx.Text("t").InsertEmbed(0, value, nil))
			}
		})
		local := deltaOf(t, doc, "t")
		assert.Equal(t, local, deltaOf(t, copyOf(t, doc), "t"), "%T %v", value, value)
		assert.EqualValues(t, fmt.Sprint(value), fmt.Sprint(local[len(local)-1].Attributes["k"]))
	}
}

func TestText_InsertEmbed_RefusesText(t *testing.T) {
	doc := newDoc(t)
	write(t, doc, func(tx *ycrdt.Tx) {
		for _, value := range []any{"text", "", nil} {
			assert.ErrorIs(t, tx.Text("t").InsertEmbed(0, value, nil), ycrdt.ErrUnsupportedValue)
		}
	})
}

func TestText_ZeroLengthChangesNothing(t *testing.T) {
	for name, edit := range map[string]func(*ycrdt.Text) error{
		"insert":                 func(text *ycrdt.Text) error { return text.Insert(1, "") },
		"insert with attributes": func(text *ycrdt.Text) error { return text.InsertWithAttributes(1, "", bold) },
		"delete":                 func(text *ycrdt.Text) error { return text.Delete(1, 0) },
		"format":                 func(text *ycrdt.Text) error { return text.Format(1, 0, bold) },
		"format with nothing":    func(text *ycrdt.Text) error { return text.Format(0, 3, nil) },
		"remove absent format":   func(text *ycrdt.Text) error { return text.Format(0, 3, map[string]any{"x": nil}) },
		"delta insert":           func(text *ycrdt.Text) error { return text.ApplyDelta(ycrdt.Delta{{Insert: "", Attributes: bold}}) },
		"delta retain":           func(text *ycrdt.Text) error { return text.ApplyDelta(ycrdt.Delta{{Retain: 0, Attributes: bold}}) },
		"delta of nothing":       func(text *ycrdt.Text) error { return text.ApplyDelta(ycrdt.Delta{{}, {Delete: 0}}) },
	} {
		doc := newDoc(t)
		write(t, doc, func(tx *ycrdt.Tx) { require.NoError(t, tx.Text("t").Insert(0, "abc")) })
		before := encode(t, doc)
		write(t, doc, func(tx *ycrdt.Tx) { assert.NoError(t, edit(tx.Text("t")), name) })
		assert.Equal(t, before, encode(t, doc), name)
	}
}

func TestText_NestedTypes(t *testing.T) {
	doc := newDoc(t)
	write(t, doc, func(tx *ycrdt.Tx) {
		require.NoError(t, tx.Text("t").ApplyDelta(ycrdt.Delta{{Insert: "x"}, {Insert: ycrdt.NewMap{"k": ycrdt.NewText("deep")}, Attributes: bold}}))
		require.NoError(t, tx.Text("t").InsertEmbed(0, ycrdt.NewArray{1}, nil))
	})
	for _, doc := range []*ycrdt.Doc{doc, copyOf(t, doc)} {
		write(t, doc, func(tx *ycrdt.Tx) {
			text := tx.Text("t")
			assert.Equal(t, "x", text.String())
			assert.Equal(t, 3, text.Len())
			delta := text.ToDelta()
			require.Len(t, delta, 3)
			list := delta[0].Insert.(*ycrdt.Array)
			require.NoError(t, list.Append(2))
			assert.Equal(t, 2, list.Len())
			assert.Equal(t, bold, delta[2].Attributes)
			deep, ok := delta[2].Insert.(*ycrdt.Map).Text("k")
			require.True(t, ok)
			assert.Equal(t, "deep", deep.String())
		})
	}
}

func TestText_RefusesWhatIsNotUTF8(t *testing.T) {
	doc := newDoc(t)
	write(t, doc, func(tx *ycrdt.Tx) {
		text := tx.Text("t")
		const broken = "a\xffb"
		for name, err := range map[string]error{
			"insert":          text.Insert(0, broken),
			"with attributes": text.InsertWithAttributes(0, broken, bold),
			"delta":           text.ApplyDelta(ycrdt.Delta{{Insert: broken}}),
			"attribute":       text.InsertWithAttributes(0, "x", map[string]any{broken: 1}),
			"new text":        tx.Map("m").Set("k", ycrdt.NewText(broken)),
			"map value":       tx.Map("m").Set("k", broken),
			"map key":         tx.Map("m").Set(broken, 1),
			"new map key":     tx.Map("m").Set("k", ycrdt.NewMap{broken: 1}),
			"array value":     tx.Array("a").Insert(0, broken),
		} {
			assert.ErrorIs(t, err, ycrdt.ErrUnsupportedValue, name)
		}
		assert.False(t, tx.Changed())
	})
	err := doc.Transact(func(tx *ycrdt.Tx) error { tx.Text("\xff"); return nil })
	assert.ErrorIs(t, err, ycrdt.ErrUnsupportedValue, "a root's name")
}

// Deleting and formatting leave no trace of what they touch in a neighbouring text.
func TestText_Convergence(t *testing.T) {
	a := newDocWith(t, ycrdt.DocOptions{ClientID: 1})
	b := newDocWith(t, ycrdt.DocOptions{ClientID: 2})
	write(t, a, func(tx *ycrdt.Tx) { require.NoError(t, tx.Text("t").Insert(0, "hello world")) })
	require.NoError(t, b.ApplyUpdate(encode(t, a)))
	write(t, a, func(tx *ycrdt.Tx) {
		require.NoError(t, tx.Text("t").Format(0, 5, bold))
		require.NoError(t, tx.Text("t").Insert(5, ","))
	})
	write(t, b, func(tx *ycrdt.Tx) {
		require.NoError(t, tx.Text("t").Format(3, 5, italic))
		require.NoError(t, tx.Text("t").Delete(5, 1))
	})
	require.NoError(t, a.ApplyUpdate(encode(t, b)))
	require.NoError(t, b.ApplyUpdate(encode(t, a)))
	assert.Equal(t, deltaOf(t, a, "t"), deltaOf(t, b, "t"))
	assert.Equal(t, "hello,world", textOf(t, a, "t"))
}
