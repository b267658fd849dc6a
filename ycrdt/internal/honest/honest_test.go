package honest

import (
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/yrs-go/yrs/internal/peers"
)

const (
	batchSize     = 20
	batchesAtOnce = 4 // so that no process waits for the others
	// maxFactor is to how many times their number sessions may grow until they have covered everything.
	maxFactor = 5
)

// TestSessions plays $YRS_SESSIONS sessions, made up from $YRS_SEED and the numbers behind it. By default the seed is
// another one each time.
func TestSessions(t *testing.T) {
	seed := number(t, "YRS_SEED", uint64(rand.Uint32N(1<<31)))
	count := number(t, "YRS_SESSIONS", defaultSessions)
	t.Logf("YRS_SEED=%d YRS_SESSIONS=%d", seed, count)
	runner := &runner{
		yjs:    &peer{process: peers.StartYjsSessions(t)},
		pycrdt: &peer{process: peers.StartPycrdtSessions(t)},
		tally:  newTally(),
	}
	group, ctx := errgroup.WithContext(t.Context())
	group.SetLimit(batchesAtOnce)
	for first := uint64(0); first < count && ctx.Err() == nil; first += batchSize {
		group.Go(func() error { return runner.batch(seed+first, min(batchSize, count-first)) })
	}
	require.NoError(t, group.Wait())
	if os.Getenv("YRS_SESSIONS") == "" {
		// A few sessions may lack what is rare: then there are more of them.
		for first := count; len(runner.tally.lacking()) > 0 && first < maxFactor*count; first += batchSize {
			require.NoError(t, runner.batch(seed+first, batchSize))
		}
		runner.tally.requireEnough(t)
	}
	t.Log(runner.tally)
}

// number returns the number in an environment variable.
func number(t *testing.T, variable string, otherwise uint64) uint64 {
	text := os.Getenv(variable)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 64)
	require.NoError(t, err, variable)
	return n
}

// requireEnough checks that sessions have covered all that a peer can send.
func (t *tally) requireEnough(tb testing.TB) {
	assert.GreaterOrEqual(tb, len(t.seen), minUpdates)
	assert.GreaterOrEqual(tb, t.sessions, minSessions)
	assert.Empty(tb, t.lacking(), "no peer has sent these")
}

// lacking returns what sessions have not covered.
func (t *tally) lacking() []string {
	contents := without(t.contents,
		"ContentAny", "ContentBinary", "ContentDeleted", "ContentDoc", "ContentEmbed", "ContentFormat", "ContentJSON",
		"ContentString", "YArray", "YMap", "YText", "YXmlElement", "YXmlFragment", "YXmlText", "GC", "Skip", "DeleteSet",
		"client of 53 bits",
	)
	kinds := without(t.kinds,
		"yjs edit", "yjs legacy", "yjs relay", "yjs snapshot", "yjs state", "yjs diff", "yjs offset", "yjs merge", "yjs mergeDiff",
		"yjs v2", "yjs v2Merge", "yjs prefix", "pycrdt edit", "pycrdt relay", "pycrdt state", "pycrdt diff", "pycrdt merge",
		"ycrdt edit", "ycrdt relay", "ycrdt state", "ycrdt merge",
	)
	return append(contents, kinds...)
}

// without returns those of the names that were not counted.
func without(counted map[string]int, names ...string) []string {
	return slices.DeleteFunc(names, func(name string) bool { return counted[name] > 0 })
}
