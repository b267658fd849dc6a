package ycrdt_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt"
)

// sent collects the updates that edits of a document make.
func sent(t testing.TB, doc *ycrdt.Doc, edits ...func(*ycrdt.Tx) error) (updates [][]byte) {
	t.Helper()
	defer doc.OnUpdate(func(u ycrdt.UpdateEvent) { updates = append(updates, u.Update) }).Close()
	for _, edit := range edits {
		require.NoError(t, doc.Transact(edit))
	}
	return updates
}

func stateVector(t testing.TB, doc *ycrdt.Doc) []byte {
	t.Helper()
	sv, err := doc.EncodeStateVector()
	require.NoError(t, err)
	return sv
}

// missing returns what a peer lacks that has state vector sv.
func missing(t testing.TB, doc *ycrdt.Doc, sv []byte) []byte {
	t.Helper()
	update, err := doc.EncodeStateAsUpdate(sv)
	require.NoError(t, err)
	return update
}

func TestDoc_SyncByStateVectors(t *testing.T) {
	a, b := newDoc(t), newDoc(t)
	set(t, a, "a", 1)
	set(t, b, "b", 2)
	for range 3 {
		require.NoError(t, b.ApplyUpdate(missing(t, a, stateVector(t, b))))
		require.NoError(t, a.ApplyUpdate(missing(t, b, stateVector(t, a))))
		assert.Equal(t, map[string]any{"a": int64(1), "b": int64(2)}, mapOf(t, a, "m"))
		assert.Equal(t, mapOf(t, a, "m"), mapOf(t, b, "m"))
	}
	assert.Equal(t, []byte{0, 0}, missing(t, a, stateVector(t, b)), "nothing is missing")
	assert.Equal(t, []byte{0, 0}, encode(t, newDoc(t)))
	assert.Equal(t, []byte{0}, stateVector(t, newDoc(t)))
	assert.Equal(t, missing(t, a, []byte{0}), missing(t, a, nil), "an empty state vector lacks everything")
}

// A diff brings what is missing and no more.
func TestDoc_EncodeStateAsUpdate_IsADiff(t *testing.T) {
	doc := newDoc(t)
	write(t, doc, func(tx *ycrdt.Tx) {
		require.NoError(t, tx.Text("t").Insert(0, string(bytes.Repeat([]byte("x"), 1000))))
	})
	sv := stateVector(t, doc)
	peer := copyOf(t, doc)
	write(t, doc, func(tx *ycrdt.Tx) { require.NoError(t, tx.Text("t").Insert(1000, "end")) })
	diff := missing(t, doc, sv)
	assert.Less(t, len(diff), 50)
	require.NoError(t, peer.ApplyUpdate(diff))
	assert.Equal(t, textOf(t, doc, "t"), textOf(t, peer, "t"))
}

func TestDoc_EncodeStateAsUpdate_OfPeersThatKnowMore(t *testing.T) {
	doc := newDocWith(t, ycrdt.DocOptions{ClientID: 1})
	set(t, doc, "k", 1)
	for name, sv := range map[string][]byte{
		"of other clients": {2, 3, 7, 2, 9},
		"ahead of ours":    {1, 1, 99},
		"largest":          {1, 1, 0xff, 0xff, 0xff, 0xff, 0x07},
	} {
		update := missing(t, doc, sv)
		assert.NoError(t, ycrdt.CheckUpdate(update), name)
	}
	assert.Equal(t, missing(t, doc, nil), missing(t, doc, []byte{2, 3, 7, 2, 9}))
	assert.Equal(t, []byte{0, 0}, missing(t, doc, []byte{1, 1, 99}))
}

func TestDoc_EncodeStateAsUpdate_RefusesWhatIsNoStateVector(t *testing.T) {
	doc := newDoc(t)
	set(t, doc, "k", 1)
	for want, sv := range map[string][]byte{
		"unexpected end at byte 0":                    {},
		"count above the bytes that remain at byte 0": {0xff, 0xff, 0xff, 0xff, 0x07}, // a count that would reserve gigabytes
		"number not below 2^31 at byte 0":             {0xff, 0xff, 0xff, 0xff, 0x0f},
		"unexpected end at byte 3":                    {1, 1, 0x80}, // a clock without its end
		"client id above 53 bits at byte 1":           {1, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10, 0},
		"number not below 2^31 at byte 2":             {1, 1, 0x80, 0x80, 0x80, 0x80, 0x08},
		"client listed twice":                         {2, 1, 1, 1, 2},
	} {
		_, err := doc.EncodeStateAsUpdate(sv)
		assert.ErrorIs(t, err, ycrdt.ErrMalformed, want)
		assert.ErrorContains(t, err, "ycrdt: encode state: "+want)
	}
	assert.NotNil(t, encode(t, doc))
}

func TestTx_EncodesWhatItHasWritten(t *testing.T) {
	doc := newDoc(t)
	set(t, doc, "before", 1)
	before, stateBefore := stateVector(t, doc), encode(t, doc)
	write(t, doc, func(tx *ycrdt.Tx) {
		require.NoError(t, tx.Map("m").Set("inside", 2))
		state, err := tx.EncodeStateAsUpdate(nil)
		require.NoError(t, err)
		assert.Equal(t, map[string]any{"before": int64(1), "inside": int64(2)}, mapOf(t, loaded(t, state), "m"))
		diff, err := tx.EncodeStateAsUpdate(before)
		require.NoError(t, err)
		assert.Equal(t, map[string]any{"before": int64(1), "inside": int64(2)}, mapOf(t, loaded(t, stateBefore, diff), "m"))
		assert.Less(t, len(diff), len(state))
		sv, err := tx.EncodeStateVector()
		require.NoError(t, err)
		assert.NotEqual(t, before, sv)
	})
}

func TestTx_ApplyUpdate(t *testing.T) {
	source, doc := newDoc(t), newDoc(t)
	set(t, source, "k", 1)
	write(t, doc, func(tx *ycrdt.Tx) {
		m := tx.Map("m")
		require.NoError(t, tx.ApplyUpdate(encode(t, source)))
		assert.True(t, tx.Changed())
		value, _ := m.Value("k")
		assert.Equal(t, int64(1), value, "visible at once, in handles that were there before")
		assert.ErrorIs(t, tx.ApplyUpdate([]byte{1}), ycrdt.ErrMalformed)
		require.NoError(t, m.Set("k", 2), "a refused update does no harm")
	})
	assert.Equal(t, map[string]any{"k": int64(2)}, mapOf(t, doc, "m"))
}

func TestMergeUpdates(t *testing.T) {
	doc := newDoc(t)
	updates := sent(t, doc,
		func(tx *ycrdt.Tx) error { return tx.Text("t").Insert(0, "one ") },
		func(tx *ycrdt.Tx) error { return tx.Text("t").Insert(4, "two ") },
		func(tx *ycrdt.Tx) error { return tx.Text("t").Delete(0, 2) },
		func(tx *ycrdt.Tx) error { return tx.Map("m").Set("k", 1) },
	)
	for name, order := range map[string][][]byte{
		"all":        updates,
		"reversed":   {updates[3], updates[2], updates[1], updates[0]},
		"duplicated": {updates[0], updates[1], updates[0], updates[2], updates[3], updates[3]},
		"with empty": {{0, 0}, updates[0], updates[1], {0, 0}, updates[2], updates[3]},
	} {
		merged, err := ycrdt.MergeUpdates(order...)
		require.NoError(t, err, name)
		replica := loaded(t, merged)
		assert.Equal(t, "e two ", textOf(t, replica, "t"), name)
		assert.Equal(t, map[string]any{"k": int64(1)}, mapOf(t, replica, "m"), name)
	}
	merged, err := ycrdt.MergeUpdates()
	require.NoError(t, err)
	assert.Equal(t, []byte{0, 0}, merged)
	merged, err = ycrdt.MergeUpdates(updates[0])
	require.NoError(t, err)
	assert.Equal(t, updates[0], merged)

	// Merging what does not follow on each other leaves a gap that a later update fills.
	gap, err := ycrdt.MergeUpdates(updates[0], updates[3])
	require.NoError(t, err)
	assert.NoError(t, ycrdt.CheckUpdate(gap))
	replica := loaded(t, gap, updates[2], updates[1])
	assert.Equal(t, "e two ", textOf(t, replica, "t"))

	for _, broken := range [][][]byte{{nil}, {{}}, {updates[0], {1}}, {{9}, updates[0]}} {
		_, err := ycrdt.MergeUpdates(broken...)
		assert.ErrorIs(t, err, ycrdt.ErrMalformed)
	}
}

// What waits for other updates is part of the state and not of a diff, until all has come.
func TestDoc_PendingUpdates(t *testing.T) {
	source := newDocWith(t, ycrdt.DocOptions{ClientID: 1})
	updates := sent(t, source,
		func(tx *ycrdt.Tx) error { return tx.Text("t").Insert(0, "a") },
		func(tx *ycrdt.Tx) error { return tx.Text("t").Insert(1, "b") },
		func(tx *ycrdt.Tx) error { return tx.Text("t").Delete(0, 1) },
		func(tx *ycrdt.Tx) error { return tx.Text("t").Insert(1, "c") },
	)
	doc := loaded(t, updates[3], updates[2], updates[1])
	assert.Equal(t, "", textOf(t, doc, "t"))
	assert.Equal(t, []byte{0}, stateVector(t, doc))
	assert.Equal(t, []byte{0, 0}, missing(t, doc, []byte{0}), "a diff is without them")

	restarted := copyOf(t, doc) // the whole state has them
	for _, doc := range []*ycrdt.Doc{doc, restarted} {
		require.NoError(t, doc.ApplyUpdate(updates[0]))
		assert.Equal(t, "bc", textOf(t, doc, "t"))
		assert.Equal(t, stateVector(t, source), stateVector(t, doc))
		requireSame(t, source, doc)
		assert.Equal(t, "bc", textOf(t, loaded(t, missing(t, doc, []byte{0})), "t"))
	}
}

// A peer that sends what cannot be used yet again and again does not fill the document with copies of it.
func TestDoc_PendingUpdates_AreKeptOnce(t *testing.T) {
	source := newDoc(t)
	updates := sent(t, source,
		func(tx *ycrdt.Tx) error { return tx.Text("t").Insert(0, "a") },
		func(tx *ycrdt.Tx) error { return tx.Text("t").Insert(1, "b") },
		func(tx *ycrdt.Tx) error { return tx.Text("t").Insert(2, strings.Repeat("c", 1000)) },
	)
	doc := loaded(t, updates[2])
	used, size := doc.MemoryUsage(), len(encode(t, doc))
	for range 1000 {
		require.NoError(t, doc.ApplyUpdate(updates[2]))
	}
	assert.Less(t, doc.MemoryUsage()-used, int64(8<<10))
	assert.Len(t, encode(t, doc), size)
	require.NoError(t, doc.ApplyUpdate(updates[1]))
	require.NoError(t, doc.ApplyUpdate(updates[0]))
	assert.Len(t, textOf(t, doc, "t"), 1002)
}

// What a document has written itself counts as there when it comes back from a peer with more.
func TestDoc_ApplyUpdate_OfItsOwnContinuation(t *testing.T) {
	doc := newDocWith(t, ycrdt.DocOptions{ClientID: 5})
	write(t, doc, func(tx *ycrdt.Tx) { require.NoError(t, tx.Text("t").Insert(0, "abc")) })
	clone := newDocWith(t, ycrdt.DocOptions{ClientID: 5}) // the same replica, restored from its state
	require.NoError(t, clone.ApplyUpdate(encode(t, doc)))
	continued := sent(t, clone, func(tx *ycrdt.Tx) error { return tx.Text("t").Insert(3, "def") })
	require.NoError(t, doc.ApplyUpdate(continued[0]))
	assert.Equal(t, "abcdef", textOf(t, doc, "t"))
}

// What waits is bounded: what goes beyond is refused and leaves the document usable.
func TestDoc_PendingUpdates_AreBounded(t *testing.T) {
	doc := newDoc(t)
	var err error
	for client := 1; client <= 40 && err == nil; client++ {
		err = doc.ApplyUpdate(cat(1, 1, client, 1, 4, 1, 1, "t", varint(mebibyte), strings.Repeat("x", mebibyte), 0))
	}
	assert.ErrorIs(t, err, ycrdt.ErrHeldFull)
	assert.Less(t, doc.MemoryUsage(), int64(24*mebibyte))
	set(t, doc, "k", 1)
	require.NoError(t, doc.ApplyUpdate(cat(1, 1, 1, 0, char, 0)), "what something waits for is taken")
	assert.Len(t, textOf(t, doc, "t"), mebibyte+1)
}

// Updates delivered in reverse all arrive, whatever they depend on: yrs alone leaves some of them pending.
func TestDoc_ApplyUpdate_InReverse(t *testing.T) {
	for name, c := range goldenCases(t) {
		if c.Refused != "" {
			continue
		}
		doc := newDoc(t)
		for i := len(c.Updates) - 1; i >= 0; i-- {
			require.NoError(t, doc.ApplyUpdate(c.Updates[i]), name)
		}
		want := loaded(t, c.Updates...)
		assert.Len(t, missing(t, doc, stateVector(t, want)), len(missing(t, want, stateVector(t, doc))), name)
		assert.Len(t, encode(t, doc), len(missing(t, doc, []byte{0})), "nothing is pending: %s", name)
	}
}

func TestDoc_ApplyUpdate_IsIdempotent(t *testing.T) {
	doc := newDoc(t)
	write(t, doc, func(tx *ycrdt.Tx) {
		require.NoError(t, tx.Text("t").Insert(0, "abc"))
		require.NoError(t, tx.Text("t").Delete(1, 1))
	})
	state := encode(t, doc)
	for range 3 {
		require.NoError(t, doc.ApplyUpdate(state))
		assert.Equal(t, state, encode(t, doc))
	}
}

// Bytes after the update are ignored, as Yjs does, and not passed on.
func TestDoc_ApplyUpdate_TrailingBytes(t *testing.T) {
	source, doc := newDoc(t), newDoc(t)
	set(t, source, "k", 1)
	update := encode(t, source)
	var passedOn []byte
	defer doc.OnUpdate(func(u ycrdt.UpdateEvent) { passedOn = u.Update }).Close()
	require.NoError(t, doc.ApplyUpdate(append(bytes.Clone(update), 1, 2, 3)))
	assert.Equal(t, update, passedOn)
	assert.Equal(t, update, encode(t, doc))
}

// The caller keeps the bytes that it passes in and owns those it gets.
func TestDoc_ApplyUpdate_KeepsNoReference(t *testing.T) {
	source, doc := newDoc(t), newDoc(t)
	set(t, source, "k", "value")
	update := encode(t, source)
	var event []byte
	defer doc.OnUpdate(func(u ycrdt.UpdateEvent) { event = u.Update }).Close()
	require.NoError(t, doc.ApplyUpdate(update))
	want := bytes.Clone(event)
	clear(update)
	assert.Equal(t, want, event)
	assert.Equal(t, map[string]any{"k": "value"}, mapOf(t, doc, "m"))
}
