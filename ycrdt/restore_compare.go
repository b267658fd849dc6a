package ycrdt

import (
	"math"
	"reflect"
)

// comparison compares values of two states of a document.
type comparison struct{ now, then *inventory }

// equal tells whether two values, plain ones or nodes, hold the same. What this version cannot look into is equal only
// if it is the same in both states.
func (c comparison) equal(now, then any) bool {
	a, isNode := now.(*node)
	b, areNodes := then.(*node)
	if !isNode || !areNodes {
		return isNode == areNodes && c.equalPlain(now, then)
	}
	if a.handle.Kind() != b.handle.Kind() {
		return false
	}
	if c.same(a, b) && c.now.sameBelow(c.then, a.owner()) {
		return true
	}
	switch a.handle.Kind() {
	case KindText:
		return c.equalText(a.delta, b.delta)
	case KindMap:
		return c.equalMap(a.keys, b.keys)
	case KindArray:
		return c.equalArray(a.values, b.values)
	default:
		return false
	}
}

func (c comparison) equalPlain(now, then any) bool {
	switch a := now.(type) {
	case float64:
		b, ok := then.(float64)
		return ok && (math.Float64bits(a) == math.Float64bits(b) || math.IsNaN(a) && math.IsNaN(b))
	case []any:
		b, ok := then.([]any)
		return ok && c.equalArray(a, b)
	case map[string]any:
		b, ok := then.(map[string]any)
		return ok && c.equalMap(a, b)
	default:
		return reflect.DeepEqual(now, then)
	}
}

// same tells whether two values are one shared type, whatever it holds.
func (c comparison) same(now, then any) bool {
	a, isNode := now.(*node)
	b, areNodes := then.(*node)
	return isNode && areNodes && a.handle.Ref() == b.handle.Ref()
}

func (n *node) owner() owner {
	ref := n.handle.Ref()
	return owner{ref.name, ref.nested, opID{ref.client, uint64(ref.clock)}}
}

func (c comparison) equalText(a, b Delta) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !sameAttributes(a[i].Attributes, b[i].Attributes) || !c.equal(a[i].Insert, b[i].Insert) {
			return false
		}
	}
	return true
}

func (c comparison) equalMap(a, b map[string]any) bool {
	if len(a) != len(b) {
		return false
	}
	for key, value := range a {
		if other, ok := b[key]; !ok || !c.equal(value, other) {
			return false
		}
	}
	return true
}

func (c comparison) equalArray(a, b []any) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !c.equal(a[i], b[i]) {
			return false
		}
	}
	return true
}

func sameAttributes(a, b map[string]any) bool {
	return (comparison{}).equalMap(a, b)
}
