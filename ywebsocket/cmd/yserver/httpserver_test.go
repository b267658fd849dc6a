package main

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gobwas/ws"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ywebsocket"
	"github.com/yrs-go/yrs/ywebsocket/cmd/yserver/web"
)

// pipes is a listener whose connections are pipes, in which nothing fits.
type pipes struct {
	accept chan net.Conn
	closed chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.accept:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { close(p.closed); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// watched is a connection that tells when its server closes it.
type watched struct {
	net.Conn
	once   sync.Once
	closed chan struct{}
}

func (w *watched) Close() error {
	w.once.Do(func() { close(w.closed) })
	return w.Conn.Close()
}

// servePipe runs the server of the program and connects to it. It returns the client's
// end, and what is closed when the server closes its own.
func servePipe(t *testing.T) (net.Conn, <-chan struct{}) {
	log := slog.New(slog.DiscardHandler)
	server, err := ywebsocket.NewServer(ywebsocket.Options{Logger: log})
	require.NoError(t, err)
	listener := &pipes{accept: make(chan net.Conn), closed: make(chan struct{})}
	s := newHTTPServer(newHandler(server, log), log)
	served := make(chan error, 1)
	go func() { served <- s.Serve(listener) }()
	t.Cleanup(func() {
		assert.NoError(t, server.Shutdown(context.Background()))
		assert.NoError(t, s.Close())
		assert.ErrorIs(t, <-served, http.ErrServerClosed)
	})
	client, end := net.Pipe()
	t.Cleanup(func() { _ = client.Close() })
	w := &watched{Conn: end, closed: make(chan struct{})}
	listener.accept <- w
	return client, w.closed
}

const upgradeRequest = "GET /room HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"

func TestHTTPServer_EndsWhatIsHalfOpen(t *testing.T) {
	const get, post = "GET / HTTP/1.1\r\nHost: localhost\r\n", "POST / HTTP/1.1\r\nHost: localhost\r\n"
	handshake := strings.TrimSuffix(upgradeRequest, "\r\n")
	tests := []struct {
		name  string
		send  string
		reads bool
		end   time.Duration
	}{
		{"nothing", "", true, 5 * time.Second},
		{"half a line", "GET /room HT", true, 5 * time.Second},
		{"header without an end", handshake, true, 5 * time.Second},
		{"long header", get + "X: " + strings.Repeat("x", 100<<10), true, time.Second / 2},
		{"no body", post + "Content-Length: 10\r\n\r\n", true, 5 * time.Second},
		{"no body behind a handshake that is refused",
			handshake + "Origin: http://evil.example\r\nContent-Length: 10\r\n\r\n", true, 5 * time.Second},
		{"no second request", get + "\r\n", true, 0},
		{"page that is not read", get + "\r\n", false, 8 * time.Second},
		{"refusal that is not read", handshake + "Origin: http://evil.example\r\n\r\n", false, 8 * time.Second},
		{"handshake whose answer is not read", upgradeRequest, false, 5 * time.Second},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, closed := servePipe(t)
				start := time.Now()
				go func() { _, _ = io.WriteString(client, test.send) }()
				if test.reads {
					go func() { _, _ = io.Copy(io.Discard, client) }()
				}
				<-closed
				assert.Equal(t, test.end, time.Since(start))
			})
		})
	}
}

// The time is for the whole header, however it is divided.
func TestHTTPServer_EndsWhatTrickles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, _ := servePipe(t)
		go func() { _, _ = io.Copy(io.Discard, client) }()
		sent := 0
		for err := error(nil); err == nil; sent++ {
			_, err = io.WriteString(client, upgradeRequest[sent:sent+1])
			time.Sleep(time.Second)
		}
		assert.InDelta(t, 6, sent, 1, "bytes in as many seconds")
	})
}

// script returns the path of the largest file of the page.
func script(t *testing.T) string {
	page := httptest.NewRecorder()
	web.Handler().ServeHTTP(page, httptest.NewRequest(http.MethodGet, "/", nil))
	match := regexp.MustCompile(`src="(/app-[^"]+)"`).FindStringSubmatch(page.Body.String())
	require.NotNil(t, match)
	return match[1]
}

// An answer may take long as long as it goes on.
func TestHTTPServer_SlowReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, _ := servePipe(t)
		_, err := io.WriteString(client, "GET "+script(t)+" HTTP/1.1\r\nHost: localhost\r\n\r\n")
		require.NoError(t, err)
		start, total := time.Now(), 0
		buf := make([]byte, 16<<10)
		for {
			n, err := client.Read(buf)
			total += n
			if err != nil {
				break
			}
			time.Sleep(time.Second)
		}
		assert.Greater(t, total, 300<<10)
		assert.Greater(t, time.Since(start), 20*time.Second)
	})
}

// The limits are for requests: a room has its own.
func TestHTTPServer_RoomsAreExempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, closed := servePipe(t)
		_, err := io.WriteString(client, upgradeRequest)
		require.NoError(t, err)
		r := bufio.NewReader(client)
		response, err := http.ReadResponse(r, nil)
		require.NoError(t, err)
		require.Equal(t, http.StatusSwitchingProtocols, response.StatusCode)
		start := time.Now()
		for time.Since(start) < time.Hour {
			time.Sleep(10 * time.Second)
			require.NoError(t, ws.WriteFrame(client, ws.MaskFrame(ws.NewPingFrame(nil))))
			for pong := false; !pong; {
				frame, err := ws.ReadFrame(r)
				require.NoError(t, err)
				pong = frame.Header.OpCode == ws.OpPong
			}
		}
		select {
		case <-closed:
			assert.Fail(t, "closed")
		default:
		}
	})
}
