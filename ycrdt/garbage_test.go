package ycrdt_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt"
)

// collected returns a document that is loaded from what is left of doc when its garbage is collected.
func collected(t *testing.T, doc *ycrdt.Doc) *ycrdt.Doc {
	t.Helper()
	state, err := ycrdt.CollectGarbage(encode(t, doc))
	require.NoError(t, err)
	again, err := ycrdt.CollectGarbage(state)
	require.NoError(t, err)
	assert.Equal(t, state, again, "there is nothing left to collect")
	fresh := newDoc(t)
	require.NoError(t, fresh.ApplyUpdate(state))
	before, err := doc.EncodeStateVector()
	require.NoError(t, err)
	after, err := fresh.EncodeStateVector()
	require.NoError(t, err)
	assert.Len(t, after, len(before))
	return fresh
}

func TestCollectGarbage(t *testing.T) {
	doc := newDoc(t)
	content := strings.Repeat("x", 1000)
	write(t, doc, func(tx *ycrdt.Tx) {
		for i := range 1000 {
			value := ycrdt.NewMap{"text": ycrdt.NewText(content), "list": ycrdt.NewArray{ycrdt.NewMap{"n": i}}}
			require.NoError(t, tx.Array("a").Append(value))
		}
		require.NoError(t, tx.Text("t").Insert(0, content))
		require.NoError(t, tx.Map("m").Set("k", ycrdt.NewMap{"kept": 1}))
	})
	full := doc.MemoryUsage()
	write(t, doc, func(tx *ycrdt.Tx) {
		require.NoError(t, tx.Array("a").Delete(0, 999))
		require.NoError(t, tx.Text("t").Delete(10, 900))
		require.NoError(t, tx.Map("m").Set("gone", ycrdt.NewMap{}))
		require.NoError(t, tx.Map("m").Delete("gone"))
	})
	assert.Equal(t, 4*999+1, doc.Garbage())
	fresh := collected(t, doc)
	assert.Zero(t, fresh.Garbage())
	assert.Less(t, fresh.MemoryUsage(), full/10)
	assert.Less(t, len(encode(t, fresh)), 20_000, "the places in the array stay, but nothing of what was in them")
	view(t, fresh, func(tx *ycrdt.Tx) {
		assert.Equal(t, 100, tx.Text("t").Len())
		values, err := tx.Array("a").AsSlice()
		require.NoError(t, err)
		assert.Equal(t, []any{map[string]any{"text": content, "list": []any{map[string]any{"n": int64(999)}}}}, values)
		m, err := tx.Map("m").AsMap()
		require.NoError(t, err)
		assert.Equal(t, map[string]any{"k": map[string]any{"kept": int64(1)}}, m)
	})
	// Both go on, and stay the same.
	write(t, doc, func(tx *ycrdt.Tx) { require.NoError(t, tx.Text("t").Insert(5, "new")) })
	require.NoError(t, fresh.ApplyUpdate(encode(t, doc)))
	write(t, fresh, func(tx *ycrdt.Tx) { require.NoError(t, tx.Array("a").Insert(0, 1)) })
	require.NoError(t, doc.ApplyUpdate(encode(t, fresh)))
	assert.Equal(t, exported(t, doc), exported(t, fresh))
}

func TestCollectGarbage_Refuses(t *testing.T) {
	_, err := ycrdt.CollectGarbage([]byte{1})
	assert.ErrorIs(t, err, ycrdt.ErrMalformed)
	collected, err := ycrdt.CollectGarbage(one(2, 1, 1, "a", 1, 4, "null"))
	require.NoError(t, err)
	assert.NoError(t, ycrdt.CheckUpdate(collected))
}

func TestDoc_Garbage_SkipGC(t *testing.T) {
	doc, err := ycrdt.NewDocWith(ycrdt.DocOptions{SkipGC: true})
	require.NoError(t, err)
	write(t, doc, func(tx *ycrdt.Tx) { require.NoError(t, tx.Map("m").Set("k", ycrdt.NewText("x"))) })
	write(t, doc, func(tx *ycrdt.Tx) { require.NoError(t, tx.Map("m").Delete("k")) })
	assert.Zero(t, doc.Garbage())
	assert.Contains(t, string(encode(t, doc)), "x")
	require.NoError(t, doc.Close())
	assert.Zero(t, doc.Garbage())
}

// What live documents and collected ones hold is the same, whatever was edited and whoever of them it reached first.
func TestCollectGarbage_Random(t *testing.T) {
	for seed := range uint64(40) {
		random := rand.New(rand.NewPCG(seed, 0))
		docs := []*ycrdt.Doc{newDoc(t), newDoc(t), newDoc(t)}
		for range 60 {
			at := random.IntN(len(docs))
			write(t, docs[at], func(tx *ycrdt.Tx) { editTree(t, random, tx.Array("a"), 0) })
			switch random.IntN(6) {
			case 0, 1:
				require.NoError(t, docs[random.IntN(len(docs))].ApplyUpdate(encode(t, docs[at])))
			case 2:
				docs[at] = collected(t, docs[at])
			}
		}
		for range 2 {
			for i := range docs {
				require.NoError(t, docs[i].ApplyUpdate(encode(t, docs[(i+1)%len(docs)])))
			}
		}
		for _, doc := range docs {
			require.Equal(t, exported(t, docs[0]), exported(t, doc), "seed %d", seed)
			require.Equal(t, exported(t, docs[0]), exported(t, collected(t, doc)), "seed %d", seed)
		}
	}
}

// editTree changes something at some depth of a tree of arrays, maps and texts.
func editTree(t *testing.T, random *rand.Rand, array *ycrdt.Array, depth int) {
	t.Helper()
	if n := array.Len(); n > 0 {
		at := random.IntN(n)
		value, _ := array.Value(at)
		inner, isArray := value.(*ycrdt.Array)
		switch {
		case random.IntN(4) == 0:
			require.NoError(t, array.Delete(at, 1+random.IntN(min(3, n-at))))
			return
		case isArray && depth < 4:
			editTree(t, random, inner, depth+1)
			return
		}
	}
	values := []any{
		random.IntN(100), "plain", ycrdt.NewArray{}, ycrdt.NewArray{1, ycrdt.NewArray{}}, ycrdt.NewText("text"),
		ycrdt.NewMap{"k": ycrdt.NewText(fmt.Sprint(depth))},
	}
	require.NoError(t, array.Insert(random.IntN(array.Len()+1), values[random.IntN(len(values))]))
}

func exported(t *testing.T, doc *ycrdt.Doc) string {
	t.Helper()
	var out string
	view(t, doc, func(tx *ycrdt.Tx) {
		for _, marshal := range []func() ([]byte, error){
			tx.Array("a").MarshalJSON, tx.Map("m").MarshalJSON, tx.Text("t").MarshalJSON,
		} {
			data, err := marshal()
			require.NoError(t, err)
			out += string(data) + "\n"
		}
	})
	return out
}
