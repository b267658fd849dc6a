package e2e_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/internal/peers"
	"github.com/yrs-go/yrs/ycrdt"
)

// everybodyWrites is how many words each client writes.
const everybodyWrites = 30

// TestEverybodyInOneRoom has a browser, a Node program, a Go program and a Python program write into one room at once,
// and see each other's presence.
func TestEverybodyInOneRoom(t *testing.T) {
	server := startServer(t)
	const room = "everybody" // the demo shows the text "content"
	content := peers.Text("content")
	chromium := join(t, peers.StartBrowser(t), server.room(room), "Chromium")
	node := peers.StartYjs(t, 1).Connect(t, server.websocket(), room, nil)
	pycrdt := peers.StartPycrdt(t, server.websocket()+"/"+room)
	goes := connectGo(t, server.websocket(), room)
	require.NoError(t, goes.Awareness().SetLocalState(map[string]any{"user": map[string]any{"name": "Gopher", "color": "#00add8"}}))
	chromium.AwaitText("#people", "Gopher")

	word := func(who string, i int) string { return fmt.Sprintf("%s%d ", who, i) }
	writers := map[string]func(word string){
		"chromium": func(word string) { assert.NoError(t, chromium.Type(word, 0)) },
		"node":     func(word string) { node.Edit(content.InsertText(0, word, nil)) },
		"pycrdt":   func(word string) { pycrdt.InsertText("content", 0, word) },
		"go": func(word string) {
			assert.NoError(t, goes.doc.Transact(func(tx *ycrdt.Tx) error { return tx.Text("content").Insert(0, word) }))
		},
	}
	var words []string
	var wg sync.WaitGroup
	for who, write := range writers {
		for i := range everybodyWrites {
			words = append(words, strings.TrimSpace(word(who, i)))
		}
		wg.Go(func() {
			for i := range everybodyWrites {
				write(word(who, i))
			}
		})
	}
	wg.Wait()
	require.NoError(t, goes.Saved(goes.patience()))
	chromium.AwaitText("#status-text", "Saved")

	slices.Sort(words)
	var text string
	require.Eventually(t, func() bool {
		assert.NoError(t, goes.doc.View(func(tx *ycrdt.Tx) error {
			text = tx.Text("content").String()
			return nil
		}))
		return slices.Equal(words, slices.Sorted(slices.Values(strings.Fields(text))))
	}, peers.Timeout, peers.Timeout/1000, "every word once")
	chromium.Until(fmt.Sprintf("demo.text === %q", text))
	node.Await(content, text)
	pycrdt.Await(content, text)
	chromium.RequireNoProblems()
}
