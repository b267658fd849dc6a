package ycrdt_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

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

// Readers who come together while edits are held back are together in their views.
func TestPositionIndex_ReadersDoNotWaitForEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		doc := newDoc(t)
		for range 100 {
			write(t, doc, func(tx *ycrdt.Tx) { require.NoError(t, tx.Text("t").Insert(0, "x")) })
		}
		require.Equal(t, 1, doc.Indexes())
		const readers = 3
		var group errgroup.Group
		var inside sync.WaitGroup
		inside.Add(readers)
		write(t, doc, func(tx *ycrdt.Tx) {
			for range readers {
				group.Go(func() error {
					return doc.View(func(tx *ycrdt.Tx) error {
						inside.Done()
						inside.Wait()
						return nil
					})
				})
			}
			synctest.Wait() // now all wait for this transaction
			require.NoError(t, tx.Text("t").Insert(0, "x"))
		})
		require.NoError(t, group.Wait())
	})
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

// What was deleted leaves nothing in an index, not even where its characters had two units.
func TestPositionIndex_ForgetsDeletedCharacters(t *testing.T) {
	doc := newDoc(t)
	write(t, doc, func(tx *ycrdt.Tx) {
		for range 100 {
			require.NoError(t, tx.Text("t").Insert(0, "-"))
		}
	})
	emoji := strings.Repeat("😀", 1000)
	turn := func() int64 {
		write(t, doc, func(tx *ycrdt.Tx) {
			require.NoError(t, tx.Text("t").Insert(50, emoji))
			require.NoError(t, tx.Text("t").Delete(50, 2000))
		})
		assert.Equal(t, 100, len(textOf(t, doc, "t")))
		require.Equal(t, 1, doc.Indexes())
		return doc.MemoryUsage()
	}
	before := turn()
	for range 100 {
		turn()
	}
	assert.Less(t, doc.MemoryUsage(), before+50_000)
}

// Every update concerns every index, so there are few at a time: those of the lists that were edited last.
func TestPositionIndex_FewAtATime(t *testing.T) {
	doc := newDoc(t)
	edit := func(name string) {
		write(t, doc, func(tx *ycrdt.Tx) {
			for range 200 {
				require.NoError(t, tx.Text(name).Insert(0, "x"))
			}
		})
	}
	for i := range 40 {
		edit(fmt.Sprint(i))
		assert.Equal(t, min(i+1, 16), doc.Indexes())
	}
	edit("0")
	assert.Equal(t, 200*41, len(texts(t, doc, 40)))
}

func texts(t *testing.T, doc *ycrdt.Doc, count int) (all string) {
	for i := range count {
		all += textOf(t, doc, fmt.Sprint(i))
	}
	return all
}

// A deleted list has no index any more.
func TestPositionIndex_OfADeletedList(t *testing.T) {
	doc := newDoc(t)
	for range 3 {
		write(t, doc, func(tx *ycrdt.Tx) {
			require.NoError(t, tx.Map("m").Set("k", ycrdt.NewArray{}))
			array, ok := tx.Map("m").Array("k")
			require.True(t, ok)
			for range 200 {
				require.NoError(t, array.Insert(0, "x"))
			}
		})
		assert.Equal(t, 1, doc.Indexes())
	}
	write(t, doc, func(tx *ycrdt.Tx) { require.NoError(t, tx.Map("m").Clear()) })
	assert.Zero(t, doc.Indexes())
}

// Edits are held back again when nobody observes any more, even if what was observed is gone.
func TestPositionIndex_AfterObservers(t *testing.T) {
	for _, deletes := range []bool{false, true} {
		doc := newDoc(t)
		var ref ycrdt.Ref
		write(t, doc, func(tx *ycrdt.Tx) {
			require.NoError(t, tx.Map("m").Set("k", ycrdt.NewMap{}))
			nested, ok := tx.Map("m").Map("k")
			require.True(t, ok)
			ref = nested.Ref()
		})
		sub, err := doc.Observe(ref, func(ycrdt.Event) {})
		require.NoError(t, err)
		edit := func() {
			for range 100 {
				write(t, doc, func(tx *ycrdt.Tx) { require.NoError(t, tx.Text("t").Insert(0, "x")) })
			}
		}
		edit()
		assert.False(t, doc.HoldsEdits())
		if deletes {
			write(t, doc, func(tx *ycrdt.Tx) { require.NoError(t, tx.Map("m").Delete("k")) })
		}
		sub.Close()
		edit()
		assert.True(t, doc.HoldsEdits())
	}
}
