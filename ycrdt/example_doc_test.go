package ycrdt_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/yrs-go/yrs/ycrdt"
)

// Two replicas are edited apart and brought together.
func Example() {
	ada, ben := ycrdt.NewDoc(), ycrdt.NewDoc()
	defer ada.Close()
	defer ben.Close()

	_ = ada.Transact(func(tx *ycrdt.Tx) error {
		return tx.Text("content").Insert(0, "Hello")
	})
	update, _ := ada.EncodeStateAsUpdate(nil)
	_ = ben.ApplyUpdate(update)

	// Both go on without knowing of each other.
	_ = ada.Transact(func(tx *ycrdt.Tx) error {
		return tx.Text("content").Insert(5, " world")
	})
	_ = ben.Transact(func(tx *ycrdt.Tx) error {
		return tx.Map("meta").Set("author", map[string]any{"name": "Ben", "age": 36})
	})

	fromAda, _ := ada.EncodeStateAsUpdate(nil)
	fromBen, _ := ben.EncodeStateAsUpdate(nil)
	_ = ada.ApplyUpdate(fromBen)
	_ = ben.ApplyUpdate(fromAda)

	for _, doc := range []*ycrdt.Doc{ada, ben} {
		_ = doc.View(func(tx *ycrdt.Tx) error {
			author, _ := tx.Map("meta").Value("author")
			fmt.Println(tx.Text("content"), author)
			return nil
		})
	}
	// Output:
	// Hello world map[age:36 name:Ben]
	// Hello world map[age:36 name:Ben]
}

// A peer sends its state vector and is sent what it lacks.
func ExampleDoc_EncodeStateAsUpdate() {
	server, client := ycrdt.NewDoc(), ycrdt.NewDoc()
	defer server.Close()
	defer client.Close()
	_ = server.Transact(func(tx *ycrdt.Tx) error {
		return tx.Array("log").Append("started", "listening")
	})

	stateVector, _ := client.EncodeStateVector()
	update, _ := server.EncodeStateAsUpdate(stateVector)
	_ = client.ApplyUpdate(update)

	stateVector, _ = client.EncodeStateVector()
	update, _ = server.EncodeStateAsUpdate(stateVector)
	fmt.Println("still missing:", update)
	_ = client.View(func(tx *ycrdt.Tx) error {
		log, err := tx.Array("log").AsSlice()
		fmt.Println(log)
		return err
	})
	// Output:
	// still missing: [0 0]
	// [started listening]
}

// There is no rollback: what a failing transaction has written stays.
func ExampleDoc_Transact() {
	doc := ycrdt.NewDoc()
	defer doc.Close()

	err := doc.Transact(func(tx *ycrdt.Tx) error {
		text := tx.Text("content")
		if err := text.Insert(0, "abc"); err != nil {
			return err
		}
		return text.Insert(9, "d")
	})
	fmt.Println(err)
	fmt.Println(errors.Is(err, ycrdt.ErrOutOfRange))
	_ = doc.View(func(tx *ycrdt.Tx) error {
		fmt.Println(tx.Text("content"))
		return nil
	})
	// Output:
	// ycrdt: text insert: index 9 out of range (len 3)
	// true
	// abc
}

// A transaction inside another one of the same document would wait for itself. With the context of the outer one
// it fails at once.
func ExampleTx_Context() {
	doc := ycrdt.NewDoc()
	defer doc.Close()

	wordCount := func(ctx context.Context) error {
		return doc.ViewContext(ctx, func(tx *ycrdt.Tx) error { return nil })
	}
	_ = doc.Transact(func(tx *ycrdt.Tx) error {
		err := wordCount(tx.Context())
		fmt.Println(errors.Is(err, ycrdt.ErrInTransaction))
		return nil
	})
	// Output:
	// true
}

// Handles end with their transaction. A Ref does not: it can be kept, compared and stored.
func ExampleTx_Resolve() {
	doc := ycrdt.NewDoc()
	defer doc.Close()

	var todo ycrdt.Ref
	_ = doc.Transact(func(tx *ycrdt.Tx) error {
		if err := tx.Map("lists").Set("todo", ycrdt.NewArray{"write"}); err != nil {
			return err
		}
		list, _ := tx.Map("lists").Array("todo")
		todo = list.Ref()
		return nil
	})
	_ = doc.Transact(func(tx *ycrdt.Tx) error {
		handle, err := tx.Resolve(todo)
		if err != nil {
			return err
		}
		fmt.Println(handle.(*ycrdt.Array).Len())
		return tx.Map("lists").Delete("todo")
	})
	err := doc.View(func(tx *ycrdt.Tx) error {
		_, err := tx.Resolve(todo)
		return err
	})
	fmt.Println(errors.Is(err, ycrdt.ErrDeleted))
	// Output:
	// 1
	// true
}

// Updates can be merged without a document, for example to compact what a store has collected.
func ExampleMergeUpdates() {
	doc := ycrdt.NewDoc()
	defer doc.Close()
	var log [][]byte
	defer doc.OnUpdate(func(u ycrdt.UpdateEvent) { log = append(log, u.Update) }).Close()
	for _, word := range []string{"one", "two", "three"} {
		_ = doc.Transact(func(tx *ycrdt.Tx) error { return tx.Array("words").Append(word) })
	}

	merged, err := ycrdt.MergeUpdates(log...)
	if err != nil {
		panic(err)
	}
	loaded := ycrdt.NewDoc()
	defer loaded.Close()
	_ = loaded.ApplyUpdate(merged)
	_ = loaded.View(func(tx *ycrdt.Tx) error {
		words, err := tx.Array("words").AsSlice()
		fmt.Println(len(log), words)
		return err
	})
	// Output:
	// 3 [one two three]
}
