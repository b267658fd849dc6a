package ycrdt_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt"
)

// newDoc returns an empty document that is closed with the test.
func newDoc(t testing.TB) *ycrdt.Doc {
	return newDocWith(t, ycrdt.DocOptions{})
}

func newDocWith(t testing.TB, opts ycrdt.DocOptions) *ycrdt.Doc {
	t.Helper()
	doc, err := ycrdt.NewDocWith(opts)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, doc.Close()) })
	return doc
}

// loaded returns a document that holds these updates, as a peer that has only heard of them.
func loaded(t testing.TB, updates ...[]byte) *ycrdt.Doc {
	t.Helper()
	doc := newDoc(t)
	for _, update := range updates {
		require.NoError(t, doc.ApplyUpdate(update))
	}
	return doc
}

// copyOf returns another replica of doc.
func copyOf(t testing.TB, doc *ycrdt.Doc) *ycrdt.Doc {
	t.Helper()
	return loaded(t, encode(t, doc))
}

func encode(t testing.TB, doc *ycrdt.Doc) []byte {
	t.Helper()
	update, err := doc.EncodeStateAsUpdate(nil)
	require.NoError(t, err)
	return update
}

// write runs fn in a transaction that has to succeed.
func write(t testing.TB, doc *ycrdt.Doc, fn func(*ycrdt.Tx)) {
	t.Helper()
	require.NoError(t, doc.Transact(func(tx *ycrdt.Tx) error {
		fn(tx)
		return nil
	}))
}

// view runs fn in a read-only transaction that has to succeed.
func view(t testing.TB, doc *ycrdt.Doc, fn func(*ycrdt.Tx)) {
	t.Helper()
	require.NoError(t, doc.View(func(tx *ycrdt.Tx) error {
		fn(tx)
		return nil
	}))
}

func textOf(t testing.TB, doc *ycrdt.Doc, name string) (text string) {
	t.Helper()
	view(t, doc, func(tx *ycrdt.Tx) { text = tx.Text(name).String() })
	return text
}

func deltaOf(t testing.TB, doc *ycrdt.Doc, name string) (delta ycrdt.Delta) {
	t.Helper()
	view(t, doc, func(tx *ycrdt.Tx) { delta = tx.Text(name).ToDelta() })
	return delta
}

func mapOf(t testing.TB, doc *ycrdt.Doc, name string) (plain map[string]any) {
	t.Helper()
	view(t, doc, func(tx *ycrdt.Tx) {
		var err error
		plain, err = tx.Map(name).AsMap()
		require.NoError(t, err)
	})
	return plain
}

func arrayOf(t testing.TB, doc *ycrdt.Doc, name string) (plain []any) {
	t.Helper()
	view(t, doc, func(tx *ycrdt.Tx) {
		var err error
		plain, err = tx.Array(name).AsSlice()
		require.NoError(t, err)
	})
	return plain
}

// How long and how often tests look for what other goroutines do. It is reached only by a test that fails.
const (
	waitFor = 10 * time.Second
	tick    = time.Millisecond
)
