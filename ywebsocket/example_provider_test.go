package ywebsocket_test

import (
	"context"
	"fmt"
	"log"
	"net/http/httptest"
	"os"
	"strings"

	"github.com/yrs-go/yrs/ycrdt"
	"github.com/yrs-go/yrs/ywebsocket"
	"github.com/yrs-go/yrs/ywebsocket/store/file"
)

// Two programs, here in one process, edit a document together and see each other.
func ExampleProvider() {
	server, err := ywebsocket.NewServer(ywebsocket.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer server.Shutdown(context.Background())
	listener := httptest.NewServer(server)
	defer listener.Close()
	url := "ws" + strings.TrimPrefix(listener.URL, "http")

	ada, grace := join(url), join(url)
	defer ada.Close()
	defer grace.Close()
	seen := make(chan any)
	grace.Awareness().Observe(func(event ycrdt.AwarenessEvent) {
		if state, ok := grace.Awareness().State(ada.Awareness().ClientID()); ok && event.Origin == grace {
			if state := state.(map[string]any); state["name"] != nil {
				seen <- state["name"]
			}
		}
	})
	if err := ada.Awareness().SetLocalState(map[string]any{"name": "Ada"}); err != nil {
		log.Fatal(err)
	}
	fmt.Println("Grace sees", <-seen)
	// Output: Grace sees Ada
}

// A program writes without a connection and ends. The next one finds that in the local store, and would send it.
func ExampleProvider_local() {
	directory, err := os.MkdirTemp("", "notes")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(directory)
	program := func(write string) {
		local, err := file.Open(directory, file.Options{})
		if err != nil {
			log.Fatal(err)
		}
		defer local.Close()
		doc := ycrdt.NewDoc()
		defer doc.Close()
		provider, err := ywebsocket.NewProvider(doc, ywebsocket.ProviderOptions{
			URL: "wss://example.com", Room: "notes", Local: local,
		})
		if err != nil {
			log.Fatal(err)
		}
		defer provider.Close()
		// Connect would be called here.
		if err := provider.Loaded(context.Background()); err != nil {
			log.Fatal(err)
		}
		err = doc.Transact(func(tx *ycrdt.Tx) error {
			text := tx.Text("notes")
			fmt.Printf("found %q\n", text.String())
			return text.Insert(text.Len(), write)
		})
		if err != nil {
			log.Fatal(err)
		}
		if err := provider.Stored(context.Background()); err != nil {
			log.Fatal(err)
		}
	}
	program("Buy milk.")
	program(" And bread.")
	program("")
	// Output:
	// found ""
	// found "Buy milk."
	// found "Buy milk. And bread."
}

func join(url string) *ywebsocket.Provider {
	provider, err := ywebsocket.NewProvider(ycrdt.NewDoc(), ywebsocket.ProviderOptions{URL: url, Room: "notes"})
	if err != nil {
		log.Fatal(err)
	}
	provider.Connect()
	if err := provider.Synced(context.Background()); err != nil {
		log.Fatal(err)
	}
	return provider
}
