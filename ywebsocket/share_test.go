package ywebsocket

import (
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gobwas/ws"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Who sends large messages slowly makes room for others, the slowest first; who works on one does not.
func TestIncoming_SlowSendersMakeRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := &incoming{max: 100 << 10}
		var evicted []string
		newShare := func(name string) *share {
			return &share{of: all, evict: func() { evicted = append(evicted, name) }}
		}
		grow := func(s *share, counted int) bool { return s.grow(unsharedBytes + counted) }
		working, slow, slower := newShare("working"), newShare("slow"), newShare("slower")
		require.True(t, grow(working, 30<<10))
		working.arrived()
		require.True(t, grow(slower, 30<<10))
		require.True(t, grow(slow, 40<<10))

		honest := newShare("honest")
		time.Sleep(undisturbed - time.Second)
		assert.False(t, grow(honest, 1<<10), "none has been there for long")
		time.Sleep(time.Second)
		assert.True(t, grow(honest, 1<<10))
		assert.Equal(t, []string{"slower"}, evicted)
		assert.False(t, grow(slower, 31<<10), "its connection is about to end")
		assert.True(t, grow(honest, 60<<10))
		assert.Equal(t, []string{"slower", "slow"}, evicted)
		assert.False(t, grow(newShare("another"), 50<<10), "nobody else is slow")

		for _, s := range []*share{working, slow, slower, honest} {
			s.release()
		}
		assert.Zero(t, all.inUse())
		assert.Empty(t, all.shares)
	})
}

// A connection that has to make room ends, whatever it waits for.
func TestIncoming_EvictedConnectionEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		defer theirs.Close()
		setDeadline := func(deadline time.Time) { _ = ours.SetReadDeadline(deadline) }
		p := newPace(ours, setDeadline, Timeouts{Message: time.Hour, Header: time.Hour})
		all := &incoming{max: 1 << 20}
		r := newMessageReader(p, Limits{Message: 1 << 20, Fragments: 10, ControlFrames: 10}, all)
		ended := make(chan error)
		go func() {
			_, err := r.next()
			ended <- err
		}()
		frame := input(t, ws.NewBinaryFrame(make([]byte, 1<<20)))
		_, err := theirs.Write(frame[:200<<10])
		require.NoError(t, err)
		synctest.Wait()
		require.Positive(t, all.inUse())
		time.Sleep(undisturbed)
		honest := share{of: all}
		require.True(t, honest.grow(1<<20+unsharedBytes))
		require.ErrorIs(t, <-ended, os.ErrDeadlineExceeded)
		assert.EqualValues(t, 1<<20, all.inUse())
	})
}
