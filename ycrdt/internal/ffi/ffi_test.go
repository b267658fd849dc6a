package ffi

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// newDoc returns a document that is freed with the test.
func newDoc(t *testing.T) *Doc {
	t.Helper()
	doc, err := NewDoc(DocOptions{ClientID: 1, GUID: "g"})
	require.NoError(t, err)
	t.Cleanup(doc.Free)
	return doc
}

// A panic in the library becomes an error that names its place, and prints nothing.
func TestTestPanic(t *testing.T) {
	for range 3 {
		err := TestPanic(nil)
		var native *Error
		require.ErrorAs(t, err, &native)
		assert.Equal(t, CodePanic, native.Code)
		assert.Regexp(t, `^a panic on purpose \(at .*ffi\.rs:\d+\)$`, native.Message)
	}
}

func TestNewDoc_Refusals(t *testing.T) {
	for code, opts := range map[Code]DocOptions{
		CodeInvalidArgument: {ClientID: 1 << 53},
		CodeUnsupported:     {ClientID: 1, GUID: "\xff"},
	} {
		_, err := NewDoc(opts)
		var native *Error
		require.ErrorAs(t, err, &native)
		assert.Equal(t, code, native.Code)
	}
}

// The package does no locking, but a lock that the caller does not own is reported and not waited for.
func TestDoc_Begin_Busy(t *testing.T) {
	doc := newDoc(t)
	writer, err := doc.Begin(true)
	require.NoError(t, err)
	_, err = writer.Root(KindText, "t") // a writer takes the lock when it needs it
	require.NoError(t, err)
	isBusy := func(err error) {
		t.Helper()
		var native *Error
		require.ErrorAs(t, err, &native)
		assert.Equal(t, CodeBusy, native.Code)
	}
	_, err = doc.Begin(false)
	isBusy(err)
	_, err = doc.ApplyUpdate([]byte{0, 0}, 0, false)
	isBusy(err)
	_, err = writer.Commit(false)
	require.NoError(t, err)
	first, err := doc.Begin(false)
	require.NoError(t, err)
	second, err := doc.Begin(false)
	require.NoError(t, err, "readers run beside each other")
	_, err = first.Commit(false)
	require.NoError(t, err)
	_, err = second.Commit(false)
	require.NoError(t, err)
}

func TestTxn_PanicsWhenUsedAfterItsEnd(t *testing.T) {
	doc := newDoc(t)
	txn, err := doc.Begin(true)
	require.NoError(t, err)
	_, err = txn.Commit(false)
	require.NoError(t, err)
	assert.PanicsWithValue(t, "ycrdt: use of a finished transaction", func() { _, _ = txn.Commit(false) })
	assert.PanicsWithValue(t, "ycrdt: use of a finished transaction", func() { _ = txn.TextInsert(0, 0, "x") })
}

func TestDoc_PanicsWhenUsedAfterFree(t *testing.T) {
	doc, err := NewDoc(DocOptions{ClientID: 1, GUID: "g"})
	require.NoError(t, err)
	doc.Free()
	assert.PanicsWithValue(t, "ycrdt: use of a freed document", func() { _, _ = doc.Begin(true) })
	assert.PanicsWithValue(t, "ycrdt: use of a freed document", func() { doc.Free() })
}

// Slots are checked: a wrong one is an error, not a wild pointer.
func TestTxn_RefusesSlotsItDidNotGive(t *testing.T) {
	doc := newDoc(t)
	txn, err := doc.Begin(true)
	require.NoError(t, err)
	for _, slot := range []uint32{0, 7, Absent} {
		_, mapErr := txn.MapValue(slot, "k")
		_, arrayErr := txn.ArrayValues(slot)
		for name, err := range map[string]error{
			"insert": txn.TextInsert(slot, 0, "x"), "set": txn.MapSet(slot, "k", []byte{126}), "array": txn.ArrayInsert(slot, 0, []byte{126}),
			"observe": txn.Observe(slot, 1, false), "unobserve": txn.Unobserve(slot, 1, true),
		} {
			var native *Error
			if assert.ErrorAs(t, err, &native, name) {
				assert.Equal(t, CodeInvalidArgument, native.Code, name)
			}
		}
		if slot != Absent { // an absent root reads as empty
			assert.Error(t, mapErr)
			assert.Error(t, arrayErr)
		}
	}
	_, err = txn.Commit(false)
	require.NoError(t, err)
}

// Values that cross inwards are checked as well, although only ycrdt writes them.
func TestTxn_RefusesMalformedValues(t *testing.T) {
	doc := newDoc(t)
	txn, err := doc.Begin(true)
	require.NoError(t, err)
	slot, err := txn.Root(KindMap, "m")
	require.NoError(t, err)
	array, err := txn.Root(KindArray, "a")
	require.NoError(t, err)
	text, err := txn.Root(KindText, "t")
	require.NoError(t, err)
	for _, value := range [][]byte{
		nil, {99}, {4}, {5}, {6}, {117, 5, 126}, {118, 1, 0}, {119, 2, 'x'}, {119, 1, 0xff}, {125}, {123, 0}, {2, 9}, {3, 9}, {1, 9}, {1, 1, 9},
		{3, 1}, {2, 1, 1, 'k'}, {1, 1, 1, 119, 1, 'x'},
	} {
		assert.Error(t, txn.MapSet(slot, "k", value), "%v", value)
		if value != nil {
			assert.Error(t, txn.ArrayInsert(array, 0, value), "%v", value)
			assert.Error(t, txn.TextApplyDelta(text, append([]byte{1}, value...)), "%v", value)
		}
	}
	deep := []byte(strings.Repeat("\x03\x01", 100))
	err = txn.MapSet(slot, "k", append(deep, 126))
	var native *Error
	require.ErrorAs(t, err, &native)
	assert.Equal(t, CodeTooLarge, native.Code)
	assert.False(t, txn.Changed())
	_, err = txn.Commit(false)
	require.NoError(t, err)
}

// A transaction keeps its document alive.
func TestTxn_HoldsItsDocument(t *testing.T) {
	doc, err := NewDoc(DocOptions{ClientID: 1, GUID: "g"})
	require.NoError(t, err)
	txn, err := doc.Begin(true)
	require.NoError(t, err)
	assert.Same(t, doc, txn.doc)
	_, err = txn.Commit(true)
	require.NoError(t, err)
	doc.Free()
}

func TestMergeUpdates_Framing(t *testing.T) {
	merged, err := MergeUpdates(nil)
	require.NoError(t, err)
	assert.Equal(t, []byte{0, 0}, merged)
	for _, framed := range [][]byte{{2, 0}, {0xff}, {1, 9}} {
		_, err := MergeUpdates(framed)
		var native *Error
		require.ErrorAs(t, err, &native)
		assert.Equal(t, CodeMalformed, native.Code)
	}
}

func TestArchiveHash(t *testing.T) {
	assert.Regexp(t, "^[0-9a-f]{64}$", ArchiveHash)
}
