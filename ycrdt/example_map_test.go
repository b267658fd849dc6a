package ycrdt_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/yrs-go/yrs/ycrdt"
)

func ExampleMap_Set() {
	doc := ycrdt.NewDoc()
	defer doc.Close()

	_ = doc.Transact(func(tx *ycrdt.Tx) error {
		meta := tx.Map("meta")
		for key, value := range map[string]any{
			"title":   "Notes",
			"version": 7,
			"scale":   1.0,
			"tags":    []any{"draft", nil},
			"icon":    []byte{0xca, 0xfe},
		} {
			if err := meta.Set(key, value); err != nil {
				return err
			}
		}
		err := meta.Set("id", uint64(1)<<60)
		fmt.Println("not every peer can read it:", errors.Is(err, ycrdt.ErrUnsupportedValue))
		return nil
	})
	_ = doc.View(func(tx *ycrdt.Tx) error {
		for key, value := range tx.Map("meta").All() {
			fmt.Printf("%s: %T %v\n", key, value, value)
		}
		return nil
	})
	// Output:
	// not every peer can read it: true
	// icon: []uint8 [202 254]
	// scale: float64 1
	// tags: []interface {} [draft <nil>]
	// title: string Notes
	// version: int64 7
}

// A plain value is replaced as a whole. Nested shared types are edited by several peers at once.
func ExampleMap_Map() {
	doc := ycrdt.NewDoc()
	defer doc.Close()

	_ = doc.Transact(func(tx *ycrdt.Tx) error {
		err := tx.Map("users").Set("ada", ycrdt.NewMap{
			"name":  "Ada",
			"notes": ycrdt.NewText("likes engines"),
			"tasks": ycrdt.NewArray{"write", "test"},
		})
		if err != nil {
			return err
		}
		ada, _ := tx.Map("users").Map("ada")
		notes, _ := ada.Text("notes")
		return notes.Insert(notes.Len(), " and mathematics")
	})
	_ = doc.View(func(tx *ycrdt.Tx) error {
		return json.NewEncoder(os.Stdout).Encode(tx.Map("users"))
	})
	// Output:
	// {"ada":{"name":"Ada","notes":"likes engines and mathematics","tasks":["write","test"]}}
}

// undefined is not null: a key can hold either, and JSON shows only null.
func ExampleUndefined() {
	doc := ycrdt.NewDoc()
	defer doc.Close()

	_ = doc.Transact(func(tx *ycrdt.Tx) error {
		m := tx.Map("m")
		if err := m.Set("null", nil); err != nil {
			return err
		}
		if err := m.Set("undefined", ycrdt.Undefined); err != nil {
			return err
		}
		value, ok := m.Value("undefined")
		fmt.Println(value == ycrdt.Undefined, ok)
		value, ok = m.Value("absent")
		fmt.Println(value == ycrdt.Undefined, ok)
		return json.NewEncoder(os.Stdout).Encode(m)
	})
	// Output:
	// true true
	// false false
	// {"null":null}
}
