package ywebsocket

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/gobwas/ws"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt"
	"github.com/yrs-go/yrs/ycrdt/protocol"
	"github.com/yrs-go/yrs/ywebsocket/store"
)

// What one client wrote: one, two and three, of which the later build on the
// earlier.
var (
	one   = insert(1, 0, "one")
	two   = insert(1, 3, "two")
	three = insert(1, 6, "three")
)

func merged(t testing.TB, updates ...[]byte) []byte {
	t.Helper()
	update, err := ycrdt.MergeUpdates(updates...)
	require.NoError(t, err)
	return update
}

// isEmpty reports whether nothing was ever stored in the room.
func isEmpty(t *testing.T, s store.Store, room string) bool {
	t.Helper()
	err := s.Load(t.Context(), room, func([]byte) error { return errors.New("not empty") })
	return errors.Is(err, store.ErrNotFound)
}

func TestRoom_HeldUpdate(t *testing.T) {
	backing := store.NewMemory()
	_, url := serve(t, Options{Store: backing})
	a, _ := join(t, url+"room")
	witness, _ := join(t, url+"room")
	a.sendUpdate(two)
	assert.Equal(t, []byte{0}, a.expectSync(protocol.SyncStep1), "the sender is asked for what is missing")
	a.expectSilence()
	witness.expectSilence()
	assert.True(t, isEmpty(t, backing, "room"))
	_, state := join(t, url+"room")
	assert.Equal(t, []byte{0, 0}, state, "nor do others get it")

	a.send(protocol.AppendSyncStep2(nil, merged(t, one, two)))
	assert.Equal(t, "onetwo", textOf(t, a.expectUpdate()), "the answer is confirmed")
	assert.Equal(t, "onetwo", textOf(t, witness.expectUpdate()))
	require.Len(t, stored(t, backing, "room"), 1)
	a.expectSilence()
}

// What was held back comes in with the update of somebody else: everybody gets it,
// and the one it is from only when it is stored, because to that one it means so.
func TestRoom_HeldUpdateComesIn(t *testing.T) {
	gated := &gatedStore{Store: store.NewMemory(), gate: newGate()}
	defer gated.gate.open() // before the server is shut down
	_, url := serve(t, Options{Store: gated})
	early, _ := join(t, url+"room")
	late, _ := join(t, url+"room")
	witness, _ := join(t, url+"room")
	early.sendUpdate(two)
	early.expectSync(protocol.SyncStep1)

	late.sendUpdate(one)
	both := witness.expectUpdate()
	assert.Equal(t, "onetwo", textOf(t, both))
	require.Eventually(t, func() bool { return gated.waiting.Load() == 1 }, patience, testTick)
	early.expectSilence()
	late.expectSilence()

	gated.gate.open()
	assert.Equal(t, both, early.expectUpdate())
	assert.Equal(t, both, late.expectUpdate(), "it does not know the other part yet")
	assert.Equal(t, one, late.expectUpdate(), "and its own is confirmed")
	assert.Equal(t, [][]byte{both}, stored(t, gated, "room"))

	// From now on it is as if nothing had ever been held back.
	witness.sendUpdate(three)
	assert.Equal(t, three, early.expectUpdate())
	assert.Equal(t, three, late.expectUpdate())
	assert.Equal(t, three, witness.expectUpdate())
	for _, c := range []*client{early, late, witness} {
		c.expectSilence()
	}
}

func TestRoom_HeldUpdateComesIn_EchoBeforeCommit(t *testing.T) {
	gated := &gatedStore{Store: store.NewMemory(), gate: newGate()}
	defer gated.gate.open() // before the server is shut down
	_, url := serve(t, Options{Store: gated, EchoBeforeCommit: true})
	early, _ := join(t, url+"room")
	late, _ := join(t, url+"room")
	early.sendUpdate(two)
	early.expectSync(protocol.SyncStep1)
	late.sendUpdate(one)
	assert.Equal(t, "onetwo", textOf(t, early.expectUpdate()))
	assert.Equal(t, "onetwo", textOf(t, late.expectUpdate()))
	assert.Equal(t, one, late.expectUpdate())
	gated.gate.open()
	require.Eventually(t, func() bool { return !isEmpty(t, gated, "room") }, patience, testTick)
	assert.Len(t, stored(t, gated, "room"), 1)
	early.expectSilence()
	late.expectSilence()
}

// Only a part of an update can be used: that part is confirmed.
func TestRoom_PartOfAnUpdateIsHeld(t *testing.T) {
	gated := &gatedStore{Store: store.NewMemory(), gate: newGate()}
	defer gated.gate.open() // before the server is shut down
	_, url := serve(t, Options{Store: gated})
	a, _ := join(t, url+"room")
	witness, _ := join(t, url+"room")
	part := insert(2, 0, "part")
	a.sendUpdate(merged(t, part, two))
	a.expectSync(protocol.SyncStep1)
	assert.Equal(t, part, witness.expectUpdate())
	a.expectSilence()
	gated.gate.open()
	assert.Equal(t, part, a.expectUpdate())
	assert.Equal(t, [][]byte{part}, stored(t, gated, "room"))
	a.expectSilence()
	witness.expectSilence()
}

// Somebody whose updates miss something keeps nobody else from writing.
func TestRoom_OthersAreConfirmedWhileSomethingIsHeld(t *testing.T) {
	_, url := serve(t, Options{})
	stuck, _ := join(t, url+"room")
	stuck.sendUpdate(two)
	stuck.expectSync(protocol.SyncStep1)
	writer, _ := join(t, url+"room")
	for i := range uint64(10) {
		update := insert(2, i, "x")
		writer.sendUpdate(update)
		assert.Equal(t, update, writer.expectUpdate())
		assert.Equal(t, update, stuck.expectUpdate(), "without waiting")
	}
	writer.expectSilence()
	stuck.expectSilence()
}

// What is lost with the server was never confirmed, and comes again.
func TestRoom_HeldUpdateAndARestart(t *testing.T) {
	backing := store.NewMemory()
	first, url := serve(t, Options{Store: backing})
	a, _ := join(t, url+"room")
	kept := insert(2, 0, "kept ")
	a.sendUpdate(kept)
	assert.Equal(t, kept, a.expectUpdate())
	a.sendUpdate(two)
	a.expectSync(protocol.SyncStep1)
	require.NoError(t, a.conn.Close())
	require.NoError(t, first.Shutdown(t.Context()))
	assert.Equal(t, [][]byte{kept}, stored(t, backing, "room"))

	_, url = serve(t, Options{Store: backing})
	b, state := join(t, url+"room")
	assert.Equal(t, kept, state)
	b.send(protocol.AppendSyncStep2(nil, merged(t, one, two)))
	assert.Equal(t, "onetwo", textOf(t, b.expectUpdate()))
}

// Logs may hold what misses something, though it is not stored any more.
func TestRoom_HeldUpdateFromTheStore(t *testing.T) {
	backing := store.NewMemory()
	require.NoError(t, backing.Append(t.Context(), "room", two))
	_, url := serve(t, Options{Store: backing})
	a, state := join(t, url+"room")
	assert.Equal(t, []byte{0, 0}, state)
	witness, _ := join(t, url+"room")
	a.sendUpdate(one)
	assert.Equal(t, "onetwo", textOf(t, witness.expectUpdate()))
	assert.Equal(t, "onetwo", textOf(t, a.expectUpdate()), "the sender gets the stored part too")
	assert.Equal(t, one, a.expectUpdate())
}

// When no more can be held back, what misses nothing comes in nevertheless; the
// rest is given up, and must not be confirmed.
func TestRoom_TooMuchIsHeld(t *testing.T) {
	backing := store.NewMemory()
	_, url := serve(t, Options{Store: backing})
	witness, _ := join(t, url+"room")
	evil, _ := join(t, url+"room")
	const limit = 16 << 20 // of a document
	tooMuch := insert(1, 3, strings.Repeat("x", limit))
	part := insert(2, 0, "part")
	evil.sendUpdate(merged(t, part, tooMuch))
	for {
		f, err := evil.readFrame()
		require.NoError(t, err)
		if f.Header.OpCode == ws.OpClose {
			code, _ := ws.ParseCloseFrameData(f.Payload)
			assert.EqualValues(t, CloseTryAgainLater, code)
			break
		}
		assert.Less(t, len(f.Payload), 1000, "given up, and confirmed all the same")
	}
	assert.Equal(t, part, witness.expectUpdate())
	witness.expectSilence()
	require.Eventually(t, func() bool { return !isEmpty(t, backing, "room") }, patience, testTick)
	assert.Equal(t, [][]byte{part}, stored(t, backing, "room"))
}

// A part of what is given up may be held back all the same: whoever brings what it
// misses has to get it.
func TestRoom_TooMuchIsHeld_AndAPartOfItComesIn(t *testing.T) {
	_, url := serve(t, Options{})
	evil, _ := join(t, url+"room")
	half := strings.Repeat("x", 10<<20)
	evil.sendUpdate(merged(t, insert(1, 3, half), insert(2, 3, half)))
	code, _ := evil.expectClose()
	require.Equal(t, CloseTryAgainLater, code)
	helper, _ := join(t, url+"room")
	first := insert(2, 0, "two")
	helper.sendUpdate(one)
	helper.sendUpdate(first)
	heard := ycrdt.NewDoc()
	defer heard.Close()
	require.NoError(t, heard.ApplyUpdate(one))
	require.NoError(t, heard.ApplyUpdate(first))
	for clocksOf(t, heard)[1]+clocksOf(t, heard)[2] < 3+3+10<<20 {
		require.NoError(t, heard.ApplyUpdate(helper.expectUpdate()))
	}
	_, state := join(t, url+"room")
	assert.Len(t, textOf(t, state), 3+3+10<<20)
}

// costly is a document for which some updates cost too much.
type costly struct{ document }

func (d *costly) apply(ctx context.Context, update []byte) (change, error) {
	if bytes.Contains(update, []byte("costly")) {
		return change{}, failure(ycrdt.CodeTooLarge)
	}
	return d.document.apply(ctx, update)
}

// An update that costs too much may have released what was held back, and taken it along when it was cut short. Those
// who wrote that are asked for it again.
func TestRoom_WhatIsReleasedAndGivenUpIsAskedFor(t *testing.T) {
	_, url := serve(t, Options{}, func(s *Server) {
		s.load = func(ctx context.Context, st store.Store, room string, pending [][]byte) (document, int, error) {
			d, stored, err := loadDocument(ctx, st, room, pending)
			return &costly{d}, stored, err
		}
	})
	author, _ := join(t, url+"room")
	author.sendUpdate(insert(2, 3, "held"))
	author.expectSync(protocol.SyncStep1)
	evil, _ := join(t, url+"room")
	evil.sendUpdate(insert(1, 0, "costly"))
	code, _ := evil.expectClose()
	assert.Equal(t, CloseTooBig, code)
	author.expectSync(protocol.SyncStep1)
}
