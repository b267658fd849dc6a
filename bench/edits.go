package main

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"time"

	"github.com/yrs-go/yrs/ycrdt"
)

// turnsText is the length of the text that is edited in turn.
const turnsText = 100_000

// editRows compare edits by position, which native yrs walks to.
func editRows(work string) ([]row, error) {
	traced, name, err := tracedEdits()
	if err != nil {
		return nil, err
	}
	first, second, err := turns(20_000)
	if err != nil {
		return nil, err
	}
	var rows []row
	for _, w := range []struct {
		name     string
		records  [][]byte
		workload string
		ours     func() (time.Duration, error)
		bar      float64
	}{
		{name + ", a transaction per edit", encodeEdits(traced), "edits", editing(traced, ycrdt.DocOptions{}), 0.1},
		{"the same without an index", encodeEdits(traced), "edits", editing(traced, ycrdt.DocOptions{SkipPositionIndex: true}), 1.2},
		{"the same with a subscriber", encodeEdits(traced), "edits", subscribed(traced), 0.2},
		{"40,000 inserts at random positions", encodeEdits(randomInserts(40_000)), "edits", editing(randomInserts(40_000), ycrdt.DocOptions{}), 0.012},
		{"20,000 appends in one transaction", encodeEdits(appends(20_000)), "edits-at-once", editingAtOnce(appends(20_000)), 0.02},
		{"20,000 local and remote edits in turn", interleave(first, second), "turns", inTurn(first, second), 0.2},
	} {
		file := filepath.Join(work, fmt.Sprint("edits", len(rows)))
		if err := writeUpdates(file, w.records); err != nil {
			return nil, err
		}
		rows = append(rows, row{
			name: w.name, each: 1, base: nativeRun(w.workload, file), ours: warm(w.ours), bar: w.bar, slow: true,
		})
	}
	atOnce := row{
		name: name + ", in one transaction", each: 1, baseName: "a transaction per edit",
		base: warm(editing(traced, ycrdt.DocOptions{})), ours: warm(editingAtOnce(traced)), bar: 1,
	}
	more := row{
		name: "100,000 inserts at random positions", each: 1, baseName: "10,000",
		base: warm(editing(randomInserts(10_000), ycrdt.DocOptions{})),
		ours: warm(editing(randomInserts(100_000), ycrdt.DocOptions{})), bar: 14,
	}
	return append(rows, atOnce, more), nil
}

func randomInserts(n int) []patch {
	random := rand.New(rand.NewPCG(1, 2))
	edits := make([]patch, n)
	for i := range edits {
		edits[i] = patch{position: random.IntN(i + 1), inserted: "x"}
	}
	return edits
}

func appends(n int) []patch {
	edits := make([]patch, n)
	for i := range edits {
		edits[i] = patch{position: i, inserted: "x"}
	}
	return edits
}

// apply makes the edit.
func (p patch) apply(tx *ycrdt.Tx) error {
	text := tx.Text("content")
	if p.deleted > 0 {
		if err := text.Delete(p.position, p.deleted); err != nil {
			return err
		}
	}
	return text.Insert(p.position, p.inserted)
}

// encodeEdits is what the native program reads.
func encodeEdits(edits []patch) [][]byte {
	records := make([][]byte, len(edits))
	for i, p := range edits {
		record := binary.LittleEndian.AppendUint32(nil, uint32(p.position))
		record = binary.LittleEndian.AppendUint32(record, uint32(p.deleted))
		records[i] = append(record, p.inserted...)
	}
	return records
}

// finish reads the text, so that nothing is left undone when the clock stops.
func finish(doc *ycrdt.Doc, start time.Time) (time.Duration, error) {
	length := 0
	err := doc.View(func(tx *ycrdt.Tx) error {
		length = len(tx.Text("content").String())
		return nil
	})
	elapsed := time.Since(start)
	if err == nil && length == 0 {
		err = fmt.Errorf("the text is empty")
	}
	return elapsed, err
}

func editing(edits []patch, opts ycrdt.DocOptions) func() (time.Duration, error) {
	return func() (time.Duration, error) {
		doc, err := ycrdt.NewDocWith(opts)
		if err != nil {
			return 0, err
		}
		defer doc.Close()
		start := time.Now()
		for _, p := range edits {
			if err := doc.Transact(p.apply); err != nil {
				return 0, err
			}
		}
		return finish(doc, start)
	}
}

func subscribed(edits []patch) func() (time.Duration, error) {
	return func() (time.Duration, error) {
		doc := ycrdt.NewDoc()
		defer doc.Close()
		heard := 0
		defer doc.OnUpdate(func(e ycrdt.UpdateEvent) { heard += len(e.Update) }).Close()
		start := time.Now()
		for _, p := range edits {
			if err := doc.Transact(p.apply); err != nil {
				return 0, err
			}
		}
		if heard < len(edits) {
			return 0, fmt.Errorf("the subscriber heard %d bytes of %d edits", heard, len(edits))
		}
		return finish(doc, start)
	}
}

func editingAtOnce(edits []patch) func() (time.Duration, error) {
	return func() (time.Duration, error) {
		doc := ycrdt.NewDoc()
		defer doc.Close()
		start := time.Now()
		err := doc.Transact(func(tx *ycrdt.Tx) error {
			for _, p := range edits {
				if err := p.apply(tx); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return 0, err
		}
		return finish(doc, start)
	}
}

// turns returns edits of one replica of a text, and as many updates of another one, behind the text itself.
func turns(n int) (edits []patch, updates [][]byte, err error) {
	random := rand.New(rand.NewPCG(3, 4))
	doc := ycrdt.NewDoc()
	defer doc.Close()
	text := make([]byte, turnsText)
	for i := range text {
		text[i] = byte('a' + i%26)
	}
	defer doc.OnUpdate(func(e ycrdt.UpdateEvent) { updates = append(updates, e.Update) }).Close()
	if err := doc.Transact(patch{inserted: string(text)}.apply); err != nil {
		return nil, nil, err
	}
	for range n {
		edits = append(edits, patch{position: random.IntN(turnsText), inserted: "l"})
		if err := doc.Transact(patch{position: random.IntN(turnsText), inserted: "r"}.apply); err != nil {
			return nil, nil, err
		}
	}
	return edits, updates, nil
}

func interleave(edits []patch, updates [][]byte) [][]byte {
	records := [][]byte{updates[0]}
	for i, record := range encodeEdits(edits) {
		records = append(records, record, updates[i+1])
	}
	return records
}

func inTurn(edits []patch, updates [][]byte) func() (time.Duration, error) {
	return func() (time.Duration, error) {
		doc := ycrdt.NewDoc()
		defer doc.Close()
		if err := doc.ApplyUpdate(updates[0]); err != nil {
			return 0, err
		}
		start := time.Now()
		for i, p := range edits {
			if err := doc.Transact(p.apply); err != nil {
				return 0, err
			}
			if err := doc.ApplyUpdate(updates[i+1]); err != nil {
				return 0, err
			}
		}
		return finish(doc, start)
	}
}
