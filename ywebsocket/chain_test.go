package ywebsocket

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt/protocol"
)

// Clients of two servers edit one document and see each other, whoever comes first.
func TestServer_Chain(t *testing.T) {
	_, upstream := serve(t, Options{})
	s, url := serve(t, Options{})
	above, _ := join(t, upstream+"shared")
	above.sendUpdate(insert(1, 0, "above"))
	above.expectUpdate()

	chain, err := s.Chain("room", ProviderOptions{URL: upstream[:len(upstream)-1], Room: "shared"})
	require.NoError(t, err)
	defer chain.Close()
	require.NoError(t, chain.Upstream().Synced(withPatience(t)))

	e := open(t, url)
	e.expectText("above")
	below, _ := join(t, url+"room")

	update := insert(2, 0, "below")
	below.sendUpdate(update)
	assert.Equal(t, update, above.expectUpdate())
	below.sendAwareness(state(7, 1, `"Ada"`))
	assert.Equal(t, []protocol.AwarenessEntry{state(7, 1, `"Ada"`)}, above.expectAwareness())
	above.sendAwareness(state(8, 1, `"Grace"`))
	require.Eventually(t, func() bool { grace, _ := e.Awareness().State(8); return grace == "Grace" }, patience, testTick)
	above.expectSilence() // nothing goes round
}

func TestServer_ChainRefusals(t *testing.T) {
	s, _ := serve(t, Options{})
	_, err := s.Chain("", ProviderOptions{URL: "ws://example.com"})
	require.Error(t, err)
	_, err = s.Chain("room", ProviderOptions{URL: "http://example.com"})
	require.ErrorContains(t, err, "ws://")
}

func TestServer_ChainAfterShutdown(t *testing.T) {
	s := newTestServer(t, Options{})
	require.NoError(t, s.Shutdown(t.Context()))
	chain, err := s.Chain("room", ProviderOptions{Dial: offline})
	assert.Nil(t, chain)
	assert.ErrorIs(t, err, ErrShuttingDown)
}

// startChain chains the room "room" of a new server to an upstream, with an editor in it.
func startChain(t *testing.T, dial func(context.Context) (Conn, error)) (*Chain, *editor) {
	t.Helper()
	s := newTestServer(t, Options{})
	chain, err := s.Chain("room", ProviderOptions{Dial: dial, Logger: s.log})
	require.NoError(t, err)
	t.Cleanup(chain.Close)
	below := online(t, ProviderOptions{Dial: toServer(s)})
	require.NoError(t, below.Synced(t.Context()))
	require.NoError(t, chain.Room().Synced(t.Context()))
	return chain, below
}

// What either side writes while the upstream server is away, or another one has taken its place, gets there.
func TestChain_UpstreamRestarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := newTestServer(t, Options{})
		network := &unreliable{s: first}
		chain, below := startChain(t, network.dial)
		above := newPeer(t, 1)
		above.connect(first, "")
		above.set("above")
		below.write("one ")
		require.NoError(t, chain.Upstream().Saved(t.Context()))
		require.NoError(t, below.Awareness().SetLocalState("below"))

		for _, word := range []string{"two ", "three "} {
			network.away.Store(true)
			network.cut()
			below.write(word)
			time.Sleep(10 * time.Second)
			require.NoError(t, below.Saved(t.Context()), "the room works without its upstream")
			assert.Equal(t, StatusConnecting, chain.Upstream().State().Status)
			assert.Equal(t, StatusConnected, chain.Room().State().Status)
			network.s = newTestServer(t, Options{Store: first.options.Store})
			witness := newWitness(t, network.s, "")
			network.away.Store(false)
			require.NoError(t, chain.Upstream().Saved(t.Context()))
			synctest.Wait()
			assert.Equal(t, map[uint64]any{below.Awareness().ClientID(): "below"}, witness.states(),
				"a server is not told of those whom it knew")
		}
		assert.Equal(t, "one two three ", textOf(t, stored(t, first.options.Store, "room")...))
	})
}

// What is wrong upstream is seen there, and costs the room nothing.
func TestChain_UpstreamFails(t *testing.T) {
	say := func(message []byte) func() (Conn, error) {
		return func() (Conn, error) {
			client, server := Pipe()
			go func() {
				_ = server.WriteMessage(message)
				swallow(server, nil)
			}()
			return client, nil
		}
	}
	closing := func(code CloseCode) func() (Conn, error) {
		return func() (Conn, error) {
			client, server := Pipe()
			return client, server.Close(code, "because")
		}
	}
	for name, test := range map[string]struct {
		dial      func() (Conn, error)
		permanent bool
	}{
		"no network":              {func() (Conn, error) { return nil, errors.New("no network") }, false},
		"too busy":                {func() (Conn, error) { return nil, &HandshakeError{Status: http.StatusServiceUnavailable} }, false},
		"not allowed":             {func() (Conn, error) { return nil, &HandshakeError{Status: http.StatusForbidden} }, true},
		"closes for now":          {closing(CloseTryAgainLater), false},
		"closes for good":         {closing(4403), true},
		"speaks something else":   {say([]byte{0, 2, 9}), true},
		"sends what is no update": {say(protocol.AppendUpdate(nil, []byte("garbage"))), true},
		"takes no changes":        {say(protocol.AppendPermissionDenied(nil, "not you")), false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var dials atomic.Int64
				chain, below := startChain(t, func(context.Context) (Conn, error) {
					dials.Add(1)
					return test.dial()
				})
				time.Sleep(5 * time.Minute)
				below.write("unharmed")
				require.NoError(t, below.Saved(t.Context()))
				assert.Equal(t, "unharmed", below.text())
				synctest.Wait()
				state := chain.Upstream().State()
				assert.Equal(t, test.permanent, errors.Is(state.Err, ErrPermanent), "%v", state.Err)
				if test.permanent {
					assert.Equal(t, StatusDisconnected, state.Status)
					assert.EqualValues(t, 1, dials.Load())
				} else {
					assert.Greater(t, dials.Load(), int64(4))
				}
				assert.Equal(t, 1, state.Unsynced)
			})
		})
	}
}

// Permission that is denied upstream is seen there, and what was written is sent when it is asked for.
func TestChain_UpstreamIsReadOnlyForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := &brokenStore{Store: newTestServer(t, Options{}).options.Store}
		upstream := newTestServer(t, Options{Store: broken})
		chain, below := startChain(t, toServer(upstream))
		require.NoError(t, chain.Upstream().Synced(t.Context()))
		broken.brokenAppend.Store(true)
		below.write("one ")
		time.Sleep(10 * time.Second)
		assert.Equal(t, readOnlyReason, chain.Upstream().State().Denied)
		below.write("two")
		require.NoError(t, below.Saved(t.Context()))
		broken.brokenAppend.Store(false)
		require.NoError(t, chain.Upstream().Saved(t.Context()))
		assert.Equal(t, "one two", textOf(t, stored(t, broken, "room")...))
	})
}
