//go:build yffidebug

package ycrdt_test

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"

	"github.com/yrs-go/yrs/ycrdt"
)

// In debug builds a transaction that waits for itself panics.
func TestDoc_NestedTransactionPanics(t *testing.T) {
	for name, call := range nested {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				doc := ycrdt.NewDoc()
				defer doc.Close()
				write(t, doc, func(tx *ycrdt.Tx) {
					assert.PanicsWithValue(t, "ycrdt: a transaction waits inside another transaction; if both are of the same document "+
						"it waits for itself: use the Tx it has, or pass Tx.Context to get ErrInTransaction",
						func() { _ = call(t.Context(), doc) })
					assert.NoError(t, tx.Map("m").Set("k", 1), "the outer one goes on")
				})
				set(t, doc, "k", 2)
			})
		})
	}
}
