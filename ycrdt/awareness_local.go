package ycrdt

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/yrs-go/yrs/ycrdt/protocol"
)

// SetLocalState sets this client's state to the JSON of v; nil, or what marshals
// to null, clears it, which tells the others that this client is gone. What JSON
// cannot carry (NaN, a channel, a cycle, a string that is not UTF-8) is refused
// with ErrUnsupportedValue, and what is longer than MaxStateBytes or nested deeper
// than [protocol.MaxStateDepth] with ErrTooLarge; nothing changes then. Numbers are
// float64 once they are read, here and in JavaScript.
//
// Every call counts as a change and is to be sent, even if the state is equal to
// the one before.
//
// If an observer panics, the state has changed all the same, and the error is an
// [*ObserverPanicError].
func (a *Awareness) SetLocalState(v any) error {
	const op = "awareness set local state"
	state, err := encodeState(v)
	if err != nil {
		return unsupportedState(op, err)
	}
	if err := a.checkLocalState(op, state); err != nil {
		return err
	}
	a.lock()
	change := a.newChange(OriginLocal)
	if state != nil || a.hasLocal {
		a.hasLocal = true
		a.writeLocal(&change, state)
	}
	return a.finish(change)
}

// SetLocalStateField sets one field of this client's state, an object. Dots in
// path lead into objects, which are created where they are missing:
// "user.name" sets the field name of the object user. A path through something
// that is not an object, or with an empty key, is refused with
// ErrInvalidArgument. For keys with a dot in them there is
// [Awareness.SetLocalStateKey].
//
// A client without a state stays without one, as in y-protocols: nothing happens.
// Otherwise it is like [Awareness.SetLocalState].
func (a *Awareness) SetLocalStateField(path string, v any) error {
	keys := strings.Split(path, ".")
	if slices.Contains(keys, "") {
		return &Error{
			Op: opSetField, Code: CodeInvalidArgument,
			Msg: fmt.Sprintf("path %q has an empty key; SetLocalStateKey takes keys as they are", path),
		}
	}
	return a.setLocalField(keys, v)
}

// SetLocalStateKey is [Awareness.SetLocalStateField] for one key, taken as it is,
// dots included.
func (a *Awareness) SetLocalStateKey(key string, v any) error {
	return a.setLocalField([]string{key}, v)
}

const opSetField = "awareness set local state field"

func (a *Awareness) setLocalField(path []string, v any) error {
	value, err := encodeState(v)
	if err != nil {
		return unsupportedState(opSetField, err)
	}
	if !utf8.ValidString(strings.Join(path, "")) {
		return unsupportedState(opSetField, errNotUTF8)
	}
	if value == nil {
		value = json.RawMessage("null")
	}
	a.lock()
	change := a.newChange(OriginLocal)
	if current := a.clients[a.clientID].state; a.hasLocal && current != nil {
		state, err := a.withField(current, path, value)
		if err != nil {
			a.mu.Unlock()
			return err
		}
		a.writeLocal(&change, state)
	}
	return a.finish(change)
}

// withField returns state with one field set, if that makes an admissible state.
func (a *Awareness) withField(state json.RawMessage, path []string, value json.RawMessage) (json.RawMessage, error) {
	state, ok := setField(state, path, value)
	if !ok {
		return nil, &Error{
			Op: opSetField, Code: CodeInvalidArgument,
			Msg: fmt.Sprintf("path %q leads through a value that is not an object", strings.Join(path, ".")),
		}
	}
	return state, a.checkLocalState(opSetField, state)
}

// writeLocal gives this client a new state; nil clears it.
func (a *Awareness) writeLocal(change *awarenessChange, state json.RawMessage) {
	previous := a.clients[a.clientID]
	a.put(a.clientID, awarenessClient{clock: previous.clock + 1, updated: change.now, state: state})
	switch {
	case state == nil:
		change.note(AwarenessRemoved, a.clientID, previous.state != nil)
	case previous.state == nil:
		change.note(AwarenessAdded, a.clientID, true)
	default:
		change.note(AwarenessUpdated, a.clientID, !equalStates(previous.state, state))
	}
}

func unsupportedState(op string, err error) error {
	return &Error{Op: op, Code: CodeUnsupportedValue, Msg: "the value has no exact form in JSON: " + err.Error()}
}

// checkLocalState refuses what others would refuse.
func (a *Awareness) checkLocalState(op string, state json.RawMessage) error {
	if protocol.StateDepth(state) > protocol.MaxStateDepth {
		return &Error{
			Op: op, Code: CodeTooLarge,
			Msg: fmt.Sprintf("the state is nested deeper than %d levels", protocol.MaxStateDepth),
		}
	}
	return a.checkStateSize(op, len(state))
}

func (a *Awareness) checkStateSize(op string, size int) error {
	if size > a.opts.MaxStateBytes {
		return &Error{
			Op: op, Code: CodeTooLarge,
			Msg: fmt.Sprintf("a state of %d bytes exceeds MaxStateBytes, %d", size, a.opts.MaxStateBytes),
		}
	}
	return nil
}
