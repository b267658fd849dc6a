package difftest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/yrs-go/yrs/internal/peers"
)

// sessionsAtOnce is how many sessions share the Node process, so that neither side waits for the other.
const sessionsAtOnce = 4

// TestSessions plays $YRS_SESSIONS scripts, made up from $YRS_SEED and the numbers behind it. By default the seed is
// another one each time.
func TestSessions(t *testing.T) {
	seed := number(t, "YRS_SEED", uint64(rand.Uint32()))
	count := number(t, "YRS_SESSIONS", defaultSessions)
	t.Logf("YRS_SEED=%d YRS_SESSIONS=%d", seed, count)
	node := peers.StartDiffer(t)
	if failing := playAll(t.Context(), node, seed, count); failing != nil {
		requirePlays(t, node, failing)
	}
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

// playAll plays the scripts of consecutive seeds. If any fails, it stops and returns one that did.
func playAll(ctx context.Context, node *peers.Process, seed, count uint64) (failing *script) {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(sessionsAtOnce)
	var once sync.Once
	for i := range count {
		if ctx.Err() != nil {
			break
		}
		group.Go(func() error {
			script := newScript(seed + i)
			_, err := play(node, fmt.Sprint("session ", i), script)
			if err != nil {
				once.Do(func() { failing = script })
			}
			return err
		})
	}
	_ = group.Wait() // the failing script tells
	return failing
}

// requirePlays plays a script again, and if it fails, ends the test with the smallest that fails in the same way.
func requirePlays(t *testing.T, node *peers.Process, failing *script) {
	became, err := play(node, "again", failing)
	require.Error(t, err, "the script of YRS_SEED=%d failed, but not when played again:\n%s", failing.seed, failing.describe(became))
	smallest := shrink(failing, func(candidate *script) bool {
		triedBecame, tried := play(node, "shrinking", candidate)
		if tried == nil || kindOf(tried) != kindOf(err) {
			return false
		}
		became, err = triedBecame, tried
		return true
	})
	t.Fatalf("YRS_SEED=%d YRS_SESSIONS=1: %v\n%s", failing.seed, err, smallest.describe(became))
}

// kindOf returns what the failures of a script that shrinks have in common: the first line, without numbers.
func kindOf(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune("0123456789abcdef", r) { // of hexadecimal numbers too
			return -1
		}
		return r
	}, line)
}
