package ycrdt_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt"
)

// edits measures an edit in a transaction of its own, and among others in one.
func edits(b *testing.B, edit func(*ycrdt.Tx) error) {
	b.Run("transaction each", func(b *testing.B) {
		doc := newDoc(b)
		b.ReportAllocs()
		for b.Loop() {
			if err := doc.Transact(edit); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("in one transaction", func(b *testing.B) {
		doc := newDoc(b)
		b.ReportAllocs()
		write(b, doc, func(tx *ycrdt.Tx) {
			for b.Loop() {
				if err := edit(tx); err != nil {
					b.Fatal(err)
				}
			}
		})
	})
}

func BenchmarkText_Insert(b *testing.B) {
	edits(b, func(tx *ycrdt.Tx) error { return tx.Text("t").Insert(0, "x") })
}

// What is deleted is inserted first.
func BenchmarkText_Delete(b *testing.B) {
	edits(b, func(tx *ycrdt.Tx) error {
		text := tx.Text("t")
		if err := text.Insert(0, "x"); err != nil {
			return err
		}
		return text.Delete(0, 1)
	})
}

func BenchmarkArray_Insert(b *testing.B) {
	edits(b, func(tx *ycrdt.Tx) error { return tx.Array("a").Insert(0, 7) })
}

func BenchmarkMap_Set(b *testing.B) {
	edits(b, func(tx *ycrdt.Tx) error { return tx.Map("m").Set("key", "value") })
}

// megabyte is a document with a text of a megabyte.
func megabyte(b *testing.B) *ycrdt.Doc {
	doc := newDoc(b)
	write(b, doc, func(tx *ycrdt.Tx) { require.NoError(b, tx.Text("t").Insert(0, strings.Repeat("x", 1<<20))) })
	return doc
}

func BenchmarkText_String(b *testing.B) {
	view(b, megabyte(b), func(tx *ycrdt.Tx) {
		text := tx.Text("t")
		b.SetBytes(1 << 20)
		b.ReportAllocs()
		for b.Loop() {
			_ = text.String()
		}
	})
}

func BenchmarkDoc_EncodeStateAsUpdate(b *testing.B) {
	doc := megabyte(b)
	b.SetBytes(1 << 20)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := doc.EncodeStateAsUpdate(nil); err != nil {
			b.Fatal(err)
		}
	}
}

// One character a run; every 10,000 there is a new document.
func BenchmarkDoc_ApplyUpdate(b *testing.B) {
	var updates [][]byte
	author := newDoc(b)
	author.OnUpdate(func(e ycrdt.UpdateEvent) { updates = append(updates, e.Update) })
	for i := range 10_000 {
		write(b, author, func(tx *ycrdt.Tx) { require.NoError(b, tx.Text("t").Insert(i/2, "x")) })
	}
	doc := newDoc(b)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if i == len(updates) {
			doc, i = newDoc(b), 0
		}
		if err := doc.ApplyUpdate(updates[i]); err != nil {
			b.Fatal(err)
		}
		i++
	}
}

func BenchmarkDoc_View(b *testing.B) {
	doc := newDoc(b)
	b.ReportAllocs()
	for b.Loop() {
		if err := doc.View(func(*ycrdt.Tx) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
}
