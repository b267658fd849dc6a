package ywebsocket

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt"
	"github.com/yrs-go/yrs/ycrdt/protocol"
)

// patience is how long a test waits for what must come.
const patience = 20 * time.Second

// testTick is how often it looks whether that has happened.
const testTick = 5 * time.Millisecond

// client is a peer that speaks the wire format by hand.
type client struct {
	t    testing.TB
	conn net.Conn
	r    *bufio.Reader
	// rest is what follows in the frame of the last message.
	rest *protocol.Decoder
}

// connect opens a connection without a word.
func connect(t testing.TB, url string) *client {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	conn, early, _, err := ws.Dialer{}.Dial(ctx, url)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	if early == nil {
		early = bufio.NewReader(conn)
	}
	return &client{t: t, conn: conn, r: early}
}

// newPipeClient returns the client at the other end of a pipe.
func newPipeClient(t testing.TB, conn net.Conn) *client {
	return &client{t: t, conn: conn, r: bufio.NewReader(conn)}
}

// join connects and exchanges the sync messages, with nothing to offer. It
// returns the client and what the room holds.
func join(t testing.TB, url string) (*client, []byte) {
	t.Helper()
	c := connect(t, url)
	c.expectSync(protocol.SyncStep1)
	c.send(protocol.AppendSyncStep1(nil, []byte{0}))
	for { // others may be writing
		if m := c.nextOf(protocol.MessageSync); m.Sync == protocol.SyncStep2 {
			return c, m.Payload
		}
	}
}

// send writes a binary message.
func (c *client) send(payload []byte) { c.sendFrame(ws.NewBinaryFrame(payload)) }

func (c *client) sendUpdate(update []byte) { c.send(protocol.AppendUpdate(nil, update)) }

func (c *client) sendFrame(f ws.Frame) {
	c.t.Helper()
	wire, err := ws.CompileFrame(ws.MaskFrame(f))
	require.NoError(c.t, err)
	_, err = c.conn.Write(wire)
	require.NoError(c.t, err)
}

// readFrame returns the next frame.
func (c *client) readFrame() (ws.Frame, error) {
	c.t.Helper()
	if err := c.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return ws.Frame{}, err
	}
	return ws.ReadFrame(c.r)
}

// next returns the next message; it answers pings.
func (c *client) next() protocol.Message {
	c.t.Helper()
	for {
		if c.rest != nil && c.rest.Remaining() > 0 {
			m, err := protocol.ReadMessage(c.rest)
			require.NoError(c.t, err)
			return m
		}
		f, err := c.readFrame()
		require.NoError(c.t, err)
		switch f.Header.OpCode {
		case ws.OpBinary:
			c.rest = protocol.NewDecoder(f.Payload)
		case ws.OpPing:
			c.sendFrame(ws.NewPongFrame(f.Payload))
		default:
			code, reason := ws.ParseCloseFrameData(f.Payload)
			require.Failf(c.t, "unexpected frame", "opcode %d, close code %d %s", f.Header.OpCode, code, reason)
		}
	}
}

// expectSync skips to the next sync message, which must be of this kind, and
// returns its content.
func (c *client) expectSync(want protocol.SyncType) []byte {
	c.t.Helper()
	m := c.nextOf(protocol.MessageSync)
	require.Equal(c.t, want, m.Sync)
	return m.Payload
}

func (c *client) expectUpdate() []byte {
	c.t.Helper()
	return c.expectSync(protocol.SyncUpdate)
}

// expectAwareness skips to the next awareness message that is not a keep-alive.
func (c *client) expectAwareness() []protocol.AwarenessEntry {
	c.t.Helper()
	for {
		entries, err := protocol.DecodeAwarenessUpdate(c.nextOf(protocol.MessageAwareness).Payload)
		require.NoError(c.t, err)
		if len(entries) > 0 {
			return entries
		}
	}
}

func (c *client) nextOf(kind protocol.MessageType) protocol.Message {
	c.t.Helper()
	for {
		if m := c.next(); m.Type == kind {
			return m
		}
	}
}

// expectClose skips to the close frame, answers it, and makes sure that the
// connection ends.
func (c *client) expectClose() (CloseCode, string) {
	c.t.Helper()
	for {
		f, err := c.readFrame()
		require.NoError(c.t, err, "the connection ended without a close frame")
		if f.Header.OpCode != ws.OpClose {
			continue
		}
		code, reason := ws.ParseCloseFrameData(f.Payload)
		_ = ws.WriteFrame(c.conn, ws.MaskFrame(ws.NewCloseFrame(f.Payload))) // it may be gone already
		c.expectEnd()
		return CloseCode(code), reason
	}
}

// expectEnd makes sure that nothing more comes.
func (c *client) expectEnd() {
	c.t.Helper()
	_, err := c.readFrame()
	require.Error(c.t, err)
	var timeout net.Error
	require.False(c.t, errors.As(err, &timeout) && timeout.Timeout(), "the connection is still open")
}

// expectSilence makes sure that nothing was sent to the client before the answer
// to a request that it makes now.
func (c *client) expectSilence() {
	c.t.Helper()
	c.send(protocol.AppendSyncStep1(nil, []byte{0}))
	m := c.next()
	require.Equal(c.t, protocol.SyncStep2, m.Sync, "message of type %d in between", m.Type)
	require.Equal(c.t, protocol.MessageSync, m.Type)
}

// refusal returns status and text of the answer to a request for a connection.
func refused(t *testing.T, url string, header http.Header) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http"+url[len("ws"):], nil)
	require.NoError(t, err)
	r.Header = http.Header{
		"Connection": {"Upgrade"}, "Upgrade": {"websocket"},
		"Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"AAAAAAAAAAAAAAAAAAAAAA=="},
	}
	for key, values := range header {
		r.Header[key] = values
	}
	r.Host = header.Get("Host")
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	response, err := transport.RoundTrip(r)
	require.NoError(t, err)
	defer response.Body.Close()
	if response.StatusCode == http.StatusSwitchingProtocols {
		return response.StatusCode, ""
	}
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, string(body)
}

// insert is the update by which a client appends text to what it wrote before in
// the root text "t". Clock is how many UTF-16 units that was.
func insert(client, clock uint64, text string) []byte {
	b := []byte{1, 1} // one client with one block
	b = binary.AppendUvarint(b, client)
	b = binary.AppendUvarint(b, clock)
	if clock == 0 {
		b = append(b, 0x04, 1, 1, 't') // a string whose parent is the root "t"
	} else {
		b = append(b, 0x84) // a string with an origin on its left
		b = binary.AppendUvarint(b, client)
		b = binary.AppendUvarint(b, clock-1)
	}
	b = binary.AppendUvarint(b, uint64(len(text)))
	b = append(b, text...)
	return append(b, 0) // nothing deleted
}

// textOf returns the root text "t" of a document made of these updates.
func textOf(t *testing.T, updates ...[]byte) string {
	t.Helper()
	doc := ycrdt.NewDoc()
	defer doc.Close()
	for _, update := range updates {
		require.NoError(t, doc.ApplyUpdate(update))
	}
	var text string
	require.NoError(t, doc.View(func(tx *ycrdt.Tx) error {
		text = tx.Text("t").String()
		return nil
	}))
	return text
}
