package ywebsocket

import (
	"bytes"
	"context"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt"
	"github.com/yrs-go/yrs/ycrdt/protocol"
	"github.com/yrs-go/yrs/ywebsocket/store"
)

// slowLoads loads nothing before its gate is open.
func slowLoads(g *gate) func(*Server) {
	return func(s *Server) {
		s.load = func(ctx context.Context, st store.Store, room string, pending [][]byte) (document, int, error) {
			if err := g.wait(ctx); err != nil {
				return nil, 0, err
			}
			return loadDocument(ctx, st, room, pending)
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

// A log that cannot be read is not skipped over: the operator is told what is
// wrong with it, and where.
func TestRoom_BadUpdateInTheStore(t *testing.T) {
	good := insert(1, 0, "good")
	tests := map[string]struct {
		change func(*Server)
		says   string
	}{
		"refused": {says: "at byte 0", change: func(*Server) {}},
		"poison": {says: "poison", change: func(s *Server) {
			s.load = func(ctx context.Context, st store.Store, room string, pending [][]byte) (document, int, error) {
				return nil, 0, st.Load(ctx, room, numbered("stored", func(update []byte) error {
					if len(update) < len(good) {
						return &ycrdt.Error{Op: "apply update", Code: ycrdt.CodeApplyFailed, Msg: "poison"}
					}
					return nil
				}))
			}
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			backing := store.NewMemory()
			require.NoError(t, backing.Append(t.Context(), "room", good, []byte{9, 9, 9}, good))
			var log logBuffer
			s := newTestServer(t, Options{Store: backing, Logger: slog.New(slog.NewTextHandler(&log, nil))})
			test.change(s)
			url := listen(t, s)
			code, _ := connect(t, url+"room").expectClose()
			assert.Equal(t, CloseTryAgainLater, code)
			assert.Contains(t, log.String(), "stored update 2 (3 bytes)")
			assert.Contains(t, log.String(), test.says)
			assert.Contains(t, log.String(), "room=room")
			assert.Len(t, stored(t, backing, "room"), 3, "and it stays as it is")
		})
	}
}

// logBuffer keeps what is logged.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// However many clients come back to a room that cannot be loaded, the store is not
// asked more often for that.
func TestRoom_LoadsThatFailAreSpacedOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := &brokenStore{Store: store.NewMemory()}
		broken.brokenLoad.Store(true)
		s := newTestServer(t, Options{Store: broken})
		r, err := s.registry.hold("room")
		require.NoError(t, err)
		defer s.registry.release(r)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		var clients sync.WaitGroup
		for range 10 {
			clients.Go(func() {
				for ctx.Err() == nil {
					assert.Error(t, r.load(ctx))
				}
			})
		}
		clients.Wait()
		loads := broken.loads.Load()
		assert.Greater(t, loads, int64(3600/10-1), "it never gives up")
		assert.Less(t, loads, int64(3600/10+20))

		broken.brokenLoad.Store(false)
		assert.NoError(t, r.load(t.Context()))
	})
}
