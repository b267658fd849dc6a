package peers

import (
	"encoding/json"
	"testing"
)

// PycrdtClient is a Python process with a pycrdt document, connected by pycrdt's own provider.
type PycrdtClient struct {
	process *Process
}

// StartPycrdt connects to the ws:// address of a room and waits until the client is synced.
func StartPycrdt(t testing.TB, url string) *PycrdtClient {
	t.Helper()
	client := &PycrdtClient{process: start(t, python(t, "client.py"))}
	client.process.must("open", map[string]any{"url": url}, nil)
	return client
}

// InsertText inserts into a root text; the index counts bytes of UTF-8.
func (c *PycrdtClient) InsertText(name string, index int, text string) {
	c.process.t.Helper()
	c.process.must("insertText", map[string]any{"name": name, "index": index, "text": text}, nil)
}

// DeleteText deletes a part of a root text, counted in bytes of UTF-8.
func (c *PycrdtClient) DeleteText(name string, index, length int) {
	c.process.t.Helper()
	c.process.must("deleteText", map[string]any{"name": name, "index": index, "length": length}, nil)
}

// Set sets an entry of a root map to a JSON value.
func (c *PycrdtClient) Set(name, key string, value any) {
	c.process.t.Helper()
	c.process.must("set", map[string]any{"name": name, "key": key, "value": value}, nil)
}

// Append appends a JSON value to a root array.
func (c *PycrdtClient) Append(name string, value any) {
	c.process.t.Helper()
	c.process.must("append", map[string]any{"name": name, "value": value}, nil)
}

// Await waits until a root type reads as wanted.
func (c *PycrdtClient) Await(place Place, want any) {
	c.process.t.Helper()
	var got json.RawMessage
	c.process.must("await", map[string]any{
		"type": place.Type, "name": place.Name, "want": want, "timeout": Timeout.Milliseconds(),
	}, &got)
	requireJSON(c.process.t, want, got)
}
