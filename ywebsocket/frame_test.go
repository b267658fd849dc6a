package ywebsocket

import (
	"bytes"
	"strings"
	"testing"

	"github.com/gobwas/ws"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt/protocol"
)

func decodeFrame(t *testing.T, wire []byte) ws.Frame {
	t.Helper()
	r := bytes.NewReader(wire)
	f, err := ws.ReadFrame(r)
	require.NoError(t, err)
	require.Zero(t, r.Len(), "one frame and nothing else")
	require.NoError(t, ws.CheckHeader(f.Header, ws.StateClientSide))
	require.True(t, f.Header.Fin)
	return f
}

func TestFrame_OneMessageOfAnySize(t *testing.T) {
	for _, size := range []int{0, 1, 100, 120, 121, 122, 125, 126, 127, 65530, 65535, 65536, 70000, 3 << 20} {
		content := bytes.Repeat([]byte{7}, size)
		for _, test := range []struct {
			f    frame
			kind protocol.MessageType
			sync protocol.SyncType
		}{
			{updateFrame(content), protocol.MessageSync, protocol.SyncUpdate},
			{step1Frame(content), protocol.MessageSync, protocol.SyncStep1},
			{step2Frame(content), protocol.MessageSync, protocol.SyncStep2},
			{awarenessFrame(content), protocol.MessageAwareness, 0},
		} {
			decoded := decodeFrame(t, test.f.wire)
			assert.Equal(t, ws.OpBinary, decoded.Header.OpCode)
			d := protocol.NewDecoder(decoded.Payload)
			m, err := protocol.ReadMessage(d)
			require.NoError(t, err)
			assert.Zero(t, d.Remaining())
			assert.Equal(t, test.kind, m.Type)
			assert.Equal(t, test.sync, m.Sync)
			assert.True(t, bytes.Equal(content, m.Payload))
			assert.True(t, bytes.Equal(content, test.f.content))
		}
	}
}

func TestKeepAliveFrame(t *testing.T) {
	assert.Equal(t, []byte{1, 1, 0}, decodeFrame(t, keepAliveFrame.wire).Payload)
}

func TestCloseFrame(t *testing.T) {
	tests := []struct {
		code         CloseCode
		reason, want string
	}{
		{1000, "", ""},
		{4400, "malformed", "malformed"},
		{4400, strings.Repeat("x", 200), strings.Repeat("x", 123)},
		{4400, "x" + strings.Repeat("é", 100), "x" + strings.Repeat("é", 61)},
		{4400, "cut\xff", "cut"},
	}
	for _, test := range tests {
		f := decodeFrame(t, closeFrame(test.code, test.reason))
		code, reason := ws.ParseCloseFrameData(f.Payload)
		assert.Equal(t, ws.OpClose, f.Header.OpCode)
		assert.Equal(t, ws.StatusCode(test.code), code)
		assert.Equal(t, test.want, reason)
		assert.NoError(t, ws.CheckCloseFrameData(code, reason))
	}
	assert.Empty(t, decodeFrame(t, closeFrame(0, "")).Payload)
}

func TestValidClose(t *testing.T) {
	for _, code := range []ws.StatusCode{1000, 1001, 1003, 1007, 1011, 1012, 1013, 1014, 3000, 4400, 4999} {
		assert.True(t, validClose(ws.NewCloseFrameBody(code, "é")), code)
	}
	for _, code := range []ws.StatusCode{0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000} {
		assert.False(t, validClose(ws.NewCloseFrameBody(code, "")), code)
	}
	assert.True(t, validClose(nil))
	assert.False(t, validClose([]byte{3}))
	assert.False(t, validClose(ws.NewCloseFrameBody(1000, "\xff")))
}
