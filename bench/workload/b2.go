package workload

import "github.com/yrs-go/yrs/bench/door"

// b2Cases have two documents that begin with the same text. Each is changed in one transaction as if it still held
// that text alone, and its update goes to the other one at once, as in the program that defines these workloads.
func b2Cases(size Size) ([]Case, error) {
	r := newRandom(42)
	start := r.word(100, 100)
	var cases []Case
	for _, b := range []struct {
		name string
		edit func() []door.TextOp
	}{
		{"B2.1", func() []door.TextOp { return []door.TextOp{{Inserted: r.word(size.N, size.N)}} }},
		{"B2.2", func() []door.TextOp { return randomInserts(r, size.N, 1, 1, start).ops }},
		{"B2.3", func() []door.TextOp { return randomInserts(r, size.N, 3, 9, start).ops }},
		{"B2.4", func() []door.TextOp {
			d := &draft{text: []byte(start)}
			for range size.N {
				d.insert(r.IntN(len(d.text)+1), r.word(3, 9))
				change(r, d)
			}
			return d.ops
		}},
	} {
		first := door.Step{Do: door.Edit, Doc: 0, Text: b.edit(), Together: true}
		second := door.Step{Do: door.Edit, Doc: 1, Text: b.edit(), Together: true}
		latest := func(doc int) door.Step { return door.Step{Do: door.Apply, Doc: doc, From: -1} }
		cases = append(cases, Case{Workload: door.Workload{
			Name: b.name, Listen: []int{0, 1}, Result: textOf(2), Parts: []door.Part{
				part(Setup, door.Step{Do: door.Edit, Text: []door.TextOp{{Inserted: start}}}, latest(1)),
				part(Run, first, latest(1), second, latest(0), readText(0), readText(1)),
				encodePart(0), parsePart(2, door.Text),
			},
		}})
	}
	return cases, nil
}
