// Command ycrdt is our library behind the door of the benchmark.
package main

import (
	"flag"

	"github.com/yrs-go/yrs/bench/door"
	"github.com/yrs-go/yrs/bench/peer"
	"github.com/yrs-go/yrs/ycrdt"
)

func main() {
	skipIndex := flag.Bool("no-index", false, "make documents without an index of positions")
	flag.Parse()
	peer.Main(implementation(*skipIndex))
}

func implementation(skipIndex bool) peer.Implementation {
	return peer.Implementation{
		Name: "ycrdt", Version: "of this commit",
		Features: []string{door.Text, door.Array, door.Map, door.UTF16, door.Updates, door.Merge},
		NewDoc: func(client uint64, heard func([]byte)) (peer.Doc, error) {
			doc, err := ycrdt.NewDocWith(ycrdt.DocOptions{ClientID: client, SkipPositionIndex: skipIndex})
			if err == nil && heard != nil {
				doc.OnUpdate(func(e ycrdt.UpdateEvent) { heard(e.Update) })
			}
			return document{doc}, err
		},
		Merge: func(updates [][]byte) ([]byte, error) { return ycrdt.MergeUpdates(updates...) },
	}
}

type document struct{ *ycrdt.Doc }

type transaction struct{ *ycrdt.Tx }

func (d document) Transact(write func(peer.Tx) error) error {
	return d.Doc.Transact(func(tx *ycrdt.Tx) error { return write(transaction{tx}) })
}

func (d document) Apply(updates [][]byte) error {
	if len(updates) == 1 {
		return d.ApplyUpdate(updates[0])
	}
	return d.Doc.Transact(func(tx *ycrdt.Tx) error {
		for _, update := range updates {
			if err := tx.ApplyUpdate(update); err != nil {
				return err
			}
		}
		return nil
	})
}

func (d document) Encode() ([]byte, error) { return d.EncodeStateAsUpdate(nil) }

func (d document) Text() (text string, err error) {
	err = d.View(func(tx *ycrdt.Tx) error {
		text = tx.Text(door.Text).String()
		return nil
	})
	return text, err
}

func (d document) Array() (values []any, err error) {
	err = d.View(func(tx *ycrdt.Tx) error {
		values, err = tx.Array(door.Array).AsSlice()
		return err
	})
	return values, err
}

func (d document) Map() (values map[string]any, err error) {
	err = d.View(func(tx *ycrdt.Tx) error {
		values, err = tx.Map(door.Map).AsMap()
		return err
	})
	return values, err
}

func (tx transaction) InsertText(at int, text string) error {
	return tx.Text(door.Text).Insert(at, text)
}

func (tx transaction) DeleteText(at, length int) error { return tx.Text(door.Text).Delete(at, length) }

func (tx transaction) InsertArray(at int, values []any) error {
	return tx.Array(door.Array).Insert(at, values...)
}

func (tx transaction) SetMap(key string, value any) error { return tx.Map(door.Map).Set(key, value) }
