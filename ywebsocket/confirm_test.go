package ywebsocket

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt"
	"github.com/yrs-go/yrs/ycrdt/protocol"
	"github.com/yrs-go/yrs/ywebsocket/store"
)

// hesitantStore lets others go first.
type hesitantStore struct{ store.Store }

func (s *hesitantStore) Append(ctx context.Context, room string, updates ...[]byte) error {
	for range 1000 {
		runtime.Gosched()
	}
	return s.Store.Append(ctx, room, updates...)
}

// author is a client that knows what of its own is confirmed: whatever the server
// has sent it as an update.
type author struct {
	*client
	id        uint64
	wrote     [][]byte
	confirmed *ycrdt.Doc
}

// write sends updates of one clock unit each, the later ones first.
func (a *author) write(n int) {
	first := len(a.wrote)
	for i := range n {
		a.wrote = append(a.wrote, insert(a.id, uint64(first+i), "x"))
	}
	for i := len(a.wrote) - 1; i >= first; i-- {
		a.sendUpdate(a.wrote[i])
	}
}

// waitForConfirmation answers questions until everything is confirmed.
func (a *author) waitForConfirmation() {
	for clocksOf(a.t, a.confirmed)[a.id] < uint64(len(a.wrote)) {
		switch m := a.nextOf(protocol.MessageSync); m.Sync {
		case protocol.SyncUpdate:
			require.NoError(a.t, a.confirmed.ApplyUpdate(m.Payload))
		case protocol.SyncStep1:
			a.send(protocol.AppendSyncStep2(nil, merged(a.t, a.wrote...)))
		}
	}
}

// clocksOf returns how much of each client a document has.
func clocksOf(t testing.TB, doc *ycrdt.Doc) map[uint64]uint64 {
	t.Helper()
	stateVector, err := doc.EncodeStateVector()
	require.NoError(t, err)
	d := protocol.NewDecoder(stateVector)
	read := func() uint64 {
		n, err := d.ReadVarUint()
		require.NoError(t, err)
		return n
	}
	clocks := make(map[uint64]uint64)
	for range read() {
		client := read()
		clocks[client] = read()
	}
	return clocks
}

// Updates come in any order, from several clients, and the document breaks in
// between: whatever a client was told is saved is in the store then.
func TestRoom_WhatIsConfirmedIsStored(t *testing.T) {
	const authors, rounds = 6, 20
	backing := store.NewMemory()
	var last atomic.Pointer[fragile]
	_, url := serve(t, Options{Store: &hesitantStore{backing}}, fragileLoads(ycrdt.CodePanic, &last))
	var wg sync.WaitGroup
	for id := range uint64(authors) {
		c, _ := join(t, url+"room")
		a := &author{client: c, id: id + 1, confirmed: ycrdt.NewDoc()}
		wg.Go(func() {
			defer a.confirmed.Close()
			for round := range rounds {
				a.write(1 + round%3)
				a.waitForConfirmation()
				saved := ycrdt.NewDoc()
				for _, update := range stored(t, backing, "room") {
					assert.NoError(t, saved.ApplyUpdate(update))
				}
				assert.GreaterOrEqual(t, clocksOf(t, saved)[a.id], uint64(len(a.wrote)))
				_ = saved.Close()
			}
		})
	}
	evil, _ := join(t, url+"room")
	for range 50 {
		evil.expectUpdate()
	}
	evil.sendUpdate(poisonous(1))
	code, _ := evil.expectClose()
	assert.Equal(t, ClosePoisoned, code)
	wg.Wait()

	witness, state := join(t, url+"room")
	doc := ycrdt.NewDoc()
	defer doc.Close()
	require.NoError(t, doc.ApplyUpdate(state))
	for id := range uint64(authors) {
		assert.EqualValues(t, 1*7+2*7+3*6, clocksOf(t, doc)[id+1])
	}
	witness.expectSilence()
}
