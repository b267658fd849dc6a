package peers_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/internal/peers"
)

type step = map[string]any

func run(t *testing.T, differ *peers.Process, steps ...step) []any {
	t.Helper()
	var results []any
	require.NoError(t, differ.Do("run", map[string]any{"steps": steps}, &results))
	require.Len(t, results, len(steps))
	return results
}

func TestDiffer_Exchange(t *testing.T) {
	differ := peers.StartDiffer(t)
	text, meta := peers.Text("text"), peers.Map("map")
	made := run(t, differ,
		step{"step": "new", "doc": "a", "clientID": 1},
		step{"step": "new", "doc": "b", "clientID": 2},
		step{"step": "edit", "doc": "a", "ops": []peers.Op{text.InsertText(0, "hello", map[string]any{"bold": true})}},
		step{"step": "edit", "doc": "a", "ops": []peers.Op{
			text.InsertEmbed(5, map[string]any{"image": "x"}),
			meta.Set("nested", peers.NewMap(map[string]any{"list": peers.NewArray(1, peers.NewText("deep"))})),
			meta.Set("huge", map[string]any{"$bigint": "9007199254740993"}),
		}},
		step{"step": "edit", "doc": "a", "ops": []peers.Op{meta.Remove("absent")}},
	)
	first, second := made[2], made[3]
	assert.Equal(t, "", made[4], "nothing changed")

	results := run(t, differ,
		step{"step": "apply", "doc": "b", "updates": []any{second}},
		step{"step": "pending", "doc": "b"},
		step{"step": "apply", "doc": "b", "updates": []any{first, second}},
		step{"step": "pending", "doc": "b"},
		step{"step": "json", "doc": "b", "on": []peers.Place{text, meta, meta.At("nested", "list", 1)}},
		step{"step": "delta", "doc": "b", "on": []peers.Place{text}},
		step{"step": "stateVector", "doc": "a"},
		step{"step": "stateVector", "doc": "b"},
		step{"step": "merge", "updates": []any{second, first}},
		step{"step": "update", "doc": "a"},
	)
	assert.Equal(t, true, results[1])
	assert.Equal(t, false, results[3])
	assert.Equal(t, []any{
		"hello",
		map[string]any{
			"nested": map[string]any{"list": []any{1.0, "deep"}},
			"huge":   map[string]any{"$bigint": "9007199254740993"},
		},
		"deep",
	}, results[4])
	assert.Equal(t, []any{[]any{
		map[string]any{"insert": "hello", "attributes": map[string]any{"bold": true}},
		map[string]any{"insert": map[string]any{"image": "x"}},
	}}, results[5])
	assert.Equal(t, results[6], results[7])
	assert.Equal(t, results[9], results[8])
}

func TestProcess_Errors(t *testing.T) {
	differ := peers.StartDiffer(t)
	assert.ErrorContains(t, differ.Do("dance", nil, nil), `unknown request "dance"`)
	steps := []step{{"step": "new", "doc": "a"}, {"step": "drop", "doc": "b"}, {"step": "pending", "doc": "b"}}
	err := differ.Do("run", map[string]any{"steps": steps}, nil)
	assert.ErrorContains(t, err, "step 2, pending")
	assert.ErrorContains(t, err, `no document "b"`)
}
