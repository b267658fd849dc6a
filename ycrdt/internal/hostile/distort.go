package hostile

import "math/rand/v2"

// Clocks at which arithmetic of 31 and 32 bits ends.
var edgeClocks = []uint64{1<<31 - 2, 1<<31 - 1, 1 << 31, 1<<32 - 2, 1<<32 - 1, 1 << 32}

// distort makes one thing about an item wrong. at is where it will be.
func (a *author) distort(b *block, at id) {
	rng := a.rng
	ahead := id{pick(rng, a.clients), 0}
	ahead.clock = a.next[ahead.client] + uint64(rng.IntN(4))
	switch rng.IntN(16) {
	case 0: // between items of other places
		b.info |= hasOrigin
		b.origin = a.anything()
	case 1:
		b.info |= hasRight
		b.right = a.anything()
	case 2:
		b.info |= hasOrigin | hasRight
		b.origin, b.right = a.anything(), a.anything()
	case 3: // beside itself
		b.info |= hasOrigin
		b.origin = id{at.client, at.clock + uint64(rng.IntN(3))}
	case 4: // beside what comes later
		b.info |= hasRight
		b.right = ahead
	case 5:
		b.info |= hasOrigin
		b.origin = ahead
	case 6: // the left one is the right one
		b.info |= hasOrigin | hasRight
		b.right = b.origin
	case 7:
		b.origin, b.right = b.right, b.origin
	case 8: // in something that is no shared type, or gone
		b.info &^= hasOrigin | hasRight
		b.parent = parent{nested: true, item: a.anything()}
	case 9: // in itself, or in what comes later
		b.info &^= hasOrigin | hasRight
		b.parent = parent{nested: true, item: pick(rng, []id{at, ahead})}
	case 10: // a key where the neighbour says it, or none where there should be one
		b.info ^= hasKey
		b.key = pick(rng, keys)
	case 11:
		b.info &^= hasOrigin | hasRight
	case 12: // content that does not belong there
		kind := pick(rng, []byte{
			contentDeleted, contentJSON, contentBinary, contentString, contentEmbed, contentFormat, contentType,
			contentAny, contentDoc,
		})
		b.writeContent(rng, kind, 0.5)
	case 13:
		*b = block{}
		b.writeContent(rng, pick(rng, []byte{contentGC, contentSkip}), 0)
	case 14: // a length of nothing, or of more than there is
		*b = block{info: pick(rng, []byte{contentGC, contentSkip, contentDeleted | hasOrigin}), origin: a.anything()}
		b.units = pick(rng, append([]uint64{0}, edgeClocks...))
		b.content = appendNumber(nil, b.units)
	case 15:
		b.info |= pick(rng, []byte{0x10, 0x0b, 0x0f, hasOrigin, hasRight, hasKey})
	}
}

// distortUpdate makes something about an update as a whole wrong.
func distortUpdate(rng *rand.Rand, u *update) {
	if len(u.sections) == 0 {
		u.tail = []byte{0}
		return
	}
	s := &u.sections[rng.IntN(len(u.sections))]
	switch rng.IntN(9) {
	case 0: // a client twice
		u.sections = append(u.sections, *s)
	case 1: // a client twice, half and half
		half := rng.IntN(len(s.blocks) + 1)
		second := section{client: s.client, clock: s.clock + uint64(rng.IntN(4)), blocks: s.blocks[half:]}
		s.blocks = s.blocks[:half]
		u.sections = append(u.sections, second)
	case 2:
		rng.Shuffle(len(u.sections), func(i, j int) { u.sections[i], u.sections[j] = u.sections[j], u.sections[i] })
	case 3:
		s.undeclared = rng.IntN(3) - 1
	case 4:
		u.tail = []byte{1, 1, 1}
	case 5: // overlapping what the client has sent, or leaving a hole
		s.clock += uint64(rng.IntN(8))
		s.clock -= min(s.clock, 4)
	case 6:
		s.clock = pick(rng, edgeClocks)
	case 7:
		s.client = pick(rng, []uint64{0, 1 << 53, 1<<64 - 1, s.client ^ 1})
	case 8:
		if len(u.deletes) > 0 {
			u.deletes = append(u.deletes, u.deletes[0])
		}
	}
}
