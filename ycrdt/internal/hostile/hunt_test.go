package hostile

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
)

const (
	// chunk is how many sequences a child takes: documents that are poisoned are leaked.
	chunk = 2500
	// children is how many there are at a time.
	children = 2
	// enough updates tell what happens to most: how many percent are to be accepted, and to change the document.
	enough          = 1_000
	leastAccepted   = 45
	leastIntegrated = 22
	// maxKinds is how many kinds of finds end a hunt.
	maxKinds = 25
)

// hunt has children take $YRS_HOSTILE sequences, made up from $YRS_SEED and the numbers behind it. By default the seed
// is another one each time. What a sequence breaks fails the test, with the smallest sequence that breaks it.
func hunt(t *testing.T, p player, otherwise uint64) {
	seed := number(t, "YRS_SEED", uint64(rand.Uint32()))
	count := number(t, "YRS_HOSTILE", otherwise)
	t.Logf("YRS_SEED=%d YRS_HOSTILE=%d", seed, count)
	h := &hunter{player: p, generator: NewGenerator(corpus(t)), finds: map[string]find{}, causes: map[string]cause{}}
	require.NoError(t, h.run(seed, count))
	t.Log(h.tally())
	if h.updates >= enough {
		// Updates that are all refused find nothing.
		require.Greater(t, 100*h.accepted, leastAccepted*h.updates)
		require.Greater(t, 100*h.integrated, leastIntegrated*h.updates)
	}
	for _, kind := range slices.Sorted(maps.Keys(h.finds)) {
		t.Error(h.explain(kind, h.finds[kind]))
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

// hunter looks for sequences that break something.
type hunter struct {
	player
	generator *Generator

	mu                            sync.Mutex
	sequences                     int
	updates, accepted, integrated int
	poisoned                      int
	finds                         map[string]find
	causes                        map[string]cause
}

// find is the first sequence that broke something in its way.
type find struct {
	seed uint64
	err  error
}

// cause is why documents were poisoned, or calls panicked.
type cause struct {
	times int
	seed  uint64
}

func (h *hunter) run(seed, count uint64) error {
	var group errgroup.Group
	group.SetLimit(children)
	for first := uint64(0); first < count; first += chunk {
		group.Go(func() error { return h.runChunk(seed+first, min(chunk, count-first)) })
	}
	return group.Wait()
}

// runChunk plays consecutive seeds; after a death it goes on with the next one.
func (h *hunter) runChunk(seed, count uint64) error {
	for done := uint64(0); done < count && !h.full(); done++ {
		first := seed + done
		played, err := h.play(int(count-done),
			func(i int) Sequence { return h.generator.Sequence(first + uint64(i)) },
			func(i int, v verdict) { h.note(first+uint64(i), v) })
		done += uint64(played)
		var died *death
		switch {
		case errors.As(err, &died):
			h.found(died.kind(), find{seed + done, died})
		case err != nil:
			return err
		}
	}
	return nil
}

func (h *hunter) full() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.finds) >= maxKinds
}

func (h *hunter) found(kind string, f find) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, known := h.finds[kind]; !known {
		h.finds[kind] = f
	}
}

func (h *hunter) note(seed uint64, v verdict) {
	h.mu.Lock()
	h.sequences++
	h.updates += v.updates
	h.accepted += v.accepted
	h.integrated += v.integrated
	reasons := v.panics
	if v.poisoned != "" {
		h.poisoned++
		reasons = append(reasons, "poisoned: "+v.poisoned)
	}
	for _, reason := range reasons {
		kind := digits.ReplaceAllString(reason, "#")
		c, known := h.causes[kind]
		if !known {
			c.seed = seed
		}
		c.times++
		h.causes[kind] = c
	}
	h.mu.Unlock()
	if err := v.err(); err != nil {
		h.found(kindOf(err), find{seed, err})
	}
}

// err is what is wrong with a verdict: nothing may fail or panic, and no document be poisoned.
func (v *verdict) err() error {
	if len(v.failures) > 0 {
		return errors.New(v.failures[0])
	}
	if len(v.panics) > 0 {
		return errors.New("panic: " + v.panics[0])
	}
	if v.poisoned != "" {
		return errors.New("poisoned: " + v.poisoned)
	}
	return nil
}

// kindOf is what errors have in common that are the same.
func kindOf(err error) string {
	var died *death
	if errors.As(err, &died) {
		return died.kind()
	}
	return digits.ReplaceAllString(err.Error(), "#")
}

// tally tells how deep the sequences got.
func (h *hunter) tally() string {
	share := func(n, of int) float64 { return 100 * float64(n) / float64(max(1, of)) }
	var b strings.Builder
	fmt.Fprintf(&b, "%d sequences, %d updates: %.1f %% accepted, %.1f %% changed the document; %d documents (%.2f %%) poisoned",
		h.sequences, h.updates, share(h.accepted, h.updates), share(h.integrated, h.updates),
		h.poisoned, share(h.poisoned, h.sequences))
	for _, kind := range slices.Sorted(maps.Keys(h.causes)) {
		fmt.Fprintf(&b, "\n%6d × %s (YRS_SEED=%d)", h.causes[kind].times, kind, h.causes[kind].seed)
	}
	return b.String()
}

// explain shrinks what was found and describes it as a file for testdata/hostile.
func (h *hunter) explain(kind string, f find) string {
	smallest, again := shrink(h.generator.Sequence(f.seed), func(s Sequence) error {
		v, err := h.one(s)
		if err == nil {
			err = v.err()
		}
		if err == nil || kindOf(err) != kind {
			return nil
		}
		return err
	})
	if again == nil {
		return fmt.Sprintf("YRS_SEED=%d YRS_HOSTILE=1, but not when taken by itself: %v", f.seed, f.err)
	}
	return fmt.Sprintf("YRS_SEED=%d YRS_HOSTILE=1: %s\nsmallest:\n%s%v", f.seed, kind, encodeFile(smallest), again)
}
