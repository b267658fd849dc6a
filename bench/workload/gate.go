package workload

import (
	"github.com/yrs-go/yrs/bench/door"
	"github.com/yrs-go/yrs/ycrdt"
)

// Names of workloads that rows are about.
const (
	GateTyped = "gate, one character"
	GateTrace = "gate, the document of a trace"
	GateText  = "gate, 10 kB of text"
	GateMaps  = "gate, nested maps"
)

// gateCases compare the gate alone with native yrs decoding and applying the same updates, and the check of what an
// apply has changed.
func gateCases(size Size) ([]Case, error) {
	typed, err := typedUpdates(size.Edits / 2)
	if err != nil {
		return nil, err
	}
	document, err := tracedDocument(size)
	if err != nil {
		return nil, err
	}
	words, err := documentOf(func(doc *ycrdt.Doc) error { return typeAround(doc, min(700, size.Edits)) })
	if err != nil {
		return nil, err
	}
	maps, err := documentOf(func(doc *ycrdt.Doc) error { return nest(doc, min(5000, size.Edits)) })
	if err != nil {
		return nil, err
	}
	gate := func(name string, more []door.Part, updates ...door.Update) Case {
		return Case{Workload: door.Workload{
			Name: name, Log: updates, Result: textOf(0), Parts: append([]door.Part{
				part(Run, door.Step{Do: door.Apply}), part(Gate, door.Step{Do: door.GateLog}),
			}, more...),
		}}
	}
	check := []door.Part{part(Check, door.Step{Do: door.CheckLog})}
	return []Case{
		gate(GateTyped, check, typed...), gate(GateTrace, nil, document), gate(GateText, nil, words),
		gate(GateMaps, nil, maps),
	}, nil
}

// documentOf returns the update of a document that several clients have written, each after the other.
func documentOf(write func(*ycrdt.Doc) error) (door.Update, error) {
	var state []byte
	for client := range uint64(5) {
		doc, err := ycrdt.NewDocWith(ycrdt.DocOptions{ClientID: author + client})
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
		text := tx.Text(door.Text)
		for i := range words {
			if err := text.Insert(i*7919%(text.Len()+1), "word "); err != nil {
				return err
			}
		}
		return nil
	})
}

// nest appends maps that hold texts. Their entries are set one by one: those of a Go map come in any order.
func nest(doc *ycrdt.Doc, n int) error {
	return doc.Transact(func(tx *ycrdt.Tx) error {
		blocks := tx.Array("blocks")
		for i := range n {
			at := blocks.Len()
			if err := blocks.Append(ycrdt.NewMap{"title": ycrdt.NewText("a block of text")}); err != nil {
				return err
			}
			block, _ := blocks.Map(at)
			if err := block.Set("done", i%2 == 0); err != nil {
				return err
			}
		}
		return nil
	})
}
