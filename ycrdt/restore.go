package ycrdt

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// Restore returns an update that makes the content of a document what it once was, by edits such as any client makes:
// the document keeps its history, whoever has it open follows, and what others write meanwhile is merged as always. Both
// states are updates that hold a whole document, as EncodeStateAsUpdate returns; old is that of the same document at an
// earlier time. The update is nil if there is nothing to do. Errors name the state that is at fault, if one is.
//
// Equal content is not touched. Of a text, what differs is replaced, from the first character or embed that does to the
// last, and formatting changed where only that differs; of maps single keys are set; of arrays the values that differ are
// replaced, and nested types that are still there are restored in their place. A nested type that is gone is made anew,
// with everything in it.
//
// Text, maps and arrays are restored. Where something else has changed, or a root of which it cannot be told whether it
// is a text or an array, it fails with ErrUnsupportedValue.
func Restore(current, old []byte) (update []byte, err error) {
	update, err = restore(current, old)
	return update, wrap(opRestore, err)
}

const opRestore = "restore"

func restore(current, old []byte) (update []byte, err error) {
	now, err := openState("current", current)
	if err != nil {
		return nil, err
	}
	defer now.close()
	then, err := openState("old", old)
	if err != nil {
		return nil, err
	}
	defer then.close()
	roots, err := rootsToRestore(now.inventory, then.inventory)
	if err != nil || len(roots) == 0 {
		return nil, err
	}
	goal, err := then.read(roots)
	if err != nil {
		return nil, err
	}
	now.doc.OnUpdate(func(event UpdateEvent) { update = event.Update })
	r := restorer{comparison{now.inventory, then.inventory}}
	err = now.doc.Transact(func(tx *Tx) error {
		found, err := readRoots(tx, roots)
		if err != nil {
			return err
		}
		for i := range roots {
			if err := r.restore(found[i], goal[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return update, now.check(roots, then, goal)
}

// state is a document at some time.
type state struct {
	doc       *Doc
	inventory *inventory
}

// openState opens one of the two states; which says in errors which one it is.
func openState(which string, encoded []byte) (*state, error) {
	s := &state{doc: NewDoc()}
	if err := s.load(encoded); err != nil {
		s.close()
		return nil, stateError(which, err)
	}
	return s, nil
}

// stateError is err as one of Restore's, which the caller knows by the names of its arguments only.
func stateError(which string, err error) error {
	var own *Error
	if errors.As(err, &own) {
		return &Error{Op: opRestore, Code: own.Code, Msg: "the " + which + " state: " + own.Msg}
	}
	return fmt.Errorf("the %s state: %w", which, err)
}

func (s *state) load(encoded []byte) error {
	pending := false
	sub := s.doc.OnUpdate(func(event UpdateEvent) { pending = event.Pending })
	err := s.doc.ApplyUpdateContext(context.Background(), TxOptions{NotifyEmpty: true}, encoded)
	sub.Close()
	if err != nil {
		return err
	}
	if pending {
		return &Error{Op: opRestore, Code: CodeInvalidArgument, Msg: "it is incomplete: it builds on updates that are not in it"}
	}
	return s.take()
}

// take takes the inventory of what the document holds.
func (s *state) take() error {
	encoded, err := s.doc.EncodeStateAsUpdate([]byte{0})
	if err != nil {
		return err
	}
	s.inventory, err = readInventory(encoded)
	return err
}

func (s *state) close() { _ = s.doc.Close() }

// read returns what roots hold.
func (s *state) read(roots []Ref) (found []*node, err error) {
	err = s.doc.View(func(tx *Tx) error {
		found, err = readRoots(tx, roots)
		return err
	})
	return found, err
}

// check makes sure that a restored document holds what it should.
func (s *state) check(roots []Ref, then *state, goal []*node) error {
	if err := s.take(); err != nil {
		return err
	}
	found, err := s.read(roots)
	if err != nil {
		return err
	}
	same := comparison{s.inventory, then.inventory}
	for i := range roots {
		if !same.equal(found[i], goal[i]) {
			return &Error{Op: opRestore, Code: CodeUnsupportedValue, Msg: fmt.Sprintf("%s holds something that cannot be written again as it was", roots[i])}
		}
	}
	return nil
}

// rootsToRestore returns the roots that differ.
func rootsToRestore(now, then *inventory) ([]Ref, error) {
	var roots []Ref
	names := append(now.roots(), then.roots()...)
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if now.sameBelow(then, owner{root: name}) {
			continue
		}
		kind, ok := (now.evidence(name) | then.evidence(name)).kind()
		if !ok {
			return nil, &Error{Op: opRestore, Code: CodeUnsupportedValue, Msg: fmt.Sprintf(
				"the root %q has changed, and is no text, map or array, or it cannot be told which: this version cannot restore it", name)}
		}
		roots = append(roots, rootRef(kind, name))
	}
	return roots, nil
}

// node is a shared type and what it holds: values, plain ones or nodes.
type node struct {
	handle Shared
	delta  Delta
	keys   map[string]any
	values []any
}

func readRoots(tx *Tx, roots []Ref) ([]*node, error) {
	nodes := make([]*node, len(roots))
	for i, root := range roots {
		handle, err := tx.Resolve(root)
		if err != nil {
			return nil, err
		}
		if nodes[i], err = readNode(handle); err != nil {
			return nil, err
		}
	}
	return nodes, tx.Err()
}

func readNode(handle Shared) (n *node, err error) {
	n = &node{handle: handle}
	switch handle := handle.(type) {
	case *Text:
		for _, op := range handle.ToDelta() {
			if op.Insert, err = readValue(op.Insert); err != nil {
				return nil, err
			}
			n.delta = appendOp(n.delta, op)
		}
	case *Map:
		n.keys = map[string]any{}
		for key, value := range handle.All() {
			if n.keys[key], err = readValue(value); err != nil {
				return nil, err
			}
		}
	case *Array:
		for _, value := range handle.All() {
			if value, err = readValue(value); err != nil {
				return nil, err
			}
			n.values = append(n.values, value)
		}
	}
	return n, nil
}

// appendOp adds an insertion to the last one if the two are characters of equal formatting: marks without effect may
// stand between them.
func appendOp(delta Delta, op DeltaOp) Delta {
	if last := len(delta) - 1; last >= 0 && sameAttributes(delta[last].Attributes, op.Attributes) {
		before, isText := delta[last].Insert.(string)
		if text, areTexts := op.Insert.(string); isText && areTexts {
			delta[last].Insert = before + text
			return delta
		}
	}
	return append(delta, op)
}

func readValue(value any) (any, error) {
	if handle, ok := value.(Shared); ok {
		return readNode(handle)
	}
	return value, nil
}

// build returns what to insert for a value that is to be made anew.
func build(value any) (any, error) {
	n, ok := value.(*node)
	if !ok {
		return value, nil
	}
	switch n.handle.Kind() {
	case KindText:
		text := make(NewRichText, len(n.delta))
		for i, op := range n.delta {
			embed, err := build(op.Insert)
			if err != nil {
				return nil, err
			}
			text[i] = DeltaOp{Insert: embed, Attributes: op.Attributes}
		}
		return text, nil
	case KindMap:
		keys := make(NewMap, len(n.keys))
		for key, value := range n.keys {
			var err error
			if keys[key], err = build(value); err != nil {
				return nil, err
			}
		}
		return keys, nil
	case KindArray:
		values, err := buildAll(n.values)
		return NewArray(values), err
	default:
		return nil, errOpaque(n)
	}
}

func buildAll(values []any) ([]any, error) {
	built := make([]any, len(values))
	for i, value := range values {
		var err error
		if built[i], err = build(value); err != nil {
			return nil, err
		}
	}
	return built, nil
}

func errOpaque(n *node) error {
	return &Error{Op: opRestore, Code: CodeUnsupportedValue, Msg: fmt.Sprintf("the %s has changed: this version cannot restore it", n.handle.Ref())}
}
