package ywebsocket

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRoomFromPath(t *testing.T) {
	plain := func(h http.Handler) http.Handler { return h }
	pattern := func(pattern string) func(http.Handler) http.Handler {
		return func(h http.Handler) http.Handler {
			mux := http.NewServeMux()
			mux.Handle(pattern, h)
			return mux
		}
	}
	strip := func(prefix string) func(http.Handler) http.Handler {
		return func(h http.Handler) http.Handler { return http.StripPrefix(prefix, h) }
	}
	tests := []struct {
		name  string
		mount func(http.Handler) http.Handler
		url   string
		want  string
	}{
		{"path", plain, "/room", "room"},
		{"query is not part of it", plain, "/room?token=1", "room"},
		{"slashes", plain, "/a/b//c/", "a/b//c/"},
		{"encoding stays", plain, "/a%20b%2Fc%C3%A9", "a%20b%2Fc%C3%A9"},
		{"what browsers do not encode", plain, "/a/|[", "a/%7C%5B"},
		{"encoding stays beside that", plain, "/a%2F|%5b", "a%2F%7C%5b"},
		{"encoding stays beside that, below a prefix", strip("/ws"), "/ws/a%2F|", "a%2F%7C"},
		{"wildcard with what browsers do not encode", pattern("/docs/{room...}"), "/docs/a%2F|b", "a%2F%7Cb"},
		{"nothing", plain, "/", ""},
		{"below a prefix", strip("/ws"), "/ws/a/b%2Fc", "a/b%2Fc"},
		{"prefix alone", strip("/ws"), "/ws/", ""},
		{"prefix twice", strip("/ws"), "/ws/ws/a", "ws/a"},
		{"prefix in a mux", func(h http.Handler) http.Handler {
			return pattern("/ws/")(http.StripPrefix("/ws", h))
		}, "/ws/ws/a", "ws/a"},
		{"wildcard", pattern("/{room...}"), "/a/b", "a/b"},
		{"wildcard with encoding", pattern("/docs/{room...}"), "/docs/a%2Fb/%20", "a%2Fb/%20"},
		{"wildcard that matches nothing", pattern("/docs/{room...}"), "/docs/", ""},
		{"one segment", pattern("/docs/{room}"), "/docs/a%2Fb", "a%2Fb"},
		{"segment in the middle", pattern("/docs/{room}/live"), "/docs/a%2Fb/live", "a%2Fb"},
		{"below a prefix, by pattern", func(h http.Handler) http.Handler {
			return http.StripPrefix("/v1", pattern("/docs/{room...}")(h))
		}, "/v1/docs/docs/a", "docs/a"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			called := false
			handler := test.mount(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				called = true
				name, err := RoomFromPath(r)
				assert.Equal(t, test.want, name)
				assert.Equal(t, test.want == "", err != nil)
			}))
			handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, test.url, nil))
			require.True(t, called)
		})
	}
}

func TestCheckRoomName(t *testing.T) {
	assert.NoError(t, checkRoomName("a/b ü", 10))
	assert.NoError(t, checkRoomName("0123456789", 10))
	for _, name := range []string{"", "01234567890", "a\x00b", "a\xffb"} {
		assert.Error(t, checkRoomName(name, 10), name)
	}
}
