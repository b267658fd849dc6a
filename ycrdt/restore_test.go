package ycrdt_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt"
)

// restored applies to doc what makes it what it was, and returns that update.
func restored(t testing.TB, doc *ycrdt.Doc, old []byte) []byte {
	t.Helper()
	update, err := ycrdt.Restore(encode(t, doc), old)
	require.NoError(t, err)
	if update != nil {
		require.NoError(t, doc.ApplyUpdate(update))
	}
	again, err := ycrdt.Restore(encode(t, doc), old)
	require.NoError(t, err)
	require.Nil(t, again, "nothing is left to do")
	return update
}

// everything returns the content of roots of all kinds.
func everything(t testing.TB, doc *ycrdt.Doc) (content string) {
	t.Helper()
	view(t, doc, func(tx *ycrdt.Tx) { content = contentOf(t, tx) })
	return content
}

func contentOf(t testing.TB, tx *ycrdt.Tx) string {
	t.Helper()
	content, err := json.Marshal(map[string]any{
		"text": plainDelta(t, tx.Text("text").ToDelta()), "map": plainOf(t, tx.Map("map")), "array": plainOf(t, tx.Array("array")),
	})
	require.NoError(t, err)
	return string(content)
}

// plainOf is what a shared type holds, with the formatting of its texts.
func plainOf(t testing.TB, value any) any {
	switch value := value.(type) {
	case *ycrdt.Text:
		return plainDelta(t, value.ToDelta())
	case *ycrdt.Map:
		plain := map[string]any{}
		for key, member := range value.All() {
			plain[key] = plainOf(t, member)
		}
		return plain
	case *ycrdt.Array:
		plain := []any{}
		for _, element := range value.All() {
			plain = append(plain, plainOf(t, element))
		}
		return plain
	default:
		return fmt.Sprintf("%T %v", value, value)
	}
}

// plainDelta does not tell stretches of equal formatting apart, between which are marks without effect.
func plainDelta(t testing.TB, delta ycrdt.Delta) (plain []any) {
	before := ""
	for _, op := range delta {
		attributes, err := json.Marshal(op.Attributes)
		require.NoError(t, err)
		text, isText := op.Insert.(string)
		if isText && before == string(attributes) {
			last := plain[len(plain)-1].([]any)
			last[0] = last[0].(string) + text
			continue
		}
		if before = ""; isText {
			before = string(attributes)
		} else {
			op.Insert = plainOf(t, op.Insert)
		}
		plain = append(plain, []any{op.Insert, string(attributes)})
	}
	return plain
}

func TestRestore_Text(t *testing.T) {
	bold := map[string]any{"bold": true}
	tests := map[string]struct {
		before ycrdt.Delta
		change ycrdt.Delta
	}{
		"insertion":         {ycrdt.Delta{{Insert: "one three"}}, ycrdt.Delta{{Retain: 4}, {Insert: "two "}}},
		"deletion":          {ycrdt.Delta{{Insert: "one two three"}}, ycrdt.Delta{{Retain: 4}, {Delete: 4}}},
		"all of it":         {ycrdt.Delta{{Insert: "one"}}, ycrdt.Delta{{Delete: 3}}},
		"nothing was there": {nil, ycrdt.Delta{{Insert: "one", Attributes: bold}}},
		"repeated letters":  {ycrdt.Delta{{Insert: "aaaa"}}, ycrdt.Delta{{Retain: 2}, {Insert: "aa"}}},
		"formatting":        {ycrdt.Delta{{Insert: "one two"}}, ycrdt.Delta{{Retain: 3, Attributes: bold}}},
		"no formatting":     {ycrdt.Delta{{Insert: "one", Attributes: bold}, {Insert: " two"}}, ycrdt.Delta{{Retain: 7, Attributes: map[string]any{"bold": nil}}}},
		"other formatting": {
			ycrdt.Delta{{Insert: "one", Attributes: map[string]any{"size": 1, "bold": true}}},
			ycrdt.Delta{{Retain: 2, Attributes: map[string]any{"size": 2, "bold": nil, "code": true}}},
		},
		"plain beside bold": {
			ycrdt.Delta{{Insert: "bold", Attributes: bold}, {Insert: "plain"}, {Insert: "bold", Attributes: bold}},
			ycrdt.Delta{{Retain: 4}, {Delete: 5}},
		},
		"embeds": {
			ycrdt.Delta{{Insert: "a"}, {Insert: map[string]any{"image": "x.png"}, Attributes: bold}, {Insert: "b"}, {Insert: int64(7)}},
			ycrdt.Delta{{Retain: 1}, {Delete: 1}, {Insert: map[string]any{"image": "y.png"}}},
		},
		"a nested type": {
			ycrdt.Delta{{Insert: "a"}, {Insert: ycrdt.NewMap{"k": ycrdt.NewRichText{{Insert: "v", Attributes: bold}}}}, {Insert: "b"}},
			ycrdt.Delta{{Retain: 1}, {Delete: 1}},
		},
		// The two share their first half, and the other two their second.
		"half of a character":       {ycrdt.Delta{{Insert: "😀"}}, ycrdt.Delta{{Insert: "😁"}, {Delete: 2}}},
		"other half of a character": {ycrdt.Delta{{Insert: "\U0001F600"}}, ycrdt.Delta{{Insert: "\U00020200"}, {Delete: 2}}},
		"bytes of a character":      {ycrdt.Delta{{Insert: "aéb"}}, ycrdt.Delta{{Retain: 1}, {Insert: "ã"}, {Delete: 1}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			doc := newDoc(t)
			write(t, doc, func(tx *ycrdt.Tx) { require.NoError(t, tx.Text("text").ApplyDelta(test.before)) })
			before, old := everything(t, doc), encode(t, doc)
			write(t, doc, func(tx *ycrdt.Tx) { require.NoError(t, tx.Text("text").ApplyDelta(test.change)) })
			require.NotEqual(t, before, everything(t, doc))
			restored(t, doc, old)
			assert.Equal(t, before, everything(t, doc))
		})
	}
}

func TestRestore_MapsAndArrays(t *testing.T) {
	doc := newDoc(t)
	write(t, doc, func(tx *ycrdt.Tx) {
		for key, value := range map[string]any{
			"null": nil, "undefined": ycrdt.Undefined, "bytes": []byte{1, 2}, "float": 0.5, "bigint": big.NewInt(1<<62 + 1),
			"plain": map[string]any{"a": []any{int64(1)}}, "kept": "kept", "gone": "gone",
			"nested": ycrdt.NewMap{"list": ycrdt.NewArray{1, ycrdt.NewMap{"deep": ycrdt.NewText("text")}, 2}, "x": 1},
		} {
			require.NoError(t, tx.Map("map").Set(key, value))
		}
		require.NoError(t, tx.Array("array").Append("a", "b", ycrdt.NewArray{1, 2}, "c", ycrdt.NewMap{"k": 1}, "d"))
	})
	before, old := everything(t, doc), encode(t, doc)
	write(t, doc, func(tx *ycrdt.Tx) {
		m, a := tx.Map("map"), tx.Array("array")
		for _, key := range []string{"null", "undefined", "bytes", "float", "bigint", "plain"} {
			require.NoError(t, m.Set(key, "other"))
		}
		require.NoError(t, m.Set("new", ycrdt.NewText("new")))
		require.NoError(t, m.Delete("gone"))
		nested, _ := m.Map("nested")
		list, _ := nested.Array("list")
		deep, _ := list.Map(1)
		text, _ := deep.Text("deep")
		require.NoError(t, text.Insert(4, " of another kind"))
		require.NoError(t, list.Insert(0, "first"))
		require.NoError(t, a.Delete(4, 1))
		inner, _ := a.Array(2)
		require.NoError(t, inner.Append(3))
		require.NoError(t, a.Delete(0, 1))
		require.NoError(t, a.Append("e", ycrdt.NewMap{"k": 2}))
	})
	require.NotEqual(t, before, everything(t, doc))
	restored(t, doc, old)
	assert.Equal(t, before, everything(t, doc))
}

// A type that is still there is restored where it is, and whoever has it open keeps it.
func TestRestore_KeepsTypes(t *testing.T) {
	doc := newDoc(t)
	var inMap, inArray, inText ycrdt.Ref
	write(t, doc, func(tx *ycrdt.Tx) {
		require.NoError(t, tx.Map("map").Set("text", ycrdt.NewText("before")))
		require.NoError(t, tx.Array("array").Append("a", ycrdt.NewText("before"), "b"))
		require.NoError(t, tx.Text("text").ApplyDelta(ycrdt.Delta{{Insert: "a"}, {Insert: ycrdt.NewMap{"k": 1}}, {Insert: "b"}}))
		text, _ := tx.Map("map").Text("text")
		element, _ := tx.Array("array").Text(1)
		inMap, inArray, inText = text.Ref(), element.Ref(), tx.Text("text").ToDelta()[1].Insert.(*ycrdt.Map).Ref()
	})
	before, old := everything(t, doc), encode(t, doc)
	write(t, doc, func(tx *ycrdt.Tx) {
		text, _ := tx.Map("map").Text("text")
		require.NoError(t, text.Insert(0, "not "))
		element, _ := tx.Array("array").Text(1)
		require.NoError(t, element.Delete(0, 3))
		require.NoError(t, tx.Array("array").Delete(0, 1))
		require.NoError(t, tx.Array("array").Append("c"))
		require.NoError(t, tx.Text("text").ToDelta()[1].Insert.(*ycrdt.Map).Set("k", 2))
	})
	restored(t, doc, old)
	assert.Equal(t, before, everything(t, doc))
	view(t, doc, func(tx *ycrdt.Tx) {
		for _, ref := range []ycrdt.Ref{inMap, inArray, inText} {
			_, err := tx.Resolve(ref)
			assert.NoError(t, err)
		}
	})
}

// What others write while somebody restores is merged, and what is equal is not touched.
func TestRestore_BesideOthers(t *testing.T) {
	doc := newDoc(t)
	write(t, doc, func(tx *ycrdt.Tx) {
		require.NoError(t, tx.Text("text").Insert(0, "the quick brown fox"))
		require.NoError(t, tx.Map("map").Set("kept", 1))
	})
	old := encode(t, doc)
	write(t, doc, func(tx *ycrdt.Tx) { require.NoError(t, tx.Text("text").Insert(10, "and rather ")) })
	other := copyOf(t, doc)
	write(t, other, func(tx *ycrdt.Tx) {
		require.NoError(t, tx.Text("text").Insert(0, "now "))
		require.NoError(t, tx.Text("text").Insert(tx.Text("text").Len(), " jumps"))
		require.NoError(t, tx.Map("map").Set("other", 2))
	})
	update := restored(t, doc, old)
	require.NoError(t, other.ApplyUpdate(update))
	require.NoError(t, doc.ApplyUpdate(encode(t, other)))
	assert.Equal(t, "now the quick brown fox jumps", textOf(t, other, "text"))
	assert.Equal(t, everything(t, other), everything(t, doc))
	assert.Equal(t, map[string]any{"kept": int64(1), "other": int64(2)}, mapOf(t, doc, "map"))
	assert.Less(t, len(update), 100, "nothing but a deletion")
}

// The root of a document of which everything was deleted is made anew.
func TestRestore_WhatIsGone(t *testing.T) {
	doc := newDoc(t)
	write(t, doc, func(tx *ycrdt.Tx) {
		require.NoError(t, tx.Text("text").Insert(0, "one"))
		require.NoError(t, tx.Array("array").Append(ycrdt.NewMap{"k": ycrdt.NewArray{1}}))
	})
	before, old := everything(t, doc), encode(t, doc)
	write(t, doc, func(tx *ycrdt.Tx) {
		require.NoError(t, tx.Text("text").Delete(0, 3))
		require.NoError(t, tx.Array("array").Delete(0, 1))
	})
	collected, err := ycrdt.CollectGarbage(encode(t, doc))
	require.NoError(t, err)
	doc = loaded(t, collected)
	restored(t, doc, old)
	assert.Equal(t, before, everything(t, doc))

	restored(t, doc, []byte{0, 0})
	assert.Equal(t, everything(t, newDoc(t)), everything(t, doc), "to before there was anything")
}

func TestRestore_Refusals(t *testing.T) {
	_, err := ycrdt.Restore([]byte("none"), []byte{0, 0})
	assert.ErrorIs(t, err, ycrdt.ErrMalformed)
	_, err = ycrdt.Restore([]byte{0, 0}, []byte("none"))
	assert.ErrorIs(t, err, ycrdt.ErrMalformed)

	doc := newDoc(t)
	for want, states := range map[string][2][]byte{
		"ycrdt: restore: the current state: unexpected end at byte 0": {nil, encode(t, doc)},
		"ycrdt: restore: the old state: unexpected end at byte 0":     {encode(t, doc), nil},
	} {
		_, err := ycrdt.Restore(states[0], states[1])
		assert.EqualError(t, err, want)
		assert.ErrorIs(t, err, ycrdt.ErrMalformed)
	}
	var later []byte
	write(t, doc, func(tx *ycrdt.Tx) { require.NoError(t, tx.Text("text").Insert(0, "a")) })
	sub := doc.OnUpdate(func(u ycrdt.UpdateEvent) { later = u.Update })
	write(t, doc, func(tx *ycrdt.Tx) { require.NoError(t, tx.Text("text").Insert(1, "b")) })
	sub.Close()
	_, err = ycrdt.Restore(encode(t, doc), later)
	assert.ErrorIs(t, err, ycrdt.ErrInvalidArgument)
	assert.ErrorContains(t, err, "restore: the old state: it is incomplete")

	// One root, of which two peers think differently.
	mixed := copyOf(t, doc)
	list := newDoc(t)
	write(t, list, func(tx *ycrdt.Tx) { require.NoError(t, tx.Array("text").Append(1)) })
	require.NoError(t, mixed.ApplyUpdate(encode(t, list)))
	_, err = ycrdt.Restore(encode(t, mixed), encode(t, doc))
	assert.ErrorIs(t, err, ycrdt.ErrUnsupportedValue)
	assert.ErrorContains(t, err, `"text"`)
}

// Whatever real peers have written: every state on the way is restored, or refused because it holds what this version
// cannot write. What did not change is no hindrance.
func TestRestore_WhatPeersWrote(t *testing.T) {
	refused := map[string]bool{}
	for name, c := range goldenCases(t) {
		if c.Refused != "" {
			continue
		}
		full := loaded(t, c.Updates...)
		require.Nil(t, restored(t, full, encode(t, full)), name)
		for n := range len(c.Updates) {
			doc, part := loaded(t, c.Updates...), loaded(t, c.Updates[:n]...)
			old, err := part.EncodeStateAsUpdate([]byte{0}) // without what is held back
			require.NoError(t, err)
			update, err := ycrdt.Restore(encode(t, doc), old)
			if err != nil {
				require.ErrorIs(t, err, ycrdt.ErrUnsupportedValue, "%s, %d updates", name, n)
				refused[name[strings.IndexByte(name, '/')+1:]] = true
				continue
			}
			if update != nil {
				require.NoError(t, doc.ApplyUpdate(update), name)
			}
			for root := range c.Contents {
				assert.Equal(t, rootOf(t, part, root), rootOf(t, doc, root), "%s, %d updates", name, n)
			}
		}
	}
	// XML, subdocuments, and a text that has attributes itself.
	assert.Equal(t, []string{"formatting", "subdocuments", "xml"}, slices.Sorted(maps.Keys(refused)))
}

// What this version cannot look into is no hindrance while it stays as it is.
func TestRestore_BesideXML(t *testing.T) {
	for name, c := range goldenCases(t) {
		if !strings.HasSuffix(name, "/xml") && !strings.HasSuffix(name, "/subdocuments") {
			continue
		}
		doc := loaded(t, c.Updates...)
		write(t, doc, func(tx *ycrdt.Tx) { require.NoError(t, tx.Text("beside").Insert(0, "before")) })
		old := encode(t, doc)
		write(t, doc, func(tx *ycrdt.Tx) { require.NoError(t, tx.Text("beside").Insert(0, "not ")) })
		restored(t, doc, old)
		assert.Equal(t, "before", textOf(t, doc, "beside"))
		requireContents(t, c.Contents, doc, name)
	}
}

// rootOf is what a root holds that a golden case names by its kind and name.
func rootOf(t testing.TB, doc *ycrdt.Doc, root string) (plain any) {
	kind, name, _ := strings.Cut(root, ":")
	view(t, doc, func(tx *ycrdt.Tx) {
		switch kind {
		case "text":
			plain = plainOf(t, tx.Text(name))
		case "map":
			plain = plainOf(t, tx.Map(name))
		default:
			plain = plainOf(t, tx.Array(name))
		}
	})
	return plain
}

// Random editing, at whose end every state on the way is restored, one after the other.
func TestRestore_Random(t *testing.T) {
	for seed := range uint64(restoreSeeds) {
		random := rand.New(rand.NewPCG(seed, 7))
		doc := newDoc(t)
		var states [][]byte
		var contents []string
		for range 12 {
			write(t, doc, func(tx *ycrdt.Tx) {
				for range random.IntN(4) {
					rewriteText(t, random, tx.Text("text"), 2)
					editMap(t, random, tx.Map("map"), 2)
					rewriteArray(t, random, tx.Array("array"), 2)
				}
			})
			states, contents = append(states, encode(t, doc)), append(contents, everything(t, doc))
		}
		for _, i := range random.Perm(len(states)) {
			restored(t, doc, states[i])
			require.Equal(t, contents[i], everything(t, doc), "seed %d, state %d", seed, i)
			require.Equal(t, contents[i], everything(t, copyOf(t, doc)), "seed %d, state %d, by peers", seed, i)
		}
	}
}

func randomValue(random *rand.Rand, depth int) any {
	switch kind := random.IntN(8); {
	case depth > 0 && kind == 0:
		return ycrdt.NewRichText{{Insert: "x"}, {Insert: "y", Attributes: map[string]any{"b": true}}, {Insert: int64(1)}}
	case depth > 0 && kind == 1:
		return ycrdt.NewMap{"a": randomValue(random, depth-1), "b": randomValue(random, depth-1)}
	case depth > 0 && kind == 2:
		return ycrdt.NewArray{randomValue(random, depth-1), randomValue(random, depth-1)}
	case kind == 3:
		return []any{int64(1), "a"}
	default:
		return int64(random.IntN(3))
	}
}

func rewriteText(t *testing.T, random *rand.Rand, text *ycrdt.Text, depth int) {
	alphabet := []string{"a", "b", "é", "😀", "😁"}
	delta := ycrdt.Delta{}
	inside := false // of nothing: a place between whole characters
	for _, op := range text.ToDelta() {
		length := 1
		if s, ok := op.Insert.(string); ok {
			length = ycrdt.UTF16Len(s)
		} else if m, ok := op.Insert.(*ycrdt.Map); ok && depth > 0 && random.IntN(3) == 0 {
			editMap(t, random, m, depth-1)
		}
		switch random.IntN(5) {
		case 0:
			delta = append(delta, ycrdt.DeltaOp{Delete: length})
		case 1:
			format := map[string]any{[]string{"b", "i"}[random.IntN(2)]: []any{nil, true, int64(2)}[random.IntN(3)]}
			delta = append(delta, ycrdt.DeltaOp{Retain: length, Attributes: format})
		default:
			delta = append(delta, ycrdt.DeltaOp{Retain: length})
		}
		inside = true
	}
	var attributes map[string]any
	if random.IntN(3) == 0 {
		attributes = map[string]any{"b": true}
	}
	var insert any = strings.Repeat(alphabet[random.IntN(len(alphabet))], 1+random.IntN(3)) + alphabet[random.IntN(len(alphabet))]
	if depth > 0 && random.IntN(4) == 0 {
		insert = ycrdt.NewMap{"k": randomValue(random, depth-1)}
	} else if random.IntN(4) == 0 {
		insert = map[string]any{"image": int64(random.IntN(2))}
	}
	at := 0
	if inside {
		at = random.IntN(len(delta) + 1)
	}
	delta = slices.Insert(delta, at, ycrdt.DeltaOp{Insert: insert, Attributes: attributes})
	require.NoError(t, text.ApplyDelta(delta))
}

func editMap(t *testing.T, random *rand.Rand, m *ycrdt.Map, depth int) {
	key := string(rune('a' + random.IntN(4)))
	value, _ := m.Value(key)
	if depth > 0 && random.IntN(2) == 0 {
		editNested(t, random, value, depth-1)
	} else if random.IntN(3) == 0 {
		require.NoError(t, m.Delete(key))
	} else {
		require.NoError(t, m.Set(key, randomValue(random, depth)))
	}
}

func rewriteArray(t *testing.T, random *rand.Rand, a *ycrdt.Array, depth int) {
	at := random.IntN(a.Len() + 1)
	if value, ok := a.Value(at); ok && depth > 0 && random.IntN(2) == 0 {
		editNested(t, random, value, depth-1)
	} else if ok && random.IntN(3) == 0 {
		require.NoError(t, a.Delete(at, 1))
	} else {
		require.NoError(t, a.Insert(at, randomValue(random, depth)))
	}
}

func editNested(t *testing.T, random *rand.Rand, value any, depth int) {
	switch value := value.(type) {
	case *ycrdt.Text:
		rewriteText(t, random, value, depth)
	case *ycrdt.Map:
		editMap(t, random, value, depth)
	case *ycrdt.Array:
		rewriteArray(t, random, value, depth)
	}
}

// restoreSeeds is how many histories are made up.
const restoreSeeds = 40
