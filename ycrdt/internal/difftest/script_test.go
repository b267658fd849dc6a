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
	star     bool // replicas hear only the first one, and it hears all; otherwise all hear all
	rounds   []round
}

// round is a set of steps that know nothing of each other, except for the order of those of one replica.
type round []step

type replicaSpec struct {
	yjs         bool
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
	replica int
	do      action
	ops     []looseOp // of doEdit
	uses    []int     // messages
}

// hears tells whether messages of one replica reach another.
func (s *script) hears(to, from int) bool {
	return to != from && (!s.star || to == 0 || from == 0)
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
	if s.star {
		b.WriteString("the others hear replica 0 only\n")
	}
	for i, round := range s.rounds {
		for _, step := range round {
			fmt.Fprintf(&b, "round %d, replica %d: %d = %s%s\n", i, step.replica, step.id, step.do, list(step.uses))
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
	name := "ycrdt"
	if r.yjs {
		name = "yjs"
	}
	if r.keepDeleted {
		return fmt.Sprintf("%s, client %d, without gc", name, r.clientID)
	}
	return fmt.Sprintf("%s, client %d", name, r.clientID)
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

// looseOp is an edit that fits every document; internal/peers/node/loose.mjs says what its numbers mean.
type looseOp struct {
	op         string
	on         uint32
	index      uint32
	length     uint32
	key        string
	text       string
	values     []any // one for all but the insertion into an array
	attributes map[string]any
}

const (
	opInsertText  = "insertText"
	opInsertEmbed = "insertEmbed"
	opFormat      = "format"
	opDeleteText  = "deleteText"
	opSet         = "set"
	opRemove      = "remove"
	opInsert      = "insert"
	opDelete      = "delete"
)

// MarshalJSON writes the operation as loose.mjs reads it.
func (o looseOp) MarshalJSON() ([]byte, error) {
	m := map[string]any{"op": o.op, "on": o.on}
	switch o.op {
	case opInsertText:
		m["index"], m["text"] = o.index, o.text
	case opInsertEmbed:
		m["index"], m["embed"] = o.index, plain(o.values[0])
	case opFormat, opDeleteText, opDelete:
		m["index"], m["length"] = o.index, o.length
	case opSet:
		m["key"], m["value"] = o.key, plain(o.values[0])
	case opRemove:
		m["key"] = o.key
	case opInsert:
		m["index"], m["values"] = o.index, plain(o.values)
	}
	if o.attributes != nil {
		m["attributes"] = plain(o.attributes)
	}
	return json.Marshal(m)
}
