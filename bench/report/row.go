// Package report says what was measured: rows with ratios and bars, tables, a page and a chart.
package report

import (
	"fmt"
	"slices"
	"time"

	"github.com/yrs-go/yrs/bench/door"
	"github.com/yrs-go/yrs/bench/measure"
)

// Peers that rows name.
const (
	Ours      = "ycrdt"
	NoIndex   = "ycrdt-no-index"
	YRS       = "yrs"
	Yjs       = "yjs"
	Pycrdt    = "pycrdt"
	Automerge = "automerge"
)

// Compared are the peers that ours is compared with in every table.
var Compared = []string{YRS, Yjs, Pycrdt, Automerge}

// What is looked at in a result; Time unless said otherwise.
type Figure int

const (
	Time Figure = iota
	Live
	Peak
	Heard
	Encoded
)

// Value is a figure of one part of a workload, for whichever peer.
type Value struct {
	Workload string
	Part     int // number
	Last     int // if it is not 0, the slowest part up to this number counts
	Figure   Figure
	// After says that the part comes after what takes long: nothing is known of it where a run was ended.
	After bool
}

// Row is a line of a table: a figure of ours beside that of others.
type Row struct {
	Title string
	Of    Value
	Peer  string // whose figure it is; empty is ours
	Bars  []Bar
	Chart bool
}

// Bar is what a row may come to: so many times what it is compared with and so much more, or a limit.
type Bar struct {
	Text    string
	Against Value
	Peer    string // empty is that of the row
	Times   float64
	Slack   float64 // nanoseconds or bytes
	Limit   float64 // instead of a comparison
}

// Result is a figure that was measured, in nanoseconds or bytes.
type Result struct {
	State  measure.State
	Amount float64 // for one that TimedOut the least that it can be
	Rounds int
}

// Look returns the figure of a peer.
func Look(grid *measure.Grid, v Value, peer string) Result {
	cell := grid.Cell(v.Workload, peer)
	result := Result{State: cell.State, Rounds: len(cell.Runs)}
	switch {
	case cell.State == measure.TimedOut && v.isLeast():
		result.Amount = float64(cell.Limit)
	case cell.State == measure.Measured:
		result.Amount = float64(cell.Median(func(r door.Result) int64 { return v.of(r) }))
	}
	return result
}

// isLeast says whether a run that was ended took at least its limit for this.
func (v Value) isLeast() bool {
	return v.Figure == Time && !v.After
}

func (v Value) of(r door.Result) int64 {
	switch v.Figure {
	case Live:
		return r.Live
	case Peak:
		return r.Peak
	case Heard:
		return r.Heard
	case Encoded:
		return r.Encoded
	}
	return slices.Max(r.NS[v.Part : max(v.Part, v.Last)+1])
}

// peer is whose figure the row is about.
func (r *Row) peer() string {
	if r.Peer == "" {
		return Ours
	}
	return r.Peer
}

// Ratio returns how many times the figure of another peer ours is. It is a text, because a peer may have not finished.
func (r *Row) Ratio(grid *measure.Grid, peer string) string {
	ours, theirs := Look(grid, r.Of, r.peer()), Look(grid, r.Of, peer)
	if peer == r.peer() {
		return ""
	}
	if ours.State != measure.Measured {
		return "–"
	}
	if theirs.Amount == 0 {
		return stateText(theirs)
	}
	text := digits(ours.Amount / theirs.Amount)
	if theirs.State == measure.TimedOut {
		return "< " + text
	}
	return text
}

// Verdict is what became of a bar.
type Verdict struct {
	Text string
	Met  bool
}

// Verdicts returns those of a row's bars.
func (r *Row) Verdicts(grid *measure.Grid) []Verdict {
	var all []Verdict
	for _, bar := range r.Bars {
		all = append(all, Verdict{Text: bar.Text + bar.ratio(grid, r), Met: bar.met(grid, r)})
	}
	return all
}

// ratio shows how many times what a bar compares with a row has come to, where no column does.
func (b *Bar) ratio(grid *measure.Grid, r *Row) string {
	ours, theirs := Look(grid, r.Of, r.peer()), Look(grid, b.Against, b.peer(r))
	if b.Limit > 0 || b.Against == r.Of || ours.State != measure.Measured || theirs.State != measure.Measured {
		return ""
	}
	return " (" + digits(ours.Amount/theirs.Amount) + ")"
}

// peer is whose figure a row is compared with.
func (b *Bar) peer(r *Row) string {
	if b.Peer == "" {
		return r.peer()
	}
	return b.Peer
}

// met says whether a bar holds. What was not finished by the peer in comparison took at least its time.
func (b *Bar) met(grid *measure.Grid, r *Row) bool {
	ours := Look(grid, r.Of, r.peer())
	if ours.State != measure.Measured {
		return false
	}
	if b.Limit > 0 {
		return ours.Amount <= b.Limit
	}
	theirs := Look(grid, b.Against, b.peer(r))
	if theirs.State != measure.Measured && theirs.State != measure.TimedOut {
		return false
	}
	return ours.Amount <= b.Times*theirs.Amount+b.Slack
}

// decides says whether there is what a bar needs: a run of a few peers judges no others, and not every system tells
// of memory.
func (r *Row) decides(grid *measure.Grid, b *Bar) bool {
	ours := Look(grid, r.Of, r.peer())
	finished := ours.State == measure.Measured
	if finished && ours.Amount == 0 || !finished && ours.State != measure.TimedOut && ours.State != measure.Failed {
		return false
	}
	return b.Limit > 0 || Look(grid, b.Against, b.peer(r)).Amount > 0
}

// digits shows two significant digits of a ratio, and no more.
func digits(ratio float64) string {
	switch {
	case ratio >= 9.95:
		return fmt.Sprintf("%.0f", ratio)
	case ratio >= 0.995:
		return fmt.Sprintf("%.1f", ratio)
	case ratio >= 0.0995:
		return fmt.Sprintf("%.2f", ratio)
	case ratio >= 0.00995:
		return fmt.Sprintf("%.3f", ratio)
	}
	return fmt.Sprintf("%.4f", ratio)
}

// amount shows a figure with its unit.
func (v Value) amount(amount float64) string {
	if v.Figure == Time {
		return duration(time.Duration(amount))
	}
	switch {
	case amount >= 1e6:
		return fmt.Sprintf("%.1f MB", amount/1e6)
	case amount >= 1e4:
		return fmt.Sprintf("%.0f kB", amount/1e3)
	}
	return fmt.Sprintf("%.0f B", amount)
}

// duration shows three significant digits.
func duration(d time.Duration) string {
	unit := time.Nanosecond
	for limit := 1000 * time.Nanosecond; d >= limit && unit < time.Second; limit *= 1000 {
		unit *= 1000
	}
	value := float64(d) / float64(unit)
	places := 2
	if value >= 99.95 {
		places = 0
	} else if value >= 9.995 {
		places = 1
	}
	names := map[time.Duration]string{
		time.Nanosecond: "ns", time.Microsecond: "µs", time.Millisecond: "ms", time.Second: "s",
	}
	return fmt.Sprintf("%.*f %s", places, value, names[unit])
}

// stateText says why there is no figure.
func stateText(r Result) string {
	switch r.State {
	case measure.Unsupported:
		return "not supported"
	case measure.TimedOut:
		return "too slow"
	case measure.Failed:
		return "failed"
	}
	return "–"
}

// text shows a figure, with the number of rounds when it is of fewer than the others.
func (v Value) text(r Result, rounds int) string {
	switch {
	case r.State == measure.TimedOut && v.isLeast():
		return "> " + duration(time.Duration(r.Amount))
	case r.State != measure.Measured:
		return stateText(r)
	case v.Figure == Live && r.Amount == 0:
		return "not told"
	case r.Rounds < rounds:
		return fmt.Sprintf("%s (%d)", v.amount(r.Amount), r.Rounds)
	}
	return v.amount(r.Amount)
}
