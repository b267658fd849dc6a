package ywebsocket

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt"
	"github.com/yrs-go/yrs/ywebsocket/store"
)

// Rooms have the name at the server that a browser would give them, or an error says what to do.
func TestProvider_RoomNames(t *testing.T) {
	kept := store.NewMemory()
	_, address := serve(t, Options{Store: kept})
	for room, want := range map[string]string{
		"plain":              "plain",
		"team/plan":          "team/plan",
		"a..b/...":           "a..b/...",
		"with space":         "with%20space",
		"ü/日本":               "%C3%BC/%E6%97%A5%E6%9C%AC",
		`"quoted" 'single'`:  "%22quoted%22%20'single'",
		"NUL\x00":            "NUL%00",
		"\x01\x1b[31m":       "%01%1B[31m",
		"what?#<>`{}^":       "what%3F%23%3C%3E%60%7B%7D%5E",
		"a/|":                "a/%7C",
		"a%2F|":              "a%2F%7C",
		"50%25":              "50%25",
		"%2F%00%ff":          "%2F%00%ff",
		"a//b":               "a//b",
		"'; DROP TABLE x;--": "';%20DROP%20TABLE%20x;--",
	} {
		t.Run(room, func(t *testing.T) {
			e := newEditor(t, ProviderOptions{URL: address, Room: room})
			e.Connect()
			e.write("x")
			require.NoError(t, e.Saved(withPatience(t)))
			assert.Equal(t, "x", textOf(t, stored(t, kept, want)...))
		})
	}
	for room, want := range map[string]string{
		"":                          "no room in the URL",
		strings.Repeat("x", 10_240): "too long: at most 512 bytes",
	} {
		e := newEditor(t, ProviderOptions{URL: address, Room: room})
		e.Connect()
		err := e.Synced(withPatience(t))
		require.ErrorIs(t, err, ErrPermanent)
		assert.ErrorContains(t, err, want)
	}
}

func TestNewProvider_RefusesAddresses(t *testing.T) {
	doc := ycrdt.NewDoc()
	defer doc.Close()
	for _, test := range []struct{ url, room, want string }{
		{"ws://example.com", "50%", "write %25 for a percent sign"},
		{"ws://example.com", "%zz", "write %25 for a percent sign"},
		{"ws://example.com", "a%2", "write %25 for a percent sign"},
		{"ws://example.com", `a\b`, "browsers rewrite"},
		{"ws://example.com", "a\tb", "browsers rewrite"},
		{"ws://example.com", "a\nb", "browsers rewrite"},
		{"ws://example.com", "a ", "browsers rewrite"},
		{"ws://example.com", "..", "leave it out"},
		{"ws://example.com", "../other", "leave it out"},
		{"ws://example.com", "a/./b", "leave it out"},
		{"ws://example.com", "a/%2e%2E/b", "leave it out"},
		{"http://example.com", "a", "ws:// or wss://"},
		{"ws://", "a", "ws:// or wss://"},
		{"example.com", "a", "ws:// or wss://"},
		{"ws://example.com/%", "a", "ws:// or wss://"},
		{"ws://example.com?token=secret", "a", "put parameters into Params"},
		{"http://example.com?token=secret", "a", "ws:// or wss://"},
		{"ws://ada:secret@example.com", "a", "put it into WebSocket.Header"},
		{"http://ada:secret@example.com", "a", "ws:// or wss://"},
	} {
		_, err := NewProvider(doc, ProviderOptions{URL: test.url, Room: test.room})
		require.ErrorContains(t, err, test.want, "%s, room %q", test.url, test.room)
		assert.NotContains(t, err.Error(), "secret")
	}
}

// refusals answers everything with a status, and repeats the request.
func refusals(status int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		request, _ := httputil.DumpRequest(r, true)
		w.Header().Set("Location", "/elsewhere?"+r.URL.RawQuery)
		w.WriteHeader(status)
		_, _ = w.Write(request)
	})
}

func TestProvider_NeverShowsTheToken(t *testing.T) {
	hang := make(chan struct{})
	defer close(hang)
	closedPort := func() string {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer listener.Close()
		return "ws://" + listener.Addr().String()
	}()
	servers := map[string]string{
		"nobody is there": closedPort,
		"nobody answers":  listenRaw(t, func(net.Conn) { <-hang }),
		"closes":          listenRaw(t, func(net.Conn) {}),
		"garbage":         listenRaw(t, answering("HELO\r\n")),
		"no TLS":          "wss" + strings.TrimPrefix(closedPort, "ws"),
		"not TLS":         "wss" + strings.TrimPrefix(listenRaw(t, answering("HELO\r\n")), "ws"),
		"no such port":    "ws://127.0.0.1:99999",
		"no such host":    "ws://[::ffff:256.0.0.1]",
	}
	for _, status := range []int{200, 302, 400, 401, 403, 404, 429, 500, 503} {
		servers[http.StatusText(status)] = strings.TrimSuffix(listen(t, refusals(status)), "/")
	}
	const token = "s3cret/+&=\"token"
	for name, address := range servers {
		for _, param := range []string{"", "token"} {
			t.Run(name+" "+param, func(t *testing.T) {
				var said lockedBuffer
				p, err := NewProvider(ycrdt.NewDoc(), ProviderOptions{
					URL: address, Room: "room", TokenParam: param,
					Token:          func(context.Context) (string, error) { return token, nil },
					ConnectTimeout: 200 * time.Millisecond,
					Backoff:        Backoff{Min: time.Millisecond, Max: time.Millisecond},
					Logger:         slog.New(slog.NewTextHandler(&said, &slog.HandlerOptions{Level: slog.LevelDebug})),
				})
				if err != nil {
					said.Write([]byte(err.Error()))
				} else {
					defer p.Close()
					p.Subscribe(func(s ProviderState) {
						if s.Err != nil {
							said.Write([]byte(s.Err.Error()))
						}
					})
					p.Connect()
					require.Eventually(t, func() bool { return p.State().Err != nil && said.String() != "" }, patience, testTick)
				}
				for _, secret := range []string{"s3cret", token, url.QueryEscape(token)} {
					assert.NotContains(t, said.String(), secret)
				}
			})
		}
	}
}

// A token may have expired a moment ago: the next one is tried, though not for ever.
func TestProvider_TriesOtherTokens(t *testing.T) {
	for _, status := range []int{http.StatusUnauthorized, http.StatusForbidden} {
		var calls, requests atomic.Int64
		var refusing atomic.Bool
		s := newTestServer(t, Options{})
		address := listen(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			requests.Add(1)
			if refusing.Load() || r.URL.Query().Get("key") != "3" {
				w.WriteHeader(status)
				return
			}
			s.ServeHTTP(w, r)
		}))
		e := newEditor(t, ProviderOptions{URL: address, Room: "room", TokenParam: "key",
			Token: func(context.Context) (string, error) { return string('0' + rune(calls.Add(1))), nil }})
		e.Connect()
		require.NoError(t, e.Synced(withPatience(t)))
		assert.EqualValues(t, 3, requests.Load())

		refusing.Store(true)
		requests.Store(0)
		s.closeConnections(func(c *conn) { c.out.abort() })
		e.expectState("it gives up", func(s ProviderState) bool { return s.Status == StatusDisconnected })
		require.ErrorIs(t, e.State().Err, ErrPermanent)
		assert.EqualValues(t, maxRefusals, requests.Load())

		requests.Store(0)
		without := newEditor(t, ProviderOptions{URL: address, Room: "room"})
		without.Connect()
		require.ErrorIs(t, without.Synced(withPatience(t)), ErrPermanent)
		assert.EqualValues(t, 1, requests.Load(), "nothing would change without a token")
	}
}

// Proxies know no room while the server behind them restarts.
func TestProvider_OutlastsAMissingPage(t *testing.T) {
	s := newTestServer(t, Options{})
	var missing atomic.Int64
	missing.Store(maxRefusals - 1)
	address := listen(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if missing.Add(-1) >= 0 {
			http.NotFound(w, r)
			return
		}
		s.ServeHTTP(w, r)
	}))
	e := newEditor(t, ProviderOptions{URL: address, Room: "room"})
	e.Connect()
	require.NoError(t, e.Synced(withPatience(t)))
	wrong := newEditor(t, ProviderOptions{URL: listen(t, http.NotFoundHandler()), Room: "room"})
	wrong.Connect()
	require.ErrorIs(t, wrong.Synced(withPatience(t)), ErrPermanent)
}

func TestProvider_StaysAwayForAnHourAtMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &network{serve: func(int, Conn) error {
			return &HandshakeError{Status: http.StatusServiceUnavailable, RetryAfter: 1 << 62}
		}}
		online(t, ProviderOptions{Dial: w.dial})
		time.Sleep(10 * time.Hour)
		assert.GreaterOrEqual(t, len(w.attempts()), 9)
	})
}

// What is written while the provider is made is waited for, however it falls.
func TestNewProvider_CountsWhatIsWrittenMeanwhile(t *testing.T) {
	for range 50 {
		doc := ycrdt.NewDoc()
		var writer sync.WaitGroup
		begin := make(chan struct{})
		writer.Go(func() {
			<-begin
			assert.NoError(t, doc.Transact(func(tx *ycrdt.Tx) error { return tx.Text("t").Insert(0, "x") }))
		})
		close(begin)
		p, err := NewProvider(doc, ProviderOptions{Dial: offline, Logger: slog.New(slog.DiscardHandler)})
		require.NoError(t, err)
		writer.Wait()
		assert.Positive(t, p.State().Unsynced)
		p.Close()
		require.NoError(t, doc.Close())
	}
}

func TestNewProvider_ChecksWebSocketOptions(t *testing.T) {
	doc := ycrdt.NewDoc()
	defer doc.Close()
	for _, options := range []DialOptions{{MaxMessage: -1}, {Silence: -1}, {Write: -1}} {
		_, err := NewProvider(doc, ProviderOptions{URL: "ws://example.com", Room: "room", WebSocket: options})
		assert.ErrorContains(t, err, "is negative")
	}
}

// y-websocket has a room without a name.
func TestNewProvider_RoomWithoutAName(t *testing.T) {
	paths := make(chan string, 1)
	url := listen(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		paths <- r.URL.Path
		w.WriteHeader(http.StatusBadRequest)
	}))
	e := newEditor(t, ProviderOptions{URL: url})
	e.Connect()
	require.ErrorIs(t, e.Synced(withPatience(t)), ErrPermanent)
	assert.Equal(t, "/", <-paths)
}
