package postgres_test

import (
	"context"
	"encoding/binary"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ywebsocket/store"
)

const crashRooms = 8

// appendCounting appends 0, 1, 2, … to a room until ctx ends, each until it is
// confirmed, and notes the last one that was.
func appendCounting(ctx context.Context, s store.Store, room string, last *atomic.Int64) {
	for i := int64(0); ctx.Err() == nil; i++ {
		update := binary.BigEndian.AppendUint64(nil, uint64(i))
		for s.Append(ctx, room, update) != nil && ctx.Err() == nil {
			time.Sleep(time.Millisecond) // the pause of a saver, between two tries
		}
		if ctx.Err() == nil {
			last.Store(i)
		}
	}
}

// compactAll compacts rooms until ctx ends. It fails whenever the server does.
func compactAll(ctx context.Context, a store.Archive) {
	for room := 0; ctx.Err() == nil; room = (room + 1) % crashRooms {
		if a.Compact(ctx, strconv.Itoa(room), time.Time{}, concatenate) != nil {
			time.Sleep(time.Millisecond)
		}
	}
}

// What was confirmed survives the crash of PostgreSQL, and the store works again when
// that does.
func TestStore_SurvivesCrashesOfTheServer(t *testing.T) {
	s := open(t, t.Name())
	defer s.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var confirmed [crashRooms]atomic.Int64
	var writers sync.WaitGroup
	for room := range crashRooms {
		confirmed[room].Store(-1)
		writers.Go(func() { appendCounting(ctx, s, strconv.Itoa(room), &confirmed[room]) })
	}
	writers.Go(func() { compactAll(ctx, s) })
	for range crashes {
		before := confirmed[0].Load()
		progress := func() bool { return confirmed[0].Load() > before+50 }
		require.Eventually(t, progress, time.Minute, time.Millisecond)
		require.NoError(t, database.Kill(t.Context()))
		require.NoError(t, database.Restart(t.Context()))
	}
	cancel()
	writers.Wait()
	for room := range crashRooms {
		seen := int64(-1)
		require.NoError(t, s.Load(t.Context(), strconv.Itoa(room), func(update []byte) error {
			for number := range slices.Chunk(update, 8) { // of a merged one, many
				i := int64(binary.BigEndian.Uint64(number))
				// The answer to a commit may have been lost with the server: such an update is
				// stored twice.
				assert.True(t, i == seen || i == seen+1, "%d behind %d", i, seen)
				seen = max(seen, i)
			}
			return nil
		}))
		assert.GreaterOrEqual(t, seen, confirmed[room].Load())
	}
}
