package peer

import (
	"encoding/json"
	"math"
	"os"

	"github.com/yrs-go/yrs/bench/door"
)

// load reads a workload, with whole numbers as int64.
func load(path string) (*door.Workload, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	workload := new(door.Workload)
	if err := json.Unmarshal(data, workload); err != nil {
		return nil, err
	}
	for _, part := range workload.Parts {
		for _, step := range part.Steps {
			for _, op := range step.Array {
				whole(op.Values)
			}
			for i, op := range step.Map {
				step.Map[i].Value = whole(op.Value)
			}
		}
	}
	return workload, nil
}

// whole makes int64 of the whole numbers in a value, in place.
func whole(value any) any {
	switch value := value.(type) {
	case float64:
		if value == math.Trunc(value) && math.Abs(value) < 1<<53 {
			return int64(value)
		}
	case []any:
		for i := range value {
			value[i] = whole(value[i])
		}
	case map[string]any:
		for key := range value {
			value[key] = whole(value[key])
		}
	}
	return value
}
