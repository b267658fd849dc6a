package workload

import (
	"math/rand/v2"

	"github.com/yrs-go/yrs/bench/door"
)

// random is a source of what workloads make up, the same in every run.
type random struct{ *rand.Rand }

func newRandom(seed uint64) random { return random{rand.New(rand.NewPCG(seed, seed+1))} }

// word returns between least and most small letters.
func (r random) word(least, most int) string {
	letters := make([]byte, least+r.IntN(most-least+1))
	for i := range letters {
		letters[i] = byte('a' + r.IntN(26))
	}
	return string(letters)
}

// number returns an integer that Yjs writes as one: below 2^31.
func (r random) number() any { return r.IntN(1 << 31) }

// draft keeps the text that edits lead to.
type draft struct {
	text []byte
	ops  []door.TextOp
}

func (d *draft) insert(at int, text string) {
	d.ops = append(d.ops, door.TextOp{At: at, Inserted: text})
	d.text = append(d.text, text...)
	copy(d.text[at+len(text):], d.text[at:])
	copy(d.text[at:], text)
}

func (d *draft) delete(at, length int) {
	d.ops = append(d.ops, door.TextOp{At: at, Deleted: length})
	d.text = append(d.text[:at], d.text[at+length:]...)
}

// randomInserts puts n words of some lengths at random positions of a text.
func randomInserts(r random, n, least, most int, text string) *draft {
	d := &draft{text: []byte(text)}
	for range n {
		d.insert(r.IntN(len(d.text)+1), r.word(least, most))
	}
	return d
}
