package protocol

import (
	"bytes"
	"math"
	"math/big"
)

// preallocate bounds what is reserved for an array or a map before its items
// have been read, whatever its count says: nested counts could otherwise each
// claim all bytes that remain.
const preallocate = 256

// ReadAny reads a tag and the value behind it:
//
//	null                    nil
//	undefined               Undefined
//	boolean, string, bytes  bool, string, []byte (a copy)
//	array, map              []any, map[string]any; of equal keys the last counts
//	integer                 int64
//	float                   float64, or int64: see below
//	BigInt                  *big.Int
//
// Yjs writes whole numbers beyond 31 bits as floats. Therefore a float of
// integral value v with 2^31 ≤ |v| ≤ 2^53-1 is read as an int64. lib0's negative
// zero, written as an integer, is read as the int64 0.
//
// Other tags go to Custom, or are refused. Nesting is limited to MaxDepth.
func (d *Decoder) ReadAny() (any, error) {
	tag, err := d.ReadUint8()
	if err != nil {
		return nil, err
	}
	return d.ReadAnyTag(tag)
}

// ReadAnyTag is [Decoder.ReadAny] for a caller that has already read the tag.
func (d *Decoder) ReadAnyTag(tag uint8) (any, error) {
	switch tag {
	case TagUndefined:
		return Undefined, nil
	case TagNull:
		return nil, nil
	case TagFalse, TagTrue:
		return tag == TagTrue, nil
	case TagInteger:
		return wrap(d.ReadVarInt())
	case TagFloat32:
		v, err := d.ReadFloat32()
		return wrap(number(float64(v)), err)
	case TagFloat64:
		v, err := d.ReadFloat64()
		return wrap(number(v), err)
	case TagBigInt:
		v, err := d.ReadBigInt64()
		return wrap(big.NewInt(v), err)
	case TagString:
		return wrap(d.ReadVarString())
	case TagBytes:
		b, err := d.ReadVarBytes()
		return wrap(bytes.Clone(b), err)
	case TagArray:
		return d.readArray()
	case TagMap:
		return d.readMap()
	default:
		return d.readCustom(tag)
	}
}

// wrap makes an untyped nil of the value that goes with an error.
func wrap[T any](v T, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return v, nil
}

// number tells the integers beyond 31 bits, which Yjs writes as floats, from
// other floats.
func number(v float64) any {
	if a := math.Abs(v); a > maxTagInteger && a <= maxSafeInteger && a == math.Trunc(a) {
		return int64(v)
	}
	return v
}

func (d *Decoder) readArray() (any, error) {
	if err := d.descend(); err != nil {
		return nil, err
	}
	defer d.ascend()
	n, err := d.readCount(1)
	if err != nil {
		return nil, err
	}
	values := make([]any, 0, min(n, preallocate))
	for range n {
		v, err := d.ReadAny()
		if err != nil {
			return nil, err
		}
		values = append(values, v)
	}
	return values, nil
}

func (d *Decoder) readMap() (any, error) {
	if err := d.descend(); err != nil {
		return nil, err
	}
	defer d.ascend()
	n, err := d.readCount(2)
	if err != nil {
		return nil, err
	}
	m := make(map[string]any, min(n, preallocate))
	for range n {
		key, err := d.ReadVarString()
		if err != nil {
			return nil, err
		}
		if m[key], err = d.ReadAny(); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// readCustom gives a tag that lib0 does not define to the hook.
func (d *Decoder) readCustom(tag uint8) (any, error) {
	if d.Custom == nil {
		return nil, malformed(d.off-1, "unknown tag %d", tag)
	}
	if err := d.descend(); err != nil {
		return nil, err
	}
	defer d.ascend()
	return d.Custom(d, tag)
}

// descend enters an array, a map or a custom value, behind its tag; ascend
// leaves it.
func (d *Decoder) descend() error {
	limit := d.MaxDepth
	if limit == 0 {
		limit = MaxAnyDepth
	}
	if d.depth == limit {
		return malformed(d.off-1, "nested more than %d deep", limit)
	}
	d.depth++
	return nil
}

func (d *Decoder) ascend() { d.depth-- }
