package ywebsocket

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ywebsocket/store"
)

// slowStore takes its time for everything.
type slowStore struct {
	store.Store
	delay time.Duration
	// calls counts those of Append.
	calls atomic.Int64
}

func (s *slowStore) Append(ctx context.Context, room string, updates ...[]byte) error {
	s.calls.Add(1)
	if err := sleep(ctx, s.delay); err != nil {
		return err
	}
	return s.Store.Append(ctx, room, updates...)
}

func (s *slowStore) Load(ctx context.Context, room string, each func([]byte) error) error {
	if err := sleep(ctx, s.delay); err != nil {
		return err
	}
	return s.Store.Load(ctx, room, each)
}

// A store that is slow is no store that fails: what was written is confirmed late, not
// before it is stored, and everything that has come meanwhile goes into the next call.
func TestServer_SlowStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const delay, words = 5 * time.Second, 50
		slow := &slowStore{Store: store.NewMemory(), delay: delay}
		s := newTestServer(t, Options{Store: slow})
		e := newEditor(t, ProviderOptions{Room: "room", Dial: func(context.Context) (Conn, error) { return s.dialRoom("room") }})
		start := time.Now()
		e.Connect()
		require.NoError(t, e.Synced(t.Context()))
		assert.GreaterOrEqual(t, time.Since(start), delay, "nobody is sent an empty room meanwhile")

		start = time.Now()
		for range words {
			e.write("x")
		}
		require.NoError(t, e.Saved(t.Context()))
		assert.GreaterOrEqual(t, time.Since(start), delay, "nothing is confirmed before it is stored")
		assert.Equal(t, strings.Repeat("x", words), textOf(t, stored(t, slow.Store, "room")...), "what was confirmed is stored")
		assert.LessOrEqual(t, time.Since(start), 3*delay)
		assert.LessOrEqual(t, slow.calls.Load(), int64(3))
		assert.Empty(t, e.State().Denied)
		assert.Equal(t, StatusConnected, e.State().Status)
	})
}
