package ycrdt

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/yrs-go/yrs/ycrdt/internal/ffi"
	"github.com/yrs-go/yrs/ycrdt/protocol"
)

// Text is a shared text with optional formatting and embedded values.
//
// Every index and length is in the document's offset units, UTF-16 code units by default, in which an embedded
// value counts 1. With the text "a😀b": Insert(3, "-") gives "a😀-b", Delete(1, 2) gives "ab", and Insert(2, "-")
// fails with ErrOutOfRange, because 2 is inside the emoji. Nothing is changed by a call that fails.
type Text struct{ shared }

// Insert inserts s before the character at index, in the formatting that is in force there. index may be Len.
func (t *Text) Insert(index int, s string) error {
	const op = "text insert"
	if err := t.change(op); err != nil {
		return err
	}
	if index < 0 {
		return negative(op, index)
	}
	return wrap(op, t.tx.native.TextInsert(t.slot, uint64(index), s))
}

// InsertWithAttributes inserts s with exactly these attributes, whatever surrounds it.
func (t *Text) InsertWithAttributes(index int, s string, attributes map[string]any) error {
	const op = "text insert"
	if err := t.change(op); err != nil {
		return err
	}
	if index < 0 {
		return negative(op, index)
	}
	var e protocol.Encoder
	if err := encodeAttributes(&e, attributes); err != nil {
		return wrap(op, err)
	}
	return wrap(op, t.tx.native.TextInsertAttributes(t.slot, uint64(index), s, e.Bytes()))
}

// InsertEmbed inserts a value of length 1, such as an image or a new shared type. It may not be a string or nil.
func (t *Text) InsertEmbed(index int, value any, attributes map[string]any) error {
	const op = "text insert embed"
	if _, ok := value.(string); ok {
		return &Error{Op: op, Code: CodeUnsupportedValue, Msg: "a string cannot be embedded; use Insert for text"}
	}
	if value == nil {
		return &Error{Op: op, Code: CodeUnsupportedValue, Msg: "nil cannot be embedded; Yjs has no embed of null"}
	}
	if index < 0 {
		return negative(op, index)
	}
	return t.applyDelta(op, Delta{{Retain: index}, {Insert: value, Attributes: attributes}})
}

// Delete deletes length units from index on.
func (t *Text) Delete(index, length int) error {
	const op = "text delete"
	if err := t.change(op); err != nil {
		return err
	}
	if index < 0 || length < 0 {
		return negative(op, min(index, length))
	}
	return wrap(op, t.tx.native.TextDelete(t.slot, uint64(index), uint64(length)))
}

// Format sets attributes on length units from index on; nil as a value removes an attribute.
func (t *Text) Format(index, length int, attributes map[string]any) error {
	const op = "text format"
	if err := t.change(op); err != nil {
		return err
	}
	if index < 0 || length < 0 {
		return negative(op, min(index, length))
	}
	var e protocol.Encoder
	if err := encodeAttributes(&e, attributes); err != nil {
		return wrap(op, err)
	}
	return wrap(op, t.tx.native.TextFormat(t.slot, uint64(index), uint64(length), e.Bytes()))
}

// ApplyDelta walks the delta along the text. A delta that does not fit the text changes nothing.
func (t *Text) ApplyDelta(delta Delta) error {
	return t.applyDelta("text apply delta", delta)
}

func (t *Text) applyDelta(op string, delta Delta) error {
	if err := t.change(op); err != nil {
		return err
	}
	encoded, err := encodeDelta(delta)
	if err != nil {
		return wrap(op, err)
	}
	return wrap(op, t.tx.native.TextApplyDelta(t.slot, encoded))
}

// ToDelta returns the text as insertions, one for each stretch of equal formatting and each embedded value.
// Nested shared types appear as handles, which another text does not take: to copy them, put a [NewText], [NewRichText],
// [NewMap] or [NewArray] of what they hold in their place.
func (t *Text) ToDelta() Delta {
	return noted(&t.shared, "text to delta", func(native *ffi.Txn, slot uint32) (Delta, error) {
		encoded, err := native.TextDelta(slot)
		if err != nil {
			return nil, err
		}
		return decodeDelta(t.tx, encoded)
	})
}

// Len returns the length.
func (t *Text) Len() int {
	return noted(&t.shared, "text len", (*ffi.Txn).TextLen)
}

// String returns the characters, without formatting and embedded values.
func (t *Text) String() string { return noted(&t.shared, "text string", (*ffi.Txn).TextString) }

func (t *Text) text() (string, error) {
	const op = "text string"
	if err := t.read(op); err != nil {
		return "", err
	}
	s, err := t.tx.native.TextString(t.slot)
	return s, wrap(op, err)
}

// MarshalText returns the characters.
func (t *Text) MarshalText() ([]byte, error) {
	s, err := t.text()
	return []byte(s), err
}

// MarshalJSON writes the characters as a string, as Yjs does. Marshal ToDelta for the formatting.
func (t *Text) MarshalJSON() ([]byte, error) {
	s, err := t.text()
	if err != nil {
		return nil, err
	}
	return json.Marshal(s)
}

// UnmarshalJSON replaces the text by a string or a Quill delta. Nothing is changed if it fails.
func (t *Text) UnmarshalJSON(data []byte) error {
	const op = "text unmarshal"
	if isNull(data) {
		return nil
	}
	var delta Delta
	if bytes.HasPrefix(bytes.TrimSpace(data), []byte("[")) {
		if err := readJSON(data, &delta); err != nil {
			return wrap(op, err)
		}
	} else {
		var s string
		if err := readJSON(data, &s); err != nil {
			return wrap(op, err)
		}
		delta = Delta{{Insert: s}}
	}
	if n := t.Len(); n > 0 {
		delta = append(Delta{{Delete: n}}, delta...)
	}
	return t.ApplyDelta(delta)
}

func negative(op string, index int) error {
	return &Error{Op: op, Code: CodeOutOfRange, Msg: fmt.Sprintf("index %d is negative", index)}
}
