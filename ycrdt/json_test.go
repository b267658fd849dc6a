package ycrdt_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt"
)

// marshal encodes what pick returns from a transaction of doc.
func marshal(t *testing.T, doc *ycrdt.Doc, pick func(*ycrdt.Tx) any) string {
	t.Helper()
	var out []byte
	view(t, doc, func(tx *ycrdt.Tx) {
		var err error
		out, err = json.Marshal(pick(tx))
		require.NoError(t, err)
	})
	return string(out)
}

func TestMap_MarshalJSON(t *testing.T) {
	doc := newDoc(t)
	write(t, doc, func(tx *ycrdt.Tx) {
		m := tx.Map("m")
		for key, value := range map[string]any{
			"null": nil, "undefined": ycrdt.Undefined, "true": true, "int": 1 << 40, "float": 0.5, "nan": math.NaN(),
			"infinity": math.Inf(-1), "bytes": []byte{1, 2, 3}, "string": "a\x00<b>\u2028",
			"plain": map[string]any{"": []any{1, ycrdt.Undefined, nil}, "gone": ycrdt.Undefined},
			"nested": ycrdt.NewMap{
				"text":  ycrdt.NewRichText{{Insert: "bold", Attributes: map[string]any{"b": true}}},
				"array": ycrdt.NewArray{1, ycrdt.NewArray{}},
			},
		} {
			require.NoError(t, m.Set(key, value))
		}
	})
	const want = `{
		"null": null, "true": true, "int": 1099511627776, "float": 0.5, "nan": null, "infinity": null,
		"bytes": "AQID", "string": "a\u0000<b>\u2028", "plain": {"": [1, null, null]},
		"nested": {"text": "bold", "array": [1, []]}
	}`
	assert.JSONEq(t, want, marshal(t, doc, func(tx *ycrdt.Tx) any { return tx.Map("m") }))
	assert.JSONEq(t, "{}", marshal(t, doc, func(tx *ycrdt.Tx) any { return tx.Map("absent") }))
}

func TestArray_MarshalJSON(t *testing.T) {
	doc := newDoc(t)
	write(t, doc, func(tx *ycrdt.Tx) {
		require.NoError(t, tx.Array("a").Insert(0, ycrdt.Undefined, math.NaN(), -1, ycrdt.NewText("x"), ycrdt.NewMap{"k": nil}))
	})
	assert.JSONEq(t, `[null, null, -1, "x", {"k": null}]`, marshal(t, doc, func(tx *ycrdt.Tx) any { return tx.Array("a") }))
	assert.JSONEq(t, "[]", marshal(t, doc, func(tx *ycrdt.Tx) any { return tx.Array("absent") }))
}

func TestText_MarshalJSON(t *testing.T) {
	doc := newDoc(t)
	write(t, doc, func(tx *ycrdt.Tx) {
		require.NoError(t, tx.Text("t").InsertWithAttributes(0, `"😀"`, map[string]any{"b": true}))
	})
	assert.JSONEq(t, `"\"😀\""`, marshal(t, doc, func(tx *ycrdt.Tx) any { return tx.Text("t") }))
	assert.JSONEq(t, `""`, marshal(t, doc, func(tx *ycrdt.Tx) any { return tx.Text("absent") }))
	assert.JSONEq(t, `[{"insert": "\"😀\"", "attributes": {"b": true}}]`,
		marshal(t, doc, func(tx *ycrdt.Tx) any { return tx.Text("t").ToDelta() }))
	view(t, doc, func(tx *ycrdt.Tx) {
		text, err := tx.Text("t").MarshalText()
		require.NoError(t, err)
		assert.Equal(t, `"😀"`, string(text))
	})
}

// A document that was loaded from updates and not yet written to must read as what it was written as: the
// wire does not tell the kind of a root, only the accessor does.
func TestView_ExportsRootsOfALoadedDocument(t *testing.T) {
	source := newDoc(t)
	write(t, source, func(tx *ycrdt.Tx) {
		require.NoError(t, tx.Map("map").Set("k", ycrdt.NewArray{1, "x"}))
		require.NoError(t, tx.Array("array").Insert(0, 1, ycrdt.NewMap{"a": 2}))
		require.NoError(t, tx.Text("text").Insert(0, "hello"))
	})
	doc := copyOf(t, source)

	assert.Equal(t, map[string]any{"k": []any{int64(1), "x"}}, mapOf(t, doc, "map"))
	assert.Equal(t, []any{int64(1), map[string]any{"a": int64(2)}}, arrayOf(t, doc, "array"))
	assert.JSONEq(t, `{"k": [1, "x"]}`, marshal(t, doc, func(tx *ycrdt.Tx) any { return tx.Map("map") }))
	assert.JSONEq(t, `[1, {"a": 2}]`, marshal(t, doc, func(tx *ycrdt.Tx) any { return tx.Array("array") }))
	assert.JSONEq(t, `"hello"`, marshal(t, doc, func(tx *ycrdt.Tx) any { return tx.Text("text") }))
}

func TestMap_UnmarshalJSON(t *testing.T) {
	doc := newDoc(t)
	write(t, doc, func(tx *ycrdt.Tx) {
		m := tx.Map("m")
		require.NoError(t, m.Set("old", 1))
		require.NoError(t, json.Unmarshal([]byte(`{"int": 9007199254740991, "float": 1.5, "exp": 1e3, "": [null, {"a": true}]}`), m))
	})
	assert.Equal(t, map[string]any{
		"int": int64(1<<53 - 1), "float": 1.5, "exp": 1000.0, "": []any{nil, map[string]any{"a": true}},
	}, mapOf(t, doc, "m"))
}

func TestArray_UnmarshalJSON(t *testing.T) {
	doc := newDoc(t)
	write(t, doc, func(tx *ycrdt.Tx) {
		a := tx.Array("a")
		require.NoError(t, a.Insert(0, "old", "older"))
		require.NoError(t, json.Unmarshal([]byte(`[1, "two", [3], {"four": 4}, null]`), a))
	})
	assert.Equal(t, []any{int64(1), "two", []any{int64(3)}, map[string]any{"four": int64(4)}, nil}, arrayOf(t, doc, "a"))
}

func TestText_UnmarshalJSON(t *testing.T) {
	doc := newDoc(t)
	for _, test := range []struct {
		json string
		want ycrdt.Delta
	}{
		{`"plain 😀"`, ycrdt.Delta{{Insert: "plain 😀"}}},
		{` [{"insert": "b", "attributes": {"bold": true}}, {"insert": {"image": "x"}}]`, ycrdt.Delta{
			{Insert: "b", Attributes: map[string]any{"bold": true}}, {Insert: map[string]any{"image": "x"}},
		}},
		{`""`, ycrdt.Delta{}},
	} {
		write(t, doc, func(tx *ycrdt.Tx) { require.NoError(t, json.Unmarshal([]byte(test.json), tx.Text("t"))) })
		assert.Equal(t, test.want, deltaOf(t, doc, "t"), test.json)
	}
}

// newFilledDoc returns a document with something in a map, an array and a text.
func newFilledDoc(t *testing.T) *ycrdt.Doc {
	doc := newDoc(t)
	write(t, doc, func(tx *ycrdt.Tx) {
		require.NoError(t, tx.Map("m").Set("k", 1))
		require.NoError(t, tx.Array("a").Insert(0, 1))
		require.NoError(t, tx.Text("t").Insert(0, "x"))
	})
	return doc
}

func TestUnmarshalJSON_RefusesOtherKindsAndChangesNothing(t *testing.T) {
	doc := newFilledDoc(t)
	before := encode(t, doc)
	write(t, doc, func(tx *ycrdt.Tx) {
		assert.Error(t, json.Unmarshal([]byte(`[1]`), tx.Map("m")))
		assert.Error(t, json.Unmarshal([]byte(`{"a": 1}`), tx.Array("a")))
		assert.Error(t, json.Unmarshal([]byte(`7`), tx.Text("t")))
		assert.Error(t, json.Unmarshal([]byte(`[{"retain": 9}]`), tx.Text("t")))
	})
	assert.Equal(t, before, encode(t, doc))
	view(t, doc, func(tx *ycrdt.Tx) {
		assert.ErrorIs(t, json.Unmarshal([]byte(`{}`), tx.Map("m")), ycrdt.ErrReadOnly)
		assert.ErrorIs(t, json.Unmarshal([]byte(`[]`), tx.Array("a")), ycrdt.ErrReadOnly)
		assert.ErrorIs(t, json.Unmarshal([]byte(`""`), tx.Text("t")), ycrdt.ErrReadOnly)
	})
}

// What holds something that is refused neither erases what was there nor sets a part of what is new.
func TestUnmarshalJSON_RefusedValuesChangeNothing(t *testing.T) {
	doc := newFilledDoc(t)
	before := encode(t, doc)
	deep := strings.Repeat("[", 65) + strings.Repeat("]", 65)
	write(t, doc, func(tx *ycrdt.Tx) {
		err := json.Unmarshal([]byte(`{"a": 1, "k": `+deep+`}`), tx.Map("m"))
		assert.ErrorIs(t, err, ycrdt.ErrUnsupportedValue)
		assert.ErrorContains(t, err, `map unmarshal: key "k": `)
		err = json.Unmarshal([]byte(`[1, `+deep+`]`), tx.Array("a"))
		assert.ErrorIs(t, err, ycrdt.ErrUnsupportedValue)
		assert.ErrorContains(t, err, "array unmarshal: value 1: ")
		err = json.Unmarshal([]byte(`[{"insert": "y"}, {"insert": `+deep+`}]`), tx.Text("t"))
		assert.ErrorIs(t, err, ycrdt.ErrUnsupportedValue)
		assert.False(t, tx.Changed())
	})
	assert.Equal(t, before, encode(t, doc))
}

// encoding/json asks unmarshalers to take null as "leave it as it is".
func TestUnmarshalJSON_NullIsNoOp(t *testing.T) {
	doc := newFilledDoc(t)
	write(t, doc, func(tx *ycrdt.Tx) {
		assert.NoError(t, tx.Map("m").UnmarshalJSON([]byte("null")))
		assert.NoError(t, tx.Array("a").UnmarshalJSON([]byte("null")))
		assert.NoError(t, tx.Text("t").UnmarshalJSON([]byte("null")))
		assert.Equal(t, 1, tx.Map("m").Len())
		assert.Equal(t, 1, tx.Array("a").Len())
		assert.Equal(t, "x", tx.Text("t").String())
	})
}

// What unmarshalers refuse is one of the package's errors, also when encoding/json has not looked at the JSON before.
func TestUnmarshalJSON_ErrorsAreTyped(t *testing.T) {
	doc := newDoc(t)
	write(t, doc, func(tx *ycrdt.Tx) {
		m, a, text, op := tx.Map("m"), tx.Array("a"), tx.Text("t"), &ycrdt.DeltaOp{}
		for _, test := range []struct {
			target json.Unmarshaler
			json   string
			op     string
			want   error
		}{
			{m, `{"a":1} xx`, "map unmarshal", ycrdt.ErrMalformed},
			{m, `{"a":1}{}`, "map unmarshal", ycrdt.ErrMalformed},
			{m, `{"a":`, "map unmarshal", ycrdt.ErrMalformed},
			{m, ``, "map unmarshal", ycrdt.ErrMalformed},
			{m, `{"k": 1e400}`, "map unmarshal", ycrdt.ErrUnsupportedValue},
			{m, `[]`, "map unmarshal", ycrdt.ErrUnsupportedValue},
			{a, `[1]]`, "array unmarshal", ycrdt.ErrMalformed},
			{a, `[1`, "array unmarshal", ycrdt.ErrMalformed},
			{a, `[-1e400]`, "array unmarshal", ycrdt.ErrUnsupportedValue},
			{a, `{}`, "array unmarshal", ycrdt.ErrUnsupportedValue},
			{text, `"a" "b"`, "text unmarshal", ycrdt.ErrMalformed},
			{text, `"a`, "text unmarshal", ycrdt.ErrMalformed},
			{text, `[] x`, "text unmarshal", ycrdt.ErrMalformed},
			{text, `7`, "text unmarshal", ycrdt.ErrUnsupportedValue},
			{text, `[7]`, "delta unmarshal", ycrdt.ErrUnsupportedValue},
			{text, `[{"insert": [1e400]}]`, "delta unmarshal", ycrdt.ErrUnsupportedValue},
			{text, `[{"insert": "x", "attributes": {"k": 1e400}}]`, "delta unmarshal", ycrdt.ErrUnsupportedValue},
			{op, `{"retain": 1} x`, "delta unmarshal", ycrdt.ErrMalformed},
			{op, `{"retain": {}}`, "delta unmarshal", ycrdt.ErrUnsupportedValue},
		} {
			err := test.target.UnmarshalJSON([]byte(test.json))
			assert.ErrorIs(t, err, test.want, test.json)
			var typed *ycrdt.Error
			if assert.ErrorAs(t, err, &typed, test.json) {
				assert.Equal(t, test.op, typed.Op, test.json)
			}
		}
		assert.False(t, tx.Changed())
		assert.NoError(t, m.UnmarshalJSON([]byte(" {\"a\": 1} \n")), "space may be there")
	})
}

func TestDelta_JSONRoundTrip(t *testing.T) {
	const quill = `[{"retain":3},{"delete":2},{"insert":"x","attributes":{"bold":true,"color":null}},
		{"retain":1,"attributes":{"size":12}},{"insert":{"image":"url"}},{"insert":[1,2.5]}]`
	var delta ycrdt.Delta
	require.NoError(t, json.Unmarshal([]byte(quill), &delta))
	assert.Equal(t, ycrdt.Delta{
		{Retain: 3},
		{Delete: 2},
		{Insert: "x", Attributes: map[string]any{"bold": true, "color": nil}},
		{Retain: 1, Attributes: map[string]any{"size": int64(12)}},
		{Insert: map[string]any{"image": "url"}},
		{Insert: []any{int64(1), 2.5}},
	}, delta)
	out, err := json.Marshal(delta)
	require.NoError(t, err)
	assert.JSONEq(t, quill, string(out))
}

func TestDelta_MarshalsNestedTypesAsTheirContent(t *testing.T) {
	doc := newDoc(t)
	write(t, doc, func(tx *ycrdt.Tx) {
		require.NoError(t, tx.Text("t").InsertEmbed(0, ycrdt.NewMap{"k": math.NaN()}, nil))
	})
	assert.JSONEq(t, `[{"insert": {"k": null}}]`, marshal(t, doc, func(tx *ycrdt.Tx) any { return tx.Text("t").ToDelta() }))
}
