package ycrdt_test

import (
	"fmt"
	"log"

	"github.com/yrs-go/yrs/ycrdt"
)

// A client tells the others who it is.
func ExampleAwareness() {
	doc := ycrdt.NewDoc()
	defer doc.Close()

	awareness := ycrdt.NewAwareness(doc)
	fmt.Println("at first:", awareness.LocalState())

	err := awareness.SetLocalState(map[string]any{"user": map[string]any{"name": "Ada"}})
	if err != nil {
		log.Fatal(err)
	}
	if err := awareness.SetLocalStateField("user.color", "#30bced"); err != nil {
		log.Fatal(err)
	}
	fmt.Println("then:", awareness.LocalState())

	if err := awareness.SetLocalState(nil); err != nil {
		log.Fatal(err)
	}
	fmt.Println("gone:", awareness.LocalState() == nil)
	// Output:
	// at first: map[]
	// then: map[user:map[color:#30bced name:Ada]]
	// gone: true
}
