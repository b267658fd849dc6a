package ycrdt_test

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt"
)

// done is a context in which nothing is waited for.
func done(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

func TestDoc_Delivered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		doc := newDoc(t)
		require.NoError(t, doc.Delivered(done(t)), "nothing was committed")
		entered, gate := make(chan struct{}, 10), make(chan struct{})
		var heard atomic.Int64
		defer doc.OnUpdate(func(ycrdt.UpdateEvent) {
			entered <- struct{}{}
			<-gate
			heard.Add(1)
		}).Close()
		var delivering sync.WaitGroup
		delivering.Go(func() { set(t, doc, "other", 0) })
		<-entered
		set(t, doc, "mine", 0) // returns at once: another goroutine delivers
		assert.ErrorIs(t, doc.Delivered(done(t)), context.Canceled)

		returned := make(chan error, 1)
		go func() { returned <- doc.Delivered(t.Context()) }()
		synctest.Wait()
		set(t, doc, "later", 0)
		gate <- struct{}{}
		<-entered
		synctest.Wait()
		assert.Empty(t, returned, "the first of the two before it is not enough")
		gate <- struct{}{}
		<-entered
		assert.NoError(t, <-returned, "what was committed later is not waited for")
		assert.EqualValues(t, 2, heard.Load())
		assert.NoError(t, doc.Close())
		assert.ErrorIs(t, doc.Delivered(done(t)), context.Canceled, "a closed document delivers too")
		close(gate)
		delivering.Wait()
		assert.NoError(t, doc.Delivered(done(t)))
		assert.EqualValues(t, 3, heard.Load())
	})
}

// Where waiting could be for itself there is none.
func TestDoc_Delivered_InsideCalls(t *testing.T) {
	doc, other := newDoc(t), newDoc(t)
	var inside, elsewhere error
	sub := doc.OnUpdate(func(ycrdt.UpdateEvent) {
		set(t, other, "k", 0)
		inside, elsewhere = doc.Delivered(t.Context()), other.Delivered(t.Context())
	})
	write(t, doc, func(tx *ycrdt.Tx) {
		assert.NoError(t, doc.Delivered(t.Context()), "nothing waits")
		require.NoError(t, tx.Map("m").Set("k", 0))
	})
	assert.ErrorIs(t, inside, ycrdt.ErrInSubscriber)
	assert.NoError(t, elsewhere, "nothing waits")
	sub.Close()

	entered, gate := make(chan struct{}), make(chan struct{})
	defer doc.OnUpdate(func(ycrdt.UpdateEvent) {
		close(entered)
		<-gate
	}).Close()
	var delivering sync.WaitGroup
	delivering.Go(func() { set(t, doc, "k", 1) })
	<-entered
	require.NoError(t, doc.View(func(*ycrdt.Tx) error {
		assert.ErrorIs(t, doc.Delivered(t.Context()), ycrdt.ErrInTransaction)
		return nil
	}))
	close(gate)
	delivering.Wait()
}

// What subscribers do wrong keeps nobody waiting.
func TestDoc_Delivered_AfterPanicAndGoexit(t *testing.T) {
	doc := newDoc(t)
	sub := doc.OnUpdate(func(ycrdt.UpdateEvent) { panic("observer") })
	assert.Panics(t, func() { set(t, doc, "k", 0) })
	assert.NoError(t, doc.Delivered(done(t)))
	sub.Close()
	defer doc.OnUpdate(func(ycrdt.UpdateEvent) { runtime.Goexit() }).Close()
	inGoroutine(func() { set(t, doc, "k", 1) })
	assert.NoError(t, doc.Delivered(done(t)))
}
