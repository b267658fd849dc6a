package ycrdt

import (
	"fmt"
	"iter"

	"github.com/yrs-go/yrs/ycrdt/internal/ffi"
	"github.com/yrs-go/yrs/ycrdt/protocol"
)

// Map is a shared map from strings to values. When peers set a key at once, all of them end up with the
// same one of their values.
type Map struct{ shared }

// Set sets key to a plain value or to a new shared type ([NewText], [NewMap] and so on).
func (m *Map) Set(key string, value any) error {
	const op = "map set"
	if err := m.change(op); err != nil {
		return err
	}
	var e protocol.Encoder
	if err := encodeValue(&e, value); err != nil {
		return wrap(op, err)
	}
	return wrap(op, m.tx.native.MapSet(m.slot, key, e.Bytes()))
}

// Delete removes key. A key that is not there is no error.
func (m *Map) Delete(key string) error {
	const op = "map delete"
	if err := m.change(op); err != nil {
		return err
	}
	return wrap(op, m.tx.native.MapDelete(m.slot, key))
}

// Clear removes every key.
func (m *Map) Clear() error {
	const op = "map clear"
	if err := m.change(op); err != nil {
		return err
	}
	return wrap(op, m.tx.native.MapClear(m.slot))
}

// Value returns the value under key, a shared type as its handle. It returns false if there is none.
func (m *Map) Value(key string) (any, bool) {
	return notedValue(&m.shared, "map value", func(native *ffi.Txn, slot uint32) ([]byte, error) {
		return native.MapValue(slot, key)
	})
}

// Text returns the nested text under key, and false if there is something else or nothing.
func (m *Map) Text(key string) (*Text, bool) { return handleAs[*Text](m.Value(key)) }

// Map returns the nested map under key, and false if there is something else or nothing.
func (m *Map) Map(key string) (*Map, bool) { return handleAs[*Map](m.Value(key)) }

// Array returns the nested array under key, and false if there is something else or nothing.
func (m *Map) Array(key string) (*Array, bool) { return handleAs[*Array](m.Value(key)) }

// Len returns the number of keys.
func (m *Map) Len() int {
	return noted(&m.shared, "map len", (*ffi.Txn).MapLen)
}

// All iterates over keys and values in the order of the keys. It shows the map as it was when the iteration
// began, whatever the loop changes; handles of what the loop has deleted report ErrDeleted.
func (m *Map) All() iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		keys, values, err := m.entries()
		m.tx.note(err)
		for i, key := range keys {
			if !yield(key, values[i]) {
				return
			}
		}
	}
}

func (m *Map) entries() (keys []string, values []any, err error) {
	const op = "map all"
	if err := m.read(op); err != nil {
		return nil, nil, err
	}
	encoded, err := m.tx.native.MapEntries(m.slot)
	if err != nil {
		return nil, nil, wrap(op, err)
	}
	r := valueReader{tx: m.tx, dec: newNativeDecoder(encoded)}
	for r.dec.Remaining() > 0 {
		key, err := r.dec.ReadVarString()
		if err != nil {
			return nil, nil, wrap(op, err)
		}
		value, err := r.value()
		if err != nil {
			return nil, nil, wrap(op, err)
		}
		keys, values = append(keys, key), append(values, value)
	}
	return keys, values, nil
}

// Keys iterates over the keys in their order.
func (m *Map) Keys() iter.Seq[string] {
	return func(yield func(string) bool) {
		for key := range m.All() {
			if !yield(key) {
				return
			}
		}
	}
}

// AsMap returns the map and everything nested in it as plain values; text becomes a string.
func (m *Map) AsMap() (map[string]any, error) {
	value, err := m.export("map export")
	plain, _ := value.(map[string]any)
	if plain == nil && err == nil {
		plain = map[string]any{}
	}
	return plain, err
}

// MarshalJSON writes the map and everything nested in it as JSON.stringify does: undefined is left out, what JSON
// has no number for is null. Bytes are written in base64.
func (m *Map) MarshalJSON() ([]byte, error) {
	plain, err := m.AsMap()
	if err != nil {
		return nil, err
	}
	return marshalPlain("map marshal", plain)
}

// UnmarshalJSON replaces the map's content by the members of a JSON object, as plain values. Nothing is changed if a
// value is refused.
func (m *Map) UnmarshalJSON(data []byte) error {
	const op = "map unmarshal"
	if isNull(data) {
		return nil
	}
	value, err := parseJSON(data)
	if err != nil {
		return wrap(op, err)
	}
	object, ok := value.(map[string]any)
	if !ok {
		return &Error{Op: op, Code: CodeUnsupportedValue, Msg: "not a JSON object"}
	}
	keys := sortedKeys(object)
	encoded := make([][]byte, len(keys))
	for i, key := range keys {
		var e protocol.Encoder
		if err := encodeValue(&e, object[key]); err != nil {
			return wrap(op, fmt.Errorf("key %q: %w", key, err))
		}
		encoded[i] = e.Bytes()
	}
	if err := m.Clear(); err != nil {
		return err
	}
	for i, key := range keys {
		if err := m.tx.native.MapSet(m.slot, key, encoded[i]); err != nil {
			return wrap(op, err)
		}
	}
	return nil
}
