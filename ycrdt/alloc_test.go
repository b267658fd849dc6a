package ycrdt_test

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt"
)

// crossings counts the calls into native code that fn makes.
func crossings(fn func()) int64 {
	before := runtime.NumCgoCall()
	fn()
	return runtime.NumCgoCall() - before
}

// An edit of text is one call into native code and no allocation on the Go side.
func TestText_Insert_CostsOneCallAndNoAllocation(t *testing.T) {
	doc := newDoc(t)
	const runs = 100
	write(t, doc, func(tx *ycrdt.Tx) {
		text := tx.Text("t")
		insert := func() {
			if err := text.Insert(0, "x"); err != nil {
				t.Error(err)
			}
		}
		assert.Zero(t, testing.AllocsPerRun(runs, insert))
		assert.Equal(t, int64(1), crossings(insert))
		erase := func() {
			if err := text.Delete(0, 1); err != nil {
				t.Error(err)
			}
		}
		assert.Zero(t, testing.AllocsPerRun(runs/2, erase))
		assert.Equal(t, int64(1), crossings(erase))
		assert.Zero(t, testing.AllocsPerRun(runs, func() { text.Len() }))
	})
}

// A whole value, delta or subtree is one call, however much there is of it.
func TestCalls_DoNotDependOnTheSize(t *testing.T) {
	doc := newDoc(t)
	values := make([]any, 1000)
	for i := range values {
		values[i] = ycrdt.NewMap{"k": ycrdt.NewArray{i}}
	}
	delta := ycrdt.Delta{}
	for range 500 {
		delta = append(delta, ycrdt.DeltaOp{Insert: "a", Attributes: bold}, ycrdt.DeltaOp{Insert: "b"})
	}
	write(t, doc, func(tx *ycrdt.Tx) {
		a, m, text := tx.Array("a"), tx.Map("m"), tx.Text("t")
		for name, call := range map[string]struct {
			fn   func() error
			most int64
		}{
			"array insert": {func() error { return a.Insert(0, values...) }, 1},
			"map set":      {func() error { return m.Set("k", ycrdt.NewArray(values)) }, 1},
			"apply delta":  {func() error { return text.ApplyDelta(delta) }, 1},
			"nothing":      {func() error { return nil }, 0},
		} {
			assert.LessOrEqual(t, crossings(func() { require.NoError(t, call.fn()) }), call.most, name)
		}
		for name, read := range map[string]func() error{
			"as slice": func() error { _, err := a.AsSlice(); return err },
			"as map":   func() error { _, err := m.AsMap(); return err },
			"to delta": func() error { text.ToDelta(); return nil },
			"string":   func() error { _ = text.String(); return nil },
		} {
			// The second is for the memory that the first hands out.
			assert.LessOrEqual(t, crossings(func() { require.NoError(t, read()) }), int64(2), name)
		}
	})
	updates := 0
	defer doc.OnUpdate(func(ycrdt.UpdateEvent) { updates++ }).Close()
	state := encode(t, doc)
	peer := newDoc(t)
	assert.LessOrEqual(t, crossings(func() { require.NoError(t, peer.ApplyUpdate(state)) }), int64(3))
}
