package e2e_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/internal/peers"
	"github.com/yrs-go/yrs/ycrdt"
	"github.com/yrs-go/yrs/ywebsocket"
)

// goClient is a document with this package's own provider.
type goClient struct {
	*ywebsocket.Provider
	t   *testing.T
	doc *ycrdt.Doc
}

func connectGo(t *testing.T, url, room string) *goClient {
	t.Helper()
	return connectGoWith(t, ywebsocket.ProviderOptions{URL: url, Room: room})
}

func connectGoWith(t *testing.T, options ywebsocket.ProviderOptions) *goClient {
	t.Helper()
	options.Backoff = ywebsocket.Backoff{Min: 20 * time.Millisecond, Max: 100 * time.Millisecond}
	options.Logger = slog.New(slog.DiscardHandler)
	doc := ycrdt.NewDoc()
	p, err := ywebsocket.NewProvider(doc, options)
	require.NoError(t, err)
	t.Cleanup(func() {
		p.Close()
		assert.NoError(t, doc.Close())
	})
	p.Connect()
	c := &goClient{Provider: p, t: t, doc: doc}
	require.NoError(t, p.Synced(c.patience()))
	return c
}

func (c *goClient) patience() context.Context {
	ctx, cancel := context.WithTimeout(c.t.Context(), peers.Timeout)
	c.t.Cleanup(cancel)
	return ctx
}

func (c *goClient) insert(index int, s string) {
	c.t.Helper()
	require.NoError(c.t, c.doc.Transact(func(tx *ycrdt.Tx) error { return tx.Text("text").Insert(index, s) }))
}

func (c *goClient) text() (s string) {
	assert.NoError(c.t, c.doc.View(func(tx *ycrdt.Tx) error {
		s = tx.Text("text").String()
		return nil
	}))
	return s
}

func (c *goClient) await(want string) {
	c.t.Helper()
	require.Eventually(c.t, func() bool { return c.text() == want }, peers.Timeout, 10*time.Millisecond, "want %q", want)
}

func TestProvider_WorksWithNodeAndPycrdt(t *testing.T) {
	server := startServer(t)
	const room = "a room/for all ü"
	goes := connectGo(t, server.websocket(), room)
	goes.insert(0, "Go")
	require.NoError(t, goes.Saved(goes.patience()))

	node := peers.StartYjs(t, 1).Connect(t, server.websocket(), room, nil)
	node.Await(text, "Go")
	node.Edit(text.InsertText(2, ", Node", nil))
	goes.await("Go, Node")

	pycrdt := peers.StartPycrdt(t, server.websocket()+"/a%20room/for%20all%20%C3%BC")
	pycrdt.Await(text, "Go, Node")
	pycrdt.InsertText("text", len("Go, Node"), ", Python")
	goes.await("Go, Node, Python")

	require.NoError(t, goes.Awareness().SetLocalState(map[string]any{"name": "Go"}))
	node.AwaitStates(object{"name": "Go"})
	node.SetState(object{"name": "Node"})
	require.Eventually(t, func() bool {
		for _, state := range goes.Awareness().States() {
			if assert.ObjectsAreEqual(map[string]any{"name": "Node"}, state) {
				return true
			}
		}
		return false
	}, peers.Timeout, 10*time.Millisecond)
}

// TestProvider_LosesNothingWhenConnectionsAreCut has two programs and a Node client write through a network that is
// slow, and fails in each round: some clients notice, and the server with them or not. All say the same in the end, and
// every word is there once.
func TestProvider_LosesNothingWhenConnectionsAreCut(t *testing.T) {
	server := startServer(t)
	network := startSlowProxy(t, server.websocket(), 10*time.Millisecond)
	room := roomName(t)
	a, b := connectGo(t, network.websocket(), room), connectGo(t, network.websocket(), room)
	node := peers.StartYjs(t, 1).Connect(t, network.websocket(), room, nil)
	var words []string
	write := func(c *goClient, word string) {
		words = append(words, word)
		c.insert(0, word+" ")
	}
	for round := range faults {
		write(a, fmt.Sprint("a", round))
		if round%2 == 0 {
			network.strand()
		} else {
			network.cut()
		}
		write(b, fmt.Sprint("b", round))
		if round%10 == 0 {
			words = append(words, fmt.Sprint("node", round))
			node.Edit(text.InsertText(0, fmt.Sprint("node", round, " "), nil))
		}
		if round%3 == 0 {
			require.NoError(t, a.Saved(a.patience()))
		}
		time.Sleep(rand.N(20 * time.Millisecond))
	}
	slices.Sort(words)
	for _, c := range []*goClient{a, b, connectGo(t, server.websocket(), room)} {
		require.NoError(t, c.Saved(c.patience()))
		require.Eventually(t, func() bool { return slices.Equal(words, slices.Sorted(slices.Values(strings.Fields(c.text())))) },
			peers.Timeout, 10*time.Millisecond)
	}
	assert.Equal(t, a.text(), b.text())
	node.Await(text, a.text())
}

// TestProvider_OtherServers has servers of another make between the clients. They send back what is news, and nothing
// for what is none: how much they have is known from their answers.
func TestProvider_OtherServers(t *testing.T) {
	for name, start := range map[string]func(testing.TB) string{
		"y-websocket 2":    peers.StartYWebsocketServer,
		"pycrdt-websocket": peers.StartPycrdtServer,
	} {
		t.Run(name, func(t *testing.T) {
			server := start(t)
			const room = "room"
			a, b := connectGo(t, server, room), connectGo(t, server, room)
			node := peers.StartYjs(t, 1).Connect(t, server, room, nil)
			a.insert(0, "Go")
			b.await("Go")
			node.Await(text, "Go")
			node.Edit(text.InsertText(2, ", Node", nil))
			a.await("Go, Node")

			a.Disconnect()
			a.insert(0, "offline ")
			b.insert(len("Go, Node"), "!")
			a.Connect()
			for _, c := range []*goClient{a, b} {
				c.await("offline Go, Node!")
				require.Eventually(t, func() bool { return c.State().Unsynced == 0 }, peers.Timeout, 10*time.Millisecond)
			}
			node.Await(text, "offline Go, Node!")

			require.NoError(t, a.Awareness().SetLocalState(map[string]any{"name": "Ada"}))
			node.AwaitStates(object{"name": "Ada"})
			a.Close()
			node.AwaitStates()
		})
	}
}
