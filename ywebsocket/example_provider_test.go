package ywebsocket_test

import (
	"context"
	"fmt"
	"log"
	"net/http/httptest"
	"strings"

	"github.com/yrs-go/yrs/ycrdt"
	"github.com/yrs-go/yrs/ywebsocket"
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
