package door

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
)

// Workload is a script that peers run: parts that are timed one by one. Documents have numbers and are made when they
// are first named, with the number and one as client id. Updates go into one log.
type Workload struct {
	Name   string   `json:"name"`
	Needs  []string `json:"needs"`            // features
	Listen []int    `json:"listen,omitempty"` // documents whose own updates go into the log
	Log    []Update `json:"log,omitempty"`    // what the log holds at the start
	Parts  []Part   `json:"parts"`
	Result Place    `json:"result"` // what is hashed in the end
}

// Part is a sequence of steps with a time of its own.
type Part struct {
	Name  string `json:"name"`
	Steps []Step `json:"steps"`
}

// Place is the root type of a document: "text", "array" or "map", which are their names too.
type Place struct {
	Doc int    `json:"doc"`
	On  string `json:"on"`
}

// What a step does.
const (
	Edit     = "edit"  // writes into Doc
	Apply    = "apply" // applies updates of the log to Doc; what listeners hear of it is not logged
	Encode   = "encode"
	MergeLog = "merge" // merges updates of the log
	Read     = "read"  // reads On of Doc as a whole
	GateLog  = "gate"  // passes updates of the log through the gate alone
	CheckLog = "check" // checks what applying each of them encodes
)

// Step is one thing to do. Encoding and merging put their update at the end of the log.
type Step struct {
	Do    string    `json:"do"`
	Doc   int       `json:"doc"`
	On    string    `json:"on,omitempty"`
	Text  []TextOp  `json:"text,omitempty"`
	Array []ArrayOp `json:"array,omitempty"`
	Map   []MapOp   `json:"map,omitempty"`
	// Together makes one transaction of all edits or updates, instead of one for each.
	Together bool `json:"together,omitempty"`
	// From and To bound the updates of the log; negative ones count from its end, and To 0 is its end.
	From  int `json:"from,omitempty"`
	To    int `json:"to,omitempty"`
	Times int `json:"times,omitempty"` // how often to read
}

// TextOp replaces characters at an offset. It is an array in JSON: the offset, how many are deleted, what is inserted.
type TextOp struct {
	At, Deleted int
	Inserted    string
}

// ArrayOp inserts values at an index: an array of both in JSON.
type ArrayOp struct {
	At     int
	Values []any
}

// MapOp sets an entry: an array of key and value in JSON.
type MapOp struct {
	Key   string
	Value any
}

// Update is in hexadecimal digits in JSON.
type Update []byte

// Range returns the bounds of a step in a log of that length.
func (s *Step) Range(length int) (from, to int, err error) {
	from, to = s.From, s.To
	if from < 0 {
		from += length
	}
	if to <= 0 {
		to += length
	}
	if from < 0 || from > to || to > length {
		return 0, 0, fmt.Errorf("updates %d to %d of a log of %d", s.From, s.To, length)
	}
	return from, to, nil
}

// SetNeeds derives what a workload needs from its steps.
func (w *Workload) SetNeeds() {
	needs := map[string]bool{}
	if len(w.Log) > 0 {
		needs[Updates] = true
	}
	for _, part := range w.Parts {
		for _, step := range part.Steps {
			step.addNeeds(needs)
		}
	}
	w.Needs = []string{}
	for _, feature := range []string{Text, Array, Map, UTF16, Updates, Merge, Gate} {
		if needs[feature] {
			w.Needs = append(w.Needs, feature)
		}
	}
}

func (s *Step) addNeeds(needs map[string]bool) {
	switch {
	case s.Do == MergeLog:
		needs[Merge] = true
	case s.Do == GateLog || s.Do == CheckLog:
		needs[Gate] = true
	case s.Do == Read:
		needs[s.On] = true
	case len(s.Array) > 0:
		needs[Array] = true
	case len(s.Map) > 0:
		needs[Map] = true
	case len(s.Text) > 0:
		needs[Text] = true
		if slices.ContainsFunc(s.Text, func(op TextOp) bool { return !ascii(op.Inserted) }) {
			needs[UTF16] = true
		}
	}
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

func (op TextOp) MarshalJSON() ([]byte, error) {
	return json.Marshal([]any{op.At, op.Deleted, op.Inserted})
}

func (op *TextOp) UnmarshalJSON(data []byte) error {
	return json.Unmarshal(data, &[]any{&op.At, &op.Deleted, &op.Inserted})
}

func (op ArrayOp) MarshalJSON() ([]byte, error) { return json.Marshal([]any{op.At, op.Values}) }

func (op *ArrayOp) UnmarshalJSON(data []byte) error {
	return json.Unmarshal(data, &[]any{&op.At, &op.Values})
}

func (op MapOp) MarshalJSON() ([]byte, error) { return json.Marshal([]any{op.Key, op.Value}) }

func (op *MapOp) UnmarshalJSON(data []byte) error {
	return json.Unmarshal(data, &[]any{&op.Key, &op.Value})
}

func (u Update) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(u)), nil }

func (u *Update) UnmarshalText(text []byte) (err error) {
	*u, err = hex.DecodeString(string(text))
	return err
}
