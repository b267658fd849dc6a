package honest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"reflect"

	"github.com/yrs-go/yrs/ycrdt"
	"github.com/yrs-go/yrs/ycrdt/protocol"
)

// readTree reads what package ycrdt can look into, in the form of internal/peers/node/honest/tree.mjs.
func readTree(doc *ycrdt.Doc) (string, error) {
	var tree []any
	err := doc.View(func(tx *ycrdt.Tx) error {
		for _, root := range roots(tx) {
			tree = append(tree, plain(root))
		}
		return tx.Err()
	})
	if err != nil {
		return "", err
	}
	encoded, err := json.Marshal(tree)
	if err != nil {
		return "", err
	}
	return canonical(encoded)
}

// roots are the root types of a session that package ycrdt can look into.
func roots(tx *ycrdt.Tx) []ycrdt.Shared {
	return []ycrdt.Shared{tx.Text("text"), tx.Text(""), tx.Map("map"), tx.Array("array")}
}

// canonical turns JSON into a string that is the same for the same content.
func canonical(encoded []byte) (string, error) {
	var value any
	if err := json.Unmarshal(encoded, &value); err != nil {
		return "", err
	}
	again, err := json.Marshal(value)
	return string(again), err
}

// plain turns a value into one that marshals to JSON.
func plain(value any) any {
	switch value := value.(type) {
	case *ycrdt.Text:
		return tagged("text", plainDelta(value.ToDelta()))
	case *ycrdt.Map:
		entries := make(map[string]any)
		for key, entry := range value.All() {
			entries[key] = plain(entry)
		}
		return tagged("map", entries)
	case *ycrdt.Array:
		elements := []any{}
		for _, element := range value.All() {
			elements = append(elements, plain(element))
		}
		return tagged("array", elements)
	case *ycrdt.Opaque:
		return tagged("opaque", true)
	case ycrdt.Subdoc:
		return tagged("doc", value.GUID)
	case protocol.UndefinedType:
		return tagged("undefined", true)
	case []byte:
		return tagged("bytes", base64.StdEncoding.EncodeToString(value))
	case *big.Int:
		return tagged("bigint", value.String())
	case float64:
		return plainFloat(value)
	case map[string]any:
		return plainObject(value)
	case []any:
		elements := make([]any, len(value))
		for i, element := range value {
			elements[i] = plain(element)
		}
		return elements
	default:
		return value
	}
}

func tagged(tag string, value any) any { return map[string]any{"$" + tag: value} }

func plainObject(object map[string]any) map[string]any {
	out := make(map[string]any, len(object))
	for key, value := range object {
		out[key] = plain(value)
	}
	return out
}

func plainFloat(value float64) any {
	switch {
	case math.IsNaN(value):
		return tagged("number", "NaN")
	case math.IsInf(value, 1):
		return tagged("number", "Infinity")
	case math.IsInf(value, -1):
		return tagged("number", "-Infinity")
	default:
		return value + 0
	}
}

// plainDelta joins neighbouring stretches of equal formatting, because where a stretch is split depends on formatting that
// has no effect.
func plainDelta(delta ycrdt.Delta) []any {
	joined := []any{}
	var last map[string]any
	for _, op := range delta {
		step := map[string]any{"insert": plain(op.Insert)}
		if len(op.Attributes) > 0 {
			step["attributes"] = plainObject(op.Attributes)
		}
		text, isText := op.Insert.(string)
		if before, ok := last["insert"].(string); ok && isText && reflect.DeepEqual(last["attributes"], step["attributes"]) {
			last["insert"] = before + text
			continue
		}
		joined = append(joined, step)
		last = step
	}
	return joined
}

// difference tells where two trees differ.
func difference(got, want string) error {
	at := 0
	for at < min(len(got), len(want)) && got[at] == want[at] {
		at++
	}
	near := func(tree string) string { return tree[max(0, at-100):min(len(tree), at+100)] }
	return fmt.Errorf("it reads\n%q\nnot\n%q\nat %d", near(got), near(want), at)
}

// sameVector fails if an encoded state vector is not the one that is wanted.
func sameVector(encoded []byte, want map[uint64]uint64) error {
	r := newReader(encoded)
	got := r.vector()
	if r.err != nil {
		return r.err
	}
	if !reflect.DeepEqual(got, want) {
		return fmt.Errorf("state vector %v, want %v", got, want)
	}
	return nil
}
