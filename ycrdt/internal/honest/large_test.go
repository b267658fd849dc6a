package honest

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/internal/peers"
)

// TestLarge: no limit is in the way of documents that are large, but that honest programs make.
func TestLarge(t *testing.T) {
	runner := &runner{yjs: &peer{process: peers.StartYjsSessions(t)}, tally: newTally()}
	var made struct {
		Frames []byte
		Names  []string
	}
	require.NoError(t, runner.yjs.do("large", map[string]any{"key": "large"}, &made))
	sessions, err := readSessions(made.Frames, (*reader).finished)
	require.NoError(t, err)
	for i, session := range sessions {
		t.Run(made.Names[i], func(t *testing.T) {
			p := runner.player(session)
			names := []string{"as sent"}
			if len(session.updates) > 1 {
				names = append(names, "reversed", "merged", "merged by Yjs", "states and diffs of Yjs", "saved and loaded")
			}
			for _, order := range orders {
				if slices.Contains(names, order.name) {
					state, err := p.playIn(order)
					require.NoError(t, err, order.name)
					results := []result{{session: i, order: order.name, updates: [][]byte{state}}}
					assert.NoError(t, runner.verify(sessions, results, "large"))
				}
			}
		})
	}
	t.Log(runner.tally)
}
