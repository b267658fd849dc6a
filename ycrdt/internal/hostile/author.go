package hostile

import (
	"math/rand/v2"
	"slices"
)

// Roots are the names of the roots that generated updates write to: few, so that the same one is written as a text,
// as a map and as an array.
var Roots = []string{"a", "b", ""}

// author writes the updates of a sequence. It remembers what it has written, so that later blocks can refer to it.
type author struct {
	rng     *rand.Rand
	temper  temper
	clients []uint64
	next    map[uint64]uint64 // the clock at which each client goes on
	written []written
	types   []int // which of written hold shared types
	update  update
}

// written is a block that the author has put into an update.
type written struct {
	at id
	block
}

// temper is how wrong a sequence is, and what it is made of. All are probabilities.
type temper struct {
	wrong  float64 // a block is distorted
	broken float64 // an update as a whole is
	rewind float64 // a client writes clocks again, with other content
	gap    float64 // a client leaves clocks out
	resend float64 // an update holds blocks that were sent before
	delete float64 // an update deletes
	types  float64 // an item holds a shared type
	nested float64 // an item goes into a nested type
	keyed  float64 // an item is the value of a key
	padded float64 // an update has its numbers in more bytes than they need
}

func newTemper(rng *rand.Rand) temper {
	some := func(of ...float64) float64 { return pick(rng, of) }
	return temper{
		wrong:  some(0, 0.03, 0.1, 0.1, 0.3, 0.8),
		broken: some(0, 0, 0.05, 0.3),
		rewind: some(0, 0.1, 0.5),
		gap:    some(0, 0, 0.1, 0.4),
		resend: some(0, 0.1, 0.4),
		delete: some(0, 0.3, 0.7, 1),
		types:  some(0.05, 0.3, 0.6),
		nested: some(0.1, 0.5, 0.9),
		keyed:  some(0, 0.2, 0.6),
		padded: some(0, 0, 0, 0.1, 0.5),
	}
}

func newAuthor(rng *rand.Rand) *author {
	return &author{rng: rng, temper: newTemper(rng), clients: pickClients(rng), next: map[uint64]uint64{}}
}

// pickClients returns the clients of a sequence. Client 1 may be the document itself.
func pickClients(rng *rand.Rand) []uint64 {
	switch rng.IntN(8) {
	case 0: // the same in their low bits
		return []uint64{1, 1 + 1<<32, 1 + 1<<40}
	case 1:
		return []uint64{1, 0, 1<<53 - 1, 1<<32 - 1}
	default:
		return []uint64{1, 2, 3, 4}[:1+rng.IntN(4)]
	}
}

// write makes the next update of the sequence.
func (a *author) write() update {
	a.update = update{}
	for _, client := range a.clients {
		if chance(a.rng, a.temper.rewind) {
			a.next[client] -= min(a.next[client], uint64(1+a.rng.IntN(6)))
		}
	}
	if chance(a.rng, a.temper.resend) {
		a.resend()
	}
	for range a.rng.IntN(8) {
		a.block(pick(a.rng, a.clients))
	}
	if chance(a.rng, a.temper.delete) || len(a.update.sections) == 0 {
		for range 1 + a.rng.IntN(3) {
			a.delete()
		}
	}
	if !chance(a.rng, a.temper.broken) {
		slices.SortStableFunc(a.update.sections, func(s, t section) int { return compareDescending(s.client, t.client) })
	} else {
		distortUpdate(a.rng, &a.update)
	}
	if chance(a.rng, a.temper.padded) {
		a.update.padding = 1 + a.rng.IntN(7)
	}
	return a.update
}

func compareDescending(a, b uint64) int {
	switch {
	case a > b:
		return -1
	case a < b:
		return 1
	default:
		return 0
	}
}

// section returns the update's section of a client. Blocks go in behind what is there.
func (a *author) section(client uint64) *section {
	for i := range a.update.sections {
		if a.update.sections[i].client == client {
			return &a.update.sections[i]
		}
	}
	a.update.sections = append(a.update.sections, section{client: client, clock: a.next[client]})
	return &a.update.sections[len(a.update.sections)-1]
}

// add puts a block into the update, at the client's next clock.
func (a *author) add(client uint64, b block) {
	s := a.section(client)
	at := id{client, a.next[client]}
	s.blocks = append(s.blocks, b)
	a.next[client] += b.units
	if b.kind() == contentType && b.isItem() {
		a.types = append(a.types, len(a.written))
	}
	if b.kind() != contentSkip {
		a.written = append(a.written, written{at, b})
	}
}

// block adds a block of the client, and sometimes a hole before it.
func (a *author) block(client uint64) {
	if chance(a.rng, a.temper.gap) {
		hole := block{}
		hole.writeContent(a.rng, contentSkip, 0)
		if s := a.section(client); len(s.blocks) == 0 && chance(a.rng, 0.7) {
			s.clock += hole.units
			a.next[client] += hole.units
		} else {
			a.add(client, hole)
		}
	}
	b := a.item(client)
	if chance(a.rng, a.temper.wrong) {
		a.distort(&b, id{client, a.next[client]})
	}
	a.add(client, b)
}

// item returns an item as an honest peer might write it.
func (a *author) item(client uint64) block {
	if chance(a.rng, 0.03) {
		var tombstone block
		tombstone.writeContent(a.rng, contentGC, 0)
		return tombstone
	}
	b := block{parent: a.parent()}
	if chance(a.rng, a.temper.keyed) {
		b.info |= hasKey
		b.key = pick(a.rng, keys[:3])
	}
	if siblings := a.siblings(b.parent, b.info&hasKey != 0, b.key); len(siblings) > 0 {
		if chance(a.rng, 0.7) {
			b.info |= hasOrigin
			b.origin = a.unitOf(pick(a.rng, siblings))
		}
		if chance(a.rng, 0.3) {
			b.info |= hasRight
			b.right = a.unitOf(pick(a.rng, siblings))
		}
		if b.info&(hasOrigin|hasRight) != 0 && chance(a.rng, 0.9) {
			b.info &^= hasKey // as the peers write it
		}
	}
	b.writeContent(a.rng, a.contentKind(), a.temper.wrong)
	return b
}

func (a *author) contentKind() byte {
	if chance(a.rng, a.temper.types) {
		return contentType
	}
	return pick(a.rng, []byte{
		contentString, contentString, contentString, contentString, contentString, contentAny, contentAny, contentAny,
		contentFormat, contentFormat, contentEmbed, contentBinary, contentDeleted, contentDoc, contentJSON,
	})
}

// parent picks a place for an item.
func (a *author) parent() parent {
	if len(a.types) == 0 || !chance(a.rng, a.temper.nested) {
		return parent{root: pick(a.rng, Roots[:2+a.rng.IntN(2)])}
	}
	return parent{nested: true, item: a.written[pick(a.rng, a.types)].at}
}

// siblings are the items that were written into the same place.
func (a *author) siblings(of parent, keyed bool, key string) (found []written) {
	for _, w := range a.written {
		if w.isItem() && w.parent == of && (w.info&hasKey != 0) == keyed && w.key == key {
			found = append(found, w)
		}
	}
	return found
}

// unitOf returns one of the clocks of what was written.
func (a *author) unitOf(w written) id {
	at := w.at
	switch a.rng.IntN(3) {
	case 0:
		at.clock += w.units - min(w.units, 1)
	case 1:
		at.clock += uint64(a.rng.IntN(int(min(w.units, 1<<20)) + 1))
	}
	return at
}

// anything returns an id that was written, or one near it that was not.
func (a *author) anything() id {
	if len(a.written) == 0 || chance(a.rng, 0.1) {
		return id{pick(a.rng, a.clients), uint64(a.rng.IntN(8))}
	}
	at := a.unitOf(pick(a.rng, a.written))
	if chance(a.rng, 0.2) {
		at.clock += uint64(a.rng.IntN(4))
	}
	return at
}

// resend puts blocks of one client into the update again, some of them as they were, from a clock that was taken
// before.
func (a *author) resend() {
	if len(a.written) == 0 {
		return
	}
	first := pick(a.rng, a.written).at
	s := section{client: first.client, clock: first.clock}
	end := first.clock
	for _, w := range a.written {
		if w.at != (id{first.client, end}) {
			continue
		}
		b := w.block
		if chance(a.rng, a.temper.wrong) {
			a.distort(&b, w.at)
		}
		s.blocks = append(s.blocks, b)
		end += b.units
	}
	a.update.sections = append(a.update.sections, s)
	if len(s.blocks) > 0 && chance(a.rng, 0.9) {
		a.next[first.client] = end // or the next blocks follow without being contiguous
	}
}

// delete adds a range to the update's delete set: of what was written, more often than not.
func (a *author) delete() {
	from := a.anything()
	units := uint64(1 + a.rng.IntN(4))
	if len(a.written) > 0 && chance(a.rng, 0.6) {
		w := pick(a.rng, a.written)
		if len(a.types) > 0 && chance(a.rng, 0.4) {
			w = a.written[pick(a.rng, a.types)]
		}
		from, units = w.at, w.units
	}
	if chance(a.rng, a.temper.wrong) {
		units = pick(a.rng, []uint64{0, 100, 1 << 20, 1<<31 - 1 - from.clock, 1 << 31})
	}
	for i := range a.update.deletes {
		if d := &a.update.deletes[i]; d.client == from.client {
			d.ranges = append(d.ranges, clockRange{from.clock, units})
			return
		}
	}
	a.update.deletes = append(a.update.deletes, deleted{from.client, []clockRange{{from.clock, units}}})
}
