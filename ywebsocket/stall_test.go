package ywebsocket

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt"
	"github.com/yrs-go/yrs/ywebsocket/store"
)

// haltingStore waits before each update that it reads.
type haltingStore struct {
	store.Store
	pause time.Duration
}

func (s *haltingStore) Load(ctx context.Context, room string, apply func([]byte) error) error {
	return s.Store.Load(ctx, room, func(update []byte) error {
		if err := sleep(ctx, s.pause); err != nil {
			return err
		}
		return apply(update)
	})
}

// A room may take as long to load as it takes, if it gets on.
func TestRoom_LoadsAsLongAsItGetsOn(t *testing.T) {
	const limit = 10 * time.Second
	for name, test := range map[string]struct {
		pause  time.Duration
		loaded bool
	}{"slow": {limit - time.Second, true}, "stuck": {limit + time.Second, false}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				backing := &haltingStore{store.NewMemory(), test.pause}
				for i := range 5 {
					require.NoError(t, backing.Append(t.Context(), "room", insert(1, uint64(i), "x")))
				}
				s := newTestServer(t, Options{Store: backing, Timeouts: Timeouts{Load: limit}})
				r, err := s.registry.hold("room")
				require.NoError(t, err)
				defer s.registry.release(r)
				start := time.Now()
				err = r.load(t.Context())
				if test.loaded {
					require.NoError(t, err)
					assert.Equal(t, 5*test.pause, time.Since(start))
				} else {
					require.ErrorIs(t, err, errNotLoaded)
					assert.Equal(t, limit, time.Since(start))
				}
			})
		})
	}
}

func varint(n int) []byte { return binary.AppendUvarint(nil, uint64(n)) }

// crowded is an update of n items at the same place: to order them takes a time that grows with the square of their number.
func crowded(n int) []byte {
	u := bytes.Join([][]byte{{2}, varint(n), {2, 0}}, nil)
	for clock := range n {
		u = bytes.Join([][]byte{u, {0x44, 1}, varint(clock), {1, 'x'}}, nil)
	}
	return bytes.Join([][]byte{u, {1, 1, 0, 4, 1, 1, 't'}, varint(n), bytes.Repeat([]byte("y"), n), {0}}, nil)
}

// What costs more than a client may make an update cost was accepted all the same, in parts, and together they have to
// load. So it is with what a client may not send at all.
func TestApplyAccepted(t *testing.T) {
	maps := bytes.Join([][]byte{{1, 1, 1, 0, 8, 1, 1, 'a'}, varint(100_000), bytes.Repeat([]byte{118, 1, 0, 126}, 100_000), {0}}, nil)
	for name, update := range map[string][]byte{"long": crowded(1_000), "refused": maps} {
		t.Run(name, func(t *testing.T) {
			rounds := 0
			ctx := context.WithValue(t.Context(), stallKey{}, func() { rounds++ })
			doc, whole := ycrdt.NewDoc(), ycrdt.NewDoc()
			defer doc.Close()
			defer whole.Close()
			require.NoError(t, whole.ApplyUpdate(update))
			require.NoError(t, applyAccepted(ctx, doc, update, time.Microsecond))
			assert.Greater(t, rounds, 0)
			want, err := whole.EncodeStateVector()
			require.NoError(t, err)
			got, err := doc.EncodeStateVector()
			require.NoError(t, err)
			assert.Equal(t, want, got)
			if name == "long" {
				assert.Greater(t, rounds, 2)
			}
		})
	}
	t.Run("given up", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		reason := errors.New("enough")
		ctx = context.WithValue(ctx, stallKey{}, func() { cancel(reason) })
		doc := ycrdt.NewDoc()
		defer doc.Close()
		require.ErrorIs(t, applyAccepted(ctx, doc, crowded(1_000), time.Microsecond), reason)
	})
}
