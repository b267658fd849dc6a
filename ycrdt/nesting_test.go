package ycrdt_test

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt"
)

// open runs fn in a transaction of doc that is opened with ctx.
type open func(ctx context.Context, doc *ycrdt.Doc, fn func(*ycrdt.Tx) error) error

var opens = map[string]open{
	"transact": func(ctx context.Context, doc *ycrdt.Doc, fn func(*ycrdt.Tx) error) error {
		return doc.TransactContext(ctx, ycrdt.TxOptions{}, fn)
	},
	"view": func(ctx context.Context, doc *ycrdt.Doc, fn func(*ycrdt.Tx) error) error {
		return doc.ViewContext(ctx, fn)
	},
}

// nested are the calls that would wait for a transaction that they are made in.
var nested = map[string]func(context.Context, *ycrdt.Doc) error{
	"transact": func(ctx context.Context, doc *ycrdt.Doc) error {
		return doc.TransactContext(ctx, ycrdt.TxOptions{}, func(*ycrdt.Tx) error { return nil })
	},
	"view": func(ctx context.Context, doc *ycrdt.Doc) error {
		return doc.ViewContext(ctx, func(*ycrdt.Tx) error { return nil })
	},
	"apply update": func(ctx context.Context, doc *ycrdt.Doc) error {
		return doc.ApplyUpdateContext(ctx, ycrdt.TxOptions{}, []byte{0, 0})
	},
}

func TestTx_Context_DetectsNesting(t *testing.T) {
	for outerName, outer := range opens {
		for innerName, inner := range nested {
			doc, other := newDoc(t), newDoc(t)
			var kept context.Context
			require.NoError(t, outer(t.Context(), doc, func(tx *ycrdt.Tx) error {
				kept = tx.Context()
				assert.ErrorIs(t, inner(tx.Context(), doc), ycrdt.ErrInTransaction, "%s in %s", innerName, outerName)
				derived, cancel := context.WithCancel(context.WithValue(tx.Context(), keyType{}, 1))
				defer cancel()
				assert.ErrorIs(t, inner(derived, doc), ycrdt.ErrInTransaction, "derived contexts, too")
				assert.NoError(t, inner(tx.Context(), other), "another document is free")
				return nil
			}))
			assert.NoError(t, inner(kept, doc), "after its end the transaction is in nobody's way")
		}
	}
}

type keyType struct{}

// Through a transaction of another document the first one is still seen.
func TestTx_Context_DetectsNestingThroughAnotherDocument(t *testing.T) {
	a, b, c := newDoc(t), newDoc(t), newDoc(t)
	for outerName, outer := range opens {
		for middleName, middle := range opens {
			for innerName, inner := range nested {
				how := innerName + " in " + middleName + " in " + outerName
				require.NoError(t, outer(t.Context(), a, func(tx *ycrdt.Tx) error {
					return middle(tx.Context(), b, func(tx *ycrdt.Tx) error {
						assert.ErrorIs(t, inner(tx.Context(), a), ycrdt.ErrInTransaction, how)
						assert.ErrorIs(t, inner(tx.Context(), b), ycrdt.ErrInTransaction, how)
						assert.NoError(t, inner(tx.Context(), c), how)
						return nil
					})
				}))
			}
		}
	}
}

func TestTx_Context_CarriesTheContextItWasOpenedWith(t *testing.T) {
	doc := newDoc(t)
	for name, open := range opens {
		ctx, cancel := context.WithCancel(context.WithValue(t.Context(), keyType{}, "value"))
		require.NoError(t, open(ctx, doc, func(tx *ycrdt.Tx) error {
			assert.Equal(t, "value", tx.Context().Value(keyType{}), name)
			assert.NoError(t, tx.Context().Err())
			cancel()
			assert.ErrorIs(t, tx.Context().Err(), context.Canceled)
			return nil
		}), "the closure is not interrupted")
	}
}

// A context is handed to other goroutines, which may use it while the transaction ends.
func TestTx_ContextMayOutliveTheTransaction(t *testing.T) {
	doc := newDoc(t)
	for range 100 {
		var other sync.WaitGroup
		write(t, doc, func(tx *ycrdt.Tx) {
			ctx := tx.Context()
			other.Go(func() {
				if err := nested["view"](ctx, doc); err != nil {
					assert.ErrorIs(t, err, ycrdt.ErrInTransaction)
				}
			})
		})
		other.Wait()
	}
}

// A subscriber runs outside of every transaction: it may open one, even with the context of the transaction that
// it hears of.
func TestTx_Context_InSubscribers(t *testing.T) {
	doc := newDoc(t)
	var ctx context.Context
	calls := 0
	defer doc.OnUpdate(func(ycrdt.UpdateEvent) {
		calls++
		assert.NoError(t, nested["view"](ctx, doc))
		assert.NoError(t, nested["transact"](ctx, doc))
	}).Close()
	write(t, doc, func(tx *ycrdt.Tx) {
		ctx = tx.Context()
		require.NoError(t, tx.Map("m").Set("k", 1))
	})
	assert.Equal(t, 1, calls)
}
