package difftest

import (
	"encoding/json"
	"fmt"
	"unicode/utf16"

	"github.com/yrs-go/yrs/internal/peers"
	"github.com/yrs-go/yrs/ycrdt"
)

// looseOp is an edit that fits every document; internal/peers/node/loose.mjs says what its numbers mean.
type looseOp struct {
	op         string
	on         uint32
	index      uint32
	length     uint32
	key        string
	text       string
	values     []any // one for all but the insertion into an array
	attributes map[string]any
}

const (
	opInsertText  = "insertText"
	opInsertEmbed = "insertEmbed"
	opFormat      = "format"
	opDeleteText  = "deleteText"
	opSet         = "set"
	opRemove      = "remove"
	opInsert      = "insert"
	opDelete      = "delete"
)

// MarshalJSON writes the operation as loose.mjs reads it.
func (o looseOp) MarshalJSON() ([]byte, error) {
	m := map[string]any{"op": o.op, "on": o.on}
	switch o.op {
	case opInsertText:
		m["index"], m["text"] = o.index, o.text
	case opInsertEmbed:
		m["index"], m["embed"] = o.index, plain(o.values[0])
	case opFormat, opDeleteText, opDelete:
		m["index"], m["length"] = o.index, o.length
	case opSet:
		m["key"], m["value"] = o.key, plain(o.values[0])
	case opRemove:
		m["key"] = o.key
	case opInsert:
		m["index"], m["values"] = o.index, plain(o.values)
	}
	if o.attributes != nil {
		m["attributes"] = plain(o.attributes)
	}
	return json.Marshal(m)
}

// target is a shared type and where it is.
type target struct {
	place  peers.Place
	shared ycrdt.Shared
}

// perform fits a loose operation to the document, as loose.mjs does, and performs it. It returns what became of it,
// nil if nothing.
func perform(tx *ycrdt.Tx, op looseOp) (any, error) {
	chosen := choose(tx, op)
	at := chosen.place
	switch shared := chosen.shared.(type) {
	case *ycrdt.Text:
		index, length := fit(textOffsets(shared), op)
		switch op.op {
		case opInsertText:
			if op.attributes == nil {
				return at.InsertText(index, op.text, nil), shared.Insert(index, op.text)
			}
			return at.InsertText(index, op.text, op.attributes), shared.InsertWithAttributes(index, op.text, op.attributes)
		case opInsertEmbed:
			return at.InsertEmbed(index, plain(op.values[0])), shared.InsertEmbed(index, op.values[0], op.attributes)
		case opFormat:
			return at.Format(index, length, op.attributes), shared.Format(index, length, op.attributes)
		case opDeleteText:
			return at.DeleteText(index, length), shared.Delete(index, length)
		}
	case *ycrdt.Map:
		if op.op == opSet {
			return at.Set(op.key, plain(op.values[0])), shared.Set(op.key, op.values[0])
		}
		return at.Remove(op.key), shared.Delete(op.key)
	case *ycrdt.Array:
		index, length := fit(arrayOffsets(shared), op)
		if op.op == opInsert {
			return at.Insert(index, plain(op.values).([]any)...), shared.Insert(index, op.values...)
		}
		return at.Delete(index, length), shared.Delete(index, length)
	}
	return nil, fmt.Errorf("no such operation: %s", op.op)
}

func choose(tx *ycrdt.Tx, op looseOp) target {
	kind := ycrdt.KindText
	switch op.op {
	case opSet, opRemove:
		kind = ycrdt.KindMap
	case opInsert, opDelete:
		kind = ycrdt.KindArray
	}
	var candidates []target
	for _, root := range roots(tx) {
		candidates = root.walk(kind, candidates)
	}
	return candidates[int(op.on)%len(candidates)]
}

// roots are the root types that sessions edit.
func roots(tx *ycrdt.Tx) []target {
	return []target{
		{peers.Text("text"), tx.Text("text")},
		{peers.Map("map"), tx.Map("map")},
		{peers.Array("array"), tx.Array("array")},
	}
}

// walk appends the target, if it is of that kind, and what of that kind is nested in it.
func (t target) walk(kind ycrdt.Kind, found []target) []target {
	if t.shared.Kind() == kind {
		found = append(found, t)
	}
	switch shared := t.shared.(type) {
	case *ycrdt.Map:
		for key, value := range shared.All() {
			if nested, ok := value.(ycrdt.Shared); ok {
				found = target{t.place.At(key), nested}.walk(kind, found)
			}
		}
	case *ycrdt.Array:
		for i, value := range shared.All() {
			if nested, ok := value.(ycrdt.Shared); ok {
				found = target{t.place.At(i), nested}.walk(kind, found)
			}
		}
	}
	return found
}

// fit returns the offset and the length that the operation's numbers stand for among the legal offsets.
func fit(offsets []int, op looseOp) (index, length int) {
	start := int(op.index) % len(offsets)
	end := min(start+int(op.length), len(offsets)-1)
	return offsets[start], offsets[end] - offsets[start]
}

func textOffsets(text *ycrdt.Text) []int {
	offsets := []int{0}
	end := 0
	for _, op := range text.ToDelta() {
		insert, ok := op.Insert.(string)
		if !ok {
			end++
			offsets = append(offsets, end)
			continue
		}
		for _, r := range insert {
			end += utf16.RuneLen(r)
			offsets = append(offsets, end)
		}
	}
	return offsets
}

func arrayOffsets(array *ycrdt.Array) []int {
	offsets := make([]int, array.Len()+1)
	for i := range offsets {
		offsets[i] = i
	}
	return offsets
}
