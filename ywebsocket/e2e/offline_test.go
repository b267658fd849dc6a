package e2e_test

import (
	"testing"

	"github.com/yrs-go/yrs/internal/peers"
)

func TestOffline_EditsReachThoseWhoStayed(t *testing.T) {
	server := startServer(t)
	yjs := peers.StartYjs(t, 1)
	away, stays := yjs.Connect(t, server.websocket(), "offline", nil), yjs.Connect(t, server.websocket(), "offline", nil)
	stays.Edit(text.InsertText(0, "shared", nil))
	away.Await(text, "shared")

	away.Disconnect()
	away.Edit(text.InsertText(6, " offline", nil), text.DeleteText(0, 1))
	away.Edit(meta.Set("from", "offline"))
	stays.Edit(text.InsertText(0, "online ", nil))

	away.Reconnect()
	for _, client := range []*peers.YjsClient{away, stays, yjs.Connect(t, server.websocket(), "offline", nil)} {
		client.Await(text, "online hared offline")
		client.Await(meta, object{"from": "offline"})
	}
}

func TestOffline_DeletesAloneReachThoseWhoStayed(t *testing.T) {
	server := startServer(t)
	yjs := peers.StartYjs(t, 1)
	away, stays := yjs.Connect(t, server.websocket(), "deletes", nil), yjs.Connect(t, server.websocket(), "deletes", nil)
	stays.Edit(text.InsertText(0, "to be cut", nil))
	away.Await(text, "to be cut")
	away.Disconnect()
	away.Edit(text.DeleteText(2, 7))
	away.Reconnect()
	stays.Await(text, "to")
}

func TestOffline_ServerDies(t *testing.T) {
	server := startServer(t)
	yjs := peers.StartYjs(t, 1)
	a, b := yjs.Connect(t, server.websocket(), "death", nil), yjs.Connect(t, server.websocket(), "death", nil)
	a.Edit(text.InsertText(0, "before", nil))
	b.Await(text, "before")

	server.kill()
	a.AwaitUnsynced()
	b.AwaitUnsynced()
	a.Edit(text.InsertText(6, " a", nil))
	b.Edit(text.InsertText(0, "b ", nil))
	server.start()
	for _, client := range []*peers.YjsClient{a, b} {
		client.Await(text, "b before a")
	}
}
