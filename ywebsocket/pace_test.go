package ywebsocket

import (
	"io"
	"net"
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gobwas/ws"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt/protocol"
)

// step is what a slow client does: it waits, then it sends.
type step struct {
	after time.Duration
	bytes []byte
}

// inSteps divides a text into pieces that come at intervals.
func inSteps(interval time.Duration, size int, in []byte) []step {
	var steps []step
	for piece := range slices.Chunk(in, size) {
		steps = append(steps, step{interval, piece})
	}
	return steps
}

// readSlowly reads what a client sends until it fails, and returns how many messages
// there were and how long it took.
func readSlowly(t *testing.T, steps []step) (int, time.Duration, error) {
	t.Helper()
	ours, theirs := net.Pipe()
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		sendSteps(theirs, steps)
		_ = theirs.Close()
	}()
	defer func() { <-sent }()
	options, err := Options{}.withDefaults()
	require.NoError(t, err)
	setDeadline := func(deadline time.Time) { _ = ours.SetReadDeadline(deadline) } // both ends may be closed
	r := newMessageReader(newPace(ours, setDeadline, options.Timeouts), options.Limits, &incoming{max: 1 << 30})
	start := time.Now()
	for n := 0; ; n++ {
		if _, err := r.next(); err != nil {
			assert.NoError(t, ours.Close())
			return n, time.Since(start), err
		}
	}
}

func sendSteps(conn net.Conn, steps []step) {
	for _, s := range steps {
		time.Sleep(s.after)
		if _, err := conn.Write(s.bytes); err != nil {
			return
		}
	}
}

func TestPace(t *testing.T) {
	const second, ever = time.Second, 100 * time.Hour
	ping, message := input(t, ws.NewPingFrame([]byte("ping"))), input(t, ws.NewBinaryFrame([]byte("message")))
	const headerSize = 6
	first := input(t, ws.NewFrame(ws.OpBinary, false, nil))
	empty := input(t, ws.NewFrame(ws.OpContinuation, false, nil))
	last := input(t, ws.NewFrame(ws.OpContinuation, true, nil))
	large := input(t, ws.NewBinaryFrame(make([]byte, 10*partSize)))
	const largeHeaderSize = 14
	whole := func(after time.Duration, frames ...[]byte) []step {
		var steps []step
		for _, frame := range frames {
			steps = append(steps, step{after, frame})
		}
		return steps
	}
	stall := step{ever, nil}

	tests := []struct {
		name     string
		steps    []step
		messages int
		after    time.Duration // until it takes too long
	}{
		{"header that stops", slices.Concat(whole(0, message[:1]), []step{stall}), 0, 10 * second},
		{"header that stops, later", slices.Concat(whole(time.Hour, message, ping[:1]), []step{stall}), 1, 2*time.Hour + 10*second},
		{"header byte by byte, too slowly", inSteps(3*second, 1, message), 0, 13 * second},
		{"long header byte by byte, too slowly", inSteps(second, 1, large), 0, 11 * second},
		{"ping that stops", slices.Concat(whole(0, ping[:headerSize+1]), []step{stall}), 0, 10 * second},
		{"ping byte by byte, too slowly", inSteps(2*second, 1, ping), 0, 12 * second},
		{"message that stops before its payload", slices.Concat(whole(0, message[:headerSize]), []step{stall}), 0, 30 * second},
		{"message that stops", slices.Concat(whole(0, message[:headerSize+1]), []step{stall}), 0, 30 * second},
		{"message that stops late", slices.Concat(inSteps(second, 10_000, large[:300_000]), []step{stall}), 0, (27 + 30) * second},
		{"message that trickles", slices.Concat(whole(0, large[:largeHeaderSize]),
			inSteps(second, 2000, large[largeHeaderSize:])), 0, 30 * second},
		{"fragments that stop", slices.Concat(whole(0, first), []step{stall}), 0, 30 * second},
		{"fragments that are empty", slices.Concat(whole(0, first), slices.Repeat(whole(second, empty), 100)), 0, 30 * second},
		{"fragments between pings", slices.Concat(whole(0, first), slices.Repeat(whole(900*time.Millisecond, ping), 100)), 33, 30 * second},
		{"fragment whose header stops", slices.Concat(whole(0, first), whole(5*second, last[:1]), []step{stall}), 0, 15 * second},
		{"fragment whose header stops at last", slices.Concat(whole(0, first), whole(25*second, last[:1]), []step{stall}), 0, 30 * second},

		{"nothing", []step{stall}, 0, 0},
		{"whole messages, seldom", slices.Concat(whole(time.Hour, message, ping, message), []step{stall}), 3, 0},
		{"header byte by byte", slices.Concat(inSteps(1900*time.Millisecond, 1, message[:headerSize]), whole(0, message[headerSize:]),
			[]step{stall}), 1, 0},
		{"ping byte by byte", slices.Concat(inSteps(second, 1, ping), []step{stall}), 1, 0},
		{"short message byte by byte", slices.Concat(whole(0, message[:headerSize]), inSteps(4*second, 1, message[headerSize:]),
			[]step{stall}), 1, 0},
		{"long message on a slow line", slices.Concat(whole(0, large[:largeHeaderSize]),
			inSteps(second, 2500, large[largeHeaderSize:]), []step{stall}), 1, 0},
		{"fragments on a slow line", slices.Concat(whole(0, first), slices.Repeat(whole(second, empty), 29), whole(0, last),
			[]step{stall}), 1, 0},
		{"after fragments", slices.Concat(whole(0, first, last), whole(time.Hour, message), []step{stall}), 2, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				messages, took, err := readSlowly(t, test.steps)
				assert.Equal(t, test.messages, messages)
				if test.after == 0 {
					assert.ErrorIs(t, err, io.EOF)
					assert.GreaterOrEqual(t, took, ever)
				} else {
					assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
					assert.Equal(t, test.after, took.Round(second))
				}
			})
		})
	}
}

// Only the speed counts.
func TestPace_LongMessageAtAMegabit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := input(t, ws.NewBinaryFrame(make([]byte, 8<<20)))
		messages, took, err := readSlowly(t, inSteps(time.Second, 1_000_000/8, in))
		assert.ErrorIs(t, err, io.EOF)
		assert.Equal(t, 1, messages)
		assert.Greater(t, took, time.Minute)
	})
}

// Time passes only while the server waits for the client.
func TestPace_DoesNotCountTheServersTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		defer ours.Close()
		defer theirs.Close()
		p := newPace(ours, func(deadline time.Time) { assert.NoError(t, ours.SetReadDeadline(deadline)) },
			Timeouts{Message: 10 * time.Second})
		p.beginPart()
		go sendSteps(theirs, inSteps(time.Second, 1, make([]byte, 9)))
		for range 9 {
			_, err := p.Read(make([]byte, 1))
			require.NoError(t, err)
			time.Sleep(time.Hour)
		}
		start := time.Now()
		_, err := p.Read(make([]byte, 1))
		assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
		assert.Equal(t, 9*time.Second, time.Since(start))
	})
}

// A message that arrives in one piece needs no deadline.
func TestPace_SetsNoDeadlineInVain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := slices.Concat(input(t, ws.NewBinaryFrame([]byte("x"))), input(t, fragments(3)...), input(t, pings(3)...))
		deadlines := 0
		p := newPace(&pieces{[][]byte{in, in, in}}, func(time.Time) { deadlines++ }, Timeouts{})
		r := newMessageReader(p, Limits{Message: 100, Fragments: 10, ControlFrames: 10}, &incoming{})
		for {
			if _, err := r.next(); err != nil {
				assert.ErrorIs(t, err, io.EOF)
				break
			}
		}
		assert.Zero(t, deadlines)
	})
}

// pieces returns one of them for each read.
type pieces struct{ rest [][]byte }

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(b, p.rest[0])
	p.rest = p.rest[1:]
	return n, nil
}

func TestConn_SlowSender(t *testing.T) {
	frame := input(t, ws.NewBinaryFrame(protocol.AppendQueryAwareness(nil)))
	for name, in := range map[string][]byte{"header": frame[:1], "message": frame[:len(frame)-1]} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newTestServer(t, Options{Timeouts: Timeouts{Header: time.Second, Message: time.Second}})
				c := servePipe(t, s, "room")
				_, err := c.conn.Write(in)
				require.NoError(t, err)
				code, reason := c.expectClose()
				assert.Equal(t, CloseTryAgainLater, code)
				assert.Contains(t, reason, "sending too slowly")
			})
		})
	}
}

// The closing handshake has a time of its own, which what the client is sending does
// not prolong.
func TestConn_SlowSenderIsClosedInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t, Options{})
		c := servePipe(t, s, "room")
		var connection *conn
		s.mu.Lock()
		for connection = range s.connections {
		}
		s.mu.Unlock()
		go func() { _, _ = io.Copy(io.Discard, c.conn) }()
		in, sent := input(t, ws.NewBinaryFrame(make([]byte, 1000))), 0
		for err := error(nil); err == nil; sent++ {
			if sent == 10 {
				connection.restart()
			}
			_, err = c.conn.Write(in[sent : sent+1])
			time.Sleep(time.Second)
		}
		assert.InDelta(t, 10+5+1, sent, 1, "bytes in as many seconds, and one that is refused")
	})
}
