package difftest

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/yrs-go/yrs/internal/peers"
)

// yjsSide runs replicas in a Node process, which it may share with others. One call is one request.
type yjsSide struct {
	process  *peers.Process
	name     string // tells its documents from those of others
	replicas []int
}

func (s *yjsSide) key(replica int) string { return fmt.Sprint(s.name, "/", replica) }

// nodeStep is a step as internal/peers/node/difftest.mjs describes it.
type nodeStep map[string]any

func (s *yjsSide) request(steps []nodeStep) ([]json.RawMessage, error) {
	var results []json.RawMessage
	err := s.process.Do("run", map[string]any{"steps": steps}, &results)
	return results, err
}

func (s *yjsSide) open(i int, spec replicaSpec) error {
	s.replicas = append(s.replicas, i)
	_, err := s.request([]nodeStep{{"step": "new", "doc": s.key(i), "clientID": spec.clientID, "gc": !spec.keepDeleted}})
	return err
}

func (s *yjsSide) run(tasks []task) ([]outcome, error) {
	steps := make([]nodeStep, len(tasks))
	for i, task := range tasks {
		steps[i] = s.nodeStep(task)
	}
	results, err := s.request(steps)
	if err != nil {
		return nil, err
	}
	outcomes := make([]outcome, len(tasks))
	for i, task := range tasks {
		if outcomes[i], err = readOutcome(task.do, results[i]); err != nil {
			return nil, err
		}
	}
	return outcomes, nil
}

func (s *yjsSide) nodeStep(task task) nodeStep {
	node := nodeStep{"doc": s.key(task.replica)}
	switch task.do {
	case doEdit:
		node["step"], node["ops"] = "loose", task.ops
	case doApply:
		node["step"], node["updates"] = "apply", task.inputs
	case doMerge:
		node["step"], node["updates"] = "merge", task.inputs
	case doState:
		node["step"] = "update"
	case doVector:
		node["step"] = "stateVector"
	case doDiff:
		node["step"], node["stateVector"] = "update", task.inputs[0]
	}
	return node
}

func readOutcome(do action, result json.RawMessage) (outcome, error) {
	if do == doEdit {
		var edited struct {
			Update []byte
			Ops    []any
		}
		err := json.Unmarshal(result, &edited)
		return outcome{edited.Update, edited.Ops}, err
	}
	var made []byte
	err := json.Unmarshal(result, &made)
	return outcome{made: made}, err
}

func (s *yjsSide) read(replicas []int) ([]content, error) {
	var steps []nodeStep
	for _, i := range replicas {
		for _, what := range []string{"tree", "stateVector", "update"} {
			steps = append(steps, nodeStep{"step": what, "doc": s.key(i)})
		}
	}
	results, err := s.request(steps)
	if err != nil {
		return nil, err
	}
	contents := make([]content, len(replicas))
	for i := range contents {
		read := results[3*i : 3*i+3]
		tree, err := canonical(read[0])
		contents[i].tree = tree
		if err := errors.Join(err, json.Unmarshal(read[1], &contents[i].vector), json.Unmarshal(read[2], &contents[i].state)); err != nil {
			return nil, err
		}
	}
	return contents, nil
}

func (s *yjsSide) close() error {
	var steps []nodeStep
	for _, i := range s.replicas {
		steps = append(steps, nodeStep{"step": "drop", "doc": s.key(i)})
	}
	s.replicas = nil
	_, err := s.request(steps)
	return err
}
