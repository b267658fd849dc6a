package difftest

import (
	"encoding/json"
	"fmt"
	"strings"
)

// script is a session: what its replicas do, without reference to what they hold at that time. So any part of
// it can be left out and the rest is still a session.
type script struct {
	seed     uint64
	replicas []replicaSpec
	links    links
	rounds   []round
}

// links tells who hears whom.
type links string

const (
	mesh  links = "all hear all"
	star  links = "replica 0 hears all, the others hear replica 0"
	alone links = "nobody hears anybody, but all do the same"
)

// round is a set of steps that know nothing of each other, except for the order of those of one replica.
type round []step

// implementation is what runs a replica.
type implementation string

const (
	inGo  implementation = "ycrdt"
	inYjs implementation = "yjs"
)

type replicaSpec struct {
	runs        implementation
	clientID    uint64
	keepDeleted bool // no garbage collection
}

// action is what a replica does in a step.
type action string

const (
	doEdit   action = "edit"   // performs ops in one transaction and makes an update
	doApply  action = "apply"  // applies updates and makes one of what they changed
	doMerge  action = "merge"  // merges updates into one
	doState  action = "state"  // makes its whole state
	doVector action = "vector" // makes its state vector
	doDiff   action = "diff"   // makes the update that another's state vector lacks
)

// step is something that one replica does. What it makes is the message of its number, which others may use
// from the next round on.
type step struct {
	id      int
	replica int // its number, or everyone
	do      action
	ops     []looseOp // of doEdit
	uses    []int     // messages
}

// everyone is the replica of steps of a script whose replicas are alone.
const everyone = -1

// hears tells whether messages of one replica reach another.
func (s *script) hears(to, from int) bool {
	switch s.links {
	case mesh:
		return to != from
	case star:
		return to != from && (to == 0 || from == 0)
	default:
		return false
	}
}

func (s *script) steps() []step {
	var all []step
	for _, round := range s.rounds {
		all = append(all, round...)
	}
	return all
}

// describe prints the script, with the operations as they turned out where that is known.
func (s *script) describe(became map[int][]any) string {
	var b strings.Builder
	for i, replica := range s.replicas {
		fmt.Fprintf(&b, "replica %d: %v\n", i, replica)
	}
	fmt.Fprintf(&b, "%s\n", s.links)
	for i, round := range s.rounds {
		for _, step := range round {
			fmt.Fprintf(&b, "round %d, %s: %d = %s%s\n", i, step.who(), step.id, step.do, list(step.uses))
			for i, op := range step.ops {
				fmt.Fprintf(&b, "    %s\n", mustJSON(op))
				if ops := became[step.id]; i < len(ops) {
					fmt.Fprintf(&b, "      -> %s\n", mustJSON(ops[i]))
				}
			}
		}
	}
	return b.String()
}

func (r replicaSpec) String() string {
	text := fmt.Sprintf("%s, client %d", r.runs, r.clientID)
	if r.keepDeleted {
		text += ", without garbage collection"
	}
	return text
}

func (s step) who() string {
	if s.replica == everyone {
		return "all replicas"
	}
	return fmt.Sprint("replica ", s.replica)
}

func list(ids []int) string {
	if len(ids) == 0 {
		return ""
	}
	return " " + strings.Trim(fmt.Sprint(ids), "[]")
}

func mustJSON(value any) string {
	encoded, err := json.Marshal(value)
	if err != nil {
		panic(err) // unreachable: scripts and trees hold only what marshals
	}
	return string(encoded)
}
