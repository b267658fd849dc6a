package peer

import (
	"fmt"
	"slices"
	"time"

	"github.com/yrs-go/yrs/bench/door"
)

// script is a run of a workload.
type script struct {
	implementation Implementation
	workload       *door.Workload
	docs           map[int]Doc
	log            [][]byte
	applying       bool // what is heard now is not logged
	result         *door.Result
}

func run(implementation Implementation, workload *door.Workload) (*door.Result, error) {
	s := &script{
		implementation: implementation, workload: workload, docs: make(map[int]Doc), result: new(door.Result),
	}
	for _, update := range workload.Log {
		s.log = append(s.log, update)
	}
	heldBefore, residentBefore := held(), resident()
	forgetPeak()
	for _, part := range workload.Parts {
		start := time.Now()
		for i := range part.Steps {
			if err := s.step(&part.Steps[i]); err != nil {
				return nil, fmt.Errorf("%s, step %d, %s: %w", part.Name, i, part.Steps[i].Do, err)
			}
		}
		s.result.NS = append(s.result.NS, time.Since(start).Nanoseconds())
	}
	s.result.Peak = max(peak()-residentBefore, 0)
	s.result.Live = max(held()-heldBefore, 1)
	return s.result, s.finish()
}

// finish hashes the result and closes the documents.
func (s *script) finish() error {
	doc, err := s.doc(s.workload.Result.Doc)
	if err != nil {
		return err
	}
	if s.result.Hash, err = hash(doc, s.workload.Result.On); err != nil {
		return err
	}
	for _, doc := range s.docs {
		if err := doc.Close(); err != nil {
			return err
		}
	}
	return nil
}

func (s *script) doc(number int) (Doc, error) {
	if doc, ok := s.docs[number]; ok {
		return doc, nil
	}
	var heard func([]byte)
	if slices.Contains(s.workload.Listen, number) {
		heard = s.hear
	}
	doc, err := s.implementation.NewDoc(uint64(number)+1, heard)
	if err != nil {
		return nil, err
	}
	s.docs[number] = doc
	return doc, nil
}

func (s *script) hear(update []byte) {
	if !s.applying {
		s.log = append(s.log, update)
		s.result.Heard += int64(len(update))
	}
}

func (s *script) step(step *door.Step) error {
	if step.Do == door.MergeLog {
		return s.merge(step)
	}
	doc, err := s.doc(step.Doc)
	if err != nil {
		return err
	}
	switch step.Do {
	case door.Edit:
		return edit(doc, step)
	case door.Apply:
		return s.apply(doc, step)
	case door.Encode:
		update, err := doc.Encode()
		s.log = append(s.log, update)
		s.result.Encoded = int64(len(update))
		return err
	case door.Read:
		for range max(step.Times, 1) {
			if _, err := read(doc, step.On); err != nil {
				return err
			}
		}
		return nil
	}
	return fmt.Errorf("there is no such step")
}

func (s *script) merge(step *door.Step) error {
	from, to, err := step.Range(len(s.log))
	if err != nil {
		return err
	}
	update, err := s.implementation.Merge(s.log[from:to])
	s.log = append(s.log, update)
	return err
}

func (s *script) apply(doc Doc, step *door.Step) error {
	from, to, err := step.Range(len(s.log))
	if err != nil {
		return err
	}
	s.applying = true
	defer func() { s.applying = false }()
	if step.Together {
		return doc.Apply(s.log[from:to])
	}
	for i := from; i < to; i++ {
		if err := doc.Apply(s.log[i : i+1]); err != nil {
			return err
		}
	}
	return nil
}

func edit(doc Doc, step *door.Step) error {
	edits := len(step.Text) + len(step.Array) + len(step.Map)
	write := func(tx Tx, i int) error {
		switch {
		case step.Text != nil:
			return editText(tx, &step.Text[i])
		case step.Array != nil:
			return tx.InsertArray(step.Array[i].At, step.Array[i].Values)
		}
		return tx.SetMap(step.Map[i].Key, step.Map[i].Value)
	}
	if step.Together {
		return doc.Transact(func(tx Tx) error {
			for i := range edits {
				if err := write(tx, i); err != nil {
					return err
				}
			}
			return nil
		})
	}
	at := 0
	one := func(tx Tx) error { return write(tx, at) } // one closure for all: its allocation would be measured
	for ; at < edits; at++ {
		if err := doc.Transact(one); err != nil {
			return err
		}
	}
	return nil
}

func editText(tx Tx, op *door.TextOp) error {
	if op.Deleted > 0 {
		if err := tx.DeleteText(op.At, op.Deleted); err != nil {
			return err
		}
	}
	if op.Inserted == "" {
		return nil
	}
	return tx.InsertText(op.At, op.Inserted)
}
