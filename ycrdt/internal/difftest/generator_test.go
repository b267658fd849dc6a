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
	made   []message // what earlier rounds made
	lastID int
}

// message is what a step makes.
type message struct {
	id     int
	maker  int
	vector bool // a state vector, not an update
}

func newScript(seed uint64) *script {
	g := generator{Rand: rand.New(rand.NewPCG(seed, 0)), script: &script{seed: seed}}
	g.addReplicas()
	for range 3 + g.IntN(6) {
		g.addRound()
	}
	return g.script
}

func (g *generator) chance(percent int) bool { return g.IntN(100) < percent }

// addReplicas adds two to four replicas, at least one of each implementation, in any order.
func (g *generator) addReplicas() {
	specs := []replicaSpec{{yjs: true}, {}}
	for range g.IntN(3) {
		specs = append(specs, replicaSpec{yjs: g.chance(50)})
	}
	g.Shuffle(len(specs), func(i, j int) { specs[i], specs[j] = specs[j], specs[i] })
	for i := range specs {
		specs[i].clientID = g.clientID()
		specs[i].keepDeleted = g.chance(20)
	}
	g.script.replicas = specs
	g.script.star = g.chance(33)
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
	var made []message
	add := func(replica int, do action, ops []looseOp, uses []int) {
		if do == doApply && len(uses) == 0 || do == doMerge && len(uses) < 2 || do == doDiff && len(uses) == 0 {
			return
		}
		g.lastID++
		steps = append(steps, step{id: g.lastID, replica: replica, do: do, ops: ops, uses: uses})
		made = append(made, message{id: g.lastID, maker: replica, vector: do == doVector})
	}
	for i := range g.script.replicas {
		for range 1 + g.IntN(3) {
			if g.chance(60) {
				add(i, doApply, nil, g.some(1+g.IntN(6), g.heard(i, false)))
			}
			if g.chance(60) {
				add(i, doEdit, g.ops(g.script.replicas[i]), nil)
			}
		}
		if g.chance(15) {
			add(i, doMerge, nil, g.some(2+g.IntN(4), g.heard(i, false)))
		}
		if g.chance(10) {
			add(i, doState, nil, nil)
		}
		if g.chance(20) {
			add(i, doVector, nil, nil)
		}
		if g.chance(30) {
			add(i, doDiff, nil, g.some(1, g.heard(i, true)))
		}
	}
	g.script.rounds = append(g.script.rounds, steps)
	g.made = append(g.made, made...)
}

// heard returns the updates, or the state vectors, that have reached a replica.
func (g *generator) heard(replica int, vectors bool) []int {
	var ids []int
	for _, m := range g.made {
		if m.vector == vectors && g.script.hears(replica, m.maker) {
			ids = append(ids, m.id)
		}
	}
	return ids
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

func (g *generator) ops(spec replicaSpec) []looseOp {
	ops := make([]looseOp, 1+g.IntN(4))
	for i := range ops {
		ops[i] = g.op(spec)
	}
	return ops
}

func (g *generator) op(spec replicaSpec) looseOp {
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
		op.op, op.values = opInsert, g.elements(spec, 3)
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

// key returns one of few keys, so that replicas meet.
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
	switch g.IntN(4) {
	case 0:
		return ycrdt.NewMap{"caption": ycrdt.NewText(g.text())}
	case 1:
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
		return ycrdt.NewArray(g.elements(replicaSpec{yjs: true}, depth-1))
	}
}

// elements returns a run of values for an array.
func (g *generator) elements(spec replicaSpec, depth int) []any {
	values := make([]any, 1+g.IntN(4))
	for i := range values {
		values[i] = g.value(depth)
		if spec.yjs && !elementOfYjs(values[i]) {
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

// plainValues has at least one value of each kind, and of each encoding.
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
