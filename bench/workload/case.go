// Package workload makes up the workloads of the benchmark. They depend on nothing but constants, so that every run
// is of the same ones.
package workload

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/yrs-go/yrs/bench/door"
)

// Case is a workload and what the benchmark knows about it.
type Case struct {
	door.Workload
	// Concurrent results depend on how an implementation orders concurrent edits: only peers that work with updates
	// of Yjs have to agree.
	Concurrent bool
	// Variants are measured too: ours without an index.
	Variants bool
	// Only names the one peer that is meant to run it; empty is all.
	Only string
	// Want is the hash of the result; empty where only the peers know it.
	Want string
}

// Names of parts.
const (
	Setup = "setup" // nobody looks at its time
	Run   = "run"
	Parse = "parse"
	Gate  = "gate"
	Check = "check"
)

// Size scales workloads down for tests.
type Size struct {
	N         int    // of the crdt-benchmarks
	Edits     int    // of our own workloads: inserts at random positions; half as many of all else
	Text      int    // characters of the text that is edited in turn, and a tenth of the one that is read
	Traces    string // pattern of the files of traces
	Fallback  string // the same, when there are none
	OneTraced int    // edits of a trace that count; 0 is all
}

// Full is the size that is measured. The patterns are relative to the folder bench.
var Full = Size{
	N: 6000, Edits: 40_000, Text: 100_000,
	Traces: "../../shared/traces/*.json.gz", Fallback: "../testdata/traces/*.json.gz",
}

// All returns all workloads of a size.
func All(size Size) ([]Case, error) {
	var all []Case
	for _, make := range []func(Size) ([]Case, error){
		traceCases, editCases, updateCases, awkwardCases, gateCases, b1Cases, b2Cases, b3Cases,
	} {
		cases, err := make(size)
		if err != nil {
			return nil, err
		}
		all = append(all, cases...)
	}
	for i := range all {
		all[i].SetNeeds()
	}
	return all, nil
}

// hashOf is how peers hash a text.
func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func part(name string, steps ...door.Step) door.Part { return door.Part{Name: name, Steps: steps} }

func readText(doc int) door.Step { return door.Step{Do: door.Read, Doc: doc, On: door.Text} }

func textOf(doc int) door.Place { return door.Place{Doc: doc, On: door.Text} }
