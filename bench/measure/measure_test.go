package measure_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/bench/door"
	"github.com/yrs-go/yrs/bench/measure"
	"github.com/yrs-go/yrs/bench/workload"
)

// scripted is a peer in the shell: it greets with a feature and does something for each run.
func scripted(id, onRun string) measure.Peer {
	return measure.Peer{ID: id, Command: []string{"sh", "-c", fmt.Sprintf(`
		while read -r request; do
			case $request in
			*hello*) echo '{"name":"fake","version":"1","features":["text"]}' ;;
			*load*) echo '{}' ;;
			*run*) %s ;;
			esac
		done`, onRun)}}
}

func answers(hash string) string { return fmt.Sprintf(`echo '{"ns":[7],"hash":"%s","live":3}'`, hash) }

// measureAll runs one small workload through peers.
func measureAll(t *testing.T, want string, peers ...measure.Peer) *measure.Grid {
	t.Helper()
	c := workload.Case{Want: want, Workload: door.Workload{
		Name: "w", Parts: []door.Part{{Name: "run", Steps: []door.Step{{Do: door.Edit, Text: []door.TextOp{{Inserted: "x"}}}}}},
	}}
	c.SetNeeds()
	grid, err := measure.All(peers, []workload.Case{c}, measure.Options{
		Rounds: 3, Timeout: time.Second, Work: t.TempDir(), Progress: func(string) {},
	})
	require.NoError(t, err)
	return grid
}

func TestAll_NamesPeersThatFail(t *testing.T) {
	grid := measureAll(t, "",
		scripted("good", answers("aa")), scripted("alike", answers("aa")), scripted("wrong", answers("bb")),
		scripted("dies", "echo 'out of luck' >&2; exit 3"), scripted("garbage", "echo nonsense"),
		scripted("hangs", "exec sleep 30"), scripted("refuses", `echo '{"error":"not today"}'`),
		scripted("empty", `echo '{}'`))
	for peer, want := range map[string]struct {
		state  measure.State
		reason string
	}{
		"good":    {measure.Measured, ""},
		"alike":   {measure.Measured, ""},
		"wrong":   {measure.Failed, "another result than the other peers"},
		"dies":    {measure.Failed, `died at "run": out of luck`},
		"garbage": {measure.Failed, `answered "run" with garbage: "nonsense"`},
		"hangs":   {measure.TimedOut, ""},
		"refuses": {measure.Failed, "run: not today"},
		"empty":   {measure.Failed, `answered "run" without a result`},
	} {
		cell := grid.Cell("w", peer)
		assert.Equal(t, want.state, cell.State, peer)
		assert.Equal(t, want.reason, cell.Reason, peer)
		if want.reason != "" {
			assert.Contains(t, grid.Problems, peer+", w: "+want.reason)
		}
	}
	assert.Len(t, grid.Problems, 5)
	assert.Len(t, grid.Cell("w", "good").Runs, 3)
	assert.Equal(t, time.Second, grid.Cell("w", "hangs").Limit)
}

func TestAll_KnownResult(t *testing.T) {
	grid := measureAll(t, "bb", scripted("first", answers("aa")), scripted("second", answers("aa")))
	assert.Len(t, grid.Problems, 2, "both are wrong, though they agree")
}

func TestAll_PeersThatDoNotStart(t *testing.T) {
	absent := measure.Peer{ID: "absent", Command: []string{"/nowhere/peer"}}
	opts := measure.Options{Rounds: 1, Timeout: time.Second, Work: t.TempDir(), Progress: func(string) {}}
	_, err := measure.All([]measure.Peer{absent}, nil, opts)
	require.ErrorContains(t, err, "absent: ")
	absent.Outside = true
	grid, err := measure.All([]measure.Peer{absent}, nil, opts)
	require.NoError(t, err)
	assert.Len(t, grid.Problems, 1)
}

func TestCell_Rounds(t *testing.T) {
	for elapsed, want := range map[time.Duration]int{time.Second: 5, 3 * time.Second: 3, 9 * time.Second: 1} {
		cell := measure.Cell{State: measure.Measured, Elapsed: []time.Duration{elapsed}}
		assert.Equal(t, want, cell.Rounds(5), elapsed)
	}
	assert.Zero(t, (&measure.Cell{State: measure.TimedOut}).Rounds(5))
	assert.Equal(t, 5, (&measure.Cell{}).Rounds(5))
}
