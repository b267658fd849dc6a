package ywebsocket

import (
	"fmt"
	neturl "net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt/protocol"
)

func awarenessMessage(entries ...protocol.AwarenessEntry) []byte {
	return protocol.AppendAwareness(nil, protocol.AppendAwarenessUpdate(nil, entries...))
}

// states returns the states of n clients, from one id on.
func states(from uint64, n int) []protocol.AwarenessEntry {
	entries := make([]protocol.AwarenessEntry, n)
	for i := range entries {
		entries[i] = state(from+uint64(i), 1, `{}`)
	}
	return entries
}

func TestPresence_BadMessagesCostTheirSenderTheConnection(t *testing.T) {
	_, url := serve(t, Options{Limits: Limits{
		AwarenessState: 1000, AwarenessClients: 20, AwarenessStates: 50, AwarenessEntries: 60,
	}})
	nested := func(levels int) protocol.AwarenessEntry {
		return state(7, 1, strings.Repeat("[", levels)+strings.Repeat("]", levels))
	}
	repeated := make([]protocol.AwarenessEntry, 61)
	for name, test := range map[string]struct {
		message []byte
		code    CloseCode
		reason  string
	}{
		"not JSON":            {awarenessMessage(state(7, 1, `{]`)), CloseMalformed, "not JSON"},
		"two values":          {awarenessMessage(state(7, 1, `{}{}`)), CloseMalformed, "not JSON"},
		"not UTF-8":           {awarenessMessage(state(7, 1, "\"\xff\"")), CloseMalformed, "not UTF-8"},
		"deep":                {awarenessMessage(nested(101)), CloseMalformed, "deeper than 100"},
		"very deep":           {awarenessMessage(nested(400)), CloseMalformed, "deeper than 100"},
		"2^53 as a clock":     {awarenessMessage(state(7, 1<<53, `{}`)), CloseMalformed, "2^53-1"},
		"2^53 as an id":       {awarenessMessage(state(1<<53, 1, `{}`)), CloseMalformed, "2^53-1"},
		"cut short":           {[]byte{1, 3, 1, 7, 1}, CloseMalformed, "awareness"},
		"more than there is":  {[]byte{1, 6, 0xff, 0xff, 0xff, 0xff, 0x0f, 0}, CloseMalformed, "remain"},
		"long state":          {awarenessMessage(state(7, 1, `"`+strings.Repeat("x", 999)+`"`)), CloseTooBig, "1001 bytes"},
		"long repeated state": {awarenessMessage(state(1, 1, `"`+strings.Repeat("x", 999)+`"`)), CloseTooBig, "1001 bytes"},
		"many entries":        {awarenessMessage(repeated...), CloseTooBig, "61 clients"},
		"many clients":        {awarenessMessage(states(100, 21)...), CloseTooBig, "more than 20 clients"},
	} {
		t.Run(name, func(t *testing.T) {
			room := neturl.PathEscape(name)
			witness, _ := join(t, url+room)
			evil, _ := join(t, url+room)
			honest, _ := join(t, url+room)
			evil.send(test.message)
			code, reason := evil.expectClose()
			assert.Equal(t, test.code, code)
			assert.Contains(t, reason, test.reason)
			honest.sendAwareness(state(1, 1, `{}`))
			for shown := false; !shown; { // beside what came before the one client too many, and its end
				for _, entry := range witness.expectAwareness() {
					assert.NotEqual(t, uint64(7), entry.ClientID)
					shown = shown || entry.ClientID == 1
				}
			}
		})
	}
}

// What is just within the limits is fine.
func TestPresence_AtTheLimits(t *testing.T) {
	_, url := serve(t, Options{Limits: Limits{
		AwarenessState: 1000, AwarenessClients: 20, AwarenessStates: 50, AwarenessEntries: 60,
	}})
	a, _ := join(t, url+"room")
	witness, _ := join(t, url+"room")
	a.sendAwareness(states(1, 20)...)
	assert.Equal(t, states(1, 20), witness.expectAwareness())
	a.sendAwareness(state(3, 2, `"`+strings.Repeat("x", 998)+`"`))
	witness.expectAwareness()
	a.sendAwareness(make([]protocol.AwarenessEntry, 60)...)
	a.expectSilence()
}

// The clients that one connection may bring are counted over its lifetime: with new
// ones every time it would fill the memory of its peers, which never forget.
func TestPresence_ClientsOfAConnectionInSuccession(t *testing.T) {
	_, url := serve(t, Options{Limits: Limits{AwarenessClients: 5}})
	a, _ := join(t, url+"room")
	for clock := uint64(1); clock < 20; clock += 2 {
		a.sendAwareness(state(1, clock, `{}`), gone(1, clock+1)) // the same one does not count again
	}
	for id := range uint64(4) {
		a.sendAwareness(state(id+2, 1, `{}`), gone(id+2, 2))
	}
	a.sendAwareness(state(66, 1, `{}`))
	code, _ := a.expectClose()
	assert.Equal(t, CloseTooBig, code)
}

// Whoever finds the room full is not shown, and can work.
func TestPresence_FullRoom(t *testing.T) {
	for name, limits := range map[string]Limits{
		"states": {AwarenessStates: 3},
		"bytes":  {AwarenessBytes: 6},
	} {
		t.Run(name, func(t *testing.T) {
			_, url := serve(t, Options{Limits: limits})
			a, _ := join(t, url+"room")
			witness, _ := join(t, url+"room")
			late, _ := join(t, url+"room")
			a.sendAwareness(states(1, 3)...)
			assert.Equal(t, states(1, 3), witness.expectAwareness())
			late.expectAwareness()
			late.sendAwareness(state(9, 1, `{}`))
			late.expectSilence()
			late.sendUpdate(insert(9, 0, "works"))
			late.expectUpdate()
			assert.Equal(t, insert(9, 0, "works"), witness.expectUpdate())

			a.sendAwareness(gone(2, 1))
			assert.Equal(t, []protocol.AwarenessEntry{gone(2, 1)}, witness.expectAwareness())
			late.expectAwareness()
			late.sendAwareness(state(9, 2, `{}`))
			assert.Equal(t, []protocol.AwarenessEntry{state(9, 2, `{}`)}, witness.expectAwareness(), "now there is room")
		})
	}
}

// A state that grows where there is no room for it remains, renewed, as it was.
func TestPresence_GrowingStateInAFullRoom(t *testing.T) {
	_, url := serve(t, Options{Limits: Limits{AwarenessBytes: 10}})
	a, _ := join(t, url+"room")
	witness, _ := join(t, url+"room")
	for clock, sent := range []string{`"1234"`, `"12"`, `"1234567"`, `"12345678"`, `"123456789"`, `"1"`} {
		a.sendAwareness(state(1, uint64(clock+1), sent))
		if sent == `"123456789"` {
			sent = `"12345678"`
		}
		assert.Equal(t, []protocol.AwarenessEntry{state(1, uint64(clock+1), sent)}, witness.expectAwareness())
	}
}

// A client that is named again and again in one message is passed on once.
func TestPresence_RepeatedClients(t *testing.T) {
	s, url := serve(t, Options{})
	a, _ := join(t, url+"room")
	witness, _ := join(t, url+"room")
	var entries []protocol.AwarenessEntry
	for clock := range uint64(9_998) {
		entries = append(entries, state(1, clock+1, `1`), state(2, clock+1, `2`))
	}
	long := `"` + strings.Repeat("x", 60_000) + `"`
	entries = append(entries, state(1, 9_999, long), gone(2, 9_999), gone(2, 10_000), state(3, 1, `3`))
	a.sendAwareness(entries...)
	assert.Equal(t, []protocol.AwarenessEntry{state(1, 9_999, long), gone(2, 9_999), state(3, 1, `3`)}, witness.expectAwareness())
	assert.Equal(t, counts{2, 1, len(long) + 1}, presenceOf(t, s).check(t))
}

// Whatever clocks somebody uses, there are some left for who comes after.
func TestPresence_ClocksCannotBeUsedUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t, Options{})
		witness, eve, ada := newWitness(t, s, ""), mute(t, s, ""), newPeer(t, 1)
		eve.says(state(2, 1<<53-1, `"fake"`), state(1, 1<<53-1, `"fake"`))
		assert.Empty(t, witness.states())
		eve.says(state(1, usualClocks+maxLeap+1, `"fake"`), state(1, usualClocks+maxLeap, `"fake"`), gone(1, 1<<53-1))
		assert.Equal(t, map[uint64]any{1: "fake"}, witness.states())
		require.NoError(t, eve.conn.Close())
		ada.connect(s, "")
		ada.set("Ada")
		assert.Equal(t, map[uint64]any{1: "Ada"}, witness.states())

		ada.drop()
		pass(10 * time.Minute)
		assert.Zero(t, presenceOf(t, s).check(t), "nothing is known of it any more")
		ada.connect(s, "")
		assert.Equal(t, map[uint64]any{1: "Ada"}, witness.states())
	})
}

// However many clients come and go, what is remembered of them is bounded, and
// forgotten in the end.
func TestPresence_ManyClientsOverTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const remembered, perConnection = 50, 1000
		s := newTestServer(t, Options{Limits: Limits{AwarenessStates: remembered, AwarenessEntries: 2 * perConnection}})
		stays := mute(t, s, "")
		stays.says(state(1, 1, `{}`))
		p := presenceOf(t, s)
		next := uint64(2)
		for range 20 {
			evil := mute(t, s, "")
			for range perConnection / 40 {
				// 30 that leave at once, 10 that leave with the connection
				entries := states(next, 40)
				for _, entry := range entries[:30] {
					entries = append(entries, gone(entry.ClientID, 1))
				}
				evil.says(entries...)
				held := p.check(t)
				require.LessOrEqual(t, held.present, remembered)
				require.LessOrEqual(t, held.gone, remembered)
				next += 40
			}
			require.NoError(t, evil.conn.Close())
			synctest.Wait()
			assert.Equal(t, counts{1, remembered, 2}, p.check(t))
		}
		for clock := range uint64(10) {
			pass(10 * time.Second)
			stays.says(state(1, clock+2, `{}`))
		}
		assert.Equal(t, counts{1, 0, 2}, p.check(t))
	})
}

// Ends of clients that nobody knows are not remembered at all.
func TestPresence_UnknownEnds(t *testing.T) {
	s, url := serve(t, Options{})
	a, _ := join(t, url+"room")
	witness, _ := join(t, url+"room")
	var ends []protocol.AwarenessEntry
	for id := range uint64(1000) {
		ends = append(ends, gone(id, id))
	}
	a.sendAwareness(ends...)
	a.expectSilence()
	witness.expectSilence()
	assert.Zero(t, presenceOf(t, s).check(t))
}

// The message with all states is encoded once, whoever asks for it, until it is
// outdated.
func TestPresence_AnswersAreShared(t *testing.T) {
	s, url := serve(t, Options{})
	a, _ := join(t, url+"room")
	b, _ := join(t, url+"room")
	ask := func() *byte {
		b.send(protocol.AppendQueryAwareness(nil))
		b.expectAwareness()
		p := presenceOf(t, s)
		p.mu.Lock()
		defer p.mu.Unlock()
		return &p.everybody.wire[0]
	}
	a.sendAwareness(state(1, 1, `{}`))
	b.expectAwareness()
	first := ask()
	assert.Same(t, first, ask())
	a.sendAwareness(state(1, 2, `{}`))
	b.expectAwareness()
	assert.NotSame(t, first, ask())
}

func TestOptions_AwarenessLimits(t *testing.T) {
	_, err := NewServer(Options{Limits: Limits{AwarenessStates: 100, AwarenessEntries: 99}})
	require.ErrorContains(t, err, "AwarenessEntries is 99")
	_, err = NewServer(Options{Limits: Limits{AwarenessEntries: -1}})
	require.ErrorContains(t, err, "AwarenessEntries is negative")
	for states, entries := range map[int]int{0: 20_000, 70: 140} {
		options, err := Options{Limits: Limits{AwarenessStates: states}}.withDefaults()
		require.NoError(t, err)
		assert.Equal(t, entries, options.Limits.AwarenessEntries, fmt.Sprint(states))
	}
}
