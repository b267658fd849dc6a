package ywebsocket

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt/protocol"
	"github.com/yrs-go/yrs/ywebsocket/store"
)

// slowLoads loads nothing before its gate is open.
func slowLoads(g *gate) func(*Server) {
	return func(s *Server) {
		s.load = func(ctx context.Context, st store.Store, room string, pending [][]byte, onChange func(change)) (document, error) {
			if err := g.wait(ctx); err != nil {
				return nil, err
			}
			return loadDocument(ctx, st, room, pending, onChange)
		}
	}
}

func TestRoom_NobodyIsSyncedBeforeItIsLoaded(t *testing.T) {
	backing := newCountingStore()
	require.NoError(t, backing.Append(t.Context(), "room", insert(1, 0, "hel"), insert(1, 3, "lo")))
	g := newGate()
	s, url := serve(t, Options{Store: backing}, slowLoads(g))

	const joiners = 20
	clients := make([]*client, joiners)
	for i := range clients {
		clients[i] = connect(t, url+"room")
		clients[i].send(protocol.AppendSyncStep1(nil, []byte{0}))
	}
	require.Eventually(t, func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.connections) == joiners
	}, patience, testTick)
	for _, c := range clients {
		assert.Zero(t, c.r.Buffered())
	}
	assert.Zero(t, backing.loadsOf("room"))
	g.open()
	for _, c := range clients {
		c.expectSync(protocol.SyncStep1)
		assert.Equal(t, "hello", textOf(t, c.expectSync(protocol.SyncStep2)))
	}
	assert.Equal(t, 1, backing.loadsOf("room"), "however many join, it is loaded once")
}

func TestRoom_ALoadErrorIsNoEmptyRoom(t *testing.T) {
	broken := &brokenStore{Store: store.NewMemory()}
	require.NoError(t, broken.Append(t.Context(), "room", insert(1, 0, "precious")))
	broken.brokenLoad.Store(true)
	s, url := serve(t, Options{Store: broken})

	var wg sync.WaitGroup
	for range 5 {
		wg.Go(func() {
			c := connect(t, url+"room")
			c.send(protocol.AppendSyncStep2(nil, insert(2, 0, "x")))
			code, _ := c.expectClose()
			assert.Equal(t, CloseTryAgainLater, code)
		})
	}
	wg.Wait()

	broken.brokenLoad.Store(false)
	_, state := join(t, url+"room")
	assert.Equal(t, "precious", textOf(t, state), "the next join tries again")
	assert.NoError(t, s.Ready(t.Context()))
	assert.Len(t, stored(t, broken, "room"), 1, "what was sent to a room that is not there is not stored")
}

func TestRoom_LoadTimeout(t *testing.T) {
	g := newGate()
	_, url := serve(t, Options{Timeouts: Timeouts{Load: testTick}}, slowLoads(g))
	code, _ := connect(t, url+"room").expectClose()
	assert.Equal(t, CloseTryAgainLater, code)
}

func TestRoom_APanicOfTheStoreIsALoadError(t *testing.T) {
	_, url := serve(t, Options{Store: &panickingStore{Store: store.NewMemory()}})
	code, _ := connect(t, url+"bad").expectClose()
	assert.Equal(t, CloseTryAgainLater, code)
	join(t, url+"good")
}

type panickingStore struct{ store.Store }

func (s *panickingStore) Load(ctx context.Context, room string, each func([]byte) error) error {
	if room == "bad" {
		panic("bad room")
	}
	return s.Store.Load(ctx, room, each)
}

func TestRoom_ClientLeavesWhileLoading(t *testing.T) {
	g := newGate()
	s, url := serve(t, Options{}, slowLoads(g))
	c := connect(t, url+"room")
	require.NoError(t, c.conn.Close())
	g.open()
	assert.Eventually(t, func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.admitted == 0
	}, patience, testTick)
}

func TestRoom_RestartFindsEverything(t *testing.T) {
	backing := store.NewMemory()
	first, url := serve(t, Options{Store: backing})
	a, _ := join(t, url+"room")
	a.sendUpdate(insert(1, 0, "hello "))
	a.sendUpdate(insert(1, 6, "world"))
	a.expectUpdate()
	a.expectUpdate()
	require.NoError(t, a.conn.Close())
	require.NoError(t, first.Shutdown(t.Context()))

	_, url = serve(t, Options{Store: backing})
	_, state := join(t, url+"room")
	assert.Equal(t, "hello world", textOf(t, state))
}
