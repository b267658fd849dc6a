package ywebsocket

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt/protocol"
	"github.com/yrs-go/yrs/ywebsocket/store"
)

// expectDenied reads on until the client is told that nothing can be stored.
func (c *client) expectDenied() {
	c.t.Helper()
	m := c.nextOf(protocol.MessageAuth)
	assert.Equal(c.t, readOnlyReason, string(m.Payload))
}

func TestRoom_IsReadOnlyWhileTheStoreFails(t *testing.T) {
	broken := &brokenStore{Store: store.NewMemory()}
	s, url := serve(t, Options{Store: broken})
	writer, _ := join(t, url+"room")
	reader, _ := join(t, url+"room")

	broken.brokenAppend.Store(true)
	first, second := insert(1, 0, "accepted "), insert(1, 9, "refused")
	writer.sendUpdate(first)
	writer.expectDenied()
	assert.Equal(t, first, reader.expectUpdate(), "what was taken before the room knew is seen")
	reader.expectDenied()
	assert.Error(t, s.Ready(t.Context()))

	writer.sendUpdate(second)
	late := connect(t, url+"room")
	late.expectSync(protocol.SyncStep1)
	late.expectDenied()
	for _, c := range []*client{writer, reader, late} {
		c.send(protocol.AppendSyncStep1(nil, []byte{0}))
		state := c.expectSync(protocol.SyncStep2)
		assert.Equal(t, "accepted ", textOf(t, state), "reading goes on")
	}

	writer.sendUpdate(emptyUpdate)
	writer.send(protocol.AppendSyncStep1(nil, []byte{0}))
	writer.expectSync(protocol.SyncStep2) // behind what was sent before
	broken.brokenAppend.Store(false)
	assert.Equal(t, first, writer.expectUpdate(), "stored, and confirmed, before anything else is taken")
	for _, c := range []*client{writer, reader, late} {
		stateVector := c.expectSync(protocol.SyncStep1)
		assert.Equal(t, []byte{1, 1, 9}, stateVector)
	}
	writer.send(protocol.AppendSyncStep2(nil, second))
	assert.Equal(t, second, writer.expectUpdate(), "the first that returns after the question is what answered it")
	assert.Equal(t, second, reader.expectUpdate())
	assert.Equal(t, [][]byte{first, second}, stored(t, broken, "room"))
	assert.NoError(t, s.Ready(t.Context()))
}

// A connection to the store that was lost is no outage.
func TestRoom_TakesUpdatesAfterOneFailureOfTheStore(t *testing.T) {
	once := &failingOnce{Store: store.NewMemory()}
	_, url := serve(t, Options{Store: once})
	c, _ := join(t, url+"room")
	update := insert(1, 0, "x")
	c.sendUpdate(update)
	assert.Equal(t, update, c.expectUpdate(), "and nothing else")
}

// What a room without a document lacks is not known.
func TestRoom_AsksForEverythingWithoutADocument(t *testing.T) {
	s, url := serve(t, Options{})
	c, _ := join(t, url+"room")
	r, err := s.registry.hold("room")
	require.NoError(t, err)
	defer s.registry.release(r)
	r.becomeReadOnly()
	c.expectDenied()
	r.documentMu.Lock()
	document := r.document
	r.document = nil
	r.documentMu.Unlock()
	r.becomeWritable()
	r.documentMu.Lock()
	r.document = document
	r.documentMu.Unlock()
	assert.Equal(t, []byte{0}, c.expectSync(protocol.SyncStep1))
	assert.False(t, r.readOnly.Load())
}

func TestProvider_OutlastsAFailingStore(t *testing.T) {
	broken := &brokenStore{Store: store.NewMemory()}
	_, url := serve(t, Options{Store: broken})
	a, b := open(t, url), open(t, url)
	a.write("one ")
	b.expectText("one ")
	require.NoError(t, a.Saved(withPatience(t)))

	broken.brokenAppend.Store(true)
	a.write("two ")
	for _, e := range []*editor{a, b} {
		e.expectState("denied", func(s ProviderState) bool { return s.Denied == readOnlyReason })
	}
	a.write("three ")
	b.write("four ")
	time.Sleep(2 * testTick)
	assert.Positive(t, a.State().Unsynced)
	assert.Positive(t, b.State().Unsynced)
	assert.NotContains(t, b.text(), "three")

	broken.brokenAppend.Store(false)
	for _, e := range []*editor{a, b} {
		e.expectState("allowed", func(s ProviderState) bool { return s.Denied == "" && s.Status == StatusConnected })
		require.NoError(t, e.Saved(withPatience(t)))
	}
	require.Eventually(t, func() bool { return a.text() == b.text() && len(a.text()) == len("one two three four ") },
		patience, time.Millisecond)
	kept := textOf(t, stored(t, broken, "room")...)
	assert.Equal(t, a.text(), kept)
	for _, word := range []string{"one ", "two ", "three ", "four "} {
		assert.Equal(t, 1, strings.Count(kept, word), word)
	}
}
