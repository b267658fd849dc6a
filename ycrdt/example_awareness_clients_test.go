package ycrdt_test

import (
	"fmt"
	"log"

	"github.com/yrs-go/yrs/ycrdt"
)

// connectAwareness passes on what happens at one client to another, as a network
// would.
func connectAwareness(from, to *ycrdt.Awareness) {
	from.Observe(func(event ycrdt.AwarenessEvent) {
		if event.Origin == "network" {
			return // it came from there
		}
		update, err := from.EncodeUpdate(event.ClientIDs)
		if err != nil {
			log.Fatal(err)
		}
		if err := to.ApplyUpdate(update, "network"); err != nil {
			log.Fatal(err)
		}
	})
}

// Three clients are connected to each other, and all know of all.
func ExampleAwareness_severalClients() {
	var clients []*ycrdt.Awareness
	for id := uint64(1); id <= 3; id++ {
		doc, err := ycrdt.NewDocWith(ycrdt.DocOptions{ClientID: id})
		if err != nil {
			log.Fatal(err)
		}
		defer doc.Close()
		clients = append(clients, ycrdt.NewAwareness(doc))
	}
	for _, from := range clients {
		for _, to := range clients {
			if from != to {
				connectAwareness(from, to)
			}
		}
	}

	for i, name := range []string{"Ada", "Grace", "Barbara"} {
		if err := clients[i].SetLocalStateField("name", name); err != nil {
			log.Fatal(err)
		}
	}
	for _, client := range clients {
		fmt.Println(client.ClientID(), "sees", client.States())
	}
	// Output:
	// 1 sees map[1:map[name:Ada] 2:map[name:Grace] 3:map[name:Barbara]]
	// 2 sees map[1:map[name:Ada] 2:map[name:Grace] 3:map[name:Barbara]]
	// 3 sees map[1:map[name:Ada] 2:map[name:Grace] 3:map[name:Barbara]]
}
