package ycrdt_test

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/yrs-go/yrs/ycrdt"
)

// Offsets count UTF-16 code units, as in Yjs; helpers convert those of Go strings.
func ExampleText_Insert() {
	doc := ycrdt.NewDoc()
	defer doc.Close()

	_ = doc.Transact(func(tx *ycrdt.Tx) error {
		text := tx.Text("content")
		if err := text.Insert(0, "a😀b"); err != nil {
			return err
		}
		fmt.Println("length", text.Len())

		err := text.Insert(2, "-")
		fmt.Println("inside the emoji:", errors.Is(err, ycrdt.ErrOutOfRange))

		behindEmoji, err := ycrdt.UTF16Offset(text.String(), len("a😀"))
		if err != nil {
			return err
		}
		if err := text.Insert(behindEmoji, "-"); err != nil {
			return err
		}
		fmt.Println(text)
		return nil
	})
	// Output:
	// length 4
	// inside the emoji: true
	// a😀-b
}

func ExampleText_Format() {
	doc := ycrdt.NewDoc()
	defer doc.Close()

	_ = doc.Transact(func(tx *ycrdt.Tx) error {
		text := tx.Text("content")
		if err := text.Insert(0, "Hello world"); err != nil {
			return err
		}
		if err := text.Format(0, 5, map[string]any{"bold": true}); err != nil {
			return err
		}
		if err := text.Insert(5, ","); err != nil { // takes over the formatting
			return err
		}
		return text.Format(0, 1, map[string]any{"bold": nil})
	})
	_ = doc.View(func(tx *ycrdt.Tx) error {
		for _, op := range tx.Text("content").ToDelta() {
			fmt.Printf("%q %v\n", op.Insert, op.Attributes)
		}
		return nil
	})
	// Output:
	// "H" map[]
	// "ello," map[bold:true]
	// " world" map[]
}

// Deltas are those of Quill, also in JSON.
func ExampleText_ApplyDelta() {
	doc := ycrdt.NewDoc()
	defer doc.Close()

	const fromEditor = `[{"insert": "Dear "}, {"insert": "Ada", "attributes": {"italic": true}}, {"insert": {"image": "ada.png"}}]`
	var delta ycrdt.Delta
	if err := json.Unmarshal([]byte(fromEditor), &delta); err != nil {
		panic(err)
	}
	err := doc.Transact(func(tx *ycrdt.Tx) error {
		text := tx.Text("letter")
		if err := text.ApplyDelta(delta); err != nil {
			return err
		}
		// Skip five characters, replace three.
		if err := text.ApplyDelta(ycrdt.Delta{{Retain: 5}, {Delete: 3}, {Insert: "Ben"}}); err != nil {
			return err
		}
		encoded, err := json.Marshal(text.ToDelta())
		fmt.Println(string(encoded))
		return err
	})
	if err != nil {
		panic(err)
	}
	// Output:
	// [{"insert":"Dear Ben"},{"insert":{"image":"ada.png"}}]
}

// An embed takes one place in the text. It may be a shared type that is edited on its own.
func ExampleText_InsertEmbed() {
	doc := ycrdt.NewDoc()
	defer doc.Close()

	_ = doc.Transact(func(tx *ycrdt.Tx) error {
		text := tx.Text("content")
		if err := text.Insert(0, "tasks: "); err != nil {
			return err
		}
		if err := text.InsertEmbed(7, ycrdt.NewArray{"write"}, nil); err != nil {
			return err
		}
		tasks := text.ToDelta()[1].Insert.(*ycrdt.Array)
		if err := tasks.Append("test"); err != nil {
			return err
		}
		values, err := tasks.AsSlice()
		fmt.Println(text.Len(), values)
		return err
	})
	// Output:
	// 8 [write test]
}
