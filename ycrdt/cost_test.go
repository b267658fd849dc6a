package ycrdt_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt"
)

// Updates that cost more than others of their size, and what a budget makes of them.

var stingy = ycrdt.TxOptions{Budget: time.Microsecond}

// inRounds applies an update that costs more than its budget, again and again. It returns how often that was.
func inRounds(t *testing.T, doc *ycrdt.Doc, update []byte, budget time.Duration) int {
	t.Helper()
	for round := 1; ; round++ {
		err := doc.ApplyUpdateContext(t.Context(), ycrdt.TxOptions{Budget: budget}, update)
		if err == nil {
			return round
		}
		require.ErrorIs(t, err, ycrdt.ErrTooLarge)
		require.Less(t, round, 10_000, "each time it goes on from where it was")
	}
}

// same checks that two documents know the same, and hold the same text and map.
func same(t *testing.T, want, got *ycrdt.Doc) {
	t.Helper()
	wanted, err := want.EncodeStateVector()
	require.NoError(t, err)
	missing, err := want.EncodeStateAsUpdate(must(got.EncodeStateVector()))
	require.NoError(t, err)
	assert.Equal(t, len(wanted), len(must(got.EncodeStateVector())))
	assert.Equal(t, byte(0), missing[0], "it lacks nothing")
	assert.True(t, textOf(t, want, "t") == textOf(t, got, "t"))
	assert.Equal(t, mapOf(t, want, "m"), mapOf(t, got, "m"))
}

// behind is an update of n items at the beginning of the text "t", each of which says to be left of another of its
// characters, which client 1 has written.
func behind(n int) []byte {
	out := cat(1, varint(uint64(n)), 2, 0)
	for clock := range n {
		out = append(out, cat(0x44, 1, varint(uint64(clock)), 1, "x")...)
	}
	return append(out, 0)
}

func characters(n int) []byte {
	return one(4, 1, 1, "t", varint(uint64(n)), strings.Repeat("y", n))
}

// crowd is both in one update.
func crowd(n int) []byte {
	out := behind(n)
	return cat(2, out[1:len(out)-1], characters(n)[1:])
}

// scattered has an item of client 2 behind each of the characters, from the last to the first: none has a neighbour that
// another one has, and each walks to the end of the text.
func scattered(n int) []byte {
	out := cat(1, varint(uint64(n)), 2, 0)
	for clock := range n {
		out = append(out, cat(0x84, 1, varint(uint64(n-1-clock)), 1, "x")...)
	}
	return append(out, 0)
}

// contest is entries of client 5 for the same key, from one clock to another, none of which refers to others.
func contest(from, to int) []byte {
	out := cat(1, varint(uint64(to-from)), 5, varint(uint64(from)))
	for range to - from {
		out = append(out, cat(0x28, 1, 1, "m", 1, "k", 1, 126)...)
	}
	return append(out, 0)
}

// Ordering many items at the same place takes time that grows with the square of their number. It is cut short, and what
// has gone in by then is a document like any other; applied again, the update goes on from there.
func TestCost_TimeIsCutShort(t *testing.T) {
	const n = 1_000
	for name, updates := range map[string][][]byte{
		"in one update":      {crowd(n)},
		"one after another":  {characters(n), behind(n)},
		"released":           {behind(n), characters(n)},
		"different places":   {characters(n), scattered(n)},
		"entries of a key":   {contest(0, n)},
		"entries, released":  {contest(1, n), contest(0, 1)},
		"many clients' ends": {characters(1), ends(4*n, 0), ends(4*n, 1)},
	} {
		t.Run(name, func(t *testing.T) {
			whole, doc := newDoc(t), newDoc(t)
			for _, update := range updates {
				require.NoError(t, whole.ApplyUpdate(update))
			}
			rounds := 0
			for _, update := range updates {
				err := doc.ApplyUpdateContext(t.Context(), stingy, update)
				if err == nil {
					continue
				}
				require.ErrorIs(t, err, ycrdt.ErrTooLarge)
				assert.ErrorContains(t, err, "a part was applied")
				same(t, doc, copyOf(t, doc))
				write(t, doc, func(tx *ycrdt.Tx) { require.NoError(t, tx.Map("other").Set("k", 1)) })
				write(t, doc, func(tx *ycrdt.Tx) { require.NoError(t, tx.Map("other").Delete("k")) })
				for _, update := range updates { // what was released may have to be sent again, too
					rounds += inRounds(t, doc, update, 5*time.Millisecond)
				}
			}
			assert.Positive(t, rounds, "nothing was cut short")
			got, err := doc.EncodeStateVector()
			require.NoError(t, err)
			missing, err := whole.EncodeStateAsUpdate(got)
			require.NoError(t, err)
			require.NoError(t, doc.ApplyUpdate(missing))
			view(t, doc, func(tx *ycrdt.Tx) {
				assert.Equal(t, textOf(t, whole, "t"), tx.Text("t").String())
				assert.Equal(t, mapOf(t, whole, "m"), must(tx.Map("m").AsMap()))
			})
		})
	}
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// ends is a character of each of n clients, behind the last one that the client before has written: the first or second.
func ends(n, clock int) []byte {
	out := varint(uint64(n))
	for i := range n {
		client := uint64(n - i + 1)
		of, at := varint(client-1), 0
		if clock > 0 {
			of, at = varint(client), clock-1
		}
		out = append(out, cat(1, varint(client), clock, 0x84, of, at, 1, "x")...)
	}
	return append(out, 0)
}

// Without a budget, it takes as long as it takes.
func TestCost_NothingIsCutShortWithoutBudget(t *testing.T) {
	doc := newDoc(t)
	require.NoError(t, doc.ApplyUpdate(crowd(500)))
	view(t, doc, func(tx *ycrdt.Tx) { assert.Equal(t, 1000, tx.Text("t").Len()) })
}

// What comes in as it should costs what it should, in whatever number.
func TestCost_UsualUpdatesAreWithinTheirBudget(t *testing.T) {
	source := newDoc(t)
	write(t, source, func(tx *ycrdt.Tx) {
		for range 5_000 {
			require.NoError(t, tx.Text("t").Insert(0, "x"))
		}
		for range 5_000 {
			require.NoError(t, tx.Array("a").Append(ycrdt.NewMap{}))
		}
	})
	doc := newDoc(t)
	require.NoError(t, doc.ApplyUpdateContext(t.Context(), ycrdt.TxOptions{Budget: time.Minute}, encode(t, source)))
	same(t, source, doc)
}

// What each update may do, all of them may: the document that comes of it can be encoded, loaded and collected.
func TestCost_SumOfUpdates(t *testing.T) {
	row := func(content ...any) func(from, to int) []byte { // each behind the one before
		return func(from, to int) []byte {
			out := cat(1, varint(uint64(to-from)), 1, varint(uint64(from)))
			for clock := from; clock < to; clock++ {
				info, place := byte(0x80), cat(1, varint(uint64(clock-1)))
				if clock == 0 {
					info, place = 0, cat(1, 1, "a")
				}
				all := cat(content...)
				out = append(out, cat([]byte{all[0] | info}, place, all[1:])...)
			}
			return append(out, 0)
		}
	}
	maps := func(from, to int) []byte {
		values := cat(varint(uint64(to-from)), bytes.Repeat(cat(118, 1, 0, 126), to-from))
		return cat(1, 1, 1, varint(uint64(from)), 8, 1, 1, "a", values, 0)
	}
	for _, test := range []struct {
		name   string
		update func(from, to int) []byte
		apiece int
	}{
		{"types", row(7, 1), 3_000}, {"subdocuments", row(9, 0, 118, 0), 250},
		{"maps", maps, 15_000}, {"contested keys", contest, 200},
	} {
		t.Run(test.name, func(t *testing.T) {
			doc := newDoc(t)
			for from := 0; from < 10*test.apiece; from += test.apiece {
				update := test.update(from, from+test.apiece)
				require.NoError(t, doc.ApplyUpdateContext(t.Context(), ycrdt.TxOptions{Budget: time.Minute}, update))
			}
			state := encode(t, doc)
			same(t, doc, loaded(t, state))
			_, err := ycrdt.CollectGarbage(state)
			require.NoError(t, err)
			require.NoError(t, ycrdt.CheckUpdate(state))
			_, err = ycrdt.MergeUpdates(state, state)
			require.NoError(t, err)
			if test.name != "maps" {
				inRounds(t, newDoc(t), state, 20*time.Millisecond) // a client may send all of it, too
			}
		})
	}
}

// What is written in more bytes than it takes comes out in fewer, and what was held back in parts as a whole. Neither is
// a reason to give the document up.
func TestCost_OfWhatTheDocumentGivesOut(t *testing.T) {
	padded := func(n uint64, size int) []byte {
		out := make([]byte, size)
		for i := range out {
			out[i] = byte(n&0x7f) | 0x80
			n >>= 7
		}
		out[size-1] &= 0x7f
		return out
	}
	types := func(n int) []byte {
		out := cat(1, varint(uint64(n)), 1, 0, 7, 1, 1, "a", 0)
		for clock := 1; clock < n; clock++ {
			out = append(out, cat(0x87, padded(1, 8), padded(uint64(clock-1), 5), 0)...)
		}
		return append(out, 0)
	}
	docs := func(n int) []byte {
		out := cat(1, varint(uint64(n)), 1, 0)
		for range n {
			out = append(out, cat(9, 1, 1, "a", 0, 118, 2, 1, "k", 122, make([]byte, 8), 1, "k", 122, make([]byte, 8))...)
		}
		return append(out, 0)
	}
	for name, updates := range map[string][][]byte{
		"types": {types(30_000)}, "subdocuments": {docs(2_000)},
		"held": {contest(1, 1000), contest(1000, 2000), contest(0, 1)},
	} {
		doc := newDoc(t)
		defer doc.OnUpdate(func(ycrdt.UpdateEvent) {}).Close()
		for _, update := range updates {
			err := doc.ApplyUpdateContext(t.Context(), ycrdt.TxOptions{Budget: time.Minute}, update)
			if err != nil {
				require.ErrorIs(t, err, ycrdt.ErrTooLarge, name)
			}
		}
		require.NoError(t, doc.ApplyUpdate(cat(1, 1, 77, 0, char, 0)), name)
		copyOf(t, doc)
	}
}

// What would take much memory for its size is applied in parts, and refused only where it has none.
func TestCost_Memory(t *testing.T) {
	doc := newDoc(t)
	types := dense(100_000, cat(7, 1, 1, "a", 0))
	rounds := 0
	for err := errors.New("not yet"); err != nil; rounds++ {
		before := doc.MemoryUsage()
		err = doc.ApplyUpdateContext(t.Context(), ycrdt.TxOptions{Budget: time.Minute}, types)
		if err != nil {
			require.ErrorIs(t, err, ycrdt.ErrTooLarge)
		}
		assert.Less(t, doc.MemoryUsage()-before, int64(64*len(types)))
	}
	assert.Greater(t, rounds, 1)
	same(t, loaded(t, types), doc)

	maps := one(entry, varint(100_000), bytes.Repeat(cat(118, 1, 0, 126), 100_000))
	err := newDoc(t).ApplyUpdateContext(t.Context(), stingy, maps)
	require.ErrorIs(t, err, ycrdt.ErrTooLarge)
	assert.ErrorContains(t, err, "too many maps")
	require.NoError(t, newDoc(t).ApplyUpdate(maps))
	empty := one(entry, varint(100_000), bytes.Repeat(cat(118, 0), 100_000))
	require.NoError(t, newDoc(t).ApplyUpdateContext(t.Context(), stingy, empty), "they cost little")
}
