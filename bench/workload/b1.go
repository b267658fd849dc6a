package workload

import (
	"slices"

	"github.com/yrs-go/yrs/bench/door"
)

// The workloads B1 to B3 are those that the crdt-benchmarks define, with their N: github.com/dmonad/crdt-benchmarks.
// Updates are those of version 1 here.

// b1Cases have no conflicts: one document is written, a transaction for each operation, its updates go to a second
// one, and both are read.
func b1Cases(size Size) ([]Case, error) {
	r, n := newRandom(42), size.N
	text := r.word(n, n)
	whole, appends, prepends, changes := &draft{}, &draft{}, &draft{}, &draft{}
	whole.insert(0, text)
	deleted := &draft{}
	deleted.insert(0, text)
	deleted.delete(0, n)
	for i := range n {
		appends.insert(i, text[i:i+1])
		prepends.insert(0, text[i:i+1])
		change(r, changes)
	}
	characters := randomInserts(r, n, 1, 1, "")
	words := randomInserts(r, n, 2, 10, "")

	var numbers, inserted []door.ArrayOp
	var values []any
	for i := range n {
		values = append(values, r.number())
		numbers = append(numbers, door.ArrayOp{At: i, Values: []any{values[i]}})
		inserted = append(inserted, door.ArrayOp{At: r.IntN(i + 1), Values: []any{r.number()}})
	}
	front := slices.Clone(numbers)
	for i := range front {
		front[i].At = 0
	}
	return []Case{
		b1Text("B1.1", appends), b1Text("B1.2", whole), b1Text("B1.3", prepends), b1Text("B1.4", characters),
		b1Text("B1.5", words), b1Text("B1.6", deleted), b1Text("B1.7", changes),
		b1("B1.8", door.Array, door.Step{Array: numbers}),
		b1("B1.9", door.Array, door.Step{Array: []door.ArrayOp{{Values: values}}}),
		b1("B1.10", door.Array, door.Step{Array: front}),
		b1("B1.11", door.Array, door.Step{Array: inserted}),
	}, nil
}

// change inserts a word at a random position or deletes some characters there.
func change(r random, d *draft) {
	at := r.IntN(len(d.text) + 1)
	if at == len(d.text) || r.IntN(2) == 0 {
		d.insert(at, r.word(2, 10))
		return
	}
	d.delete(at, 1+r.IntN(min(9, len(d.text)-at)))
}

func b1Text(name string, d *draft) Case {
	c := b1(name, door.Text, door.Step{Text: d.ops})
	c.Want = hashOf(string(d.text))
	return c
}

func b1(name, on string, edit door.Step) Case {
	edit.Do = door.Edit
	read := func(doc int) door.Step { return door.Step{Do: door.Read, Doc: doc, On: on} }
	return Case{Workload: door.Workload{
		Name: name, Listen: []int{0}, Result: door.Place{Doc: 2, On: on}, Parts: []door.Part{
			part(Run, edit, door.Step{Do: door.Apply, Doc: 1}, read(0), read(1)),
			encodePart(0), parsePart(2, on),
		},
	}}
}
