package ycrdt_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt"
	"github.com/yrs-go/yrs/ycrdt/protocol"
)

func clientState(clientID, clock uint64, state string) protocol.AwarenessEntry {
	return protocol.AwarenessEntry{ClientID: clientID, Clock: clock, State: json.RawMessage(state)}
}

func awarenessUpdate(entries ...protocol.AwarenessEntry) []byte {
	return protocol.AppendAwarenessUpdate(nil, entries...)
}

// learn applies an update with these states.
func learn(tb testing.TB, a *ycrdt.Awareness, states ...protocol.AwarenessEntry) {
	tb.Helper()
	require.NoError(tb, a.ApplyUpdate(awarenessUpdate(states...), nil))
}

func TestAwareness_EncodeUpdate(t *testing.T) {
	a := newAwareness(t, 1, ycrdt.AwarenessOptions{})
	none, err := a.EncodeUpdate(nil)
	require.NoError(t, err)
	assert.Equal(t, []byte{0}, none)

	_, err = a.EncodeUpdate([]uint64{1, 2})
	require.ErrorIs(t, err, ycrdt.ErrInvalidArgument)
	assert.EqualError(t, err, "ycrdt: awareness encode update: client 2 is not known")
}

func TestAwareness_EncodeUpdate_RelaysStatesAsTheyCame(t *testing.T) {
	const state = ` { "b" : 1.0, "a":"\u00e9\ud800", "n":1e400 } `
	a := newAwareness(t, 1, ycrdt.AwarenessOptions{NoLocalState: true})
	received := awarenessUpdate(clientState(2, 7, state))
	require.NoError(t, a.ApplyUpdate(received, nil))
	relayed, err := a.EncodeUpdate([]uint64{2})
	require.NoError(t, err)
	assert.Equal(t, received, relayed)
	assert.Equal(t, received, a.EncodeStates())
	decoded, _ := a.State(2)
	assert.Equal(t, map[string]any{"a": "é\uFFFD", "b": 1.0, "n": nil}, decoded)
}

func TestAwareness_EncodeStates_LeavesOutTheGone(t *testing.T) {
	a := newAwareness(t, 2, ycrdt.AwarenessOptions{})
	learn(t, a, clientState(3, 1, `3`), clientState(4, 1, ``), clientState(1, 1, `1`))
	entries, err := protocol.DecodeAwarenessUpdate(a.EncodeStates())
	require.NoError(t, err)
	assert.Equal(t, []protocol.AwarenessEntry{clientState(1, 1, `1`), clientState(2, 0, `{}`), clientState(3, 1, `3`)}, entries)
}

func TestAwareness_ApplyUpdate_AllOrNothing(t *testing.T) {
	good := awarenessUpdate(clientState(2, 1, `{"a":1}`), clientState(3, 1, `{"b":2}`))
	for name, bad := range map[string][]byte{
		"nothing":                {},
		"truncated":              good[:len(good)-1],
		"trailing byte":          append(append([]byte{}, good...), 0),
		"second is not JSON":     awarenessUpdate(clientState(2, 1, `{}`), clientState(3, 1, `{`)),
		"own clock out of range": awarenessUpdate(clientState(2, 1, `{}`), clientState(1, 1<<52+1, `{}`)),
	} {
		t.Run(name, func(t *testing.T) {
			a := newAwareness(t, 1, ycrdt.AwarenessOptions{})
			before := a.Meta()
			events := recordAwareness(a)
			require.ErrorIs(t, a.ApplyUpdate(bad, nil), ycrdt.ErrMalformed)
			assert.Equal(t, before, a.Meta())
			assert.Equal(t, map[uint64]any{1: map[string]any{}}, a.States())
			assert.Empty(t, events.take())
		})
	}
}

func TestAwareness_ApplyUpdate_DoesNotKeepTheUpdate(t *testing.T) {
	a := newAwareness(t, 1, ycrdt.AwarenessOptions{})
	received := awarenessUpdate(clientState(2, 1, `"abc"`))
	require.NoError(t, a.ApplyUpdate(received, nil))
	clear(received)
	state, _ := a.State(2)
	assert.Equal(t, "abc", state)
}

func TestAwareness_ApplyUpdate_EqualWhateverTheOrderOfKeys(t *testing.T) {
	a := newAwareness(t, 1, ycrdt.AwarenessOptions{})
	learn(t, a, clientState(2, 1, `{"a":{"x":1,"y":[2]},"b":null}`))
	events := recordAwareness(a)
	learn(t, a, clientState(2, 2, `{"b":null, "a":{"y":[2.0],"x":1}}`))
	learn(t, a, clientState(2, 3, `{"a":{"x":1,"y":[2]}}`))
	assert.Equal(t, []ycrdt.AwarenessEvent{
		{Kind: ycrdt.AwarenessUpdated, ClientIDs: []uint64{2}},
		{Kind: ycrdt.AwarenessUpdated, ClientIDs: []uint64{2}, Changed: []uint64{2}},
	}, events.take())
}

func TestAwareness_ApplyUpdate_OwnClockCannotBeExhausted(t *testing.T) {
	a := newAwareness(t, 1, ycrdt.AwarenessOptions{})
	learn(t, a, clientState(1, 1<<52, `null`))
	require.NoError(t, a.SetLocalState("still here"))
	other := newAwareness(t, 2, ycrdt.AwarenessOptions{})
	applyAwareness(t, other, a, 1)
	state, _ := other.State(1)
	assert.Equal(t, "still here", state)
}

func TestAwareness_MaxStateBytes(t *testing.T) {
	a := newAwareness(t, 1, ycrdt.AwarenessOptions{MaxStateBytes: 20})
	fits, tooLong := strings.Repeat("x", 18), strings.Repeat("x", 19)
	require.NoError(t, a.SetLocalState(fits))
	learn(t, a, clientState(2, 1, `"`+fits+`"`))

	require.ErrorIs(t, a.SetLocalState(tooLong), ycrdt.ErrTooLarge)
	err := a.ApplyUpdate(awarenessUpdate(clientState(3, 1, `{}`), clientState(2, 2, `"`+tooLong+`"`)), nil)
	require.ErrorIs(t, err, ycrdt.ErrTooLarge)
	assert.Equal(t, map[uint64]any{1: fits, 2: fits}, a.States())

	require.NoError(t, a.SetLocalState(map[string]any{"a": 1}))
	require.ErrorIs(t, a.SetLocalStateField("b", fits), ycrdt.ErrTooLarge)
	assert.Equal(t, map[string]any{"a": 1.0}, a.LocalState())
}

func TestAwareness_StateDepth(t *testing.T) {
	nest := func(levels int) (state any) {
		for range levels {
			state = []any{state}
		}
		return state
	}
	a := newAwareness(t, 1, ycrdt.AwarenessOptions{})
	require.NoError(t, a.SetLocalState(nest(protocol.MaxStateDepth)))
	require.ErrorIs(t, a.SetLocalState(nest(protocol.MaxStateDepth+1)), ycrdt.ErrTooLarge)
	assert.Equal(t, nest(protocol.MaxStateDepth), a.LocalState())

	require.NoError(t, a.SetLocalState(map[string]any{}))
	require.NoError(t, a.SetLocalStateKey("a", nest(protocol.MaxStateDepth-1)))
	require.ErrorIs(t, a.SetLocalStateKey("a", nest(protocol.MaxStateDepth)), ycrdt.ErrTooLarge)

	deeper := strings.Repeat("[", protocol.MaxStateDepth+1) + strings.Repeat("]", protocol.MaxStateDepth+1)
	require.ErrorIs(t, a.ApplyUpdate(awarenessUpdate(clientState(2, 1, deeper)), nil), ycrdt.ErrMalformed)
	assert.Equal(t, []uint64{1}, a.ClientIDs())
}

// What is passed on holds the last state once, however often an update names it.
func TestAwareness_ApplyUpdate_NamesEachClientOnce(t *testing.T) {
	a := newAwareness(t, 1, ycrdt.AwarenessOptions{})
	events := recordAwareness(a)
	var entries []protocol.AwarenessEntry
	for clock := uint64(1); clock <= 1000; clock += 2 {
		entries = append(entries,
			clientState(2, clock, `2`), clientState(3, clock, `3`), clientState(2, clock+1, `null`), clientState(3, clock+1, `"three"`))
	}
	learn(t, a, entries...)
	both := []uint64{2, 3}
	assert.Equal(t, []ycrdt.AwarenessEvent{
		{Kind: ycrdt.AwarenessAdded, ClientIDs: both, Changed: both},
		{Kind: ycrdt.AwarenessUpdated, ClientIDs: []uint64{3, 2}, Changed: []uint64{3, 2}},
		{Kind: ycrdt.AwarenessRemoved, ClientIDs: []uint64{2}, Changed: []uint64{2}},
	}, events.take())
}

func TestAwareness_MaxStates(t *testing.T) {
	a := newAwareness(t, 1, ycrdt.AwarenessOptions{MaxStates: 3})
	learn(t, a, clientState(2, 1, `2`), clientState(3, 1, `3`))
	require.ErrorIs(t, a.ApplyUpdate(awarenessUpdate(clientState(2, 2, `"new"`), clientState(4, 1, `4`)), nil), ycrdt.ErrTooLarge)
	assert.Equal(t, map[uint64]any{1: map[string]any{}, 2: 2.0, 3: 3.0}, a.States())

	learn(t, a, clientState(2, 2, `"new"`), clientState(3, 1, `"old"`)) // nobody comes
	require.NoError(t, a.RemoveStates([]uint64{3}, nil))
	learn(t, a, clientState(3, 1, `"late"`), clientState(4, 1, `4`)) // one comes in the place of another
	assert.Equal(t, []uint64{1, 2, 4}, a.ClientIDs())
}

func TestAwareness_MaxStates_DoesNotCountTheLocalState(t *testing.T) {
	a := newAwareness(t, 1, ycrdt.AwarenessOptions{MaxStates: 1})
	require.NoError(t, a.SetLocalState(nil))
	learn(t, a, clientState(2, 1, `2`))
	require.NoError(t, a.SetLocalState("here"))
	learn(t, a, clientState(2, 2, `2`)) // those who are there may stay
	assert.Equal(t, []uint64{1, 2}, a.ClientIDs())
}

func TestAwareness_MaxStates_BoundsWhatIsRemembered(t *testing.T) {
	const limit = 10
	a := newAwareness(t, 1, ycrdt.AwarenessOptions{MaxStates: limit})
	require.NoError(t, a.SetLocalState(nil))
	for id := uint64(2); id < 100; id++ {
		learn(t, a, clientState(id, 1, `{}`))
		learn(t, a, clientState(id, 2, `null`))
		learn(t, a, clientState(id+1000, 5, `null`))
		_, err := a.EncodeUpdate([]uint64{id + 1000})
		require.NoError(t, err, "the latest can be passed on")
	}
	metas := a.Meta()
	assert.Len(t, metas, limit)
	assert.Contains(t, metas, uint64(1), "its own clock is never forgotten")
}

func TestAwareness_RemoveStates(t *testing.T) {
	a := newAwareness(t, 1, ycrdt.AwarenessOptions{})
	learn(t, a, clientState(2, 4, `2`), clientState(3, 5, `3`))
	events := recordAwareness(a)
	require.NoError(t, a.RemoveStates([]uint64{1, 3, 3, 99}, "closed"))
	require.NoError(t, a.RemoveStates([]uint64{99, 3}, "closed"))
	require.NoError(t, a.RemoveStates(nil, "closed"))

	ids := []uint64{1, 3}
	assert.Equal(t, []ycrdt.AwarenessEvent{
		{Kind: ycrdt.AwarenessRemoved, ClientIDs: ids, Changed: ids, Origin: "closed"},
	}, events.take())
	assert.Equal(t, []uint64{2}, a.ClientIDs())
	metas := a.Meta()
	assert.EqualValues(t, 1, metas[1].Clock)
	assert.EqualValues(t, 5, metas[3].Clock)
}

// What was lost with a connection comes back through the next one, and through nothing else.
func TestAwareness_LoseStates(t *testing.T) {
	type connection struct{ name string }
	server, other := &connection{"server"}, &connection{"other"}
	a := newAwareness(t, 1, ycrdt.AwarenessOptions{})
	snapshot := awarenessUpdate(clientState(2, 4, `2`), clientState(3, 5, `3`), clientState(1, 0, `{}`))
	require.NoError(t, a.ApplyUpdate(snapshot, server))
	events := recordAwareness(a)
	require.NoError(t, a.LoseStates([]uint64{2, 3, 99}, server))
	ids := []uint64{2, 3}
	assert.Equal(t, []ycrdt.AwarenessEvent{
		{Kind: ycrdt.AwarenessRemoved, ClientIDs: ids, Changed: ids, Origin: server},
	}, events.take())
	assert.EqualValues(t, 4, a.Meta()[2].Clock)

	for _, origin := range []any{other, nil, "server", []int{1}} {
		require.NoError(t, a.ApplyUpdate(snapshot, origin))
		assert.Equal(t, []uint64{1}, a.ClientIDs(), "%v", origin)
	}
	require.NoError(t, a.ApplyUpdate(awarenessUpdate(clientState(2, 3, `"old"`)), server))
	assert.Equal(t, []uint64{1}, a.ClientIDs())

	require.NoError(t, a.ApplyUpdate(awarenessUpdate(clientState(3, 6, `null`)), other)) // it has left meanwhile
	require.NoError(t, a.ApplyUpdate(snapshot, server))
	assert.Equal(t, []uint64{1, 2}, a.ClientIDs())
	assert.Equal(t, []ycrdt.AwarenessEvent{
		{Kind: ycrdt.AwarenessRemoved, ClientIDs: []uint64{3}, Origin: other},
		{Kind: ycrdt.AwarenessUpdated, ClientIDs: []uint64{2}, Changed: []uint64{2}, Origin: server},
	}, events.take())

	require.NoError(t, a.ApplyUpdate(awarenessUpdate(clientState(2, 4, `null`)), server))
	require.NoError(t, a.ApplyUpdate(snapshot, server))
	assert.Equal(t, []uint64{1}, a.ClientIDs(), "it comes back once for each loss")

	require.NoError(t, a.ApplyUpdate(awarenessUpdate(clientState(2, 5, `2`)), server))
	require.NoError(t, a.LoseStates([]uint64{1, 2}, []int{1}))
	require.NoError(t, a.ApplyUpdate(awarenessUpdate(clientState(2, 5, `2`)), []int{1}))
	assert.Empty(t, a.ClientIDs(), "without a name for the connection it is RemoveStates")
}

func TestIsAwarenessDisconnectMessage(t *testing.T) {
	a := newAwareness(t, 1, ycrdt.AwarenessOptions{})
	learn(t, a, clientState(2, 1, `{}`), clientState(3, 1, ` null `))
	require.NoError(t, a.SetLocalState(nil))
	encode := func(ids ...uint64) []byte {
		encoded, err := a.EncodeUpdate(ids)
		require.NoError(t, err)
		return encoded
	}
	prefixed := func(b []byte) []byte {
		var e protocol.Encoder
		e.WriteVarBytes(b)
		return e.Bytes()
	}
	for name, c := range map[string]struct {
		message []byte
		want    bool
	}{
		"one gone":          {encode(1), true},
		"all gone":          {encode(1, 3), true},
		"one present":       {encode(2), false},
		"gone and present":  {encode(1, 2), false},
		"nobody":            {encode(), false},
		"empty":             {nil, false},
		"garbage":           {[]byte("garbage"), false},
		"truncated":         {encode(1)[:5], false},
		"trailing byte":     {append(encode(1), 0), false},
		"whole message":     {protocol.AppendAwareness(nil, encode(1)), false},
		"prefixed, no more": {[]byte{0}, false},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, c.want, ycrdt.IsAwarenessDisconnectMessage(c.message))
			assert.Equal(t, c.want, ycrdt.IsAwarenessDisconnectMessage(prefixed(c.message)))
		})
	}
	assert.False(t, ycrdt.IsAwarenessDisconnectMessage(append(prefixed(encode(1)), 0)))
	assert.False(t, ycrdt.IsAwarenessDisconnectMessage(prefixed(prefixed(encode(1)))))
}

func BenchmarkAwareness_ApplyUpdate(b *testing.B) {
	a := newAwareness(b, 1, ycrdt.AwarenessOptions{NoLocalState: true})
	a.Observe(func(ycrdt.AwarenessEvent) {})
	const state = `{"user":{"name":"Ada","color":"#30bced"},"cursor":{"anchor":{"item":{"client":1,"clock":%}}}}`
	for id := uint64(2); id < 502; id++ {
		learn(b, a, clientState(id, 1, `{}`))
	}
	b.ReportAllocs()
	for clock := uint64(2); b.Loop(); clock++ {
		message := awarenessUpdate(clientState(7, clock, strings.Replace(state, "%", string('0'+rune(clock%10)), 1)))
		if err := a.ApplyUpdate(message, nil); err != nil {
			b.Fatal(err)
		}
	}
}
