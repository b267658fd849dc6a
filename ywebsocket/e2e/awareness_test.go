package e2e_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/internal/peers"
	"github.com/yrs-go/yrs/ywebsocket"
)

func user(name string) object { return object{"user": object{"name": name}} }

func TestAwareness_Join(t *testing.T) {
	server := startServer(t)
	yjs := peers.StartYjs(t, 1)
	ada := yjs.Connect(t, server.websocket(), "join", nil)
	ada.SetState(user("Ada"))
	grace := yjs.Connect(t, server.websocket(), "join", nil)
	grace.AwaitStates(user("Ada"))
	grace.SetState(user("Grace"))
	ada.AwaitStates(user("Grace"))

	late := yjs.Connect(t, server.websocket(), "join", nil)
	late.SetState(nil)
	late.AwaitStates(user("Ada"), user("Grace"))
	ada.AwaitStates(user("Grace"))
}

func TestAwareness_Change(t *testing.T) {
	server := startServer(t)
	yjs := peers.StartYjs(t, 1)
	ada, grace := yjs.Connect(t, server.websocket(), "change", nil), yjs.Connect(t, server.websocket(), "change", nil)
	ada.SetState(object{"cursor": 1})
	grace.AwaitStates(object{"cursor": 1})
	ada.SetState(object{"cursor": 2, "typing": true})
	grace.AwaitStates(object{"cursor": 2, "typing": true})
	ada.SetState(nil)
	grace.AwaitStates()
	ada.SetState(object{"cursor": 3})
	grace.AwaitStates(object{"cursor": 3})
}

func TestAwareness_Leave(t *testing.T) {
	leave := map[string]func(*peers.YjsClient){
		"cleanly":  (*peers.YjsClient).Disconnect,
		"abruptly": (*peers.YjsClient).Abort,
	}
	server := startServer(t)
	yjs := peers.StartYjs(t, 1)
	for name, leave := range leave {
		t.Run(name, func(t *testing.T) {
			room := roomName(t)
			leaves, stays := yjs.Connect(t, server.websocket(), room, nil), yjs.Connect(t, server.websocket(), room, nil)
			leaves.SetState(user("Ada"))
			stays.SetState(user("Grace"))
			stays.AwaitStates(user("Ada"))
			leave(leaves)
			stays.AwaitStates()

			late := yjs.Connect(t, server.websocket(), room, nil)
			late.AwaitStates(user("Grace"))
			late.Disconnect()

			leaves.Reconnect() // with the clock with which it was seen to leave
			stays.AwaitStates(user("Ada"))
			leaves.SetState(user("Ada again"))
			stays.AwaitStates(user("Ada again"))
		})
	}
}

// TestAwareness_ReconnectBeforeTheServerNotices cuts a client off in such a way that the server goes on holding its
// old connection. The client comes back with what it has changed meanwhile, and stays when the old connection ends.
func TestAwareness_ReconnectBeforeTheServerNotices(t *testing.T) {
	for name, params := range map[string]url.Values{"same user": {"user": {"ada"}}, "unknown users": nil} {
		t.Run(name, func(t *testing.T) {
			server := serve(t, ywebsocket.Options{
				Identify: func(r *http.Request) (ywebsocket.Identity, error) {
					return ywebsocket.Identity{User: r.URL.Query().Get("user")}, nil
				},
				// The old connection lives for long enough to be the one that the client belongs to.
				Timeouts: ywebsocket.Timeouts{Ping: 3 * time.Second, Pong: time.Second},
			}, nil)
			network := startProxy(t, server)
			yjs := peers.StartYjs(t, 1)
			stays := yjs.Connect(t, server, "room", nil)
			stays.SetState(user("Grace"))
			leaves := yjs.Connect(t, network.websocket(), "room", params)
			leaves.SetState(user("Ada"))
			stays.AwaitStates(user("Ada"))

			stranded := network.strand()
			require.Len(t, stranded, 1)
			leaves.AwaitUnsynced()
			leaves.SetState(user("Ada again"))
			leaves.AwaitSynced()
			stays.AwaitStates(user("Ada again"))

			stranded[0].awaitEnd(t)
			late := yjs.Connect(t, server, "room", nil)
			late.AwaitStates(user("Ada again"), user("Grace"))
			late.Disconnect()
			leaves.SetState(user("Ada, still"))
			stays.AwaitStates(user("Ada, still"))
			leaves.Disconnect()
			stays.AwaitStates()
		})
	}
}
