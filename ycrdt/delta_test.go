package ycrdt_test

import (
	"encoding/json"
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
	require.NoError(t, json.Unmarshal([]byte(`[{"retain": 0}, {"delete": 0}, {"insert": ""}, {"insert": "x", "delete": 0, "foo": 1}]`), &delta))
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
