package ycrdt_test

import (
	"fmt"
	"log"

	"github.com/yrs-go/yrs/ycrdt"
)

// A server notices that a connection has ended and tells the others.
func ExampleIsAwarenessDisconnectMessage() {
	serverDoc := ycrdt.NewDoc()
	defer serverDoc.Close()
	clientDoc, err := ycrdt.NewDocWith(ycrdt.DocOptions{ClientID: 7})
	if err != nil {
		log.Fatal(err)
	}
	defer clientDoc.Close()

	server := ycrdt.NewAwarenessWith(serverDoc, ycrdt.AwarenessOptions{NoLocalState: true})
	client := ycrdt.NewAwareness(clientDoc)
	server.Observe(func(event ycrdt.AwarenessEvent) {
		update, err := server.EncodeUpdate(event.ClientIDs)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(event.Kind, event.ClientIDs, "disconnect:", ycrdt.IsAwarenessDisconnectMessage(update))
	})

	connectAwareness(client, server)
	if err := client.SetLocalStateField("name", "Ada"); err != nil {
		log.Fatal(err)
	}
	// The connection breaks.
	if err := server.RemoveStates([]uint64{7}, "connection closed"); err != nil {
		log.Fatal(err)
	}
	// Output:
	// added [7] disconnect: false
	// removed [7] disconnect: true
}
