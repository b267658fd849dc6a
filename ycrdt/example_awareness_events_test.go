package ycrdt_test

import (
	"fmt"
	"log"

	"github.com/yrs-go/yrs/ycrdt"
)

// An observer hears what happened to whom, who told, and for whom there is
// something new to show.
func ExampleAwareness_Observe() {
	local, err := ycrdt.NewDocWith(ycrdt.DocOptions{ClientID: 1})
	if err != nil {
		log.Fatal(err)
	}
	defer local.Close()
	remote, err := ycrdt.NewDocWith(ycrdt.DocOptions{ClientID: 2})
	if err != nil {
		log.Fatal(err)
	}
	defer remote.Close()

	awareness, other := ycrdt.NewAwareness(local), ycrdt.NewAwareness(remote)
	connectAwareness(other, awareness)
	subscription := awareness.Observe(func(event ycrdt.AwarenessEvent) {
		fmt.Println(event.Kind, event.ClientIDs, "changed:", event.Changed, "origin:", event.Origin)
	})
	defer subscription.Close()

	for _, state := range []any{"typing", "typing", "idle", nil} {
		if err := other.SetLocalState(state); err != nil {
			log.Fatal(err)
		}
	}
	if err := awareness.SetLocalState("reading"); err != nil {
		log.Fatal(err)
	}
	// Output:
	// added [2] changed: [2] origin: network
	// updated [2] changed: [] origin: network
	// updated [2] changed: [2] origin: network
	// removed [2] changed: [2] origin: network
	// updated [1] changed: [1] origin: local
}
