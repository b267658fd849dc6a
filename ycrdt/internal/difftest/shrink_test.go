package difftest

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// shrinkAttempts bounds how often a script is played to shrink it.
const shrinkAttempts = 3000

// shrink drops what it can from a script that fails.
func shrink(failing *script, fails func(*script) bool) *script {
	attempts := shrinkAttempts
	try := func(candidate *script) bool {
		attempts--
		return attempts >= 0 && fails(candidate)
	}
	for again := true; again && attempts > 0; {
		again = false
		for _, reduce := range []func(*script, func(*script) bool) *script{dropSteps, dropOps, dropUses, simplifyOps} {
			before := failing.describe(nil)
			failing = reduce(failing, try)
			again = again || failing.describe(nil) != before
		}
	}
	return failing
}

func dropSteps(failing *script, fails func(*script) bool) *script {
	kept := minimise(len(failing.steps()), func(kept []int) bool { return fails(failing.withSteps(kept)) })
	return failing.withSteps(kept)
}

func dropOps(failing *script, fails func(*script) bool) *script {
	count := 0
	for _, step := range failing.steps() {
		count += len(step.ops)
	}
	kept := minimise(count, func(kept []int) bool { return fails(failing.withOps(kept)) })
	return failing.withOps(kept)
}

func dropUses(failing *script, fails func(*script) bool) *script {
	count := 0
	for _, step := range failing.steps() {
		count += len(step.uses)
	}
	kept := minimise(count, func(kept []int) bool { return fails(failing.withUses(kept)) })
	return failing.withUses(kept)
}

func simplifyOps(failing *script, fails func(*script) bool) *script {
	for _, step := range failing.steps() {
		for i := range step.ops {
			for again := true; again; {
				again = false
				for _, simpler := range failing.op(step.id, i).simpler() {
					if candidate := failing.withOp(step.id, i, simpler); fails(candidate) {
						failing, again = candidate, true
						break
					}
				}
			}
		}
	}
	return failing
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
	return s.copyWith(func(each *step) bool {
		at++
		return slices.Contains(kept, at)
	})
}

// withOps returns the script with the operations of these positions only.
func (s *script) withOps(kept []int) *script {
	at := -1
	return s.copyWith(func(each *step) bool {
		each.ops = slices.DeleteFunc(slices.Clone(each.ops), func(looseOp) bool {
			at++
			return !slices.Contains(kept, at)
		})
		return each.do != doEdit || len(each.ops) > 0
	})
}

// withUses returns the script with the uses of messages of these positions only.
func (s *script) withUses(kept []int) *script {
	at := -1
	return s.copyWith(func(each *step) bool {
		had := len(each.uses)
		each.uses = slices.DeleteFunc(slices.Clone(each.uses), func(int) bool {
			at++
			return !slices.Contains(kept, at)
		})
		return had == 0 || len(each.uses) > 0
	})
}

// withOp returns the script with another operation in a place.
func (s *script) withOp(id, i int, op looseOp) *script {
	return s.copyWith(func(each *step) bool {
		if each.id == id {
			each.ops = slices.Clone(each.ops)
			each.ops[i] = op
		}
		return true
	})
}

func (s *script) op(id, i int) looseOp {
	steps := s.steps()
	return steps[slices.IndexFunc(steps, func(each step) bool { return each.id == id })].ops[i]
}

// copyWith returns a copy of the script, each step changed, or left out if change returns false.
func (s *script) copyWith(change func(*step) bool) *script {
	reduced := *s
	reduced.rounds = nil
	for _, steps := range s.rounds {
		var copied round
		for _, each := range steps {
			if change(&each) {
				copied = append(copied, each)
			}
		}
		reduced.rounds = append(reduced.rounds, copied)
	}
	return &reduced
}

// simpler returns operations that are simpler than this one in one respect each.
func (o looseOp) simpler() []looseOp {
	var found []looseOp
	for _, number := range []func(*looseOp) *uint32{
		func(o *looseOp) *uint32 { return &o.on },
		func(o *looseOp) *uint32 { return &o.index },
		func(o *looseOp) *uint32 { return &o.length },
	} {
		for _, smaller := range []uint32{0, 1, 2, 3, 5, 8, 13, 21, 34} {
			copied := o
			if field := number(&copied); smaller < *field {
				*field = smaller
				found = append(found, copied)
			}
		}
	}
	for i, value := range o.values {
		copied := o
		if len(o.values) > 1 {
			copied.values = slices.Delete(slices.Clone(o.values), i, i+1)
			found = append(found, copied)
		}
		if _, isInt := value.(int64); !isInt && o.op != opInsertEmbed {
			copied.values = slices.Clone(o.values)
			copied.values[i] = int64(i)
			found = append(found, copied)
		}
	}
	if len(o.text) > 1 {
		copied := o
		copied.text = "a"
		found = append(found, copied)
	}
	if o.attributes != nil && o.op == opInsertText {
		copied := o
		copied.attributes = nil
		found = append(found, copied)
	}
	for key := range o.attributes {
		if len(o.attributes) > 1 {
			copied := o
			copied.attributes = map[string]any{key: o.attributes[key]}
			found = append(found, copied)
		}
	}
	return found
}

func TestShrink(t *testing.T) {
	long := func(op looseOp) bool { return op.op == opDelete && op.length > 2 }
	fails := func(candidate *script) bool {
		return slices.ContainsFunc(candidate.steps(), func(each step) bool { return slices.ContainsFunc(each.ops, long) })
	}
	failing := newScript(1)
	for seed := uint64(2); !fails(failing); seed++ {
		failing = newScript(seed)
	}
	steps := shrink(failing, fails).steps()
	require.Len(t, steps, 1)
	assert.Equal(t, []looseOp{{op: opDelete, length: 3}}, steps[0].ops)
}
