package ywebsocket

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gobwas/ws"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// input encodes frames as a client sends them.
func input(t testing.TB, frames ...ws.Frame) []byte {
	t.Helper()
	var b bytes.Buffer
	for _, f := range frames {
		f.Payload = bytes.Clone(f.Payload)
		require.NoError(t, ws.WriteFrame(&b, ws.MaskFrameInPlace(f)))
	}
	return b.Bytes()
}

// readerOf returns a reader with small limits, and no time to wait for anything.
func readerOf(r io.Reader) *messageReader {
	limits := Limits{Message: 1 << 20, Fragments: 10, ControlFrames: 10}
	return newMessageReader(newPace(r, func(time.Time) {}, Timeouts{}), limits, &incoming{max: 1 << 30})
}

func header(h ws.Header) []byte {
	var b bytes.Buffer
	_ = ws.WriteHeader(&b, h)
	return b.Bytes()
}

func TestMessageReader_Next(t *testing.T) {
	large := make([]byte, 300_000)
	for i := range large {
		large[i] = byte(rand.Uint32())
	}
	in := input(t,
		ws.NewBinaryFrame([]byte("one")),
		ws.NewBinaryFrame(nil),
		ws.NewFrame(ws.OpBinary, false, []byte("frag")),
		ws.NewPingFrame([]byte("ping")),
		ws.NewFrame(ws.OpContinuation, false, nil),
		ws.NewFrame(ws.OpContinuation, true, []byte("ment")),
		ws.NewPongFrame(nil),
		ws.NewFrame(ws.OpBinary, false, large[:1000]),
		ws.NewFrame(ws.OpContinuation, true, large[1000:]),
		ws.NewCloseFrame(ws.NewCloseFrameBody(1000, "bye")),
	)
	want := []message{
		{ws.OpBinary, []byte("one")},
		{ws.OpBinary, nil},
		{ws.OpPing, []byte("ping")},
		{ws.OpBinary, []byte("fragment")},
		{ws.OpPong, nil},
		{ws.OpBinary, large},
		{ws.OpClose, ws.NewCloseFrameBody(1000, "bye")},
	}
	for name, r := range map[string]io.Reader{
		"at once":      bytes.NewReader(in),
		"byte by byte": &dribble{bytes.NewReader(in)},
	} {
		t.Run(name, func(t *testing.T) {
			reader := readerOf(r)
			for _, m := range want {
				got, err := reader.next()
				require.NoError(t, err)
				assert.Equal(t, m.op, got.op)
				assert.True(t, bytes.Equal(m.payload, got.payload))
			}
			_, err := reader.next()
			assert.ErrorIs(t, err, io.EOF)
		})
	}
}

// dribble returns one byte at a time.
type dribble struct{ r io.Reader }

func (d *dribble) Read(p []byte) (int, error) { return d.r.Read(p[:min(len(p), 1)]) }

func TestMessageReader_Violations(t *testing.T) {
	tests := []struct {
		name string
		in   []byte
		code CloseCode
	}{
		{"not masked", ws.MustCompileFrame(ws.NewBinaryFrame([]byte("x"))), CloseProtocolError},
		{"text", input(t, ws.NewTextFrame([]byte("x"))), CloseUnsupportedData},
		{"text in fragments", input(t, ws.NewFrame(ws.OpText, false, []byte("x"))), CloseUnsupportedData},
		{"text of 64 GiB", header(ws.Header{Fin: true, OpCode: ws.OpText, Masked: true, Length: 64 << 30}), CloseUnsupportedData},
		{"continuation of nothing", input(t, ws.NewFrame(ws.OpContinuation, true, nil)), CloseProtocolError},
		{"message inside a message", input(t,
			ws.NewFrame(ws.OpBinary, false, nil), ws.NewBinaryFrame(nil)), CloseProtocolError},
		{"reserved data opcode", input(t, ws.NewFrame(3, true, nil)), CloseProtocolError},
		{"reserved control opcode", input(t, ws.NewFrame(11, true, nil)), CloseProtocolError},
		{"reserved bit", header(ws.Header{Fin: true, Rsv: 4, OpCode: ws.OpBinary, Masked: true}), CloseProtocolError},
		{"reserved bit of a continuation", append(input(t, fragments(2)[0]),
			header(ws.Header{Fin: true, Rsv: 1, OpCode: ws.OpContinuation, Masked: true})...), CloseProtocolError},
		{"reserved bit of a ping", header(ws.Header{Fin: true, Rsv: 2, OpCode: ws.OpPing, Masked: true}), CloseProtocolError},
		{"ping not masked", ws.MustCompileFrame(ws.NewPingFrame(nil)), CloseProtocolError},
		{"continuation not masked", append(input(t, fragments(2)[0]),
			ws.MustCompileFrame(ws.NewFrame(ws.OpContinuation, true, nil))...), CloseProtocolError},
		{"ping in fragments", input(t, ws.NewFrame(ws.OpPing, false, nil)), CloseProtocolError},
		{"close in fragments", input(t, ws.NewFrame(ws.OpClose, false, nil)), CloseProtocolError},
		{"close too long", input(t, ws.NewCloseFrame(make([]byte, 126))), CloseProtocolError},
		{"ping of 64 GiB", header(ws.Header{Fin: true, OpCode: ws.OpPing, Masked: true, Length: 64 << 30}), CloseProtocolError},
		{"ping too long", input(t, ws.NewPingFrame(make([]byte, 126))), CloseProtocolError},
		{"length with the top bit", []byte{0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0}, CloseProtocolError},
		{"message too long", header(ws.Header{Fin: true, OpCode: ws.OpBinary, Masked: true, Length: 1<<20 + 1}), CloseTooBig},
		{"64 GiB", header(ws.Header{Fin: true, OpCode: ws.OpBinary, Masked: true, Length: 64 << 30}), CloseTooBig},
		{"fragments too long together", input(t,
			ws.NewFrame(ws.OpBinary, false, make([]byte, 1<<20)), ws.NewFrame(ws.OpContinuation, true, []byte("x"))), CloseTooBig},
		{"one byte too long in a fragment", append(input(t, ws.NewFrame(ws.OpBinary, false, make([]byte, 1<<20))),
			header(ws.Header{Fin: true, OpCode: ws.OpContinuation, Masked: true, Length: 1})...), CloseTooBig},
		{"too many fragments", input(t, fragments(11)...), CloseTooBig},
		{"too many fragments around pings", input(t, slices.Insert(fragments(11), 5, pings(5)...)...), CloseTooBig},
		{"flood of pings", input(t, pings(11)...), ClosePolicyViolation},
		{"flood of pings between fragments", input(t, slices.Insert(fragments(2), 1, pings(11)...)...), ClosePolicyViolation},
		{"flood of pings between messages", input(t, slices.Insert(binaries(10), 5, pings(11)...)...), ClosePolicyViolation},
		{"flood of pongs", input(t, slices.Repeat([]ws.Frame{ws.NewPongFrame(nil)}, 11)...), ClosePolicyViolation},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			reader := readerOf(bytes.NewReader(test.in))
			var err error
			for err == nil {
				_, err = reader.next()
			}
			var violation *closeError
			require.ErrorAs(t, err, &violation)
			assert.Equal(t, test.code, violation.code)
			assert.NotEmpty(t, violation.reason)
		})
	}
}

func fragments(n int) []ws.Frame {
	frames := make([]ws.Frame, n)
	for i := range frames {
		frames[i] = ws.NewFrame(ws.OpContinuation, i == n-1, nil)
	}
	frames[0].Header.OpCode = ws.OpBinary
	return frames
}

func pings(n int) []ws.Frame    { return slices.Repeat([]ws.Frame{ws.NewPingFrame(nil)}, n) }
func binaries(n int) []ws.Frame { return slices.Repeat([]ws.Frame{ws.NewBinaryFrame(nil)}, n) }

func TestMessageReader_AcceptsUpToTheLimits(t *testing.T) {
	frames := slices.Concat(fragments(10), pings(10), binaries(1000), fragments(10))
	frames = append(frames, ws.NewBinaryFrame(make([]byte, 1<<20)), ws.NewFrame(ws.OpBinary, false, make([]byte, 1<<20)),
		ws.NewFrame(ws.OpContinuation, true, nil))
	reader := readerOf(bytes.NewReader(input(t, frames...)))
	for range 1 + 10 + 1000 + 1 + 2 {
		_, err := reader.next()
		require.NoError(t, err)
	}
	_, err := reader.next()
	assert.ErrorIs(t, err, io.EOF)
}

// Pings are counted for ten seconds.
func TestMessageReader_PingsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reader := readerOf(bytes.NewReader(input(t, pings(100)...)))
		for i := range 100 {
			if i%10 == 0 {
				time.Sleep(controlPeriod)
			}
			_, err := reader.next()
			require.NoError(t, err)
		}
	})
}

// Memory follows what arrives, not what a header declares.
func TestMessageReader_AllocatesAsBytesArrive(t *testing.T) {
	const gib = 1 << 30
	declared := func(fin bool, op ws.OpCode, arrived int) []byte {
		frame := header(ws.Header{Fin: fin, OpCode: op, Masked: true, Length: gib / 4})
		return append(frame, make([]byte, arrived)...)
	}
	one := ws.NewFrame(ws.OpContinuation, false, []byte("x"))
	tests := []struct {
		name string
		in   []byte
	}{
		{"one frame", declared(true, ws.OpBinary, 5000)},
		{"one fragment", declared(false, ws.OpBinary, 5000)},
		{"no byte", declared(true, ws.OpBinary, 0)},
		{"most of it", declared(true, ws.OpBinary, 10<<20)},
		{"the last fragment", append(input(t, fragments(2)[0]), declared(true, ws.OpContinuation, 5000)...)},
		{"empty fragments", input(t, fragments(100_000)[:99_999]...)},
		{"fragments of a byte", input(t, append(fragments(2)[:1], slices.Repeat([]ws.Frame{one}, 99_999)...)...)},
		{"pings", input(t, pings(100_000)...)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			reader := readerOf(bytes.NewReader(test.in))
			reader.maxBytes, reader.maxFragments, reader.maxControlFrames = gib, 100_000, 100_000
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			var err error
			for err == nil {
				_, err = reader.next()
			}
			runtime.ReadMemStats(&after)
			assert.True(t, errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF), err)
			assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(8*len(test.in)+256<<10))
		})
	}
}

// What one connection takes up is missing to the others, but for small messages.
func TestMessageReader_SharesWhatIsIncoming(t *testing.T) {
	frame := func(size int) []byte { return input(t, ws.NewBinaryFrame(make([]byte, size))) }
	var all incoming
	all.max = 500 << 10
	reader := func(in ...[]byte) *messageReader {
		r := readerOf(bytes.NewReader(slices.Concat(in...)))
		r.share.of = &all
		return r
	}
	requireMessage := func(r *messageReader) {
		_, err := r.next()
		require.NoError(t, err)
	}
	requireTooMuch := func(r *messageReader) {
		_, err := r.next()
		var violation *closeError
		require.ErrorAs(t, err, &violation)
		assert.Equal(t, CloseTryAgainLater, violation.code)
		assert.Zero(t, r.share.bytes)
	}

	busy := reader(frame(400<<10), input(t, pings(1)...), frame(500<<10+unsharedBytes), frame(500<<10+unsharedBytes+1))
	other := reader(frame(100<<10 + 2*unsharedBytes))
	requireMessage(busy)
	requireMessage(other)
	assert.EqualValues(t, 500<<10, all.inUse())
	requireMessage(reader(frame(unsharedBytes)))
	requireTooMuch(reader(frame(unsharedBytes + 1)))

	fragmented := reader(input(t, ws.NewFrame(ws.OpBinary, false, make([]byte, 100<<10+unsharedBytes))), input(t, pings(2)...))
	all.max = 600 << 10
	requireMessage(fragmented)
	requireMessage(fragmented) // a ping: the message is not complete
	assert.EqualValues(t, 600<<10, all.inUse())
	fragmented.share.release()
	all.max = 500 << 10

	requireMessage(busy) // a ping: the message before it is done with
	assert.EqualValues(t, 164<<10, all.inUse())
	other.share.release()
	requireMessage(busy)
	assert.EqualValues(t, 500<<10, all.inUse())
	requireTooMuch(busy)
	assert.Zero(t, all.inUse())
}

func FuzzMessageReader(f *testing.F) {
	f.Add(input(f, ws.NewBinaryFrame([]byte("x")), ws.NewPingFrame(nil)))
	f.Add(input(f, fragments(3)...))
	f.Add(header(ws.Header{Fin: true, OpCode: ws.OpBinary, Masked: true, Length: 64 << 30}))
	f.Fuzz(func(t *testing.T, in []byte) {
		reader := readerOf(bytes.NewReader(in))
		total := 0
		for {
			m, err := reader.next()
			if err != nil {
				return
			}
			total += len(m.payload)
			require.LessOrEqual(t, total, len(in))
			require.LessOrEqual(t, len(m.payload), reader.maxBytes)
		}
	})
}
