package hostile

import (
	"iter"
	"slices"
	"time"
)

// maxShrinking is how long a failing sequence is made smaller.
const maxShrinking = 20 * time.Second

// shrink returns the smallest sequence that it finds to fail as s does, and how it fails. fails plays a sequence and
// returns nil unless it fails in the same way.
func shrink(s Sequence, fails func(Sequence) error) (Sequence, error) {
	failure := fails(s)
	if failure == nil {
		return s, nil
	}
	end := time.Now().Add(maxShrinking)
	for smaller := true; smaller; {
		smaller = false
		for candidate := range candidates(s) {
			if time.Now().After(end) {
				return s, failure
			}
			if err := fails(candidate); err != nil {
				s, failure, smaller = candidate, err, true
				break
			}
		}
	}
	return s, failure
}

// candidates are sequences that are a little smaller than s, those first that are much smaller.
func candidates(s Sequence) iter.Seq[Sequence] {
	return func(yield func(Sequence) bool) {
		for i := range s.Updates {
			smaller := s
			smaller.Updates = slices.Delete(slices.Clone(s.Updates), i, i+1)
			if !yield(smaller) {
				return
			}
		}
		for _, options := range simplerOptions(s.Options) {
			if !yield(Sequence{options, s.Updates}) {
				return
			}
		}
		for i, data := range s.Updates {
			for smaller := range smallerUpdates(data) {
				changed := s
				changed.Updates = slices.Clone(s.Updates)
				changed.Updates[i] = smaller
				if !yield(changed) {
					return
				}
			}
		}
	}
}

func simplerOptions(o Options) (simpler []Options) {
	for _, simplify := range []func(*Options){
		func(o *Options) { o.Edits = 0 },
		func(o *Options) { o.Observe = false },
		func(o *Options) { o.InTx = false },
		func(o *Options) { o.Bytes = false },
		func(o *Options) { o.SkipGC = false },
		func(o *Options) { o.ClientID = 77 },
		func(o *Options) { o.Budget = 0 },
	} {
		candidate := o
		simplify(&candidate)
		if candidate != o {
			simpler = append(simpler, candidate)
		}
	}
	return simpler
}

// smallerUpdates leaves out parts of an update: of what it consists of if it can be taken apart, else bytes.
func smallerUpdates(data []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		u, err := parse(data)
		if err != nil || !slices.Equal(u.encode(), data) {
			smallerBytes(data, yield)
			return
		}
		for candidate := range smallerParts(u) {
			if encoded := candidate.encode(); len(encoded) < len(data) && !yield(encoded) {
				return
			}
		}
	}
}

func smallerBytes(data []byte, yield func([]byte) bool) {
	for size := len(data) / 2; size > 0; size /= 2 {
		for at := 0; at+size <= len(data); at += size {
			if !yield(slices.Delete(slices.Clone(data), at, at+size)) {
				return
			}
		}
	}
}

// without is a copy of a slice that lacks size elements.
func without[T any](all []T, at, size int) []T {
	return slices.Delete(slices.Clone(all), at, min(len(all), at+size))
}

// smallerParts leaves out sections, blocks, deletions, and what blocks refer to.
func smallerParts(u update) iter.Seq[update] {
	return func(yield func(update) bool) {
		try := func(change func(*update)) bool {
			candidate := u
			candidate.sections = slices.Clone(u.sections)
			candidate.deletes = slices.Clone(u.deletes)
			change(&candidate)
			return yield(candidate)
		}
		for i := range u.sections {
			if !try(func(c *update) { c.sections = without(u.sections, i, 1) }) {
				return
			}
		}
		for i := range u.deletes {
			if !try(func(c *update) { c.deletes = without(u.deletes, i, 1) }) {
				return
			}
			for j := range u.deletes[i].ranges {
				if !try(func(c *update) { c.deletes[i].ranges = without(u.deletes[i].ranges, j, 1) }) {
					return
				}
			}
		}
		if !try(func(c *update) { c.tail = nil }) {
			return
		}
		for i := range u.sections {
			if !smallerSection(u.sections[i], func(s section) bool {
				return try(func(c *update) { c.sections[i] = s })
			}) {
				return
			}
		}
	}
}

// smallerSection leaves out blocks, many first, and makes blocks simpler. It returns false to stop.
func smallerSection(s section, yield func(section) bool) bool {
	for size := max(1, len(s.blocks)/2); size > 0; size /= 2 {
		for at := 0; at < len(s.blocks); at += size {
			smaller := s
			smaller.blocks = without(s.blocks, at, size)
			if !yield(smaller) {
				return false
			}
		}
	}
	for i := range s.blocks {
		for _, b := range simplerBlocks(s.blocks[i]) {
			smaller := s
			smaller.blocks = slices.Clone(s.blocks)
			smaller.blocks[i] = b
			if !yield(smaller) {
				return false
			}
		}
	}
	return true
}

func simplerBlocks(b block) (simpler []block) {
	if !b.isItem() {
		return nil
	}
	for _, flag := range []byte{hasRight, hasOrigin, hasKey} {
		if b.info&flag != 0 {
			c := b
			c.info &^= flag
			simpler = append(simpler, c)
		}
	}
	if b.info&(hasOrigin|hasRight) == 0 && b.parent.nested {
		c := b
		c.parent = parent{root: "a"}
		simpler = append(simpler, c)
	}
	if b.units > 0 && b.kind() != contentDeleted {
		for _, plain := range []block{
			{info: contentDeleted, content: appendNumber(nil, b.units)},
			{info: contentString, content: appendNumber(nil, 1), units: 1},
		} {
			c := b
			c.info = b.info&^contentMask | plain.info
			c.content = plain.content
			if plain.info == contentString {
				c.content = append(c.content, 'x')
				c.units = 1
			}
			simpler = append(simpler, c)
		}
	}
	return simpler
}
