package difftest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/yrs-go/yrs/internal/peers"
	"github.com/yrs-go/yrs/ycrdt/protocol"
)

// session is a script while it runs.
type session struct {
	script   *script
	sides    map[bool]side // by replicaSpec.yjs
	messages map[int]sent
	lastID   int
	has      []map[int]bool // messages that each replica has applied
	became   map[int][]any  // what became of the operations of each step
}

type sent struct {
	maker  int
	bytes  []byte
	update bool // made by a change, so that everybody must hear of it
}

// failure tells why a session failed.
type failure struct {
	kind   string // failures of one kind are taken for the same by the shrinker
	detail string
	became map[int][]any
}

// failureOf takes errors for the same if they differ in numbers only.
func failureOf(err error) *failure {
	kind := strings.Map(func(r rune) rune {
		if strings.ContainsRune("0123456789abcdef", r) {
			return -1
		}
		return r
	}, err.Error())
	return &failure{kind: kind, detail: err.Error()}
}

// play runs a script to its end and returns nil if all replicas then hold the same.
func play(node *peers.Process, name string, script *script) (failed *failure) {
	s := &session{
		script: script,
		sides: map[bool]side{
			false: &ycrdtSide{replicas: make(map[int]*ycrdtReplica)},
			true:  &yjsSide{process: node, name: name},
		},
		messages: make(map[int]sent),
		became:   make(map[int][]any),
	}
	failed = s.play()
	if err := errors.Join(s.sides[false].close(), s.sides[true].close()); err != nil && failed == nil {
		failed = &failure{kind: "close", detail: err.Error()}
	}
	if failed != nil {
		failed.became = s.became
	}
	return failed
}

func (s *session) play() *failure {
	for i, spec := range s.script.replicas {
		if err := s.sides[spec.yjs].open(i, spec); err != nil {
			return &failure{kind: "open", detail: err.Error()}
		}
		s.has = append(s.has, make(map[int]bool))
	}
	for _, round := range s.script.rounds {
		if err := s.round(round); err != nil {
			return failureOf(err)
		}
	}
	if err := s.settle(); err != nil {
		return failureOf(err)
	}
	return s.compare()
}

// round runs the steps of a round, those of each implementation together.
func (s *session) round(steps []step) error {
	made := make(map[int]sent)
	for yjs, side := range s.sides {
		var tasks []task
		for _, step := range steps {
			s.lastID = max(s.lastID, step.id)
			if s.script.replicas[step.replica].yjs == yjs {
				tasks = s.appendTask(tasks, step)
			}
		}
		if len(tasks) == 0 {
			continue
		}
		outcomes, err := side.run(tasks)
		if err != nil {
			return err
		}
		for i, outcome := range outcomes {
			step := tasks[i].step
			s.became[step.id] = outcome.became
			if len(outcome.made) > 0 {
				made[step.id] = sent{step.replica, outcome.made, step.do == doEdit || step.do == doApply}
			}
		}
	}
	maps.Copy(s.messages, made)
	return nil
}

// appendTask appends the step as a task, unless it uses messages that there are none of.
func (s *session) appendTask(tasks []task, step step) []task {
	task := task{step: step}
	for _, id := range step.uses {
		if message, ok := s.messages[id]; ok {
			task.inputs = append(task.inputs, message.bytes)
			if step.do == doApply {
				s.has[step.replica][id] = true
			}
		}
	}
	if len(step.uses) > 0 && len(task.inputs) == 0 {
		return tasks
	}
	return append(tasks, task)
}

// settle delivers every update to all who are to hear of it, in an order of each replica's own, until no replica
// changes any more.
func (s *session) settle() error {
	for {
		var steps []step
		for i := range s.script.replicas {
			if missing := s.missing(i); len(missing) > 0 {
				s.lastID++
				steps = append(steps, step{id: s.lastID, replica: i, do: doApply, uses: missing})
			}
		}
		if len(steps) == 0 {
			return nil
		}
		if err := s.round(steps); err != nil {
			return fmt.Errorf("at the end: %w", err)
		}
	}
}

// missing returns the updates that a replica has still to hear of, some of them twice, in an order that changes
// little when the script does.
func (s *session) missing(replica int) []int {
	var ids []int
	for id, message := range s.messages {
		if message.update && s.script.hears(replica, message.maker) && !s.has[replica][id] {
			ids = append(ids, id)
			if s.hash(replica, -id)%8 == 0 {
				ids = append(ids, -id)
			}
		}
	}
	slices.SortFunc(ids, func(a, b int) int {
		if s.hash(replica, a) < s.hash(replica, b) {
			return -1
		}
		return 1
	})
	for i, id := range ids {
		ids[i] = max(id, -id)
	}
	return ids
}

// hash mixes the seed with two numbers.
func (s *session) hash(a, b int) uint64 {
	x := s.script.seed ^ uint64(a)<<32 ^ uint64(b)
	for range 2 {
		x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
		x = (x ^ x>>27) * 0x94d049bb133111eb
	}
	return x ^ x>>31
}

// compare checks that all replicas hold the same, and that a replica of the other implementation reads it from
// their state.
func (s *session) compare() *failure {
	contents, err := s.read()
	if err != nil {
		return failureOf(fmt.Errorf("reading: %w", err))
	}
	for i, got := range contents {
		if difference := diff(contents[0], got); difference != "" {
			return &failure{kind: "replicas differ", detail: fmt.Sprintf("replicas 0 and %d differ in %s", i, difference)}
		}
	}
	return s.compareLate(contents)
}

func (s *session) read() ([]content, error) {
	contents := make([]content, len(s.script.replicas))
	for yjs, side := range s.sides {
		var replicas []int
		for i, spec := range s.script.replicas {
			if spec.yjs == yjs {
				replicas = append(replicas, i)
			}
		}
		read, err := side.read(replicas)
		if err != nil {
			return nil, err
		}
		for i, replica := range replicas {
			contents[replica] = read[i]
		}
	}
	return contents, nil
}

// compareLate loads the state of the first replica of each implementation into a new one of the other.
func (s *session) compareLate(contents []content) *failure {
	for yjs, side := range s.sides {
		from := slices.IndexFunc(s.script.replicas, func(spec replicaSpec) bool { return spec.yjs != yjs })
		late := len(s.script.replicas)
		if yjs {
			late++
		}
		load := task{step: step{replica: late, do: doApply}, inputs: [][]byte{contents[from].state}}
		err := side.open(late, replicaSpec{yjs: yjs, clientID: 1})
		if err == nil {
			_, err = side.run([]task{load})
		}
		var read []content
		if err == nil {
			read, err = side.read([]int{late})
		}
		if err != nil {
			return failureOf(fmt.Errorf("loading the state of replica %d: %w", from, err))
		}
		if difference := diff(contents[from], read[0]); difference != "" {
			return &failure{kind: "late", detail: fmt.Sprintf("replica %d and one that loads its state differ in %s", from, difference)}
		}
	}
	return nil
}

// diff tells how two replicas differ, "" if they hold the same.
func diff(a, b content) string {
	if a.tree != b.tree {
		return fmt.Sprintf("content:\n%s\n%s", a.tree, b.tree)
	}
	vectorA, errA := readVector(a.vector)
	vectorB, errB := readVector(b.vector)
	if errA != nil || errB != nil || !maps.Equal(vectorA, vectorB) {
		return fmt.Sprintf("state vectors: %v and %v %v %v", vectorA, vectorB, errA, errB)
	}
	return ""
}

func readVector(encoded []byte) (map[uint64]uint64, error) {
	dec := protocol.NewDecoder(encoded)
	count, err := dec.ReadVarUint()
	if err != nil {
		return nil, err
	}
	vector := make(map[uint64]uint64)
	for range count {
		client, errClient := dec.ReadVarUint()
		clock, errClock := dec.ReadVarUint()
		if err := errors.Join(errClient, errClock); err != nil {
			return nil, err
		}
		vector[client] = clock
	}
	return vector, nil
}
