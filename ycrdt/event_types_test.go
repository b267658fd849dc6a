package ycrdt_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt"
)

// observed is a document with a subscriber and everything it has heard.
type observed struct {
	*ycrdt.Doc
	events []ycrdt.Event
	deep   [][]ycrdt.Event
}

func observe(t *testing.T, doc *ycrdt.Doc, ref ycrdt.Ref) *observed {
	t.Helper()
	o := &observed{Doc: doc}
	sub, err := doc.Observe(ref, func(event ycrdt.Event) { o.events = append(o.events, event) })
	require.NoError(t, err)
	t.Cleanup(sub.Close)
	deep, err := doc.ObserveDeep(ref, func(events []ycrdt.Event) { o.deep = append(o.deep, events) })
	require.NoError(t, err)
	t.Cleanup(deep.Close)
	return o
}

func (o *observed) take() []ycrdt.Event {
	events := o.events
	o.events = nil
	return events
}

func (o *observed) takeDeep() [][]ycrdt.Event {
	deep := o.deep
	o.deep = nil
	return deep
}

func TestTextEvent_Delta(t *testing.T) {
	bold := map[string]any{"bold": true}
	for _, test := range []struct {
		name string
		edit func(*ycrdt.Text) error
		want ycrdt.Delta
	}{
		{"insert", func(text *ycrdt.Text) error { return text.Insert(3, "é😀") },
			ycrdt.Delta{{Retain: 3}, {Insert: "é😀"}}},
		{"insert at the start", func(text *ycrdt.Text) error { return text.Insert(0, "x") },
			ycrdt.Delta{{Insert: "x"}}},
		{"insert with attributes", func(text *ycrdt.Text) error { return text.InsertWithAttributes(3, "x", bold) },
			ycrdt.Delta{{Retain: 3}, {Insert: "x", Attributes: bold}}},
		{"delete", func(text *ycrdt.Text) error { return text.Delete(1, 2) },
			ycrdt.Delta{{Retain: 1}, {Delete: 2}}},
		{"format", func(text *ycrdt.Text) error { return text.Format(3, 2, bold) },
			ycrdt.Delta{{Retain: 3}, {Retain: 2, Attributes: bold}}},
		{"embed", func(text *ycrdt.Text) error { return text.InsertEmbed(0, map[string]any{"img": "u"}, nil) },
			ycrdt.Delta{{Insert: map[string]any{"img": "u"}}}},
		{"delta", func(text *ycrdt.Text) error {
			return text.ApplyDelta(ycrdt.Delta{{Insert: "<"}, {Retain: 3}, {Delete: 2}, {Insert: ">", Attributes: bold}})
		}, ycrdt.Delta{{Insert: "<"}, {Retain: 3}, {Delete: 2}, {Insert: ">", Attributes: bold}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			// "a😀bc" has length 5.
			local := newDoc(t)
			write(t, local, func(tx *ycrdt.Tx) { require.NoError(t, tx.Text("t").Insert(0, "a😀bc")) })
			remote := observe(t, copyOf(t, local), ycrdt.RootText("t"))
			here := observe(t, local, ycrdt.RootText("t"))
			defer local.OnUpdate(func(u ycrdt.UpdateEvent) {
				assert.NoError(t, remote.ApplyUpdateContext(t.Context(), ycrdt.TxOptions{Origin: "wire"}, u.Update))
			}).Close()

			require.NoError(t, local.TransactContext(t.Context(), ycrdt.TxOptions{Origin: "me"}, func(tx *ycrdt.Tx) error {
				return test.edit(tx.Text("t"))
			}))
			for _, side := range []struct {
				*observed
				origin string
				local  bool
			}{{here, "me", true}, {remote, "wire", false}} {
				events := side.take()
				require.Len(t, events, 1, side.origin)
				event := events[0].(*ycrdt.TextEvent)
				assert.Equal(t, test.want, event.Delta, side.origin)
				assert.Equal(t, ycrdt.RootText("t"), event.Target())
				assert.Empty(t, event.Path())
				assert.Equal(t, side.origin, event.Origin())
				assert.Equal(t, side.local, event.Local())
				assert.Equal(t, [][]ycrdt.Event{{event}}, side.takeDeep())
			}
		})
	}
}

// The lengths of an event are in the units of the document that it comes from.
func TestTextEvent_CountsInTheUnitsOfTheDocument(t *testing.T) {
	doc := newDocWith(t, ycrdt.DocOptions{OffsetKind: ycrdt.OffsetBytes})
	write(t, doc, func(tx *ycrdt.Tx) { require.NoError(t, tx.Text("t").Insert(0, "é😀bc")) })
	o := observe(t, doc, ycrdt.RootText("t"))
	write(t, doc, func(tx *ycrdt.Tx) {
		require.NoError(t, tx.Text("t").Insert(6, "x"))
		require.NoError(t, tx.Text("t").Delete(0, 2))
	})
	events := o.take()
	require.Len(t, events, 1)
	assert.Equal(t, ycrdt.Delta{{Delete: 2}, {Retain: 4}, {Insert: "x"}}, events[0].(*ycrdt.TextEvent).Delta)
	assert.Equal(t, "😀xbc", textOf(t, doc, "t"))
}

func TestArrayEvent_Changes(t *testing.T) {
	local := newDoc(t)
	write(t, local, func(tx *ycrdt.Tx) { require.NoError(t, tx.Array("a").Insert(0, "a", "b", "c", "d")) })
	remote := observe(t, copyOf(t, local), ycrdt.RootArray("a"))
	here := observe(t, local, ycrdt.RootArray("a"))
	defer local.OnUpdate(func(u ycrdt.UpdateEvent) { assert.NoError(t, remote.ApplyUpdate(u.Update)) }).Close()

	var nested ycrdt.Ref
	write(t, local, func(tx *ycrdt.Tx) {
		a := tx.Array("a")
		require.NoError(t, a.Delete(1, 2))
		require.NoError(t, a.Insert(2, 1, nil, ycrdt.NewMap{"k": 1}))
		handle, ok := a.Value(4)
		require.True(t, ok)
		nested = handle.(*ycrdt.Map).Ref()
	})
	want := []ycrdt.ArrayChange{{Retain: 1}, {Delete: 2}, {Retain: 1}, {Insert: []any{int64(1), nil, nested}}}
	for name, side := range map[string]*observed{"here": here, "remote": remote} {
		events := side.take()
		require.Len(t, events, 1, name)
		assert.Equal(t, want, events[0].(*ycrdt.ArrayEvent).Changes, name)
		require.Len(t, side.takeDeep(), 1, "the content of a new type is no event of its own")
		view(t, side.Doc, func(tx *ycrdt.Tx) {
			handle, err := tx.Resolve(nested)
			require.NoError(t, err)
			assert.Equal(t, 1, handle.(*ycrdt.Map).Len())
		})
	}
}

func TestMapEvent_Keys(t *testing.T) {
	local := newDoc(t)
	write(t, local, func(tx *ycrdt.Tx) {
		for _, key := range []string{"updated", "removed", "kept", "back"} {
			require.NoError(t, tx.Map("m").Set(key, "old "+key))
		}
		require.NoError(t, tx.Map("m").Set("nested", ycrdt.NewText("x")))
	})
	remote := observe(t, copyOf(t, local), ycrdt.RootMap("m"))
	here := observe(t, local, ycrdt.RootMap("m"))
	defer local.OnUpdate(func(u ycrdt.UpdateEvent) { assert.NoError(t, remote.ApplyUpdate(u.Update)) }).Close()

	var text ycrdt.Ref
	write(t, local, func(tx *ycrdt.Tx) {
		m := tx.Map("m")
		handle, ok := m.Text("nested")
		require.True(t, ok)
		text = handle.Ref()
		require.NoError(t, m.Set("updated", 1))
		require.NoError(t, m.Set("updated", 2))
		require.NoError(t, m.Delete("removed"))
		require.NoError(t, m.Set("", ycrdt.Undefined))
		require.NoError(t, m.Set("fleeting", 1))
		require.NoError(t, m.Delete("fleeting"))
		require.NoError(t, m.Delete("back"))
		require.NoError(t, m.Set("back", nil))
		require.NoError(t, m.Set("nested", []byte{1}))
	})
	want := map[string]ycrdt.KeyChange{
		"updated": {Action: ycrdt.KeyUpdated, Old: "old updated", New: int64(2)},
		"removed": {Action: ycrdt.KeyRemoved, Old: "old removed"},
		"":        {Action: ycrdt.KeyAdded, New: ycrdt.Undefined},
		"back":    {Action: ycrdt.KeyUpdated, Old: "old back"},
		"nested":  {Action: ycrdt.KeyUpdated, Old: text, New: []byte{1}},
	}
	for name, side := range map[string]*observed{"here": here, "remote": remote} {
		events := side.take()
		require.Len(t, events, 1, name)
		assert.Equal(t, want, events[0].(*ycrdt.MapEvent).Keys, name)
	}
}

func TestKeyAction_String(t *testing.T) {
	assert.Equal(t, "added updated removed unknown",
		ycrdt.KeyAdded.String()+" "+ycrdt.KeyUpdated.String()+" "+ycrdt.KeyRemoved.String()+" "+ycrdt.KeyAction(0).String())
}

// tree makes a document with types nested in each other and returns the paths to them.
func tree(t *testing.T) (doc *ycrdt.Doc, refs map[string]ycrdt.Ref) {
	doc = newDoc(t)
	refs = map[string]ycrdt.Ref{}
	write(t, doc, func(tx *ycrdt.Tx) {
		root := tx.Map("root")
		require.NoError(t, root.Set("list", ycrdt.NewArray{0, ycrdt.NewMap{"deep": ycrdt.NewText("x")}, ycrdt.NewText("y")}))
		require.NoError(t, root.Set("text", ycrdt.NewRichText{{Insert: "é😀"}, {Insert: ycrdt.NewMap{}}}))
		list, ok := root.Array("list")
		require.True(t, ok)
		refs["list"] = list.Ref()
		entry, _ := list.Value(1)
		refs["list/1"] = entry.(*ycrdt.Map).Ref()
		deep, ok := entry.(*ycrdt.Map).Text("deep")
		require.True(t, ok)
		refs["list/1/deep"] = deep.Ref()
		last, _ := list.Value(2)
		refs["list/2"] = last.(*ycrdt.Text).Ref()
		text, ok := root.Text("text")
		require.True(t, ok)
		refs["text"] = text.Ref()
		embedded := text.ToDelta()[1].Insert.(*ycrdt.Map)
		refs["text/3"] = embedded.Ref()
	})
	return doc, refs
}

// touch changes the shared type that ref names.
func touch(t *testing.T, tx *ycrdt.Tx, ref ycrdt.Ref) {
	t.Helper()
	handle, err := tx.Resolve(ref)
	require.NoError(t, err)
	switch handle := handle.(type) {
	case *ycrdt.Text:
		require.NoError(t, handle.Insert(handle.Len(), "!"))
	case *ycrdt.Map:
		require.NoError(t, handle.Set("touched", true))
	case *ycrdt.Array:
		require.NoError(t, handle.Append("touched"))
	}
}

func TestDoc_ObserveDeep_SortsEventsByPath(t *testing.T) {
	doc, refs := tree(t)
	here, remote := observe(t, doc, ycrdt.RootMap("root")), observe(t, copyOf(t, doc), ycrdt.RootMap("root"))
	defer doc.OnUpdate(func(u ycrdt.UpdateEvent) { assert.NoError(t, remote.ApplyUpdate(u.Update)) }).Close()
	refs[""] = ycrdt.RootMap("root")
	write(t, doc, func(tx *ycrdt.Tx) {
		for _, ref := range refs { // in a random order
			touch(t, tx, ref)
		}
	})
	for name, side := range map[string]*observed{"here": here, "remote": remote} {
		deep := side.takeDeep()
		require.Len(t, deep, 1, name)
		var paths []string
		for _, event := range deep[0] {
			path := event.Path().String()
			paths = append(paths, path)
			assert.Equal(t, refs[path], event.Target(), name)
		}
		assert.Equal(t, []string{"", "list", "text", "list/1", "list/2", "text/3", "list/1/deep"}, paths, name)
		require.Len(t, side.take(), 1, "Observe hears of the type itself only")
	}
}

func TestDoc_Observe_NestedTypes(t *testing.T) {
	doc, refs := tree(t)
	for path, ref := range refs {
		o := observe(t, doc, ref)
		write(t, doc, func(tx *ycrdt.Tx) { touch(t, tx, ref) })
		events := o.take()
		require.Len(t, events, 1, path)
		assert.Equal(t, ref, events[0].Target(), path)
		assert.Empty(t, events[0].Path(), "the path begins at the observed type")
		require.Len(t, o.takeDeep(), 1, path)
	}
}

func TestDoc_Observe_TypeDeletedWhileObserved(t *testing.T) {
	doc, refs := tree(t)
	o := observe(t, doc, refs["list/1/deep"])
	write(t, doc, func(tx *ycrdt.Tx) { require.NoError(t, tx.Map("root").Delete("list")) })
	assert.Empty(t, o.take(), "the parent changed, not the text")
	write(t, doc, func(tx *ycrdt.Tx) { require.NoError(t, tx.Map("root").Set("list", 1)) })
	assert.Empty(t, o.take())
}

func TestDoc_Observe_Deleted(t *testing.T) {
	doc, refs := tree(t)
	ref := refs["list/1"]
	_ = observe(t, doc, ref)
	write(t, doc, func(tx *ycrdt.Tx) { require.NoError(t, tx.Map("root").Delete("list")) })
	for range 2 { // with and without somebody observing it
		_, err := doc.Observe(ref, func(ycrdt.Event) {})
		assert.ErrorIs(t, err, ycrdt.ErrDeleted)
		_, err = doc.ObserveDeep(ref, func([]ycrdt.Event) {})
		assert.ErrorIs(t, err, ycrdt.ErrDeleted)
		ref = refs["list"]
	}
}

func TestDoc_Observe_Errors(t *testing.T) {
	doc := newDoc(t)
	write(t, doc, func(tx *ycrdt.Tx) { require.NoError(t, tx.Map("m").Set("k", 1)) })
	_, err := doc.Observe(ycrdt.RootText("m"), func(ycrdt.Event) {})
	assert.ErrorIs(t, err, ycrdt.ErrWrongType)
	_, err = doc.Observe(ycrdt.Ref{}, func(ycrdt.Event) {})
	assert.ErrorIs(t, err, ycrdt.ErrInvalidArgument)
	view(t, doc, func(tx *ycrdt.Tx) {
		_, err := tx.Observe(ycrdt.RootMap("m"), func(ycrdt.Event) {})
		assert.ErrorIs(t, err, ycrdt.ErrReadOnly)
	})
	require.NoError(t, doc.Close())
	_, err = doc.ObserveDeep(ycrdt.RootMap("m"), func([]ycrdt.Event) {})
	assert.ErrorIs(t, err, ycrdt.ErrClosed)
}

func TestTx_Observe_HearsOfItsOwnTransaction(t *testing.T) {
	doc := newDoc(t)
	var keys []string
	write(t, doc, func(tx *ycrdt.Tx) {
		require.NoError(t, tx.Map("m").Set("a", 1))
		sub, err := tx.Observe(ycrdt.RootMap("m"), func(event ycrdt.Event) { keys = append(keys, keysOf(event)...) })
		require.NoError(t, err)
		t.Cleanup(sub.Close)
		require.NoError(t, tx.Map("m").Set("b", 1))
	})
	assert.Equal(t, []string{"a", "b"}, keys)
}

func TestPath_String(t *testing.T) {
	assert.Equal(t, "a/0//b", ycrdt.Path{"a", 0, "", "b"}.String())
	assert.Equal(t, "", ycrdt.Path(nil).String())
}
