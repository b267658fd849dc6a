package difftest

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/yrs-go/yrs/internal/peers"
)

// session is a script while it is played.
type session struct {
	script   *script
	sides    map[implementation]side
	messages map[int]message
	lastID   int
	has      []map[int]bool // which messages each replica has applied
	became   map[int][]any  // what became of the operations of each step
}

// message is what a step made.
type message struct {
	maker  int
	bytes  []byte
	change bool // an update that tells of a change, so that all who hear its maker must get it
}

// play plays a script in documents of that name. It fails if a step does, or if not all replicas hold the same in
// the end. In any case it returns what became of the operations of each step.
func play(node *peers.Process, name string, script *script) (became map[int][]any, err error) {
	s := &session{
		script: script,
		sides: map[implementation]side{
			inGo:  &ycrdtSide{replicas: make(map[int]*ycrdtReplica)},
			inYjs: &yjsSide{process: node, name: name},
		},
		messages: make(map[int]message),
		became:   make(map[int][]any),
	}
	err = s.play()
	return s.became, errors.Join(err, s.sides[inGo].close(), s.sides[inYjs].close())
}

func (s *session) play() error {
	for i, spec := range s.script.replicas {
		if err := s.sides[spec.runs].open(i, spec); err != nil {
			return err
		}
		s.has = append(s.has, make(map[int]bool))
	}
	for _, round := range s.script.rounds {
		if err := s.round(round); err != nil {
			return err
		}
	}
	if err := s.settle(); err != nil {
		return err
	}
	return s.compare()
}

// round does the steps of a round, those of each implementation together.
func (s *session) round(steps round) error {
	made := make(map[int]message)
	for runs, side := range s.sides {
		tasks := s.tasks(runs, steps)
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
				made[step.id] = message{step.replica, outcome.made, step.do == doEdit || step.do == doApply}
			}
		}
	}
	maps.Copy(s.messages, made)
	return nil
}

// tasks returns the steps for the replicas of an implementation, with what they use.
func (s *session) tasks(runs implementation, steps round) []task {
	var tasks []task
	for _, step := range steps {
		s.lastID = max(s.lastID, step.id)
		inputs := s.inputs(step)
		if len(step.uses) > 0 && len(inputs) == 0 {
			continue
		}
		for i, spec := range s.script.replicas {
			if spec.runs == runs && (step.replica == i || step.replica == everyone) {
				own := task{step, inputs}
				own.replica = i
				tasks = append(tasks, own)
			}
		}
	}
	return tasks
}

// inputs returns the messages that a step uses, as far as there are any, and notes what its replica will have.
func (s *session) inputs(step step) [][]byte {
	var inputs [][]byte
	for _, id := range step.uses {
		if message, ok := s.messages[id]; ok {
			inputs = append(inputs, message.bytes)
			if step.do == doApply {
				s.has[step.replica][id] = true
			}
		}
	}
	return inputs
}

// settle delivers every change to all who hear its maker, until no replica changes any more.
func (s *session) settle() error {
	for {
		var steps round
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

// missing returns the changes that a replica has still to hear of, some of them twice, in an order that depends on
// the seed but hardly on what else there is, so that shrinking leaves it alone.
func (s *session) missing(replica int) []int {
	type delivery struct {
		id   int
		rank uint64
	}
	var deliveries []delivery
	for id, message := range s.messages {
		if message.change && s.script.hears(replica, message.maker) && !s.has[replica][id] {
			rank := s.hash(replica, id)
			deliveries = append(deliveries, delivery{id, rank})
			if rank%8 == 0 {
				deliveries = append(deliveries, delivery{id, s.hash(replica, -id)})
			}
		}
	}
	slices.SortFunc(deliveries, func(a, b delivery) int { return cmp.Compare(a.rank, b.rank) })
	ids := make([]int, len(deliveries))
	for i, delivery := range deliveries {
		ids[i] = delivery.id
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
