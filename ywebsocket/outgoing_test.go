package ywebsocket

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gobwas/ws"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt/protocol"
	"github.com/yrs-go/yrs/ywebsocket/store"
)

// outgoingServer has rooms that are named by how many KiB of text they hold, and a bound
// for what is outgoing of 1 MiB. What askFor returns has asked for a room and reads nothing.
func outgoingServer(t *testing.T, rooms ...int) (s *Server, askFor func(room int) *client) {
	backing := store.NewMemory()
	for _, kib := range rooms {
		require.NoError(t, backing.Append(t.Context(), fmt.Sprint(kib), insert(1, 0, strings.Repeat("x", kib<<10))))
	}
	s = newTestServer(t, Options{Store: backing, Limits: Limits{Message: 1 << 20, Outgoing: 1 << 20}})
	return s, func(room int) *client {
		c := servePipe(t, s, fmt.Sprint(room))
		c.send(protocol.AppendSyncStep1(nil, []byte{0}))
		synctest.Wait()
		return c
	}
}

// However many clients ask for documents and do not read, what they hold is bounded: those
// that hold most have to go.
func TestOutgoing_ThoseThatHoldMostMakeRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, askFor := outgoingServer(t, 300, 400, 500)
		small, large, medium := askFor(300), askFor(500), askFor(400)
		code, reason := large.expectClose()
		assert.Equal(t, CloseTryAgainLater, code)
		assert.Contains(t, reason, "too much")
		for _, c := range []*client{small, medium} {
			c.expectSync(protocol.SyncStep2)
			c.expectSilence()
		}
		time.Sleep(evictDelay)
		synctest.Wait()
		assert.Zero(t, s.outgoing.used.Load())
		assert.False(t, s.outgoing.evicting.Load())
	})
}

// One that does not even read that it has to go is cut off, and costs nobody else the
// connection until then.
func TestOutgoing_EvictedClientThatReadsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, askFor := outgoingServer(t, 300, 400, 500)
		askFor(500)
		askFor(300)
		askFor(400)
		open := func() (n int) {
			for _, o := range s.outboxes() {
				if !o.isClosed() {
					n++
				}
			}
			return n
		}
		time.Sleep(s.options.Timeouts.Close - time.Second)
		synctest.Wait()
		assert.Equal(t, 2, open())
		time.Sleep(time.Second + evictDelay)
		synctest.Wait()
		assert.Len(t, s.outboxes(), 2)
		assert.Less(t, s.outgoing.used.Load(), int64(1<<20))
	})
}

// What is in memory once counts once.
func TestOutgoing_SharedBytesCountOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, askFor := outgoingServer(t, 300)
		var clients []*client
		for range 10 {
			clients = append(clients, askFor(300))
		}
		assert.InDelta(t, 300<<10, s.outgoing.used.Load(), 1<<10)
		bytes, _ := s.outboxes()[0].holds()
		assert.InDelta(t, 30<<10, bytes, 1<<10)
		for _, c := range clients {
			f, err := c.readFrame()
			require.NoError(t, err)
			assert.Equal(t, ws.OpBinary, f.Header.OpCode)
		}
		synctest.Wait()
		assert.Zero(t, s.outgoing.used.Load())
	})
}

// Each server counts what is its own, whichever connection of several servers is the first to be done.
func TestOutgoing_KeepAlivesOfTwoServers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, second := newTestServer(t, Options{}), newTestServer(t, Options{})
		one, other := servePipe(t, first, "room"), servePipe(t, second, "room")
		time.Sleep(first.options.Timeouts.KeepAlive + time.Second)
		for _, c := range []*client{one, other} {
			f, err := c.readFrame()
			require.NoError(t, err)
			assert.Equal(t, keepAliveFrame.wire[2:], f.Payload)
			synctest.Wait()
		}
		assert.Zero(t, first.outgoing.used.Load())
		assert.Zero(t, second.outgoing.used.Load())
	})
}
