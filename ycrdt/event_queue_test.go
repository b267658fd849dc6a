package ycrdt_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/yrs-go/yrs/ycrdt"
)

// set writes one key of the root map "m".
func set(t testing.TB, doc *ycrdt.Doc, key string, value any) {
	t.Helper()
	write(t, doc, func(tx *ycrdt.Tx) { require.NoError(t, tx.Map("m").Set(key, value)) })
}

// keysOf returns the keys that a map event names.
func keysOf(event ycrdt.Event) []string {
	var keys []string
	for key := range event.(*ycrdt.MapEvent).Keys {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

func TestSubscription_HearsEveryCommitInOrder(t *testing.T) {
	doc := newDoc(t)
	var (
		mu   sync.Mutex
		seen []int
	)
	sub := doc.OnUpdate(func(u ycrdt.UpdateEvent) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, u.Origin.(int))
	})
	defer sub.Close()

	const goroutines, commits = 8, 100
	var committed []int // in the order of the commits: appended under the document's lock
	var group errgroup.Group
	for g := range goroutines {
		group.Go(func() error {
			for i := range commits {
				id := g*commits + i
				err := doc.TransactContext(t.Context(), ycrdt.TxOptions{Origin: id}, func(tx *ycrdt.Tx) error {
					committed = append(committed, id)
					return tx.Map("m").Set("k", id)
				})
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
	require.NoError(t, group.Wait())
	write(t, doc, func(*ycrdt.Tx) {}) // whoever was delivering is done once the queue is seen empty
	require.Eventually(t, func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(seen) == goroutines*commits
	}, waitFor, tick)
	assert.Equal(t, committed, seen)
}

func TestSubscription_ObserversHearACommitBeforeSubscribersOfUpdates(t *testing.T) {
	doc := newDoc(t)
	var heard []string
	note := func(who string) func(ycrdt.UpdateEvent) {
		return func(ycrdt.UpdateEvent) { heard = append(heard, who) }
	}
	doc.OnUpdate(note("first"))
	doc.OnUpdate(note("second"))
	_, err := doc.Observe(ycrdt.RootMap("m"), func(ycrdt.Event) { heard = append(heard, "observer") })
	require.NoError(t, err)
	set(t, doc, "k", 1)
	set(t, doc, "k", 2)
	assert.Equal(t, []string{"observer", "first", "second", "observer", "first", "second"}, heard)
}

func TestSubscription_IsDeliveredBeforeTheCommitterReturns(t *testing.T) {
	doc := newDoc(t)
	heard := 0
	defer doc.OnUpdate(func(ycrdt.UpdateEvent) { heard++ }).Close()
	for i := range 10 {
		set(t, doc, "k", i)
		require.Equal(t, i+1, heard)
	}
}

// A commit inside a subscriber is delivered after everybody has heard of the one before.
func TestSubscription_MayCommit(t *testing.T) {
	doc := newDoc(t)
	var order []string
	hear := func(name string) func(ycrdt.UpdateEvent) {
		return func(u ycrdt.UpdateEvent) { order = append(order, name+u.Origin.(string)) }
	}
	defer doc.OnUpdate(func(u ycrdt.UpdateEvent) {
		hear("first:")(u)
		if n := len(u.Origin.(string)); n < 3 {
			assert.NoError(t, doc.TransactContext(t.Context(), ycrdt.TxOptions{Origin: u.Origin.(string) + "x"}, func(tx *ycrdt.Tx) error {
				return tx.Map("m").Set("k", n)
			}))
			order = append(order, "committed")
		}
	}).Close()
	defer doc.OnUpdate(hear("second:")).Close()

	require.NoError(t, doc.TransactContext(t.Context(), ycrdt.TxOptions{Origin: "x"}, func(tx *ycrdt.Tx) error {
		return tx.Map("m").Set("k", 0)
	}))
	assert.Equal(t, []string{
		"first:x", "committed", "second:x",
		"first:xx", "committed", "second:xx",
		"first:xxx", "second:xxx",
	}, order)
}

func TestSubscription_HearsOnlyCommitsAfterItself(t *testing.T) {
	subscribers := map[string]func(doc *ycrdt.Doc, hear func()) *ycrdt.Subscription{
		"OnUpdate": func(doc *ycrdt.Doc, hear func()) *ycrdt.Subscription {
			return doc.OnUpdate(func(ycrdt.UpdateEvent) { hear() })
		},
		"Observe": func(doc *ycrdt.Doc, hear func()) *ycrdt.Subscription {
			sub, err := doc.Observe(ycrdt.RootMap("m"), func(ycrdt.Event) { hear() })
			require.NoError(t, err)
			return sub
		},
		"ObserveDeep": func(doc *ycrdt.Doc, hear func()) *ycrdt.Subscription {
			sub, err := doc.ObserveDeep(ycrdt.RootMap("m"), func([]ycrdt.Event) { hear() })
			require.NoError(t, err)
			return sub
		},
	}
	for name, subscribe := range subscribers {
		t.Run(name, func(t *testing.T) {
			doc := newDoc(t)
			set(t, doc, "before", 0)
			late := 0
			var lateSub *ycrdt.Subscription
			first := subscribe(doc, func() {
				if lateSub != nil {
					return
				}
				// Two commits wait in the queue when the second subscriber arrives; a third follows it.
				set(t, doc, "waiting", 1)
				set(t, doc, "waiting", 2)
				lateSub = subscribe(doc, func() { late++ })
				set(t, doc, "after", 3)
			})
			defer first.Close()
			set(t, doc, "k", 0)
			lateSub.Close()
			assert.Equal(t, 1, late)
		})
	}
}

func TestSubscription_Close(t *testing.T) {
	doc := newDoc(t)
	var order []string
	var second *ycrdt.Subscription
	first := doc.OnUpdate(func(ycrdt.UpdateEvent) {
		order = append(order, "first")
		second.Close() // its call for this commit has not begun: it will not
		second.Close()
	})
	second = doc.OnUpdate(func(ycrdt.UpdateEvent) { order = append(order, "second") })
	var third *ycrdt.Subscription
	third = doc.OnUpdate(func(ycrdt.UpdateEvent) {
		order = append(order, "third")
		third.Close()
	})
	set(t, doc, "k", 1)
	set(t, doc, "k", 2)
	first.Close()
	set(t, doc, "k", 3)
	assert.Equal(t, []string{"first", "third", "first"}, order)
}

// A subscriber that closes while commits wait for delivery hears none of them.
func TestSubscription_CloseDropsWhatWaits(t *testing.T) {
	doc := newDoc(t)
	heard := 0
	var sub *ycrdt.Subscription
	sub, err := doc.Observe(ycrdt.RootMap("m"), func(ycrdt.Event) {
		heard++
		set(t, doc, "waiting", heard)
		sub.Close()
	})
	require.NoError(t, err)
	set(t, doc, "k", 1)
	assert.Equal(t, 1, heard)
}

func TestSubscription_MayCloseTheDocument(t *testing.T) {
	doc := newDoc(t)
	var heard []any
	defer doc.OnUpdate(func(u ycrdt.UpdateEvent) {
		heard = append(heard, u.Origin)
		if u.Origin == "x" {
			assert.NoError(t, doc.TransactContext(t.Context(), ycrdt.TxOptions{Origin: "y"}, func(tx *ycrdt.Tx) error {
				return tx.Map("m").Set("k", 2)
			}))
			assert.NoError(t, doc.Close())
			assert.ErrorIs(t, doc.View(func(*ycrdt.Tx) error { return nil }), ycrdt.ErrClosed)
		}
	}).Close()
	require.NoError(t, doc.TransactContext(t.Context(), ycrdt.TxOptions{Origin: "x"}, func(tx *ycrdt.Tx) error {
		return tx.Map("m").Set("k", 1)
	}))
	assert.Equal(t, []any{"x", "y"}, heard, "what was committed is delivered")
}

func TestSubscription_MaySubscribe(t *testing.T) {
	doc := newDoc(t)
	var heard []string
	var inner []*ycrdt.Subscription
	sub, err := doc.Observe(ycrdt.RootMap("m"), func(event ycrdt.Event) {
		heard = append(heard, "outer "+strings.Join(keysOf(event), " "))
		if len(inner) == 0 {
			inner = append(inner, doc.OnUpdate(func(ycrdt.UpdateEvent) { heard = append(heard, "update") }))
			nested, err := doc.Observe(ycrdt.RootMap("m"), func(event ycrdt.Event) {
				heard = append(heard, "inner "+strings.Join(keysOf(event), " "))
			})
			require.NoError(t, err)
			inner = append(inner, nested)
		}
	})
	require.NoError(t, err)
	defer sub.Close()
	set(t, doc, "a", 1)
	set(t, doc, "b", 1)
	for _, sub := range inner {
		sub.Close()
	}
	set(t, doc, "c", 1)
	assert.Equal(t, []string{"outer a", "outer b", "inner b", "update", "outer c"}, heard)
}

func TestSubscription_PanicReachesTheCommitterAfterEverybodyWasCalled(t *testing.T) {
	doc := newDoc(t)
	var heard []string
	sub, err := doc.Observe(ycrdt.RootMap("m"), func(ycrdt.Event) { panic("observer") })
	require.NoError(t, err)
	defer sub.Close()
	defer doc.OnUpdate(func(ycrdt.UpdateEvent) { panic("first") }).Close()
	defer doc.OnUpdate(func(u ycrdt.UpdateEvent) {
		heard = append(heard, fmt.Sprint(u.Origin))
		if u.Origin == "a" {
			assert.NoError(t, doc.TransactContext(t.Context(), ycrdt.TxOptions{Origin: "b"}, func(tx *ycrdt.Tx) error {
				return tx.Map("m").Set("k", 2)
			}))
		}
	}).Close()

	assert.PanicsWithValue(t, "observer", func() {
		_ = doc.TransactContext(t.Context(), ycrdt.TxOptions{Origin: "a"}, func(tx *ycrdt.Tx) error {
			return tx.Map("m").Set("k", 1)
		})
	})
	assert.Equal(t, []string{"a", "b"}, heard)
	assert.PanicsWithValue(t, "observer", func() { set(t, doc, "k", 3) }, "the document works on")
	assert.Equal(t, map[string]any{"k": int64(3)}, mapOf(t, doc, "m"))
}

// A subscriber that ends its goroutine, as a failed test assertion does, must not silence the others.
func TestSubscription_GoexitStopsNobodyElse(t *testing.T) {
	doc := newDoc(t)
	var heard []string
	defer doc.OnUpdate(func(u ycrdt.UpdateEvent) {
		if u.Origin == "a" {
			assert.NoError(t, doc.TransactContext(t.Context(), ycrdt.TxOptions{Origin: "b"}, func(tx *ycrdt.Tx) error {
				return tx.Map("m").Set("k", 2)
			}))
		}
		runtime.Goexit()
	}).Close()
	defer doc.OnUpdate(func(u ycrdt.UpdateEvent) { heard = append(heard, u.Origin.(string)) }).Close()

	inGoroutine(func() {
		_ = doc.TransactContext(t.Context(), ycrdt.TxOptions{Origin: "a"}, func(tx *ycrdt.Tx) error {
			return tx.Map("m").Set("k", 1)
		})
	})
	assert.Equal(t, []string{"a", "b"}, heard)
	inGoroutine(func() {
		_ = doc.TransactContext(t.Context(), ycrdt.TxOptions{Origin: "c"}, func(tx *ycrdt.Tx) error {
			return tx.Map("m").Set("k", 3)
		})
	})
	assert.Equal(t, []string{"a", "b", "c"}, heard, "the queue is idle again")
}

// inGoroutine runs fn in a goroutine that it may end, and waits for that.
func inGoroutine(fn func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		fn()
	}()
	<-done
}

// blockedDoc returns a document whose only subscriber blocks, with more waiting for it than the queue takes, and
// what lets the subscriber go on.
func blockedDoc(t *testing.T) (doc *ycrdt.Doc, release func()) {
	doc = newDoc(t)
	gate := make(chan struct{})
	entered := make(chan struct{}, 1)
	sub := doc.OnUpdate(func(ycrdt.UpdateEvent) {
		select {
		case entered <- struct{}{}:
		default:
		}
		<-gate
	})
	var delivering sync.WaitGroup
	delivering.Go(func() { set(t, doc, "k", 0) })
	<-entered
	release = sync.OnceFunc(func() {
		close(gate)
		delivering.Wait()
		sub.Close()
	})
	t.Cleanup(release)
	fill(t, doc)
	return doc, release
}

// fill commits 16 MiB while somebody else is delivering.
func fill(t *testing.T, doc *ycrdt.Doc) {
	t.Helper()
	for range 4 {
		set(t, doc, "big", make([]byte, 4<<20))
	}
}

func TestSubscription_FullQueueMakesCommitsWait(t *testing.T) {
	doc, release := blockedDoc(t)
	commits := map[string]func(context.Context) error{
		"transact": func(ctx context.Context) error {
			return doc.TransactContext(ctx, ycrdt.TxOptions{}, func(tx *ycrdt.Tx) error { return tx.Map("m").Set("late", 1) })
		},
		"apply update": func(ctx context.Context) error {
			return doc.ApplyUpdateContext(ctx, ycrdt.TxOptions{}, []byte{0, 0})
		},
	}
	for name, commit := range commits {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		assert.ErrorIs(t, commit(ctx), context.Canceled, name)
	}
	assert.NoError(t, doc.View(func(*ycrdt.Tx) error { return nil }), "readers do not wait")

	var waiting errgroup.Group
	for _, commit := range commits {
		waiting.Go(func() error { return commit(t.Context()) })
	}
	require.Eventually(t, func() bool { return stacksWith("waitForRoom") == len(commits) }, waitFor, tick)
	release()
	require.NoError(t, waiting.Wait())
	assert.Contains(t, mapOf(t, doc, "m"), "late")
}

// A subscriber must not wait for the queue that only it can empty, however deep the call stack below it is.
func TestSubscription_MayCommitWhileTheQueueIsFull(t *testing.T) {
	for _, depth := range []int{0, 100, 1000} {
		t.Run(strconv.Itoa(depth), func(t *testing.T) {
			doc := newDoc(t)
			var once sync.Once
			ctx, cancel := context.WithTimeout(t.Context(), waitFor)
			defer cancel()
			defer doc.OnUpdate(func(ycrdt.UpdateEvent) {
				once.Do(func() {
					fill(t, doc)
					var err error
					recurse(depth, func() { err = doc.ApplyUpdateContext(ctx, ycrdt.TxOptions{}, []byte{0, 0}) })
					assert.NoError(t, err)
				})
			}).Close()
			set(t, doc, "k", 0)
		})
	}
}

//go:noinline
func recurse(depth int, fn func()) {
	if depth > 0 {
		recurse(depth-1, fn)
		return
	}
	fn()
}

// stacksWith counts the goroutines that are inside function.
func stacksWith(function string) int {
	buf := make([]byte, 1<<20)
	buf = buf[:runtime.Stack(buf, true)]
	count := 0
	for stack := range strings.SplitSeq(string(buf), "\n\n") {
		if strings.Contains(stack, function) {
			count++
		}
	}
	return count
}

// A subscriber that is nil is refused where it is passed, and not by a commit that comes later.
func TestSubscription_RefusesNil(t *testing.T) {
	doc := newDoc(t)
	_, err := doc.Observe(ycrdt.RootMap("m"), nil)
	assert.ErrorIs(t, err, ycrdt.ErrInvalidArgument)
	_, err = doc.ObserveDeep(ycrdt.RootMap("m"), nil)
	assert.ErrorIs(t, err, ycrdt.ErrInvalidArgument)
	write(t, doc, func(tx *ycrdt.Tx) {
		_, err := tx.Observe(ycrdt.RootMap("m"), nil)
		assert.EqualError(t, err, "ycrdt: observe: the subscriber is nil")
		_, err = tx.ObserveDeep(ycrdt.RootMap("m"), nil)
		assert.EqualError(t, err, "ycrdt: observe deep: the subscriber is nil")
	})
	assert.PanicsWithValue(t, "ycrdt: OnUpdate: the subscriber is nil", func() { doc.OnUpdate(nil) })
	assert.PanicsWithValue(t, "ycrdt: Awareness.Observe: the observer is nil", func() { ycrdt.NewAwareness(doc).Observe(nil) })
	set(t, doc, "k", 1)
}
