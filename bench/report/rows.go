package report

import (
	"fmt"

	"github.com/yrs-go/yrs/bench/workload"
)

// Section is a table of the page.
type Section struct {
	Title string
	Rows  []Row
	Alone bool // no peer does the same
}

// Sections returns all tables. The traces are those that were there, the one that bars are about first.
func Sections(size workload.Size, traces []string) []Section {
	return []Section{
		{Title: "Editing by position", Rows: editRows(size, traces)},
		{Title: "Updates", Rows: updateRows(size, traces[0])},
		{Title: "Memory", Rows: memoryRows(traces[0])},
		{Title: "Documents as awkward as can be", Rows: awkwardRows(size)},
		{Title: "The public crdt-benchmarks", Rows: publicRows(runTime)},
		{Title: "Encoding of their documents", Rows: publicRows(encodeTime)},
		{Title: "Parsing of their documents", Rows: publicRows(parseTime)},
		{Title: "Size of their documents", Rows: publicRows(documentSize)},
		{Title: "Size of their updates", Rows: publicRows(updateSize)},
		{Title: "Gate and check", Rows: gateRows(size, traces[0]), Alone: true},
	}
}

// times is the bar of so many times what another peer takes for the same.
func times(of Value, peer, name string, times float64) Bar {
	return Bar{Text: fmt.Sprintf("≤ %v × %s", times, name), Against: of, Peer: peer, Times: times}
}

func editRows(size workload.Size, traces []string) []Row {
	trace := Value{Workload: traces[0]}
	atOnce := Value{Workload: traces[0] + " in one transaction"}
	heard := Value{Workload: "B4"}
	turns := Value{Workload: workload.Turns, Part: 1}
	random := Value{Workload: workload.RandomInserts}
	fewer, more := Value{Workload: workload.FewerInserts}, Value{Workload: workload.MoreInserts}
	appends := Value{Workload: workload.Appends}
	count := func(name string) string { return workload.Count(size, name) }
	rows := []Row{
		{Title: traces[0] + ", a transaction per edit", Of: trace, Chart: true, Bars: []Bar{
			times(trace, YRS, "yrs", 0.1), times(trace, Yjs, "Yjs", 0.3),
		}},
		{Title: "the same without an index", Of: trace, Peer: NoIndex, Bars: []Bar{times(trace, YRS, "yrs", 1.2)}},
		{Title: "the same with a subscriber", Of: heard, Bars: []Bar{times(heard, YRS, "yrs", 0.2)}},
		{Title: "the same in one transaction", Of: atOnce, Chart: true, Bars: []Bar{
			times(atOnce, Yjs, "Yjs", 0.15),
			{Text: "≤ a transaction per edit", Against: trace, Times: 1},
		}},
	}
	for _, name := range traces[1:] {
		rows = append(rows, Row{Title: name + ", a transaction per edit", Of: Value{Workload: name}, Chart: true})
	}
	return append(rows,
		Row{
			Title: count(workload.Turns) + " local and remote edits in turn", Of: turns, Chart: true,
			Bars: []Bar{times(turns, YRS, "yrs", 0.2)},
		},
		Row{Title: count(workload.RandomInserts) + " inserts at random positions", Of: random, Chart: true, Bars: []Bar{
			times(random, YRS, "yrs", 0.012), times(random, Yjs, "Yjs", 0.3),
		}},
		Row{Title: count(workload.FewerInserts) + " of them", Of: fewer},
		Row{Title: count(workload.MoreInserts) + " of them", Of: more, Bars: []Bar{
			{Text: "≤ 14 × " + count(workload.FewerInserts), Against: fewer, Times: 14},
		}},
		Row{
			Title: count(workload.Appends) + " appends in one transaction", Of: appends, Chart: true,
			Bars: []Bar{times(appends, YRS, "yrs", 0.02)},
		},
		Row{Title: "reading a text of 1 MB ten times", Of: Value{Workload: workload.ReadText, Part: 1}, Chart: true},
	)
}

func updateRows(size workload.Size, trace string) []Row {
	apply, heard := Value{Workload: workload.ApplyUpdates}, Value{Workload: workload.Heard}
	merge := Value{Workload: workload.MergeUpdates}
	load, encode := Value{Workload: workload.LoadEncode}, Value{Workload: workload.LoadEncode, Part: 1, After: true}
	updates := workload.Count(size, workload.ApplyUpdates)
	slack := 500 * float64(size.Edits/2)
	return []Row{
		{Title: "applying " + updates + " incremental updates", Of: apply, Chart: true, Bars: []Bar{
			{Text: "≤ 1.2 × yrs + 0.5 µs each", Against: apply, Peer: YRS, Times: 1.2, Slack: slack},
		}},
		{Title: "the same with a subscriber", Of: heard, Bars: []Bar{
			{Text: "≤ 1.5 × without", Against: apply, Times: 1.5},
		}},
		{
			Title: "merging " + updates + " one-character updates", Of: merge, Chart: true,
			Bars: []Bar{times(merge, YRS, "yrs", 0.03)},
		},
		{Title: "loading the document of " + trace, Of: load, Chart: true, Bars: []Bar{times(load, YRS, "yrs", 1.15)}},
		{Title: "encoding it", Of: encode, Chart: true, Bars: []Bar{times(encode, YRS, "yrs", 1.15)}},
	}
}

func memoryRows(trace string) []Row {
	live := Value{Workload: trace, Figure: Live}
	return []Row{
		{Title: "live after " + trace, Of: live, Bars: []Bar{times(live, YRS, "yrs", 1.5)}},
		{Title: "most while it is replayed", Of: Value{Workload: trace, Figure: Peak}},
		{
			Title: "most while it is replayed in one transaction",
			Of:    Value{Workload: trace + " in one transaction", Figure: Peak},
			Bars:  []Bar{{Text: "≤ 50 MB", Limit: 50e6}},
		},
	}
}

// awkwardRows are about documents that are valid and as hard to work with as can be: nothing may take much longer than
// in native yrs, nor much more memory.
func awkwardRows(size workload.Size) []Row {
	var rows []Row
	for _, name := range workload.AwkwardDocuments {
		bar := func(of Value) []Bar {
			return []Bar{{Text: "≤ 2 × yrs + 1 ms", Against: of, Peer: YRS, Times: 2, Slack: 1e6}}
		}
		open := Value{Workload: name}
		edit := Value{Workload: name, Part: 1, Last: workload.AwkwardEdits, After: true}
		read := Value{Workload: name, Part: workload.AwkwardEdits + 1, After: true}
		encode := Value{Workload: name, Part: workload.AwkwardEdits + 2, After: true}
		most := Value{Workload: name, Figure: Peak}
		rows = append(rows,
			Row{Title: "opening " + workload.Thousands(workload.AwkwardItems(size)) + " " + name, Of: open, Bars: bar(open)},
			Row{Title: fmt.Sprintf("the slowest of %d edits in it", workload.AwkwardEdits), Of: edit, Bars: bar(edit)},
			Row{Title: "reading it", Of: read, Bars: bar(read)},
			Row{Title: "encoding it", Of: encode, Bars: bar(encode)},
			Row{Title: "most memory meanwhile", Of: most, Bars: []Bar{times(most, YRS, "yrs", 4)}},
		)
	}
	return rows
}

// gateRows compare parts of our library, in the native program, with native yrs.
func gateRows(size workload.Size, trace string) []Row {
	typed := func(part int) Value { return Value{Workload: workload.GateTyped, Part: part} }
	updates := float64(size.Edits / 2)
	rows := []Row{
		{Title: "gate, " + workload.Count(size, workload.ApplyUpdates) + " one-character updates", Of: typed(1), Peer: YRS, Bars: []Bar{
			{Text: "≤ 0.3 µs each", Limit: 300 * updates},
		}},
		{Title: "check of what applying them changed", Of: typed(2), Peer: YRS, Bars: []Bar{
			{Text: "≤ 0.5 µs each", Limit: 500 * updates},
		}},
	}
	for _, of := range []struct{ title, workload string }{
		{"gate, the document of " + trace, workload.GateTrace},
		{workload.GateText, workload.GateText},
		{workload.GateMaps, workload.GateMaps},
	} {
		load := Value{Workload: of.workload}
		rows = append(rows, Row{Title: of.title, Of: Value{Workload: of.workload, Part: 1}, Peer: YRS, Bars: []Bar{
			{Text: "≤ 0.08 × loading it", Against: load, Times: 0.08},
		}})
	}
	return rows
}
