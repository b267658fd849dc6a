package workload

import (
	"github.com/yrs-go/yrs/bench/door"
	"github.com/yrs-go/yrs/ycrdt"
)

// Names of workloads that rows are about.
const (
	Turns        = "local and remote edits in turn"
	ApplyUpdates = "incremental updates"
	Heard        = "incremental updates with a subscriber"
	MergeUpdates = "merging one-character updates"
	LoadEncode   = "loading and encoding"
)

// author is the first client id of those who wrote the updates that peers get, far from those of their documents.
const author = 1 << 20

// updateCases work with updates that ours has written, so that all peers get the same bytes.
func updateCases(size Size) ([]Case, error) {
	typed, err := typedUpdates(size.Edits / 2)
	if err != nil {
		return nil, err
	}
	turns, err := turnsCase(size)
	if err != nil {
		return nil, err
	}
	document, err := tracedDocument(size)
	if err != nil {
		return nil, err
	}
	apply := door.Step{Do: door.Apply}
	applied := func(name string, listen ...int) Case {
		return Case{Workload: door.Workload{
			Name: name, Log: typed, Listen: listen, Result: textOf(0), Parts: []door.Part{part(Run, apply)},
		}}
	}
	merge := Case{Workload: door.Workload{
		Name: MergeUpdates, Log: typed, Result: textOf(0), Parts: []door.Part{
			part(Run, door.Step{Do: door.MergeLog}), part(Setup, door.Step{Do: door.Apply, From: -1}),
		},
	}}
	load := Case{Workload: door.Workload{
		Name: LoadEncode, Log: []door.Update{document}, Result: textOf(1), Parts: []door.Part{
			part(Run, apply), encodePart(0), part(Setup, door.Step{Do: door.Apply, Doc: 1, From: -1}),
		},
	}}
	return []Case{turns, applied(ApplyUpdates), applied(Heard, 0), merge, load}, nil
}

// typedUpdates returns the updates of somebody who types n characters, one a transaction, now and then going back
// into the text.
func typedUpdates(n int) ([]door.Update, error) {
	d := &draft{}
	for i := range n {
		at := i
		if i%50 == 49 {
			at = i / 2
		}
		d.insert(at, string(rune('a'+i%26)))
	}
	updates, _, err := written(d.ops)
	return updates, err
}

// written returns the updates of a client that makes edits, one a transaction, and the document in the end.
func written(ops []door.TextOp) (updates []door.Update, document door.Update, err error) {
	doc, err := ycrdt.NewDocWith(ycrdt.DocOptions{ClientID: author})
	if err != nil {
		return nil, nil, err
	}
	defer doc.Close()
	defer doc.OnUpdate(func(e ycrdt.UpdateEvent) { updates = append(updates, e.Update) }).Close()
	for _, op := range ops {
		err := doc.Transact(func(tx *ycrdt.Tx) error {
			text := tx.Text(door.Text)
			if op.Deleted > 0 {
				if err := text.Delete(op.At, op.Deleted); err != nil {
					return err
				}
			}
			return text.Insert(op.At, op.Inserted)
		})
		if err != nil {
			return nil, nil, err
		}
	}
	document, err = doc.EncodeStateAsUpdate(nil)
	return updates, document, err
}

// tracedDocument returns the document that a trace leads to.
func tracedDocument(size Size) (door.Update, error) {
	paths, err := tracePaths(size)
	if err != nil {
		return nil, err
	}
	t, err := readTrace(paths[0], size.OneTraced)
	if err != nil {
		return nil, err
	}
	_, document, err := written(t.ops)
	return document, err
}

// turnsCase edits a text here and, with updates that come in between, elsewhere.
func turnsCase(size Size) (Case, error) {
	r := newRandom(3)
	remote := []door.TextOp{{Inserted: r.word(size.Text, size.Text)}}
	var local []door.TextOp
	for range size.Edits / 2 {
		local = append(local, door.TextOp{At: r.IntN(size.Text), Inserted: "l"})
		remote = append(remote, door.TextOp{At: r.IntN(size.Text), Inserted: "r"})
	}
	updates, _, err := written(remote)
	if err != nil {
		return Case{}, err
	}
	var steps []door.Step
	for i := range local {
		steps = append(steps,
			door.Step{Do: door.Edit, Text: local[i : i+1]},
			door.Step{Do: door.Apply, From: i + 1, To: i + 2})
	}
	return Case{Concurrent: true, Variants: true, Workload: door.Workload{
		Name: Turns, Log: updates, Result: textOf(0), Parts: []door.Part{
			part(Setup, door.Step{Do: door.Apply, To: 1}),
			part(Run, append(steps, readText(0))...),
		},
	}}, nil
}
