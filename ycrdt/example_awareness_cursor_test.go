package ycrdt_test

import (
	"fmt"
	"log"

	"github.com/yrs-go/yrs/ycrdt"
)

// Each client tells where its cursor is, and draws those of the others.
func ExampleAwareness_SetLocalStateField_cursorTracking() {
	adaDoc, err := ycrdt.NewDocWith(ycrdt.DocOptions{ClientID: 1})
	if err != nil {
		log.Fatal(err)
	}
	defer adaDoc.Close()
	graceDoc, err := ycrdt.NewDocWith(ycrdt.DocOptions{ClientID: 2})
	if err != nil {
		log.Fatal(err)
	}
	defer graceDoc.Close()

	ada, grace := ycrdt.NewAwareness(adaDoc), ycrdt.NewAwareness(graceDoc)
	connectAwareness(ada, grace)
	grace.Observe(func(event ycrdt.AwarenessEvent) {
		for _, id := range event.Changed {
			state, _ := grace.State(id)
			if fields, ok := state.(map[string]any); ok && id != grace.ClientID() {
				fmt.Println(fields["name"], "is at", fields["cursor"])
			}
		}
	})

	if err := ada.SetLocalState(map[string]any{"name": "Ada"}); err != nil {
		log.Fatal(err)
	}
	for _, index := range []int{0, 5, 12} {
		if err := ada.SetLocalStateField("cursor.anchor", index); err != nil {
			log.Fatal(err)
		}
	}
	// Output:
	// Ada is at <nil>
	// Ada is at map[anchor:0]
	// Ada is at map[anchor:5]
	// Ada is at map[anchor:12]
}
