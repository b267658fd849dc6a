package difftest

import (
	"fmt"

	"github.com/yrs-go/yrs/ycrdt"
)

// ycrdtSide runs replicas in this process.
type ycrdtSide struct {
	replicas map[int]*ycrdtReplica
}

type ycrdtReplica struct {
	doc  *ycrdt.Doc
	made [][]byte // updates since the last step began
}

func (s *ycrdtSide) open(i int, spec replicaSpec) error {
	doc, err := ycrdt.NewDocWith(ycrdt.DocOptions{ClientID: spec.clientID, SkipGC: spec.keepDeleted})
	if err != nil {
		return err
	}
	replica := &ycrdtReplica{doc: doc}
	doc.OnUpdate(func(event ycrdt.UpdateEvent) { replica.made = append(replica.made, event.Update) })
	s.replicas[i] = replica
	return nil
}

func (s *ycrdtSide) run(tasks []task) ([]outcome, error) {
	outcomes := make([]outcome, len(tasks))
	for i, task := range tasks {
		outcome, err := s.replicas[task.replica].run(task)
		if err != nil {
			return nil, fmt.Errorf("step %d: %w", task.id, err)
		}
		outcomes[i] = outcome
	}
	return outcomes, nil
}

func (r *ycrdtReplica) run(task task) (result outcome, err error) {
	switch task.do {
	case doEdit:
		return r.edit(task.ops)
	case doApply:
		return r.apply(task.inputs)
	case doMerge:
		result.made, err = ycrdt.MergeUpdates(task.inputs...)
	case doState:
		result.made, err = r.doc.EncodeStateAsUpdate(nil)
	case doVector:
		result.made, err = r.doc.EncodeStateVector()
	case doDiff:
		result.made, err = r.doc.EncodeStateAsUpdate(task.inputs[0])
	default:
		err = fmt.Errorf("no such action: %s", task.do)
	}
	return result, err
}

func (r *ycrdtReplica) edit(ops []looseOp) (result outcome, err error) {
	err = r.doc.Transact(func(tx *ycrdt.Tx) error {
		for _, op := range ops {
			became, err := perform(tx, op)
			if err != nil {
				return fmt.Errorf("%s: %w", mustJSON(became), err)
			}
			result.became = append(result.became, became)
		}
		return nil
	})
	if err == nil {
		result.made, err = r.takeMade()
	}
	return result, err
}

func (r *ycrdtReplica) apply(updates [][]byte) (result outcome, err error) {
	for _, update := range updates {
		if err := r.doc.ApplyUpdate(update); err != nil {
			return result, fmt.Errorf("%x: %w", update, err)
		}
	}
	result.made, err = r.takeMade()
	return result, err
}

// takeMade returns the updates of the step merged into one.
func (r *ycrdtReplica) takeMade() ([]byte, error) {
	made := r.made
	r.made = nil
	if len(made) == 0 {
		return nil, nil
	}
	merged, err := ycrdt.MergeUpdates(made...)
	if err != nil {
		return nil, fmt.Errorf("merging its own %x: %w", made, err)
	}
	return merged, nil
}

func (s *ycrdtSide) read(replicas []int) ([]content, error) {
	contents := make([]content, len(replicas))
	for i, replica := range replicas {
		content, err := s.replicas[replica].read()
		if err != nil {
			return nil, err
		}
		contents[i] = content
	}
	return contents, nil
}

func (r *ycrdtReplica) read() (read content, err error) {
	err = r.doc.View(func(tx *ycrdt.Tx) error {
		var trees []any
		for _, root := range roots(tx) {
			trees = append(trees, plain(tree(root.shared)))
		}
		if read.tree, err = canonical([]byte(mustJSON(trees))); err != nil {
			return err
		}
		if read.vector, err = tx.EncodeStateVector(); err != nil {
			return err
		}
		read.state, err = tx.EncodeStateAsUpdate(nil)
		return err
	})
	return read, err
}

func (s *ycrdtSide) close() error {
	for _, replica := range s.replicas {
		if err := replica.doc.Close(); err != nil {
			return err
		}
	}
	clear(s.replicas)
	return nil
}
