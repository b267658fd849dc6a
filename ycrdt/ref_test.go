package ycrdt_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt"
)

func TestRef_Roots(t *testing.T) {
	for _, test := range []struct {
		ref  ycrdt.Ref
		kind ycrdt.Kind
		text string
	}{
		{ycrdt.RootText("content"), ycrdt.KindText, "text:content"},
		{ycrdt.RootMap(""), ycrdt.KindMap, "map:"},
		{ycrdt.RootArray("a:b@c"), ycrdt.KindArray, "array:a:b@c"},
	} {
		assert.Equal(t, test.kind, test.ref.Kind())
		assert.True(t, test.ref.IsRoot())
		assert.False(t, test.ref.IsZero())
		assert.Equal(t, test.text, test.ref.String())
		var parsed ycrdt.Ref
		require.NoError(t, parsed.UnmarshalText([]byte(test.text)))
		assert.Equal(t, test.ref, parsed)
	}
	assert.Equal(t, "a:b@c", ycrdt.RootArray("a:b@c").Name())
	assert.NotEqual(t, ycrdt.RootText("x"), ycrdt.RootMap("x"))
	assert.True(t, ycrdt.Ref{}.IsZero())
	assert.False(t, ycrdt.Ref{}.IsRoot())
	assert.Equal(t, "", ycrdt.Ref{}.String())
}

func TestRef_SurvivesTransactionsReplicasAndText(t *testing.T) {
	doc, refs := tree(t)
	peer := copyOf(t, doc)
	encoded, err := json.Marshal(refs)
	require.NoError(t, err)
	var decoded map[string]ycrdt.Ref
	require.NoError(t, json.Unmarshal(encoded, &decoded))
	assert.Equal(t, refs, decoded)
	for _, doc := range []*ycrdt.Doc{doc, peer} {
		view(t, doc, func(tx *ycrdt.Tx) {
			for path, ref := range decoded {
				handle, err := tx.Resolve(ref)
				require.NoError(t, err, path)
				assert.Equal(t, ref, handle.Ref(), path)
				assert.Equal(t, ref.Kind(), handle.Kind(), path)
				assert.False(t, ref.IsRoot())
				assert.Equal(t, "", ref.Name())
			}
			deep, err := tx.Resolve(decoded["list/1/deep"])
			require.NoError(t, err)
			assert.Equal(t, "x", deep.(*ycrdt.Text).String())
		})
	}
}

func TestRef_UnmarshalText_RefusesWhatIsNone(t *testing.T) {
	for _, text := range []string{
		"content", ":", ":x", "@1:2", "text", "nope:x", "undefined:x", "xml-element:x", "subdoc:x",
		"map@", "map@1", "map@1:", "map@:1", "map@x:1", "map@1:x", "map@-1:1", "map@1:-1", "map@1:2:3", "map@ 1:2",
		"map@9007199254740992:0", "map@1:2147483648", "Map@1:2", "text@1:2 ",
	} {
		ref := ycrdt.RootText("untouched")
		err := ref.UnmarshalText([]byte(text))
		assert.ErrorIs(t, err, ycrdt.ErrMalformed, text)
		var typed *ycrdt.Error
		assert.ErrorAs(t, err, &typed, text)
		assert.Equal(t, ycrdt.RootText("untouched"), ref, text)
	}
	var ref ycrdt.Ref
	require.NoError(t, ref.UnmarshalText(nil))
	assert.True(t, ref.IsZero())
	assert.EqualError(t, ref.UnmarshalText([]byte("x\n")), `ycrdt: parse ref: "x\n" is no reference`)
}

func TestTx_Resolve_Errors(t *testing.T) {
	doc := newDocWith(t, ycrdt.DocOptions{ClientID: 7})
	write(t, doc, func(tx *ycrdt.Tx) {
		require.NoError(t, tx.Text("t").Insert(0, "abc"))
		require.NoError(t, tx.Map("m").Set("k", 1))
		require.NoError(t, tx.Map("m").Set("nested", ycrdt.NewArray{}))
	})
	for _, test := range []struct {
		text string
		want error
	}{
		{"", ycrdt.ErrInvalidArgument},
		{"map@7:0", ycrdt.ErrDeleted},                // a character
		{"map@7:1", ycrdt.ErrDeleted},                // the middle of a block
		{"map@7:3", ycrdt.ErrDeleted},                // a plain value
		{"map@7:4", ycrdt.ErrWrongType},              // the nested array
		{"map@7:5", ycrdt.ErrDeleted},                // not written yet
		{"map@7:2147483647", ycrdt.ErrDeleted},       // nor this
		{"map@8:0", ycrdt.ErrDeleted},                // an unknown client
		{"map@9007199254740991:0", ycrdt.ErrDeleted}, // the largest
		{"text:m", ycrdt.ErrWrongType},
	} {
		var ref ycrdt.Ref
		require.NoError(t, ref.UnmarshalText([]byte(test.text)))
		for name, run := range map[string]func(func(*ycrdt.Tx) error) error{"transact": doc.Transact, "view": doc.View} {
			require.NoError(t, run(func(tx *ycrdt.Tx) error {
				_, err := tx.Resolve(ref)
				assert.ErrorIs(t, err, test.want, "%s in %s", test.text, name)
				return nil
			}))
		}
	}
}

// A deleted type is gone for handles and references, at once and after its memory was collected, with all that
// was nested in it.
func TestTx_Resolve_DeletedTypes(t *testing.T) {
	for name, skipGC := range map[string]bool{"collected": false, "kept": true} {
		t.Run(name, func(t *testing.T) {
			source, refs := tree(t)
			doc := newDocWith(t, ycrdt.DocOptions{SkipGC: skipGC})
			require.NoError(t, doc.ApplyUpdate(encode(t, source)))
			write(t, doc, func(tx *ycrdt.Tx) {
				var handles []ycrdt.Shared
				for _, ref := range refs {
					handle, err := tx.Resolve(ref)
					require.NoError(t, err)
					handles = append(handles, handle)
				}
				require.NoError(t, tx.Map("root").Clear())
				for _, handle := range handles {
					requireDeleted(t, handle)
				}
				for path, ref := range refs {
					_, err := tx.Resolve(ref)
					assert.ErrorIs(t, err, ycrdt.ErrDeleted, path)
				}
			})
			for range 3 { // after the collection, and after later commits have merged what it left
				set(t, doc, "k", 1)
				view(t, doc, func(tx *ycrdt.Tx) {
					for path, ref := range refs {
						_, err := tx.Resolve(ref)
						assert.ErrorIs(t, err, ycrdt.ErrDeleted, path)
					}
				})
			}
		})
	}
}

func requireDeleted(t *testing.T, handle ycrdt.Shared) {
	t.Helper()
	var errs []error
	switch handle := handle.(type) {
	case *ycrdt.Text:
		_, err := handle.MarshalJSON()
		errs = append(errs, err, handle.Insert(0, "x"), handle.Delete(0, 1), handle.Format(0, 1, bold), handle.ApplyDelta(ycrdt.Delta{{Insert: "x"}}))
	case *ycrdt.Map:
		_, err := handle.AsMap()
		errs = append(errs, err, handle.Set("k", 1), handle.Delete("k"), handle.Clear())
	case *ycrdt.Array:
		_, err := handle.AsSlice()
		errs = append(errs, err, handle.Insert(0, 1), handle.Append(1), handle.Delete(0, 1))
	}
	for i, err := range errs {
		require.ErrorIs(t, err, ycrdt.ErrDeleted, "%s call %d", handle.Ref(), i)
	}
}

// Reading through the handle of a deleted type gives zero values and the reason in Tx.Err.
func TestTx_Err_DeletedTypes(t *testing.T) {
	for name, read := range map[string]func(*ycrdt.Map){
		"len":    func(m *ycrdt.Map) { m.Len() },
		"value":  func(m *ycrdt.Map) { m.Value("k") },
		"text":   func(m *ycrdt.Map) { m.Text("k") },
		"all":    func(m *ycrdt.Map) { m.All()(func(string, any) bool { return true }) },
		"as map": func(m *ycrdt.Map) { m.Keys()(func(string) bool { return true }) },
	} {
		doc := newDoc(t)
		err := doc.Transact(func(tx *ycrdt.Tx) error {
			if err := tx.Map("root").Set("m", ycrdt.NewMap{"k": 1}); err != nil {
				return err
			}
			m, _ := tx.Map("root").Map("m")
			if err := tx.Map("root").Delete("m"); err != nil {
				return err
			}
			read(m)
			return nil
		})
		assert.ErrorIs(t, err, ycrdt.ErrDeleted, name)
		var typed *ycrdt.Error
		if assert.ErrorAs(t, err, &typed, name) {
			assert.Equal(t, "the shared type was deleted", typed.Msg, name)
		}
	}
}

func TestKind_String(t *testing.T) {
	for kind, want := range map[ycrdt.Kind]string{
		ycrdt.KindUndefined: "undefined", ycrdt.KindText: "text", ycrdt.KindMap: "map", ycrdt.KindArray: "array",
		ycrdt.KindXMLElement: "xml-element", ycrdt.KindXMLFragment: "xml-fragment", ycrdt.KindXMLText: "xml-text",
		ycrdt.KindWeakLink: "weak-link", ycrdt.KindSubdoc: "subdoc", ycrdt.KindXMLHook: "xml-hook", ycrdt.Kind(99): "unknown",
	} {
		assert.Equal(t, want, kind.String())
	}
}
