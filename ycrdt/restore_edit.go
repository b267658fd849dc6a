package ycrdt

import (
	"slices"
	"unicode/utf8"
)

// restorer makes the content of shared types what it was.
type restorer struct{ comparison }

// restore edits a shared type until it holds what another of its kind does.
func (r restorer) restore(now, then *node) error {
	if r.equal(now, then) {
		return nil
	}
	switch handle := now.handle.(type) {
	case *Text:
		return r.restoreText(handle, now.delta, then.delta)
	case *Map:
		return r.restoreMap(handle, now.keys, then.keys)
	case *Array:
		return r.restoreArray(handle, now.values, then.values)
	default:
		return errOpaque(now)
	}
}

func (r restorer) restoreMap(m *Map, now, then map[string]any) error {
	for _, key := range sortedKeys(now) {
		if _, stays := then[key]; !stays {
			if err := m.Delete(key); err != nil {
				return err
			}
		}
	}
	for _, key := range sortedKeys(then) {
		old := then[key]
		value, found := now[key]
		if found && r.equal(value, old) {
			continue
		}
		// A type of the same kind is made what it was where it is: whoever has it open keeps it.
		if a, b, ok := sameKind(value, old); ok {
			if err := r.restore(a, b); err != nil {
				return err
			}
			continue
		}
		built, err := build(old)
		if err != nil {
			return err
		}
		if err := m.Set(key, built); err != nil {
			return err
		}
	}
	return nil
}

func sameKind(now, then any) (a, b *node, ok bool) {
	a, isNode := now.(*node)
	b, areNodes := then.(*node)
	return a, b, isNode && areNodes && a.handle.Kind() == b.handle.Kind()
}

// replacement is a part of an array, and what comes in its place.
type replacement struct {
	at, length int
	values     []any
}

func (r restorer) restoreArray(a *Array, now, then []any) error {
	replacements, err := r.compareArrays(now, then)
	if err != nil {
		return err
	}
	for _, part := range slices.Backward(replacements) { // so that the places of the others stay what they are
		values, err := buildAll(part.values)
		if err != nil {
			return err
		}
		if err := a.Delete(part.at, part.length); err != nil {
			return err
		}
		if len(values) == 0 {
			continue
		}
		if err := a.Insert(part.at, values...); err != nil {
			return err
		}
	}
	return nil
}

// compareArrays restores the shared types that are in both arrays, and returns what is to be replaced between them. An
// array never changes the order of what it holds.
func (r restorer) compareArrays(now, then []any) (replacements []replacement, err error) {
	at := map[Ref]int{}
	for i, value := range now {
		if n, ok := value.(*node); ok {
			at[n.handle.Ref()] = i
		}
	}
	i, j := 0, 0 // behind the last type that is in both
	for k, value := range then {
		n, ok := value.(*node)
		if !ok {
			continue
		}
		found, stays := at[n.handle.Ref()]
		if !stays || found < i {
			continue
		}
		replacements = r.compareStretch(replacements, i, now[i:found], then[j:k])
		if err := r.restore(now[found].(*node), n); err != nil {
			return nil, err
		}
		i, j = found+1, k+1
	}
	return r.compareStretch(replacements, i, now[i:], then[j:]), nil
}

// compareStretch adds what differs between two stretches of values, of which the first begins at an index.
func (r restorer) compareStretch(replacements []replacement, at int, now, then []any) []replacement {
	for len(now) > 0 && len(then) > 0 && r.equal(now[0], then[0]) {
		now, then, at = now[1:], then[1:], at+1
	}
	for len(now) > 0 && len(then) > 0 && r.equal(now[len(now)-1], then[len(then)-1]) {
		now, then = now[:len(now)-1], then[:len(then)-1]
	}
	if len(now) == 0 && len(then) == 0 {
		return replacements
	}
	return append(replacements, replacement{at, len(now), then})
}

// maxTextRounds is more than a text has ever needed.
const maxTextRounds = 5

// restoreText looks again at what it has done: a deletion may take formatting with it that reached beyond.
func (r restorer) restoreText(t *Text, now, then Delta) error {
	for range maxTextRounds {
		changes, err := r.compareTexts(now, then)
		if err != nil {
			return err
		}
		if err := t.ApplyDelta(changes); err != nil {
			return err
		}
		found, err := readNode(t)
		if err != nil {
			return err
		}
		if now = found.delta; r.equalText(now, then) {
			break
		}
	}
	return nil // whether it is what it was is checked in the end
}

// compareTexts returns what makes a text what it was.
func (r restorer) compareTexts(now, then Delta) (Delta, error) {
	now, then = slices.Clone(now), slices.Clone(then) // they are used up
	delta, err := r.keepFront(&now, &then)
	if err != nil {
		return nil, err
	}
	back, err := r.keepBack(&now, &then)
	if err != nil {
		return nil, err
	}
	for _, op := range then {
		embed, err := build(op.Insert)
		if err != nil {
			return nil, err
		}
		delta = append(delta, DeltaOp{Insert: embed, Attributes: op.Attributes})
	}
	for _, op := range now {
		delta = append(delta, DeltaOp{Delete: opLength(op)})
	}
	slices.Reverse(back)
	return append(delta, back...), nil
}

// keepFront takes from the fronts of two texts what they have in common, and returns what to do to it: to leave it, or
// to change its formatting.
func (r restorer) keepFront(now, then *Delta) (kept Delta, err error) {
	for len(*now) > 0 && len(*then) > 0 {
		a, b := &(*now)[0], &(*then)[0]
		op, err := r.keep(a, b, cutFront)
		if err != nil || op.Retain == 0 {
			return kept, err
		}
		kept = append(kept, op)
		if a.Insert == "" {
			*now = (*now)[1:]
		}
		if b.Insert == "" {
			*then = (*then)[1:]
		}
	}
	return kept, nil
}

// keepBack is keepFront from the other end.
func (r restorer) keepBack(now, then *Delta) (kept Delta, err error) {
	for len(*now) > 0 && len(*then) > 0 {
		lastNow, lastThen := len(*now)-1, len(*then)-1
		a, b := &(*now)[lastNow], &(*then)[lastThen]
		op, err := r.keep(a, b, cutBack)
		if err != nil || op.Retain == 0 {
			return kept, err
		}
		kept = append(kept, op)
		if a.Insert == "" {
			*now = (*now)[:lastNow]
		}
		if b.Insert == "" {
			*then = (*then)[:lastThen]
		}
	}
	return kept, nil
}

// keep takes from two stretches what they have in common at one end, where cut cuts it off, and returns what to do to
// it. It retains nothing if there is nothing.
func (r restorer) keep(now, then *DeltaOp, cut func(a, b string) (common, restA, restB string)) (op DeltaOp, err error) {
	op.Attributes = attributeChanges(now.Attributes, then.Attributes)
	text, isText := now.Insert.(string)
	other, areTexts := then.Insert.(string)
	switch {
	case isText && areTexts:
		var common string
		common, text, other = cut(text, other)
		op.Retain, now.Insert, then.Insert = UTF16Len(common), text, other
		return op, nil
	case isText != areTexts:
		return op, nil
	case r.same(now.Insert, then.Insert):
		err = r.restore(now.Insert.(*node), then.Insert.(*node))
	case !r.equal(now.Insert, then.Insert):
		return op, nil
	}
	op.Retain, now.Insert, then.Insert = 1, "", ""
	return op, err
}

// cutFront cuts off the characters that two texts begin with.
func cutFront(a, b string) (common, restA, restB string) {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	for n > 0 && (n < len(a) && !utf8.RuneStart(a[n]) || n < len(b) && !utf8.RuneStart(b[n])) {
		n--
	}
	return a[:n], a[n:], b[n:]
}

// cutBack cuts off the characters that two texts end with.
func cutBack(a, b string) (common, restA, restB string) {
	n := 0
	for n < min(len(a), len(b)) && a[len(a)-n-1] == b[len(b)-n-1] {
		n++
	}
	for n > 0 && !utf8.RuneStart(a[len(a)-n]) {
		n--
	}
	return a[len(a)-n:], a[:len(a)-n], b[:len(b)-n]
}

// attributeChanges returns what makes attributes others.
func attributeChanges(now, then map[string]any) map[string]any {
	if sameAttributes(now, then) {
		return nil
	}
	changes := map[string]any{}
	for key := range now {
		if _, stays := then[key]; !stays {
			changes[key] = nil
		}
	}
	for key, value := range then {
		if old, found := now[key]; !found || !(comparison{}).equal(old, value) {
			changes[key] = value
		}
	}
	return changes
}

func opLength(op DeltaOp) int {
	if text, ok := op.Insert.(string); ok {
		return UTF16Len(text)
	}
	return 1
}
