package ycrdt_test

import (
	"encoding/json"
	"fmt"

	"github.com/yrs-go/yrs/ycrdt"
)

func ExampleArray_Insert() {
	doc := ycrdt.NewDoc()
	defer doc.Close()

	_ = doc.Transact(func(tx *ycrdt.Tx) error {
		list := tx.Array("list")
		if err := list.Append("a", "d"); err != nil {
			return err
		}
		if err := list.Insert(1, "b", "c"); err != nil {
			return err
		}
		if err := list.Delete(0, 1); err != nil {
			return err
		}
		for i, value := range list.All() {
			fmt.Println(i, value)
		}
		return nil
	})
	// Output:
	// 0 b
	// 1 c
	// 2 d
}

// One call inserts a whole tree.
func ExampleArray_Append() {
	doc := ycrdt.NewDoc()
	defer doc.Close()

	_ = doc.Transact(func(tx *ycrdt.Tx) error {
		tasks := tx.Array("tasks")
		if err := tasks.Append(ycrdt.NewMap{"title": ycrdt.NewText("Write"), "done": false}); err != nil {
			return err
		}
		first, _ := tasks.Value(0)
		return first.(*ycrdt.Map).Set("done", true)
	})
	_ = doc.View(func(tx *ycrdt.Tx) error {
		encoded, err := json.Marshal(tx.Array("tasks"))
		fmt.Println(string(encoded))
		return err
	})
	// Output:
	// [{"done":true,"title":"Write"}]
}
