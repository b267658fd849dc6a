package workload_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/bench/door"
	"github.com/yrs-go/yrs/bench/workload"
)

var tiny = workload.Size{
	N: 20, Edits: 80, Text: 300, Traces: "nowhere/*", Fallback: "../../testdata/traces/*.json.gz", OneTraced: 50,
}

func TestAll_IsTheSameEveryTime(t *testing.T) {
	first, err := workload.All(tiny)
	require.NoError(t, err)
	second, err := workload.All(tiny)
	require.NoError(t, err)
	assert.Equal(t, first, second)
	names := make(map[string]bool)
	for _, c := range first {
		assert.False(t, names[c.Name], "%s is there twice", c.Name)
		names[c.Name] = true
	}
}

func TestAll_SurvivesJSON(t *testing.T) {
	cases, err := workload.All(tiny)
	require.NoError(t, err)
	for _, c := range cases {
		text, err := json.Marshal(c.Workload)
		require.NoError(t, err)
		var again door.Workload
		require.NoError(t, json.Unmarshal(text, &again))
		twice, err := json.Marshal(again)
		require.NoError(t, err)
		assert.JSONEq(t, string(text), string(twice), c.Name)
	}
}

func TestTraces_NoneThere(t *testing.T) {
	_, err := workload.Traces(workload.Size{Traces: "nowhere/*", Fallback: "nowhere/*"})
	assert.ErrorContains(t, err, "no trace found")
}

func TestStep_Range(t *testing.T) {
	for _, r := range []struct{ from, to, first, end int }{
		{0, 0, 0, 9}, {2, 0, 2, 9}, {2, 5, 2, 5}, {-1, 0, 8, 9}, {-3, -1, 6, 8},
	} {
		step := door.Step{From: r.from, To: r.to}
		first, end, err := step.Range(9)
		require.NoError(t, err)
		assert.Equal(t, []int{r.first, r.end}, []int{first, end}, "%d to %d", r.from, r.to)
	}
	for _, step := range []door.Step{{From: 10}, {From: -10}, {To: 10}, {From: 5, To: 4}} {
		_, _, err := step.Range(9)
		assert.Error(t, err, "%d to %d", step.From, step.To)
	}
}
