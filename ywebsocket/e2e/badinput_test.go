package e2e_test

import (
	"bytes"
	"context"
	"io"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/internal/peers"
	"github.com/yrs-go/yrs/ywebsocket"
)

// TestBadInput_EndsTheSenderAlone sends what no peer would, in a room where two others write.
func TestBadInput_EndsTheSenderAlone(t *testing.T) {
	binary := func(payload ...byte) []byte { return maskedFrame(ws.OpBinary, payload) }
	tests := []struct {
		name string
		sent []byte
		code ywebsocket.CloseCode
	}{
		{"an empty message", binary(), ywebsocket.CloseMalformed},
		{"a number that does not end", binary(0x80), ywebsocket.CloseMalformed},
		{"a sync message without a kind", binary(0), ywebsocket.CloseMalformed},
		{"a sync message of an unknown kind", binary(0, 9), ywebsocket.CloseMalformed},
		{"a state vector that is cut off", binary(0, 0, 5, 1), ywebsocket.CloseMalformed},
		{"a state vector of 2^29 clients", binary(0, 0, 5, 0x80, 0x80, 0x80, 0x80, 0x02), ywebsocket.CloseMalformed},
		{"an update that is cut off", binary(0, 2, 9, 1), ywebsocket.CloseMalformed},
		{"an update that is noise", binary(0, 2, 6, 0xff, 1, 2, 3, 4, 5), ywebsocket.CloseMalformed},
		{"an update with a block of length 0", binary(append([]byte{0, 2}, lengthZero...)...), ywebsocket.CloseMalformed},
		{"an update that lists a client twice", binary(append([]byte{0, 2}, clientTwice...)...), ywebsocket.CloseMalformed},
		{"awareness that is cut off", binary(1, 3, 1, 7), ywebsocket.CloseMalformed},
		{"awareness that is not JSON", binary(1, 5, 1, 7, 1, 1, '{'), ywebsocket.CloseMalformed},
		{"a text message", maskedFrame(ws.OpText, []byte("hello")), ywebsocket.CloseUnsupportedData},
		{"a frame of 64 GiB", frameHeader(64 << 30), ywebsocket.CloseTooBig},
		{"a frame without a mask", ws.MustCompileFrame(ws.NewBinaryFrame([]byte{3})), ywebsocket.CloseProtocolError},
		{"a continuation of nothing", maskedFrame(ws.OpContinuation, []byte{3}), ywebsocket.CloseProtocolError},
	}
	server := startServer(t)
	yjs := peers.StartYjs(t, 1)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			room := roomName(t)
			ada, grace := yjs.Connect(t, server.websocket(), room, nil), yjs.Connect(t, server.websocket(), room, nil)
			ada.Edit(text.InsertText(0, "before", nil))
			grace.Await(text, "before")

			code, reason := closeOf(t, server.websocket()+"/"+room, test.sent)
			assert.Equal(t, test.code, code)
			assert.NotEmpty(t, reason)

			grace.Edit(text.InsertText(6, " after", nil))
			ada.Await(text, "before after")
			assert.Empty(t, append(ada.Connections().Closed, grace.Connections().Closed...))
		})
	}
}

func TestBadInput_YjsStaysAway(t *testing.T) {
	server := startServer(t)
	client := peers.StartYjs(t, 1).Connect(t, server.websocket(), "stays-away", nil)
	client.Send([]byte{0, 2, 9, 1})
	connections := client.AwaitStopped()
	assert.Equal(t, 1, connections.Opened)
	require.Len(t, connections.Closed, 1)
	assert.Equal(t, int(ywebsocket.CloseMalformed), connections.Closed[0].Code)
	assert.NotEmpty(t, connections.Closed[0].Reason)
}

// lengthZero and clientTwice are updates as a sync message holds them, behind their length. Each has GC blocks
// (kind 0) of client 7 and an empty delete set. The one is accepted by yrs and then breaks every encoding of the
// document, the other makes it read freed memory.
var (
	lengthZero  = []byte{7, 1, 1, 7, 0, 0, 0, 0}
	clientTwice = []byte{12, 2, 1, 7, 0, 0, 2, 1, 7, 1, 0, 2, 0}
)

func maskedFrame(code ws.OpCode, payload []byte) []byte {
	return ws.MustCompileFrame(ws.MaskFrame(ws.NewFrame(code, true, payload)))
}

// frameHeader begins a message of this length.
func frameHeader(length int64) []byte {
	var header bytes.Buffer
	_ = ws.WriteHeader(&header, ws.Header{Fin: true, OpCode: ws.OpBinary, Masked: true, Length: length})
	return header.Bytes()
}

// closeOf connects without a protocol, sends these bytes and returns how the server ends the connection.
func closeOf(t *testing.T, address string, sent []byte) (ywebsocket.CloseCode, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), peers.Timeout)
	defer cancel()
	conn, buffered, _, err := ws.Dial(ctx, address)
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(peers.Timeout)))
	var received io.Reader = conn
	if buffered != nil {
		received = buffered
	}
	_, err = conn.Write(sent)
	require.NoError(t, err)
	for {
		frame, err := ws.ReadFrame(received)
		require.NoError(t, err, "the connection ended without a close frame")
		if frame.Header.OpCode == ws.OpClose {
			code, reason := ws.ParseCloseFrameData(frame.Payload)
			return ywebsocket.CloseCode(code), reason
		}
	}
}
