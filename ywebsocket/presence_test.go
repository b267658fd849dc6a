package ywebsocket

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt/protocol"
)

func state(id, clock uint64, state string) protocol.AwarenessEntry {
	return protocol.AwarenessEntry{ClientID: id, Clock: clock, State: json.RawMessage(state)}
}

func gone(id, clock uint64) protocol.AwarenessEntry {
	return protocol.AwarenessEntry{ClientID: id, Clock: clock}
}

func (c *client) sendAwareness(entries ...protocol.AwarenessEntry) {
	c.t.Helper()
	c.send(protocol.AppendAwareness(nil, protocol.AppendAwarenessUpdate(nil, entries...)))
}

func TestPresence_JoinChangeLeave(t *testing.T) {
	_, url := serve(t, Options{})
	a, _ := join(t, url+"room")
	b, _ := join(t, url+"room")
	a.sendAwareness(state(1, 1, `{"name":"Ada"}`))
	assert.Equal(t, []protocol.AwarenessEntry{state(1, 1, `{"name":"Ada"}`)}, b.expectAwareness())

	c := connect(t, url+"room")
	assert.Equal(t, []protocol.AwarenessEntry{state(1, 1, `{"name":"Ada"}`)}, c.expectAwareness(), "who joins sees who is there")

	a.sendAwareness(gone(1, 2))
	assert.Equal(t, []protocol.AwarenessEntry{gone(1, 2)}, b.expectAwareness(), "gone while connected")
	a.sendAwareness(state(1, 3, `{}`))
	assert.Equal(t, []protocol.AwarenessEntry{state(1, 3, `{}`)}, b.expectAwareness(), "and back")
	a.expectSilence()

	assert.NoError(t, a.conn.Close()) // without a close frame
	assert.Equal(t, []protocol.AwarenessEntry{gone(1, 3)}, b.expectAwareness())
}

func TestPresence_EveryClientOfAConnectionLeavesWithIt(t *testing.T) {
	_, url := serve(t, Options{})
	a, _ := join(t, url+"room")
	b, _ := join(t, url+"room")
	a.sendAwareness(state(1, 1, `{}`), state(2, 7, `{}`))
	b.expectAwareness()
	a.sendAwareness(state(3, 1, `{}`))
	b.expectAwareness()
	assert.NoError(t, a.conn.Close())
	assert.ElementsMatch(t, []protocol.AwarenessEntry{gone(1, 1), gone(2, 7), gone(3, 1)}, b.expectAwareness())
}

// y-websocket sends back what it receives.
func TestPresence_AnEchoIsNoClaim(t *testing.T) {
	_, url := serve(t, Options{})
	a, _ := join(t, url+"room")
	echoes, _ := join(t, url+"room")
	witness, _ := join(t, url+"room")
	a.sendAwareness(state(1, 1, `{}`))
	witness.expectAwareness()
	echoes.sendAwareness(echoes.expectAwareness()...)
	echoes.sendAwareness(state(2, 1, `{}`))
	assert.Equal(t, []protocol.AwarenessEntry{state(2, 1, `{}`)}, witness.expectAwareness(), "an echo is not broadcast")
	assert.NoError(t, echoes.conn.Close())
	assert.Equal(t, []protocol.AwarenessEntry{gone(2, 1)}, witness.expectAwareness(), "client 1 stays")
}

func TestPresence_Query(t *testing.T) {
	_, url := serve(t, Options{})
	a, _ := join(t, url+"room")
	b, _ := join(t, url+"room")
	b.send(protocol.AppendQueryAwareness(nil))
	assert.Equal(t, []byte{0}, b.nextOf(protocol.MessageAwareness).Payload, "nobody is there")
	a.sendAwareness(state(1, 1, `{}`))
	b.expectAwareness()
	b.send(protocol.AppendQueryAwareness(nil))
	assert.Equal(t, []protocol.AwarenessEntry{state(1, 1, `{}`)}, b.expectAwareness())
}

func TestPresence_OutdatedStatesExpire(t *testing.T) {
	_, url := serve(t, Options{Timeouts: Timeouts{Awareness: 50 * time.Millisecond}})
	a, _ := join(t, url+"room")
	b, _ := join(t, url+"room")
	a.sendAwareness(state(1, 1, `{}`))
	assert.Equal(t, []protocol.AwarenessEntry{state(1, 1, `{}`)}, b.expectAwareness())
	assert.Equal(t, []protocol.AwarenessEntry{gone(1, 1)}, b.expectAwareness())
	assert.Equal(t, []protocol.AwarenessEntry{gone(1, 1)}, a.expectAwareness(), "its own client too: it can object")
}

func TestPresence_RoomsAreApart(t *testing.T) {
	_, url := serve(t, Options{})
	a, _ := join(t, url+"one")
	b, _ := join(t, url+"two")
	a.sendAwareness(state(1, 1, `{}`))
	a.expectSilence() // it has been handled
	b.expectSilence()
	b.send(protocol.AppendQueryAwareness(nil))
	assert.Equal(t, []byte{0}, b.nextOf(protocol.MessageAwareness).Payload)
}

// presenceOf returns the presence of the server's only room, after a look at
// whether it is consistent.
func presenceOf(t testing.TB, s *Server) *presence {
	t.Helper()
	s.registry.mu.Lock()
	defer s.registry.mu.Unlock()
	require.Len(t, s.registry.rooms, 1)
	for _, r := range s.registry.rooms {
		r.presence.check(t)
		return r.presence
	}
	return nil
}

// counts is how much a presence holds: clients with a state and without, and bytes.
type counts struct{ present, gone, bytes int }

// check recounts what is counted, and looks at what must always be so.
func (p *presence) check(t testing.TB) counts {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	present, bytes := 0, 0
	for id, k := range p.clients {
		require.Equal(t, id, k.id)
		require.Equal(t, k.owner == nil, k.state == nil)
		require.False(t, k.changed)
		if k.state == nil {
			require.Zero(t, k.claimed)
			continue
		}
		present++
		bytes += len(k.state)
		require.Contains(t, k.owner.speaker.owned, id)
	}
	require.Equal(t, present, p.present)
	require.Equal(t, bytes, p.bytes)
	require.LessOrEqual(t, present, p.limits().AwarenessStates)
	require.LessOrEqual(t, bytes, p.limits().AwarenessBytes)
	require.LessOrEqual(t, len(p.clients)-present, p.limits().AwarenessStates)
	require.Empty(t, p.changed)
	require.Empty(t, p.corrections)
	return counts{present, len(p.clients) - present, bytes}
}
