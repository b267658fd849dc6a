package hostile

import (
	"math/rand/v2"
	"slices"
)

// mutate changes an update in a few places: its blocks if it can be taken apart, its bytes otherwise.
func mutate(rng *rand.Rand, original []byte) []byte {
	u, err := parse(original)
	if err != nil || len(u.sections) == 0 || chance(rng, 0.2) {
		return mutateBytes(rng, original)
	}
	a := authorOf(rng, &u)
	for range 1 + rng.IntN(3) {
		s := &u.sections[rng.IntN(len(u.sections))]
		if len(s.blocks) == 0 || chance(rng, 0.2) {
			distortUpdate(rng, &u)
			continue
		}
		switch at := rng.IntN(len(s.blocks)); rng.IntN(6) {
		case 0:
			s.blocks = slices.Delete(slices.Clone(s.blocks), at, at+1)
		case 1:
			s.blocks = slices.Insert(slices.Clone(s.blocks), at, s.blocks[at])
		case 2:
			a.update = u
			a.delete()
			u = a.update
		default:
			a.distort(&s.blocks[at], clockOf(s, at))
		}
	}
	return u.encode()
}

// authorOf returns an author who has written u.
func authorOf(rng *rand.Rand, u *update) *author {
	a := newAuthor(rng)
	a.clients = nil
	for i := range u.sections {
		s := &u.sections[i]
		a.clients = append(a.clients, s.client)
		for at, b := range s.blocks {
			if b.isItem() && b.kind() == contentType {
				a.types = append(a.types, len(a.written))
			}
			a.written = append(a.written, written{clockOf(s, at), b})
		}
		a.next[s.client] = clockOf(s, len(s.blocks)).clock
	}
	return a
}

// clockOf is where the block at this place of a section is.
func clockOf(s *section, place int) id {
	clock := s.clock
	for _, b := range s.blocks[:place] {
		clock += b.units
	}
	return id{s.client, clock}
}

func mutateBytes(rng *rand.Rand, original []byte) []byte {
	data := slices.Clone(original)
	for range 1 + rng.IntN(3) {
		if len(data) == 0 {
			return data
		}
		at := rng.IntN(len(data))
		end := min(len(data), at+1+rng.IntN(4))
		switch rng.IntN(5) {
		case 0:
			data[at] ^= 1 << rng.IntN(8)
		case 1:
			data[at] = pick(rng, []byte{0, 1, 2, 4, 7, 8, 10, 0x7f, 0x80, 0xff})
		case 2:
			data = slices.Delete(data, at, end)
		case 3:
			data = slices.Insert(data, at, slices.Clone(data[at:end])...)
		case 4:
			data = append(data[:at], appendNumber(nil, pick(rng, edgeClocks))...)
			data = append(data, original[min(len(original), end):]...)
		}
	}
	return data
}
