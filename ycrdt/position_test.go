package ycrdt_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/yrs-go/yrs/ycrdt"
)

// A list with an index is what it is without one: contents, errors, events and updates.
func TestPositionIndex_Equivalence(t *testing.T) {
	for name, list := range map[string]list{"text": textList, "array": arrayList} {
		t.Run(name, func(t *testing.T) {
			indexed := 0
			for seed := range uint64(positionSessions) {
				ok := t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
					s := newTwins(t, list, seed)
					s.run(60)
					if s.wasIndexed {
						indexed++
					}
				})
				if !ok {
					return
				}
			}
			assert.Greater(t, indexed, positionSessions/2, "sessions in which the list had an index")
		})
	}
}

// Edits that the native document holds back are there for whoever reads, and for every way of reading.
func TestPositionIndex_ReadersSeeWhatIsHeldBack(t *testing.T) {
	type reading = func(*ycrdt.Doc) (any, error)
	inView := func(read func(*ycrdt.Tx) any) reading {
		return func(doc *ycrdt.Doc) (result any, err error) {
			err = doc.View(func(tx *ycrdt.Tx) error { result = read(tx); return nil })
			return result, err
		}
	}
	readings := map[string]reading{
		"string":       inView(func(tx *ycrdt.Tx) any { return tx.Text("t").String() }),
		"length":       inView(func(tx *ycrdt.Tx) any { return tx.Text("t").Len() }),
		"delta":        inView(func(tx *ycrdt.Tx) any { return tx.Text("t").ToDelta() }),
		"state vector": func(doc *ycrdt.Doc) (any, error) { return doc.EncodeStateVector() },
		"everything":   func(doc *ycrdt.Doc) (any, error) { return doc.EncodeStateAsUpdate(nil) },
		"difference":   func(doc *ycrdt.Doc) (any, error) { return doc.EncodeStateAsUpdate([]byte{0}) },
	}
	for name, read := range readings {
		t.Run(name, func(t *testing.T) {
			indexed := newDocWith(t, ycrdt.DocOptions{ClientID: 1})
			plain := newDocWith(t, ycrdt.DocOptions{ClientID: 1, SkipPositionIndex: true})
			for i := range 100 {
				for _, doc := range []*ycrdt.Doc{indexed, plain} {
					write(t, doc, func(tx *ycrdt.Tx) { require.NoError(t, tx.Text("t").Insert(i/2, "x")) })
				}
			}
			require.Equal(t, 1, indexed.Indexes())
			expected, err := read(plain)
			require.NoError(t, err)
			actual, err := read(indexed)
			require.NoError(t, err)
			assert.Equal(t, expected, actual)
		})
	}
}

// Transactions of several edits follow one another, and nobody reads between.
func TestPositionIndex_EditsOfSeveralTransactions(t *testing.T) {
	edits := []func(*ycrdt.Text) error{
		func(text *ycrdt.Text) error { return text.Insert(0, "ab") },
		func(text *ycrdt.Text) error { return errors.Join(text.Insert(2, "c"), text.Insert(0, "x")) },
		func(text *ycrdt.Text) error { return text.Insert(1, "y") },
		func(text *ycrdt.Text) error { return text.Delete(2, 2) },
		func(text *ycrdt.Text) error {
			return errors.Join(text.Delete(0, 1), text.Insert(1, "z"), text.Insert(2, "w"))
		},
		func(text *ycrdt.Text) error { return text.Insert(3, "v") },
	}
	indexed := newDocWith(t, ycrdt.DocOptions{ClientID: 1})
	plain := newDocWith(t, ycrdt.DocOptions{ClientID: 1, SkipPositionIndex: true})
	for _, doc := range []*ycrdt.Doc{indexed, plain} {
		write(t, doc, func(tx *ycrdt.Tx) {
			for range 100 { // now an index pays
				require.NoError(t, tx.Text("t").Insert(0, "-"))
			}
		})
		for range 20 {
			for _, edit := range edits {
				write(t, doc, func(tx *ycrdt.Tx) { require.NoError(t, edit(tx.Text("t"))) })
			}
		}
	}
	require.Equal(t, 1, indexed.Indexes())
	expected, err := plain.EncodeStateAsUpdate(nil)
	require.NoError(t, err)
	actual, err := indexed.EncodeStateAsUpdate(nil)
	require.NoError(t, err)
	assert.Equal(t, expected, actual)
}

// Readers that come together share what the first of them has carried out.
func TestPositionIndex_ConcurrentReaders(t *testing.T) {
	doc := newDoc(t)
	var group errgroup.Group
	for range 4 {
		group.Go(func() error {
			for range 500 {
				if err := doc.Transact(func(tx *ycrdt.Tx) error { return tx.Text("t").Insert(0, "x") }); err != nil {
					return err
				}
				if err := doc.View(func(tx *ycrdt.Tx) error {
					if text := tx.Text("t"); len(text.String()) != text.Len() {
						return errors.New("length and text differ")
					}
					return nil
				}); err != nil {
					return err
				}
			}
			return nil
		})
	}
	require.NoError(t, group.Wait())
	assert.Equal(t, strings.Repeat("x", 2000), textOf(t, doc, "t"))
}

// Edits that are held back do not keep a document open.
func TestPositionIndex_Close(t *testing.T) {
	doc := ycrdt.NewDoc()
	for range 100 {
		write(t, doc, func(tx *ycrdt.Tx) { require.NoError(t, tx.Text("t").Insert(0, "x")) })
	}
	require.NoError(t, doc.Close())
	assert.ErrorIs(t, doc.View(func(*ycrdt.Tx) error { return nil }), ycrdt.ErrClosed)
}

// Very many edits are not held back for ever.
func TestPositionIndex_HoldsLittleBack(t *testing.T) {
	doc := newDoc(t)
	chunk := strings.Repeat("x", 10_000)
	write(t, doc, func(tx *ycrdt.Tx) {
		for range 100 {
			require.NoError(t, tx.Text("t").Insert(0, "x"))
		}
	})
	heard := 0
	doc.OnUpdate(func(e ycrdt.UpdateEvent) { heard += len(e.Update) })
	for range 200 {
		write(t, doc, func(tx *ycrdt.Tx) { require.NoError(t, tx.Text("t").Insert(50, chunk)) })
	}
	assert.Greater(t, heard, 2_000_000)
	assert.Less(t, len(encode(t, doc)), 2_200_000)
	assert.Equal(t, 2_000_100, len(textOf(t, doc, "t")))
}
