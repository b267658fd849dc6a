package difftest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/yrs-go/yrs/internal/peers"
)

// sessionsAtOnce is how many sessions share the Node process, so that neither side waits for the other.
const sessionsAtOnce = 4

func TestSessions(t *testing.T) {
	seed := number(t, "YRS_SEED", uint64(rand.Uint32()))
	count := number(t, "YRS_SESSIONS", defaultSessions)
	t.Logf("YRS_SEED=%d YRS_SESSIONS=%d", seed, count)
	node := peers.StartDiffer(t)
	if failing, failed := playAll(t.Context(), node, seed, count); failed != nil {
		failing, failed = shrinkFailure(node, failing, failed)
		t.Fatalf("YRS_SEED=%d YRS_SESSIONS=1: %s\n%s", failing.seed, failed.detail, failing.describe(failed.became))
	}
}

// playAll plays the sessions of consecutive seeds. It returns one that fails, if any does.
func playAll(ctx context.Context, node *peers.Process, seed, count uint64) (failing *script, failed *failure) {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(sessionsAtOnce)
	var once sync.Once
	for i := range count {
		if ctx.Err() != nil {
			break
		}
		group.Go(func() error {
			script := newScript(seed + i)
			result := play(node, fmt.Sprint("seed ", script.seed), script)
			if result == nil {
				return nil
			}
			once.Do(func() { failing, failed = script, result })
			return errors.New(result.detail)
		})
	}
	_ = group.Wait() // the failure is told by what is returned
	return failing, failed
}

// shrinkFailure shrinks a script that failed and tells how it then fails.
func shrinkFailure(node *peers.Process, failing *script, failed *failure) (*script, *failure) {
	failing = shrink(failing, func(candidate *script) bool {
		again := play(node, "shrinking", candidate)
		if again == nil || again.kind != failed.kind {
			return false
		}
		failed = again
		return true
	})
	return failing, failed
}

func number(t *testing.T, variable string, otherwise uint64) uint64 {
	text := os.Getenv(variable)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 64)
	require.NoError(t, err, variable)
	return n
}
