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
	if failing, err := playAll(t.Context(), node, seed, count); err != nil {
		explain(t, node, failing, err)
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

// playAll plays the scripts of consecutive seeds. If any fails, it stops and returns the first that did.
func playAll(ctx context.Context, node *peers.Process, seed, count uint64) (failing *script, err error) {
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
				return fmt.Errorf("seed %d: %w", script.seed, err)
			}
			return nil
		})
	}
	err = group.Wait()
	return failing, err
}

// explain ends the test with the smallest script that fails as this one did.
func explain(t *testing.T, node *peers.Process, failing *script, err error) {
	became, again := play(node, "again", failing)
	if again == nil {
		t.Fatalf("YRS_SEED=%d YRS_SESSIONS=1, but not when played again: %v\n%s", failing.seed, err, failing.describe(became))
	}
	smallest := shrink(failing, func(candidate *script) bool {
		triedBecame, tried := play(node, "shrinking", candidate)
		if tried == nil || kindOf(tried) != kindOf(again) {
			return false
		}
		became, again = triedBecame, tried
		return true
	})
	t.Fatalf("YRS_SEED=%d YRS_SESSIONS=1: %v\n%s", failing.seed, again, smallest.describe(became))
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
