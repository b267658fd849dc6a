package ywebsocket

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
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

// writerInRoom returns a connection in a loaded room, whose saver has no goroutine of its own before it is given work.
func writerInRoom(t *testing.T, s *Server) (*conn, *client) {
	t.Helper()
	l := dialPipe(t, s, "")
	l.expectSync(protocol.SyncStep1)
	return l.server, l.client
}

// An update whose reader found the room writable, and then waited, is refused like all others once it is read-only.
func TestRoom_ReadOnlyWhileAnUpdateWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t, Options{})
		c, client := writerInRoom(t, s)
		r := c.room
		full := func(bytes int) {
			r.saver.mu.Lock()
			defer r.saver.mu.Unlock()
			r.saver.bytes += bytes
			r.saver.changed.Broadcast()
		}
		full(s.options.Limits.Unsaved)
		client.sendUpdate(insert(1, 0, "late"))
		synctest.Wait() // it is past the first look, and waits for the saver
		done := make(chan struct{})
		go func() {
			defer close(done)
			client.expectDenied()
		}()
		r.becomeReadOnly()
		<-done
		full(-s.options.Limits.Unsaved)
		synctest.Wait()
		assert.Empty(t, r.saver.pending())
		assert.False(t, r.saver.busy(), "nothing was taken")
		go r.becomeWritable()
		assert.Equal(t, []byte{0}, client.expectSync(protocol.SyncStep1), "so it is asked for")
	})
}

// While one looks whether the room can take updates again, none gets in that the question would then be behind of.
func TestRoom_TakesNothingBeforeItAsks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := &brokenStore{Store: store.NewMemory()}
		s := newTestServer(t, Options{Store: broken})
		c, client := writerInRoom(t, s)
		r := c.room
		var said []protocol.Message
		go func() {
			for {
				f, err := client.readFrame()
				if err != nil {
					return
				}
				if m, err := protocol.ReadMessage(protocol.NewDecoder(f.Payload)); err == nil {
					said = append(said, m)
				}
			}
		}()
		broken.brokenAppend.Store(true)
		first, late := insert(1, 0, "first"), insert(2, 0, "late")
		r.saver.events.works = func() {
			assert.NoError(t, r.apply(t.Context(), &inbound{from: c, update: late}))
			r.becomeWritable()
		}
		client.sendUpdate(first)
		time.Sleep(time.Second)
		require.True(t, r.readOnly.Load())
		broken.brokenAppend.Store(false)
		time.Sleep(20 * time.Second)
		synctest.Wait()
		require.False(t, r.readOnly.Load())
		assert.Equal(t, [][]byte{first}, stored(t, broken, "room"))
		var kinds []string
		for _, m := range said {
			if m.Type == protocol.MessageAuth {
				kinds = append(kinds, "denied")
			} else if m.Type == protocol.MessageSync {
				kinds = append(kinds, fmt.Sprint(m.Sync, " ", string(m.Payload)))
			}
		}
		assert.Equal(t, []string{"denied", fmt.Sprint(protocol.SyncUpdate, " ", string(first)), fmt.Sprint(protocol.SyncStep1, " \x01\x01\x05")}, kinds)
	})
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
