package ywebsocket

import (
	"context"
	"fmt"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt/protocol"
	"github.com/yrs-go/yrs/ywebsocket/store"
)

// newTestSaver returns a saver and the connection whose updates it saves; what is
// confirmed arrives at the peer of that connection.
func newTestSaver(t *testing.T, s store.Store) (*saver, *conn, *client) {
	t.Helper()
	server := newTestServer(t, Options{Store: s})
	ours, theirs := net.Pipe()
	c := newConn(server, newRoom(server, "room"), &activeConn{Conn: ours, received: newActivity()}, "test")
	t.Cleanup(func() {
		c.out.abort()
		c.out.waitForWriter()
		_ = theirs.Close()
	})
	return c.room.saver, c, newPipeClient(t, theirs)
}

func TestSaver_ConfirmsInOrderAfterTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gated := &gatedStore{Store: store.NewMemory(), gate: newGate()}
		v, c, peer := newTestSaver(t, gated)
		one, two, known := insert(1, 0, "one"), insert(1, 3, "two"), insert(2, 0, "known")
		v.add(unsaved{update: one, origin: &inbound{from: c, update: one}})
		v.add(unsaved{update: two, origin: &inbound{from: c, update: two}})
		v.add(unsaved{origin: &inbound{from: c, update: known}})
		synctest.Wait()
		assert.EqualValues(t, 1, gated.waiting.Load())
		assert.False(t, c.out.writing, "nothing is confirmed yet")
		assert.Equal(t, [][]byte{one, two}, v.pending())
		assert.True(t, v.busy())

		gated.gate.open()
		assert.Equal(t, one, peer.expectUpdate())
		assert.Equal(t, two, peer.expectUpdate())
		assert.Equal(t, known, peer.expectUpdate(), "also what need not be stored, in its turn")
		require.NoError(t, v.flush(t.Context()))
		assert.False(t, v.busy())
		assert.Zero(t, v.bytes)
		assert.Empty(t, v.pending())
		assert.Equal(t, [][]byte{one, two}, stored(t, gated, "room"))
	})
}

func TestSaver_BatchesWhatArrivesMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gated := &gatedStore{Store: store.NewMemory(), gate: newGate()}
		v, _, _ := newTestSaver(t, gated)
		for i := range 1000 {
			v.add(unsaved{update: fmt.Append(nil, i)})
		}
		gated.gate.open()
		require.NoError(t, v.flush(t.Context()))
		assert.Len(t, stored(t, gated, "room"), 1000)
		assert.LessOrEqual(t, gated.waiting.Load(), int64(2))
	})
}

func TestSaver_RetriesUntilItSucceeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := &brokenStore{Store: store.NewMemory()}
		broken.brokenAppend.Store(true)
		v, c, peer := newTestSaver(t, broken)
		update := insert(1, 0, "x")
		v.add(unsaved{update: update, origin: &inbound{from: c, update: update}})

		time.Sleep(time.Hour)
		synctest.Wait()
		assert.Greater(t, broken.appends.Load(), int64(3600/10-10), "it never gives up")
		assert.Less(t, broken.appends.Load(), int64(2*3600/10+20), "and waits in between")
		assert.EqualValues(t, 1, v.failing.Load())
		assert.Error(t, c.server.Ready(t.Context()))
		assert.False(t, c.out.writing, "nothing is confirmed")

		broken.brokenAppend.Store(false)
		assert.Equal(t, update, peer.expectUpdate())
		assert.Zero(t, v.failing.Load())
		assert.NoError(t, c.server.Ready(t.Context()))
	})
}

func TestSaver_GivesUpWithTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := &brokenStore{Store: store.NewMemory()}
		broken.brokenAppend.Store(true)
		v, c, _ := newTestSaver(t, broken)
		v.add(unsaved{update: []byte("x")})
		synctest.Wait()
		c.server.cancel()
		err := v.flush(t.Context())
		assert.ErrorIs(t, err, errUnsaved)
		assert.ErrorIs(t, err, errBroken)
		assert.Zero(t, v.failing.Load())
	})
}

func TestSaver_FlushEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gated := &gatedStore{Store: store.NewMemory(), gate: newGate()}
		v, _, _ := newTestSaver(t, gated)
		v.add(unsaved{update: []byte("x")})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		assert.ErrorIs(t, v.flush(ctx), context.DeadlineExceeded)
		gated.gate.open()
		assert.NoError(t, v.flush(t.Context()))
	})
}

func TestSaver_WaitForRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gated := &gatedStore{Store: store.NewMemory(), gate: newGate()}
		v, _, _ := newTestSaver(t, gated)
		v.maxBytes = 1000
		require.NoError(t, v.waitForRoom(t.Context(), time.Second))
		v.add(unsaved{update: make([]byte, 1000)})
		assert.ErrorIs(t, v.waitForRoom(t.Context(), time.Second), context.DeadlineExceeded)
		var wg sync.WaitGroup
		wg.Go(func() { assert.NoError(t, v.waitForRoom(t.Context(), time.Hour)) })
		synctest.Wait()
		gated.gate.open()
		wg.Wait()
	})
}

// A client that sends much, of which little is new, makes the saver keep all of it.
func TestSaver_CountsWhatIsToBeSentBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gated := &gatedStore{Store: store.NewMemory(), gate: newGate()}
		v, c, peer := newTestSaver(t, gated)
		v.maxBytes = 1000
		sent := insert(1, 0, string(make([]byte, 1000)))
		v.add(unsaved{update: []byte("new"), origin: &inbound{from: c, update: sent}})
		assert.ErrorIs(t, v.waitForRoom(t.Context(), time.Second), context.DeadlineExceeded)
		gated.gate.open()
		assert.Equal(t, sent, peer.expectUpdate())
		require.NoError(t, v.flush(t.Context()))
		assert.Zero(t, v.bytes)
	})
}

// What waits for the store keeps nothing else of what came in the same message.
func TestSaver_KeepsUpdatesAndNotTheirFrames(t *testing.T) {
	gated := &gatedStore{Store: store.NewMemory(), gate: newGate()}
	defer gated.gate.open() // before the server is shut down
	_, url := serve(t, Options{Store: gated})
	c, _ := join(t, url+"room")
	witness, _ := join(t, url+"room")
	heap := func() int64 {
		var stats runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&stats)
		return int64(stats.HeapAlloc)
	}
	before := heap()
	ignored := strings.Repeat("x", 512<<10)
	for i := range uint64(16) {
		c.send(protocol.AppendPermissionDenied(protocol.AppendUpdate(nil, insert(1, i, "x")), ignored))
		witness.expectUpdate()
	}
	assert.Less(t, heap()-before, int64(4<<20))
}

func stored(t *testing.T, s store.Store, room string) (updates [][]byte) {
	t.Helper()
	require.NoError(t, s.Load(t.Context(), room, func(update []byte) error {
		updates = append(updates, append([]byte(nil), update...))
		return nil
	}))
	return updates
}

// Only what was stored makes the log longer: a client that repeats itself does not have the room compacted.
func TestSaver_CountsWhatIsStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, c, peer := newTestSaver(t, store.NewMemory())
		var counted []int
		v.events.stored = func(updates int) { counted = append(counted, updates) }
		known := insert(1, 0, "x")
		go func() {
			for {
				if _, err := peer.readFrame(); err != nil {
					return
				}
			}
		}()
		for range 3 {
			v.add(unsaved{origin: &inbound{from: c, update: known}})
		}
		synctest.Wait()
		v.add(unsaved{update: known, origin: &inbound{from: c, update: known}})
		v.add(unsaved{origin: &inbound{from: c, update: known}})
		synctest.Wait()
		sum := 0
		for _, n := range counted {
			sum += n
		}
		assert.Equal(t, 1, sum)
	})
}
