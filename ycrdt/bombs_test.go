package ycrdt_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt"
)

// bombs are calls that declare much, by name.
func bombs(doc *ycrdt.Doc) map[string]func() error {
	const most = 1<<31 - 1
	apply := func(update []byte) func() error { return func() error { return doc.ApplyUpdate(update) } }
	diff := func(stateVector []byte) func() error {
		return func() error { _, err := doc.EncodeStateAsUpdate(stateVector); return err }
	}
	return map[string]func() error{
		"clients of a state vector": diff(varint(1 << 29)),
		"clients of an update":      apply(varint(1 << 27)),
		"structs":                   apply(cat(1, varint(most), 1, 0)),
		"values":                    apply(one(entry, varint(most))),
		"legacy values":             apply(one(2, 1, 1, "a", varint(most))),
		"a list":                    apply(one(entry, 1, 117, varint(most))),
		"a map":                     apply(one(entry, 1, 118, varint(most))),
		"nested maps":               apply(one(entry, 1, bytes.Repeat(cat(118, varint(1<<24)), 20))),
		"bytes":                     apply(one(3, 1, 1, "a", varint(most))),
		"characters":                apply(one(4, 1, 1, "t", varint(most))),
		"deleting clients":          apply(cat(0, varint(most))),
		"deleted ranges":            apply(cat(0, 1, 1, varint(most))),
		"a tombstone":               apply(cat(1, 1, 5, 0, 0, varint(most-1), 0)),
		"a deletion":                apply(cat(0, 1, 6, 1, 0, varint(most-1))),
		"a Skip":                    apply(cat(1, 2, 7, 0, 10, varint(most-2), 0, 1, 0)),
		"merged": func() error {
			_, err := ycrdt.MergeUpdates(varint(1<<27), cat(1, 1, 5, 0, 0, varint(most-1), 0))
			return err
		},
	}
}

// BenchmarkBombs shows what each costs: less than 10 ms.
func BenchmarkBombs(b *testing.B) {
	doc := newDoc(b)
	for name, bomb := range bombs(doc) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				_ = bomb()
			}
		})
	}
}

// BenchmarkCostly shows what updates cost that cost more than others of their size: about their budget, which is 50 ms, and
// what is in proportion to their size.
func BenchmarkCostly(b *testing.B) {
	const items = 200_000
	long := cat(1, varint(items), 1, 0, char)
	for clock := 1; clock < items; clock++ {
		long = append(long, cat(0x44, 1, varint(uint64(clock-1)), 1, "x")...)
	}
	long = append(long, 0)
	beside := cat(1, 64, 2, 0)
	for item := range 64 {
		beside = append(beside, cat(0x87, 1, varint(uint64(items/2+item)), 0)...)
	}
	numbers := cat("[", bytes.Repeat([]byte("9007199254740992,"), mebibyte/17), "1]")
	var colliding []byte
	for client := 40_000; client > 0; client-- {
		colliding = append(colliding, cat(1, varint(uint64(client)<<20), 0, 0, 1)...)
	}
	for name, updates := range map[string][][]byte{
		"insertions at the same place":            {crowd(20_000)},
		"the same, released":                      {behind(20_000), characters(20_000)},
		"entries of a key":                        {contest(0, 20_000)},
		"legacy JSON of a MiB":                    {one(2, 1, 1, "a", 1, varint(uint64(len(numbers))), numbers)},
		"64 types beside 64 of 200,000 items":     {long, append(beside, 0)},
		"40,000 clients that collide":             {cat(varint(40_000), colliding, 0)},
		"300,000 deletions of what is missing":    {deletions(300_000)},
		"a MiB of shared types of six bytes each": {dense(mebibyte, cat(7, 1, 1, "a", 0))},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				doc, err := ycrdt.NewDocWith(ycrdt.DocOptions{ClientID: 1 << 40})
				require.NoError(b, err)
				last := len(updates) - 1
				for _, update := range updates[:last] {
					require.NoError(b, doc.ApplyUpdate(update))
				}
				b.StartTimer()
				_ = doc.ApplyUpdateContext(b.Context(), ycrdt.TxOptions{Budget: 50 * time.Millisecond}, updates[last])
				b.StopTimer()
				require.NoError(b, doc.Close())
				b.StartTimer()
			}
		})
	}
}

// deletions is an update that deletes what client 9 has not written.
func deletions(ranges int) []byte {
	out := cat(0, 1, 9, varint(uint64(ranges)))
	for clock := range ranges {
		out = append(out, cat(varint(uint64(2*clock)), 1)...)
	}
	return out
}

// dense returns an update of client 1 with as many of one struct as fit into size.
func dense(size int, block []byte) []byte {
	n := size / len(block)
	return cat(1, varint(uint64(n)), 1, 0, bytes.Repeat(block, n), 0)
}
