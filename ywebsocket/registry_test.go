package ywebsocket

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ywebsocket/store"
)

// countingStore counts the loads of each room.
type countingStore struct {
	store.Store
	mu    sync.Mutex
	loads map[string]int
}

func newCountingStore() *countingStore {
	return &countingStore{Store: store.NewMemory(), loads: make(map[string]int)}
}

func (s *countingStore) Load(ctx context.Context, room string, each func([]byte) error) error {
	s.mu.Lock()
	s.loads[room]++
	s.mu.Unlock()
	return s.Store.Load(ctx, room, each)
}

func (s *countingStore) loadsOf(room string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.loads[room]
}

func TestRegistry_IdleRoomIsRemovedAfterTheDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t, Options{Timeouts: Timeouts{Idle: time.Minute}})
		r, err := s.registry.hold("room")
		require.NoError(t, err)
		require.NoError(t, r.load(t.Context()))
		s.registry.release(r)

		time.Sleep(time.Minute - time.Second)
		synctest.Wait()
		again, err := s.registry.hold("room")
		require.NoError(t, err)
		assert.Same(t, r, again, "a join before the delay is over finds the room")
		time.Sleep(time.Hour)
		synctest.Wait()
		assert.NotNil(t, r.document, "a room that is held stays")

		s.registry.release(r)
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.Nil(t, r.document)
		assert.Empty(t, s.registry.rooms)
		fresh, err := s.registry.hold("room")
		require.NoError(t, err)
		assert.NotSame(t, r, fresh)
		s.registry.release(fresh)
	})
}

func TestRegistry_ARoomWithUnsavedUpdatesStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := newGate()
		s := newTestServer(t, Options{
			Store:    &gatedStore{Store: store.NewMemory(), gate: gate},
			Timeouts: Timeouts{Idle: time.Minute},
		})
		r, err := s.registry.hold("room")
		require.NoError(t, err)
		require.NoError(t, r.load(t.Context()))
		r.saver.add(unsaved{update: insert(1, 0, "x")})
		s.registry.release(r)
		time.Sleep(time.Hour)
		synctest.Wait()
		assert.NotNil(t, r.document)

		gate.open()
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.Nil(t, r.document)
	})
}

// The timer may have fired just before somebody joins.
func TestRegistry_RemovalThatComesTooLate(t *testing.T) {
	s := newTestServer(t, Options{})
	r, err := s.registry.hold("room")
	require.NoError(t, err)
	require.NoError(t, r.load(t.Context()))
	s.registry.removeIdle(r)
	assert.NotNil(t, r.document, "it is held")
	s.registry.release(r)
	s.registry.removeIdle(r)
	assert.Nil(t, r.document)

	next, err := s.registry.hold("room")
	require.NoError(t, err)
	s.registry.removeIdle(r)
	again, err := s.registry.hold("room")
	require.NoError(t, err)
	assert.Same(t, next, again, "the successor stays")
	s.registry.release(next)
	s.registry.release(next)
}

func TestRegistry_LimitOfRooms(t *testing.T) {
	s := newTestServer(t, Options{Limits: Limits{Rooms: 1}})
	r, err := s.registry.hold("one")
	require.NoError(t, err)
	_, err = s.registry.hold("two")
	assert.ErrorIs(t, err, errTooManyRooms)
	_, err = s.registry.hold("one")
	assert.NoError(t, err)
	s.registry.release(r)
	s.registry.release(r)
}

// Rooms that were only visited do not keep others out.
func TestRegistry_RoomsThatEverybodyHasLeftMakeWay(t *testing.T) {
	s := newTestServer(t, Options{Limits: Limits{Rooms: 3}, Timeouts: Timeouts{Idle: time.Hour}})
	hold := func(name string) *room {
		r, err := s.registry.hold(name)
		require.NoError(t, err)
		require.NoError(t, r.load(t.Context()))
		return r
	}
	one, two, three := hold("one"), hold("two"), hold("three")
	_, err := s.registry.hold("four")
	assert.ErrorIs(t, err, errTooManyRooms, "all are in use")

	s.registry.release(two)
	s.registry.release(one)
	s.registry.release(hold("two")) // and left later than one
	four := hold("four")
	assert.Nil(t, one.document, "it is freed")
	assert.NotNil(t, two.document)
	assert.Len(t, s.registry.rooms, 3)
	five := hold("five")
	assert.Nil(t, two.document)
	_, err = s.registry.hold("two")
	assert.ErrorIs(t, err, errTooManyRooms)
	for _, r := range []*room{three, four, five} {
		assert.NotNil(t, r.document)
		s.registry.release(r)
	}
	assert.NotSame(t, two, hold("two"))
	assert.Equal(t, 2, s.registry.unheld.Len())
}

func TestRegistry_ARoomWithUnsavedUpdatesDoesNotMakeWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := newGate()
		s := newTestServer(t, Options{
			Store:    &gatedStore{Store: store.NewMemory(), gate: gate},
			Limits:   Limits{Rooms: 2},
			Timeouts: Timeouts{Idle: time.Hour},
		})
		leave := func(name string, u ...unsaved) *room {
			r, err := s.registry.hold(name)
			require.NoError(t, err)
			require.NoError(t, r.load(t.Context()))
			for _, u := range u {
				r.saver.add(u)
			}
			s.registry.release(r)
			return r
		}
		busy := leave("busy", unsaved{update: insert(1, 0, "x")})
		idle := leave("idle")
		synctest.Wait()
		leave("next")
		assert.NotNil(t, busy.document)
		assert.Nil(t, idle.document, "it was left later, but has nothing to do")

		next, err := s.registry.hold("next")
		require.NoError(t, err)
		_, err = s.registry.hold("another")
		require.ErrorIs(t, err, errTooManyRooms)
		gate.open()
		synctest.Wait()
		time.Sleep(busyDelay)
		leave("another")
		assert.Nil(t, busy.document)
		s.registry.release(next)
	})
}

func TestRegistry_ClosedHoldsNothing(t *testing.T) {
	s := newTestServer(t, Options{})
	s.registry.close()
	_, err := s.registry.hold("room")
	assert.ErrorIs(t, err, ErrShuttingDown)
}

// Rooms come and go as fast as they can while clients write to them: whatever was
// confirmed is stored in the end, and no document is left in memory.
func TestRegistry_JoinVersusRemove(t *testing.T) {
	const rooms, writers, rounds = 3, 8, 40
	backing := store.NewMemory()
	s := newTestServer(t, Options{Store: backing, Timeouts: Timeouts{Idle: time.Nanosecond}})
	var loaded atomic.Int64
	s.load = func(ctx context.Context, st store.Store, room string, pending [][]byte) (document, int, error) {
		d, stored, err := loadDocument(ctx, st, room, pending)
		loaded.Add(1)
		return &closeHook{document: d, closed: func() { loaded.Add(-1) }}, stored, err
	}
	url := listen(t, s)

	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range rounds {
				c, _ := join(t, fmt.Sprintf("%sroom%d", url, (w+i)%rooms))
				update := insert(uint64(w+1)<<20|uint64(i+1), 0, "x")
				c.sendUpdate(update)
				for !assert.ObjectsAreEqual(update, c.expectUpdate()) {
				}
				_ = c.conn.Close()
			}
		})
	}
	wg.Wait()
	total := 0
	for i := range rooms {
		require.NoError(t, backing.Load(t.Context(), fmt.Sprint("room", i), func([]byte) error {
			total++
			return nil
		}))
	}
	assert.Equal(t, writers*rounds, total)
	assert.Eventually(t, func() bool { return loaded.Load() == 0 }, patience, time.Millisecond)
}

// closeHook reports when a document is freed.
type closeHook struct {
	document
	closed func()
}

func (d *closeHook) close() {
	d.closed()
	d.document.close()
}
