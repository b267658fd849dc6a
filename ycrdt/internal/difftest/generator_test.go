package difftest

import (
	"math"
	"math/big"
	"math/rand/v2"
	"strings"

	"github.com/yrs-go/yrs/ycrdt"
)

// generator makes up scripts. The same seed gives the same script.
type generator struct {
	*rand.Rand
	script *script
	made   []step // in earlier rounds
	lastID int
}

func newScript(seed uint64) *script {
	g := generator{Rand: rand.New(rand.NewPCG(seed, 0)), script: &script{seed: seed}}
	switch n := g.IntN(100); {
	case n < 50:
		g.script.links = mesh
	case n < 85:
		g.script.links = star
	default:
		g.script.links = alone
		g.addTwins()
		return g.script
	}
	g.addReplicas()
	for range 3 + g.IntN(6) {
		g.addRound()
	}
	return g.script
}

// addTwins adds a replica of each implementation that differ in nothing else, and edits for both of them.
func (g *generator) addTwins() {
	id := g.clientID()
	g.script.replicas = []replicaSpec{{runs: inGo, clientID: id}, {runs: inYjs, clientID: id}}
	for range 1 + g.IntN(25) {
		g.lastID++
		edit := step{id: g.lastID, replica: everyone, do: doEdit, ops: g.ops(inYjs)}
		g.script.rounds = append(g.script.rounds, round{edit})
	}
}

func (g *generator) chance(percent int) bool { return g.IntN(100) < percent }

// addReplicas adds two to four replicas, at least one of each implementation, in any order.
func (g *generator) addReplicas() {
	specs := []replicaSpec{{runs: inGo}, {runs: inYjs}}
	for range g.IntN(3) {
		specs = append(specs, specs[g.IntN(2)])
	}
	g.Shuffle(len(specs), func(i, j int) { specs[i], specs[j] = specs[j], specs[i] })
	for i := range specs {
		specs[i].clientID = g.clientID()
		specs[i].keepDeleted = g.chance(20)
	}
	g.script.replicas = specs
}

// clientID returns an id as Yjs picks them, or at times one of the 53 bits that are allowed.
func (g *generator) clientID() uint64 {
	if g.chance(10) {
		return g.Uint64N(1<<53-1) + 1
	}
	return uint64(g.Uint32N(1<<32-1)) + 1
}

func (g *generator) addRound() {
	var steps round
	for i, spec := range g.script.replicas {
		add := func(do action, ops []looseOp, uses []int) {
			g.lastID++
			steps = append(steps, step{id: g.lastID, replica: i, do: do, ops: ops, uses: uses})
		}
		updates, vectors := g.heard(i)
		for range 1 + g.IntN(3) {
			if len(updates) > 0 && g.chance(60) {
				add(doApply, nil, g.some(1+g.IntN(6), updates))
			}
			if g.chance(60) {
				add(doEdit, g.ops(spec.runs), nil)
			}
		}
		if len(updates) > 0 && g.chance(15) {
			add(doMerge, nil, g.some(2+g.IntN(4), updates))
		}
		if g.chance(10) {
			add(doState, nil, nil)
		}
		if g.chance(20) {
			add(doVector, nil, nil)
		}
		if len(vectors) > 0 && g.chance(30) {
			add(doDiff, nil, g.some(1, vectors))
		}
	}
	g.script.rounds = append(g.script.rounds, steps)
	g.made = append(g.made, steps...)
}

// heard returns the updates and the state vectors that have reached a replica.
func (g *generator) heard(replica int) (updates, vectors []int) {
	for _, step := range g.made {
		switch {
		case !g.script.hears(replica, step.replica):
		case step.do == doVector:
			vectors = append(vectors, step.id)
		default:
			updates = append(updates, step.id)
		}
	}
	return updates, vectors
}

// some draws up to n of the ids, mostly from the latest.
func (g *generator) some(n int, ids []int) []int {
	var drawn []int
	for range min(n, len(ids)) {
		from := 0
		if g.chance(50) {
			from = max(0, len(ids)-6)
		}
		drawn = append(drawn, ids[from+g.IntN(len(ids)-from)])
	}
	return drawn
}

func (g *generator) ops(runs implementation) []looseOp {
	ops := make([]looseOp, 1+g.IntN(4))
	for i := range ops {
		ops[i] = g.op(runs)
	}
	return ops
}

func (g *generator) op(runs implementation) looseOp {
	op := looseOp{on: g.Uint32N(1 << 16), index: g.Uint32N(1 << 16), length: 1 + g.Uint32N(1<<g.IntN(5))}
	switch n := g.IntN(100); {
	case n < 28:
		op.op, op.text = opInsertText, g.text()
		if g.chance(25) {
			op.attributes = g.attributes()
		}
	case n < 34:
		op.op, op.values = opInsertEmbed, []any{g.embed()}
		if g.chance(25) {
			op.attributes = g.attributes()
		}
	case n < 46:
		op.op, op.attributes = opFormat, g.attributes()
	case n < 58:
		op.op = opDeleteText
	case n < 74:
		op.op, op.key, op.values = opSet, g.key(), []any{g.value(3)}
	case n < 78:
		op.op, op.key = opRemove, g.key()
	case n < 92:
		op.op, op.values = opInsert, g.elements(runs, 3)
	default:
		op.op = opDelete
	}
	return op
}

// pieces are what texts are made of: ASCII, other characters of one UTF-16 code unit, and of two.
var pieces = []string{
	"a", "b", " ", "\n", "the", "word", "0123456789", "\x00", "\"", "é", "ß", "漢字", "\u2028", "\ufffd", "e\u0301", "ﷺ",
	"😀", "𝄞", "𠮷", "👩‍👩‍👧", "🇩🇪", "\U0010ffff",
}

func (g *generator) text() string {
	var b strings.Builder
	for range 1 + g.IntN(5) {
		b.WriteString(pieces[g.IntN(len(pieces))])
	}
	return b.String()
}

// key returns one of few keys, so that replicas meet. Their order is the same in UTF-8 and in UTF-16, so that twins
// number their shared types alike.
func (g *generator) key() string {
	return []string{"", "a", "b", "c", "é", "😀", "key with spaces"}[g.IntN(7)]
}

func (g *generator) attributes() map[string]any {
	choices := map[string][]any{
		"bold":   {true, nil},
		"italic": {true, nil},
		"color":  {"red", "blue", nil},
		"size":   {int64(1), 2.5, nil},
		"link":   {map[string]any{"href": "https://example.org/"}, nil},
	}
	attributes := make(map[string]any)
	for range 1 + g.IntN(2) {
		key := []string{"bold", "italic", "color", "size", "link"}[g.IntN(5)]
		attributes[key] = choices[key][g.IntN(len(choices[key]))]
	}
	return attributes
}

func (g *generator) embed() any {
	switch n := g.IntN(4); {
	case n == 0 && g.script.links != alone: // see TestYrs_FormatsSharedTypeBehindDeletion
		return ycrdt.NewMap{"caption": ycrdt.NewText(g.text())}
	case n == 1:
		return map[string]any{"image": g.text(), "width": int64(g.IntN(1000))}
	default:
		return map[string]any{"rule": true}
	}
}

// value returns a plain value or a tree of new shared types, at most depth levels deep.
func (g *generator) value(depth int) any {
	if depth == 0 || g.chance(50) {
		return g.plainValue(2)
	}
	switch g.IntN(4) {
	case 0:
		return ycrdt.NewText(g.text())
	case 1:
		return ycrdt.NewRichText{{Insert: g.text()}, {Insert: g.text(), Attributes: map[string]any{"bold": true}}}
	case 2:
		entries := ycrdt.NewMap{}
		for range g.IntN(4) {
			entries[g.key()] = g.value(depth - 1)
		}
		return entries
	default:
		return ycrdt.NewArray(g.elements(inYjs, depth-1))
	}
}

// elements returns a run of values for an array.
func (g *generator) elements(runs implementation, depth int) []any {
	values := make([]any, 1+g.IntN(4))
	for i := range values {
		values[i] = g.value(depth)
		if runs == inYjs && !elementOfYjs(values[i]) {
			values[i] = int64(i)
		}
	}
	return values
}

// elementOfYjs tells whether Yjs inserts a value into an array; it reads all of them.
func elementOfYjs(value any) bool {
	_, isBigInt := value.(*big.Int)
	return value != ycrdt.Undefined && !isBigInt
}

// plainValues has at least one value of each kind, and of each encoding, except for those of TestYrs_ChangesValues.
var plainValues = []any{
	nil, ycrdt.Undefined, true, false, "", "text", "\x00", "é漢😀",
	int64(0), int64(1), int64(-1), int64(63), int64(64), int64(-64), int64(1<<31 - 1), int64(1 << 31), int64(-1 << 31),
	int64(1<<53 - 1), int64(-1<<53 + 1),
	0.5, -0.1, math.Pi, 1e300, 5e-324, math.NaN(), math.Inf(1), math.Inf(-1),
	[]byte{}, []byte{0, 1, 254, 255},
	new(big.Int).SetInt64(1<<53 + 1), new(big.Int).SetInt64(math.MaxInt64 - 1), new(big.Int).SetInt64(math.MinInt64 + 1),
}

func (g *generator) plainValue(depth int) any {
	switch n := g.IntN(10); {
	case n == 0 && depth > 0:
		values := make([]any, g.IntN(4))
		for i := range values {
			values[i] = g.plainValue(depth - 1)
		}
		return values
	case n == 1 && depth > 0:
		members := make(map[string]any)
		for range g.IntN(4) {
			members[g.key()] = g.plainValue(depth - 1)
		}
		return members
	default:
		return plainValues[g.IntN(len(plainValues))]
	}
}
