package measure

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/yrs-go/yrs/bench/door"
	"github.com/yrs-go/yrs/bench/workload"
)

// Options say how to measure.
type Options struct {
	Rounds   int
	Timeout  time.Duration // of one run
	Work     string        // folder for the files of workloads
	Progress func(string)  // told what is measured next
}

// Grid has a cell for each peer in each workload.
type Grid struct {
	Hellos map[string]door.Hello       // by peer
	Cells  map[string]map[string]*Cell // by workload and peer
	// Problems name peers that failed and peers that came to another result.
	Problems []string
	// Exempt names peers that need not come to the result of the others, with the workload.
	Exempt []string
}

// Cell returns the cell of a peer in a workload; one that is Absent when there is none.
func (g *Grid) Cell(workload, peer string) *Cell {
	if cell := g.Cells[workload][peer]; cell != nil {
		return cell
	}
	return &Cell{}
}

// All measures all cases, the peers in turn in each round of each.
func All(peers []Peer, cases []workload.Case, opts Options) (*Grid, error) {
	grid := &Grid{Hellos: make(map[string]door.Hello), Cells: make(map[string]map[string]*Cell)}
	for _, peer := range peers {
		hello, err := Greet(peer, opts.Timeout)
		if err != nil {
			if !peer.Outside {
				return nil, err
			}
			grid.Problems = append(grid.Problems, err.Error())
		}
		grid.Hellos[peer.ID] = hello
	}
	for i := range cases {
		if err := grid.measure(peers, &cases[i], opts); err != nil {
			return nil, err
		}
	}
	return grid, nil
}

func (g *Grid) measure(peers []Peer, c *workload.Case, opts Options) error {
	path, err := writeWorkload(&c.Workload, opts.Work)
	if err != nil {
		return err
	}
	defer os.Remove(path)
	cells := make(map[string]*Cell)
	g.Cells[c.Name] = cells
	for _, peer := range peers {
		cells[peer.ID] = g.newCell(peer, c)
	}
	for n := range opts.Rounds {
		for _, peer := range peers {
			cell := cells[peer.ID]
			if n >= cell.Rounds(opts.Rounds) {
				continue
			}
			opts.Progress(fmt.Sprintf("%s: round %d, %s", c.Name, n+1, peer.ID))
			result, elapsed, err := round(peer, &c.Workload, path, opts.Timeout)
			cell.add(result, elapsed, err, opts.Timeout)
		}
	}
	g.compare(peers, c)
	return nil
}

// newCell returns the cell that a peer begins a workload with.
func (g *Grid) newCell(peer Peer, c *workload.Case) *Cell {
	if peer.Variant && !c.Variants || c.Only != "" && c.Only != peer.ID {
		return &Cell{State: LeftOut}
	}
	for _, feature := range c.Needs {
		if !slices.Contains(g.Hellos[peer.ID].Features, feature) {
			return &Cell{State: Unsupported}
		}
	}
	return &Cell{}
}

// compare fails the peers whose results are not those of the others, and notes all who failed.
func (g *Grid) compare(peers []Peer, c *workload.Case) {
	want := c.Want
	if want == "" {
		want = g.majority(peers, c)
	}
	for _, peer := range peers {
		cell := g.Cells[c.Name][peer.ID]
		if cell.State == Measured && !g.agrees(peer, c) {
			g.Exempt = append(g.Exempt, fmt.Sprintf(
				"%s, %s: its result is not compared, because it orders concurrent edits by its own rules", peer.ID, c.Name))
			continue
		}
		for _, run := range cell.Runs {
			if run.Hash != want {
				*cell = Cell{State: Failed, Reason: "another result than the other peers"}
				break
			}
		}
		if cell.State == Failed {
			g.Problems = append(g.Problems, fmt.Sprintf("%s, %s: %s", peer.ID, c.Name, cell.Reason))
		}
	}
}

// agrees says whether a peer has to come to the result of the others.
func (g *Grid) agrees(peer Peer, c *workload.Case) bool {
	return !c.Concurrent || slices.Contains(g.Hellos[peer.ID].Features, door.Updates)
}

// majority returns the hash that most peers came to; of several, that of the peer that was named first.
func (g *Grid) majority(peers []Peer, c *workload.Case) string {
	best, votes := "", map[string]int{}
	for _, peer := range peers {
		if cell := g.Cells[c.Name][peer.ID]; len(cell.Runs) > 0 && g.agrees(peer, c) {
			votes[cell.Runs[0].Hash]++
		}
	}
	for _, peer := range peers {
		if cell := g.Cells[c.Name][peer.ID]; len(cell.Runs) > 0 && votes[cell.Runs[0].Hash] > votes[best] {
			best = cell.Runs[0].Hash
		}
	}
	return best
}

func writeWorkload(w *door.Workload, folder string) (string, error) {
	data, err := json.Marshal(w)
	if err != nil {
		return "", err
	}
	file, err := os.CreateTemp(folder, "workload*.json")
	if err != nil {
		return "", err
	}
	defer file.Close()
	if _, err := file.Write(data); err != nil {
		return "", err
	}
	return filepath.Abs(file.Name())
}
