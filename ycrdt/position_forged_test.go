package ycrdt_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt"
)

// forger writes items that nobody would write: beside any others, in any order.
type forger struct {
	random *rand.Rand
	clocks map[uint64]int
	known  []unit
}

type unit struct {
	client uint64
	clock  int
}

// update returns an update of one-character items by several clients.
func (f *forger) update() []byte {
	neighbours := f.known
	var runs [][]byte
	for client := uint64(6); client > 2; client-- {
		start := f.clocks[client]
		var items []any
		count := f.random.IntN(4)
		for range count {
			origin, right := f.oneOf(neighbours), f.oneOf(neighbours)
			left := []any{varint(origin.client), varint(uint64(origin.clock))}
			beside := []any{varint(right.client), varint(uint64(right.clock))}
			char := string(rune('a' + f.random.IntN(26)))
			switch f.random.IntN(3) {
			case 0:
				items = append(items, 0xc4, cat(left...), cat(beside...), 1, char)
			case 1:
				items = append(items, 0x84, cat(left...), 1, char)
			default:
				items = append(items, 0x44, cat(beside...), 1, char)
			}
			neighbours = append(neighbours, unit{client, f.clocks[client]})
			f.clocks[client]++
		}
		if count > 0 {
			runs = append(runs, cat(count, varint(client), varint(uint64(start)), cat(items...)))
		}
	}
	f.known = neighbours
	update := []any{len(runs)}
	for _, run := range runs {
		update = append(update, run)
	}
	return cat(append(update, 0)...)
}

// oneOf prefers the latest: those of the same update are not merged yet.
func (f *forger) oneOf(neighbours []unit) unit {
	return neighbours[len(neighbours)-1-f.random.IntN(1+f.random.IntN(len(neighbours)))]
}

// What no honest peer writes leaves a list with an index as it leaves one without, or takes the index away.
func TestPositionIndex_ForgedNeighbours(t *testing.T) {
	indexed := 0
	for seed := range uint64(1000) {
		random := rand.New(rand.NewPCG(seed, 0))
		f := &forger{random: random, clocks: make(map[uint64]int), known: []unit{{7, 0}, {7, 1}, {7, 2}}}
		docs := []*ycrdt.Doc{
			newDocWith(t, ycrdt.DocOptions{ClientID: 7}),
			newDocWith(t, ycrdt.DocOptions{ClientID: 7, SkipPositionIndex: true}),
		}
		edit := func(edits func(*ycrdt.Text) error) (results []string) {
			for _, doc := range docs {
				err := doc.Transact(func(tx *ycrdt.Tx) error { return edits(tx.Text("t")) })
				results = append(results, fmt.Sprint(err, textOf(t, doc, "t")))
			}
			return results
		}
		edit(func(text *ycrdt.Text) (err error) {
			for i := 0; i < 40 && err == nil; i++ {
				err = text.Insert(i/2, "x")
			}
			return err
		})
		require.Equal(t, 1, docs[0].Indexes())
		for range 3 {
			update := f.update()
			for _, doc := range docs {
				require.NoError(t, doc.ApplyUpdate(update))
			}
			indexed += docs[0].Indexes()
			at := random.IntN(30)
			results := edit(func(text *ycrdt.Text) error { return first(text.Insert(at, "L"), text.Delete(at+5, 1)) })
			require.Equal(t, results[1], results[0], "seed %d", seed)
		}
	}
	assert.Greater(t, indexed, 500, "updates after which the text had an index")
}

// A stretch's end on the left of an item and its beginning on the right.
func TestPositionIndex_NeighboursTheWrongWayRound(t *testing.T) {
	var results []string
	for _, skip := range []bool{false, true} {
		doc := newDocWith(t, ycrdt.DocOptions{ClientID: 7, SkipPositionIndex: skip})
		write(t, doc, func(tx *ycrdt.Tx) {
			for i := range 40 {
				require.NoError(t, tx.Text("t").Insert(i/2, "x"))
			}
		})
		require.NoError(t, doc.ApplyUpdate(cat(
			2,
			2, 6, 0, 0x44, 7, 0, 1, "h", 0xc4, 6, 0, 7, 0, 1, "u", // "hu"
			2, 5, 0, 0x44, 6, 0, 1, "l", 0xc4, 6, 1, 6, 1, 1, "d", // d behind u, and before it
			0,
		)))
		assert.Zero(t, doc.Indexes())
		write(t, doc, func(tx *ycrdt.Tx) { require.NoError(t, tx.Text("t").Insert(2, "L")) })
		results = append(results, textOf(t, doc, "t"))
	}
	assert.Equal(t, results[1], results[0])
}
