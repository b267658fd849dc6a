// Command bench compares ycrdt with native yrs, Yjs, pycrdt and automerge, in one run on one machine.
//
// All of them are programs behind the door that DOOR.md describes; others come in with the flag -peer. Every workload
// runs several times, the peers in turn, and the medians count. Absolute times are those of the machine; the ratios are
// what can be compared, and what the bars are set on.
package main

import (
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/yrs-go/yrs/bench/measure"
	"github.com/yrs-go/yrs/bench/report"
	"github.com/yrs-go/yrs/bench/workload"
)

var (
	native   = flag.String("native", "../target/release/bench-native", "the native program")
	programs = flag.String("programs", "../build/bench", "folder of the Go programs that are peers")
	rounds   = flag.Int("rounds", 5, "how often each workload runs; the median counts")
	only     = flag.String("only", "", "regular expression of the workloads to run")
	names    = flag.String("peers", "", "peers to run, apart by commas; empty is all")
	timeout  = flag.Duration("timeout", 20*time.Second, "what a run may take")
	write    = flag.Bool("write", true, "write docs/benchmarks.md and its chart")
	strict   = flag.Bool("strict", false, "fail when a bar is missed")
	outside  outsidePeers
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("bench: ")
	flag.Var(&outside, "peer", "another peer, as name=command; may be repeated")
	flag.Parse()
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

func run() error {
	peers, err := choose(slices.Concat(builtPeers(*native, *programs), outside), *names)
	if err != nil {
		return err
	}
	size := workload.Full
	cases, err := chosenCases(size)
	if err != nil {
		return err
	}
	traces, err := workload.Traces(size)
	if err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	where, start := machine(), time.Now()
	grid, err := measure.All(peers, cases, measure.Options{
		Rounds: *rounds, Timeout: *timeout, Work: work, Progress: progress,
	})
	progress("")
	if err != nil {
		return err
	}
	result := &report.Report{Grid: grid, Sections: report.Sections(size, traces), Peers: peers, Rounds: *rounds, Timeout: *timeout}
	if err := result.Print(os.Stdout); err != nil {
		return err
	}
	log.Printf("took %v", time.Since(start).Round(time.Second))
	if *write {
		if err := result.WritePage("../docs", where, start); err != nil {
			return err
		}
	}
	return judge(result)
}

// chosenCases returns the workloads that the flag -only names.
func chosenCases(size workload.Size) ([]workload.Case, error) {
	pattern, err := regexp.Compile(*only)
	if err != nil {
		return nil, err
	}
	cases, err := workload.All(size)
	return slices.DeleteFunc(cases, func(c workload.Case) bool { return !pattern.MatchString(c.Name) }), err
}

// judge names the bars that were missed and what went wrong.
func judge(result *report.Report) error {
	missed := result.Missed()
	for _, row := range missed {
		log.Print("MISSED ", row)
	}
	if problems := result.Grid.Problems; len(problems) > 0 {
		return fmt.Errorf("not all peers came to the results of the others:\n%s", strings.Join(problems, "\n"))
	}
	if *strict && len(missed) > 0 {
		return errors.New("bars were missed")
	}
	return nil
}

// progress shows on a terminal what is measured now.
func progress(what string) {
	if info, err := os.Stderr.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
		fmt.Fprintf(os.Stderr, "\r\033[K%s", what)
	}
}
