package ycrdt

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"strconv"

	"github.com/yrs-go/yrs/ycrdt/protocol"
)

// jsonValue prepares a plain value for encoding/json the way JSON.stringify treats it: undefined members are left
// out, and undefined elements, NaN and the infinities become null.
func jsonValue(value any) any {
	switch value := value.(type) {
	case map[string]any:
		out := make(map[string]any, len(value))
		for key, member := range value {
			if member != protocol.Undefined {
				out[key] = jsonValue(member)
			}
		}
		return out
	case []any:
		out := make([]any, len(value))
		for i, element := range value {
			out[i] = jsonValue(element)
		}
		return out
	case float64:
		if math.IsNaN(value) || math.IsInf(value, 0) {
			return nil
		}
	}
	return value
}

// encodeJSON writes a value that travels as JSON, the way it will arrive: embeds and attributes of text are JSON
// in updates. What would arrive as something else is refused.
func encodeJSON(e *protocol.Encoder, value any) error {
	plain, err := asJSON(value)
	if err != nil {
		return err
	}
	return e.WriteAny(plain)
}

func asJSON(value any) (any, error) {
	switch value := value.(type) {
	case float32:
		return asJSON(float64(value))
	case float64:
		if math.IsNaN(value) || math.IsInf(value, 0) {
			return nil, fmt.Errorf("%w: JSON has no number for %v", ErrUnsupportedValue, value)
		}
		if value == math.Trunc(value) && math.Abs(value) <= maxSafeInteger {
			return int64(value), nil
		}
		return value, nil
	case []byte, *big.Int, protocol.UndefinedType:
		return nil, fmt.Errorf("%w: embeds and attributes travel as JSON, which has no %T", ErrUnsupportedValue, value)
	case []any:
		out := make([]any, len(value))
		for i, element := range value {
			var err error
			if out[i], err = asJSON(element); err != nil {
				return nil, err
			}
		}
		return out, nil
	case map[string]any:
		out := make(map[string]any, len(value))
		for key, member := range value {
			var err error
			if out[key], err = asJSON(member); err != nil {
				return nil, err
			}
		}
		return out, nil
	default:
		return value, nil
	}
}

// isNull tells whether data is the JSON null, which encoding/json asks unmarshalers to ignore.
func isNull(data []byte) bool { return string(bytes.TrimSpace(data)) == "null" }

// parseJSON reads JSON whose integers stay integers.
func parseJSON(data []byte) (any, error) {
	var value any
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	if err := dec.Decode(&value); err != nil {
		return nil, err
	}
	return goValue(value)
}

// goValue turns the numbers of parsed JSON into int64 where they are whole and safe in JavaScript, else float64.
func goValue(value any) (any, error) {
	switch value := value.(type) {
	case json.Number:
		if n, err := strconv.ParseInt(value.String(), 10, 64); err == nil && -maxSafeInteger <= n && n <= maxSafeInteger {
			return n, nil
		}
		return value.Float64()
	case map[string]any:
		return goMap(value)
	case []any:
		for i, element := range value {
			var err error
			if value[i], err = goValue(element); err != nil {
				return nil, err
			}
		}
	}
	return value, nil
}

// goMap is goValue in place for the members of an object.
func goMap(object map[string]any) (map[string]any, error) {
	for key, member := range object {
		var err error
		if object[key], err = goValue(member); err != nil {
			return nil, err
		}
	}
	return object, nil
}

// maxSafeInteger is the largest magnitude up to which JavaScript tells all integers apart.
const maxSafeInteger = 1<<53 - 1
