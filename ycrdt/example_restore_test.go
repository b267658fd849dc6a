package ycrdt_test

import (
	"fmt"
	"log"

	"github.com/yrs-go/yrs/ycrdt"
)

// What a document was is made its content again, as an edit that everybody else receives.
func ExampleRestore() {
	doc := ycrdt.NewDoc()
	defer doc.Close()
	insert := func(index int, s string) {
		err := doc.Transact(func(tx *ycrdt.Tx) error { return tx.Text("content").Insert(index, s) })
		if err != nil {
			log.Fatal(err)
		}
	}
	state := func() []byte {
		state, err := doc.EncodeStateAsUpdate(nil)
		if err != nil {
			log.Fatal(err)
		}
		return state
	}

	insert(0, "To be.")
	version := state()
	insert(5, " or not to be")

	update, err := ycrdt.Restore(state(), version)
	if err != nil {
		log.Fatal(err)
	}
	if err := doc.ApplyUpdate(update); err != nil {
		log.Fatal(err)
	}
	_ = doc.View(func(tx *ycrdt.Tx) error {
		fmt.Println(tx.Text("content"))
		return nil
	})
	// Output: To be.
}
