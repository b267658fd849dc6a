package protocol_test

import (
	"encoding/hex"
	"encoding/json"
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt/protocol"
)

type goldenMessage struct {
	Payload string
	Hex     string
}

func goldenMessages(tb testing.TB) map[string]goldenMessage {
	var raw map[string]json.RawMessage
	golden(tb, "messages.json", &raw)
	delete(raw, "versions")
	messages := make(map[string]goldenMessage)
	for name, data := range raw {
		var m goldenMessage
		require.NoError(tb, json.Unmarshal(data, &m))
		messages[name] = m
	}
	return messages
}

// messageCases says how each golden message is written and read.
var messageCases = map[string]struct {
	write func(dst, payload []byte) []byte
	want  protocol.Message
}{
	"sync step 1": {protocol.AppendSyncStep1, protocol.Message{Type: protocol.MessageSync, Sync: protocol.SyncStep1}},
	"sync step 2": {protocol.AppendSyncStep2, protocol.Message{Type: protocol.MessageSync, Sync: protocol.SyncStep2}},
	"update":      {protocol.AppendUpdate, protocol.Message{Type: protocol.MessageSync, Sync: protocol.SyncUpdate}},
	"awareness":   {protocol.AppendAwareness, protocol.Message{Type: protocol.MessageAwareness}},
	"permission denied": {
		func(dst, payload []byte) []byte { return protocol.AppendPermissionDenied(dst, string(payload)) },
		protocol.Message{Type: protocol.MessageAuth},
	},
	"query awareness": {
		func(dst, _ []byte) []byte { return protocol.AppendQueryAwareness(dst) },
		protocol.Message{Type: protocol.MessageQueryAwareness},
	},
}

func TestMessage_Golden(t *testing.T) {
	messages := goldenMessages(t)
	require.Len(t, messages, len(messageCases))
	for name, g := range messages {
		t.Run(name, func(t *testing.T) {
			c, ok := messageCases[name]
			require.True(t, ok)
			payload := fromHex(t, g.Payload)
			prefix := []byte{0xaa}
			assert.Equal(t, "aa"+g.Hex, hex.EncodeToString(c.write(prefix, payload)))

			frame := fromHex(t, g.Hex)
			d := protocol.NewDecoder(frame)
			got, err := protocol.ReadMessage(d)
			require.NoError(t, err)
			assert.Equal(t, c.want.Type, got.Type)
			assert.Equal(t, c.want.Sync, got.Sync)
			assert.Equal(t, g.Payload, hex.EncodeToString(got.Payload))

			_, err = protocol.ReadMessage(d)
			assert.Equal(t, io.EOF, err)
			for n := 1; n < len(frame); n++ {
				_, err := protocol.ReadMessage(protocol.NewDecoder(frame[:n]))
				requireMalformed(t, err)
			}
		})
	}
}

func TestReadMessage_ManyInOneFrame(t *testing.T) {
	frame := protocol.AppendSyncStep1(nil, []byte{0})
	frame = protocol.AppendQueryAwareness(frame)
	frame = protocol.AppendUpdate(frame, []byte{0, 0})
	frame = protocol.AppendPermissionDenied(frame, "no")

	var got []protocol.Message
	for d := protocol.NewDecoder(frame); ; {
		m, err := protocol.ReadMessage(d)
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
		got = append(got, m)
	}
	assert.Equal(t, []protocol.Message{
		{Type: protocol.MessageSync, Sync: protocol.SyncStep1, Payload: []byte{0}},
		{Type: protocol.MessageQueryAwareness},
		{Type: protocol.MessageSync, Sync: protocol.SyncUpdate, Payload: []byte{0, 0}},
		{Type: protocol.MessageAuth, Payload: []byte("no")},
	}, got)
}

func TestReadMessage_Unknown(t *testing.T) {
	cases := map[string]struct {
		frame []byte
		want  protocol.UnknownMessageError
		text  string
	}{
		"type": {
			[]byte{3, 100, 1, 2},
			protocol.UnknownMessageError{Type: 100, Offset: 1},
			"protocol: unknown message type 100 at byte 1",
		},
		"sync type": {
			[]byte{3, 0, 3, 2},
			protocol.UnknownMessageError{Type: protocol.MessageSync, Subtype: 3, Offset: 1},
			"protocol: unknown message type 0.3 at byte 1",
		},
		"auth type": {
			[]byte{3, 2, 1, 2},
			protocol.UnknownMessageError{Type: protocol.MessageAuth, Subtype: 1, Offset: 1},
			"protocol: unknown message type 2.1 at byte 1",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			d := protocol.NewDecoder(c.frame)
			_, err := protocol.ReadMessage(d)
			require.NoError(t, err)
			_, err = protocol.ReadMessage(d)
			require.ErrorIs(t, err, protocol.ErrUnknownMessage)
			require.NotErrorIs(t, err, protocol.ErrMalformed)
			var unknown *protocol.UnknownMessageError
			require.ErrorAs(t, err, &unknown)
			assert.Equal(t, c.want, *unknown)
			assert.EqualError(t, err, c.text)
			rest, err := d.ReadUint8()
			require.NoError(t, err, "the rest must be left to the caller")
			assert.Equal(t, c.frame[d.Offset()-1], rest)
		})
	}
}

func TestReadMessage_PayloadIsAView(t *testing.T) {
	frame := protocol.AppendUpdate(nil, []byte{1, 2})
	m, err := protocol.ReadMessage(protocol.NewDecoder(frame))
	require.NoError(t, err)
	assert.Same(t, &frame[3], &m.Payload[0])
}

func TestReadMessage_RefusesReasonThatIsNotUTF8(t *testing.T) {
	_, err := protocol.ReadMessage(protocol.NewDecoder([]byte{2, 0, 1, 0xff}))
	requireMalformed(t, err)
}
