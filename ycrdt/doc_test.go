package ycrdt_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/yrs-go/yrs/ycrdt"
)

func TestNewDoc_Defaults(t *testing.T) {
	clients, guids := map[uint64]bool{}, map[string]bool{}
	for range 100 {
		doc := newDoc(t)
		assert.NotZero(t, doc.ClientID())
		assert.Less(t, doc.ClientID(), uint64(1)<<32)
		assert.Regexp(t, "^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$", doc.GUID())
		assert.Equal(t, ycrdt.OffsetUTF16, doc.OffsetKind())
		clients[doc.ClientID()], guids[doc.GUID()] = true, true
	}
	assert.Greater(t, len(clients), 95)
	assert.Len(t, guids, 100)
}

func TestNewDocWith_Options(t *testing.T) {
	for _, client := range []uint64{1, 1 << 32, 1<<53 - 1} {
		doc := newDocWith(t, ycrdt.DocOptions{ClientID: client, GUID: "a guid \x00", OffsetKind: ycrdt.OffsetBytes})
		assert.Equal(t, client, doc.ClientID())
		assert.Equal(t, "a guid \x00", doc.GUID())
		assert.Equal(t, ycrdt.OffsetBytes, doc.OffsetKind())
		set(t, doc, "k", ycrdt.NewText("x"))
		view(t, copyOf(t, doc), func(tx *ycrdt.Tx) {
			text, ok := tx.Map("m").Text("k")
			require.True(t, ok)
			handle, err := tx.Resolve(text.Ref())
			require.NoError(t, err)
			assert.Equal(t, "x", handle.(*ycrdt.Text).String())
		})
	}
	for name, opts := range map[string]ycrdt.DocOptions{
		"client id":   {ClientID: 1 << 53},
		"offset kind": {OffsetKind: ycrdt.OffsetBytes + 1},
	} {
		_, err := ycrdt.NewDocWith(opts)
		assert.ErrorIs(t, err, ycrdt.ErrInvalidArgument, name)
	}
	_, err := ycrdt.NewDocWith(ycrdt.DocOptions{GUID: "\xff"})
	assert.Error(t, err)
}

// With SkipGC deleted content stays and is passed on; without, only its place is.
func TestDocOptions_SkipGC(t *testing.T) {
	secret := strings.Repeat("secret ", 100)
	for _, skip := range []bool{false, true} {
		doc := newDocWith(t, ycrdt.DocOptions{SkipGC: skip})
		write(t, doc, func(tx *ycrdt.Tx) { require.NoError(t, tx.Text("t").Insert(0, secret)) })
		write(t, doc, func(tx *ycrdt.Tx) { require.NoError(t, tx.Text("t").Delete(0, len(secret))) })
		assert.Equal(t, skip, strings.Contains(string(encode(t, doc)), secret))
		assert.Equal(t, "", textOf(t, doc, "t"))
	}
}

// The unit of offsets is a matter of one replica only.
func TestDocOptions_OffsetKind_IsLocal(t *testing.T) {
	units := newDoc(t)
	bytes := newDocWith(t, ycrdt.DocOptions{OffsetKind: ycrdt.OffsetBytes})
	write(t, units, func(tx *ycrdt.Tx) { require.NoError(t, tx.Text("t").Insert(0, "é😀")) })
	require.NoError(t, bytes.ApplyUpdate(encode(t, units)))
	write(t, bytes, func(tx *ycrdt.Tx) {
		assert.Equal(t, 6, tx.Text("t").Len())
		require.NoError(t, tx.Text("t").Insert(6, "!"))
		require.NoError(t, tx.Text("t").Format(2, 4, bold))
	})
	require.NoError(t, units.ApplyUpdate(encode(t, bytes)))
	write(t, units, func(tx *ycrdt.Tx) {
		assert.Equal(t, 4, tx.Text("t").Len())
		require.NoError(t, tx.Text("t").Delete(1, 2))
	})
	require.NoError(t, bytes.ApplyUpdate(encode(t, units)))
	assert.Equal(t, "é!", textOf(t, bytes, "t"))
}

func TestDoc_Close(t *testing.T) {
	doc := newDoc(t)
	set(t, doc, "k", 1)
	heard := 0
	sub := doc.OnUpdate(func(ycrdt.UpdateEvent) { heard++ })
	require.NoError(t, doc.Close())
	require.NoError(t, doc.Close(), "again")
	_, stateVectorErr := doc.EncodeStateVector()
	_, encodeErr := doc.EncodeStateAsUpdate(nil)
	_, observeErr := doc.Observe(ycrdt.RootMap("m"), nil)
	_, deepErr := doc.ObserveDeep(ycrdt.RootMap("m"), nil)
	for name, err := range map[string]error{
		"transact": doc.Transact(nil), "view": doc.View(nil), "apply": doc.ApplyUpdate([]byte{0, 0}),
		"state vector": stateVectorErr, "encode": encodeErr, "observe": observeErr, "observe deep": deepErr,
	} {
		assert.ErrorIs(t, err, ycrdt.ErrClosed, name)
	}
	assert.Zero(t, doc.MemoryUsage())
	assert.NotZero(t, doc.ClientID())
	doc.OnUpdate(func(ycrdt.UpdateEvent) {}).Close()
	sub.Close()
	assert.Zero(t, heard)
}

// A transaction that is open when the document is closed goes on undisturbed; those that wait give up.
func TestDoc_Close_WhileInUse(t *testing.T) {
	for _, kind := range []string{"transact", "view"} {
		t.Run(kind, func(t *testing.T) {
			doc := newDoc(t)
			set(t, doc, "k", 1)
			run := doc.View
			if kind == "transact" {
				run = doc.Transact
			}
			updates := 0
			defer doc.OnUpdate(func(ycrdt.UpdateEvent) { updates++ }).Close()
			var waiting errgroup.Group
			require.NoError(t, run(func(tx *ycrdt.Tx) error {
				writers := 3
				for range writers {
					waiting.Go(func() error { return doc.Transact(func(*ycrdt.Tx) error { return nil }) })
				}
				require.Eventually(t, func() bool { return stacksWith("semaphore.(*Weighted).Acquire") == writers }, waitFor, tick)
				require.NoError(t, doc.Close())
				later, cancel := context.WithTimeout(t.Context(), waitFor)
				defer cancel()
				assert.ErrorIs(t, doc.ViewContext(later, nil), ycrdt.ErrClosed, "who comes later does not wait")
				assert.NotZero(t, doc.MemoryUsage(), "not freed yet")
				value, ok := tx.Map("m").Value("k")
				assert.True(t, ok)
				assert.Equal(t, int64(1), value)
				if kind == "transact" {
					assert.NoError(t, tx.Map("m").Set("late", 1))
				}
				_, err := tx.EncodeStateAsUpdate(nil)
				return err
			}))
			assert.ErrorIs(t, waiting.Wait(), ycrdt.ErrClosed)
			assert.Zero(t, doc.MemoryUsage(), "freed with the transaction")
			if kind == "transact" {
				assert.Equal(t, 1, updates, "what was committed is delivered")
			}
		})
	}
}

// Waiting for a transaction ends with the context; nothing is left behind.
func TestDoc_WaitingEndsWithTheContext(t *testing.T) {
	doc := newDoc(t)
	waiters := map[string]func(context.Context) error{
		"transact": func(ctx context.Context) error {
			return doc.TransactContext(ctx, ycrdt.TxOptions{}, func(*ycrdt.Tx) error { t.Error("ran"); return nil })
		},
		"view": func(ctx context.Context) error {
			return doc.ViewContext(ctx, func(*ycrdt.Tx) error { t.Error("ran"); return nil })
		},
		"apply": func(ctx context.Context) error {
			return doc.ApplyUpdateContext(ctx, ycrdt.TxOptions{}, []byte{0, 0})
		},
	}
	write(t, doc, func(*ycrdt.Tx) {
		ctx, cancel := context.WithCancel(t.Context())
		var mu sync.Mutex
		failures := map[string]error{}
		var all sync.WaitGroup
		for name, wait := range waiters {
			all.Go(func() {
				err := wait(ctx)
				mu.Lock()
				defer mu.Unlock()
				failures[name] = err
			})
		}
		require.Eventually(t, func() bool { return stacksWith("semaphore.(*Weighted).Acquire") == len(waiters) }, waitFor, tick)
		cancel()
		all.Wait()
		for name, err := range failures {
			assert.ErrorIs(t, err, context.Canceled, name)
		}
	})
	set(t, doc, "k", 1)
	view(t, doc, func(*ycrdt.Tx) {})
}

// A writer that waits keeps later readers from overtaking it for ever.
func TestDoc_ReadersDoNotStarveWriters(t *testing.T) {
	doc := newDoc(t)
	wrote := make(chan struct{})
	var readers, writer sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for {
				select {
				case <-wrote:
					return
				default:
					assert.NoError(t, doc.View(func(tx *ycrdt.Tx) error { tx.Map("m").Len(); return nil }))
				}
			}
		})
	}
	writer.Go(func() {
		defer close(wrote)
		for i := range 100 {
			assert.NoError(t, doc.Transact(func(tx *ycrdt.Tx) error { return tx.Map("m").Set("k", i) }))
		}
	})
	writer.Wait()
	readers.Wait()
}
