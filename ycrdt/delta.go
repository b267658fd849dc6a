package ycrdt

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/yrs-go/yrs/ycrdt/protocol"
)

// Delta describes a text or its change as steps from its beginning, as Quill does. It marshals to and from
// Quill's JSON.
type Delta []DeltaOp

// DeltaOp is one step of a [Delta]: an insertion, or else a deletion, or else a stretch that stays. One that has more than
// one of Insert, Delete and Retain is refused with [ErrInvalidArgument], even if what it inserts is empty. One that has none
// of them does nothing.
type DeltaOp struct {
	// Insert is what to insert: a string of characters, any other value as an embed of length 1. Embeds and
	// attributes travel as JSON: bytes, undefined, BigInts, NaN and the infinities are refused, and a whole float
	// comes back as an int64 up to 2^53-1. An integer beyond that is read as a float64, as JavaScript does.
	Insert any
	// Delete is the length to delete, in the document's offset units.
	Delete int
	// Retain is the length to keep, in the document's offset units.
	Retain int
	// Attributes format what is inserted or kept. nil as a value removes an attribute. With Delete they mean nothing.
	Attributes map[string]any
}

// check refuses a step of which a part would be left out.
func (op DeltaOp) check() error {
	if op.Insert != nil && (op.Delete != 0 || op.Retain != 0) || op.Delete != 0 && op.Retain != 0 {
		return fmt.Errorf("%w: a step inserts, deletes or retains; make a step of each", ErrInvalidArgument)
	}
	return nil
}

// isEmpty tells whether the step does nothing.
func (op DeltaOp) isEmpty() bool {
	return (op.Insert == nil || op.Insert == "") && op.Delete == 0 && op.Retain == 0
}

type jsonOp struct {
	Insert     any            `json:"insert,omitempty"`
	Delete     *int           `json:"delete,omitempty"`
	Retain     *int           `json:"retain,omitempty"`
	Attributes map[string]any `json:"attributes,omitempty"`
}

const (
	opMarshalDelta   = "delta marshal"
	opUnmarshalDelta = "delta unmarshal"
)

// MarshalJSON writes the delta as Quill does. Steps that do nothing are left out, because Quill miscounts them.
//
// Of a nested map or array it writes the content, as Yjs does, which is a plain embed for whoever reads it. A nested text,
// what is opaque and a [Ref], as events have it, are refused with [ErrUnsupportedValue]: they would become strings, which
// are read as characters. Put in their place what stands for them, such as an object that holds the text's own delta.
func (d Delta) MarshalJSON() ([]byte, error) {
	if d == nil {
		return []byte("null"), nil
	}
	steps := make([]json.RawMessage, 0, len(d))
	for i, op := range d {
		step, err := op.marshal()
		if err != nil {
			return nil, wrap(opMarshalDelta, fmt.Errorf("operation %d: %w", i, err))
		}
		if !op.isEmpty() {
			steps = append(steps, step)
		}
	}
	return json.Marshal(steps)
}

// MarshalJSON writes the step as in a Quill delta; see [Delta.MarshalJSON].
func (op DeltaOp) MarshalJSON() ([]byte, error) {
	encoded, err := op.marshal()
	return encoded, wrap(opMarshalDelta, err)
}

func (op DeltaOp) marshal() ([]byte, error) {
	if err := op.check(); err != nil {
		return nil, err
	}
	insert, err := jsonInsert(op.Insert)
	if err != nil {
		return nil, err
	}
	out := jsonOp{Insert: insert, Attributes: make(map[string]any, len(op.Attributes))}
	switch {
	case op.Delete != 0:
		out.Delete = &op.Delete
	case op.Insert == nil:
		out.Retain = &op.Retain
	}
	for key, value := range op.Attributes {
		if out.Attributes[key], err = jsonValue(value); err != nil {
			return nil, fmt.Errorf("attribute %q: %w", key, err)
		}
	}
	return json.Marshal(out)
}

// jsonInsert prepares for encoding/json what a step inserts. What is no string must not become one, nor null.
func jsonInsert(insert any) (any, error) {
	switch insert.(type) {
	case *Text, *Opaque, Ref, Subdoc, NewText, NewRichText:
		return nil, fmt.Errorf("%w: a nested shared type (%T) is no embed in JSON, and would be read as characters; "+
			"put what stands for it in its place, such as an object with its own delta", ErrUnsupportedValue, insert)
	case []byte, protocol.UndefinedType:
		return nil, noJSON(insert)
	}
	value, err := jsonValue(insert)
	if err == nil && value == nil && insert != nil {
		return nil, fmt.Errorf("%w: JSON has no number for %v", ErrUnsupportedValue, insert)
	}
	return value, err
}

// UnmarshalJSON reads a step of a Quill delta. One without insert, delete and retain is refused with
// [ErrInvalidArgument], and so is "insert": null, which is neither characters nor an embed, and which Yjs cannot insert.
func (op *DeltaOp) UnmarshalJSON(data []byte) error {
	if isNull(data) {
		return nil
	}
	read, err := parseOp(data)
	if err != nil {
		return wrap(opUnmarshalDelta, err)
	}
	*op = read
	return nil
}

func parseOp(data []byte) (op DeltaOp, err error) {
	var raw jsonOp
	if err := readJSON(data, &raw); err != nil {
		return op, err
	}
	if raw.Insert == nil && raw.Delete == nil && raw.Retain == nil {
		return op, fmt.Errorf("%w: a step without insert, delete and retain", ErrInvalidArgument)
	}
	if op.Insert, err = goValue(raw.Insert); err != nil {
		return op, err
	}
	if raw.Delete != nil {
		op.Delete = *raw.Delete
	}
	if raw.Retain != nil {
		op.Retain = *raw.Retain
	}
	if raw.Attributes != nil {
		if op.Attributes, err = goMap(raw.Attributes); err != nil {
			return op, err
		}
	}
	return op, op.check()
}

// characters returns what the delta inserts, without embeds.
func (d Delta) characters() string {
	var b strings.Builder
	for _, op := range d {
		if text, ok := op.Insert.(string); ok {
			b.WriteString(text)
		}
	}
	return b.String()
}

// encodeDelta writes the operations one after another.
func encodeDelta(delta Delta) ([]byte, error) {
	var e, discarded protocol.Encoder
	for i, op := range delta {
		out := &e
		if op.isEmpty() {
			out = &discarded // yrs would leave marks without anything between them
		}
		if err := encodeOp(out, op, protocol.MaxAnyDepth); err != nil {
			return nil, fmt.Errorf("operation %d: %w", i, err)
		}
	}
	return e.Bytes(), nil
}

func encodeOp(e *protocol.Encoder, op DeltaOp, depth int) error {
	if err := op.check(); err != nil {
		return err
	}
	switch {
	case op.Delete < 0 || op.Retain < 0 || op.Delete > maxLength || op.Retain > maxLength:
		return fmt.Errorf("%w: delete %d, retain %d", ErrOutOfRange, op.Delete, op.Retain)
	case op.Insert != nil:
		e.WriteUint8(opInsert)
		if err := encodeEmbed(e, op.Insert, depth); err != nil {
			return err
		}
		return encodeAttributes(e, op.Attributes)
	case op.Delete > 0:
		e.WriteUint8(opDelete)
		e.WriteVarUint(uint64(op.Delete))
		return nil
	default:
		e.WriteUint8(opRetain)
		e.WriteVarUint(uint64(op.Retain))
		return encodeAttributes(e, op.Attributes)
	}
}

// encodeEmbed writes what a text can hold: characters, a new shared type, or a value that travels as JSON.
func encodeEmbed(e *protocol.Encoder, value any, depth int) error {
	switch value := value.(type) {
	case string, NewText, NewRichText, NewMap, NewArray:
		return encodeTree(e, value, depth)
	default:
		return encodeJSON(e, value)
	}
}

// maxLength is above every length that a document can have.
const maxLength = 1<<31 - 1

func encodeAttributes(e *protocol.Encoder, attributes map[string]any) error {
	e.WriteVarUint(uint64(len(attributes)))
	for _, key := range sortedKeys(attributes) {
		if err := encodeKey(e, key); err != nil {
			return err
		}
		if err := encodeJSON(e, attributes[key]); err != nil {
			return fmt.Errorf("attribute %q: %w", key, err)
		}
	}
	return nil
}

func encodeKey(e *protocol.Encoder, key string) error {
	if !utf8.ValidString(key) {
		return fmt.Errorf("%w: key %q is not UTF-8", ErrUnsupportedValue, key)
	}
	e.WriteVarString(key)
	return nil
}

func sortedKeys[V any](m map[string]V) []string {
	return slices.Sorted(maps.Keys(m))
}

// decodeDelta reads operations up to the end.
func decodeDelta(tx *Tx, encoded []byte) (Delta, error) {
	r := valueReader{tx: tx, dec: newNativeDecoder(encoded)}
	delta := Delta{}
	for r.dec.Remaining() > 0 {
		op, err := r.op()
		if err != nil {
			return nil, err
		}
		delta = append(delta, op)
	}
	return delta, nil
}

func (r *valueReader) op() (op DeltaOp, err error) {
	tag, err := r.dec.ReadUint8()
	if err != nil {
		return op, err
	}
	switch tag {
	case opDelete:
		op.Delete, err = readInt(r.dec)
		return op, err
	case opRetain:
		op.Retain, err = readInt(r.dec)
	default:
		op.Insert, err = r.jsonValue()
	}
	if err != nil {
		return op, err
	}
	op.Attributes, err = r.attributes()
	return op, err
}

func (r *valueReader) attributes() (map[string]any, error) {
	count, err := r.dec.ReadVarUint()
	if err != nil || count == 0 {
		return nil, err
	}
	attributes := make(map[string]any, min(count, 16))
	for range count {
		key, err := r.dec.ReadVarString()
		if err != nil {
			return nil, err
		}
		if attributes[key], err = r.jsonValue(); err != nil {
			return nil, err
		}
	}
	return attributes, nil
}

// jsonValue reads an attribute or what is inserted into a text.
func (r *valueReader) jsonValue() (any, error) {
	value, err := r.value()
	return largeIntegersAsFloats(value), err
}
