// Command bench compares ycrdt with native yrs, in one run on one machine.
//
// Every workload runs several times, native and ours in turn, and the medians count. Absolute times are those of
// the machine; the ratios are what can be compared, and what the bars are set on.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/yrs-go/yrs/ycrdt"
)

var (
	native = flag.String("native", "../target/release/bench-native", "the native program, built by make bench")
	trace  = flag.String("trace", "", "editing trace; empty picks ../../shared/traces/automerge-paper.json.gz or the one in testdata")
	rounds = flag.Int("rounds", 9, "how often each workload runs; the median counts")
)

// slowRounds is how often workloads run in which native yrs takes many seconds.
const slowRounds = 3

// incrementalUpdates is the number of updates of the apply workloads.
const incrementalUpdates = 20_000

func main() {
	log.SetFlags(0)
	log.SetPrefix("bench: ")
	flag.Parse()
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

func run() error {
	work, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)

	updates, err := typedUpdates(incrementalUpdates)
	if err != nil {
		return err
	}
	document, name, err := tracedDocument()
	if err != nil {
		return err
	}
	incrementalFile := filepath.Join(work, "incremental")
	documentFile := filepath.Join(work, "document")
	if err := writeUpdates(incrementalFile, updates); err != nil {
		return err
	}
	if err := writeUpdates(documentFile, [][]byte{document}); err != nil {
		return err
	}

	apply := warm(func() (time.Duration, error) { return timeApply(updates, 0) })
	rows := []row{
		{
			name: fmt.Sprintf("apply %d updates", incrementalUpdates), each: incrementalUpdates,
			base: nativeRun("apply", incrementalFile), ours: apply, bar: 1.3, slack: 500 * time.Nanosecond,
		},
		{
			name: "the same with a subscriber", each: incrementalUpdates, baseName: "without",
			base: apply, ours: warm(func() (time.Duration, error) { return timeApply(updates, 1) }), bar: 1.5,
		},
		{
			name: "load " + name, each: 1,
			base: nativeRun("load", documentFile),
			ours: warm(func() (time.Duration, error) { return timeApply([][]byte{document}, 0) }), bar: 1.2,
		},
		{
			name: "encode " + name, each: 1,
			base: nativeRun("encode", documentFile),
			ours: warm(func() (time.Duration, error) { return timeEncode(document) }), bar: 1.2,
		},
	}
	rows = append(rows, row{
		name: fmt.Sprintf("merge %d updates", incrementalUpdates), each: 1,
		base: nativeRun("merge", incrementalFile),
		ours: warm(func() (time.Duration, error) { return timeMerge(updates) }), bar: 0.03,
	})
	edits, err := editRows(work)
	if err != nil {
		return err
	}
	gate, err := gateRows(work, incrementalFile, documentFile, name)
	if err != nil {
		return err
	}
	return report(slices.Concat(rows, edits, gate))
}

// row is one comparison.
type row struct {
	name     string
	each     int    // operations per run
	baseName string // what is compared with; empty is native yrs
	base     func() (time.Duration, error)
	ours     func() (time.Duration, error)
	bar      float64       // ours may take this many times the base …
	slack    time.Duration // … and this much more per operation
	slow     bool          // few rounds have to do
}

func report(rows []row) error {
	out := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', 0)
	fmt.Fprintln(out, "workload\tratio\tbar\t\tours\tcompared with")
	for _, r := range rows {
		base, ours, err := r.measure()
		if err != nil {
			return fmt.Errorf("%s: %w", r.name, err)
		}
		bar := strconv.FormatFloat(r.bar, 'g', -1, 64)
		if r.slack > 0 {
			bar += " + " + r.slack.String()
		}
		verdict := "met"
		if float64(ours) > r.bar*float64(base)+float64(r.slack) {
			verdict = "MISSED"
		}
		compared := r.baseName
		if compared == "" {
			compared = "native yrs"
		}
		fmt.Fprintf(out, "%s\t%.2f\t%s\t%s\t%v\t%v %s\n",
			r.name, float64(ours)/float64(base), bar, verdict, ours, base, compared)
	}
	return out.Flush()
}

// measure returns the median time per operation of both sides, run in turn.
func (r row) measure() (base, ours time.Duration, err error) {
	var bases, all []time.Duration
	n := *rounds
	if r.slow {
		n = min(n, slowRounds)
	}
	for range n {
		b, err := r.base()
		if err != nil {
			return 0, 0, err
		}
		o, err := r.ours()
		if err != nil {
			return 0, 0, err
		}
		bases, all = append(bases, b), append(all, o)
	}
	return median(bases) / time.Duration(r.each), median(all) / time.Duration(r.each), nil
}

func median(times []time.Duration) time.Duration {
	slices.Sort(times)
	return times[len(times)/2]
}

func nativeRun(workload, file string) func() (time.Duration, error) {
	return func() (time.Duration, error) {
		out, err := exec.Command(*native, workload, file).Output()
		if err != nil {
			return 0, fmt.Errorf("%s: %w (make bench builds it)", *native, err)
		}
		ns, err := strconv.ParseInt(strings.TrimSpace(string(out)), 10, 64)
		return time.Duration(ns), err
	}
}

// warm runs a workload once before it counts, as the native program does: another process has just had the caches.
func warm(run func() (time.Duration, error)) func() (time.Duration, error) {
	return func() (time.Duration, error) {
		if _, err := run(); err != nil {
			return 0, err
		}
		return run()
	}
}

// timeApply applies updates to a new document with some subscribers.
func timeApply(updates [][]byte, subscribers int) (time.Duration, error) {
	doc := ycrdt.NewDoc()
	defer doc.Close()
	heard := 0
	for range subscribers {
		defer doc.OnUpdate(func(ycrdt.UpdateEvent) { heard++ }).Close()
	}
	start := time.Now()
	for _, update := range updates {
		if err := doc.ApplyUpdate(update); err != nil {
			return 0, err
		}
	}
	elapsed := time.Since(start)
	if heard != subscribers*len(updates) {
		return 0, fmt.Errorf("subscribers heard %d of %d updates", heard, subscribers*len(updates))
	}
	return elapsed, nil
}

func timeMerge(updates [][]byte) (time.Duration, error) {
	start := time.Now()
	_, err := ycrdt.MergeUpdates(updates...)
	return time.Since(start), err
}

func timeEncode(document []byte) (time.Duration, error) {
	doc := ycrdt.NewDoc()
	defer doc.Close()
	if err := doc.ApplyUpdate(document); err != nil {
		return 0, err
	}
	start := time.Now()
	_, err := doc.EncodeStateAsUpdate(nil)
	return time.Since(start), err
}
