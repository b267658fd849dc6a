package hostile

import (
	"math/rand/v2"

	"github.com/yrs-go/yrs/ycrdt/protocol"
)

// Options say what the document is like that gets a sequence.
type Options struct {
	// ClientID is the document's own, which may be one that the sequence writes under.
	ClientID uint64
	// Edits is the seed of local edits between the updates; 0 stands for none.
	Edits uint64
	// SkipGC keeps deleted content.
	SkipGC bool
	// Bytes has text offsets count bytes.
	Bytes bool
	// Observe has all roots observed, and the updates taken that the document gives out.
	Observe bool
	// InTx applies all updates in one transaction.
	InTx bool
	// Budget is how many microseconds each update may take, if not all are in one transaction; 0 stands for as many as
	// it takes.
	Budget uint64
}

// Sequence is what hostile clients send to one document.
type Sequence struct {
	Options
	Updates [][]byte
}

// Generator makes up sequences. It is safe for concurrent use.
type Generator struct {
	corpus [][][]byte
}

// NewGenerator returns a generator that also changes the given sequences of updates, and sends them as they are.
func NewGenerator(corpus [][][]byte) *Generator {
	return &Generator{corpus: corpus}
}

// maxUpdates is how long a sequence is.
const maxUpdates = 5

// Sequence returns the sequence of a seed. It is always the same.
func (g *Generator) Sequence(seed uint64) Sequence {
	rng := rand.New(rand.NewPCG(seed, 0))
	sequence := Sequence{Options: newOptions(rng)}
	switch n := rng.IntN(100); {
	case rng.IntN(5_000) == 0:
		sequence.Updates = costly(rng)
	case n < 3:
		sequence.Updates = deep(rng)
	case n < 5:
		sequence.Updates = large(rng)
	case n < 25 && len(g.corpus) > 0:
		sequence.Updates = g.changed(rng)
	default:
		sequence.Updates = authored(rng)
	}
	return sequence
}

func newOptions(rng *rand.Rand) Options {
	options := Options{
		ClientID: pick(rng, []uint64{1, 1, 77}),
		SkipGC:   chance(rng, 0.3),
		Bytes:    chance(rng, 0.2),
		Observe:  chance(rng, 0.5),
		InTx:     chance(rng, 0.15),
	}
	if chance(rng, 0.6) {
		options.Edits = rng.Uint64()
	}
	if chance(rng, 0.4) {
		options.Budget = pick(rng, []uint64{1, 1, 20, 1_000, 1_000_000})
	}
	return options
}

// authored is a sequence by one author, sometimes delivered in another order and with repetitions.
func authored(rng *rand.Rand) (updates [][]byte) {
	a := newAuthor(rng)
	for range 2 + rng.IntN(maxUpdates-1) {
		u := a.write()
		data := u.encode()
		if chance(rng, a.temper.broken/4) {
			data = mutateBytes(rng, data)
		}
		updates = append(updates, data)
	}
	if chance(rng, 0.15) {
		rng.Shuffle(len(updates), func(i, j int) { updates[i], updates[j] = updates[j], updates[i] })
	}
	if chance(rng, 0.1) {
		updates = append(updates, pick(rng, updates))
	}
	return updates
}

// changed is what a real peer has sent, with some of it changed.
func (g *Generator) changed(rng *rand.Rand) (updates [][]byte) {
	original := pick(rng, g.corpus)
	first := rng.IntN(max(1, len(original)-maxUpdates+1))
	for _, data := range original[first:min(len(original), first+maxUpdates)] {
		if chance(rng, 0.4) {
			data = mutate(rng, data)
		}
		updates = append(updates, data)
	}
	if chance(rng, 0.3) {
		updates = append(updates, mutate(rng, pick(rng, updates)))
	}
	return updates
}

// deep nests shared types, or values, in one update or in many, and deletes the outermost one.
func deep(rng *rand.Rand) (updates [][]byte) {
	levels := uint64(pick(rng, []int{20, 63, 64, 65, 127, 128, 129, 200, 513}))
	if chance(rng, 0.2) {
		b := block{parent: parent{root: "a"}, content: append([]byte{1}, deepAny(int(levels))...)}
		b.info = contentAny
		return [][]byte{(&update{sections: []section{{client: 2, blocks: []block{b}}}}).encode()}
	}
	kinds := pick(rng, [][]byte{{typeMap}, {typeArray}, {typeXMLFragment}, {typeText}, {typeMap, typeArray, typeXMLText}})
	apiece := 1 + levels/uint64(1+rng.IntN(4)) // levels in an update
	u := update{}
	for level := range levels {
		if level%apiece == 0 {
			u = update{sections: []section{{client: 2, clock: level}}}
		}
		b := block{info: contentType, units: 1, content: []byte{pick(rng, kinds)}}
		if level == 0 {
			b.parent.root = "a"
		} else {
			b.parent = parent{nested: true, item: id{2, level - 1}}
		}
		if chance(rng, 0.5) {
			b.info |= hasKey
			b.key = "k"
		}
		u.sections[0].blocks = append(u.sections[0].blocks, b)
		if level%apiece == apiece-1 || level == levels-1 {
			updates = append(updates, u.encode())
		}
	}
	if chance(rng, 0.3) {
		rng.Shuffle(len(updates), func(i, j int) { updates[i], updates[j] = updates[j], updates[i] })
	}
	first := update{deletes: []deleted{{2, []clockRange{{0, 1 + uint64(rng.IntN(2))*levels/2}}}}}
	return append(updates, first.encode())
}

// large has much of one thing: clients, some of which collide in yrs's tables, blocks, or declared and missing.
func large(rng *rand.Rand) [][]byte {
	count := uint64(50 + rng.IntN(400))
	var u update
	switch rng.IntN(4) {
	case 0:
		shift := pick(rng, []int{0, 8, 16, 32})
		for i := range count {
			b := block{info: contentAny, parent: parent{root: "a"}, units: 1, content: []byte{1, 126}}
			u.sections = append(u.sections, section{client: (count - i) << shift, blocks: []block{b}})
		}
	case 1:
		s := section{client: 2}
		for i := range count {
			b := block{info: contentString, parent: parent{root: "a"}, units: 1, content: []byte{1, 'x'}}
			if i > 0 {
				b.info |= hasOrigin
				b.origin = id{2, uint64(rng.Uint64N(i))}
			}
			s.blocks = append(s.blocks, b)
		}
		u.sections = []section{s}
		for range 20 {
			u.deletes = append(u.deletes, deleted{2, []clockRange{{rng.Uint64N(count), 1 + rng.Uint64N(9)}}})
		}
		u.deletes = u.deletes[:1]
	case 2:
		for i := range count {
			u.deletes = append(u.deletes, deleted{count - i, []clockRange{{uint64(rng.IntN(9)), 1 + uint64(rng.IntN(99))}}})
		}
	case 3:
		return [][]byte{appendNumber(nil, count<<rng.IntN(24)), append(appendNumber([]byte{0}, count<<rng.IntN(24)), 1)}
	}
	data := u.encode()
	return [][]byte{data, mutate(rng, data)}
}

func appendNumber(to []byte, n uint64) []byte {
	var e protocol.Encoder
	e.WriteVarUint(n)
	return append(to, e.Bytes()...)
}
