package ycrdt_test

import (
	"errors"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt"
)

var errMine = errors.New("mine")

// There is no rollback: an error, a panic or Goexit keeps what was written, and the document goes on.
func TestDoc_Transact_KeepsWhatWasWritten(t *testing.T) {
	for name, end := range map[string]func() error{
		"nil":    func() error { return nil },
		"error":  func() error { return errMine },
		"panic":  func() error { panic(errMine) },
		"goexit": func() error { runtime.Goexit(); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			doc := newDoc(t)
			var updates [][]byte
			defer doc.OnUpdate(func(u ycrdt.UpdateEvent) { updates = append(updates, u.Update) }).Close()
			var err error
			var panicked any
			inGoroutine(func() {
				defer func() { panicked = recover() }()
				err = doc.Transact(func(tx *ycrdt.Tx) error {
					if err := tx.Text("t").Insert(0, "kept"); err != nil {
						return err
					}
					return end()
				})
			})
			switch name {
			case "error":
				assert.Equal(t, errMine, err)
			case "panic":
				assert.Equal(t, errMine, panicked)
			default:
				assert.NoError(t, err)
				assert.Nil(t, panicked)
			}
			assert.Equal(t, "kept", textOf(t, doc, "t"))
			require.Len(t, updates, 1, "it was committed")
			assert.Equal(t, "kept", textOf(t, loaded(t, updates...), "t"))
			write(t, doc, func(tx *ycrdt.Tx) { require.NoError(t, tx.Text("t").Insert(4, " on")) })
		})
	}
}

func TestDoc_View_EndsHoweverItsClosureEnds(t *testing.T) {
	doc := newDoc(t)
	assert.Equal(t, errMine, doc.View(func(*ycrdt.Tx) error { return errMine }))
	assert.PanicsWithValue(t, errMine, func() { _ = doc.View(func(*ycrdt.Tx) error { panic(errMine) }) })
	inGoroutine(func() { _ = doc.View(func(*ycrdt.Tx) error { runtime.Goexit(); return nil }) })
	write(t, doc, func(*ycrdt.Tx) {}) // would wait for ever for a reader
}

func TestDoc_View_RefusesWrites(t *testing.T) {
	doc := newDoc(t)
	write(t, doc, func(tx *ycrdt.Tx) {
		require.NoError(t, tx.Text("t").Insert(0, "abc"))
		require.NoError(t, tx.Map("m").Set("k", 1))
		require.NoError(t, tx.Array("a").Insert(0, 1))
	})
	before := encode(t, doc)
	for _, suffix := range []string{"", "-absent"} {
		view(t, doc, func(tx *ycrdt.Tx) {
			text, m, a := tx.Text("t"+suffix), tx.Map("m"+suffix), tx.Array("a"+suffix)
			for name, err := range map[string]error{
				"text insert":       text.Insert(0, "x"),
				"text insert empty": text.Insert(0, ""),
				"text insert attrs": text.InsertWithAttributes(0, "x", map[string]any{"b": true}),
				"text embed":        text.InsertEmbed(0, 1, nil),
				"text delete":       text.Delete(0, 1),
				"text format":       text.Format(0, 1, map[string]any{"b": true}),
				"text delta":        text.ApplyDelta(ycrdt.Delta{{Insert: "x"}}),
				"map set":           m.Set("k", 2),
				"map delete":        m.Delete("k"),
				"map clear":         m.Clear(),
				"array insert":      a.Insert(0, 1),
				"array append":      a.Append(1),
				"array delete":      a.Delete(0, 1),
				"apply update":      tx.ApplyUpdate(before),
			} {
				assert.ErrorIs(t, err, ycrdt.ErrReadOnly, name+suffix)
			}
			assert.False(t, tx.Changed())
		})
	}
	assert.Equal(t, before, encode(t, doc))
}

func TestDoc_View_AbsentRootsReadAsEmpty(t *testing.T) {
	doc := newDoc(t)
	view(t, doc, func(tx *ycrdt.Tx) {
		text, m, a := tx.Text("absent"), tx.Map("absent"), tx.Array("absent")
		assert.Equal(t, "", text.String())
		assert.Equal(t, 0, text.Len())
		assert.Empty(t, text.ToDelta())
		assert.Equal(t, 0, m.Len())
		_, ok := m.Value("k")
		assert.False(t, ok)
		_, ok = m.Text("k")
		assert.False(t, ok)
		for range m.All() {
			t.Error("an absent map has no entries")
		}
		for range m.Keys() {
			t.Error("an absent map has no keys")
		}
		assert.Equal(t, 0, a.Len())
		_, ok = a.Value(0)
		assert.False(t, ok)
		for range a.All() {
			t.Error("an absent array has no values")
		}
		plain, err := m.AsMap()
		assert.NoError(t, err)
		assert.Equal(t, map[string]any{}, plain)
		list, err := a.AsSlice()
		assert.NoError(t, err)
		assert.Equal(t, []any{}, list)
		resolved, err := tx.Resolve(ycrdt.RootText("absent"))
		require.NoError(t, err)
		assert.Equal(t, "", resolved.(*ycrdt.Text).String())
		assert.NoError(t, tx.Err())
	})
	assert.Equal(t, []byte{0, 0}, encode(t, doc), "looking made nothing")
}

func TestDoc_View_RunsBesideOtherViews(t *testing.T) {
	doc := newDoc(t)
	set(t, doc, "k", 1)
	const readers = 8
	var inside, done sync.WaitGroup
	inside.Add(readers)
	for range readers {
		done.Go(func() {
			assert.NoError(t, doc.View(func(tx *ycrdt.Tx) error {
				inside.Done()
				inside.Wait() // all of them are inside at once
				value, ok := tx.Map("m").Value("k")
				assert.True(t, ok)
				assert.Equal(t, int64(1), value)
				return nil
			}))
		})
	}
	done.Wait()
}

func TestTx_HandlesEndWithIt(t *testing.T) {
	doc := newDoc(t)
	for name, run := range map[string]func(func(*ycrdt.Tx) error) error{"transact": doc.Transact, "view": doc.View} {
		t.Run(name, func(t *testing.T) {
			set(t, doc, "text", ycrdt.NewText("x"))
			var kept *ycrdt.Tx
			var text, nested *ycrdt.Text
			var m *ycrdt.Map
			var a *ycrdt.Array
			require.NoError(t, run(func(tx *ycrdt.Tx) error {
				kept, text, m, a = tx, tx.Text("t"), tx.Map("m"), tx.Array("a")
				nested, _ = m.Text("text")
				return nil
			}))
			_, asMap := m.AsMap()
			_, asSlice := a.AsSlice()
			_, marshalText := text.MarshalText()
			_, marshalJSON := text.MarshalJSON()
			_, mapJSON := m.MarshalJSON()
			_, resolve := kept.Resolve(m.Ref())
			_, stateVector := kept.EncodeStateVector()
			_, state := kept.EncodeStateAsUpdate(nil)
			_, observe := kept.Observe(m.Ref(), func(ycrdt.Event) {})
			for name, err := range map[string]error{
				"text insert": text.Insert(0, "x"), "nested insert": nested.Insert(0, "x"),
				"text attributes": text.InsertWithAttributes(0, "x", nil), "text embed": text.InsertEmbed(0, 1, nil),
				"text delete": text.Delete(0, 0), "text format": text.Format(0, 0, nil),
				"text delta": text.ApplyDelta(nil), "text marshal": marshalText, "text json": marshalJSON,
				"map set": m.Set("k", 1), "map delete": m.Delete("k"), "map clear": m.Clear(),
				"as map": asMap, "map json": mapJSON,
				"array insert": a.Insert(0, 1), "array append": a.Append(1), "array delete": a.Delete(0, 0), "as slice": asSlice,
				"apply update": kept.ApplyUpdate([]byte{0, 0}), "resolve": resolve, "state vector": stateVector, "state": state,
				"observe": observe,
			} {
				assert.ErrorIs(t, err, ycrdt.ErrTxDone, name)
				var typed *ycrdt.Error
				assert.ErrorAs(t, err, &typed, name)
			}
			assert.Equal(t, 1, ref(nested).Len(t, doc), "the Ref is good for ever")
		})
	}
}

// ref reads the length of the text that a handle names in a transaction of its own.
type refReader struct{ ycrdt.Ref }

func ref(handle ycrdt.Shared) refReader { return refReader{handle.Ref()} }

func (r refReader) Len(t *testing.T, doc *ycrdt.Doc) (n int) {
	t.Helper()
	view(t, doc, func(tx *ycrdt.Tx) {
		handle, err := tx.Resolve(r.Ref)
		require.NoError(t, err)
		n = handle.(*ycrdt.Text).Len()
	})
	return n
}

// Methods without an error result fail with a zero value and leave the reason in Tx.Err.
func TestTx_Err(t *testing.T) {
	doc := newDoc(t)
	var kept *ycrdt.Tx
	var text *ycrdt.Text
	var m *ycrdt.Map
	var a *ycrdt.Array
	write(t, doc, func(tx *ycrdt.Tx) {
		require.NoError(t, tx.Text("t").Insert(0, "x"))
		require.NoError(t, tx.Map("m").Set("k", 1))
		require.NoError(t, tx.Array("a").Insert(0, 1))
		kept, text, m, a = tx, tx.Text("t"), tx.Map("m"), tx.Array("a")
		assert.NoError(t, tx.Err())
	})
	assert.Equal(t, "", text.String())
	assert.Equal(t, "ycrdt: text string: the transaction has ended; keep a Ref and resolve it in the next one", kept.Err().Error())
	assert.Equal(t, 0, text.Len())
	assert.Nil(t, text.ToDelta())
	assert.Equal(t, 0, m.Len())
	_, ok := m.Value("k")
	assert.False(t, ok)
	_, ok = m.Array("k")
	assert.False(t, ok)
	for range m.All() {
		t.Error("no entries after the end")
	}
	assert.Equal(t, 0, a.Len())
	_, ok = a.Value(0)
	assert.False(t, ok)
	for range a.All() {
		t.Error("no values after the end")
	}
	assert.False(t, kept.Changed())
	assert.ErrorIs(t, kept.Err(), ycrdt.ErrTxDone)
	assert.Contains(t, kept.Err().Error(), "text string", "the first failure stays")
}

func TestDoc_Transact_ReturnsTxErr(t *testing.T) {
	doc := newDoc(t)
	set(t, doc, "k", 1)
	for name, run := range map[string]func(func(*ycrdt.Tx) error) error{"transact": doc.Transact, "view": doc.View} {
		var inside error
		err := run(func(tx *ycrdt.Tx) error {
			text := tx.Text("m") // is a map
			assert.Equal(t, "", text.String())
			assert.Equal(t, 0, text.Len())
			assert.ErrorIs(t, text.Insert(0, "x"), ycrdt.ErrWrongType)
			inside = tx.Err()
			return nil
		})
		assert.ErrorIs(t, err, ycrdt.ErrWrongType, name)
		assert.Equal(t, inside, err)
		assert.Equal(t, errMine, run(func(tx *ycrdt.Tx) error {
			_ = tx.Text("m").Len()
			return errMine
		}), "the closure's own error comes first")
	}
}

func TestTx_Changed(t *testing.T) {
	doc := newDoc(t)
	write(t, doc, func(tx *ycrdt.Tx) {
		assert.False(t, tx.Changed())
		text := tx.Text("t")
		assert.False(t, tx.Changed(), "naming a root is no change")
		require.NoError(t, text.Insert(0, "abc"))
		assert.True(t, tx.Changed())
	})
	write(t, doc, func(tx *ycrdt.Tx) {
		require.NoError(t, tx.Text("t").Delete(0, 1))
		assert.True(t, tx.Changed())
	})
	write(t, doc, func(tx *ycrdt.Tx) {
		assert.Error(t, tx.Text("t").Delete(0, 9))
		assert.False(t, tx.Changed(), "a call that fails changes nothing")
		assert.Same(t, doc, tx.Doc())
	})
}

// A peer can write anything under any name, and a program can ask for the wrong kind. Whatever comes of it must
// be an error or an answer, never a poisoned document.
func TestTx_RootReadAsAnotherKind(t *testing.T) {
	written := map[string]func(*ycrdt.Tx) error{
		"text": func(tx *ycrdt.Tx) error { return tx.Text("r").Insert(0, "hello") },
		"wide": func(tx *ycrdt.Tx) error { return tx.Text("r").Insert(0, "h😀llo") },
		"rich": func(tx *ycrdt.Tx) error {
			return tx.Text("r").ApplyDelta(ycrdt.Delta{{Insert: "b", Attributes: map[string]any{"b": true}}, {Insert: ycrdt.NewMap{}}})
		},
		"map":   func(tx *ycrdt.Tx) error { return tx.Map("r").Set("k", ycrdt.NewArray{1, 2}) },
		"array": func(tx *ycrdt.Tx) error { return tx.Array("r").Insert(0, 1, "x", ycrdt.NewMap{"a": 1}, []byte{1}, 2) },
	}
	asText := func(tx *ycrdt.Tx) error {
		text := tx.Text("r")
		_, _, _ = text.String(), text.ToDelta(), text.Insert(text.Len(), "end")
		_ = text.Insert(text.Len()/2, "middle")
		_ = text.Format(0, text.Len(), map[string]any{"b": true})
		_ = text.ApplyDelta(ycrdt.Delta{{Retain: text.Len()}, {Insert: "x"}})
		_ = text.Delete(text.Len()/2, 1)
		return text.Delete(0, text.Len())
	}
	asMap := func(tx *ycrdt.Tx) error {
		m := tx.Map("r")
		_, err := m.AsMap()
		for range m.All() {
			m.Len()
		}
		_ = m.Set("k", 1)
		_ = m.Delete("k")
		return errors.Join(err, m.Clear())
	}
	asArray := func(tx *ycrdt.Tx) error {
		a := tx.Array("r")
		_, err := a.AsSlice()
		for range a.All() {
			a.Len()
		}
		for i := range a.Len() {
			a.Value(i)
		}
		_ = a.Insert(a.Len()/2, "middle")
		_ = a.Append("end")
		_ = a.Delete(a.Len()/2, 1)
		return errors.Join(err, a.Delete(0, a.Len()))
	}
	for kind, write := range written {
		for as, read := range map[string]func(*ycrdt.Tx) error{"text": asText, "map": asMap, "array": asArray} {
			t.Run(kind+" as "+as, func(t *testing.T) {
				source := newDoc(t)
				require.NoError(t, source.Transact(write))
				doc := copyOf(t, source)
				for _, run := range []func(func(*ycrdt.Tx) error) error{doc.View, doc.Transact} {
					for _, err := range []error{run(read), doc.View(func(*ycrdt.Tx) error { return nil })} {
						assert.NotErrorIs(t, err, ycrdt.ErrDocPoisoned)
						assert.NotErrorIs(t, err, ycrdt.ErrInternal)
					}
				}
				_, err := doc.EncodeStateAsUpdate(nil)
				assert.NoError(t, err)
			})
		}
	}
}

// Once a root has a kind, asking for another one fails.
func TestTx_RootOfAnotherKind(t *testing.T) {
	doc := newDoc(t)
	write(t, doc, func(tx *ycrdt.Tx) { require.NoError(t, tx.Map("r").Set("k", 1)) })
	for name, run := range map[string]func(func(*ycrdt.Tx) error) error{"transact": doc.Transact, "view": doc.View} {
		err := run(func(tx *ycrdt.Tx) error {
			assert.ErrorIs(t, tx.Text("r").Insert(0, "x"), ycrdt.ErrWrongType, name)
			assert.ErrorIs(t, tx.Array("r").Append(1), ycrdt.ErrWrongType, name)
			_, err := tx.Resolve(ycrdt.RootArray("r"))
			assert.ErrorIs(t, err, ycrdt.ErrWrongType, name)
			return nil
		})
		assert.EqualError(t, err, `ycrdt: root: root "r" is of kind Map, not Text`)
	}
}
