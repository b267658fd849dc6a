package report

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/yrs-go/yrs/bench/measure"
)

// Report is all that was measured, and what the tables say of it.
type Report struct {
	Grid     *measure.Grid
	Sections []Section
	Peers    []measure.Peer // as they were given
	Rounds   int
	Timeout  time.Duration
}

// table is a heading and lines of as many columns.
type table [][]string

// ratios is the table of a section: ours against each of the others first, then the bars, then ours itself.
func (r *Report) ratios(section Section) table {
	compared := r.present(Compared)
	if section.Alone {
		compared = nil
	}
	heading := []string{section.Title}
	for _, peer := range compared {
		heading = append(heading, "÷ "+peer)
	}
	t := table{append(heading, "ours", "bar")}
	for i := range section.Rows {
		row := &section.Rows[i]
		if r.absent(row) {
			continue
		}
		line := []string{row.Title}
		for _, peer := range compared {
			line = append(line, row.Ratio(r.Grid, peer))
		}
		ours := row.Of.text(Look(r.Grid, row.Of, row.peer()), r.Rounds)
		t = append(t, append(line, ours, r.bars(row)))
	}
	return t
}

// absent rows have not been run.
func (r *Report) absent(row *Row) bool {
	return Look(r.Grid, row.Of, row.peer()).State == measure.Absent
}

// bars shows the bars of a row, each with what became of it.
func (r *Report) bars(row *Row) string {
	var all []string
	for i, verdict := range row.Verdicts(r.Grid) {
		switch {
		case !row.decides(r.Grid, &row.Bars[i]):
			all = append(all, verdict.Text)
		case verdict.Met:
			all = append(all, verdict.Text+" met")
		default:
			all = append(all, verdict.Text+" MISSED")
		}
	}
	return strings.Join(all, ", ")
}

// figures is the table of what each peer of a list came to.
func (r *Report) figures(section Section, peers []string) table {
	t := table{append([]string{section.Title}, peers...)}
	for i := range section.Rows {
		row := &section.Rows[i]
		if r.absent(row) || row.Peer != "" {
			continue
		}
		line := []string{row.Title}
		for _, peer := range peers {
			line = append(line, row.Of.text(Look(r.Grid, row.Of, peer), r.Rounds))
		}
		t = append(t, line)
	}
	return t
}

// present returns those of the named peers that take part.
func (r *Report) present(named []string) []string {
	var found []string
	for _, name := range named {
		for _, peer := range r.Peers {
			if peer.ID == name {
				found = append(found, name)
			}
		}
	}
	return found
}

// insiders are the peers that come with the benchmark, in the order of the columns.
func (r *Report) insiders() []string {
	return r.present(append([]string{Ours, NoIndex}, Compared...))
}

// outsiders are the peers that came through the flag.
func (r *Report) outsiders() []string {
	var found []string
	for _, peer := range r.Peers {
		if peer.Outside {
			found = append(found, peer.ID)
		}
	}
	return found
}

// Missed returns the rows that missed a bar.
func (r *Report) Missed() []string {
	var missed []string
	for _, section := range r.Sections {
		for i := range section.Rows {
			row := &section.Rows[i]
			for j, verdict := range row.Verdicts(r.Grid) {
				if !verdict.Met && row.decides(r.Grid, &row.Bars[j]) {
					missed = append(missed, row.Title+": "+verdict.Text)
				}
			}
		}
	}
	return missed
}

// Print writes the tables for a terminal.
func (r *Report) Print(out io.Writer) error {
	columns := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	print := func(t table) {
		if len(t) == 1 {
			return
		}
		for _, line := range t {
			fmt.Fprintln(columns, strings.Join(line, "\t"))
		}
		fmt.Fprintln(columns)
	}
	for _, section := range r.Sections {
		print(r.ratios(section))
	}
	for _, section := range r.Sections {
		print(r.figures(section, append(r.insiders(), r.outsiders()...)))
	}
	return columns.Flush()
}
