package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ywebsocket/store"
)

// RunArchive tests the archives that open returns, beside what [Run] tests. Every
// call must give an empty one; the suite closes it.
func RunArchive(t *testing.T, open func(t *testing.T) store.Archive) {
	Run(t, func(t *testing.T) store.Store { return open(t) })
	tests := []struct {
		name string
		run  func(t *testing.T, a store.Archive)
	}{
		{"CompactReplacesTheBeginning", testCompactReplacesTheBeginning},
		{"CompactAgain", testCompactAgain},
		{"CompactKeepsWhatIsYoung", testCompactKeepsWhatIsYoung},
		{"CompactWithNothingToMerge", testCompactWithNothingToMerge},
		{"CompactFails", testCompactFails},
		{"CompactWhileAppending", testCompactWhileAppending},
		{"CompactTwiceAtOnce", testCompactTwiceAtOnce},
		{"CompactACompactedRoom", testCompactACompactedRoom},
		{"CompactADeletedRoom", testCompactADeletedRoom},
		{"CompactLargeRoom", testCompactLargeRoom},
		{"LoadWhileCompacting", testLoadWhileCompacting},
		{"LoadWhileDeleting", testLoadWhileDeleting},
		{"LoadAt", testLoadAt},
		{"LoadAtAfterCompact", testLoadAtAfterCompact},
		{"Stat", testStat},
		{"Rooms", testRooms},
		{"Delete", testDelete},
		{"Versions", testVersions},
		{"VersionsOfAnyName", testVersionsOfAnyName},
		{"VersionsOutliveTheLog", testVersionsOutliveTheLog},
		{"CloseEndsAll", testArchiveClose},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a := open(t)
			t.Cleanup(func() { assert.NoError(t, a.Close()) })
			test.run(t, a)
		})
	}
}

// RunDurableArchive tests what an archive keeps when it is closed and opened
// again, beside what [RunDurable] tests.
func RunDurableArchive(t *testing.T, open func(t *testing.T, dir string) store.Archive) {
	RunDurable(t, func(t *testing.T, dir string) store.Store { return open(t, dir) })
	t.Run("ReopenFindsCheckpointsAndVersions", func(t *testing.T) {
		dir := t.TempDir()
		a := open(t, dir)
		appendAll(t, a, "room", "a", "b")
		require.NoError(t, a.SaveVersion(t.Context(), "room", "first", []byte("state")))
		require.NoError(t, a.Compact(t.Context(), "room", time.Time{}, join))
		appendAll(t, a, "room", "c")
		appendAll(t, a, "gone", "x")
		require.NoError(t, a.Delete(t.Context(), "gone"))
		before, err := a.Stat(t.Context(), "room")
		require.NoError(t, err)
		require.NoError(t, a.Close())

		a = open(t, dir)
		defer a.Close()
		assert.Equal(t, []string{"a+b", "c"}, load(t, a, "room"))
		after, err := a.Stat(t.Context(), "room")
		require.NoError(t, err)
		assert.Equal(t, before, after)
		state, err := a.LoadVersion(t.Context(), "room", "first")
		require.NoError(t, err)
		assert.Equal(t, "state", string(state))
		assert.ErrorIs(t, a.Load(t.Context(), "gone", func([]byte) error { return nil }), store.ErrNotFound)
		appendAll(t, a, "room", "d")
		require.NoError(t, a.Compact(t.Context(), "room", time.Time{}, join))
		assert.Equal(t, []string{"a+b+c+d"}, load(t, a, "room"))
	})
}

// join merges updates so that it can be seen what was merged, in which order.
func join(updates [][]byte) ([]byte, error) { return bytes.Join(updates, []byte("+")), nil }

func testCompactReplacesTheBeginning(t *testing.T, a store.Archive) {
	appendAll(t, a, "room", "a", "b")
	appendAll(t, a, "other", "x", "y")
	appendAll(t, a, "room", "c")
	require.NoError(t, a.Compact(t.Context(), "room", time.Time{}, join))
	assert.Equal(t, []string{"a+b+c"}, load(t, a, "room"))
	assert.Equal(t, []string{"x", "y"}, load(t, a, "other"))
	appendAll(t, a, "room", "d")
	assert.Equal(t, []string{"a+b+c", "d"}, load(t, a, "room"))
}

func testCompactAgain(t *testing.T, a store.Archive) {
	var want []string
	for i := range 20 {
		appendAll(t, a, "room", fmt.Sprint(i))
		want = append(want, fmt.Sprint(i))
		require.NoError(t, a.Compact(t.Context(), "room", time.Time{}, join))
		assert.Equal(t, []string{strings.Join(want, "+")}, load(t, a, "room"))
	}
}

func testCompactKeepsWhatIsYoung(t *testing.T, a store.Archive) {
	appendAll(t, a, "room", "a", "b")
	young := later(t, a, "room")
	appendAll(t, a, "room", "c", "d")
	require.NoError(t, a.Compact(t.Context(), "room", young, join))
	assert.Equal(t, []string{"a+b", "c", "d"}, load(t, a, "room"))
}

func testCompactWithNothingToMerge(t *testing.T, a store.Archive) {
	never := func([][]byte) ([]byte, error) {
		t.Error("there is nothing to merge")
		return nil, nil
	}
	assert.ErrorIs(t, a.Compact(t.Context(), "room", time.Time{}, never), store.ErrNotFound)
	long := time.Now()
	appendAll(t, a, "room", "a")
	assert.NoError(t, a.Compact(t.Context(), "room", time.Time{}, never))
	appendAll(t, a, "room", "b")
	assert.NoError(t, a.Compact(t.Context(), "room", long.Add(-time.Hour), never))
	assert.Equal(t, []string{"a", "b"}, load(t, a, "room"))
}

func testCompactFails(t *testing.T, a store.Archive) {
	appendAll(t, a, "room", "a", "b")
	failure := errors.New("these do not fit")
	err := a.Compact(t.Context(), "room", time.Time{}, func([][]byte) ([]byte, error) { return []byte("lost"), failure })
	assert.ErrorIs(t, err, failure)
	assert.Equal(t, []string{"a", "b"}, load(t, a, "room"))

	ctx, cancel := context.WithCancel(t.Context())
	err = a.Compact(ctx, "room", time.Time{}, func(updates [][]byte) ([]byte, error) {
		cancel()
		return join(updates)
	})
	assert.ErrorIs(t, err, context.Canceled)
	assert.Equal(t, []string{"a", "b"}, load(t, a, "room"))
	require.NoError(t, a.Compact(t.Context(), "room", time.Time{}, join), "a failure leaves nothing in the way")
	assert.Equal(t, []string{"a+b"}, load(t, a, "room"))
}

// Whatever is appended before, during and after a compaction is there afterwards, once.
func testCompactWhileAppending(t *testing.T, a store.Archive) {
	const writers, rounds = 4, 100
	appendAll(t, a, "room", "first")
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range rounds {
				assert.NoError(t, a.Append(t.Context(), "room", fmt.Appendf(nil, "%d/%d", w, i)))
			}
		})
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				assert.NoError(t, a.Compact(t.Context(), "room", time.Time{}, join))
			}
		}
	}()
	wg.Wait()
	close(stop)
	<-stopped
	got := strings.Split(strings.Join(load(t, a, "room"), "+"), "+")
	slices.Sort(got)
	want := []string{"first"}
	for w := range writers {
		for i := range rounds {
			want = append(want, fmt.Sprintf("%d/%d", w, i))
		}
	}
	slices.Sort(want)
	assert.Equal(t, want, got)
}

func testCompactTwiceAtOnce(t *testing.T, a store.Archive) {
	appendAll(t, a, "room", "a", "b", "c")
	errs := make(chan error, 4)
	for range cap(errs) {
		go func() { errs <- a.Compact(t.Context(), "room", time.Time{}, join) }()
	}
	for range cap(errs) {
		if err := <-errs; err != nil {
			assert.ErrorIs(t, err, store.ErrChanged)
		}
	}
	assert.Equal(t, []string{"a+b+c"}, load(t, a, "room"))
}

// A compaction that overtakes another is not undone by it.
func testCompactACompactedRoom(t *testing.T, a store.Archive) {
	appendAll(t, a, "room", "a", "b", "c")
	overtook := false
	inner := make(chan error, 1)
	err := a.Compact(t.Context(), "room", time.Time{}, func(updates [][]byte) ([]byte, error) {
		merged, err := join(updates)
		// A store may have the one wait for the other.
		go func() {
			inner <- a.Compact(t.Context(), "room", time.Time{}, func([][]byte) ([]byte, error) {
				overtook = true
				return []byte("inner"), nil
			})
		}()
		select {
		case err := <-inner:
			inner <- err
		case <-time.After(50 * time.Millisecond):
		}
		return merged, err
	})
	if innerErr := <-inner; innerErr != nil {
		assert.ErrorIs(t, innerErr, store.ErrChanged)
		overtook = false
	}
	if overtook {
		assert.ErrorIs(t, err, store.ErrChanged)
		assert.Equal(t, []string{"inner"}, load(t, a, "room"))
	} else {
		assert.NoError(t, err)
		assert.Equal(t, []string{"a+b+c"}, load(t, a, "room"))
	}
}

func testCompactADeletedRoom(t *testing.T, a store.Archive) {
	appendAll(t, a, "room", "a", "b")
	deleted := make(chan error, 1)
	err := a.Compact(t.Context(), "room", time.Time{}, func(updates [][]byte) ([]byte, error) {
		merged, err := join(updates)
		// A store may have the deletion wait for the compaction.
		go func() { deleted <- a.Delete(t.Context(), "room") }()
		select {
		case err := <-deleted:
			deleted <- err
		case <-time.After(50 * time.Millisecond):
		}
		return merged, err
	})
	if err != nil {
		assert.ErrorIs(t, err, store.ErrChanged)
	}
	require.NoError(t, <-deleted)
	err = a.Load(t.Context(), "room", func([]byte) error { return nil })
	assert.ErrorIs(t, err, store.ErrNotFound, "a deleted room does not come back")
}

func testCompactLargeRoom(t *testing.T, a store.Archive) {
	updates := make([]string, 5_000)
	for i := range updates {
		updates[i] = fmt.Sprint(i)
	}
	appendAll(t, a, "room", updates...)
	require.NoError(t, a.Compact(t.Context(), "room", time.Time{}, join))
	assert.Equal(t, []string{strings.Join(updates, "+")}, load(t, a, "room"))
}

// Whenever a room is compacted while it is read, all of it is read.
func testLoadWhileCompacting(t *testing.T, a store.Archive) {
	names := []string{"a", "b", "c", "d", "e"}
	for at := range names {
		for _, compacted := range []bool{false, true} { // at first
			room := fmt.Sprint(at, compacted)
			for _, name := range names {
				appendAll(t, a, room, large(name))
			}
			if compacted {
				require.NoError(t, a.Compact(t.Context(), room, time.Time{}, join))
				appendAll(t, a, room, large("f"), large("g"), large("h"))
			}
			before := parts(load(t, a, room))
			var seen []string
			calls := 0
			require.NoError(t, a.Load(t.Context(), room, func(update []byte) error {
				seen = append(seen, string(update))
				calls++
				if calls-1 != at {
					return nil
				}
				appendAll(t, a, room, large("later"))
				return a.Compact(t.Context(), room, time.Time{}, join)
			}))
			assert.Subset(t, parts(seen), before, room)
		}
	}
}

// parts returns the beginnings of large updates, which may have been joined.
func parts(updates []string) (names []string) {
	for _, update := range strings.Split(strings.Join(updates, "+"), "+") {
		names = append(names, strings.TrimRight(update, "."))
	}
	return names
}

// A room that is deleted while it is read is not taken for a shorter one.
func testLoadWhileDeleting(t *testing.T, a store.Archive) {
	names := []string{"a", "b", "c", "d"}
	for at := range names {
		for _, again := range []bool{false, true} {
			for _, name := range names {
				appendAll(t, a, "room", large(name))
			}
			var seen []string
			err := a.Load(t.Context(), "room", func(update []byte) error {
				seen = append(seen, string(update))
				if len(seen)-1 != at {
					return nil
				}
				if err := a.Delete(t.Context(), "room"); err != nil || !again {
					return err
				}
				return a.Append(t.Context(), "room", []byte("new"))
			})
			if err != nil {
				assert.ErrorIs(t, err, store.ErrNotFound)
			} else {
				assert.Equal(t, names, parts(seen))
			}
			require.NoError(t, a.Delete(t.Context(), "room"))
		}
	}
}

func testLoadAt(t *testing.T, a store.Archive) {
	before := time.Now().Add(-time.Hour)
	assert.ErrorIs(t, a.LoadAt(t.Context(), "room", time.Now(), nil), store.ErrNotFound)
	appendAll(t, a, "room", "a")
	first := modified(t, a, "room")
	later(t, a, "room")
	appendAll(t, a, "room", "b", "c")
	second := modified(t, a, "room")
	later(t, a, "room")
	appendAll(t, a, "room", "d")
	assert.ErrorIs(t, a.LoadAt(t.Context(), "room", before, nil), store.ErrNotFound)
	assert.Equal(t, []string{"a"}, loadAt(t, a, "room", first))
	assert.Equal(t, []string{"a", "b", "c"}, loadAt(t, a, "room", second))
	assert.Equal(t, []string{"a", "b", "c", "d"}, loadAt(t, a, "room", time.Now().Add(time.Hour)))
	stop := errors.New("stop")
	assert.ErrorIs(t, a.LoadAt(t.Context(), "room", second, func([]byte) error { return stop }), stop)
	var seen []string
	require.NoError(t, a.LoadAt(t.Context(), "room", second, func(update []byte) error {
		seen = append(seen, string(update))
		return a.Compact(t.Context(), "room", time.Time{}, join)
	}))
	assert.Equal(t, []string{"a", "b", "c"}, seen, "whatever is compacted meanwhile")
}

func testLoadAtAfterCompact(t *testing.T, a store.Archive) {
	appendAll(t, a, "room", "a")
	first := modified(t, a, "room")
	later(t, a, "room")
	appendAll(t, a, "room", "b")
	second := modified(t, a, "room")
	young := later(t, a, "room")
	appendAll(t, a, "room", "c")
	third := modified(t, a, "room")
	later(t, a, "room")
	appendAll(t, a, "room", "d")
	require.NoError(t, a.Compact(t.Context(), "room", young, join))
	assert.ErrorIs(t, a.LoadAt(t.Context(), "room", first, func([]byte) error { return nil }), store.ErrCompacted)
	assert.Equal(t, []string{"a+b"}, loadAt(t, a, "room", second))
	assert.Equal(t, []string{"a+b", "c"}, loadAt(t, a, "room", third))
	assert.ErrorIs(t, a.LoadAt(t.Context(), "room", first.Add(-time.Hour), nil), store.ErrNotFound)
}

func testStat(t *testing.T, a store.Archive) {
	_, err := a.Stat(t.Context(), "room")
	assert.ErrorIs(t, err, store.ErrNotFound)
	start := time.Now().Add(-time.Second)
	appendAll(t, a, "room", "12345", "")
	info, err := a.Stat(t.Context(), "room")
	require.NoError(t, err)
	assert.Equal(t, "room", info.Room)
	assert.EqualValues(t, 2, info.Updates)
	assert.GreaterOrEqual(t, info.Bytes, int64(5))
	assert.WithinRange(t, info.Created, start, time.Now().Add(time.Second))
	assert.WithinRange(t, info.Modified, info.Created, time.Now().Add(time.Second))
	later(t, a, "room")
	appendAll(t, a, "room", "67890")
	assertCoarse(t, info.Created, info.Modified)
	longer, err := a.Stat(t.Context(), "room")
	require.NoError(t, err)
	assert.EqualValues(t, 3, longer.Updates)
	assert.GreaterOrEqual(t, longer.Bytes, info.Bytes+5)
	assert.Equal(t, info.Created, longer.Created)
	assert.True(t, longer.Modified.After(info.Modified))
	require.NoError(t, a.Compact(t.Context(), "room", time.Time{}, func([][]byte) ([]byte, error) { return []byte("x"), nil }))
	compacted, err := a.Stat(t.Context(), "room")
	require.NoError(t, err)
	assert.EqualValues(t, 1, compacted.Updates)
	assert.Less(t, compacted.Bytes, longer.Bytes)
	assert.Equal(t, longer.Created, compacted.Created)
	assert.Equal(t, longer.Modified, compacted.Modified)
}

// assertCoarse checks that times are in microseconds, and of the wall clock.
func assertCoarse(t *testing.T, times ...time.Time) {
	t.Helper()
	for _, at := range times {
		assert.True(t, at == at.Truncate(time.Microsecond), at)
	}
}

func testRooms(t *testing.T, a store.Archive) {
	names := append([]string{"A", "a", "a/b", "b", "c%2Fd", "日本語"}, longNames()...)
	for i := range 300 {
		names = append(names, fmt.Sprintf("many %03d", i))
	}
	for _, name := range names {
		appendAll(t, a, name, name)
	}
	slices.Sort(names)
	list := func(after string) (listed []string) {
		require.NoError(t, a.Rooms(t.Context(), after, func(info store.Info) error {
			assert.EqualValues(t, 1, info.Updates)
			assert.GreaterOrEqual(t, info.Bytes, int64(len(info.Room)))
			listed = append(listed, info.Room)
			_, err := a.Stat(t.Context(), info.Room)
			return err
		}))
		return listed
	}
	assert.Equal(t, names, list(""))
	assert.Equal(t, names[3:], list(names[2]))
	assert.Equal(t, names[2:], list(names[1]+"\x01"), "the name after which it begins need not exist")
	assert.Empty(t, list(names[len(names)-1]))
	stop := errors.New("stop")
	calls := 0
	err := a.Rooms(t.Context(), "", func(store.Info) error {
		calls++
		return stop
	})
	assert.ErrorIs(t, err, stop)
	assert.Equal(t, 1, calls)
}

func testDelete(t *testing.T, a store.Archive) {
	appendAll(t, a, "room", "a", "b")
	appendAll(t, a, "other", "x")
	require.NoError(t, a.SaveVersion(t.Context(), "room", "v", []byte("state")))
	require.NoError(t, a.Delete(t.Context(), "room"))
	require.NoError(t, a.Delete(t.Context(), "room"), "deleting again does nothing")
	_, err := a.Stat(t.Context(), "room")
	assert.ErrorIs(t, err, store.ErrNotFound)
	assert.ErrorIs(t, a.Load(t.Context(), "room", func([]byte) error { return nil }), store.ErrNotFound)
	versions, err := a.Versions(t.Context(), "room")
	require.NoError(t, err)
	assert.Empty(t, versions)
	assert.Equal(t, []string{"x"}, load(t, a, "other"))
	appendAll(t, a, "room", "new")
	assert.Equal(t, []string{"new"}, load(t, a, "room"))
	_, err = a.LoadVersion(t.Context(), "room", "v")
	assert.ErrorIs(t, err, store.ErrNotFound, "a new room of the same name has not the old one's versions")
}

func testVersions(t *testing.T, a store.Archive) {
	assert.ErrorIs(t, a.SaveVersion(t.Context(), "room", "v", nil), store.ErrNotFound)
	appendAll(t, a, "room", "a")
	appendAll(t, a, "other", "a")
	state := []byte("before")
	require.NoError(t, a.SaveVersion(t.Context(), "room", "zwei", state))
	copy(state, "after!")
	require.NoError(t, a.SaveVersion(t.Context(), "room", "Eins / ½ '", []byte{0, 255}))
	require.NoError(t, a.SaveVersion(t.Context(), "room", "empty", nil))
	require.NoError(t, a.SaveVersion(t.Context(), "other", "zwei", []byte("other")))
	assert.ErrorIs(t, a.SaveVersion(t.Context(), "room", "zwei", nil), store.ErrVersionExists)
	for _, name := range noNames {
		assert.ErrorIs(t, a.SaveVersion(t.Context(), "room", name, nil), store.ErrName)
	}

	versions, err := a.Versions(t.Context(), "room")
	require.NoError(t, err)
	require.Len(t, versions, 3)
	for i, want := range []string{"zwei", "Eins / ½ '", "empty"} {
		assert.Equal(t, want, versions[i].Name)
		assert.WithinDuration(t, time.Now(), versions[i].Created, time.Minute)
		assertCoarse(t, versions[i].Created)
	}
	assert.EqualValues(t, 6, versions[0].Bytes)
	got, err := a.LoadVersion(t.Context(), "room", "zwei")
	require.NoError(t, err)
	assert.Equal(t, "before", string(got))
	got, err = a.LoadVersion(t.Context(), "room", "empty")
	require.NoError(t, err)
	assert.Empty(t, got)

	require.NoError(t, a.DeleteVersion(t.Context(), "room", "zwei"))
	require.NoError(t, a.DeleteVersion(t.Context(), "room", "zwei"), "deleting again does nothing")
	_, err = a.LoadVersion(t.Context(), "room", "zwei")
	assert.ErrorIs(t, err, store.ErrNotFound)
	got, err = a.LoadVersion(t.Context(), "other", "zwei")
	require.NoError(t, err)
	assert.Equal(t, "other", string(got))
}

func testVersionsOfAnyName(t *testing.T, a store.Archive) {
	names := longNames()
	for _, room := range names {
		appendAll(t, a, room, "a")
		for _, name := range names {
			require.NoError(t, a.SaveVersion(t.Context(), room, name, []byte(room+name)))
			assert.ErrorIs(t, a.SaveVersion(t.Context(), room, name, nil), store.ErrVersionExists)
		}
	}
	for _, room := range names {
		for _, name := range names {
			state, err := a.LoadVersion(t.Context(), room, name)
			require.NoError(t, err)
			assert.Equal(t, room+name, string(state))
		}
		require.NoError(t, a.DeleteVersion(t.Context(), room, names[0]))
		versions, err := a.Versions(t.Context(), room)
		require.NoError(t, err)
		require.Len(t, versions, 1)
		assert.Equal(t, names[1], versions[0].Name)
		require.NoError(t, a.Delete(t.Context(), room))
		_, err = a.Stat(t.Context(), room)
		assert.ErrorIs(t, err, store.ErrNotFound)
	}
}

func testVersionsOutliveTheLog(t *testing.T, a store.Archive) {
	appendAll(t, a, "room", "a", "b")
	require.NoError(t, a.SaveVersion(t.Context(), "room", "v", []byte("a b")))
	appendAll(t, a, "room", "c")
	require.NoError(t, a.Compact(t.Context(), "room", time.Time{}, join))
	state, err := a.LoadVersion(t.Context(), "room", "v")
	require.NoError(t, err)
	assert.Equal(t, "a b", string(state))
	assert.Equal(t, []string{"a+b+c"}, load(t, a, "room"), "and are not part of it")
}

func testArchiveClose(t *testing.T, a store.Archive) {
	appendAll(t, a, "room", "a", "b")
	require.NoError(t, a.Close())
	ctx := t.Context()
	calls := map[string]error{
		"Compact":       a.Compact(ctx, "room", time.Time{}, join),
		"LoadAt":        a.LoadAt(ctx, "room", time.Now(), func([]byte) error { return nil }),
		"Rooms":         a.Rooms(ctx, "", func(store.Info) error { return nil }),
		"Delete":        a.Delete(ctx, "room"),
		"SaveVersion":   a.SaveVersion(ctx, "room", "v", nil),
		"DeleteVersion": a.DeleteVersion(ctx, "room", "v"),
	}
	_, calls["Stat"] = a.Stat(ctx, "room")
	_, calls["Versions"] = a.Versions(ctx, "room")
	_, calls["LoadVersion"] = a.LoadVersion(ctx, "room", "v")
	for name, err := range calls {
		assert.ErrorIs(t, err, store.ErrClosed, name)
	}
}

func loadAt(t *testing.T, a store.Archive, room string, at time.Time) []string {
	t.Helper()
	var updates []string
	require.NoError(t, a.LoadAt(t.Context(), room, at, func(update []byte) error {
		updates = append(updates, string(update))
		return nil
	}))
	return updates
}

func modified(t *testing.T, a store.Archive, room string) time.Time {
	t.Helper()
	info, err := a.Stat(t.Context(), room)
	require.NoError(t, err)
	return info.Modified
}

// later waits until the store's clock has left the time of the room's last update
// behind, and returns a time between that and the next.
func later(t *testing.T, a store.Archive, room string) time.Time {
	t.Helper()
	last := modified(t, a, room)
	// The clock is that of this machine, but a store may count coarser.
	require.Eventually(t, func() bool { return time.Since(last) > 3*time.Millisecond }, time.Second, time.Millisecond)
	return last.Add(2 * time.Millisecond)
}
