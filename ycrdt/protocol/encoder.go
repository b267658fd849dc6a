package protocol

import (
	"encoding/binary"
	"math"
	"slices"
	"strings"
	"unicode/utf8"
)

// Encoder writes lib0 data into a buffer that grows as needed. The zero value
// is ready to use.
//
// An Encoder belongs to one goroutine at a time.
type Encoder struct {
	// Custom, when set, is offered every value whose Go type WriteAny does not
	// know, at any depth. It writes the value, beginning with a tag of its own
	// out of [0, TagCustomMax], and returns true; or it writes nothing and
	// returns false, and the value is refused. It may call WriteAny.
	Custom func(e *Encoder, v any) (bool, error)

	buf   []byte
	depth int
}

// Bytes returns what was written so far. The slice is the encoder's own buffer:
// it is valid until the next write or Reset.
func (e *Encoder) Bytes() []byte { return e.buf }

// Len returns the number of bytes written so far.
func (e *Encoder) Len() int { return len(e.buf) }

// Reset forgets what was written and keeps the buffer for reuse.
func (e *Encoder) Reset() { e.buf = e.buf[:0] }

// Grow makes room for n more bytes without further allocation.
func (e *Encoder) Grow(n int) { e.buf = slices.Grow(e.buf, n) }

// WriteUint8 writes one byte.
func (e *Encoder) WriteUint8(v uint8) { e.buf = append(e.buf, v) }

// WriteVarUint writes v in one to ten bytes. JavaScript peers read no more than
// 53 bits.
func (e *Encoder) WriteVarUint(v uint64) { e.buf = appendVarUint(e.buf, v) }

// WriteVarInt writes v with its sign in one to ten bytes. JavaScript peers read
// no more than 53 bits.
func (e *Encoder) WriteVarInt(v int64) { e.buf = appendVarInt(e.buf, v) }

// WriteVarString writes the length of s in bytes and then s. What is not UTF-8
// in s is written as U+FFFD, as JavaScript does with unpaired surrogates: peers
// refuse anything else.
func (e *Encoder) WriteVarString(s string) { e.buf = appendVarString(e.buf, s) }

// WriteVarBytes writes the length of b and then b.
func (e *Encoder) WriteVarBytes(b []byte) { e.buf = appendVarBytes(e.buf, b) }

// WriteRaw writes b as it is.
func (e *Encoder) WriteRaw(b []byte) { e.buf = append(e.buf, b...) }

// WriteFloat32 writes four bytes, most significant first.
func (e *Encoder) WriteFloat32(v float32) {
	e.buf = binary.BigEndian.AppendUint32(e.buf, math.Float32bits(v))
}

// WriteFloat64 writes eight bytes, most significant first.
func (e *Encoder) WriteFloat64(v float64) {
	e.buf = binary.BigEndian.AppendUint64(e.buf, math.Float64bits(v))
}

// WriteBigInt64 writes eight bytes, most significant first, in two's complement.
func (e *Encoder) WriteBigInt64(v int64) {
	e.buf = binary.BigEndian.AppendUint64(e.buf, uint64(v))
}

// appendVarString is WriteVarString for a plain buffer.
func appendVarString(dst []byte, s string) []byte {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, string(utf8.RuneError))
	}
	return append(appendVarUint(dst, uint64(len(s))), s...)
}
