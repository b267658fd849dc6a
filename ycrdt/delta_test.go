package ycrdt_test

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt"
)

// A step that says two things is refused, lest one of them be left out.
func TestDelta_RefusesStepsThatSayTwoThings(t *testing.T) {
	doc := newDoc(t)
	write(t, doc, func(tx *ycrdt.Tx) { require.NoError(t, tx.Text("t").Insert(0, "abc")) })
	for _, op := range []ycrdt.DeltaOp{
		{Insert: "x", Retain: 1},
		{Insert: "x", Delete: 1},
		{Delete: 1, Retain: 1},
		{Insert: "", Retain: 3},
		{Insert: "", Delete: 3},
		{Insert: "x", Delete: 1, Retain: 1},
	} {
		write(t, doc, func(tx *ycrdt.Tx) {
			err := tx.Text("t").ApplyDelta(ycrdt.Delta{{Retain: 0}, op})
			assert.ErrorIs(t, err, ycrdt.ErrInvalidArgument, op)
			assert.ErrorContains(t, err, "text apply delta: operation 1: ", op)
			assert.ErrorIs(t, tx.Map("m").Set("k", ycrdt.NewRichText{op}), ycrdt.ErrInvalidArgument, op)
			assert.ErrorIs(t, tx.Text("t").InsertEmbed(0, ycrdt.NewRichText{op}, nil), ycrdt.ErrInvalidArgument, op)
			assert.False(t, tx.Changed(), op)
		})
		_, err := json.Marshal(ycrdt.Delta{op})
		assert.ErrorIs(t, err, ycrdt.ErrInvalidArgument, op)
		_, err = json.Marshal(op)
		assert.ErrorIs(t, err, ycrdt.ErrInvalidArgument, op)
	}
	write(t, doc, func(tx *ycrdt.Tx) {
		require.NoError(t, tx.Map("m").Set("k", ycrdt.NewRichText{{}, {Attributes: bold}, {Insert: "x"}}), "steps that do nothing")
		text, _ := tx.Map("m").Text("k")
		assert.Equal(t, ycrdt.Delta{{Insert: "x"}}, text.ToDelta())
	})
}

func TestDelta_UnmarshalJSON_RefusesStepsThatSayNothingOrTwoThings(t *testing.T) {
	for _, step := range []string{
		`{}`, `{"foo": 1}`, `{"attributes": {"b": true}}`, `{"insert": null}`, `{"insert": null, "delete": null}`,
		`{"insert": "x", "retain": 1}`, `{"insert": "x", "delete": 1}`, `{"delete": 1, "retain": 1}`, `{"insert": "", "retain": 3}`,
	} {
		var delta ycrdt.Delta
		err := json.Unmarshal([]byte("["+step+"]"), &delta)
		assert.ErrorIs(t, err, ycrdt.ErrInvalidArgument, step)
		assert.ErrorContains(t, err, "ycrdt: delta unmarshal: ", step)
		doc := newDoc(t)
		write(t, doc, func(tx *ycrdt.Tx) {
			assert.ErrorIs(t, json.Unmarshal([]byte("["+step+"]"), tx.Text("t")), ycrdt.ErrInvalidArgument, step)
			assert.False(t, tx.Changed(), step)
		})
	}
	var delta ycrdt.Delta
	const nothing = `[{"retain": 0}, {"delete": 0}, {"insert": ""}, {"insert": "x", "delete": 0, "foo": 1}]`
	require.NoError(t, json.Unmarshal([]byte(nothing), &delta))
	assert.Equal(t, ycrdt.Delta{{}, {}, {Insert: ""}, {Insert: "x"}}, delta)
}

func TestDelta_MarshalJSON_LeavesOutStepsThatDoNothing(t *testing.T) {
	for want, delta := range map[string]ycrdt.Delta{
		`[{"insert": "x"}]`: {{}, {Attributes: bold}, {Insert: ""}, {Insert: "x"}},
		`[]`:                {{}},
		`null`:              nil,
	} {
		out, err := json.Marshal(delta)
		require.NoError(t, err)
		assert.JSONEq(t, want, string(out))
	}
	out, err := json.Marshal(ycrdt.DeltaOp{})
	require.NoError(t, err)
	var op ycrdt.DeltaOp
	assert.NoError(t, json.Unmarshal(out, &op), "a step by itself comes back")
}

// A nested text in JSON would be read as characters: as something else, and of another length.
func TestDelta_MarshalJSON_RefusesWhatWouldBeReadAsCharacters(t *testing.T) {
	doc := newDoc(t)
	var event ycrdt.Delta
	sub, err := doc.Observe(ycrdt.RootText("t"), func(e ycrdt.Event) { event = e.(*ycrdt.TextEvent).Delta })
	require.NoError(t, err)
	write(t, doc, func(tx *ycrdt.Tx) { require.NoError(t, tx.Text("t").InsertEmbed(0, ycrdt.NewText("nested"), nil)) })
	sub.Close()
	view(t, doc, func(tx *ycrdt.Tx) {
		for name, delta := range map[string]ycrdt.Delta{
			"handle":        tx.Text("t").ToDelta(),
			"ref":           event,
			"new text":      {{Insert: ycrdt.NewText("x")}},
			"new rich text": {{Insert: ycrdt.NewRichText{{Insert: "x"}}}},
			"subdocument":   {{Insert: ycrdt.Subdoc{GUID: "x"}}},
			"opaque":        {{Insert: &ycrdt.Opaque{}}},
			"bytes":         {{Insert: []byte{1}}},
			"undefined":     {{Insert: ycrdt.Undefined}},
			"not a number":  {{Insert: math.NaN()}},
		} {
			_, err := json.Marshal(delta)
			assert.ErrorIs(t, err, ycrdt.ErrUnsupportedValue, name)
		}
		_, err := json.Marshal(tx.Text("t").ToDelta())
		assert.ErrorContains(t, err, "such as an object with its own delta")
	})
	list := ycrdt.NewArray{ycrdt.NewText("a"), ycrdt.NewRichText{{Insert: "b"}, {Insert: 1}}}
	out, err := json.Marshal(ycrdt.Delta{{Insert: ycrdt.NewMap{"k": list}}})
	require.NoError(t, err)
	assert.JSONEq(t, `[{"insert": {"k": ["a", "b"]}}]`, string(out), "as the map itself is written")
}

// A delta with handles says what to do with them.
func TestDelta_OfHandlesSaysWhatToDo(t *testing.T) {
	doc := newDoc(t)
	write(t, doc, func(tx *ycrdt.Tx) {
		require.NoError(t, tx.Text("t").InsertEmbed(0, ycrdt.NewText("nested"), nil))
		delta := tx.Text("t").ToDelta()
		handle := delta[0].Insert
		for where, err := range map[string]error{
			"delta":     tx.Text("other").ApplyDelta(delta),
			"rich text": tx.Map("m").Set("k", ycrdt.NewRichText(delta)),
			"ref":       tx.Text("other").InsertEmbed(0, handle.(*ycrdt.Text).Ref(), nil),
			"attribute": tx.Text("t").Format(0, 1, map[string]any{"k": []any{handle}}),
			"value":     tx.Map("m").Set("k", handle),
			"in a list": tx.Array("a").Append([]any{handle}),
		} {
			assert.ErrorIs(t, err, ycrdt.ErrUnsupportedValue, where)
			assert.ErrorContains(t, err, "make a new one of that (NewText, NewRichText, NewMap, NewArray)", where)
		}
		for where, err := range map[string]error{
			"embed": tx.Text("t").InsertEmbed(0, []any{ycrdt.NewMap{}}, nil),
			"value": tx.Map("m").Set("k", map[string]any{"k": ycrdt.NewText("x")}),
		} {
			assert.ErrorIs(t, err, ycrdt.ErrUnsupportedValue, where)
			assert.ErrorContains(t, err, "only NewMap, NewArray and NewRichText hold shared types", where)
		}
	})
}
