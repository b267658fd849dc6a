package ywebsocket

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt/protocol"
	"github.com/yrs-go/yrs/ywebsocket/store"
)

func TestServer_EchoOnlyAfterCommit(t *testing.T) {
	gated := &gatedStore{Store: store.NewMemory(), gate: newGate()}
	_, url := serve(t, Options{Store: gated})
	a, _ := join(t, url+"room")
	b, _ := join(t, url+"room")

	one, two := insert(1, 0, "one"), insert(1, 3, "two")
	a.sendUpdate(one)
	a.sendUpdate(two)
	assert.Equal(t, "onetwo", textOf(t, b.expectUpdate(), b.expectUpdate()), "the others do not wait for the store")
	require.Eventually(t, func() bool { return gated.waiting.Load() == 1 }, patience, testTick)
	a.expectSilence()

	gated.gate.open()
	assert.Equal(t, one, a.expectUpdate())
	assert.Equal(t, two, a.expectUpdate())
	assert.Equal(t, [][]byte{one, two}, stored(t, gated, "room"))
}

// A client that was cut off before the echo came sends its update again, and has
// to learn that it is saved; but not before it is.
func TestServer_EchoOfWhatIsKnownAlready(t *testing.T) {
	gated := &gatedStore{Store: store.NewMemory(), gate: newGate()}
	_, url := serve(t, Options{Store: gated})
	update := insert(1, 0, "x")
	cutOff, _ := join(t, url+"room")
	cutOff.sendUpdate(update)
	require.Eventually(t, func() bool { return gated.waiting.Load() == 1 }, patience, testTick)
	require.NoError(t, cutOff.conn.Close())

	again, _ := join(t, url+"room")
	witness, _ := join(t, url+"room")
	again.send(protocol.AppendSyncStep2(nil, update))
	again.expectSilence()
	gated.gate.open()
	assert.Equal(t, update, again.expectUpdate())
	witness.expectSilence()
}

func TestServer_EchoOfNothing(t *testing.T) {
	backing := store.NewMemory()
	_, url := serve(t, Options{Store: backing})
	a, _ := join(t, url+"room")
	a.send(protocol.AppendSyncStep2(nil, []byte{0, 0}))
	assert.Equal(t, []byte{0, 0}, a.expectUpdate())
	err := backing.Load(t.Context(), "room", func([]byte) error { return nil })
	assert.ErrorIs(t, err, store.ErrNotFound, "nothing is stored for it")
}

func TestServer_EchoBeforeCommit(t *testing.T) {
	gated := &gatedStore{Store: store.NewMemory(), gate: newGate()}
	_, url := serve(t, Options{Store: gated, EchoBeforeCommit: true})
	a, _ := join(t, url+"room")
	update := insert(1, 0, "x")
	a.sendUpdate(update)
	assert.Equal(t, update, a.expectUpdate())
	gated.gate.open()
	require.Eventually(t, func() bool {
		return gated.Load(t.Context(), "room", func([]byte) error { return nil }) == nil
	}, patience, testTick)
	a.expectSilence()
}

func TestServer_StoreThatDoesNotKeepUp(t *testing.T) {
	gated := &gatedStore{Store: store.NewMemory(), gate: newGate()}
	defer gated.gate.open() // before the server is shut down
	_, url := serve(t, Options{
		Store:    gated,
		Limits:   Limits{Unsaved: 1000},
		Timeouts: Timeouts{Save: testTick},
	})
	writer, _ := join(t, url+"room")
	reader, _ := join(t, url+"room")
	writer.sendUpdate(insert(1, 0, string(make([]byte, 2000))))
	writer.sendUpdate(insert(1, 2000, "x"))
	code, reason := writer.expectClose()
	assert.Equal(t, CloseTryAgainLater, code)
	assert.Contains(t, reason, "cannot be stored")
	reader.expectUpdate()
	reader.expectSilence()
}
