package main

import (
	"fmt"
	"path/filepath"
	"time"

	"github.com/yrs-go/yrs/ycrdt"
)

// gateRows compares the gate alone with native yrs decoding and applying the same updates: for documents it may take
// a twelfth of that, for one character 300 ns. The check after an apply is encoding the change once more, and may
// take 500 ns.
func gateRows(work, incremental, document, name string) ([]row, error) {
	rows := []row{
		{
			name: "gate, one character", each: incrementalUpdates, baseName: "native apply",
			base: nativeRun("apply", incremental), ours: nativeRun("gate", incremental), slack: 300 * time.Nanosecond,
		},
		{
			name: "check after apply, one character", each: incrementalUpdates, baseName: "native apply",
			base: nativeRun("apply", incremental), ours: nativeRun("check", incremental), slack: 500 * time.Nanosecond,
		},
	}
	files := []struct{ name, path string }{{name, document}}
	for title, make := range map[string]func(*ycrdt.Doc) error{
		"10 kB of text": func(doc *ycrdt.Doc) error { return typeAround(doc, 700) },
		"nested maps":   func(doc *ycrdt.Doc) error { return nest(doc, 5000) },
	} {
		update, err := documentOf(make)
		if err != nil {
			return nil, err
		}
		path := filepath.Join(work, title)
		if err := writeUpdates(path, [][]byte{update}); err != nil {
			return nil, err
		}
		files = append(files, struct{ name, path string }{fmt.Sprintf("%s (%d kB)", title, len(update)/1000), path})
	}
	for _, file := range files {
		rows = append(rows, row{
			name: "gate, " + file.name, each: 1, baseName: "native load",
			base: nativeRun("load", file.path), ours: nativeRun("gate", file.path), bar: 0.08,
		})
	}
	return rows, nil
}

// documentOf returns the update of a document that several clients have written, each after the other.
func documentOf(write func(*ycrdt.Doc) error) ([]byte, error) {
	var state []byte
	for client := range uint64(5) {
		doc, err := ycrdt.NewDocWith(ycrdt.DocOptions{ClientID: client + 1})
		if err != nil {
			return nil, err
		}
		defer doc.Close()
		if state != nil {
			if err := doc.ApplyUpdate(state); err != nil {
				return nil, err
			}
		}
		if err := write(doc); err != nil {
			return nil, err
		}
		if state, err = doc.EncodeStateAsUpdate(nil); err != nil {
			return nil, err
		}
	}
	return state, nil
}

// typeAround inserts short words all over a text.
func typeAround(doc *ycrdt.Doc, words int) error {
	return doc.Transact(func(tx *ycrdt.Tx) error {
		text := tx.Text("content")
		for i := range words {
			if err := text.Insert(i*7919%(text.Len()+1), "word "); err != nil {
				return err
			}
		}
		return nil
	})
}

// nest appends maps that hold texts.
func nest(doc *ycrdt.Doc, n int) error {
	return doc.Transact(func(tx *ycrdt.Tx) error {
		for i := range n {
			value := ycrdt.NewMap{"title": ycrdt.NewText("a block of text"), "done": i%2 == 0}
			if err := tx.Array("blocks").Append(value); err != nil {
				return err
			}
		}
		return nil
	})
}
