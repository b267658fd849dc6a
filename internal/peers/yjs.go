package peers

import (
	"encoding/json"
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Yjs is a Node process that holds Yjs clients, each with a y-websocket connection of its own.
type Yjs struct {
	process *Process
	speed   float64
	opened  int
}

// StartYjs starts the process. With a speed above 1 time passes faster in it by that factor: the half
// minute after which y-websocket gives a silent connection up becomes half a minute / speed.
func StartYjs(t testing.TB, speed float64) *Yjs {
	t.Helper()
	cmd := node(t, "client.mjs", "--import", "./clock.mjs")
	cmd.Env = append(cmd.Environ(), fmt.Sprintf("CLOCK_SPEED=%g", speed))
	return &Yjs{process: start(t, cmd), speed: speed}
}

// Pass lets time go by on the clock of the process.
func (y *Yjs) Pass(t testing.TB, time time.Duration) {
	t.Helper()
	arguments := map[string]any{"milliseconds": time.Milliseconds()}
	require.NoError(t, y.process.doWithin(time+Timeout, "pass", arguments, nil))
}

// YjsClient is a Yjs document with a y-websocket provider.
type YjsClient struct {
	ClientID uint64

	t       testing.TB
	process *Process
	key     string
	timeout float64 // in milliseconds of the process's clock
}

// Connect opens a client in a room of the server at a ws:// address and waits until it is synced.
// The room goes into the address as it is. Params, which may be nil, become the query. Failures of the client
// are those of t.
func (y *Yjs) Connect(t testing.TB, server, room string, params url.Values) *YjsClient {
	t.Helper()
	y.opened++
	client := &YjsClient{
		t:       t,
		process: y.process,
		key:     fmt.Sprint("client ", y.opened),
		timeout: float64(Timeout.Milliseconds()) * y.speed,
	}
	query := make(map[string]string)
	for name := range params {
		query[name] = params.Get(name)
	}
	client.do("open", map[string]any{"url": server, "room": room, "params": query}, client)
	client.AwaitSynced()
	return client
}

func (c *YjsClient) do(command string, arguments map[string]any, result any) {
	c.t.Helper()
	if arguments == nil {
		arguments = make(map[string]any)
	}
	arguments["client"] = c.key
	require.NoError(c.t, c.process.Do(command, arguments, result))
}

// Edit performs the operations in one transaction.
func (c *YjsClient) Edit(ops ...Op) {
	c.t.Helper()
	c.do("edit", map[string]any{"ops": ops}, nil)
}

// Read returns what Yjs's toJSON gives for a place.
func (c *YjsClient) Read(place Place) any {
	c.t.Helper()
	var value any
	c.do("read", map[string]any{"on": place}, &value)
	return value
}

// Await waits until Yjs's toJSON gives this for a place. What is wanted is given as Go values that
// marshal to it, or as json.RawMessage.
func (c *YjsClient) Await(place Place, want any) {
	c.t.Helper()
	c.await(place, "json", want)
}

// AwaitDelta is Await for the delta of a text, which holds its formatting.
func (c *YjsClient) AwaitDelta(place Place, want any) {
	c.t.Helper()
	c.await(place, "delta", want)
}

func (c *YjsClient) await(place Place, form string, want any) {
	c.t.Helper()
	var got json.RawMessage
	c.do("await", map[string]any{"on": place, "form": form, "want": want, "timeout": c.timeout}, &got)
	requireJSON(c.t, want, got)
}

// SetState sets the awareness state; nil takes it away.
func (c *YjsClient) SetState(state any) {
	c.t.Helper()
	c.do("setState", map[string]any{"state": state}, nil)
}

// AwaitStates waits until the awareness states of the others are these, in any order.
func (c *YjsClient) AwaitStates(want ...any) {
	c.t.Helper()
	if want == nil {
		want = []any{}
	}
	var got []any
	c.do("awaitStates", map[string]any{"want": want, "timeout": c.timeout}, &got)
	encoded, err := json.Marshal(want)
	require.NoError(c.t, err)
	var decoded []any
	require.NoError(c.t, json.Unmarshal(encoded, &decoded))
	require.ElementsMatch(c.t, decoded, got)
}

// AwaitSynced waits until the server has answered the client's first sync step.
func (c *YjsClient) AwaitSynced() {
	c.t.Helper()
	c.awaitTrue("awaitSynced", "the client did not sync")
}

// AwaitUnsynced waits until the connection is gone.
func (c *YjsClient) AwaitUnsynced() {
	c.t.Helper()
	var synced bool
	c.do("awaitUnsynced", map[string]any{"timeout": c.timeout}, &synced)
	require.False(c.t, synced, "the client is still connected")
}

// AwaitEchoed waits until the server has sent back all that was inserted here.
func (c *YjsClient) AwaitEchoed() {
	c.t.Helper()
	c.awaitTrue("awaitEchoed", "the server has not sent back what was inserted")
}

func (c *YjsClient) awaitTrue(command, message string) {
	c.t.Helper()
	var done bool
	c.do(command, map[string]any{"timeout": c.timeout}, &done)
	require.True(c.t, done, message)
}

// Connections tells what became of a client's connections.
type Connections struct {
	Opened  int
	Closed  []Closed
	Stopped bool // the provider has given up
}

// Closed is how a connection ended.
type Closed struct {
	Code   int // 0 when the client itself closed it
	Reason string
}

// Connections returns what became of the client's connections so far.
func (c *YjsClient) Connections() Connections {
	c.t.Helper()
	var connections Connections
	c.do("connections", nil, &connections)
	return connections
}

// AwaitStopped waits until the provider has given up, as it does when the server closes with 44xx.
func (c *YjsClient) AwaitStopped() Connections {
	c.t.Helper()
	var connections Connections
	c.do("awaitStopped", map[string]any{"timeout": c.timeout}, &connections)
	require.True(c.t, connections.Stopped, "the client goes on: %+v", connections)
	return connections
}

// Send sends a message as it is, beside those of the provider.
func (c *YjsClient) Send(message []byte) {
	c.t.Helper()
	c.do("send", map[string]any{"message": message}, nil)
}

// Disconnect leaves cleanly; the document stays and can be edited.
func (c *YjsClient) Disconnect() {
	c.t.Helper()
	c.do("disconnect", nil, nil)
}

// Reconnect comes back after Disconnect and waits until the client is synced.
func (c *YjsClient) Reconnect() {
	c.t.Helper()
	c.do("connect", nil, nil)
	c.AwaitSynced()
}

// Abort cuts the connection without a word, and stays away.
func (c *YjsClient) Abort() {
	c.t.Helper()
	c.do("abort", nil, nil)
}

// requireJSON compares as JSON, and shows the difference.
func requireJSON(t testing.TB, want any, got json.RawMessage) {
	t.Helper()
	encoded, err := json.Marshal(want)
	require.NoError(t, err)
	if !assert.JSONEq(t, string(encoded), string(got), "not within %v", Timeout) {
		t.FailNow()
	}
}
