package ycrdt_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt"
)

// Each way of reading a root, by the kind that it takes it for.
var readings = map[string]map[string]func(*ycrdt.Tx) (any, error){
	"text": {
		"String":      func(tx *ycrdt.Tx) (any, error) { return tx.Text("r").String(), tx.Err() },
		"Len":         func(tx *ycrdt.Tx) (any, error) { return tx.Text("r").Len(), tx.Err() },
		"ToDelta":     func(tx *ycrdt.Tx) (any, error) { return len(tx.Text("r").ToDelta()), tx.Err() },
		"MarshalJSON": func(tx *ycrdt.Tx) (any, error) { return asString(tx.Text("r").MarshalJSON()) },
	},
	"map": {
		"AsMap":       func(tx *ycrdt.Tx) (any, error) { return tx.Map("r").AsMap() },
		"Len":         func(tx *ycrdt.Tx) (any, error) { return tx.Map("r").Len(), tx.Err() },
		"MarshalJSON": func(tx *ycrdt.Tx) (any, error) { return asString(tx.Map("r").MarshalJSON()) },
		"All": func(tx *ycrdt.Tx) (any, error) {
			n := 0
			for range tx.Map("r").All() {
				n++
			}
			return n, tx.Err()
		},
	},
	"array": {
		"AsSlice":     func(tx *ycrdt.Tx) (any, error) { return tx.Array("r").AsSlice() },
		"MarshalJSON": func(tx *ycrdt.Tx) (any, error) { return asString(tx.Array("r").MarshalJSON()) },
		"Value": func(tx *ycrdt.Tx) (any, error) {
			value, _ := tx.Array("r").Value(0)
			return value, tx.Err()
		},
		"All": func(tx *ycrdt.Tx) (any, error) {
			n := 0
			for range tx.Array("r").All() {
				n++
			}
			return n, tx.Err()
		},
	},
}

func asString(data []byte, err error) (any, error) { return string(data), err }

// A peer can write anything under any name. Reading it as another kind gives what there is of that kind; only an array
// that holds characters longer than its units is refused, because yrs would never find its end.
func TestTx_ReadsOfForeignRoots(t *testing.T) {
	wrong := ycrdt.ErrWrongType
	for _, test := range []struct {
		holds  string
		kind   ycrdt.OffsetKind
		update []byte
		as     string
		want   map[string]any // an error, or the answer
	}{
		{"wide text", ycrdt.OffsetUTF16, one(4, 1, 1, "r", 6, "a😀b"), "text",
			map[string]any{"String": "a😀b", "Len": 4, "ToDelta": 1, "MarshalJSON": `"a😀b"`}},
		{"wide text", ycrdt.OffsetUTF16, one(4, 1, 1, "r", 6, "a😀b"), "map",
			map[string]any{"AsMap": map[string]any{}, "Len": 0, "MarshalJSON": "{}", "All": 0}},
		{"wide text", ycrdt.OffsetUTF16, one(4, 1, 1, "r", 6, "a😀b"), "array",
			map[string]any{"AsSlice": wrong, "MarshalJSON": wrong, "Value": wrong, "All": wrong}},
		{"text of two bytes a character", ycrdt.OffsetBytes, one(4, 1, 1, "r", 2, "é"), "array",
			map[string]any{"AsSlice": wrong, "MarshalJSON": wrong, "Value": wrong, "All": wrong}},
		{"text of one unit a character", ycrdt.OffsetUTF16, one(4, 1, 1, "r", 3, "aé"), "array",
			map[string]any{"AsSlice": []any{"a", "é"}, "MarshalJSON": `["a","é"]`, "Value": "a", "All": 2}},
		{"a map", ycrdt.OffsetUTF16, one(0x28, 1, 1, "r", 1, "k", 1, 120), "text",
			map[string]any{"String": "", "Len": 0, "ToDelta": 0, "MarshalJSON": `""`}},
		{"a map", ycrdt.OffsetUTF16, one(0x28, 1, 1, "r", 1, "k", 1, 120), "map",
			map[string]any{"AsMap": map[string]any{"k": true}, "Len": 1, "MarshalJSON": `{"k":true}`, "All": 1}},
		{"a map", ycrdt.OffsetUTF16, one(0x28, 1, 1, "r", 1, "k", 1, 120), "array",
			map[string]any{"AsSlice": []any{}, "MarshalJSON": "[]", "Value": nil, "All": 0}},
		{"an array", ycrdt.OffsetUTF16, one(8, 1, 1, "r", 2, 120, 121), "text",
			map[string]any{"String": "", "Len": 2, "ToDelta": 0, "MarshalJSON": `""`}},
		{"an array", ycrdt.OffsetUTF16, one(8, 1, 1, "r", 2, 120, 121), "map",
			map[string]any{"AsMap": map[string]any{}, "Len": 0, "MarshalJSON": "{}", "All": 0}},
		{"an array", ycrdt.OffsetUTF16, one(8, 1, 1, "r", 2, 120, 121), "array",
			map[string]any{"AsSlice": []any{true, false}, "MarshalJSON": "[true,false]", "Value": true, "All": 2}},
	} {
		require.Len(t, test.want, len(readings[test.as]))
		for how, read := range readings[test.as] {
			t.Run(test.holds+" as "+test.as+" "+how, func(t *testing.T) {
				doc := newDocWith(t, ycrdt.DocOptions{OffsetKind: test.kind})
				require.NoError(t, doc.ApplyUpdate(test.update))
				var got any
				err := doc.View(func(tx *ycrdt.Tx) (err error) {
					got, err = read(tx)
					return err
				})
				if wanted, refused := test.want[how].(error); refused {
					assert.ErrorIs(t, err, wanted)
				} else {
					require.NoError(t, err)
					assert.Equal(t, test.want[how], got)
				}
			})
		}
	}
}
