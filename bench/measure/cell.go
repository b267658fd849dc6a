package measure

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/yrs-go/yrs/bench/door"
)

// State is what became of a peer in a workload.
type State int

const (
	Absent      State = iota // has not been asked
	Measured                 // has figures
	LeftOut                  // is not meant to
	Unsupported              // cannot do it
	TimedOut                 // did not finish in time
	Failed                   // died, said it cannot, answered garbage or came to another result
)

// Cell is what a peer came to in a workload.
type Cell struct {
	State   State
	Reason  string          // of a failure
	Limit   time.Duration   // that a run had; for TimedOut
	Runs    []door.Result   // one a round
	Elapsed []time.Duration // of the runs, as seen from here
}

// Median returns the median of a figure, 0 without runs.
func (c *Cell) Median(figure func(door.Result) int64) int64 {
	if len(c.Runs) == 0 {
		return 0
	}
	var all []int64
	for _, run := range c.Runs {
		all = append(all, figure(run))
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// Slow runs need no warming up, and fewer rounds have to do.
const (
	slow       = 2500 * time.Millisecond
	verySlow   = 8 * time.Second
	slowRounds = 3
)

// Rounds returns how many rounds of n a peer takes part in, as far as is known.
func (c *Cell) Rounds(n int) int {
	if c.State != Absent && c.State != Measured {
		return 0
	}
	if len(c.Elapsed) == 0 {
		return n
	}
	switch longest := slices.Max(c.Elapsed); {
	case longest > verySlow:
		return 1
	case longest > slow:
		return min(n, slowRounds)
	}
	return n
}

// round runs a loaded workload in a process: once to warm up and for the memory, which later runs would take from what
// the first has left behind, and once for the times.
func round(peer Peer, workload *door.Workload, path string, timeout time.Duration) (*door.Result, time.Duration, error) {
	p, err := start(peer)
	if err != nil {
		return nil, 0, err
	}
	if _, err := p.ask(door.Request{Do: "load", Path: path}, 2*timeout); err != nil {
		p.kill()
		return nil, 0, err
	}
	run := func() (*door.Result, time.Duration, error) {
		begin := time.Now()
		reply, err := p.ask(door.Request{Do: "run"}, timeout)
		if err == nil && (reply.Result == nil || len(reply.NS) != len(workload.Parts) || reply.Hash == "") {
			err = fmt.Errorf("answered \"run\" without a result")
		}
		return reply.Result, time.Since(begin), err
	}
	first, elapsed, err := run()
	if err != nil || elapsed > slow {
		p.kill()
		return first, elapsed, err
	}
	result, again, err := run()
	if err != nil {
		p.kill()
		return nil, 0, err
	}
	p.end()
	result.Peak, result.Live = first.Peak, first.Live
	return result, max(again, elapsed), nil
}

// add makes a round of a peer part of its cell.
func (c *Cell) add(result *door.Result, elapsed time.Duration, err error, timeout time.Duration) {
	switch {
	case errors.Is(err, errTimeout):
		c.State, c.Limit = TimedOut, timeout
	case err != nil:
		c.State, c.Reason = Failed, err.Error()
	default:
		c.State = Measured
		c.Runs, c.Elapsed = append(c.Runs, *result), append(c.Elapsed, elapsed)
	}
}
