package ycrdt_test

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt"
)

// poisonedDoc returns a document that yrs has failed in, and how the failing call ended.
func poisonedDoc(t *testing.T, fail func(*ycrdt.Doc) error) (*ycrdt.Doc, error) {
	t.Helper()
	doc := newDoc(t)
	write(t, doc, func(tx *ycrdt.Tx) { require.NoError(t, tx.Map("m").Set("nested", ycrdt.NewText("x"))) })
	require.NoError(t, doc.ApplyUpdate(one(char)))
	return doc, fail(doc)
}

// After yrs has failed in a document, everything but Close says so, and nothing else suffers.
func TestDoc_Poisoned(t *testing.T) {
	for name, fail := range map[string]func(*ycrdt.Doc) error{
		"alone": ycrdt.Poison,
		"in a transaction": func(doc *ycrdt.Doc) error {
			return doc.Transact(func(*ycrdt.Tx) error { return ycrdt.Poison(doc) })
		},
		"in a transaction that hides it": func(doc *ycrdt.Doc) error {
			return doc.Transact(func(*ycrdt.Tx) error { _ = ycrdt.Poison(doc); return nil })
		},
	} {
		t.Run(name, func(t *testing.T) {
			other := newDoc(t)
			doc, err := poisonedDoc(t, fail)
			if name == "in a transaction that hides it" {
				assert.ErrorIs(t, err, ycrdt.ErrDocPoisoned)
			} else {
				assert.ErrorIs(t, err, ycrdt.ErrInternal)
				assert.ErrorContains(t, err, "a panic on purpose", "the reason is told")
			}
			heard := 0
			defer doc.OnUpdate(func(ycrdt.UpdateEvent) { heard++ }).Close()
			_, encodeErr := doc.EncodeStateAsUpdate(nil)
			_, stateVectorErr := doc.EncodeStateVector()
			_, observeErr := doc.Observe(ycrdt.RootMap("m"), func(ycrdt.Event) { heard++ })
			for name, err := range map[string]error{
				"transact":       doc.Transact(func(*ycrdt.Tx) error { t.Error("ran"); return nil }),
				"view":           doc.View(func(*ycrdt.Tx) error { t.Error("ran"); return nil }),
				"apply":          doc.ApplyUpdate([]byte{0, 0}),
				"apply garbage":  doc.ApplyUpdate([]byte{9}),
				"encode":         encodeErr,
				"state vector":   stateVectorErr,
				"observe":        observeErr,
				"notify nothing": doc.ApplyUpdateContext(t.Context(), ycrdt.TxOptions{NotifyEmpty: true}, []byte{0, 0}),
			} {
				assert.ErrorIs(t, err, ycrdt.ErrDocPoisoned, name)
			}
			assert.Zero(t, heard)
			assert.NotZero(t, doc.MemoryUsage())

			set(t, other, "k", 1)
			assert.NotEmpty(t, encode(t, other))
			require.NoError(t, doc.Close())
			require.NoError(t, doc.Close())
			assert.ErrorIs(t, doc.View(nil), ycrdt.ErrClosed)
			assert.Zero(t, doc.MemoryUsage())
		})
	}
}

// Within the transaction that failed, too, nothing touches the half-changed document any more.
func TestTx_Poisoned(t *testing.T) {
	_, err := poisonedDoc(t, func(doc *ycrdt.Doc) error {
		return doc.Transact(func(tx *ycrdt.Tx) error {
			text, m, a := tx.Text("t"), tx.Map("m"), tx.Array("a")
			nested, ok := m.Text("nested")
			require.True(t, ok)
			require.ErrorIs(t, ycrdt.Poison(doc), ycrdt.ErrInternal)
			_, marshal := text.MarshalJSON()
			_, asMap := m.AsMap()
			_, asSlice := a.AsSlice()
			_, resolve := tx.Resolve(nested.Ref())
			_, encode := tx.EncodeStateAsUpdate(nil)
			_, stateVector := tx.EncodeStateVector()
			_, observe := tx.Observe(ycrdt.RootMap("m"), func(ycrdt.Event) {})
			for name, err := range map[string]error{
				"insert": text.Insert(0, "x"), "nested insert": nested.Insert(0, "x"), "delete": text.Delete(0, 1),
				"format": text.Format(0, 1, bold), "delta": text.ApplyDelta(ycrdt.Delta{{Insert: "x"}}), "marshal": marshal,
				"set": m.Set("k", 1), "map delete": m.Delete("k"), "clear": m.Clear(), "as map": asMap,
				"array insert": a.Insert(0, 1), "append": a.Append(1), "array delete": a.Delete(0, 0), "as slice": asSlice,
				"resolve": resolve, "encode": encode, "state vector": stateVector, "observe": observe,
				"apply": tx.ApplyUpdate([]byte{0, 0}), "root": tx.Text("new").Insert(0, "x"),
			} {
				assert.ErrorIs(t, err, ycrdt.ErrDocPoisoned, name)
			}
			assert.Equal(t, "", text.String())
			assert.Equal(t, 0, m.Len())
			return nil
		})
	})
	assert.ErrorIs(t, err, ycrdt.ErrDocPoisoned)
}

// A poisoned document that is forgotten is collected without harm.
func TestDoc_Poisoned_Forgotten(t *testing.T) {
	for range 10 {
		doc := ycrdt.NewDoc()
		require.NoError(t, doc.ApplyUpdate(one(char)))
		require.ErrorIs(t, ycrdt.Poison(doc), ycrdt.ErrInternal)
	}
	runtime.GC()
	runtime.GC()
}
