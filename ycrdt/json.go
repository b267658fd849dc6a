package ycrdt

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"math/big"
	"strconv"

	"github.com/yrs-go/yrs/ycrdt/protocol"
)

// jsonValue prepares a plain value for encoding/json the way JSON.stringify treats it: undefined members are left
// out, and undefined elements, NaN and the infinities become null. New shared types become what they will hold.
// Nothing else may come to encoding/json, which finds no cycle that leads through a MarshalJSON.
func jsonValue(value any) (any, error) { return jsonValueAt(value, maxNativeDepth) }

func jsonValueAt(value any, depth int) (any, error) {
	switch value := value.(type) {
	case map[string]any:
		return jsonObject(value, depth)
	case NewMap:
		return jsonObject(value, depth)
	case []any:
		return mapArray(value, depth, maxNativeDepth, jsonValueAt)
	case NewArray:
		return mapArray(value, depth, maxNativeDepth, jsonValueAt)
	case NewText:
		return string(value), nil
	case NewRichText:
		return Delta(value).characters(), nil
	case float32:
		return jsonFloat(value), nil
	case float64:
		return jsonFloat(value), nil
	case nil, bool, string, []byte, int, int8, int16, int32, int64, uint, uint8, uint16, uint32, uint64, *big.Int,
		protocol.UndefinedType, *Text, *Map, *Array:
		return value, nil
	default:
		return nil, fmt.Errorf("%w: type %T", ErrUnsupportedValue, value)
	}
}

func jsonObject(object map[string]any, depth int) (any, error) {
	out, err := mapObject(object, depth, maxNativeDepth, jsonValueAt)
	if err != nil {
		return nil, err
	}
	maps.DeleteFunc(out, func(_ string, member any) bool { return member == protocol.Undefined })
	return out, nil
}

// mapArray returns what member makes of the elements, which may be one level less deep. Errors name the whole limit.
func mapArray(values []any, depth, limit int, member func(value any, depth int) (any, error)) (any, error) {
	if depth == 0 {
		return nil, tooDeep(limit)
	}
	out := make([]any, len(values))
	for i, element := range values {
		var err error
		if out[i], err = member(element, depth-1); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// mapObject is mapArray for the members of an object.
func mapObject(
	object map[string]any, depth, limit int, member func(value any, depth int) (any, error),
) (map[string]any, error) {
	if depth == 0 {
		return nil, tooDeep(limit)
	}
	out := make(map[string]any, len(object))
	for key, value := range object {
		var err error
		if out[key], err = member(value, depth-1); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func jsonFloat[F float32 | float64](f F) any {
	if n := float64(f); math.IsNaN(n) || math.IsInf(n, 0) {
		return nil
	}
	return f
}

// marshalPlain writes a plain value as JSON.
func marshalPlain(op string, plain any) ([]byte, error) {
	value, err := jsonValue(plain)
	if err != nil {
		return nil, wrap(op, err)
	}
	encoded, err := json.Marshal(value)
	return encoded, wrap(op, err)
}

// encodeJSON writes a value that travels as JSON, the way it will arrive: embeds and attributes of text are JSON
// in updates. What would arrive as something else is refused.
func encodeJSON(e *protocol.Encoder, value any) error {
	plain, err := asJSON(value, protocol.MaxAnyDepth)
	if err != nil {
		return err
	}
	return e.WriteAny(plain)
}

func asJSON(value any, depth int) (any, error) {
	switch value := value.(type) {
	case float32:
		return asJSON(float64(value), depth)
	case float64:
		if math.IsNaN(value) || math.IsInf(value, 0) {
			return nil, fmt.Errorf("%w: JSON has no number for %v", ErrUnsupportedValue, value)
		}
		if value == math.Trunc(value) && math.Abs(value) <= maxSafeInteger {
			return int64(value), nil
		}
		return value, nil
	case int, int64, uint, uint64:
		return value, checkInteger(value, false)
	case *big.Int:
		return nil, fmt.Errorf("%w; write it as a string", noJSON(value))
	case []byte, protocol.UndefinedType:
		return nil, noJSON(value)
	case []any:
		return mapArray(value, depth, protocol.MaxAnyDepth, asJSON)
	case map[string]any:
		return mapObject(value, depth, protocol.MaxAnyDepth, asJSON)
	default:
		return value, checkNoShared(value)
	}
}

func noJSON(value any) error {
	return fmt.Errorf("%w: embeds and attributes travel as JSON, which has no %T", ErrUnsupportedValue, value)
}

// largeIntegersAsFloats makes of a value that travelled as JSON, and is the caller's own, what JavaScript reads there: yrs
// takes an integer beyond 2^53-1 for a BigInt.
func largeIntegersAsFloats(value any) any {
	switch value := value.(type) {
	case *big.Int:
		nearest, _ := value.Float64()
		return nearest
	case []any:
		for i, element := range value {
			value[i] = largeIntegersAsFloats(element)
		}
	case map[string]any:
		for key, member := range value {
			value[key] = largeIntegersAsFloats(member)
		}
	}
	return value
}

// isNull tells whether data is the JSON null, which encoding/json asks unmarshalers to ignore.
func isNull(data []byte) bool { return string(bytes.TrimSpace(data)) == "null" }

// parseJSON reads JSON whose integers stay integers.
func parseJSON(data []byte) (any, error) {
	var value any
	if err := readJSON(data, &value); err != nil {
		return nil, err
	}
	return goValue(value)
}

// readJSON reads one JSON value with nothing behind it. encoding/json has made sure of that when it calls an unmarshaler,
// but others call them too.
func readJSON(data []byte, target any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	err := dec.Decode(target)
	if err == nil {
		if _, end := dec.Token(); end == io.EOF {
			return nil
		}
		return fmt.Errorf("%w: something follows the JSON value", ErrMalformed)
	}
	var own *Error // of a step within a delta
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &own):
		return own
	case errors.As(err, &kind):
		return fmt.Errorf("%w: %w", ErrUnsupportedValue, err)
	default:
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
}

// goValue turns the numbers of parsed JSON into int64 where they are whole and safe in JavaScript, else float64.
func goValue(value any) (any, error) {
	switch value := value.(type) {
	case json.Number:
		if n, err := strconv.ParseInt(value.String(), 10, 64); err == nil && -maxSafeInteger <= n && n <= maxSafeInteger {
			return n, nil
		}
		f, err := value.Float64()
		if err != nil {
			return nil, fmt.Errorf("%w: no float64 holds the number %s", ErrUnsupportedValue, value)
		}
		return f, nil
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
