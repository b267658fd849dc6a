package e2e_test

import (
	"fmt"
	"testing"

	"github.com/yrs-go/yrs/internal/peers"
)

var (
	text  = peers.Text("text")
	meta  = peers.Map("map")
	list  = peers.Array("array")
	bold  = map[string]any{"bold": true}
	plain = map[string]any{"bold": nil}
)

type (
	object = map[string]any
	values = []any
)

// TestContent_Reaches has one client edit; another that is there and one that comes later must read the same.
func TestContent_Reaches(t *testing.T) {
	tests := []struct {
		name  string
		edits [][]peers.Op // a transaction each
		place peers.Place
		want  any
	}{
		{"text", [][]peers.Op{
			{text.InsertText(0, "Hello", nil)},
			{text.InsertText(5, " world", nil), text.InsertText(0, "> ", nil)},
		}, text, "> Hello world"},
		{"deletes in a text", [][]peers.Op{
			{text.InsertText(0, "one two three", nil)},
			{text.DeleteText(3, 4)},
			{text.DeleteText(0, 1), text.DeleteText(7, 1)},
		}, text, "ne thre"},
		{"characters outside of the first plane", [][]peers.Op{
			{text.InsertText(0, "a😀b𝕐c", nil)},
			{text.InsertText(3, "👩‍👩‍👧", nil), text.DeleteText(0, 1)},
			{text.DeleteText(0, 2)},
		}, text, "👩‍👩‍👧b𝕐c"},
		{"map", [][]peers.Op{
			{meta.Set("string", "é"), meta.Set("number", -1.5), meta.Set("integer", 1<<40), meta.Set("null", nil)},
			{meta.Set("true", true), meta.Set("list", values{1, "two", nil}), meta.Set("object", object{"a": object{"b": 1}})},
			{meta.Set("integer", 2), meta.Set("gone", 1), meta.Remove("gone"), meta.Set("", "empty key")},
			{meta.Set("bytes", object{"$bytes": "AAEC/w=="}), meta.Set("nothing", object{"$undefined": true})},
		}, meta, object{
			"string": "é", "number": -1.5, "integer": 2, "null": nil, "true": true,
			"list": values{1, "two", nil}, "object": object{"a": object{"b": 1}}, "": "empty key",
			"bytes": object{"$bytes": "AAEC/w=="}, "nothing": object{"$undefined": true},
		}},
		{"array", [][]peers.Op{
			{list.Insert(0, 1, 2, 3, "four", nil, true, object{"five": 5})},
			{list.Delete(1, 2), list.Insert(1, "between")},
		}, list, values{1, "between", "four", nil, true, object{"five": 5}}},
		{"nested types", [][]peers.Op{
			{meta.Set("page", peers.NewMap(object{
				"title": peers.NewText("Draft"),
				"tags":  peers.NewArray("a", peers.NewMap(object{"deep": peers.NewArray(1)})),
			}))},
			{meta.At("page", "title").InsertText(5, "s", nil), meta.At("page", "tags").Insert(1, "b")},
			{meta.At("page", "tags", 2, "deep").Insert(1, 2), meta.At("page").Set("done", false)},
		}, meta, object{"page": object{
			"title": "Drafts", "tags": values{"a", "b", object{"deep": values{1, 2}}}, "done": false,
		}}},
		{"a nested type that is deleted", [][]peers.Op{
			{list.Insert(0, peers.NewMap(object{"text": peers.NewText("gone")}), "stays")},
			{list.At(0, "text").InsertText(0, "soon ", nil)},
			{list.Delete(0, 1)},
		}, list, values{"stays"}},
	}
	server := startServer(t)
	yjs := peers.StartYjs(t, 1)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			room := roomName(t)
			writer, reader := yjs.Connect(t, server.websocket(), room, nil), yjs.Connect(t, server.websocket(), room, nil)
			for _, ops := range test.edits {
				writer.Edit(ops...)
			}
			writer.Await(test.place, test.want)
			reader.Await(test.place, test.want)
			yjs.Connect(t, server.websocket(), room, nil).Await(test.place, test.want)
		})
	}
}

func TestContent_Formatting(t *testing.T) {
	server := startServer(t)
	yjs := peers.StartYjs(t, 1)
	writer, reader := yjs.Connect(t, server.websocket(), "formatting", nil), yjs.Connect(t, server.websocket(), "formatting", nil)
	writer.Edit(text.InsertText(0, "Hello world", nil))
	writer.Edit(text.Format(0, 5, bold))
	writer.Edit(text.InsertText(11, "!", object{"link": object{"href": "/x"}}))
	writer.Edit(text.InsertEmbed(5, object{"image": "a.png"}))
	reader.AwaitDelta(text, values{
		object{"insert": "Hello", "attributes": bold},
		object{"insert": object{"image": "a.png"}},
		object{"insert": " world"},
		object{"insert": "!", "attributes": object{"link": object{"href": "/x"}}},
	})
	reader.Edit(text.Format(1, 3, plain))
	want := values{
		object{"insert": "H", "attributes": bold},
		object{"insert": "ell"},
		object{"insert": "o", "attributes": bold},
		object{"insert": object{"image": "a.png"}},
		object{"insert": " world"},
		object{"insert": "!", "attributes": object{"link": object{"href": "/x"}}},
	}
	writer.AwaitDelta(text, want)
	yjs.Connect(t, server.websocket(), "formatting", nil).AwaitDelta(text, want)
}

func TestContent_BothWrite(t *testing.T) {
	server := startServer(t)
	yjs := peers.StartYjs(t, 1)
	a, b := yjs.Connect(t, server.websocket(), "both", nil), yjs.Connect(t, server.websocket(), "both", nil)
	want := make(object)
	for i := range 20 {
		a.Edit(meta.Set(fmt.Sprint("a", i), i))
		b.Edit(meta.Set(fmt.Sprint("b", i), -i))
		want[fmt.Sprint("a", i)], want[fmt.Sprint("b", i)] = i, -i
	}
	for _, client := range []*peers.YjsClient{a, b, yjs.Connect(t, server.websocket(), "both", nil)} {
		client.Await(meta, want)
	}
}

func TestContent_SurvivesRestart(t *testing.T) {
	server := startServer(t)
	yjs := peers.StartYjs(t, 1)
	writer, reader := yjs.Connect(t, server.websocket(), "kept", nil), yjs.Connect(t, server.websocket(), "kept", nil)
	writer.Edit(text.InsertText(0, "kept", nil), meta.Set("key", peers.NewArray(1, 2)))
	reader.Await(meta, object{"key": values{1, 2}})
	writer.AwaitEchoed()
	writer.Disconnect()
	reader.Disconnect()

	server.kill()
	server.start()
	late := yjs.Connect(t, server.websocket(), "kept", nil)
	late.Await(text, "kept")
	late.Await(meta, object{"key": values{1, 2}})
}
