package ycrdt

import (
	"strconv"
	"strings"

	"github.com/yrs-go/yrs/ycrdt/protocol"
)

// Event tells how a shared type changed in one commit. It holds plain values only and stays valid for ever;
// shared types appear in it as [Ref].
type Event interface {
	// Target is the shared type that changed.
	Target() Ref
	// Path leads from the observed type to the target; it is empty for the observed type itself.
	Path() Path
	// Origin is TxOptions.Origin of the transaction.
	Origin() any
	// Local is set for changes made through a transaction, by Tx.ApplyUpdate too, and not for those of Doc.ApplyUpdate.
	Local() bool
}

// Path is a way down through nested types: a string is a key of a map, an int an index of an array or text.
type Path []any

// String writes the path as keys and indices joined by slashes.
func (p Path) String() string {
	var b strings.Builder
	for i, segment := range p {
		if i > 0 {
			b.WriteByte('/')
		}
		switch segment := segment.(type) {
		case string:
			b.WriteString(segment)
		case int:
			b.WriteString(strconv.Itoa(segment))
		}
	}
	return b.String()
}

type eventHeader struct {
	target Ref
	path   Path
	origin any
	local  bool
}

// Target is the shared type that changed.
func (e *eventHeader) Target() Ref { return e.target }

// Path leads from the observed type to the target; it is empty for the observed type itself.
func (e *eventHeader) Path() Path { return e.path }

// Origin is TxOptions.Origin of the transaction.
func (e *eventHeader) Origin() any { return e.origin }

// Local is set for changes made through a transaction; see [Event].
func (e *eventHeader) Local() bool { return e.local }

// TextEvent is the change of a text.
type TextEvent struct {
	eventHeader
	// Delta leads from the text before to the text after.
	Delta Delta
}

// ArrayEvent is the change of an array.
type ArrayEvent struct {
	eventHeader
	// Changes lead from the array before to the array after.
	Changes []ArrayChange
}

// ArrayChange is a step along an array: one of the fields is set.
type ArrayChange struct {
	// Insert are values that are new here.
	Insert []any
	// Delete is the number of values that are gone from here.
	Delete int
	// Retain is the number of values that stay.
	Retain int
}

// MapEvent is the change of a map.
type MapEvent struct {
	eventHeader
	// Keys are the keys that changed.
	Keys map[string]KeyChange
}

// KeyAction says what happened to a key of a map.
type KeyAction uint8

// What can happen to a key.
const (
	KeyAdded KeyAction = iota + 1
	KeyUpdated
	KeyRemoved
)

// String returns "added", "updated" or "removed".
func (a KeyAction) String() string {
	switch a {
	case KeyAdded:
		return "added"
	case KeyUpdated:
		return "updated"
	case KeyRemoved:
		return "removed"
	default:
		return "unknown"
	}
}

// KeyChange is what happened to one key of a map.
type KeyChange struct {
	Action KeyAction
	// Old is the value before, unless the key was added.
	Old any
	// New is the value after, unless the key was removed.
	New any
}

// OpaqueEvent is the change of a shared type that this version cannot look into.
type OpaqueEvent struct{ eventHeader }

// eventReader decodes what yffi/src/event.rs writes.
type eventReader struct {
	dec    *protocol.Decoder
	origin any
	local  bool
}

// record reads the events of one observer.
func (r *eventReader) record() (observer uint64, events []Event, err error) {
	if observer, err = r.dec.ReadVarUint(); err != nil {
		return 0, nil, err
	}
	count, err := r.dec.ReadVarUint()
	if err != nil {
		return 0, nil, err
	}
	for range count {
		event, err := r.event()
		if err != nil {
			return 0, nil, err
		}
		events = append(events, event)
	}
	return observer, events, nil
}

func (r *eventReader) event() (Event, error) {
	target, err := decodeRef(r.dec)
	if err != nil {
		return nil, err
	}
	path, err := r.path()
	if err != nil {
		return nil, err
	}
	header := eventHeader{target: target, path: path, origin: r.origin, local: r.local}
	switch target.kind {
	case KindText:
		event := &TextEvent{eventHeader: header}
		event.Delta, err = r.delta()
		return event, err
	case KindArray:
		event := &ArrayEvent{eventHeader: header}
		event.Changes, err = r.changes()
		return event, err
	case KindMap:
		event := &MapEvent{eventHeader: header}
		event.Keys, err = r.keys()
		return event, err
	default:
		return &OpaqueEvent{header}, nil
	}
}

func (r *eventReader) path() (Path, error) {
	count, err := r.dec.ReadVarUint()
	if err != nil || count == 0 {
		return nil, err
	}
	var path Path
	for range count {
		tag, err := r.dec.ReadUint8()
		if err != nil {
			return nil, err
		}
		var segment any
		if tag == 0 {
			segment, err = r.dec.ReadVarString()
		} else {
			segment, err = readInt(r.dec)
		}
		if err != nil {
			return nil, err
		}
		path = append(path, segment)
	}
	return path, nil
}

func (r *eventReader) delta() (Delta, error) {
	count, err := r.dec.ReadVarUint()
	if err != nil {
		return nil, err
	}
	values := valueReader{dec: r.dec}
	delta := make(Delta, 0, min(count, 64))
	for range count {
		op, err := values.op()
		if err != nil {
			return nil, err
		}
		delta = append(delta, op)
	}
	return delta, nil
}

func (r *eventReader) changes() ([]ArrayChange, error) {
	count, err := r.dec.ReadVarUint()
	if err != nil {
		return nil, err
	}
	changes := make([]ArrayChange, 0, min(count, 64))
	for range count {
		change, err := r.change()
		if err != nil {
			return nil, err
		}
		changes = append(changes, change)
	}
	return changes, nil
}

func (r *eventReader) change() (change ArrayChange, err error) {
	tag, err := r.dec.ReadUint8()
	if err != nil {
		return change, err
	}
	n, err := readInt(r.dec)
	if err != nil {
		return change, err
	}
	switch tag {
	case opDelete:
		change.Delete = n
	case opRetain:
		change.Retain = n
	default:
		values := valueReader{dec: r.dec}
		for range n {
			value, err := values.value()
			if err != nil {
				return change, err
			}
			change.Insert = append(change.Insert, value)
		}
	}
	return change, nil
}

func (r *eventReader) keys() (map[string]KeyChange, error) {
	count, err := r.dec.ReadVarUint()
	if err != nil {
		return nil, err
	}
	keys := make(map[string]KeyChange, min(count, 64))
	for range count {
		key, err := r.dec.ReadVarString()
		if err != nil {
			return nil, err
		}
		if keys[key], err = r.keyChange(); err != nil {
			return nil, err
		}
	}
	return keys, nil
}

func (r *eventReader) keyChange() (change KeyChange, err error) {
	tag, err := r.dec.ReadUint8()
	if err != nil {
		return change, err
	}
	change.Action = KeyAction(tag)
	values := valueReader{dec: r.dec}
	if change.Action != KeyAdded {
		if change.Old, err = values.value(); err != nil {
			return change, err
		}
	}
	if change.Action != KeyRemoved {
		change.New, err = values.value()
	}
	return change, err
}
