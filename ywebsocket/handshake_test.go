package ywebsocket

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt/protocol"
)

func TestServer_Refusals(t *testing.T) {
	_, url := serve(t, Options{Limits: Limits{RoomName: 20}})
	tests := []struct {
		name, path string
		header     http.Header
		status     int
		text       string
	}{
		{"fine", "room", nil, http.StatusSwitchingProtocols, ""},
		{"foreign page", "room", http.Header{"Origin": {"https://evil.example"}}, http.StatusForbidden, "https://evil.example"},
		{"rebound name", "room", http.Header{"Host": {"evil.example"}, "Origin": {"http://evil.example"}}, http.StatusForbidden, `"evil.example"`},
		{"no room", "", nil, http.StatusBadRequest, "no room"},
		{"long room", strings.Repeat("x", 21), nil, http.StatusBadRequest, "too long"},
		{"no upgrade", "room", http.Header{"Upgrade": nil}, http.StatusUpgradeRequired, "WebSocket"},
		{"other upgrade", "room", http.Header{"Upgrade": {"h2c"}}, http.StatusUpgradeRequired, "WebSocket"},
		{"no key", "room", http.Header{"Sec-Websocket-Key": nil}, http.StatusBadRequest, "Sec-WebSocket-Key"},
		{"old version", "room", http.Header{"Sec-Websocket-Version": {"8"}}, http.StatusUpgradeRequired, "Sec-WebSocket-Version"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			status, text := refused(t, url+test.path, test.header)
			assert.Equal(t, test.status, status)
			assert.Contains(t, text, test.text)
		})
	}
}

func TestServer_LimitOfConnections(t *testing.T) {
	s, url := serve(t, Options{Limits: Limits{Connections: 2}})
	a, _ := join(t, url+"room")
	join(t, url+"other")
	status, text := refused(t, url+"room", nil)
	assert.Equal(t, http.StatusServiceUnavailable, status)
	assert.Contains(t, text, "limit of connections")

	require.NoError(t, a.conn.Close())
	require.Eventually(t, func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.admitted == 1
	}, patience, testTick)
	join(t, url+"room")
}

func TestServer_LimitOfRooms(t *testing.T) {
	_, url := serve(t, Options{Limits: Limits{Rooms: 1}})
	join(t, url+"one")
	status, text := refused(t, url+"two", nil)
	assert.Equal(t, http.StatusServiceUnavailable, status)
	assert.Contains(t, text, "limit of rooms")
	join(t, url+"one")
}

func TestServer_EchoesASubprotocol(t *testing.T) {
	_, url := serve(t, Options{})
	conn, _, handshake, err := ws.Dialer{Protocols: []string{"first", "second"}}.Dial(t.Context(), url+"room")
	require.NoError(t, err)
	defer conn.Close()
	assert.Equal(t, "first", handshake.Protocol)
}

const handshakeRequest = "GET /room HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"

// address is the host and port of a server's URL.
func address(url string) string { return strings.TrimSuffix(strings.TrimPrefix(url, "ws://"), "/") }

// A client may send its first message without waiting for the answer to its
// request, and both may arrive together.
func TestServer_MessageBehindTheRequest(t *testing.T) {
	_, url := serve(t, Options{})
	conn, err := net.Dial("tcp", address(url))
	require.NoError(t, err)
	defer conn.Close()
	first := input(t, ws.NewBinaryFrame(protocol.AppendSyncStep1(nil, []byte{0})))
	_, err = conn.Write(append([]byte(handshakeRequest), first...))
	require.NoError(t, err)

	c := newPipeClient(t, conn)
	response, err := http.ReadResponse(c.r, nil)
	require.NoError(t, err)
	assert.Equal(t, http.StatusSwitchingProtocols, response.StatusCode)
	c.expectSync(protocol.SyncStep1)
	c.expectSync(protocol.SyncStep2)
}

func TestServer_RoomsAreApart(t *testing.T) {
	type key struct{}
	tenant := func(h http.Handler) http.Handler { // middleware
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			h.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), key{}, r.URL.Query().Get("tenant"))))
		})
	}
	plain := func(h http.Handler) http.Handler { return h }
	tests := []struct {
		name      string
		roomName  func(*http.Request) (string, error)
		mount     func(http.Handler) http.Handler
		one, same string
		others    []string
	}{
		{"by path", nil, plain, "a", "a?x=1", []string{"b", "a/b", "A", "a%20"}},
		{"by pattern", nil, func(h http.Handler) http.Handler {
			mux := http.NewServeMux()
			mux.Handle("/ws/{room...}", h)
			return mux
		}, "ws/a/b", "ws/a/b", []string{"ws/a", "ws/b", "ws/a%2Fb"}},
		{"by query", func(r *http.Request) (string, error) {
			return r.URL.Query().Get("doc"), nil
		}, plain, "?doc=a", "anywhere?doc=a", []string{"?doc=b", "a?doc=%20a"}},
		{"by context", func(r *http.Request) (string, error) {
			return r.Context().Value(key{}).(string) + r.URL.Path, nil
		}, tenant, "a?tenant=x", "a?tenant=x&y", []string{"a?tenant=y", "b?tenant=x"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newTestServer(t, Options{RoomName: test.roomName})
			url := listen(t, test.mount(s))
			writer, _ := join(t, url+test.one)
			reader, _ := join(t, url+test.same)
			var others []*client
			for _, path := range test.others {
				other, _ := join(t, url+path)
				others = append(others, other)
			}
			writer.sendUpdate(insert(1, 0, "secret"))
			assert.Equal(t, "secret", textOf(t, reader.expectUpdate()))
			for i, other := range others {
				other.expectSilence()
				_, state := join(t, url+test.others[i])
				assert.Equal(t, []byte{0, 0}, state)
			}
		})
	}
}

func TestServer_RoomNameError(t *testing.T) {
	_, url := serve(t, Options{RoomName: func(*http.Request) (string, error) { return "", io.ErrNoProgress }})
	status, text := refused(t, url+"room", nil)
	assert.Equal(t, http.StatusBadRequest, status)
	assert.Contains(t, text, io.ErrNoProgress.Error())
}

func TestServer_WithoutHijacking(t *testing.T) {
	s := newTestServer(t, Options{})
	r := httptest.NewRequest(http.MethodGet, "http://localhost/room", nil)
	r.Header = http.Header{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	assert.Equal(t, http.StatusInternalServerError, w.Code)
	assert.Zero(t, s.admitted)
}

func TestIsUpgrade(t *testing.T) {
	tests := []struct {
		connection, upgrade []string
		want                bool
	}{
		{[]string{"Upgrade"}, []string{"websocket"}, true},
		{[]string{"keep-alive, upgrade"}, []string{"WebSocket"}, true},
		{[]string{"keep-alive", "Upgrade"}, []string{"h2c, websocket"}, true},
		{[]string{"keep-alive"}, []string{"websocket"}, false},
		{[]string{"Upgrade"}, nil, false},
		{[]string{"Upgrade"}, []string{"h2c"}, false},
		{nil, nil, false},
	}
	for _, test := range tests {
		r := &http.Request{Header: http.Header{"Connection": test.connection, "Upgrade": test.upgrade}}
		assert.Equal(t, test.want, IsUpgrade(r), "%v %v", test.connection, test.upgrade)
	}
}

func TestNewServer_RefusesNegativeLimits(t *testing.T) {
	_, err := NewServer(Options{Limits: Limits{Queue: -1}, Timeouts: Timeouts{Ping: -1}})
	assert.ErrorContains(t, err, "Limits.Queue")
	assert.ErrorContains(t, err, "Timeouts.Ping")
}

func TestNewServer_RefusesLimitsThatContradict(t *testing.T) {
	_, err := NewServer(Options{Limits: Limits{Message: 1000, Incoming: 999, Outgoing: 999}})
	assert.ErrorContains(t, err, "Limits.Incoming")
	assert.ErrorContains(t, err, "Limits.Outgoing")
}

// What it limits, and what it leaves to other handlers; that it works is shown with
// the program that uses it.
func TestNewHTTPServer(t *testing.T) {
	s := NewHTTPServer("localhost:1", http.NotFoundHandler())
	assert.Equal(t, "localhost:1", s.Addr)
	assert.NotNil(t, s.Handler)
	assert.Equal(t, 5*time.Second, s.ReadHeaderTimeout)
	assert.Equal(t, 2*time.Minute, s.IdleTimeout)
	assert.Equal(t, 32<<10, s.MaxHeaderBytes)
	assert.Zero(t, s.ReadTimeout)
	assert.Zero(t, s.WriteTimeout)
}
