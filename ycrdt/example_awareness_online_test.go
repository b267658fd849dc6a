package ycrdt_test

import (
	"context"
	"fmt"
	"log"

	"github.com/yrs-go/yrs/ycrdt"
)

// A list of who is online, kept by somebody who is not on it. Start takes those
// off it who fall silent.
func ExampleAwareness_Start_onlineStatus() {
	roomDoc := ycrdt.NewDoc()
	defer roomDoc.Close()
	room := ycrdt.NewAwarenessWith(roomDoc, ycrdt.AwarenessOptions{NoLocalState: true})
	if err := room.Start(context.Background()); err != nil {
		log.Fatal(err)
	}
	defer room.Stop()
	room.Observe(func(event ycrdt.AwarenessEvent) {
		fmt.Println(event.Kind, event.ClientIDs, "online:", room.ClientIDs())
	})

	var clients []*ycrdt.Awareness
	for id := uint64(1); id <= 2; id++ {
		doc, err := ycrdt.NewDocWith(ycrdt.DocOptions{ClientID: id})
		if err != nil {
			log.Fatal(err)
		}
		defer doc.Close()
		client := ycrdt.NewAwareness(doc)
		connectAwareness(client, room)
		clients = append(clients, client)
	}
	for _, client := range clients {
		if err := client.SetLocalStateField("status", "online"); err != nil {
			log.Fatal(err)
		}
	}
	if err := clients[1].SetLocalStateField("status", "away"); err != nil {
		log.Fatal(err)
	}
	if err := clients[0].SetLocalState(nil); err != nil { // says goodbye
		log.Fatal(err)
	}
	// Output:
	// added [1] online: [1]
	// added [2] online: [1 2]
	// updated [2] online: [1 2]
	// removed [1] online: [2]
}
