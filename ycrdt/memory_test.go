package ycrdt_test

import (
	"bytes"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt"
)

const mebibyte = 1 << 20

func TestDoc_MemoryUsage_FollowsTheContent(t *testing.T) {
	doc := newDoc(t)
	empty := doc.MemoryUsage()
	assert.Less(t, empty, int64(4096))
	for name, edit := range map[string]struct {
		fill, empty func(*ycrdt.Tx) error
		left        int64 // of what was filled in, at most
	}{
		"text": {
			func(tx *ycrdt.Tx) error { return tx.Text("t").Insert(0, strings.Repeat("x", mebibyte)) },
			func(tx *ycrdt.Tx) error { return tx.Text("t").Delete(0, mebibyte) },
			mebibyte / 100,
		},
		"map": {
			func(tx *ycrdt.Tx) error { return tx.Map("m").Set("k", make([]byte, mebibyte)) },
			func(tx *ycrdt.Tx) error { return tx.Map("m").Delete("k") },
			mebibyte / 100,
		},
		"array": {
			func(tx *ycrdt.Tx) error { return tx.Array("a").Insert(0, make([]any, mebibyte/16)...) },
			func(tx *ycrdt.Tx) error { return tx.Array("a").Delete(0, mebibyte/16) },
			mebibyte / 100,
		},
		"nested": {
			func(tx *ycrdt.Tx) error {
				values := make([]any, 1000)
				for i := range values {
					values[i] = ycrdt.NewMap{"text": ycrdt.NewText(strings.Repeat("x", 1000))}
				}
				return tx.Array("nested").Insert(0, values...)
			},
			func(tx *ycrdt.Tx) error { return tx.Array("nested").Delete(0, 1000) },
			2000 * 800, // nested types, without their content
		},
	} {
		for range 3 {
			before := doc.MemoryUsage()
			require.NoError(t, doc.Transact(edit.fill), name)
			grown := doc.MemoryUsage() - before
			assert.Greater(t, grown, int64(mebibyte*9/10), name)
			assert.Less(t, grown, int64(8*mebibyte), name)
			require.NoError(t, doc.Transact(edit.empty), name)
			assert.Less(t, doc.MemoryUsage()-before, edit.left, "%s: the garbage is collected with the commit", name)
		}
	}
	require.NoError(t, doc.Close())
	assert.Zero(t, doc.MemoryUsage())
}

// An applied update costs what the document keeps of it, not what decoding took.
func TestDoc_MemoryUsage_OfAppliedUpdates(t *testing.T) {
	source := newDoc(t)
	write(t, source, func(tx *ycrdt.Tx) { require.NoError(t, tx.Text("t").Insert(0, strings.Repeat("x", mebibyte))) })
	doc := copyOf(t, source)
	assert.InDelta(t, mebibyte, doc.MemoryUsage(), mebibyte/4)
	used := doc.MemoryUsage()
	state := encode(t, source)
	for range 20 {
		require.NoError(t, doc.ApplyUpdate(state))
		require.ErrorIs(t, doc.ApplyUpdate(state[:len(state)-1]), ycrdt.ErrMalformed)
	}
	assert.InDelta(t, used, doc.MemoryUsage(), 4096)
}

// What a call hands out or gives up is not charged to the document: no read changes its memory.
func TestDoc_MemoryUsage_DoesNotDrift(t *testing.T) {
	doc, _ := tree(t)
	write(t, doc, func(tx *ycrdt.Tx) {
		require.NoError(t, tx.Text("t").ApplyDelta(ycrdt.Delta{{Insert: strings.Repeat("é😀", 100), Attributes: bold}}))
		require.NoError(t, tx.Array("a").Insert(0, 1, "two", []byte{3}))
	})
	before := doc.MemoryUsage()
	for range 10000 {
		view(t, doc, func(tx *ycrdt.Tx) {
			_, _, _ = tx.Text("t").String(), tx.Text("t").Len(), tx.Text("t").ToDelta()
			for range tx.Map("root").All() {
				tx.Map("root").Value("list")
			}
			for range tx.Array("a").All() {
				tx.Array("a").Value(1)
			}
			_, err := tx.Map("root").AsMap()
			require.NoError(t, err)
			_, err = tx.Resolve(ycrdt.RootMap("root"))
			require.NoError(t, err)
			_, err = tx.EncodeStateAsUpdate(nil)
			require.NoError(t, err)
			assert.ErrorIs(t, tx.Text("t").Insert(0, "x"), ycrdt.ErrReadOnly)
		})
		write(t, doc, func(tx *ycrdt.Tx) {
			assert.ErrorIs(t, tx.Text("t").Insert(1<<20, "x"), ycrdt.ErrOutOfRange)
		})
	}
	assert.InDelta(t, before, doc.MemoryUsage(), 1024)
}

// Subscribers' events are handed out, not kept.
func TestDoc_MemoryUsage_OfEvents(t *testing.T) {
	doc := newDoc(t)
	o := observe(t, doc, ycrdt.RootMap("m"))
	heard := 0
	defer doc.OnUpdate(func(ycrdt.UpdateEvent) { heard++ }).Close()
	set(t, doc, "k", "v")
	before := doc.MemoryUsage()
	for range 1000 {
		set(t, doc, "k", "v")
	}
	o.take()
	assert.Equal(t, 1001, heard)
	assert.Less(t, doc.MemoryUsage()-before, int64(16<<10))
}

// resident returns the memory of the process in bytes.
func resident(t *testing.T) int64 {
	t.Helper()
	runtime.GC()
	statm, err := os.ReadFile("/proc/self/statm")
	require.NoError(t, err)
	pages, err := strconv.ParseInt(string(bytes.Fields(statm)[1]), 10, 64)
	require.NoError(t, err)
	return pages * int64(os.Getpagesize())
}

// Documents that are closed, and transactions that have ended, leave nothing on the native heap.
func TestDoc_Close_FreesEverything(t *testing.T) {
	subdocs := goldenCases(t)["yjs-13.6.33/subdocuments"].Updates
	for name, round := range map[string]func(){
		"edited": func() {
			doc := ycrdt.NewDoc()
			defer doc.Close()
			_ = doc.Transact(func(tx *ycrdt.Tx) error {
				return tx.Map("m").Set("k", ycrdt.NewMap{"t": ycrdt.NewText("some text"), "b": make([]byte, 1000)})
			})
		},
		"observed": func() {
			doc := ycrdt.NewDoc()
			defer doc.Close()
			_, _ = doc.Observe(ycrdt.RootMap("m"), func(ycrdt.Event) {})
			_, _ = doc.ObserveDeep(ycrdt.RootMap("m"), func([]ycrdt.Event) {})
			_ = doc.Transact(func(tx *ycrdt.Tx) error { return tx.Map("m").Set("k", make([]byte, 1000)) })
		},
		"with subdocuments": func() {
			doc := ycrdt.NewDoc()
			defer doc.Close()
			for _, update := range subdocs {
				_ = doc.ApplyUpdate(update)
			}
		},
		"with pending updates": func() {
			doc := ycrdt.NewDoc()
			defer doc.Close()
			_ = doc.ApplyUpdate(cat(1, 1, 2, 5, 0x84, 2, 4, varint(1000), make([]byte, 1000), 0))
		},
		"with refused updates": func() {
			doc := ycrdt.NewDoc()
			defer doc.Close()
			_ = doc.ApplyUpdate(cat(1, 2, 2, 0, 4, 1, 1, "t", varint(1000), make([]byte, 1000), 9))
		},
	} {
		t.Run(name, func(t *testing.T) {
			for range closeRounds / 10 { // until the heaps have their size
				round()
			}
			before := resident(t)
			for range closeRounds {
				round()
			}
			assert.Less(t, resident(t)-before, int64(12*mebibyte))
		})
	}
}

// What is not closed is freed when the garbage collector finds it.
func TestDoc_ForgottenIsFreed(t *testing.T) {
	forget := func(n int) {
		for range n {
			doc := ycrdt.NewDoc()
			require.NoError(t, doc.Transact(func(tx *ycrdt.Tx) error { return tx.Map("m").Set("k", make([]byte, mebibyte)) }))
			doc.OnUpdate(func(ycrdt.UpdateEvent) {})
		}
	}
	forget(8)
	before := resident(t)
	for range 16 {
		forget(8)
		runtime.GC()
	}
	require.Eventually(t, func() bool { return resident(t)-before < 32*mebibyte }, waitFor, tick, "128 MiB were forgotten")
}
