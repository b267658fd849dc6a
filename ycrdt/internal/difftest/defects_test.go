package difftest

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/internal/peers"
	"github.com/yrs-go/yrs/ycrdt"
)

// The tests of this file pin what yrs does otherwise than Yjs. Sessions leave exactly these cases out; when one of the
// tests fails because yrs has become better, give the case back to the generator.

// TestYrs_ChangesValues: yrs holds a number as an integer or a float, so it forgets the sign of zero and that an
// integer was a BigInt; it writes those between -2^53 and 2^53 as numbers, and 2^63-1 as the nearest float.
func TestYrs_ChangesValues(t *testing.T) {
	node := peers.StartDiffer(t)
	for _, test := range []struct{ written, relayed string }{
		{`{"$number":"-0"}`, `0`},
		{`{"$bigint":"7"}`, `7`},
		{`{"$bigint":"-9007199254740991"}`, `-9007199254740991`},
		{`{"$bigint":"9223372036854775807"}`, `9223372036854775807`},
		{`{"$bigint":"9007199254740993"}`, `{"$bigint":"9007199254740993"}`},
	} {
		t.Run(test.written, func(t *testing.T) {
			written := yjsState(t, node, peers.Map("map").Set("key", json.RawMessage(test.written)))
			relay := ycrdt.NewDoc()
			t.Cleanup(func() { require.NoError(t, relay.Close()) })
			require.NoError(t, relay.ApplyUpdate(written))
			relayed, err := relay.EncodeStateAsUpdate(nil)
			require.NoError(t, err)
			assert.JSONEq(t, `[{"$text":[]}, {"$map":{"key":`+test.relayed+`}}, {"$array":[]}]`, yjsTree(t, node, relayed))
		})
	}
}

// TestYrs_FormatsSharedTypeBehindDeletion: when yrs deletes text in front of a shared type that is embedded in it, it
// takes away formatting marks as if the shared type took no room.
func TestYrs_FormatsSharedTypeBehindDeletion(t *testing.T) {
	node := peers.StartDiffer(t)
	red := map[string]any{"color": "red"}
	doc := ycrdt.NewDoc()
	t.Cleanup(func() { require.NoError(t, doc.Close()) })
	require.NoError(t, doc.Transact(func(tx *ycrdt.Tx) error {
		return tx.Text("text").ApplyDelta(ycrdt.Delta{
			{Insert: "ab", Attributes: red}, {Insert: ycrdt.NewMap{}}, {Insert: "c", Attributes: red},
		})
	}))
	before, err := doc.EncodeStateAsUpdate(nil)
	require.NoError(t, err)
	require.NoError(t, doc.Transact(func(tx *ycrdt.Tx) error { return tx.Text("text").Delete(1, 1) }))
	after, err := doc.EncodeStateAsUpdate(nil)
	require.NoError(t, err)

	yjsDeletes := []nodeStep{
		{"step": "apply", "doc": "doc", "updates": [][]byte{before}},
		{"step": "edit", "doc": "doc", "ops": []peers.Op{peers.Text("text").DeleteText(1, 1)}},
	}
	assert.JSONEq(t, richText(`{"insert":"a","attributes":{"color":"red"}}, {"insert":{"$map":{}}},
		{"insert":"c","attributes":{"color":"red"}}`), yjsResult(t, node, "tree", yjsDeletes...))
	assert.JSONEq(t, richText(`{"insert":"a","attributes":{"color":"red"}}, {"insert":{"$map":{}},"attributes":{"color":"red"}},
		{"insert":"c","attributes":{"color":"red"}}`), yjsTree(t, node, after))
}

// richText returns the tree of a document with a text of these insertions and nothing else.
func richText(insertions string) string {
	return `[{"$text":[` + insertions + `]}, {"$map":{}}, {"$array":[]}]`
}

// yjsState returns the state of a new Yjs document after some operations.
func yjsState(t *testing.T, node *peers.Process, ops ...peers.Op) (state []byte) {
	edit := nodeStep{"step": "edit", "doc": "doc", "ops": ops}
	require.NoError(t, json.Unmarshal([]byte(yjsResult(t, node, "update", edit)), &state))
	return state
}

// yjsTree returns what a new Yjs document reads from an update.
func yjsTree(t *testing.T, node *peers.Process, update []byte) string {
	return yjsResult(t, node, "tree", nodeStep{"step": "apply", "doc": "doc", "updates": [][]byte{update}})
}

// yjsResult does steps to a new Yjs document and returns the result of one more.
func yjsResult(t *testing.T, node *peers.Process, last string, steps ...nodeStep) string {
	steps = append([]nodeStep{{"step": "new", "doc": "doc"}}, append(steps, nodeStep{"step": last, "doc": "doc"})...)
	results, err := (&yjsSide{process: node}).request(steps)
	require.NoError(t, err)
	return string(results[len(results)-1])
}
