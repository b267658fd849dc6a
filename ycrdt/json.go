package ycrdt

import (
	"bytes"
	"encoding/json"
	"math"
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

// parseJSON reads JSON whose integers stay integers.
func parseJSON[T map[string]any | []any](data []byte) (T, error) {
	var value T
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	if err := dec.Decode(&value); err != nil {
		return nil, err
	}
	converted, _ := goValue(any(value)).(T)
	return converted, nil
}

// goValue turns the numbers of parsed JSON into int64 where they are whole and safe in JavaScript, else float64.
func goValue(value any) any {
	switch value := value.(type) {
	case json.Number:
		const maxSafe = 1<<53 - 1
		if n, err := strconv.ParseInt(value.String(), 10, 64); err == nil && -maxSafe <= n && n <= maxSafe {
			return n
		}
		f, _ := value.Float64()
		return f
	case map[string]any:
		for key, member := range value {
			value[key] = goValue(member)
		}
	case []any:
		for i, element := range value {
			value[i] = goValue(element)
		}
	}
	return value
}
