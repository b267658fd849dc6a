package ycrdt_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt"
)

func TestUpdateEvent_Fields(t *testing.T) {
	doc := newDoc(t)
	var events []ycrdt.UpdateEvent
	defer doc.OnUpdate(func(u ycrdt.UpdateEvent) { events = append(events, u) }).Close()
	type origin struct{ name string }
	me := &origin{"me"}
	require.NoError(t, doc.TransactContext(t.Context(), ycrdt.TxOptions{Origin: me}, func(tx *ycrdt.Tx) error {
		return tx.Map("m").Set("k", 1)
	}))
	other := newDoc(t)
	set(t, other, "k", 2)
	require.NoError(t, doc.ApplyUpdateContext(t.Context(), ycrdt.TxOptions{Origin: "peer"}, encode(t, other)))

	require.Len(t, events, 2)
	assert.Same(t, me, events[0].Origin)
	assert.True(t, events[0].Local)
	assert.Equal(t, "peer", events[1].Origin)
	assert.False(t, events[1].Local)
	assert.Equal(t, mapOf(t, doc, "m"), mapOf(t, loaded(t, events[1].Update, events[0].Update), "m"))
}

func TestDoc_OnUpdate_SaysNothingWhenNothingChanged(t *testing.T) {
	doc := newDoc(t)
	set(t, doc, "k", 1)
	state := encode(t, doc)
	heard := 0
	defer doc.OnUpdate(func(ycrdt.UpdateEvent) { heard++ }).Close()
	for name, commit := range map[string]func() error{
		"no change":    func() error { return doc.Transact(func(tx *ycrdt.Tx) error { return nil }) },
		"new root":     func() error { return doc.Transact(func(tx *ycrdt.Tx) error { tx.Text("new"); return nil }) },
		"absent key":   func() error { return doc.Transact(func(tx *ycrdt.Tx) error { return tx.Map("m").Delete("x") }) },
		"empty insert": func() error { return doc.Transact(func(tx *ycrdt.Tx) error { return tx.Text("t").Insert(0, "") }) },
		"failed": func() error {
			return doc.Transact(func(tx *ycrdt.Tx) error { _ = tx.Text("t").Delete(0, 1); return nil })
		},
		"empty update":  func() error { return doc.ApplyUpdate([]byte{0, 0}) },
		"known update":  func() error { return doc.ApplyUpdate(state) },
		"view":          func() error { return doc.View(func(tx *ycrdt.Tx) error { return nil }) },
		"refused bytes": func() error { _ = doc.ApplyUpdate([]byte{1}); return nil },
	} {
		require.NoError(t, commit(), name)
		assert.Zero(t, heard, name)
	}
}

// NotifyEmpty keeps its place in the queue: what was committed before is delivered before.
func TestTxOptions_NotifyEmpty(t *testing.T) {
	doc := newDoc(t)
	var order []string
	record := func(u ycrdt.UpdateEvent) {
		order = append(order, fmt.Sprint(u.Origin, " ", u.Update != nil, " ", u.Local))
	}
	empty := ycrdt.TxOptions{Origin: "empty", NotifyEmpty: true}
	defer doc.OnUpdate(func(u ycrdt.UpdateEvent) {
		record(u)
		if u.Origin != "first" {
			return
		}
		assert.NoError(t, doc.ApplyUpdateContext(t.Context(), empty, []byte{0, 0}))
		assert.NoError(t, doc.TransactContext(t.Context(), ycrdt.TxOptions{Origin: "second"}, func(tx *ycrdt.Tx) error {
			return tx.Map("m").Set("k", 2)
		}))
		assert.NoError(t, doc.TransactContext(t.Context(), empty, func(tx *ycrdt.Tx) error { return nil }))
	}).Close()
	sub, err := doc.Observe(ycrdt.RootMap("m"), func(e ycrdt.Event) { order = append(order, fmt.Sprint("observed ", e.Origin())) })
	require.NoError(t, err)
	defer sub.Close()
	require.NoError(t, doc.TransactContext(t.Context(), ycrdt.TxOptions{Origin: "first", NotifyEmpty: true}, func(tx *ycrdt.Tx) error {
		return tx.Map("m").Set("k", 1)
	}))
	assert.Equal(t, []string{
		"observed first", "first true true",
		"empty false false",
		"observed second", "second true true",
		"empty false true",
	}, order)
}

// Every update that subscribers get has to be the whole change: a replica that has only heard of updates is
// equal to the original after each of them, whether it was encoded before the commit (small transactions) or
// after it (large ones).
func TestUpdateEvent_CarriesTheWholeChange(t *testing.T) {
	for _, gc := range []bool{true, false} {
		for _, edits := range []int{1, 8, 63, 64, 65, 200} {
			t.Run(fmt.Sprintf("gc %v, %d edits", gc, edits), func(t *testing.T) {
				rng := rand.New(rand.NewPCG(1, uint64(edits)))
				doc, mirror := newDocWith(t, ycrdt.DocOptions{SkipGC: !gc}), newDoc(t)
				peer := newDoc(t)
				defer doc.OnUpdate(func(u ycrdt.UpdateEvent) { assert.NoError(t, mirror.ApplyUpdate(u.Update)) }).Close()
				for range 1 + 200/edits {
					write(t, doc, func(tx *ycrdt.Tx) {
						for range edits {
							randomEdit(t, rng, tx)
						}
					})
					requireSame(t, doc, mirror)

					require.NoError(t, peer.ApplyUpdate(encode(t, doc)))
					write(t, peer, func(tx *ycrdt.Tx) {
						for range edits {
							randomEdit(t, rng, tx)
						}
					})
					require.NoError(t, doc.ApplyUpdate(encode(t, peer)))
					requireSame(t, doc, mirror)
				}
			})
		}
	}
}

// An update applied inside a transaction is part of its change.
func TestUpdateEvent_CarriesUpdatesAppliedInTheTransaction(t *testing.T) {
	source, doc, mirror := newDoc(t), newDoc(t), newDoc(t)
	write(t, source, func(tx *ycrdt.Tx) {
		require.NoError(t, tx.Text("t").Insert(0, strings.Repeat("x", 100)))
		require.NoError(t, tx.Text("t").Delete(10, 50))
		require.NoError(t, tx.Text("t").Format(0, 5, map[string]any{"b": true}))
	})
	defer doc.OnUpdate(func(u ycrdt.UpdateEvent) {
		assert.True(t, u.Local)
		assert.NoError(t, mirror.ApplyUpdate(u.Update))
	}).Close()
	write(t, doc, func(tx *ycrdt.Tx) {
		require.NoError(t, tx.Text("t").Insert(0, "before "))
		assert.True(t, tx.Changed())
		require.NoError(t, tx.ApplyUpdate(encode(t, source)))
		require.NoError(t, tx.Text("t").Insert(tx.Text("t").Len(), " after"))
	})
	requireSame(t, doc, mirror)
	assert.Len(t, textOf(t, doc, "t"), 63)
}

// What is integrated behind a gap is part of the change that brought it.
func TestUpdateEvent_CarriesWhatArrivesBehindAGap(t *testing.T) {
	var updates [][]byte
	source := newDoc(t)
	sub := source.OnUpdate(func(u ycrdt.UpdateEvent) { updates = append(updates, u.Update) })
	for _, key := range []string{"a", "b", "c"} { // they do not depend on each other
		set(t, source, key, key)
	}
	sub.Close()
	apply := map[string]func(*ycrdt.Doc, []byte) error{
		"apply": (*ycrdt.Doc).ApplyUpdate,
		"in a transaction": func(doc *ycrdt.Doc, update []byte) error {
			return doc.Transact(func(tx *ycrdt.Tx) error { return tx.ApplyUpdate(update) })
		},
		"with another change": func(doc *ycrdt.Doc, update []byte) error {
			return doc.Transact(func(tx *ycrdt.Tx) error {
				return first(tx.Text("own").Insert(0, "x"), tx.ApplyUpdate(update), tx.Text("own").Delete(0, 1))
			})
		},
	}
	for how, apply := range apply {
		for _, order := range [][]int{{1, 0, 2}, {2, 0, 1}, {2, 1, 0}, {1, 2, 0}} {
			doc, mirror := newDoc(t), newDoc(t)
			sub := doc.OnUpdate(func(u ycrdt.UpdateEvent) { assert.NoError(t, mirror.ApplyUpdate(u.Update)) })
			for _, i := range order {
				require.NoError(t, apply(doc, updates[i]))
				assert.Equal(t, mapOf(t, doc, "m"), mapOf(t, mirror, "m"), "%s %v", how, order)
			}
			sub.Close()
			assert.Equal(t, map[string]any{"a": "a", "b": "b", "c": "c"}, mapOf(t, mirror, "m"), "%s %v", how, order)
		}
	}
}

// requireSame compares what two replicas hold: everything visible, and what they know of.
func requireSame(t *testing.T, a, b *ycrdt.Doc) {
	t.Helper()
	require.Equal(t, deltaOf(t, a, "text"), deltaOf(t, b, "text"))
	require.Equal(t, mapOf(t, a, "map"), mapOf(t, b, "map"))
	require.Equal(t, arrayOf(t, a, "array"), arrayOf(t, b, "array"))
	va, err := a.EncodeStateVector()
	require.NoError(t, err)
	vb, err := b.EncodeStateVector()
	require.NoError(t, err)
	require.Equal(t, len(va), len(vb))
	missing, err := a.EncodeStateAsUpdate(vb)
	require.NoError(t, err)
	require.Equal(t, byte(0), missing[0], "no structs are missing")
}

// randomEdit makes one of all kinds of edits.
func randomEdit(t *testing.T, rng *rand.Rand, tx *ycrdt.Tx) {
	t.Helper()
	text, m, a := tx.Text("text"), tx.Map("map"), tx.Array("array")
	at := rng.IntN(text.Len() + 1)
	n := min(rng.IntN(6), text.Len()-at)
	attributes := map[string]any{[]string{"b", "i"}[rng.IntN(2)]: []any{true, nil, "x"}[rng.IntN(3)]}
	key := string(rune('a' + rng.IntN(5)))
	var err error
	switch rng.IntN(12) {
	case 0, 1:
		err = text.Insert(at, "wörd ")
	case 2:
		err = text.InsertWithAttributes(at, "fmt", attributes)
	case 3:
		err = text.Delete(at, n)
	case 4:
		err = text.Format(at, n, attributes)
	case 5:
		err = text.ApplyDelta(ycrdt.Delta{{Retain: at}, {Delete: n}, {Insert: "d", Attributes: attributes}, {Insert: map[string]any{"e": 1}}})
	case 6:
		err = m.Set(key, rng.IntN(100))
	case 7:
		err = m.Set(key, ycrdt.NewMap{"t": ycrdt.NewText("x"), "a": ycrdt.NewArray{1, 2}})
	case 8:
		err = m.Delete(key)
	case 9:
		err = a.Insert(rng.IntN(a.Len()+1), 1, "two", ycrdt.NewArray{3})
	case 10:
		from := rng.IntN(a.Len() + 1)
		err = a.Delete(from, min(rng.IntN(3), a.Len()-from))
	case 11:
		if nested, ok := m.Map(key); ok {
			if list, ok := nested.Array("a"); ok {
				err = list.Append(rng.IntN(9))
			}
		}
	}
	require.NoError(t, err)
}
