package ywebsocket

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gobwas/ws"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt/protocol"
	"github.com/yrs-go/yrs/ywebsocket/store"
)

// servePipe joins a client to a room over a pipe, where time can be made to pass.
func servePipe(t *testing.T, s *Server, room string) *client {
	t.Helper()
	require.NoError(t, s.admit())
	r, err := s.registry.hold(room)
	require.NoError(t, err)
	ours, theirs := net.Pipe()
	connection := newConn(s, r, &activeConn{Conn: ours, received: newActivity()}, "pipe")
	s.mu.Lock()
	s.connections[connection] = struct{}{}
	s.mu.Unlock()
	go connection.serve()
	t.Cleanup(func() {
		_ = theirs.Close()
		synctest.Wait()
	})
	c := newPipeClient(t, theirs)
	c.expectSync(protocol.SyncStep1)
	return c
}

// expectFrameAt reads the next frame, which must come at that time.
func (c *client) expectFrameAt(start time.Time, after time.Duration) ws.Frame {
	c.t.Helper()
	require.NoError(c.t, c.conn.SetReadDeadline(time.Now().Add(time.Hour)))
	f, err := ws.ReadFrame(c.r)
	require.NoError(c.t, err)
	assert.Equal(c.t, after, time.Since(start).Round(time.Second))
	return f
}

func TestConn_KeepAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t, Options{})
		c := servePipe(t, s, "room")
		start := time.Now()
		assert.Equal(t, []byte{1, 1, 0}, c.expectFrameAt(start, 20*time.Second).Payload)

		time.Sleep(5 * time.Second)
		c.send(protocol.AppendQueryAwareness(nil))
		assert.Equal(t, []byte{1, 1, 0}, c.expectFrameAt(start, 25*time.Second).Payload, "an answer")
		assert.Equal(t, []byte{1, 1, 0}, c.expectFrameAt(start, 45*time.Second).Payload, "20 seconds after that")
		assert.Equal(t, ws.OpPing, c.expectFrameAt(start, 55*time.Second).Header.OpCode, "30 seconds after the last sign of life")
		c.sendFrame(ws.NewPongFrame(nil))
		assert.Equal(t, []byte{1, 1, 0}, c.expectFrameAt(start, 65*time.Second).Payload, "a ping is no message")
	})
}

func TestConn_AnsweredPings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t, Options{Timeouts: Timeouts{KeepAlive: time.Hour}})
		c := servePipe(t, s, "room")
		start := time.Now()
		for i := range 5 {
			assert.Equal(t, ws.OpPing, c.expectFrameAt(start, time.Duration(i+1)*30*time.Second).Header.OpCode)
			c.sendFrame(ws.NewPongFrame(nil))
		}
	})
}

func TestConn_UnansweredPing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t, Options{Timeouts: Timeouts{KeepAlive: time.Hour}})
		c := servePipe(t, s, "room")
		start := time.Now()
		assert.Equal(t, ws.OpPing, c.expectFrameAt(start, 30*time.Second).Header.OpCode)
		f := c.expectFrameAt(start, time.Minute)
		require.Equal(t, ws.OpClose, f.Header.OpCode)
		code, _ := ws.ParseCloseFrameData(f.Payload)
		assert.EqualValues(t, CloseGoingAway, code)
	})
}

// A message on a slow line takes longer than a client may be silent.
func TestConn_BytesAreSignsOfLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t, Options{Timeouts: Timeouts{KeepAlive: time.Hour, Message: time.Hour}})
		c := servePipe(t, s, "room")
		update := insert(1, 0, "slow")
		in := input(t, ws.NewBinaryFrame(protocol.AppendUpdate(nil, update)))
		const headerSize = 6
		_, err := c.conn.Write(in[:headerSize])
		require.NoError(t, err)
		for _, b := range in[headerSize:] {
			time.Sleep(29 * time.Second)
			_, err := c.conn.Write([]byte{b})
			require.NoError(t, err)
		}
		require.NoError(t, c.conn.SetReadDeadline(time.Now().Add(time.Second)))
		f, err := ws.ReadFrame(c.r)
		require.NoError(t, err)
		assert.Equal(t, protocol.AppendUpdate(nil, update), f.Payload, "without a ping in between")
	})
}

// slowReader pauses before it reads.
type slowReader struct {
	io.Reader
	pause *time.Duration
}

func (r slowReader) Read(p []byte) (int, error) {
	time.Sleep(*r.pause)
	return r.Reader.Read(p)
}

// A client that is sent much and has nothing to say gets no ping before it has read
// all of it, so silence is no sign that it is gone. That it reads nothing is one.
func TestConn_SlowDownload(t *testing.T) {
	for name, test := range map[string]struct {
		timeouts Timeouts
		pause    time.Duration // for 64 KiB
	}{
		"in many parts":        {Timeouts{}, 15 * time.Second},
		"each part takes long": {Timeouts{Write: 5 * time.Minute}, 4 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const size = 16 * writeSize
				backing := store.NewMemory()
				require.NoError(t, backing.Append(t.Context(), "room", insert(1, 0, strings.Repeat("x", size))))
				s := newTestServer(t, Options{Store: backing, Timeouts: test.timeouts})
				c := servePipe(t, s, "room")
				require.NoError(t, c.conn.SetReadDeadline(time.Time{}))
				pause := test.pause
				slow := bufio.NewReaderSize(slowReader{c.conn, &pause}, writeSize)
				ask := func() { c.send(protocol.AppendSyncStep1(nil, []byte{0})) }
				ask()
				f, err := ws.ReadFrame(slow)
				require.NoError(t, err)
				assert.Greater(t, len(f.Payload), size)
				for pause = 0; f.Header.OpCode != ws.OpPing; { // skips the keep-alives
					f, err = ws.ReadFrame(slow)
					require.NoError(t, err)
					require.NotEqual(t, ws.OpClose, f.Header.OpCode)
				}

				pause = test.pause
				ask()
				_, err = io.ReadFull(slow, make([]byte, size/2))
				require.NoError(t, err)
				time.Sleep(s.options.Timeouts.Write)
				synctest.Wait()
				s.mu.Lock()
				defer s.mu.Unlock()
				assert.Empty(t, s.connections, "it reads no more")
			})
		})
	}
}

// A client that completes its request and then does nothing, not even read.
func TestConn_IdleFromTheBeginning(t *testing.T) {
	s, url := serve(t, Options{Timeouts: Timeouts{Ping: 20 * time.Millisecond, Pong: 20 * time.Millisecond, Close: 20 * time.Millisecond}})
	conn, err := net.Dial("tcp", address(url))
	require.NoError(t, err)
	defer conn.Close()
	_, err = conn.Write([]byte(handshakeRequest))
	require.NoError(t, err)
	for _, want := range []int{1, 0} {
		require.Eventually(t, func() bool {
			s.mu.Lock()
			defer s.mu.Unlock()
			return s.admitted == want
		}, patience, time.Millisecond)
	}
}

// The peer is alive and reads; it just reads nothing for a while. The others go
// on, and it is told why it was closed.
func TestConn_SlowClient(t *testing.T) {
	s, url := serve(t, Options{Limits: Limits{Queue: 64 << 10}})
	writer, _ := join(t, url+"room")
	reader, _ := join(t, url+"room")
	slow, _ := join(t, url+"room")
	text := bytes.Repeat([]byte("x"), 32<<10)
	sent := 0
	for !closesOne(s) {
		sent++
		require.Less(t, sent, 10_000)
		writer.sendUpdate(insert(uint64(sent), 0, string(text)))
		writer.expectUpdate()
		assert.True(t, bytes.Contains(reader.expectUpdate(), text))
	}
	code, reason := slow.expectClose()
	assert.Equal(t, CloseTryAgainLater, code)
	assert.Contains(t, reason, "too slowly")

	_, state := join(t, url+"room")
	assert.Len(t, textOf(t, state), sent*len(text), "after reconnecting it has everything")
	writer.expectSilence()
}

// closesOne reports whether the server is closing one of its connections.
func closesOne(s *Server) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.connections {
		if c.out.isClosed() {
			return true
		}
	}
	return false
}

// A client that asks for much and reads nothing makes the server hold one answer
// beyond the limit, be it in the queue or half written.
func TestConn_AnswersWaitForTheirReader(t *testing.T) {
	s, url := serve(t, Options{Limits: Limits{Queue: 64 << 10}})
	c, _ := join(t, url+"room")
	update := insert(1, 0, string(bytes.Repeat([]byte("x"), 256<<10)))
	c.sendUpdate(update)
	c.expectUpdate()
	const questions = 50
	go func() {
		for range questions {
			if ws.WriteFrame(c.conn, ws.MaskFrame(ws.NewBinaryFrame(protocol.AppendSyncStep1(nil, []byte{0})))) != nil {
				return
			}
		}
	}()
	for range questions {
		assert.Len(t, c.expectSync(protocol.SyncStep2), len(update))
		s.mu.Lock()
		for connection := range s.connections {
			connection.out.mu.Lock()
			assert.Less(t, connection.out.replyBytes+connection.out.inHand, 64<<10+len(update)+1000)
			connection.out.mu.Unlock()
		}
		s.mu.Unlock()
	}
}
