package hostile

import "math/rand/v2"

// costly is more of one thing than a document takes lightly, in several updates, each of which may be within the limits.
func costly(rng *rand.Rand) [][]byte {
	pieces := uint64(1 + rng.IntN(4))
	several := func(least, most int, piece func(from, to uint64) update) (updates [][]byte) {
		count := uint64(least + rng.IntN(most-least))
		for i := range pieces {
			u := piece(i*count/pieces, (i+1)*count/pieces)
			u.padding = pick(rng, []int{0, 0, 3})
			updates = append(updates, u.encode())
		}
		if chance(rng, 0.4) { // most of it is held back until the first comes
			updates[0], updates[pieces-1] = updates[pieces-1], updates[0]
		}
		return updates
	}
	text := block{info: contentString, units: 1, content: []byte{1, 'x'}, parent: parent{root: "a"}}
	one := func(client uint64, blocks ...block) update {
		return update{sections: []section{{client: client, blocks: blocks}}}
	}
	// row is blocks of a client, made from the clock of each.
	row := func(client uint64, each func(clock uint64) block) func(from, to uint64) update {
		return func(from, to uint64) update {
			s := section{client: client, clock: from}
			for clock := from; clock < to; clock++ {
				s.blocks = append(s.blocks, each(clock))
			}
			return update{sections: []section{s}}
		}
	}
	switch rng.IntN(6) {
	case 0: // entries of a key that do not refer to each other
		return several(600, 900, row(2, func(uint64) block {
			b := text
			b.info |= hasKey
			b.key = "k"
			return b
		}))
	case 1: // items at the same place, before or after what they refer to
		crowd := several(400, 800, row(2, func(clock uint64) block {
			b := text
			b.info |= hasRight
			b.right = id{3, clock}
			return b
		}))
		long := section{client: 3}
		for range 800 {
			long.blocks = append(long.blocks, text)
		}
		first := update{sections: []section{long}}
		if chance(rng, 0.5) {
			return append(crowd, first.encode())
		}
		return append([][]byte{first.encode()}, crowd...)
	case 2: // clients that collide
		return several(400, 1_500, func(from, to uint64) (u update) {
			for client := to; client > from; client-- {
				u.sections = append(u.sections, section{client: client << 20, blocks: []block{text}})
			}
			return u
		})
	case 3: // such clients, held back
		updates := several(400, 1_500, func(from, to uint64) (u update) {
			for client := to; client > from; client-- {
				b := text
				b.info |= hasOrigin
				b.origin = id{7, 0}
				u.sections = append(u.sections, section{client: client << 20, blocks: []block{b}})
			}
			return u
		})
		first := one(7, text)
		return append(updates, first.encode())
	case 4: // shared types and subdocuments of few bytes
		content, most := block{info: contentType, units: 1, content: []byte{typeMap}}, 16_000
		if chance(rng, 0.5) {
			content, most = block{info: contentDoc, units: 1, content: []byte{0, 118, 0}}, 900
		}
		return several(most/2, most, row(2, func(clock uint64) block {
			b := content
			b.parent = parent{root: "a"}
			if clock > 0 {
				b.info |= hasOrigin
				b.origin = id{2, clock - 1}
			}
			return b
		}))
	default: // deletions of what is missing
		return several(1_000, 5_000, func(from, to uint64) update {
			d := deleted{client: 2}
			for clock := from; clock < to; clock++ {
				d.ranges = append(d.ranges, clockRange{clock * uint64(1+pieces%2), 1})
			}
			return update{deletes: []deleted{d}}
		})
	}
}
