package e2e_test

import (
	"testing"

	"github.com/yrs-go/yrs/internal/peers"
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

			leaves.Reconnect()
			leaves.SetState(user("Ada again")) // seen to leave, a state comes back only with a higher clock
			stays.AwaitStates(user("Ada again"))
		})
	}
}
