package protocol_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt/protocol"
)

func TestAwarenessUpdate_Golden(t *testing.T) {
	g := goldenMessages(t)["awareness"]
	entries, err := protocol.DecodeAwarenessUpdate(fromHex(t, g.Payload))
	require.NoError(t, err)
	assert.Equal(t, []protocol.AwarenessEntry{
		{ClientID: 5, Clock: 1, State: json.RawMessage(`{"cursor":3,"name":"Ada"}`)},
	}, entries)
	assert.Equal(t, g.Payload, hex.EncodeToString(protocol.AppendAwarenessUpdate(nil, entries...)))
}

func TestAwarenessUpdate_RoundTrip(t *testing.T) {
	want := []protocol.AwarenessEntry{
		{ClientID: 1<<53 - 1, Clock: 1<<53 - 1, State: json.RawMessage(`"☹"`)},
		{ClientID: 0, Clock: 0, State: nil},
	}
	update := protocol.AppendAwarenessUpdate(nil, want...)
	got, err := protocol.DecodeAwarenessUpdate(update)
	require.NoError(t, err)
	assert.Equal(t, want, got)
	for n := range update {
		_, err := protocol.DecodeAwarenessUpdate(update[:n])
		requireMalformed(t, err)
	}
}

func TestAwarenessUpdate_Empty(t *testing.T) {
	assert.Equal(t, []byte{0}, protocol.AppendAwarenessUpdate(nil))
	entries, err := protocol.DecodeAwarenessUpdate([]byte{0})
	require.NoError(t, err)
	assert.Empty(t, entries)
}

func TestDecodeAwarenessUpdate_NullWithSpaces(t *testing.T) {
	entries, err := protocol.DecodeAwarenessUpdate(append([]byte{1, 7, 1, 6}, " null\n"...))
	require.NoError(t, err)
	assert.Equal(t, []protocol.AwarenessEntry{{ClientID: 7, Clock: 1}}, entries)
}

func TestDecodeAwarenessUpdate_ChecksCountBeforeEntries(t *testing.T) {
	_, err := protocol.DecodeAwarenessUpdate([]byte{2, 1, 1, 1, '1', 1, 1, 1})
	assert.Zero(t, requireMalformed(t, err).Offset, "two entries take eight bytes")
}

// nested returns arrays and objects inside each other.
func nested(depth int) json.RawMessage {
	state := json.RawMessage(`"[[{{\"[["`) // brackets in a string do not count
	for level := range depth {
		if level%2 == 0 {
			state = fmt.Appendf(nil, "[0,%s]", state)
		} else {
			state = fmt.Appendf(nil, `{"[":%s}`, state)
		}
	}
	return state
}

func TestDecodeAwarenessUpdate_Depth(t *testing.T) {
	deepest := protocol.AwarenessEntry{ClientID: 1, Clock: 1, State: nested(protocol.MaxStateDepth)}
	entries, err := protocol.DecodeAwarenessUpdate(protocol.AppendAwarenessUpdate(nil, deepest))
	require.NoError(t, err)
	assert.Equal(t, []protocol.AwarenessEntry{deepest}, entries)
}

func TestStateDepth(t *testing.T) {
	for state, want := range map[string]int{
		`7`: 0, `"[\\\"["`: 0, `[]`: 1, `{"[":"]"}`: 1, `[[],[[]],{}]`: 3, `[{"a":[]}]`: 3, `]][[`: 0,
	} {
		assert.Equal(t, want, protocol.StateDepth([]byte(state)), state)
	}
}

func TestDecodeAwarenessUpdate_Refuses(t *testing.T) {
	entry := func(b ...byte) []byte { return append([]byte{1}, b...) }
	for name, update := range map[string][]byte{
		"nothing":                    {},
		"more entries than bytes":    {2, 1, 1, 1, '1'},
		"2^62 entries":               {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x40, 1},
		"bytes after the last":       entry(1, 1, 1, '1', 0),
		"state that is not JSON":     entry(1, 1, 1, '{'),
		"no state":                   entry(1, 1, 0, 0),
		"two states":                 entry(1, 1, 3, '1', ' ', '2'),
		"state that is not UTF-8":    entry(1, 1, 3, '"', 0xff, '"'),
		"client id above 2^53-1":     entry(0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10, 1, 1, '1'),
		"clock above 2^53-1":         entry(1, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10, 1, '1'),
		"state longer than the rest": entry(1, 1, 9, '1'),
		"state nested too deep":      protocol.AppendAwarenessUpdate(nil, protocol.AwarenessEntry{State: nested(protocol.MaxStateDepth + 1)}),
		"state nested without end":   protocol.AppendAwarenessUpdate(nil, protocol.AwarenessEntry{State: bytes.Repeat([]byte("["), 1<<20)}),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := protocol.DecodeAwarenessUpdate(update)
			requireMalformed(t, err)
		})
	}
}
