package main

import (
	"fmt"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/bench/door"
	"github.com/yrs-go/yrs/bench/measure"
	"github.com/yrs-go/yrs/bench/report"
	"github.com/yrs-go/yrs/bench/workload"
)

// debugNative is the native program as the tests have it built: their workloads are small.
const debugNative = "../target/debug/bench-native"

// tiny has workloads of every kind.
var tiny = workload.Size{
	N: 20, Edits: 80, Text: 300, Traces: "nowhere/*", Fallback: "../testdata/traces/*.json.gz", OneTraced: 1000,
}

// installed returns the peers that come with the benchmark.
func installed(t *testing.T) []measure.Peer {
	t.Helper()
	require.FileExists(t, debugNative,
		"these tests need the native program: run \"cargo build --locked --features bench --bin bench-native\"")
	require.DirExists(t, "../internal/peers/node/node_modules/yjs", "run \"scripts/setup.sh node-peers\"")
	require.FileExists(t, "../build/venv/bin/python", "run \"scripts/setup.sh python-peers\"")
	programs := t.TempDir()
	out, err := exec.Command("go", "build", "-o", programs, "./peers/ycrdt", "./peers/automerge").CombinedOutput()
	require.NoError(t, err, string(out))
	return builtPeers(debugNative, programs)
}

func TestPeers_AgreeInEveryWorkload(t *testing.T) {
	peers := installed(t)
	cases, err := workload.All(tiny)
	require.NoError(t, err)
	grid, err := measure.All(peers, cases, measure.Options{
		Rounds: 1, Timeout: 20 * time.Second, Work: t.TempDir(), Progress: func(string) {},
	})
	require.NoError(t, err)
	assert.Empty(t, grid.Problems)
	for _, c := range cases {
		for _, peer := range peers {
			want := measure.Measured
			if peer.Variant && !c.Variants || c.Only != "" && c.Only != peer.ID {
				want = measure.LeftOut
			} else if !supports(peer, &c) {
				want = measure.Unsupported
			}
			cell := grid.Cell(c.Name, peer.ID)
			assert.Equal(t, want, cell.State, "%s, %s: %s", c.Name, peer.ID, cell.Reason)
		}
	}
	requireFigures(t, grid, peers)
}

// supports says what the peers are known to do.
func supports(peer measure.Peer, c *workload.Case) bool {
	cannot := map[string][]string{
		report.Ours: {door.Gate}, report.NoIndex: {door.Gate}, report.Yjs: {door.Gate},
		report.Pycrdt: {door.Gate, door.UTF16}, report.Automerge: {door.Gate, door.UTF16, door.Updates, door.Merge},
	}[peer.ID]
	return !slices.ContainsFunc(c.Needs, func(feature string) bool { return slices.Contains(cannot, feature) })
}

// requireFigures looks for the rows and the figures behind them.
func requireFigures(t *testing.T, grid *measure.Grid, peers []measure.Peer) {
	t.Helper()
	traces, err := workload.Traces(tiny)
	require.NoError(t, err)
	for _, section := range report.Sections(tiny, traces) {
		for _, row := range section.Rows {
			for _, peer := range peers {
				figure := report.Look(grid, row.Of, peer.ID)
				require.NotEqual(t, measure.Absent, figure.State, "%s: there is no workload %q", row.Title, row.Of.Workload)
				// Small documents fit into memory that was there already.
				if figure.State == measure.Measured && row.Of.Figure != report.Peak {
					assert.Positive(t, figure.Amount, "%s, %s", row.Title, peer.ID)
				}
			}
			for i, verdict := range row.Verdicts(grid) {
				assert.NotEmpty(t, verdict.Text, "%s, bar %d", row.Title, i)
			}
		}
	}
}

func TestOutsidePeers_Set(t *testing.T) {
	var peers outsidePeers
	require.NoError(t, peers.Set("other=/usr/bin/other -fast"))
	assert.Equal(t, measure.Peer{ID: "other", Command: []string{"/usr/bin/other", "-fast"}, Outside: true}, peers[0])
	for _, bad := range []string{"", "other", "=command", "other= "} {
		assert.Error(t, peers.Set(bad), fmt.Sprintf("%q", bad))
	}
}

func TestChoose(t *testing.T) {
	all := builtPeers("native", "programs")
	chosen, err := choose(all, "yjs,ycrdt")
	require.NoError(t, err)
	assert.Equal(t, []string{"yjs", "ycrdt"}, []string{chosen[0].ID, chosen[1].ID})
	_, err = choose(all, "nobody")
	assert.ErrorContains(t, err, `no peer "nobody"`)
}
