package ywebsocket

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt/protocol"
)

// listenRaw serves connections by hand and returns the ws:// address.
func listenRaw(t *testing.T, serve func(conn net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				serve(conn)
			}()
		}
	}()
	t.Cleanup(func() {
		_ = listener.Close()
		<-done
	})
	return "ws://" + listener.Addr().String()
}

// answering reads a request and answers with these bytes.
func answering(answer string) func(net.Conn) {
	return func(conn net.Conn) {
		if _, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
			_, _ = io.WriteString(conn, answer)
		}
	}
}

// framing opens the WebSocket, sends these bytes, and tells the code of the close frame that comes back.
func framing(frames []byte, closed chan<- CloseCode) func(net.Conn) {
	return func(conn net.Conn) {
		if _, err := ws.Upgrade(conn); err != nil {
			return
		}
		_, _ = conn.Write(frames)
		for {
			frame, err := ws.ReadFrame(conn)
			if err != nil {
				return
			}
			if frame.Header.OpCode == ws.OpClose {
				code, _ := ws.ParseCloseFrameData(ws.UnmaskFrame(frame).Payload)
				select {
				case closed <- CloseCode(code):
				default:
				}
				return
			}
		}
	}
}

func TestDial_WhatIsNoWebSocket(t *testing.T) {
	for name, test := range map[string]struct {
		serve     func(net.Conn)
		want      string
		permanent bool
	}{
		"closes at once":    {func(net.Conn) {}, "cannot connect to ws://127.0.0.1", false},
		"speaks SMTP":       {answering("220 mail.example.com ESMTP\r\n"), "cannot connect", false},
		"speaks TLS":        {answering("\x15\x03\x01\x00\x02\x02\x0a"), "cannot connect", false},
		"cut short":         {answering("HTTP/1.1 101 Switching"), "cannot connect", false},
		"an endless line":   {answering("HTTP/1.1 101 " + strings.Repeat("x", 1<<20)), "cannot connect", false},
		"another key":       {answering("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n"), "cannot connect", false},
		"no upgrade":        {answering("HTTP/1.1 101 Switching Protocols\r\n\r\n"), "cannot connect", false},
		"a page":            {answering("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"), `status 200 OK: "hello"`, false},
		"elsewhere":         {answering("HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n"), "status 302 Found", true},
		"not allowed":       {answering("HTTP/1.1 403 Forbidden\r\nContent-Length: 6\r\n\r\nno way"), `status 403 Forbidden: "no way"`, true},
		"too much of a no":  {answering("HTTP/1.1 403 Forbidden\r\nContent-Length: 1000000\r\n\r\n" + strings.Repeat("no", 500_000)), "status 403", true},
		"a broken answer":   {answering("HTTP/1.1 503 Service Unavailable\r\nRetry-After\r\n\r\n"), "503", false},
		"busy":              {answering("HTTP/1.1 503 Service Unavailable\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n"), "503", false},
		"too many requests": {answering("HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n"), "429", false},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Dial(withPatience(t), listenRaw(t, test.serve)+"/room", DialOptions{})
			require.ErrorContains(t, err, test.want)
			assert.Equal(t, test.permanent, isPermanent(err), "%v", err)
			assert.Less(t, len(err.Error()), 2000)
			var refusal *HandshakeError
			if name == "busy" {
				require.ErrorAs(t, err, &refusal)
				assert.Equal(t, 7*time.Second, refusal.RetryAfter)
			}
		})
	}
}

func isPermanent(err error) bool { return errors.Is(err, ErrPermanent) }

func TestDial_NobodyAnswers(t *testing.T) {
	hang := make(chan struct{})
	defer close(hang)
	url := listenRaw(t, func(net.Conn) { <-hang })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := Dial(ctx, url+"/room", DialOptions{})
	require.Error(t, err)
	assert.False(t, isPermanent(err))

	e := newEditor(t, ProviderOptions{URL: url, Room: "room", ConnectTimeout: 20 * time.Millisecond})
	e.Connect()
	for range 3 {
		e.expectState("it tries again", func(s ProviderState) bool { return s.Status == StatusConnecting && s.Err != nil })
	}
}

func TestDial_InvalidAddresses(t *testing.T) {
	for _, address := range []string{
		"ws://127.0.0.1:1/50%?token=secret", "ws://user:secret@127.0.0.1:1/50%", "ws://127.0.0.1:1/a\nb?secret", "://secret",
		"http://127.0.0.1:1/room?secret",
	} {
		_, err := Dial(t.Context(), address, DialOptions{})
		require.Error(t, err, address)
		assert.NotContains(t, err.Error(), "?", address)
		assert.NotContains(t, strings.ReplaceAll(err.Error(), "://secret", ""), "secret", address)
		if strings.Contains(address, "50%") {
			require.ErrorIs(t, err, ErrPermanent, address)
			assert.Contains(t, err.Error(), "invalid URL escape")
		}
	}
}

func TestDial_FramesThatAreNone(t *testing.T) {
	for name, test := range map[string]struct {
		frames    []byte
		code      CloseCode
		want      string
		permanent bool
	}{
		"masked":            {ws.MustCompileFrame(ws.MaskFrame(ws.NewBinaryFrame([]byte{3}))), CloseProtocolError, "does not speak the protocol", true},
		"a reserved bit":    {header(ws.Header{Fin: true, Rsv: 4, OpCode: ws.OpBinary}), CloseProtocolError, "does not speak the protocol", true},
		"no beginning":      {header(ws.Header{Fin: true, OpCode: ws.OpContinuation, Length: 1}), CloseProtocolError, "does not speak the protocol", true},
		"an unknown opcode": {header(ws.Header{Fin: true, OpCode: 5}), CloseProtocolError, "does not speak the protocol", true},
		"text":              {ws.MustCompileFrame(ws.NewTextFrame([]byte("{}"))), CloseUnsupportedData, "text message", true},
		"too long":          {ws.MustCompileFrame(ws.NewBinaryFrame(make([]byte, 1001))), CloseTooBig, "MaxMessage", true},
		"says it is 64 GiB": {header(ws.Header{Fin: true, OpCode: ws.OpBinary, Length: 64 << 30}), CloseTooBig, "MaxMessage", true},
		"a message cut":     {ws.MustCompileFrame(ws.NewBinaryFrame([]byte{0, 2, 9})), CloseMalformed, "does not speak the protocol", true},
		"an update that is none": {ws.MustCompileFrame(ws.NewBinaryFrame(protocol.AppendUpdate(nil, []byte("garbage")))), CloseMalformed,
			"look into the room there", true},
	} {
		t.Run(name, func(t *testing.T) {
			closed := make(chan CloseCode, 1)
			url := listenRaw(t, framing(test.frames, closed))
			e := newEditor(t, ProviderOptions{URL: url, Room: "room", WebSocket: DialOptions{MaxMessage: 1000}})
			e.Connect()
			err := e.Synced(withPatience(t))
			require.ErrorContains(t, err, test.want)
			assert.Equal(t, test.permanent, isPermanent(err))
			select {
			case code := <-closed:
				assert.Equal(t, test.code, code, "the server is told")
			case <-time.After(patience):
				t.Error("the server was not told")
			}
		})
	}
}

// What follows after an end in the band of 4400 to 4499 and after others, over the wire.
func TestDial_EveryCloseCode(t *testing.T) {
	codes := []CloseCode{0, 999, 2999, 3000, 3999, 4000, 4399, 4400, 4401, 4403, 4404, 4422, 4450, 4499, 4500, 4999, 5000, 65535}
	for code := CloseCode(1000); code < 1017; code++ {
		codes = append(codes, code)
	}
	for _, code := range codes {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			connections := make(chan struct{}, 100)
			body := []byte{byte(code >> 8), byte(code)}
			body = append(body, "because"...)
			if code == 0 {
				body = nil
			}
			serve := framing(ws.MustCompileFrame(ws.NewCloseFrame(body)), nil)
			url := listenRaw(t, func(conn net.Conn) {
				connections <- struct{}{}
				serve(conn)
			})
			e := newEditor(t, ProviderOptions{URL: url, Room: "room", Backoff: Backoff{Min: time.Millisecond, Max: time.Millisecond}})
			e.Connect()
			<-connections
			var reason *CloseError
			if code >= 4400 && code <= 4499 {
				require.ErrorIs(t, e.Synced(withPatience(t)), ErrPermanent)
				assert.Empty(t, connections)
				require.ErrorAs(t, e.State().Err, &reason)
				assert.Equal(t, CloseError{code, "because"}, *reason)
				return
			}
			for range 3 {
				<-connections
			}
			e.expectState("it tells why", func(s ProviderState) bool { return s.Err != nil })
		})
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"":                              0,
		"0":                             0,
		"120":                           2 * time.Minute,
		"-1":                            0,
		"1.5":                           0,
		"soon":                          0,
		"99999999999999999999":          0,
		"Fri, 02 Jan 2026 03:05:05 GMT": time.Minute,
		"Fri, 02 Jan 2026 03:00:00 GMT": 0,
	} {
		assert.Equal(t, want, retryAfter(value, now), "%q", value)
	}
}

// The server's messages are about another document: what misses something is held back, and asked for.
func TestDial_UpdatesOfAnotherDocument(t *testing.T) {
	asked := make(chan []byte, 100)
	url := listenRaw(t, func(conn net.Conn) {
		if _, err := ws.Upgrade(conn); err != nil {
			return
		}
		send := func(message []byte) { _ = ws.WriteFrame(conn, ws.NewBinaryFrame(message)) }
		send(protocol.AppendUpdate(nil, insert(9, 5, "without its beginning")))
		for {
			frame, err := ws.ReadFrame(conn)
			if err != nil {
				return
			}
			m, err := protocol.ReadMessage(protocol.NewDecoder(ws.UnmaskFrame(frame).Payload))
			if err == nil && m.Type == protocol.MessageSync && m.Sync == protocol.SyncStep1 {
				asked <- bytes.Clone(m.Payload)
				send(protocol.AppendSyncStep2(nil, insert(8, 0, "something else")))
			}
		}
	})
	e := newEditor(t, ProviderOptions{URL: url, Room: "room"})
	e.Connect()
	require.NoError(t, e.Synced(withPatience(t)))
	require.Eventually(t, func() bool { return bytes.Equal([]byte{1, 8, 14}, <-asked) }, patience, testTick,
		"it says what is known, so that the rest can be sent")
	assert.Equal(t, "something else", e.text())
	assert.Equal(t, StatusConnected, e.State().Status)
}
