package report

// aspect is what a table of the crdt-benchmarks is about.
type aspect int

const (
	runTime aspect = iota
	encodeTime
	parseTime
	documentSize
	updateSize
)

// publicTitles are the crdt-benchmarks, whose names are their workloads.
var publicTitles = []struct{ name, title string }{
	{"B1.1", "append N characters"},
	{"B1.2", "insert a string of length N"},
	{"B1.3", "prepend N characters"},
	{"B1.4", "insert N characters at random positions"},
	{"B1.5", "insert N words at random positions"},
	{"B1.6", "insert a string, then delete it"},
	{"B1.7", "insert and delete at random positions"},
	{"B1.8", "append N numbers"},
	{"B1.9", "insert an array of N numbers"},
	{"B1.10", "prepend N numbers"},
	{"B1.11", "insert N numbers at random positions"},
	{"B2.1", "two clients insert a string of length N"},
	{"B2.2", "two clients insert N characters"},
	{"B2.3", "two clients insert N words"},
	{"B2.4", "two clients insert and delete"},
	{"B3.1", "20√N clients set a number in a map"},
	{"B3.2", "20√N clients set an object in a map"},
	{"B3.3", "20√N clients set a string in a map"},
	{"B3.4", "20√N clients insert text in an array"},
	{"B4", "replay an editing session"},
}

// publicRows returns a row for each of the crdt-benchmarks.
func publicRows(of aspect) []Row {
	var rows []Row
	for _, b := range publicTitles {
		run := 0
		if b.name[:2] == "B2" || b.name[:2] == "B3" {
			run = 1 // behind what sets the documents up
		}
		value := map[aspect]Value{
			runTime:      {Part: run},
			encodeTime:   {Part: run + 1, After: true},
			parseTime:    {Part: run + 2, After: true},
			documentSize: {Figure: Encoded},
			updateSize:   {Figure: Heard},
		}[of]
		value.Workload = b.name
		rows = append(rows, Row{Title: b.name + " " + b.title, Of: value, Chart: of == runTime})
	}
	return rows
}
