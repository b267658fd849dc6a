package difftest

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
)

// shrinkAttempts bounds how often a script is played to shrink it.
const shrinkAttempts = 2000

// shrink drops what it can from a script that fails.
func shrink(failing *script, fails func(*script) bool) *script {
	attempts := shrinkAttempts
	try := func(candidate *script) bool {
		attempts--
		return attempts >= 0 && fails(candidate)
	}
	for before := -1; before != failing.size() && attempts > 0; {
		before = failing.size()
		failing = shrinkSteps(failing, try)
		failing = shrinkOps(failing, try)
	}
	return failing
}

// size counts what shrinking drops.
func (s *script) size() int {
	size := 0
	for _, step := range s.steps() {
		size += 1 + len(step.ops)
	}
	return size
}

func shrinkSteps(failing *script, fails func(*script) bool) *script {
	kept := minimise(len(failing.steps()), func(kept []int) bool { return fails(failing.withSteps(kept)) })
	return failing.withSteps(kept)
}

func shrinkOps(failing *script, fails func(*script) bool) *script {
	count := 0
	for _, step := range failing.steps() {
		count += len(step.ops)
	}
	kept := minimise(count, func(kept []int) bool { return fails(failing.withOps(kept)) })
	return failing.withOps(kept)
}

// minimise drops numbers from 0 … n-1, in ever smaller runs, as long as the rest still fails.
func minimise(n int, fails func(kept []int) bool) []int {
	kept := make([]int, n)
	for i := range kept {
		kept[i] = i
	}
	for run := n; run > 0; run /= 2 {
		for start := 0; start < len(kept); {
			candidate := slices.Delete(slices.Clone(kept), start, min(start+run, len(kept)))
			if fails(candidate) {
				kept = candidate
			} else {
				start += run
			}
		}
	}
	return kept
}

// withSteps returns the script with the steps of these positions only.
func (s *script) withSteps(kept []int) *script {
	at := -1
	return s.copyWith(func(each step) (step, bool) {
		at++
		return each, slices.Contains(kept, at)
	})
}

// withOps returns the script with the operations of these positions only.
func (s *script) withOps(kept []int) *script {
	at := -1
	return s.copyWith(func(each step) (step, bool) {
		var ops []looseOp
		for _, op := range each.ops {
			at++
			if slices.Contains(kept, at) {
				ops = append(ops, op)
			}
		}
		each.ops = ops
		return each, true
	})
}

func (s *script) copyWith(change func(step) (step, bool)) *script {
	reduced := *s
	reduced.rounds = nil
	for _, steps := range s.rounds {
		var copied round
		for _, step := range steps {
			if step, keep := change(step); keep {
				copied = append(copied, step)
			}
		}
		reduced.rounds = append(reduced.rounds, copied)
	}
	return &reduced
}

func TestShrink(t *testing.T) {
	full := newScript(1)
	var deletions []looseOp
	for _, step := range full.steps() {
		for _, op := range step.ops {
			if op.op == opDelete {
				deletions = append(deletions, op)
			}
		}
	}
	last := deletions[len(deletions)-1]
	shrunk := shrink(full, func(candidate *script) bool {
		for _, step := range candidate.steps() {
			if slices.ContainsFunc(step.ops, func(op looseOp) bool { return op.op == opDelete && op.index == last.index }) {
				return true
			}
		}
		return false
	})
	steps := shrunk.steps()
	if assert.Len(t, steps, 1) && assert.Len(t, steps[0].ops, 1) {
		assert.Equal(t, last, steps[0].ops[0])
	}
}
