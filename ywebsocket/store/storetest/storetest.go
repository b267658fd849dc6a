// Package storetest holds the tests that every [store.Store] passes.
package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ywebsocket/store"
)

// Run tests the stores that open returns. Every call must give an empty one; the
// suite closes it.
func Run(t *testing.T, open func(t *testing.T) store.Store) {
	tests := []struct {
		name string
		run  func(t *testing.T, s store.Store)
	}{
		{"LoadUnknownRoom", testLoadUnknownRoom},
		{"LoadReturnsAppendsInOrder", testLoadReturnsAppendsInOrder},
		{"LoadStopsAtAnError", testLoadStopsAtAnError},
		{"LoadAnswersACancelledContext", testLoadCancelled},
		{"LoadWhileAppending", testLoadWhileAppending},
		{"LoadEndsWhileAppending", testLoadEndsWhileAppending},
		{"LoadsDoNotKeepOthersWaiting", testLoadsDoNotKeepOthersWaiting},
		{"RoomsAreApart", testRoomsAreApart},
		{"AppendKeepsAnyBytes", testAppendKeepsAnyBytes},
		{"AppendDoesNotKeepTheBuffer", testAppendDoesNotKeepTheBuffer},
		{"AppendOfNothing", testAppendOfNothing},
		{"AppendToNoName", testAppendToNoName},
		{"AppendAnswersACancelledContext", testAppendCancelled},
		{"AppendConcurrently", testAppendConcurrently},
		{"Ping", testPing},
		{"Close", testClose},
		{"CloseWhileAppending", testCloseWhileAppending},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := open(t)
			t.Cleanup(func() { assert.NoError(t, s.Close()) })
			test.run(t, s)
		})
	}
}

// RunDurable tests what a store keeps when it is closed and opened again. Every
// call of open with the same directory must give the same store.
func RunDurable(t *testing.T, open func(t *testing.T, dir string) store.Store) {
	t.Run("ReopenFindsEverything", func(t *testing.T) {
		dir := t.TempDir()
		s := open(t, dir)
		appendAll(t, s, "a", "one", "two")
		appendAll(t, s, "b", "three")
		require.NoError(t, s.Close())

		s = open(t, dir)
		defer s.Close()
		assert.Equal(t, []string{"one", "two"}, load(t, s, "a"))
		assert.Equal(t, []string{"three"}, load(t, s, "b"))
		appendAll(t, s, "a", "four")
		assert.Equal(t, []string{"one", "two", "four"}, load(t, s, "a"))
	})
}

func testLoadUnknownRoom(t *testing.T, s store.Store) {
	appendAll(t, s, "known", "x")
	err := s.Load(t.Context(), "unknown", func([]byte) error {
		t.Error("an unknown room has no updates")
		return nil
	})
	assert.ErrorIs(t, err, store.ErrNotFound)
}

func testLoadReturnsAppendsInOrder(t *testing.T, s store.Store) {
	var want []string
	for i := range 50 {
		first, second := fmt.Sprint("first ", i), fmt.Sprint("second ", i)
		appendAll(t, s, "room", first, second)
		appendAll(t, s, "other", "noise")
		want = append(want, first, second)
	}
	assert.Equal(t, want, load(t, s, "room"))
}

func testLoadStopsAtAnError(t *testing.T, s store.Store) {
	appendAll(t, s, "room", "a", "b", "c")
	stop := errors.New("stop")
	calls := 0
	err := s.Load(t.Context(), "room", func([]byte) error {
		calls++
		if calls == 2 {
			return stop
		}
		return nil
	})
	assert.ErrorIs(t, err, stop)
	assert.Equal(t, 2, calls)
	assert.Equal(t, []string{"a", "b", "c"}, load(t, s, "room"), "the next load is complete")
}

func testLoadCancelled(t *testing.T, s store.Store) {
	appendAll(t, s, "room", "a")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := s.Load(ctx, "room", func([]byte) error { return nil })
	assert.ErrorIs(t, err, context.Canceled)
	assert.NotErrorIs(t, err, store.ErrNotFound)
}

func testLoadWhileAppending(t *testing.T, s store.Store) {
	appendAll(t, s, "room", "a", "b")
	var seen []string
	err := s.Load(t.Context(), "room", func(update []byte) error {
		seen = append(seen, string(update))
		return s.Append(t.Context(), "room", []byte("later"))
	})
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(seen), 2)
	assert.Equal(t, []string{"a", "b"}, seen[:2])
	assert.Len(t, load(t, s, "room"), 2+len(seen))
}

// large returns an update that a store may read by itself, and begins with the text.
func large(text string) string { return text + strings.Repeat(".", 1<<20) }

// What is appended meanwhile may be left out; Load ends however much that is.
func testLoadEndsWhileAppending(t *testing.T, s store.Store) {
	appendAll(t, s, "room", large("a"), large("b"), large("c"))
	calls := 0
	require.NoError(t, s.Load(t.Context(), "room", func([]byte) error {
		calls++
		if calls > 10 {
			return errors.New("it does not end")
		}
		return s.Append(t.Context(), "room", []byte(large("later")))
	}))
	assert.GreaterOrEqual(t, calls, 3)
}

// Rooms that take long to load keep no other from being loaded.
func testLoadsDoNotKeepOthersWaiting(t *testing.T, s store.Store) {
	const slow = 32
	appendAll(t, s, "other", "x")
	for i := range slow {
		appendAll(t, s, fmt.Sprint(i), "a", "b")
	}
	var started, loads sync.WaitGroup
	release := make(chan struct{})
	started.Add(slow)
	for i := range slow {
		loads.Go(func() {
			hold := sync.OnceFunc(func() {
				started.Done()
				<-release
			})
			assert.NoError(t, s.Load(t.Context(), fmt.Sprint(i), func([]byte) error { hold(); return nil }))
		})
	}
	all := make(chan struct{})
	go func() {
		started.Wait()
		close(all)
	}()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	select {
	case <-all:
		assert.NoError(t, s.Load(ctx, "other", func([]byte) error { return nil }))
	case <-ctx.Done():
		assert.Fail(t, "rooms wait for others")
	}
	close(release)
	loads.Wait()
}

// patience is how long a test waits for what should come at once.
const patience = 10 * time.Second

func testRoomsAreApart(t *testing.T, s store.Store) {
	names := []string{
		"a", "A", "a ", "a/b", "a%2Fb", "a_b", "a%", "'; DROP TABLE updates; --",
		"\u00e9", "e\u0301", "日本語", strings.Repeat("x", 2048), strings.Repeat("x", 2049),
	}
	names = append(names, longNames()...)
	for _, name := range names {
		appendAll(t, s, name, "in "+name)
	}
	for _, name := range names {
		assert.Equal(t, []string{"in " + name}, load(t, s, name))
	}
}

// longNames returns names of 10 kB that do not become shorter by compression, and differ
// at their ends only.
func longNames() []string {
	random := rand.New(rand.NewPCG(1, 2))
	long := make([]rune, 5_000)
	for i := range long {
		long[i] = rune(0x100 + random.IntN(0x700)) // two bytes each
	}
	return []string{string(long) + "a", string(long) + "b"}
}

func testAppendKeepsAnyBytes(t *testing.T, s store.Store) {
	updates := []string{"", "\x00", "\x00\x00", "\xff\xfe", strings.Repeat("\x00\xff'", 2_000_000)}
	for _, update := range updates {
		appendAll(t, s, "room", update)
	}
	got := load(t, s, "room")
	require.Len(t, got, len(updates))
	for i := range updates {
		assert.True(t, updates[i] == got[i], "update %d of %d bytes came back as %d", i, len(updates[i]), len(got[i]))
	}
}

func testAppendDoesNotKeepTheBuffer(t *testing.T, s store.Store) {
	buffer := []byte("before")
	require.NoError(t, s.Append(t.Context(), "room", buffer))
	copy(buffer, "after!")
	assert.Equal(t, []string{"before"}, load(t, s, "room"))
}

func testAppendOfNothing(t *testing.T, s store.Store) {
	require.NoError(t, s.Append(t.Context(), "room"))
	err := s.Load(t.Context(), "room", func([]byte) error { return nil })
	assert.ErrorIs(t, err, store.ErrNotFound, "appending nothing creates no room")
}

// noNames are what no room or version can be called.
var noNames = []string{"", "\x00", "a\x00", "\xff", "a\xc3"}

func testAppendToNoName(t *testing.T, s store.Store) {
	for _, name := range noNames {
		assert.ErrorIs(t, s.Append(t.Context(), name, []byte("x")), store.ErrName)
		assert.Error(t, s.Load(t.Context(), name, func([]byte) error { return nil }))
	}
	appendAll(t, s, "room", "x")
}

func testAppendCancelled(t *testing.T, s store.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	assert.ErrorIs(t, s.Append(ctx, "room", []byte("x")), context.Canceled)
}

func testAppendConcurrently(t *testing.T, s store.Store) {
	const rooms, writers, rounds = 5, 4, 20
	var wg sync.WaitGroup
	for r := range rooms {
		for w := range writers {
			wg.Go(func() {
				for i := range rounds {
					update := fmt.Sprintf("%d %03d", w, i)
					assert.NoError(t, s.Append(t.Context(), fmt.Sprint(r), []byte(update)))
				}
			})
		}
	}
	wg.Wait()
	for r := range rooms {
		next := make([]int, writers)
		for _, update := range load(t, s, fmt.Sprint(r)) {
			var w, i int
			_, err := fmt.Sscanf(update, "%d %d", &w, &i)
			require.NoError(t, err)
			assert.Equal(t, next[w], i, "the updates of one writer are in its order")
			next[w] = i + 1
		}
		for w := range writers {
			assert.Equal(t, rounds, next[w])
		}
	}
}

func testPing(t *testing.T, s store.Store) {
	assert.NoError(t, s.Ping(t.Context()))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	assert.Error(t, s.Ping(ctx))
}

func testClose(t *testing.T, s store.Store) {
	appendAll(t, s, "room", "x")
	require.NoError(t, s.Close())
	require.NoError(t, s.Close(), "closing again does nothing")
	assert.ErrorIs(t, s.Append(t.Context(), "room", []byte("y")), store.ErrClosed)
	assert.ErrorIs(t, s.Load(t.Context(), "room", func([]byte) error { return nil }), store.ErrClosed)
	assert.ErrorIs(t, s.Ping(t.Context()), store.ErrClosed)
}

func testCloseWhileAppending(t *testing.T, s store.Store) {
	started := make(chan struct{}, 4)
	var wg sync.WaitGroup
	for range cap(started) {
		wg.Go(func() {
			for first := true; ; first = false {
				err := s.Append(context.Background(), "room", []byte("x"))
				if first {
					started <- struct{}{}
				}
				if err != nil {
					assert.ErrorIs(t, err, store.ErrClosed)
					return
				}
			}
		})
	}
	for range cap(started) {
		<-started
	}
	assert.NoError(t, s.Close())
	wg.Wait()
}

func appendAll(t *testing.T, s store.Store, room string, updates ...string) {
	t.Helper()
	raw := make([][]byte, len(updates))
	for i, update := range updates {
		raw[i] = []byte(update)
	}
	require.NoError(t, s.Append(t.Context(), room, raw...))
}

func load(t *testing.T, s store.Store, room string) []string {
	t.Helper()
	var updates []string
	require.NoError(t, s.Load(t.Context(), room, func(update []byte) error {
		updates = append(updates, string(bytes.Clone(update)))
		return nil
	}))
	return updates
}
