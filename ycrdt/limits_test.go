package ycrdt_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt"
)

func newLimited(t *testing.T, limits ycrdt.Limits) *ycrdt.Doc {
	t.Helper()
	doc, err := ycrdt.NewDocWith(ycrdt.DocOptions{Limits: limits})
	require.NoError(t, err)
	t.Cleanup(func() { _ = doc.Close() })
	return doc
}

func TestLimits_Checked(t *testing.T) {
	for name, limits := range map[string]ycrdt.Limits{
		"UpdateBytes": {UpdateBytes: -1}, "ValueDepth": {ValueDepth: -1}, "Nesting": {Nesting: -1},
		"HeldBytes": {HeldBytes: -1}, "HeldPieces": {HeldPieces: -1}, "HeldAge": {HeldAge: -1},
		"256 levels": {ValueDepth: 257}, "512 levels": {Nesting: 513},
	} {
		_, err := ycrdt.NewDocWith(ycrdt.DocOptions{Limits: limits})
		assert.ErrorIs(t, err, ycrdt.ErrInvalidArgument, name)
		assert.ErrorContains(t, err, name)
	}
}

func TestLimits_UpdateBytes(t *testing.T) {
	doc := newLimited(t, ycrdt.Limits{UpdateBytes: len(one(char))})
	require.NoError(t, doc.ApplyUpdate(one(char)))
	assert.ErrorIs(t, doc.ApplyUpdate(append(one(char), 0)), ycrdt.ErrTooLarge)
}

func TestLimits_ValueDepth(t *testing.T) {
	for _, update := range [][]byte{
		one(entry, 1, deepLists(65)), one(entry, 1, deepMaps(65)), one(9, 1, 1, "a", 1, "g", deepLists(65)),
		one(2, 1, 1, "a", 1, varint(130), strings.Repeat("[", 65), strings.Repeat("]", 65)),
	} {
		assert.ErrorContains(t, newDoc(t).ApplyUpdate(update), "value nested too deeply", "the default is 64")
		assert.ErrorContains(t, ycrdt.CheckUpdate(update), "value nested too deeply")
	}
	doc := newLimited(t, ycrdt.Limits{ValueDepth: 3})
	require.NoError(t, doc.ApplyUpdate(one(entry, 1, deepLists(3))))
	err := newLimited(t, ycrdt.Limits{ValueDepth: 3}).ApplyUpdate(one(entry, 1, deepLists(4)))
	assert.ErrorIs(t, err, ycrdt.ErrMalformed)
	assert.ErrorContains(t, err, "value nested too deeply")
	require.NoError(t, newLimited(t, ycrdt.Limits{ValueDepth: 256}).ApplyUpdate(one(entry, 1, deepLists(256))))
}

// nestedMap is the struct of client 1 that has this clock: a map in the map before it, the first in the root "m".
func nestedMap(clock int) []byte {
	if clock == 0 {
		return cat(0x27, 1, 1, "m", 1, "k", 1)
	}
	return cat(0x27, 0, 1, varint(uint64(clock-1)), 1, "k", 1)
}

// nestedMaps returns an update for each level.
func nestedMaps(levels int) [][]byte {
	updates := make([][]byte, levels)
	for clock := range updates {
		updates[clock] = cat(1, 1, 1, varint(uint64(clock)), nestedMap(clock), 0)
	}
	return updates
}

// The nesting of shared types is counted over updates, merged or not, in any order, and local edits.
func TestLimits_Nesting(t *testing.T) {
	const limit = 128
	merged := func(levels int) []byte {
		update := cat(1, varint(uint64(levels)), 1, 0)
		for clock := range levels {
			update = append(update, nestedMap(clock)...)
		}
		return append(update, 0)
	}
	fill := func(t *testing.T, doc *ycrdt.Doc) {
		for _, update := range nestedMaps(limit) {
			require.NoError(t, doc.ApplyUpdate(update))
		}
	}
	deeper := nestedMaps(limit + 1)[limit]

	t.Run("one by one", func(t *testing.T) {
		doc := newDoc(t)
		fill(t, doc)
		before := encode(t, doc)
		err := doc.ApplyUpdate(deeper)
		assert.ErrorIs(t, err, ycrdt.ErrMalformed)
		assert.ErrorContains(t, err, "shared types nested too deeply at byte 5")
		assert.Equal(t, before, encode(t, doc))
	})
	t.Run("in one update", func(t *testing.T) {
		require.NoError(t, newDoc(t).ApplyUpdate(merged(limit)))
		err := newDoc(t).ApplyUpdate(merged(limit + 1))
		assert.ErrorContains(t, err, "shared types nested too deeply")
		assert.ErrorContains(t, newDoc(t).ApplyUpdate(merged(50_000)), "shared types nested too deeply")
	})
	t.Run("out of order", func(t *testing.T) {
		doc := newDoc(t)
		updates := nestedMaps(1000)
		for i := range updates {
			require.NoError(t, doc.ApplyUpdate(updates[len(updates)-1-i]))
		}
		// What is too deep is there as a tombstone.
		write(t, doc, func(tx *ycrdt.Tx) { require.NoError(t, tx.Map("m").Delete("k")) })
		require.NoError(t, newDoc(t).ApplyUpdate(encode(t, doc)))
	})
	t.Run("beside another item", func(t *testing.T) {
		doc := newDoc(t)
		fill(t, doc)
		innermost := cat(0, 1, varint(limit-1))
		require.NoError(t, doc.ApplyUpdate(cat(1, 1, 2, 0, 4, innermost, 1, "x", 0)))
		// A map right of that character.
		require.ErrorContains(t, doc.ApplyUpdate(cat(1, 1, 3, 0, 0x87, 2, 0, 1, 0)), "nested too deeply")
	})
	t.Run("beside a tombstone without a place", func(t *testing.T) {
		doc := newDoc(t)
		require.NoError(t, doc.ApplyUpdate(cat(1, 1, 2, 0, 0, 1, 0)))
		tower := cat(1, varint(limit), 1, 0, 0x87, 2, 0, 1)
		for clock := 1; clock < limit; clock++ {
			tower = append(tower, nestedMap(clock)...)
		}
		require.NoError(t, doc.ApplyUpdate(append(tower, 0)), "it becomes tombstones, and is nowhere deep")
		tombstones := cat(2, 1, 2, 0, 0, 1, 1, 1, 0, 0, varint(limit))
		assert.Equal(t, cat(tombstones, 2, 1, 1, 0, varint(limit), 2, 1, 0, 1), encode(t, doc))
	})
	t.Run("local", func(t *testing.T) {
		doc := newDoc(t)
		write(t, doc, func(tx *ycrdt.Tx) {
			m := tx.Map("m")
			for range limit {
				require.NoError(t, m.Set("k", ycrdt.NewMap{}))
				m, _ = m.Map("k")
			}
			assert.ErrorIs(t, m.Set("k", ycrdt.NewMap{}), ycrdt.ErrTooLarge)
			assert.ErrorIs(t, m.Set("k", ycrdt.NewText("x")), ycrdt.ErrTooLarge)
			require.NoError(t, m.Set("k", 1))
		})
		_, err := doc.EncodeStateAsUpdate(nil)
		require.NoError(t, err)
		write(t, doc, func(tx *ycrdt.Tx) { require.NoError(t, tx.Map("m").Clear()) })
	})
	t.Run("local trees below remote types", func(t *testing.T) {
		doc := newDoc(t)
		for _, update := range nestedMaps(limit - 2) {
			require.NoError(t, doc.ApplyUpdate(update))
		}
		write(t, doc, func(tx *ycrdt.Tx) {
			m := tx.Map("m")
			for range limit - 2 {
				m, _ = m.Map("k")
			}
			three := ycrdt.NewMap{"a": ycrdt.NewArray{ycrdt.NewText("x")}}
			assert.ErrorIs(t, m.Set("k", three), ycrdt.ErrTooLarge)
			two := ycrdt.NewMap{"a": ycrdt.NewArray{1}}
			require.NoError(t, m.Set("k", two))
			inner, _ := m.Map("k")
			array, _ := inner.Array("a")
			assert.ErrorIs(t, array.Append(ycrdt.NewMap{}), ycrdt.ErrTooLarge)
			require.NoError(t, inner.Set("t", ycrdt.NewText("x")))
			text, _ := inner.Text("t")
			assert.ErrorIs(t, text.ApplyDelta(ycrdt.Delta{{Insert: ycrdt.NewText("x")}}), ycrdt.ErrTooLarge)
		})
	})
	t.Run("remote types below local ones", func(t *testing.T) {
		source, err := ycrdt.NewDocWith(ycrdt.DocOptions{ClientID: 7})
		require.NoError(t, err)
		defer source.Close()
		write(t, source, func(tx *ycrdt.Tx) {
			require.NoError(t, tx.Array("a").Append("x", ycrdt.NewArray{}, ycrdt.NewMap{}))
		})
		doc := newLimited(t, ycrdt.Limits{Nesting: 2})
		require.NoError(t, doc.ApplyUpdate(encode(t, source)))
		for clock := 1; clock < 3; clock++ {
			update := cat(1, 1, clock, 0, 0x27, 0, 7, clock, 1, "k", 1, 0)
			require.NoError(t, doc.ApplyUpdate(update))
			update = cat(1, 1, clock+10, 0, 0x27, 0, clock, 0, 1, "k", 1, 0)
			assert.ErrorContains(t, doc.ApplyUpdate(update), "nested too deeply")
		}
	})
}

// What cannot be held back is given up, what can be applied is applied, and the caller is told.
func TestLimits_Held(t *testing.T) {
	later := func(client int) []byte { return cat(1, 1, client, 5, 4, 1, 1, "t", 1, "x", 0) }
	for name, test := range map[string]struct {
		limits ycrdt.Limits
		holds  int
	}{
		"pieces": {ycrdt.Limits{HeldPieces: 3}, 3},
		"bytes":  {ycrdt.Limits{HeldBytes: 3 * (64 + 6)}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			doc := newLimited(t, test.limits)
			for client := range test.holds {
				require.NoError(t, doc.ApplyUpdate(later(client)))
			}
			var heard []ycrdt.UpdateEvent
			defer doc.OnUpdate(func(e ycrdt.UpdateEvent) { heard = append(heard, e) }).Close()
			assert.ErrorIs(t, doc.ApplyUpdate(later(100)), ycrdt.ErrHeldFull)
			assert.Empty(t, heard)
			both := cat(2, 1, 101, 0, char, 1, 100, 5, char, 0)
			assert.ErrorIs(t, doc.ApplyUpdate(both), ycrdt.ErrHeldFull)
			require.Len(t, heard, 1)
			assert.True(t, heard[0].Pending)
			assert.NoError(t, ycrdt.CheckUpdate(heard[0].Update))
			view(t, doc, func(tx *ycrdt.Tx) { assert.Equal(t, "x", tx.Text("t").String()) })
			// What is held already is not refused, nor what others wait for.
			require.NoError(t, doc.ApplyUpdate(later(1)))
			fill := cat(1, 1, 1, 0, 4, 1, 1, "t", 5, "01234", 0)
			require.NoError(t, doc.ApplyUpdate(fill))
			require.NoError(t, doc.ApplyUpdate(later(100)), "there is room again")
		})
	}
	t.Run("deletions", func(t *testing.T) {
		doc := newLimited(t, ycrdt.Limits{HeldPieces: 2})
		require.NoError(t, doc.ApplyUpdate(cat(0, 1, 1, 2, 0, 1, 5, 1)))
		assert.ErrorIs(t, doc.ApplyUpdate(cat(0, 1, 1, 1, 9, 1)), ycrdt.ErrHeldFull)
		require.NoError(t, doc.ApplyUpdate(cat(1, 1, 1, 0, 4, 1, 1, "t", 9, "012345678", 0)))
		view(t, doc, func(tx *ycrdt.Tx) { assert.Equal(t, "1234678", tx.Text("t").String()) })
	})
	t.Run("age", func(t *testing.T) {
		doc := newLimited(t, ycrdt.Limits{HeldAge: 1})
		pending := func() (pending bool) {
			sub := doc.OnUpdate(func(e ycrdt.UpdateEvent) { pending = e.Pending })
			defer sub.Close()
			opts := ycrdt.TxOptions{NotifyEmpty: true}
			require.NoError(t, doc.ApplyUpdateContext(t.Context(), opts, []byte{0, 0}))
			return pending
		}
		require.NoError(t, doc.ApplyUpdate(later(1)))
		require.NoError(t, doc.ApplyUpdate(cat(0, 1, 1, 1, 0, 1)))
		assert.Eventually(t, func() bool { return !pending() }, 10*time.Second, time.Millisecond)
	})
}

// What the documents of hostile clients cost: nothing is allocated by what a message declares.
func TestLimits_ManyClients(t *testing.T) {
	var sections bytes.Buffer
	const clients = 20_000
	for client := range clients {
		id := uint64(clients-client) << 20 // alike in their low bits
		fmt.Fprintf(&sections, "%s", cat(1, varint(id), 0, 0, 1))
	}
	update := cat(varint(clients), sections.Bytes(), 0)
	err := newDoc(t).ApplyUpdate(update)
	assert.ErrorIs(t, err, ycrdt.ErrTooLarge)
	assert.ErrorContains(t, err, "shares its low bits with too many others")

	doc := newDoc(t)
	refused := 0
	for client := range 3000 {
		if err := doc.ApplyUpdate(cat(1, 1, varint(uint64(client+1)<<20), 0, 0, 1, 0)); err != nil {
			require.ErrorIs(t, err, ycrdt.ErrTooLarge)
			refused++
		}
	}
	assert.Greater(t, refused, 1000, "one by one, too")
	require.NoError(t, doc.ApplyUpdate(one(char)), "others are not refused")

	// What came in can be encoded, loaded and compared.
	stateVector, err := copyOf(t, doc).EncodeStateVector()
	require.NoError(t, err)
	_, err = doc.EncodeStateAsUpdate(stateVector)
	require.NoError(t, err)
}

// Clients count while something of theirs is held back: it may come in at once.
func TestLimits_ManyHeldClients(t *testing.T) {
	doc := newDoc(t)
	refused := 0
	for client := range 3000 {
		id := varint(uint64(client+1) << 20)
		update := cat(1, 1, id, 0, 0x84, 5, 0, 1, "x", 0) // right of what is missing
		if client%2 == 1 {
			update = cat(0, 1, id, 1, 0, 1) // a deletion of what is missing
		}
		if err := doc.ApplyUpdate(update); err != nil {
			require.ErrorIs(t, err, ycrdt.ErrTooLarge)
			refused++
		}
	}
	assert.Greater(t, refused, 1000)
	copyOf(t, doc)
	require.NoError(t, doc.ApplyUpdate(cat(1, 1, 5, 0, char, 0)))
	copyOf(t, doc)
}

// Deletions that join cost what one of them costs.
func TestLimits_HeldDeletionsJoin(t *testing.T) {
	held := func(ranges int) int64 {
		doc := newDoc(t)
		update := cat(0, 1, 9, varint(uint64(ranges)))
		for clock := range ranges {
			update = append(update, cat(varint(uint64(clock)), 1)...)
		}
		require.NoError(t, doc.ApplyUpdate(update))
		return doc.MemoryUsage()
	}
	assert.Equal(t, held(1), held(100_000))
}
