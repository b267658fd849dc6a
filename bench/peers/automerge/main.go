// Command automerge is automerge-go behind the door of the benchmark. It is a program of its own, so that the Rust
// library in it is not linked with ours.
package main

import (
	"errors"
	"fmt"

	"github.com/automerge/automerge-go"

	"github.com/yrs-go/yrs/bench/door"
	"github.com/yrs-go/yrs/bench/peer"
)

func main() {
	empty, err := newEmpty()
	if err != nil {
		panic(err) // unreachable: nothing of it depends on where it runs
	}
	peer.Main(peer.Implementation{
		Name: "automerge", Version: peer.ModuleVersion("github.com/automerge/automerge-go"),
		Features: []string{door.Text, door.Array, door.Map},
		NewDoc: func(client uint64, heard func([]byte)) (peer.Doc, error) {
			return newDocument(empty, fmt.Sprintf("%016x", client), heard)
		},
	})
}

// newEmpty returns the document that all others begin as: two of them that each made the root types would conflict.
func newEmpty() ([]byte, error) {
	doc := automerge.New()
	if err := doc.SetActorID("00"); err != nil {
		return nil, err
	}
	root := doc.RootMap()
	err := errors.Join(
		root.Set(door.Text, automerge.NewText("")), root.Set(door.Array, automerge.NewList()),
		root.Set(door.Map, automerge.NewMap()),
	)
	if err != nil {
		return nil, err
	}
	_, err = doc.Commit("")
	return doc.Save(), err
}

// document is also what a transaction writes through: automerge has none, only commits.
type document struct {
	doc   *automerge.Doc
	text  *automerge.Text
	array *automerge.List
	root  *automerge.Map
	heard func([]byte)
}

func newDocument(empty []byte, actor string, heard func([]byte)) (*document, error) {
	doc, err := automerge.Load(empty)
	if err != nil {
		return nil, err
	}
	text, textErr := automerge.As[*automerge.Text](doc.Path(door.Text).Get())
	array, arrayErr := automerge.As[*automerge.List](doc.Path(door.Array).Get())
	root, mapErr := automerge.As[*automerge.Map](doc.Path(door.Map).Get())
	return &document{doc, text, array, root, heard}, errors.Join(textErr, arrayErr, mapErr, doc.SetActorID(actor))
}

func (d *document) Transact(write func(peer.Tx) error) error {
	if err := write(d); err != nil {
		return err
	}
	if _, err := d.doc.Commit(""); err != nil {
		return err
	}
	if d.heard != nil {
		d.heard(d.doc.SaveIncremental())
	}
	return nil
}

func (d *document) Apply(updates [][]byte) error {
	for _, update := range updates {
		if err := d.doc.LoadIncremental(update); err != nil {
			return err
		}
	}
	return nil
}

func (d *document) Encode() ([]byte, error) { return d.doc.Save(), nil }

func (d *document) Text() (string, error) { return d.text.Get() }

func (d *document) Array() ([]any, error) {
	return automerge.As[[]any](d.doc.Path(door.Array).Get())
}

func (d *document) Map() (map[string]any, error) {
	return automerge.As[map[string]any](d.doc.Path(door.Map).Get())
}

func (d *document) Close() error { return nil }

func (d *document) InsertText(at int, text string) error { return d.text.Insert(at, text) }

func (d *document) DeleteText(at, length int) error { return d.text.Delete(at, length) }

func (d *document) InsertArray(at int, values []any) error { return d.array.Insert(at, values...) }

func (d *document) SetMap(key string, value any) error { return d.root.Set(key, value) }
