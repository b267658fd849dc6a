package e2e_test

import (
	"testing"

	"github.com/yrs-go/yrs/internal/peers"
)

func TestPycrdt_SyncsBothWays(t *testing.T) {
	server := startServer(t)
	room := server.websocket() + "/pycrdt"
	yjs := peers.StartYjs(t, 1).Connect(t, server.websocket(), "pycrdt", nil)
	yjs.Edit(text.InsertText(0, "from Yjs 😀", nil), meta.Set("yjs", object{"n": 1.5}))

	pycrdt := peers.StartPycrdt(t, room)
	pycrdt.Await(text, "from Yjs 😀")
	pycrdt.Await(meta, object{"yjs": object{"n": 1.5}})

	pycrdt.InsertText("text", len("from Yjs 😀"), "!")
	pycrdt.DeleteText("text", 0, 5)
	pycrdt.Set("map", "pycrdt", values{"a", nil})
	pycrdt.Append("array", "from pycrdt")
	yjs.Await(text, "Yjs 😀!")
	yjs.Await(meta, object{"yjs": object{"n": 1.5}, "pycrdt": values{"a", nil}})
	yjs.Await(list, values{"from pycrdt"})

	yjs.Edit(list.Insert(0, "again from Yjs"))
	pycrdt.Await(list, values{"again from Yjs", "from pycrdt"})

	peers.StartPycrdt(t, room).Await(text, "Yjs 😀!")
}
