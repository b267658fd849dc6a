package ycrdt_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/yrs-go/yrs/ycrdt"
)

// Everything at once: whatever the interleaving, replicas that have heard of each other hold the same.
func TestDoc_UsedByManyGoroutines(t *testing.T) {
	const goroutines, rounds = 4, 50
	a, b := newDoc(t), newDoc(t)
	mirror := func(from, to *ycrdt.Doc) *ycrdt.Subscription {
		return from.OnUpdate(func(u ycrdt.UpdateEvent) {
			if u.Origin != "mirror" {
				assert.NoError(t, to.ApplyUpdateContext(t.Context(), ycrdt.TxOptions{Origin: "mirror"}, u.Update))
			}
		})
	}
	defer mirror(a, b).Close()
	defer mirror(b, a).Close()

	var group errgroup.Group
	for g := range goroutines {
		for _, doc := range []*ycrdt.Doc{a, b} {
			group.Go(func() error { // writes
				for i := range rounds {
					err := doc.Transact(func(tx *ycrdt.Tx) error {
						return first(
							tx.Text("text").Insert(0, "é😀"),
							tx.Map("map").Set(fmt.Sprint(g), ycrdt.NewArray{i}),
							tx.Array("array").Append(i),
						)
					})
					if err != nil {
						return err
					}
				}
				return nil
			})
			group.Go(func() error { // reads
				for range rounds {
					err := doc.View(func(tx *ycrdt.Tx) error {
						_, err := tx.Map("map").AsMap()
						tx.Text("text").ToDelta()
						for range tx.Array("array").All() {
							break
						}
						return err
					})
					if err != nil {
						return err
					}
					if _, err := doc.EncodeStateAsUpdate(nil); err != nil {
						return err
					}
					doc.MemoryUsage()
				}
				return nil
			})
			group.Go(func() error { // subscribes
				for range rounds {
					var calls atomic.Int64
					update := doc.OnUpdate(func(ycrdt.UpdateEvent) { calls.Add(1) })
					sub, err := doc.Observe(ycrdt.RootMap("map"), func(ycrdt.Event) { calls.Add(1) })
					if err != nil {
						return err
					}
					deep, err := doc.ObserveDeep(ycrdt.RootMap("map"), func([]ycrdt.Event) { calls.Add(1) })
					if err != nil {
						return err
					}
					runtime.Gosched()
					update.Close()
					sub.Close()
					deep.Close()
				}
				return nil
			})
			group.Go(func() error { // gives up
				for range rounds {
					ctx, cancel := context.WithCancel(context.Background())
					cancel()
					err := doc.TransactContext(ctx, ycrdt.TxOptions{}, func(*ycrdt.Tx) error { return nil })
					if err == nil {
						return fmt.Errorf("a cancelled context was ignored")
					}
				}
				return nil
			})
		}
	}
	require.NoError(t, group.Wait())
	require.Eventually(t, func() bool {
		return string(stateVectorOf(a)) != "" && len(stateVectorOf(a)) == len(stateVectorOf(b)) &&
			arrayLen(a) == 2*goroutines*rounds && arrayLen(b) == 2*goroutines*rounds
	}, waitFor, tick)
	requireSame(t, a, b)
}

func stateVectorOf(doc *ycrdt.Doc) []byte {
	sv, _ := doc.EncodeStateVector()
	return sv
}

func arrayLen(doc *ycrdt.Doc) (n int) {
	_ = doc.View(func(tx *ycrdt.Tx) error {
		n = tx.Array("array").Len()
		return nil
	})
	return n
}

// Close races with everything else.
func TestDoc_ClosedWhileUsed(t *testing.T) {
	for range 50 {
		doc := ycrdt.NewDoc()
		var users sync.WaitGroup
		for range 4 {
			users.Go(func() {
				for {
					err := doc.Transact(func(tx *ycrdt.Tx) error { return tx.Text("t").Insert(0, "x") })
					if err == nil {
						err = doc.View(func(tx *ycrdt.Tx) error { tx.Text("t").Len(); return nil })
					}
					if err != nil {
						assert.ErrorIs(t, err, ycrdt.ErrClosed)
						return
					}
					doc.MemoryUsage()
				}
			})
		}
		users.Go(func() {
			for range 10 {
				runtime.Gosched()
			}
			assert.NoError(t, doc.Close())
			assert.NoError(t, doc.Close())
		})
		users.Wait()
		assert.Zero(t, doc.MemoryUsage())
	}
}
