package ywebsocket

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt/protocol"
	"github.com/yrs-go/yrs/ywebsocket/store"
)

// countedDocument counts how often it is encoded.
type countedDocument struct {
	document
	encoded atomic.Int64
}

func (d *countedDocument) missing(ctx context.Context, stateVector []byte) ([]byte, error) {
	d.encoded.Add(1)
	return d.document.missing(ctx, stateVector)
}

// Those that join while others are still being sent the document do not cost another
// copy of it.
func TestRoom_OneEncodingForAllThatJoin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		text := strings.Repeat("x", 1<<20)
		backing := store.NewMemory()
		require.NoError(t, backing.Append(t.Context(), "room", insert(1, 0, text)))
		s := newTestServer(t, Options{Store: backing})
		d := &countedDocument{}
		s.load = func(ctx context.Context, st store.Store, room string, pending [][]byte) (_ document, stored int, err error) {
			d.document, stored, err = loadDocument(ctx, st, room, pending)
			return d, stored, err
		}
		ask := func(stateVector ...byte) *client {
			c := servePipe(t, s, "room")
			c.send(protocol.AppendSyncStep1(nil, stateVector))
			synctest.Wait()
			return c
		}
		expect := func(c *client, want string) {
			assert.Equal(t, len(want), len(textOf(t, c.expectSync(protocol.SyncStep2))))
		}
		var joined []*client
		for range 5 {
			joined = append(joined, ask(0))
		}
		assert.EqualValues(t, 1, d.encoded.Load())
		other := ask(1, 1, 10)
		assert.EqualValues(t, 2, d.encoded.Load(), "it knows something already")

		writer := servePipe(t, s, "room")
		writer.send(protocol.AppendSyncStep2(nil, []byte{0, 0}))
		joined = append(joined, ask(0))
		assert.EqualValues(t, 2, d.encoded.Load(), "nothing has changed")
		for _, c := range joined {
			expect(c, text)
		}
		assert.Less(t, 1<<20-20, len(other.expectSync(protocol.SyncStep2)))

		writer.sendUpdate(insert(2, 0, "more"))
		synctest.Wait()
		expect(ask(0), text+"more")
		assert.EqualValues(t, 3, d.encoded.Load())
	})
}

// Who waits for what another one encodes gets it all the same if that one has gone.
func TestDiffs_TheOneThatEncodesGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var all diffs
		gone, leave := context.WithCancel(t.Context())
		first, second := make(chan error, 1), make(chan error, 1)
		go func() {
			_, err := all.get(gone, question{1}, func() (frame, error) {
				<-gone.Done()
				return frame{}, gone.Err()
			})
			first <- err
		}()
		synctest.Wait()
		for range 3 {
			go func() {
				f, err := all.get(t.Context(), question{1}, func() (frame, error) { return step2Frame([]byte("all")), nil })
				assert.Equal(t, "all", string(f.content))
				second <- err
			}()
		}
		impatient, stop := context.WithCancel(t.Context())
		stop()
		_, err := all.get(impatient, question{1}, nil)
		require.ErrorIs(t, err, context.Canceled)
		synctest.Wait()
		assert.Empty(t, second)
		leave()
		require.ErrorIs(t, <-first, context.Canceled)
		for range 3 {
			require.NoError(t, <-second)
		}
	})
}

func TestDiffs_AreBounded(t *testing.T) {
	var all diffs
	var kept []frame
	for i := range byte(3 * maxDiffs) {
		f, err := all.get(t.Context(), question{i}, func() (frame, error) { return step2Frame([]byte{i}), nil })
		require.NoError(t, err)
		kept = append(kept, f)
	}
	assert.Len(t, all.latest, maxDiffs)
	again, err := all.get(t.Context(), question{3*maxDiffs - 1}, nil)
	require.NoError(t, err)
	assert.Same(t, kept[len(kept)-1].of, again.of)

	failed := errors.New("failed")
	assert.Panics(t, func() { _, _ = all.get(t.Context(), question{100}, func() (frame, error) { panic("broken") }) })
	_, err = all.get(t.Context(), question{100}, func() (frame, error) { return frame{}, failed })
	assert.ErrorIs(t, err, failed, "nobody waits for ever")
}
