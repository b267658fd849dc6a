package ywebsocket

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"runtime"
	"testing"

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

func newMessageReader(r io.Reader) *messageReader {
	return &messageReader{r: bufio.NewReaderSize(r, readBuffer), maxBytes: 1 << 20, maxFragments: 10}
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
			reader := newMessageReader(r)
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
		{"continuation of nothing", input(t, ws.NewFrame(ws.OpContinuation, true, nil)), CloseProtocolError},
		{"message inside a message", input(t,
			ws.NewFrame(ws.OpBinary, false, nil), ws.NewBinaryFrame(nil)), CloseProtocolError},
		{"reserved data opcode", input(t, ws.NewFrame(3, true, nil)), CloseProtocolError},
		{"reserved control opcode", input(t, ws.NewFrame(11, true, nil)), CloseProtocolError},
		{"reserved bit", header(ws.Header{Fin: true, Rsv: 4, OpCode: ws.OpBinary, Masked: true}), CloseProtocolError},
		{"ping in fragments", input(t, ws.NewFrame(ws.OpPing, false, nil)), CloseProtocolError},
		{"ping too long", input(t, ws.NewPingFrame(make([]byte, 126))), CloseProtocolError},
		{"length with the top bit", []byte{0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0}, CloseProtocolError},
		{"message too long", header(ws.Header{Fin: true, OpCode: ws.OpBinary, Masked: true, Length: 1<<20 + 1}), CloseTooBig},
		{"64 GiB", header(ws.Header{Fin: true, OpCode: ws.OpBinary, Masked: true, Length: 64 << 30}), CloseTooBig},
		{"fragments too long together", input(t,
			ws.NewFrame(ws.OpBinary, false, make([]byte, 1<<20)), ws.NewFrame(ws.OpContinuation, true, []byte("x"))), CloseTooBig},
		{"too many fragments", input(t, fragments(11)...), CloseTooBig},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			reader := newMessageReader(bytes.NewReader(test.in))
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

func TestMessageReader_AcceptsUpToTheLimits(t *testing.T) {
	reader := newMessageReader(bytes.NewReader(input(t, append(fragments(10), ws.NewBinaryFrame(make([]byte, 1<<20)))...)))
	for range 2 {
		_, err := reader.next()
		require.NoError(t, err)
	}
}

// Memory follows what arrives, not what a header declares.
func TestMessageReader_AllocatesAsBytesArrive(t *testing.T) {
	in := header(ws.Header{Fin: true, OpCode: ws.OpBinary, Masked: true, Length: 1 << 30})
	in = append(in, make([]byte, 5000)...)
	reader := newMessageReader(bytes.NewReader(in))
	reader.maxBytes = 1 << 30

	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := reader.next()
	runtime.ReadMemStats(&after)
	assert.True(t, errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF))
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(256<<10))
}

func FuzzMessageReader(f *testing.F) {
	f.Add(input(f, ws.NewBinaryFrame([]byte("x")), ws.NewPingFrame(nil)))
	f.Add(input(f, fragments(3)...))
	f.Add(header(ws.Header{Fin: true, OpCode: ws.OpBinary, Masked: true, Length: 64 << 30}))
	f.Fuzz(func(t *testing.T, in []byte) {
		reader := newMessageReader(bytes.NewReader(in))
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
