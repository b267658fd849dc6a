package difftest

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"math/big"
	"reflect"
	"strconv"

	"github.com/yrs-go/yrs/ycrdt"
	"github.com/yrs-go/yrs/ycrdt/protocol"
)

// plain turns a value into what marshals to the form of internal/peers/node/document.mjs.
func plain(value any) any {
	switch value := value.(type) {
	case protocol.UndefinedType:
		return map[string]any{"$undefined": true}
	case []byte:
		return map[string]any{"$bytes": base64.StdEncoding.EncodeToString(value)}
	case *big.Int:
		return map[string]any{"$bigint": value.String()}
	case float64:
		return plainFloat(value)
	case ycrdt.NewText:
		return plain(ycrdt.NewRichText{{Insert: string(value)}})
	case ycrdt.NewRichText:
		return map[string]any{"$text": plainDelta(ycrdt.Delta(value))}
	case ycrdt.NewMap:
		return map[string]any{"$map": plain(map[string]any(value))}
	case ycrdt.NewArray:
		return map[string]any{"$array": plain([]any(value))}
	case map[string]any:
		out := make(map[string]any, len(value))
		for key, member := range value {
			out[key] = plain(member)
		}
		return out
	case []any:
		out := make([]any, len(value))
		for i, element := range value {
			out[i] = plain(element)
		}
		return out
	default:
		return value
	}
}

func plainFloat(value float64) any {
	name := ""
	switch {
	case math.IsNaN(value):
		name = "NaN"
	case math.IsInf(value, 1):
		name = "Infinity"
	case math.IsInf(value, -1):
		name = "-Infinity"
	case value == 0 && math.Signbit(value):
		name = "-0"
	default:
		return json.Number(strconv.FormatFloat(value, 'g', -1, 64))
	}
	return map[string]any{"$number": name}
}

func plainDelta(delta ycrdt.Delta) []any {
	out := make([]any, len(delta))
	for i, op := range delta {
		step := map[string]any{"insert": plain(op.Insert)}
		if op.Attributes != nil {
			step["attributes"] = plain(op.Attributes)
		}
		out[i] = step
	}
	return out
}

// tree reads a shared type and everything nested in it, as the value that would make it anew.
func tree(shared any) any {
	switch shared := shared.(type) {
	case *ycrdt.Text:
		delta := shared.ToDelta()
		for i := range delta {
			delta[i].Insert = tree(delta[i].Insert)
		}
		return ycrdt.NewRichText(delta)
	case *ycrdt.Map:
		out := ycrdt.NewMap{}
		for key, value := range shared.All() {
			out[key] = tree(value)
		}
		return out
	case *ycrdt.Array:
		out := ycrdt.NewArray{}
		for _, value := range shared.All() {
			out = append(out, tree(value))
		}
		return out
	default:
		return shared
	}
}

// canonical turns JSON into a string that is the same for the same content.
func canonical(encoded []byte) (string, error) {
	var value any
	if err := json.Unmarshal(encoded, &value); err != nil {
		return "", err
	}
	return mustJSON(joinStretches(value)), nil
}

// joinStretches joins neighbouring insertions of equal formatting in every delta. Where a stretch of text is split
// depends on formatting that has no effect, which implementations clean up at different times.
func joinStretches(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for key, member := range value {
			value[key] = joinStretches(member)
			if delta, ok := value[key].([]any); ok && key == "$text" {
				value[key] = joinDelta(delta)
			}
		}
	case []any:
		for i, element := range value {
			value[i] = joinStretches(element)
		}
	}
	return value
}

func joinDelta(delta []any) []any {
	joined := []any{}
	for _, op := range delta {
		step := op.(map[string]any)
		text, isText := step["insert"].(string)
		if last := len(joined) - 1; isText && last >= 0 {
			before := joined[last].(map[string]any)
			if head, ok := before["insert"].(string); ok && reflect.DeepEqual(before["attributes"], step["attributes"]) {
				before["insert"] = head + text
				continue
			}
		}
		joined = append(joined, step)
	}
	return joined
}
