package protocol

import (
	"encoding/binary"
	"math"
	"unicode/utf8"
)

// Decoder reads lib0 data from a byte slice. Errors match [ErrMalformed] and
// name the offset of the item that was refused; after one, the position of the
// decoder is of no use.
//
// A Decoder belongs to one goroutine at a time.
type Decoder struct {
	// Custom, when set, is called by ReadAny for every tag that lib0 does not
	// define, at any depth, with the decoder right behind the tag. It returns the
	// value or an error, and may call ReadAny.
	Custom func(d *Decoder, tag uint8) (any, error)

	// MaxDepth is how many arrays, maps and custom values may enclose each other.
	// 0 is MaxAnyDepth. Reading recurses: do not raise it for input that nobody
	// vouches for.
	MaxDepth int

	buf   []byte
	off   int
	depth int
}

// NewDecoder returns a decoder at the start of b. It keeps b and does not
// change it.
func NewDecoder(b []byte) *Decoder { return &Decoder{buf: b} }

// Offset returns the number of bytes read so far.
func (d *Decoder) Offset() int { return d.off }

// Remaining returns the number of bytes not read yet.
func (d *Decoder) Remaining() int { return len(d.buf) - d.off }

// ReadUint8 reads one byte.
func (d *Decoder) ReadUint8() (uint8, error) {
	if d.off == len(d.buf) {
		return 0, malformed(d.off, "the input ends where a byte is expected")
	}
	b := d.buf[d.off]
	d.off++
	return b, nil
}

// ReadVarUint reads an unsigned integer of up to 64 bits. An encoding longer
// than the value needs is refused.
func (d *Decoder) ReadVarUint() (uint64, error) {
	if d.off < len(d.buf) && d.buf[d.off] < 0x80 {
		d.off++
		return uint64(d.buf[d.off-1]), nil
	}
	return d.readGroups(d.off, 0, 0)
}

// ReadVarInt reads a signed integer of up to 64 bits. lib0 can write a negative
// zero; it is read as 0. An encoding longer than the value needs is refused.
func (d *Decoder) ReadVarInt() (int64, error) {
	start := d.off
	first, err := d.ReadUint8()
	if err != nil {
		return 0, err
	}
	magnitude := uint64(first & 0x3f)
	if first&0x80 != 0 {
		if magnitude, err = d.readGroups(start, magnitude, 6); err != nil {
			return 0, err
		}
	}
	if first&0x40 != 0 {
		if magnitude > 1<<63 {
			return 0, malformed(start, "integer is below the 64-bit range")
		}
		return -int64(magnitude), nil
	}
	if magnitude > math.MaxInt64 {
		return 0, malformed(start, "integer is above the 64-bit range")
	}
	return int64(magnitude), nil
}

// readGroups reads groups of seven bits until one without the continuation bit,
// and puts them above the low bits that value already holds. The integer began
// at offset start.
func (d *Decoder) readGroups(start int, value uint64, shift uint) (uint64, error) {
	for first := shift == 0; ; first = false {
		if d.off == len(d.buf) {
			return 0, malformed(start, "integer is truncated")
		}
		b := d.buf[d.off]
		d.off++
		group := uint64(b & 0x7f)
		if shift > 63 || group<<shift>>shift != group {
			return 0, malformed(start, "integer has more than 64 bits")
		}
		value |= group << shift
		shift += 7
		if b < 0x80 {
			if b == 0 && !first {
				return 0, malformed(start, "integer is encoded in more bytes than it needs")
			}
			return value, nil
		}
	}
}

// ReadVarBytes reads a byte string with its length in front. The result is a
// view into the input, with no spare capacity: copy it to keep it longer than
// the input, or to change it.
func (d *Decoder) ReadVarBytes() ([]byte, error) {
	start := d.off
	n, err := d.ReadVarUint()
	if err != nil {
		return nil, err
	}
	if n > uint64(d.Remaining()) {
		return nil, malformed(start, "length %d exceeds the %d bytes that remain", n, d.Remaining())
	}
	end := d.off + int(n)
	b := d.buf[d.off:end:end]
	d.off = end
	return b, nil
}

// ReadVarString reads a string with its length in bytes in front. What is not
// UTF-8 is refused.
func (d *Decoder) ReadVarString() (string, error) {
	b, err := d.readUTF8()
	return string(b), err
}

// readUTF8 is ReadVarBytes for what must be UTF-8.
func (d *Decoder) readUTF8() ([]byte, error) {
	start := d.off
	b, err := d.ReadVarBytes()
	if err != nil {
		return nil, err
	}
	if !utf8.Valid(b) {
		return nil, malformed(start, "string is not UTF-8")
	}
	return b, nil
}

// ReadFloat32 reads four bytes, most significant first.
func (d *Decoder) ReadFloat32() (float32, error) {
	b, err := d.readFixed(4)
	if err != nil {
		return 0, err
	}
	return math.Float32frombits(binary.BigEndian.Uint32(b)), nil
}

// ReadFloat64 reads eight bytes, most significant first.
func (d *Decoder) ReadFloat64() (float64, error) {
	b, err := d.readFixed(8)
	if err != nil {
		return 0, err
	}
	return math.Float64frombits(binary.BigEndian.Uint64(b)), nil
}

// ReadBigInt64 reads eight bytes, most significant first, in two's complement.
func (d *Decoder) ReadBigInt64() (int64, error) {
	b, err := d.readFixed(8)
	if err != nil {
		return 0, err
	}
	return int64(binary.BigEndian.Uint64(b)), nil
}

// readFixed takes the next n bytes.
func (d *Decoder) readFixed(n int) ([]byte, error) {
	if n > d.Remaining() {
		return nil, malformed(d.off, "%d bytes expected, %d remain", n, d.Remaining())
	}
	b := d.buf[d.off : d.off+n]
	d.off += n
	return b, nil
}

// readCount reads the number of items that follow, each of at least minSize
// bytes.
func (d *Decoder) readCount(minSize int) (int, error) {
	start := d.off
	n, err := d.ReadVarUint()
	if err != nil {
		return 0, err
	}
	if n > uint64(d.Remaining()/minSize) {
		return 0, malformed(start, "count %d needs more than the %d bytes that remain", n, d.Remaining())
	}
	return int(n), nil
}
