package ywebsocket

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// unreliable is a network to a server that can be cut.
type unreliable struct {
	s    *Server
	away atomic.Bool
}

func (u *unreliable) dial(ctx context.Context) (Conn, error) {
	if u.away.Load() {
		return nil, errors.New("no network")
	}
	return toServer(u.s)(ctx)
}

// cut ends the connections of providers; those of peers stay.
func (u *unreliable) cut() {
	u.s.closeConnections(func(c *conn) { c.out.abort() })
	synctest.Wait()
}

// Whoever is there is seen as soon as the provider is back, and not only when they next move or renew their states.
func TestProvider_SeesTheOthersAfterAReconnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := &unreliable{s: newTestServer(t, Options{})}
		ada, grace := newPeer(t, 1), newPeer(t, 2)
		for _, p := range []*peer{ada, grace} {
			p.connect(network.s, "")
			p.set("here")
		}
		e := online(t, ProviderOptions{Dial: network.dial})
		others := func() map[uint64]any {
			synctest.Wait()
			states := e.Awareness().States()
			delete(states, e.Awareness().ClientID())
			return states
		}
		require.NoError(t, e.Synced(t.Context()))
		require.Equal(t, map[uint64]any{1: "here", 2: "here"}, others())

		network.cut()
		assert.Empty(t, others(), "nobody can be seen without a connection")
		require.NoError(t, e.Synced(t.Context()))
		assert.Equal(t, map[uint64]any{1: "here", 2: "here"}, others())

		network.away.Store(true)
		network.cut()
		grace.drop()
		network.away.Store(false)
		require.NoError(t, e.Synced(t.Context()))
		assert.Equal(t, map[uint64]any{1: "here"}, others(), "who has left meanwhile does not come back")

		ada.drop()
		assert.Empty(t, others())
	})
}

func TestChain_EverybodyIsSeenAfterAReconnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		upstream := &unreliable{s: newTestServer(t, Options{})}
		room := newTestServer(t, Options{})
		chain, err := room.Chain("room", ProviderOptions{Dial: upstream.dial, Logger: room.log})
		require.NoError(t, err)
		defer chain.Close()
		above, below := newPeer(t, 1), newPeer(t, 2)
		above.connect(upstream.s, "")
		below.connect(room, "")
		above.set("above")
		below.set("below")
		synced := func() {
			t.Helper()
			require.NoError(t, chain.Upstream().Synced(t.Context()))
			synctest.Wait()
		}
		synced()
		require.Equal(t, map[uint64]any{1: "above"}, below.states())
		require.Equal(t, map[uint64]any{2: "below"}, above.states())

		for range 3 {
			upstream.cut()
			assert.Empty(t, above.states(), "the upstream server knows only the connection")
			assert.Equal(t, map[uint64]any{1: "above"}, below.states(), "a moment's loss is not seen")
			synced()
			assert.Equal(t, map[uint64]any{1: "above"}, below.states())
			assert.Equal(t, map[uint64]any{2: "below"}, above.states())
		}
		assert.Empty(t, below.hasSeenLeave())

		// The connection between the chain and its own room.
		room.closeConnections(func(c *conn) { c.out.abort() })
		time.Sleep(30 * time.Second)
		assert.Equal(t, map[uint64]any{1: "above"}, below.states(), "with the next renewal at the latest")
		assert.Equal(t, map[uint64]any{2: "below"}, above.states())

		// Who leaves while there is no connection is gone when it could have been renewed, and does not come back.
		upstream.away.Store(true)
		upstream.cut()
		above.drop()
		time.Sleep(40 * time.Second)
		assert.Empty(t, below.states())
		upstream.away.Store(false)
		synced()
		time.Sleep(time.Minute)
		assert.Empty(t, below.states())
	})
}

// Those who move while the chain has no connection are where they went when it is back.
func TestChain_StatesChangeWhileItIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		upstream := &unreliable{s: newTestServer(t, Options{})}
		room := newTestServer(t, Options{})
		chain, err := room.Chain("room", ProviderOptions{Dial: upstream.dial, Logger: room.log})
		require.NoError(t, err)
		defer chain.Close()
		above, leaves, below := newPeer(t, 1), newPeer(t, 3), newPeer(t, 2)
		above.connect(upstream.s, "")
		leaves.connect(upstream.s, "")
		below.connect(room, "")
		for _, p := range []*peer{above, leaves, below} {
			p.set("first")
		}
		require.NoError(t, chain.Upstream().Synced(t.Context()))
		require.Equal(t, map[uint64]any{1: "first", 3: "first"}, below.states())
		upstream.away.Store(true)
		upstream.cut()
		above.set("moved")
		below.set("moved")
		leaves.drop()
		upstream.away.Store(false)
		require.NoError(t, chain.Upstream().Synced(t.Context()))
		assert.Equal(t, "moved", below.states()[1])
		assert.Equal(t, map[uint64]any{2: "moved"}, above.states())
		time.Sleep(31 * time.Second)
		assert.Equal(t, map[uint64]any{1: "moved"}, below.states(), "who has left is gone in the usual time")
	})
}

// One client that is not known any more does not keep the others from being told of.
func TestProvider_TellsOfThoseThatAreKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := &unreliable{s: newTestServer(t, Options{})}
		witness := newWitness(t, network.s, "")
		e := online(t, ProviderOptions{Dial: network.dial})
		require.NoError(t, e.Synced(t.Context()))
		e.Provider.mu.Lock()
		e.session.tell([]uint64{77, e.Awareness().ClientID(), 78})
		e.Provider.mu.Unlock()
		require.NoError(t, e.Awareness().SetLocalState("here"))
		assert.Equal(t, map[uint64]any{e.Awareness().ClientID(): "here"}, witness.states())
	})
}
