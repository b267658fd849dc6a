package ycrdt_test

import (
	"context"
	"fmt"

	"github.com/yrs-go/yrs/ycrdt"
)

// Updates are what to send to peers and to store. The origin tells where they came from, so that nothing goes back
// to its sender.
func ExampleDoc_OnUpdate() {
	doc, peer := ycrdt.NewDoc(), ycrdt.NewDoc()
	defer doc.Close()
	defer peer.Close()

	sub := doc.OnUpdate(func(u ycrdt.UpdateEvent) {
		fmt.Printf("from %v, local %v\n", u.Origin, u.Local)
		if u.Origin != "peer" {
			_ = peer.ApplyUpdate(u.Update)
		}
	})
	defer sub.Close()

	ctx := context.Background()
	_ = doc.TransactContext(ctx, ycrdt.TxOptions{Origin: "editor"}, func(tx *ycrdt.Tx) error {
		return tx.Text("content").Insert(0, "hi")
	})
	_ = peer.Transact(func(tx *ycrdt.Tx) error {
		return tx.Text("content").Insert(2, "!")
	})
	update, _ := peer.EncodeStateAsUpdate(nil)
	_ = doc.ApplyUpdateContext(ctx, ycrdt.TxOptions{Origin: "peer"}, update)
	// Output:
	// from editor, local true
	// from peer, local false
}

// Events hold plain values and stay valid.
func ExampleDoc_Observe() {
	doc := ycrdt.NewDoc()
	defer doc.Close()

	sub, err := doc.Observe(ycrdt.RootText("content"), func(event ycrdt.Event) {
		for _, op := range event.(*ycrdt.TextEvent).Delta {
			switch {
			case op.Insert != nil:
				fmt.Printf("insert %q\n", op.Insert)
			case op.Delete > 0:
				fmt.Println("delete", op.Delete)
			default:
				fmt.Println("keep", op.Retain)
			}
		}
	})
	if err != nil {
		panic(err)
	}
	defer sub.Close()

	_ = doc.Transact(func(tx *ycrdt.Tx) error { return tx.Text("content").Insert(0, "Hello world") })
	_ = doc.Transact(func(tx *ycrdt.Tx) error {
		text := tx.Text("content")
		if err := text.Delete(5, 6); err != nil {
			return err
		}
		return text.Insert(5, " Ada")
	})
	// Output:
	// insert "Hello world"
	// keep 5
	// delete 6
	// insert " Ada"
}

// A deep observer hears of everything below a shared type, with the path to it.
func ExampleDoc_ObserveDeep() {
	doc := ycrdt.NewDoc()
	defer doc.Close()
	_ = doc.Transact(func(tx *ycrdt.Tx) error {
		return tx.Array("tasks").Append(ycrdt.NewMap{"title": ycrdt.NewText("Write"), "done": false})
	})

	sub, err := doc.ObserveDeep(ycrdt.RootArray("tasks"), func(events []ycrdt.Event) {
		for _, event := range events {
			switch event := event.(type) {
			case *ycrdt.MapEvent:
				for key, change := range event.Keys {
					fmt.Printf("%s: %s %s from %v to %v\n", event.Path(), key, change.Action, change.Old, change.New)
				}
			case *ycrdt.TextEvent:
				fmt.Printf("%s: %d steps\n", event.Path(), len(event.Delta))
			}
		}
	})
	if err != nil {
		panic(err)
	}
	defer sub.Close()

	_ = doc.Transact(func(tx *ycrdt.Tx) error {
		first, _ := tx.Array("tasks").Value(0)
		task := first.(*ycrdt.Map)
		title, _ := task.Text("title")
		if err := title.Insert(5, " tests"); err != nil {
			return err
		}
		return task.Set("done", true)
	})
	// Output:
	// 0: done updated from false to true
	// 0/title: 2 steps
}
