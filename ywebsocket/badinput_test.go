package ywebsocket

import (
	"bytes"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt"
	"github.com/yrs-go/yrs/ycrdt/protocol"
)

func TestConn_BadInputCostsItsSenderTheConnection(t *testing.T) {
	binary := func(payload ...byte) []byte { return input(t, ws.NewBinaryFrame(payload)) }
	update := func(update ...byte) []byte { return binary(protocol.AppendUpdate(nil, update)...) }
	tests := []struct {
		name string
		in   []byte
		code CloseCode
	}{
		{"empty message", binary(), CloseMalformed},
		{"unknown message", binary(77), CloseMalformed},
		{"unknown sync message", binary(0, 3, 0), CloseMalformed},
		{"sync message cut short", binary(0, 2, 10, 1), CloseMalformed},
		{"second message cut short", binary(3, 0), CloseMalformed},
		{"length beyond everything", binary(0, 2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f), CloseMalformed},
		{"malformed state vector", binary(protocol.AppendSyncStep1(nil, []byte{5, 1})...), CloseMalformed},
		{"no state vector", binary(protocol.AppendSyncStep1(nil, nil)...), CloseMalformed},
		{"malformed update", update(9, 9, 9), CloseMalformed},
		{"no update", update(), CloseMalformed},
		{"update with an empty block", update(1, 1, 7, 0, 0, 0, 0), CloseMalformed},
		{"update with a client twice", update(2, 1, 1, 0, 4, 1, 1, 't', 1, 'a', 1, 1, 0, 4, 1, 1, 't', 1, 'b', 0), CloseMalformed},
		{"update with a clock beyond 31 bits", update(1, 1, 1, 0xff, 0xff, 0xff, 0xff, 0x0f, 4, 1, 1, 't', 1, 'a', 0), CloseMalformed},
		{"update that declares too much", update(0xff, 0xff, 0xff, 0xff, 0x07, 0), CloseMalformed},
		{"state vector that declares too much", binary(protocol.AppendSyncStep1(nil, []byte{0xff, 0xff, 0xff, 0xff, 0x01})...), CloseMalformed},
		{"update that breaks the document", update(poisonous(1)...), ClosePoisoned},
		{"malformed step 2", binary(protocol.AppendSyncStep2(nil, []byte{9})...), CloseMalformed},
		{"malformed awareness", binary(protocol.AppendAwareness(nil, []byte{3, 1})...), CloseMalformed},
		{"awareness that is no JSON", binary(protocol.AppendAwareness(nil,
			protocol.AppendAwarenessUpdate(nil, state(1, 1, "{")))...), CloseMalformed},
		{"text", input(t, ws.NewTextFrame([]byte("{}"))), CloseUnsupportedData},
		{"64 GiB", header(ws.Header{Fin: true, OpCode: ws.OpBinary, Masked: true, Length: 64 << 30}), CloseTooBig},
		{"not masked", ws.MustCompileFrame(ws.NewBinaryFrame([]byte{3})), CloseProtocolError},
		{"close with a code that is none", input(t, ws.NewCloseFrame([]byte{0, 1})), CloseProtocolError},
		{"close with half a code", input(t, ws.NewCloseFrame([]byte{3})), CloseProtocolError},
		{"close with a reserved code", input(t, ws.NewCloseFrame(ws.NewCloseFrameBody(1005, ""))), CloseProtocolError},
		{"close with a reason that is no text", input(t, ws.NewCloseFrame([]byte("\x03\xe8\xff"))), CloseProtocolError},
		{"reserved bit", header(ws.Header{Fin: true, Rsv: 4, OpCode: ws.OpBinary, Masked: true}), CloseProtocolError},
		{"flood of pings", input(t, pings(1001)...), ClosePolicyViolation},
		{"too many fragments", input(t, fragments(100_001)...), CloseTooBig},
	}
	var last atomic.Pointer[fragile]
	_, url := serve(t, Options{}, fragileLoads(ycrdt.CodeApplyFailed, &last))
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a, _ := join(t, url+"room")
			b, _ := join(t, url+"room")
			evil, _ := join(t, url+"room")
			_, err := evil.conn.Write(test.in)
			require.NoError(t, err)
			code, reason := evil.expectClose()
			assert.Equal(t, test.code, code)
			assert.NotEmpty(t, reason)

			again := insert(1, 0, "x")
			a.sendUpdate(again)
			assert.Equal(t, again, a.expectUpdate())
			b.expectSilenceBut(protocol.SyncUpdate)
		})
	}
}

// expectSilenceBut is expectSilence, but allows sync messages of one kind.
func (c *client) expectSilenceBut(allowed protocol.SyncType) {
	c.t.Helper()
	c.send(protocol.AppendSyncStep1(nil, []byte{0}))
	for {
		m := c.next()
		require.Equal(c.t, protocol.MessageSync, m.Type)
		if m.Sync == protocol.SyncStep2 {
			return
		}
		require.Equal(c.t, allowed, m.Sync)
	}
}

func TestConn_MessageAboveTheLimit(t *testing.T) {
	_, url := serve(t, Options{Limits: Limits{Message: 1000}})
	c, _ := join(t, url+"room")
	fits := insert(1, 0, string(make([]byte, 900)))
	c.sendUpdate(fits)
	assert.Equal(t, fits, c.expectUpdate())
	c.sendUpdate(insert(1, 900, string(make([]byte, 1000))))
	code, _ := c.expectClose()
	assert.Equal(t, CloseTooBig, code)
}

// A connection that is closed while its peer is still sending is reset, and the
// close frame may be lost: what comes is taken in and thrown away.
func TestConn_CloseWhileTheClientIsSending(t *testing.T) {
	_, url := serve(t, Options{Timeouts: Timeouts{Close: patience}})
	c, _ := join(t, url+"room")
	sent := make(chan error, 1)
	go func() {
		var err error
		for range 20 {
			if _, err = c.conn.Write(make([]byte, 1<<20)); err != nil {
				break
			}
		}
		sent <- err
	}()
	assert.NoError(t, <-sent)
	code, _ := c.expectClose()
	assert.Equal(t, CloseProtocolError, code)
}

// The client need not answer the close frame to see the end.
func TestConn_CloseEndsTheStream(t *testing.T) {
	_, url := serve(t, Options{Timeouts: Timeouts{Close: time.Hour}})
	c, _ := join(t, url+"room")
	c.send(nil)
	f, err := c.readFrame()
	require.NoError(t, err)
	require.Equal(t, ws.OpClose, f.Header.OpCode)
	c.expectEnd()
}

func TestConn_DeclaredLengthCostsNothing(t *testing.T) {
	const clients = 50
	s, url := serve(t, Options{Limits: Limits{Message: 1 << 30}})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range clients {
		c, _ := join(t, url+"room")
		_, err := c.conn.Write(header(ws.Header{Fin: true, OpCode: ws.OpBinary, Masked: true, Length: 1 << 30}))
		require.NoError(t, err)
		_, err = c.conn.Write([]byte("a little"))
		require.NoError(t, err)
	}
	require.Eventually(t, func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		for c := range s.connections {
			if !c.waiting.Load() {
				return false
			}
		}
		return len(s.connections) == clients
	}, patience, testTick)
	runtime.ReadMemStats(&after)
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(64<<20))
}

// Who uses up what all connections have together keeps the others from sending much,
// for as long as it is connected.
func TestConn_TooMuchIncoming(t *testing.T) {
	s, url := serve(t, Options{Limits: Limits{Message: 1 << 20, Incoming: 1 << 20}})
	large := insert(2, 0, string(bytes.Repeat([]byte("x"), 500<<10)))
	greedy, _ := join(t, url+"room")
	_, err := greedy.conn.Write(header(ws.Header{Fin: true, OpCode: ws.OpBinary, Masked: true, Length: 1 << 20}))
	require.NoError(t, err)
	_, err = greedy.conn.Write(make([]byte, 700<<10))
	require.NoError(t, err)
	require.Eventually(t, func() bool { return s.incoming.inUse() > 600<<10 }, patience, testTick)

	c, _ := join(t, url+"room")
	small := insert(1, 0, "small")
	c.sendUpdate(small)
	assert.Equal(t, small, c.expectUpdate())
	c.sendUpdate(large)
	code, reason := c.expectClose()
	assert.Equal(t, CloseTryAgainLater, code)
	assert.Contains(t, reason, "too much at once")

	require.NoError(t, greedy.conn.Close())
	require.Eventually(t, func() bool { return s.incoming.inUse() == 0 }, patience, testTick)
	again, _ := join(t, url+"room")
	again.sendUpdate(large)
	assert.Equal(t, large, again.expectUpdate())
}

func TestConn_ManyMessagesInOneFrame(t *testing.T) {
	_, url := serve(t, Options{})
	c, _ := join(t, url+"room")
	one, two := insert(1, 0, "one"), insert(1, 3, "two")
	frame := protocol.AppendUpdate(nil, one)
	frame = protocol.AppendAwareness(frame, protocol.AppendAwarenessUpdate(nil, state(1, 1, `{}`)))
	frame = protocol.AppendPermissionDenied(frame, "nonsense from a client")
	frame = protocol.AppendUpdate(frame, two)
	frame = protocol.AppendQueryAwareness(frame)
	c.send(frame)
	assert.Equal(t, []protocol.AwarenessEntry{state(1, 1, `{}`)}, c.expectAwareness())

	_, content := join(t, url+"room")
	assert.Equal(t, "onetwo", textOf(t, content))
}

func TestConn_ControlFrames(t *testing.T) {
	_, url := serve(t, Options{})
	c, _ := join(t, url+"room")
	whole := protocol.AppendUpdate(nil, insert(1, 0, "fragments"))
	c.sendFrame(ws.NewFrame(ws.OpBinary, false, whole[:5]))
	c.sendFrame(ws.NewPingFrame([]byte("hello")))
	c.sendFrame(ws.NewFrame(ws.OpContinuation, true, whole[5:]))
	c.sendFrame(ws.NewPongFrame([]byte("unasked")))

	f, err := c.readFrame()
	require.NoError(t, err)
	assert.Equal(t, ws.OpPong, f.Header.OpCode)
	assert.Equal(t, []byte("hello"), f.Payload)
	assert.Equal(t, "fragments", textOf(t, c.expectUpdate()))

	c.sendFrame(ws.NewCloseFrame(ws.NewCloseFrameBody(3000, "bye")))
	code, _ := c.expectClose()
	assert.EqualValues(t, 3000, code, "the client's own code comes back")
}

func TestConn_CloseWithoutACode(t *testing.T) {
	_, url := serve(t, Options{})
	c, _ := join(t, url+"room")
	c.sendFrame(ws.NewCloseFrame(nil))
	f, err := c.readFrame()
	require.NoError(t, err)
	assert.Equal(t, ws.OpClose, f.Header.OpCode)
	assert.Empty(t, f.Payload)
	c.expectEnd()
}
