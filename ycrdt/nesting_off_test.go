//go:build !yffidebug

package ycrdt_test

import (
	"bytes"
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/yrs-go/yrs/ycrdt"
)

// captureLog returns what is logged until the test ends.
func captureLog(t *testing.T) *bytes.Buffer {
	var log bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	t.Cleanup(func() { slog.SetDefault(before) })
	return &log
}

// Without Tx.Context a nested transaction waits for itself. After a second it is named in the log.
func TestDoc_NestedTransactionIsLogged(t *testing.T) {
	for name, call := range nested {
		t.Run(name, func(t *testing.T) {
			log := captureLog(t)
			synctest.Test(t, func(t *testing.T) {
				doc := ycrdt.NewDoc()
				defer doc.Close()
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				write(t, doc, func(*ycrdt.Tx) {
					assert.ErrorIs(t, call(ctx, doc), context.DeadlineExceeded)
				})
			})
			assert.Contains(t, log.String(), "inside another transaction")
			assert.Contains(t, log.String(), "Tx.Context")
		})
	}
}

// Who waits inside a transaction of another document for less than a second is not blamed, nor is who waits
// outside of transactions.
func TestDoc_OrdinaryWaitingIsNotLogged(t *testing.T) {
	log := captureLog(t)
	synctest.Test(t, func(t *testing.T) {
		doc, other := ycrdt.NewDoc(), ycrdt.NewDoc()
		defer doc.Close()
		defer other.Close()
		hold := func(d time.Duration) {
			held := make(chan struct{})
			go write(t, doc, func(*ycrdt.Tx) {
				close(held)
				<-time.After(d)
			})
			<-held
		}
		hold(time.Second / 2)
		write(t, other, func(*ycrdt.Tx) { set(t, doc, "k", 1) })
		hold(time.Minute)
		set(t, doc, "k", 2)
		synctest.Wait()
	})
	assert.Empty(t, log.String())
}
