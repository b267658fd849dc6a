package e2e_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/internal/peers"
	"github.com/yrs-go/yrs/ywebsocket"
)

// TestRooms_AreApart has two clients in each of two rooms; whatever the ways of naming rooms, what is written
// and shown in one must never appear in the other.
func TestRooms_AreApart(t *testing.T) {
	type location struct {
		path  string
		query url.Values
	}
	tests := []struct {
		name          string
		roomName      func(*http.Request) (string, error)
		mount         func(http.Handler) http.Handler
		first, second location
	}{
		{
			name:   "by path",
			first:  location{path: "one"},
			second: location{path: "two"},
		},
		{
			name:   "by path with slashes",
			first:  location{path: "one/a"},
			second: location{path: "one"},
		},
		{
			name:   "by path, encoded",
			first:  location{path: "r%C3%A9sum%C3%A9"},
			second: location{path: "re%CC%81sume%CC%81"},
		},
		{
			name: "by path below a mount point",
			mount: func(handler http.Handler) http.Handler {
				mux := http.NewServeMux()
				mux.Handle("/sync/", http.StripPrefix("/sync", handler))
				return mux
			},
			first:  location{path: "sync/one"},
			second: location{path: "sync/two"},
		},
		{
			name: "by pattern",
			mount: func(handler http.Handler) http.Handler {
				mux := http.NewServeMux()
				mux.Handle("/docs/{room}/live", handler)
				return mux
			},
			first:  location{path: "docs/one/live"},
			second: location{path: "docs/two/live"},
		},
		{
			name:     "by query",
			roomName: func(r *http.Request) (string, error) { return r.URL.Query().Get("doc"), nil },
			first:    location{path: "sync", query: url.Values{"doc": {"one"}}},
			second:   location{path: "sync", query: url.Values{"doc": {"two"}}},
		},
		{
			name:     "by a function of path and query",
			roomName: tenantRoom,
			first:    location{path: "doc", query: url.Values{"tenant": {"a"}}},
			second:   location{path: "doc", query: url.Values{"tenant": {"b"}}},
		},
	}
	yjs := peers.StartYjs(t, 1)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			server := serve(t, ywebsocket.Options{RoomName: test.roomName}, test.mount)
			join := func(l location) *peers.YjsClient { return yjs.Connect(t, server, l.path, l.query) }
			requireApart(t, join(test.first), join(test.first), join(test.second), join(test.second))
		})
	}
}

func tenantRoom(r *http.Request) (string, error) {
	tenant := r.URL.Query().Get("tenant")
	if tenant == "" {
		return "", errors.New("name a tenant in the query")
	}
	return tenant + r.URL.Path, nil
}

// requireApart takes two clients of each of two rooms.
func requireApart(t *testing.T, a1, a2, b1, b2 *peers.YjsClient) {
	t.Helper()
	a1.SetState(user("a1"))
	a2.SetState(user("a2"))
	b1.SetState(user("b1"))
	b2.SetState(user("b2"))
	a1.Edit(text.InsertText(0, "a", nil))
	b1.Edit(text.InsertText(0, "b", nil))
	a2.Await(text, "a")
	b2.Await(text, "b")
	a1.AwaitStates(user("a2"))
	b1.AwaitStates(user("b2"))

	// Another exchange, behind which nothing of the first can still be on its way.
	a2.Edit(text.InsertText(1, "A", nil))
	b2.Edit(text.InsertText(1, "B", nil))
	a1.Await(text, "aA")
	b1.Await(text, "bB")
	require.Equal(t, "aA", a2.Read(text))
	require.Equal(t, "bB", b2.Read(text))
	a2.AwaitStates(user("a1"))
	b2.AwaitStates(user("b1"))
}

func TestRooms_RefusedName(t *testing.T) {
	server := serve(t, ywebsocket.Options{RoomName: tenantRoom}, nil)
	response, err := probe.Get("http" + strings.TrimPrefix(server, "ws") + "/doc")
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusBadRequest, response.StatusCode)
}
