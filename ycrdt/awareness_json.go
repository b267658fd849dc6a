package ycrdt

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"unicode/utf8"
)

var errNotUTF8 = errors.New("a string is not UTF-8")

// encodeState returns v as JSON, in the form of JavaScript's JSON.stringify
// (without HTML escapes), or nil if that is null. It fails if JSON cannot carry v
// exactly.
func encodeState(v any) (json.RawMessage, error) {
	var buf bytes.Buffer
	encoder := json.NewEncoder(&buf)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	raw := bytes.TrimSuffix(buf.Bytes(), []byte("\n"))
	if !utf8.Valid(raw) || hasReplacement(raw) {
		return nil, errNotUTF8
	}
	var decoded any
	if err := json.Unmarshal(raw, &decoded); err != nil {
		return nil, err // a number out of range
	}
	if decoded == nil {
		return nil, nil
	}
	return raw, nil
}

// hasReplacement tells whether encoding/json has replaced something that is not
// UTF-8 in a string: it writes the escape \ufffd then, and a U+FFFD that was there
// already as itself.
func hasReplacement(raw []byte) bool {
	for {
		i := bytes.IndexByte(raw, '\\')
		if i < 0 {
			return false
		}
		if bytes.HasPrefix(raw[i+1:], []byte("ufffd")) {
			return true
		}
		raw = raw[i+2:] // the backslash and what it escapes
	}
}

// decodeState returns the value of a state. As in JavaScript, where a number
// beyond float64 becomes Infinity and then null, such a number is nil.
func decodeState(raw json.RawMessage) any {
	var v any
	_ = json.Unmarshal(raw, &v) // states are valid JSON; what else it complains of is the number
	return v
}

// equalStates compares the values of two states, whatever the order of keys.
// nil equals no state.
func equalStates(a, b json.RawMessage) bool {
	return bytes.Equal(a, b) || reflect.DeepEqual(decodeState(a), decodeState(b))
}

// setField returns object with the field at the end of path set to value, or
// false if what path leads through is not an object. An absent object, nil, is an
// empty one. All other values stay as they are written.
func setField(object json.RawMessage, path []string, value json.RawMessage) (json.RawMessage, bool) {
	fields := make(map[string]json.RawMessage)
	if object != nil {
		if err := json.Unmarshal(object, &fields); err != nil || fields == nil {
			return nil, false
		}
	}
	if len(path) > 1 {
		var ok bool
		if value, ok = setField(fields[path[0]], path[1:], value); !ok {
			return nil, false
		}
	}
	fields[path[0]] = value
	return encodeFields(fields), true
}

func encodeFields(fields map[string]json.RawMessage) json.RawMessage {
	var buf bytes.Buffer
	encoder := json.NewEncoder(&buf)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(fields) // cannot fail: all values are valid JSON
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n"))
}
