package workload

import (
	"fmt"

	"github.com/yrs-go/yrs/bench/door"
)

// Names of workloads that rows are about.
const (
	RandomInserts = "inserts at random positions"
	FewerInserts  = "a quarter as many " + RandomInserts
	MoreInserts   = "ten times " + FewerInserts
	Appends       = "appends in one transaction"
	ReadText      = "reading a text of many pieces"
)

// ours is the peer that is our library.
const ours = "ycrdt"

// readTimes is how often the text is read.
const readTimes = 10

// editCases edit one text by position.
func editCases(size Size) ([]Case, error) {
	appends := &draft{}
	for i := range size.Edits / 2 {
		appends.insert(i, string(rune('a'+i%26)))
	}
	pieces := randomInserts(newRandom(5), size.Text/100, 1000, 1000, "")
	inserts := func(name string, n int) Case {
		return drafted(name, randomInserts(newRandom(1), n, 1, 1, ""), false)
	}
	random := inserts(RandomInserts, size.Edits)
	random.Variants = true
	fewer, more := inserts(FewerInserts, size.Edits/4), inserts(MoreInserts, size.Edits/4*10)
	fewer.Only, more.Only = ours, ours
	return []Case{
		random, fewer, more,
		drafted(Appends, appends, true),
		{Want: hashOf(string(pieces.text)), Workload: door.Workload{
			Name: ReadText, Result: textOf(0), Parts: []door.Part{
				part(Setup, door.Step{Do: door.Edit, Text: pieces.ops, Together: true}),
				part(Run, door.Step{Do: door.Read, On: door.Text, Times: readTimes}),
			},
		}},
	}, nil
}

// drafted makes the edits of a draft and reads the text.
func drafted(name string, d *draft, together bool) Case {
	edit := door.Step{Do: door.Edit, Text: d.ops, Together: together}
	return Case{Want: hashOf(string(d.text)), Workload: door.Workload{
		Name: name, Result: textOf(0), Parts: []door.Part{part(Run, edit, readText(0))},
	}}
}

// Count says how many operations a workload of a size has, for its row.
func Count(size Size, name string) string {
	n := map[string]int{
		RandomInserts: size.Edits, FewerInserts: size.Edits / 4, MoreInserts: size.Edits / 4 * 10,
		Appends: size.Edits / 2, Turns: size.Edits / 2, MergeUpdates: size.Edits / 2,
		ApplyUpdates: size.Edits / 2, Heard: size.Edits / 2,
	}[name]
	return Thousands(n)
}

// Thousands writes a number with commas.
func Thousands(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s,%03d", Thousands(n/1000), n%1000)
}
