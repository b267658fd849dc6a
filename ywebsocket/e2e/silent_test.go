package e2e_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/yrs-go/yrs/internal/peers"
	"github.com/yrs-go/yrs/ywebsocket"
)

// TestSilent_StaysConnected lets time pass ten times as fast for the client. The server keeps the connection alive
// every second, where the default amounts to two: this machine may be busy.
func TestSilent_StaysConnected(t *testing.T) {
	options := ywebsocket.Options{Timeouts: ywebsocket.Timeouts{KeepAlive: time.Second}}
	requireSilentStays(t, serve(t, options, nil), peers.StartYjs(t, 10))
}

// requireSilentStays leaves a client without an awareness state alone for two minutes of the process's clock;
// y-websocket gives a connection up after half a minute without a message.
func requireSilentStays(t *testing.T, server string, yjs *peers.Yjs) {
	t.Helper()
	silent := yjs.Connect(t, server, "silence", nil)
	silent.SetState(nil)
	yjs.Pass(t, 2*time.Minute)
	assert.Equal(t, peers.Connections{Opened: 1, Closed: []peers.Closed{}}, silent.Connections())

	yjs.Connect(t, server, "silence", nil).Edit(text.InsertText(0, "hello", nil))
	silent.Await(text, "hello")
}
