package ycrdt

import (
	"fmt"
	"iter"

	"github.com/yrs-go/yrs/ycrdt/internal/ffi"
	"github.com/yrs-go/yrs/ycrdt/protocol"
)

// Array is a shared list of values.
type Array struct{ shared }

// Insert inserts values, plain ones or new shared types, before the one at index, which may be Len. It is one
// call however many there are.
func (a *Array) Insert(index int, values ...any) error {
	const op = "array insert"
	if err := a.change(op); err != nil {
		return err
	}
	if index < 0 {
		return negative(op, index)
	}
	encoded, err := encodeValues(values)
	if err != nil {
		return wrap(op, err)
	}
	return wrap(op, a.tx.native.ArrayInsert(a.slot, uint64(index), encoded))
}

// encodeValues writes values one after another.
func encodeValues(values []any) ([]byte, error) {
	var e protocol.Encoder
	for i, value := range values {
		if err := encodeValue(&e, value); err != nil {
			return nil, fmt.Errorf("value %d: %w", i, err)
		}
	}
	return e.Bytes(), nil
}

// Append inserts values at the end.
func (a *Array) Append(values ...any) error {
	const op = "array append"
	if err := a.change(op); err != nil {
		return err
	}
	n, err := a.tx.native.ArrayLen(a.slot)
	if err != nil {
		return wrap(op, err)
	}
	return a.Insert(n, values...)
}

// Delete deletes length values from index on.
func (a *Array) Delete(index, length int) error {
	const op = "array delete"
	if err := a.change(op); err != nil {
		return err
	}
	if index < 0 || length < 0 {
		return negative(op, min(index, length))
	}
	return wrap(op, a.tx.native.ArrayDelete(a.slot, uint64(index), uint64(length)))
}

// Value returns the value at index, a shared type as its handle. It returns false if there is none.
func (a *Array) Value(index int) (any, bool) {
	if index < 0 {
		return nil, false
	}
	return notedValue(&a.shared, "array value", func(native *ffi.Txn, slot uint32) ([]byte, error) {
		return native.ArrayValue(slot, uint64(index))
	})
}

// Text returns the nested text at index, and false if there is something else or nothing.
func (a *Array) Text(index int) (*Text, bool) { return handleAs[*Text](a.Value(index)) }

// Map returns the nested map at index, and false if there is something else or nothing.
func (a *Array) Map(index int) (*Map, bool) { return handleAs[*Map](a.Value(index)) }

// Array returns the nested array at index, and false if there is something else or nothing.
func (a *Array) Array(index int) (*Array, bool) { return handleAs[*Array](a.Value(index)) }

// Len returns the number of values.
func (a *Array) Len() int {
	return noted(&a.shared, "array len", (*ffi.Txn).ArrayLen)
}

// All iterates over indices and values. It shows the array as it was when the iteration began, whatever the
// loop changes; handles of what the loop has deleted report ErrDeleted.
func (a *Array) All() iter.Seq2[int, any] {
	return func(yield func(int, any) bool) {
		values, err := a.values()
		a.tx.note(err)
		for i, value := range values {
			if !yield(i, value) {
				return
			}
		}
	}
}

func (a *Array) values() ([]any, error) {
	const op = "array all"
	if err := a.read(op); err != nil {
		return nil, err
	}
	encoded, err := a.tx.native.ArrayValues(a.slot)
	if err != nil {
		return nil, wrap(op, err)
	}
	var values []any
	r := valueReader{tx: a.tx, dec: newNativeDecoder(encoded)}
	for r.dec.Remaining() > 0 {
		value, err := r.value()
		if err != nil {
			return nil, wrap(op, err)
		}
		values = append(values, value)
	}
	return values, nil
}

// AsSlice returns the array and everything nested in it as plain values; text becomes a string.
func (a *Array) AsSlice() ([]any, error) {
	value, err := a.export("array export")
	plain, _ := value.([]any)
	if plain == nil && err == nil {
		plain = []any{}
	}
	return plain, err
}

// MarshalJSON writes the array and everything nested in it; see [Map.MarshalJSON].
func (a *Array) MarshalJSON() ([]byte, error) {
	plain, err := a.AsSlice()
	if err != nil {
		return nil, err
	}
	return marshalPlain("array marshal", plain)
}

// UnmarshalJSON replaces the array's content by the elements of a JSON array, as plain values. Nothing is changed if
// it fails.
func (a *Array) UnmarshalJSON(data []byte) error {
	const op = "array unmarshal"
	if isNull(data) {
		return nil
	}
	value, err := parseJSON(data)
	if err != nil {
		return wrap(op, err)
	}
	values, ok := value.([]any)
	if !ok {
		return &Error{Op: op, Code: CodeUnsupportedValue, Msg: "not a JSON array"}
	}
	if err := a.change(op); err != nil {
		return err
	}
	encoded, err := encodeValues(values)
	if err != nil {
		return wrap(op, err)
	}
	n, err := a.tx.native.ArrayLen(a.slot)
	if err != nil {
		return wrap(op, err)
	}
	// First what can be refused, so that what was there is still there then.
	if err := a.tx.native.ArrayInsert(a.slot, 0, encoded); err != nil {
		return wrap(op, err)
	}
	return a.Delete(len(values), n)
}
