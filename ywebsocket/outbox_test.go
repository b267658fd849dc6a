package ywebsocket

import (
	"bytes"
	"fmt"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gobwas/ws"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt/protocol"
)

// newTestOutbox returns an outbox and the peer that receives from it. In the
// pipe between them nothing fits.
func newTestOutbox(t *testing.T, maxBytes int) (*outbox, *client) {
	t.Helper()
	ours, theirs := net.Pipe()
	timeouts := Timeouts{Write: time.Minute, Close: 5 * time.Second}
	var closes atomic.Int64
	o := newOutbox(ours, &outgoing{max: 1 << 30}, Limits{Queue: maxBytes}, timeouts, func() { closes.Add(1) })
	t.Cleanup(func() {
		o.abort()
		o.waitForWriter()
		assert.Zero(t, o.all.used.Load(), "everything is counted out")
		_ = theirs.Close()
		assert.EqualValues(t, 1, closes.Load(), "onClose is called once")
	})
	return o, newPipeClient(t, theirs)
}

// stall queues a frame and waits until the writer is stuck in it, so that what
// follows stays in the queue.
func stall(o *outbox) {
	o.send(echoFrame([]byte("stall")))
	synctest.Wait()
}

func TestOutbox_WritesInOrderAndRests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, peer := newTestOutbox(t, 1<<20)
		large := bytes.Repeat([]byte("0123456789"), 50_000)
		o.send(step1Frame([]byte("one")))
		o.send(updateFrame([]byte("two")))
		o.send(step2Frame(large))
		o.send(awarenessFrame([]byte{0}))
		assert.Equal(t, []byte("one"), peer.expectSync(protocol.SyncStep1))
		assert.Equal(t, []byte("two"), peer.expectUpdate())
		assert.True(t, bytes.Equal(large, peer.expectSync(protocol.SyncStep2)))
		assert.Equal(t, []byte{0}, peer.nextOf(protocol.MessageAwareness).Payload)
		synctest.Wait()
		assert.False(t, o.writing, "no goroutine while there is nothing to write")
		o.send(updateFrame([]byte("three")))
		assert.Equal(t, []byte("three"), peer.expectUpdate())
	})
}

func TestOutbox_FullQueueIsCompacted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, peer := newTestOutbox(t, 4000)
		stall(o)
		text := ""
		for i := range 100 { // about 90 bytes each, with the overhead
			o.send(updateFrame(insert(1, uint64(i), "x")))
			o.send(awarenessFrame(protocol.AppendAwarenessUpdate(nil, state(7, uint64(i+1), `{}`))))
			text += "x"
			synctest.Wait()
		}
		assert.False(t, o.isClosed())
		assert.LessOrEqual(t, o.broadcastBytes, 4000)
		o.send(echoFrame([]byte("end")))

		assert.Equal(t, []byte("stall"), peer.expectUpdate())
		var updates [][]byte
		var clock uint64
		frames := 0
		for ; ; frames++ {
			m := peer.next()
			if bytes.Equal(m.Payload, []byte("end")) {
				break
			}
			if m.Type == protocol.MessageSync {
				updates = append(updates, m.Payload)
				continue
			}
			entries, err := protocol.DecodeAwarenessUpdate(m.Payload)
			require.NoError(t, err)
			assert.Greater(t, entries[0].Clock, clock)
			clock = entries[0].Clock
		}
		assert.Equal(t, text, textOf(t, updates...), "no update is lost")
		assert.EqualValues(t, 100, clock, "the last state arrives")
		assert.Less(t, frames, 100)
	})
}

func TestOutbox_ManySmallFramesAreCompacted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, _ := newTestOutbox(t, 100<<20)
		stall(o)
		for i := range 5000 {
			o.send(updateFrame(insert(1, uint64(i), "x")))
			if i%100 == 0 {
				synctest.Wait()
			}
		}
		assert.LessOrEqual(t, len(o.queue), maxBroadcasts+100)
		assert.False(t, o.isClosed())
	})
}

func TestOutbox_OverflowCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, peer := newTestOutbox(t, 4000)
		stall(o)
		for i := range 10 { // 500 bytes each: merging does not make them shorter
			o.send(updateFrame(insert(uint64(i+1), 0, string(bytes.Repeat([]byte("x"), 500)))))
		}
		synctest.Wait()
		assert.True(t, o.isClosed())
		assert.Equal(t, []byte("stall"), peer.expectUpdate(), "a frame that was begun is finished")
		f, err := peer.readFrame()
		require.NoError(t, err)
		require.Equal(t, ws.OpClose, f.Header.OpCode, "what was queued is dropped")
		code, reason := ws.ParseCloseFrameData(f.Payload)
		assert.EqualValues(t, CloseTryAgainLater, code)
		assert.NotEmpty(t, reason)
	})
}

// Whoever sends does not wait for the merging; what comes meanwhile waits behind it, but not without bounds.
func TestOutbox_CompactsBesideTheSender(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, peer := newTestOutbox(t, 4000)
		stall(o)
		o.mu.Lock() // no goroutine gets on
		push := func(text string, n int) {
			for range n {
				o.sendLocked(updateFrame(insert(1, 0, text)))
			}
		}
		push(string(bytes.Repeat([]byte("x"), 100)), 30)
		begun := o.compacting
		require.NotNil(t, begun)
		assert.Less(t, len(begun.frames), 30)
		assert.Len(t, o.queue, 30-len(begun.frames))
		o.mu.Unlock()
		synctest.Wait()
		assert.Nil(t, o.compacting)
		assert.False(t, o.isClosed())
		peer.expectUpdate()
		assert.Equal(t, 100, len(textOf(t, peer.expectUpdate())))

		stall(o)
		o.mu.Lock()
		push(string(bytes.Repeat([]byte("x"), 1000)), 20)
		assert.True(t, o.closed, "too much at once")
		o.mu.Unlock()
	})
}

func TestOutbox_ALargeUpdateIsNoOverflow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, peer := newTestOutbox(t, 4000)
		stall(o)
		o.send(updateFrame(insert(1, 0, "x")))
		o.send(updateFrame(insert(2, 0, string(bytes.Repeat([]byte("y"), 10_000)))))
		assert.False(t, o.isClosed())
		peer.expectUpdate()
		assert.Len(t, textOf(t, peer.expectUpdate(), peer.expectUpdate()), 10_001)
	})
}

func TestOutbox_CloseFollowsWhatIsQueued(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, peer := newTestOutbox(t, 4000)
		stall(o)
		o.send(echoFrame([]byte("last")))
		o.close(CloseServiceRestart, "restart")
		o.close(CloseInternalError, "only the first counts")
		o.send(echoFrame([]byte("too late")))
		peer.expectUpdate()
		assert.Equal(t, []byte("last"), peer.expectUpdate())
		f, err := peer.readFrame()
		require.NoError(t, err)
		code, reason := ws.ParseCloseFrameData(f.Payload)
		assert.EqualValues(t, CloseServiceRestart, code)
		assert.Equal(t, "restart", reason)
		o.waitForWriter()
	})
}

func TestOutbox_CloseDoesNotWaitForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, _ := newTestOutbox(t, 4000)
		stall(o)
		start := time.Now()
		o.close(CloseServiceRestart, "restart")
		o.waitForWriter()
		assert.Equal(t, 5*time.Second, time.Since(start))
	})
}

func TestOutbox_WriteTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, _ := newTestOutbox(t, 4000)
		stall(o)
		start := time.Now()
		o.waitForWriter()
		assert.Equal(t, time.Minute, time.Since(start))
		assert.True(t, o.isClosed())
	})
}

// expectToWait has a reader wait for replies, and returns what is closed when it goes on.
func expectToWait(t *testing.T, o *outbox, otherwise string) <-chan struct{} {
	t.Helper()
	resumed := make(chan struct{})
	go func() {
		o.waitForReplies()
		close(resumed)
	}()
	synctest.Wait()
	select {
	case <-resumed:
		t.Fatal(otherwise)
	default:
	}
	return resumed
}

func TestOutbox_WaitForReplies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, peer := newTestOutbox(t, 4000)
		stall(o)
		o.send(step2Frame(make([]byte, 3000)))
		o.waitForReplies()
		o.send(step2Frame(make([]byte, 3000)))
		assert.False(t, o.isClosed(), "replies are no broadcasts")
		resumed := expectToWait(t, o, "the reader goes on although its answers are not written")
		peer.expectUpdate()
		peer.expectSync(protocol.SyncStep2)
		peer.expectSync(protocol.SyncStep2)
		<-resumed
		assert.False(t, o.isClosed())
	})
}

// What the writer is busy with for long is in memory, too: a client gets its second
// answer made when it has read the first.
func TestOutbox_AReplyCountsUntilItIsWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, peer := newTestOutbox(t, 4000)
		o.send(step2Frame(make([]byte, 1<<20)))
		synctest.Wait()
		assert.Empty(t, o.queue)
		resumed := expectToWait(t, o, "the next answer would be a second one in memory")
		peer.expectSync(protocol.SyncStep2)
		<-resumed
		assert.False(t, o.isClosed())
	})
}

// However many pings wait for an answer, one is kept.
func TestOutbox_AnswersTheLatestPing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, peer := newTestOutbox(t, 4000)
		expectPong := func(payload string) {
			f, err := peer.readFrame()
			require.NoError(t, err)
			require.Equal(t, ws.OpPong, f.Header.OpCode)
			assert.Equal(t, payload, string(f.Payload))
		}
		o.sendPong([]byte("at once"))
		expectPong("at once")

		stall(o)
		o.send(step2Frame([]byte("answer")))
		for i := range 10_000 {
			o.sendPong(fmt.Append(nil, i))
		}
		assert.Len(t, o.queue, 1)
		o.waitForReplies()
		peer.expectUpdate()
		expectPong("9999")
		assert.Equal(t, []byte("answer"), peer.expectSync(protocol.SyncStep2))

		stall(o)
		o.sendPong([]byte("before the end"))
		o.close(CloseServiceRestart, "restart")
		o.sendPong([]byte("after it"))
		peer.expectUpdate()
		expectPong("before the end")
		f, err := peer.readFrame()
		require.NoError(t, err)
		assert.Equal(t, ws.OpClose, f.Header.OpCode)
	})
}

func TestLatestAwareness(t *testing.T) {
	encode := func(entries ...protocol.AwarenessEntry) []byte {
		return protocol.AppendAwarenessUpdate(nil, entries...)
	}
	latest, err := latestAwareness([][]byte{
		encode(state(1, 1, `{"a":1}`), state(2, 5, `{}`)),
		encode(state(3, 1, `{}`)),
		encode(state(1, 2, `{"a":2}`), gone(2, 5)),
	})
	require.NoError(t, err)
	entries, err := protocol.DecodeAwarenessUpdate(latest)
	require.NoError(t, err)
	assert.Equal(t, []protocol.AwarenessEntry{state(1, 2, `{"a":2}`), gone(2, 5), state(3, 1, `{}`)}, entries)

	_, err = latestAwareness([][]byte{{1, 2}})
	assert.Error(t, err)
}
