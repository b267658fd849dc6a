package workload

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/yrs-go/yrs/bench/door"
)

// trace is a recorded editing session.
type trace struct {
	name string
	text string // in the end; empty when only a part of the edits is used
	ops  []door.TextOp
}

// PaperTrace is the trace that the bars are about.
const PaperTrace = "automerge-paper"

// Traces returns the names of the traces that are there, the one that the bars are about first.
func Traces(size Size) ([]string, error) {
	paths, err := tracePaths(size)
	var names []string
	for _, path := range paths {
		names = append(names, traceName(path))
	}
	return names, err
}

func tracePaths(size Size) ([]string, error) {
	for _, pattern := range []string{size.Traces, size.Fallback} {
		if found, _ := filepath.Glob(pattern); len(found) > 0 {
			slices.Sort(found)
			return found, nil
		}
	}
	return nil, fmt.Errorf("no trace found: run in the folder bench")
}

func traceName(path string) string { return strings.TrimSuffix(filepath.Base(path), ".json.gz") }

func readTrace(path string, limit int) (*trace, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	var session struct {
		EndContent string `json:"endContent"`
		Txns       []struct {
			Patches []door.TextOp `json:"patches"`
		} `json:"txns"`
	}
	if err := json.NewDecoder(unzipped).Decode(&session); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	t := &trace{name: traceName(path), text: session.EndContent}
	for _, txn := range session.Txns {
		t.ops = append(t.ops, txn.Patches...)
	}
	if limit > 0 && limit < len(t.ops) {
		t.ops, t.text = t.ops[:limit], ""
	}
	return t, nil
}

// want is the hash of the text in the end, where it is known.
func (t *trace) want() string {
	if t.text == "" {
		return ""
	}
	return hashOf(t.text)
}

// traceCases replay traces: a transaction per edit, all in one, and as B4 of the crdt-benchmarks, which listens and
// then encodes and parses.
func traceCases(size Size) ([]Case, error) {
	paths, err := tracePaths(size)
	if err != nil {
		return nil, err
	}
	var cases []Case
	for i, path := range paths {
		t, err := readTrace(path, size.OneTraced)
		if err != nil {
			return nil, err
		}
		each := door.Step{Do: door.Edit, Text: t.ops}
		perEdit := Case{Want: t.want(), Variants: true, Workload: door.Workload{
			Name: t.name, Result: textOf(0), Parts: []door.Part{part(Run, each, readText(0))},
		}}
		cases = append(cases, perEdit)
		if i > 0 {
			continue // the others are there to see that the first is no exception
		}
		together := each
		together.Together = true
		atOnce := Case{Want: t.want(), Variants: true, Workload: door.Workload{
			Name: t.name + " in one transaction", Result: textOf(0), Parts: []door.Part{part(Run, together, readText(0))},
		}}
		b4 := Case{Want: t.want(), Workload: door.Workload{
			Name: "B4", Listen: []int{0}, Result: textOf(1), Parts: []door.Part{
				part(Run, each, readText(0)), encodePart(0), parsePart(1, door.Text),
			},
		}}
		cases = append(cases, atOnce, b4)
	}
	return cases, nil
}

// encodePart encodes a document. Its name says what else is measured: the size.
func encodePart(doc int) door.Part { return part(door.Encode, door.Step{Do: door.Encode, Doc: doc}) }

// parsePart makes a new document of what was encoded last, and reads it.
func parsePart(doc int, on string) door.Part {
	return part(Parse, door.Step{Do: door.Apply, Doc: doc, From: -1}, door.Step{Do: door.Read, Doc: doc, On: on})
}
