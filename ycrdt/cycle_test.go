package ycrdt_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt"
)

// cycles returns values that contain themselves, more than once so that they cannot be walked to the end of every path.
func cycles() map[string]any {
	object := map[string]any{}
	object["a"], object["b"] = object, object
	list := []any{nil, nil}
	list[0], list[1] = list, list
	mixed := map[string]any{}
	mixed["list"] = []any{mixed, mixed}
	return map[string]any{"object": object, "list": list, "mixed": mixed}
}

// typeCycles returns the same of new shared types.
func typeCycles() map[string]any {
	object := ycrdt.NewMap{}
	object["a"], object["b"] = object, object
	list := ycrdt.NewArray{nil, nil}
	list[0], list[1] = list, list
	text := ycrdt.NewRichText{{Insert: "x"}, {}, {}}
	text[1].Insert, text[2].Insert = text, text
	mixed := ycrdt.NewMap{}
	mixed["list"] = ycrdt.NewArray{ycrdt.NewRichText{{Insert: mixed}}, mixed}
	return map[string]any{"object": object, "list": list, "text": text, "mixed": mixed}
}

// A stack that overflows cannot be recovered from: a cycle has to be found before.
func TestValue_RefusesCycles(t *testing.T) {
	doc := newDoc(t)
	for name, value := range cycles() {
		attributes := map[string]any{"k": value}
		write(t, doc, func(tx *ycrdt.Tx) {
			text := tx.Text("t")
			for where, err := range map[string]error{
				"map":         tx.Map("m").Set("k", value),
				"array":       tx.Array("a").Insert(0, 1, value),
				"in new map":  tx.Map("m").Set("k", ycrdt.NewMap{"k": value}),
				"embed":       text.InsertEmbed(0, value, nil),
				"attribute":   text.InsertWithAttributes(0, "x", attributes),
				"format":      text.Format(0, 0, attributes),
				"delta":       text.ApplyDelta(ycrdt.Delta{{Insert: value}}),
				"retain":      text.ApplyDelta(ycrdt.Delta{{Retain: 0, Attributes: attributes}}),
				"rich text":   tx.Map("m").Set("k", ycrdt.NewRichText{{Insert: value}}),
				"in new list": tx.Array("a").Append(ycrdt.NewArray{value}),
			} {
				assert.ErrorIs(t, err, ycrdt.ErrUnsupportedValue, name+" "+where)
				assert.ErrorContains(t, err, "nested more than 64 deep (a cycle?)", name+" "+where)
			}
			assert.False(t, tx.Changed(), name)
		})
	}
	for name, value := range typeCycles() {
		write(t, doc, func(tx *ycrdt.Tx) {
			for where, err := range map[string]error{
				"map":   tx.Map("m").Set("k", value),
				"array": tx.Array("a").Append(value),
				"text":  tx.Text("t").InsertEmbed(0, value, nil),
			} {
				assert.ErrorIs(t, err, ycrdt.ErrUnsupportedValue, name+" "+where)
				assert.ErrorContains(t, err, "(a cycle?)", name+" "+where)
			}
			assert.False(t, tx.Changed(), name)
		})
	}
}

func TestDelta_MarshalJSON_RefusesCycles(t *testing.T) {
	self := ycrdt.Delta{{}}
	self[0].Insert = self
	inStruct := ycrdt.Delta{{}}
	inStruct[0].Insert = struct{ Delta ycrdt.Delta }{inStruct}
	deltas := map[string]ycrdt.Delta{"delta": self, "in a struct": inStruct}
	for name, value := range cycles() {
		deltas[name] = ycrdt.Delta{{Insert: value}}
		deltas[name+" attribute"] = ycrdt.Delta{{Retain: 1, Attributes: map[string]any{"k": value}}}
	}
	types := typeCycles()
	for _, name := range []string{"object", "list"} {
		deltas["new "+name] = ycrdt.Delta{{Insert: types[name]}}
	}
	for name, delta := range deltas {
		_, err := json.Marshal(delta)
		assert.ErrorIs(t, err, ycrdt.ErrUnsupportedValue, name)
	}
}

// What a document holds may be deeper than what one value may be.
func TestMarshalJSON_FollowsTypesAroundValues(t *testing.T) {
	doc := newDoc(t)
	write(t, doc, func(tx *ycrdt.Tx) {
		require.NoError(t, tx.Map("m").Set("k", nestedTypes(64, nestedLists(64, 1))))
		require.NoError(t, tx.Text("t").InsertEmbed(0, nestedLists(64, 1), nil))
	})
	assert.Len(t, marshal(t, doc, func(tx *ycrdt.Tx) any { return tx.Map("m") }), len(`{"k":1}`)+32*len(`[{"k":}]`)+64*len(`[]`))
	assert.Len(t, marshal(t, doc, func(tx *ycrdt.Tx) any { return tx.Text("t").ToDelta() }), len(`[{"insert":1}]`)+64*len(`[]`))
}
