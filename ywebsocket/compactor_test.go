package ywebsocket

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ywebsocket/store"
)

// The log of a room that is in use becomes short, and says what it said.
func TestServer_CompactsWhileTheRoomIsInUse(t *testing.T) {
	const after, updates = 10, 200
	backing := store.NewMemory()
	_, url := serve(t, Options{Store: backing, CompactAfter: after})
	c, _ := join(t, url+"room")
	for i := range updates {
		c.sendUpdate(insert(1, uint64(i), "x"))
		c.expectUpdate()
	}
	require.Eventually(t, func() bool { return len(stored(t, backing, "room")) <= after }, patience, time.Millisecond)
	assert.Equal(t, strings.Repeat("x", updates), textOf(t, stored(t, backing, "room")...))
}

// hasty does not wait for clients that do not answer the end.
var hasty = Timeouts{Close: 10 * time.Millisecond}

func TestServer_CompactsALongLogWhenItIsLoaded(t *testing.T) {
	const updates = 10
	fill := func(t *testing.T) *store.Memory {
		backing := store.NewMemory()
		for i := range updates {
			require.NoError(t, backing.Append(t.Context(), "room", insert(1, uint64(i), "x")))
		}
		return backing
	}
	t.Run("long", func(t *testing.T) {
		backing := fill(t)
		_, url := serve(t, Options{Store: backing, CompactAfter: updates})
		join(t, url+"room")
		require.Eventually(t, func() bool { return len(stored(t, backing, "room")) == 1 }, patience, time.Millisecond)
		assert.Equal(t, strings.Repeat("x", updates), textOf(t, stored(t, backing, "room")...))
	})
	for name, options := range map[string]Options{
		"short":       {CompactAfter: updates + 2},
		"never":       {CompactAfter: -1},
		"with a past": {CompactAfter: updates, History: time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			backing := fill(t)
			options.Store, options.Timeouts = backing, hasty
			s, url := serve(t, options)
			c, _ := join(t, url+"room")
			c.sendUpdate(insert(1, updates, "y"))
			c.expectUpdate()
			require.NoError(t, s.Shutdown(t.Context()))
			assert.Len(t, stored(t, backing, "room"), updates+1)
		})
	}
}

// stuckArchive never ends a compaction by itself.
type stuckArchive struct {
	*store.Memory
	begun chan string
}

func (s *stuckArchive) Compact(ctx context.Context, room string, _ time.Time, _ func([][]byte) ([]byte, error)) error {
	s.begun <- room
	<-ctx.Done()
	return ctx.Err()
}

func TestServer_ShutdownEndsCompactions(t *testing.T) {
	backing := &stuckArchive{Memory: store.NewMemory(), begun: make(chan string, 9)}
	for _, room := range []string{"a", "b"} {
		require.NoError(t, backing.Append(t.Context(), room, insert(1, 0, "x"), insert(1, 1, "x")))
	}
	s, url := serve(t, Options{Store: backing, CompactAfter: 2, Timeouts: hasty})
	join(t, url+"a")
	join(t, url+"b")
	assert.Equal(t, "a", <-backing.begun)
	require.NoError(t, s.Shutdown(t.Context()))
	assert.Empty(t, backing.begun, "one room at a time, and no other after the end")
}

// stubbornArchive does not look at the context of a compaction, and takes its time for
// everything else.
type stubbornArchive struct {
	*store.Memory
	begun chan struct{}
	gate  *gate
}

func (s *stubbornArchive) Compact(context.Context, string, time.Time, func([][]byte) ([]byte, error)) error {
	close(s.begun)
	return s.gate.wait(context.Background())
}

func (s *stubbornArchive) Append(ctx context.Context, room string, updates ...[]byte) error {
	return errors.Join(sleep(ctx, 100*time.Millisecond), s.Memory.Append(ctx, room, updates...))
}

// What was written is stored, and the connections are closed, before anybody waits for a
// compaction, and nobody waits for it longer than they want.
func TestServer_ShutdownDuringACompaction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		backing := &stubbornArchive{Memory: store.NewMemory(), begun: make(chan struct{}), gate: newGate()}
		s := newTestServer(t, Options{Store: backing, CompactAfter: 2, Timeouts: hasty})
		defer backing.gate.open()
		e := newEditor(t, ProviderOptions{Room: "room", Dial: func(context.Context) (Conn, error) { return s.dialRoom("room") }})
		e.Connect()
		require.NoError(t, e.Synced(t.Context()))
		e.write("x")
		require.NoError(t, e.Saved(t.Context()))
		s.compactor.request("room")
		<-backing.begun
		e.write("y")
		synctest.Wait() // it is on its way to the store

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		down := make(chan error, 1)
		go func() { down <- s.Shutdown(ctx) }()
		time.Sleep(time.Minute)
		require.NotEmpty(t, down)
		err := <-down
		assert.ErrorIs(t, err, errStillCompacting)
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, "xy", textOf(t, stored(t, backing, "room")...))
		assert.Empty(t, s.connections)

		backing.gate.open()
		require.NoError(t, s.Shutdown(t.Context()), "once more waits for the rest")
	})
}

// What cannot be merged stays as it is, and the operator hears of it.
func TestServer_LogThatCannotBeCompacted(t *testing.T) {
	backing := store.NewMemory()
	require.NoError(t, backing.Append(t.Context(), "room", insert(1, 0, "a"), insert(1, 2, "c")))
	var said lockedBuffer
	_, url := serve(t, Options{Store: backing, CompactAfter: 2, Logger: slog.New(slog.NewTextHandler(&said, nil))})
	join(t, url+"room")
	require.Eventually(t, func() bool { return strings.Contains(said.String(), "builds on one that is not there") }, patience, time.Millisecond)
	assert.Len(t, stored(t, backing, "room"), 2)
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func TestMergeLog(t *testing.T) {
	deletion := []byte{0, 1, 1, 1, 1, 2} // of two units of client 1, from clock 1
	log := [][]byte{insert(1, 0, "a"), insert(1, 1, "bcd"), deletion, insert(2, 0, "z"), insert(1, 0, "a")}
	merged, err := mergeLog(t.Context(), log)
	require.NoError(t, err)
	assert.Equal(t, textOf(t, log...), textOf(t, merged))
	assert.NotContains(t, string(merged), "bc", "what was deleted is gone")

	for name, bad := range map[string][][]byte{
		"a gap":         {insert(1, 0, "a"), insert(1, 2, "c")},
		"not an update": {insert(1, 0, "a"), {9, 9, 9}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := mergeLog(t.Context(), bad)
			assert.Error(t, err)
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = mergeLog(ctx, log)
	assert.ErrorIs(t, err, context.Canceled)
}

// However much a log costs, merging it ends soon after its context.
func TestMergeLog_GivenUp(t *testing.T) {
	costly := crowded(5_000) // more than one round of it
	for name, merge := range map[string]func(context.Context) error{
		"merge": func(ctx context.Context) error {
			_, err := mergeLog(ctx, [][]byte{costly})
			return err
		},
		"check": func(ctx context.Context) error { return covers(ctx, costly, [][]byte{costly}) },
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			reason, rounds := errors.New("enough"), 0
			ctx = context.WithValue(ctx, stallKey{}, func() {
				rounds++
				cancel(reason)
			})
			require.ErrorIs(t, merge(ctx), reason)
			assert.Equal(t, 1, rounds)
		})
	}
}

// A merge that leaves any of the updates out is noticed.
func TestCovers(t *testing.T) {
	deletion := []byte{0, 1, 1, 1, 1, 1}
	log := [][]byte{insert(1, 0, "a"), insert(1, 1, "b"), insert(2, 0, "z"), deletion}
	require.NoError(t, covers(t.Context(), merged(t, log...), log))
	for left := range log {
		t.Run(fmt.Sprint(left), func(t *testing.T) {
			rest := append(append([][]byte(nil), log[:left]...), log[left+1:]...)
			assert.ErrorIs(t, covers(t.Context(), merged(t, rest...), log), errMergeLost)
		})
	}
	assert.Error(t, covers(t.Context(), []byte{0, 0}, log), "an empty document")
	assert.Error(t, covers(t.Context(), nil, log))
}
