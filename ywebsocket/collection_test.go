package ywebsocket

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt"
)

// Garbage is collected when there is much of it, and seldom when it cannot be.
func TestCollection(t *testing.T) {
	c := newCollection()
	assert.False(t, c.isDue(maxGarbage-1, 0))
	assert.True(t, c.isDue(maxGarbage, 0))
	const large = maxGarbage * garbageSize * garbageShare
	assert.True(t, c.isDue(maxGarbage, large))
	assert.False(t, c.isDue(maxGarbage, 2*large), "not much for such a document")
	assert.True(t, c.isDue(2*maxGarbage, 2*large))
	c.tried(maxGarbage) // in vain
	assert.False(t, c.isDue(2*maxGarbage-1, 0))
	assert.True(t, c.isDue(2*maxGarbage, 0))
	c.tried(0)
	assert.True(t, c.isDue(maxGarbage, 0))
}

// Each collection counts, and the next one is not due before there is much again.
func TestLiveDocument_CollectsWhenItIsDue(t *testing.T) {
	d := newTestDocument(t).(*liveDocument)
	before := d.doc
	c := d.collection
	author := ycrdt.NewDoc()
	defer author.Close()
	defer author.OnUpdate(func(event ycrdt.UpdateEvent) {
		_, err := d.apply(t.Context(), event.Update)
		require.NoError(t, err)
	}).Close()
	d.collection.next = 10
	write := func(n int) {
		require.NoError(t, author.Transact(func(tx *ycrdt.Tx) error {
			for range n {
				if err := tx.Map("m").Set("k", ycrdt.NewMap{}); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	write(10)
	require.Same(t, before, d.doc, "nine are not many")
	write(1)
	require.NotSame(t, before, d.doc)
	assert.Equal(t, c, d.collection, "the next time is when there are many again")
}
