package protocol

import (
	"maps"
	"math"
	"math/big"
	"slices"
	"unicode/utf8"
)

// canonicalNaN is the bit pattern with which JavaScript writes NaN.
const canonicalNaN = 0x7ff8000000000000

// WriteAny writes v with its tag:
//
//	nil                        null
//	Undefined                  undefined
//	bool, string, []byte       the same
//	[]any, map[string]any      the same; keys in ascending order
//	int…, uint… (any width)    up to 2^31-1 in magnitude as an integer, up to
//	                           2^53-1 as a float, as lib0 writes them
//	float32, float64           a 32-bit float if that is exact, otherwise 64 bits
//	*big.Int                   a BigInt of 64 bits
//
// So integers and floats stay apart on the wire, except that a float of integral
// value from 2^31 on reads like an integer: see [Decoder.ReadAny].
//
// Everything else goes to Custom, or is refused with an error that matches
// [ErrUnsupportedValue], as are integers that do not fit, strings that are not
// UTF-8, and nesting deeper than [MaxAnyDepth]. After an error nothing of the
// value remains written.
func (e *Encoder) WriteAny(v any) error {
	start := len(e.buf)
	err := e.writeAny(v)
	if err != nil {
		e.buf = e.buf[:start]
	}
	return err
}

func (e *Encoder) writeAny(v any) error {
	switch v := v.(type) {
	case nil:
		e.WriteUint8(TagNull)
	case UndefinedType:
		e.WriteUint8(TagUndefined)
	case bool:
		e.writeBool(v)
	case string:
		e.WriteUint8(TagString)
		return e.writeCheckedString(v)
	case []byte:
		e.WriteUint8(TagBytes)
		e.WriteVarBytes(v)
	case []any:
		return e.writeArray(v)
	case map[string]any:
		return e.writeMap(v)
	case float32:
		e.writeFloat(float64(v))
	case float64:
		e.writeFloat(v)
	case *big.Int:
		return e.writeBigInt(v)
	default:
		return e.writeIntegerOrCustom(v)
	}
	return nil
}

func (e *Encoder) writeBool(v bool) {
	if v {
		e.WriteUint8(TagTrue)
	} else {
		e.WriteUint8(TagFalse)
	}
}

// writeCheckedString refuses what WriteVarString would alter.
func (e *Encoder) writeCheckedString(s string) error {
	if !utf8.ValidString(s) {
		return unsupported("string %q is not UTF-8; use []byte for binary data", abbreviate(s))
	}
	e.WriteVarString(s)
	return nil
}

func (e *Encoder) writeArray(values []any) error {
	if err := e.descend(); err != nil {
		return err
	}
	defer e.ascend()
	e.WriteUint8(TagArray)
	e.WriteVarUint(uint64(len(values)))
	for _, v := range values {
		if err := e.writeAny(v); err != nil {
			return err
		}
	}
	return nil
}

func (e *Encoder) writeMap(m map[string]any) error {
	if err := e.descend(); err != nil {
		return err
	}
	defer e.ascend()
	e.WriteUint8(TagMap)
	e.WriteVarUint(uint64(len(m)))
	for _, key := range slices.Sorted(maps.Keys(m)) {
		if err := e.writeCheckedString(key); err != nil {
			return err
		}
		if err := e.writeAny(m[key]); err != nil {
			return err
		}
	}
	return nil
}

// writeFloat writes the shortest float that holds v exactly.
func (e *Encoder) writeFloat(v float64) {
	switch {
	case math.IsNaN(v):
		e.WriteUint8(TagFloat64)
		e.WriteFloat64(math.Float64frombits(canonicalNaN))
	case float64(float32(v)) == v:
		e.WriteUint8(TagFloat32)
		e.WriteFloat32(float32(v))
	default:
		e.WriteUint8(TagFloat64)
		e.WriteFloat64(v)
	}
}

func (e *Encoder) writeBigInt(v *big.Int) error {
	if v == nil {
		return unsupported("nil *big.Int; use nil for null")
	}
	if !v.IsInt64() {
		return unsupported("%s has more than 64 bits; write it as a string", abbreviate(v.String()))
	}
	e.WriteUint8(TagBigInt)
	e.WriteBigInt64(v.Int64())
	return nil
}

func (e *Encoder) writeIntegerOrCustom(v any) error {
	switch v := v.(type) {
	case int:
		return e.writeInt(int64(v))
	case int8:
		return e.writeInt(int64(v))
	case int16:
		return e.writeInt(int64(v))
	case int32:
		return e.writeInt(int64(v))
	case int64:
		return e.writeInt(v)
	case uint:
		return e.writeUint(uint64(v))
	case uint8:
		return e.writeInt(int64(v))
	case uint16:
		return e.writeInt(int64(v))
	case uint32:
		return e.writeInt(int64(v))
	case uint64:
		return e.writeUint(v)
	default:
		return e.writeCustom(v)
	}
}

func (e *Encoder) writeUint(v uint64) error {
	if v > maxSafeInteger {
		return unsupported("integer %d is beyond 2^53-1, where JavaScript loses digits; use *big.Int", v)
	}
	return e.writeInt(int64(v))
}

func (e *Encoder) writeInt(v int64) error {
	switch {
	case -maxTagInteger <= v && v <= maxTagInteger:
		e.WriteUint8(TagInteger)
		e.WriteVarInt(v)
	case -maxSafeInteger <= v && v <= maxSafeInteger:
		e.writeFloat(float64(v))
	default:
		return unsupported("integer %d is beyond 2^53-1, where JavaScript loses digits; use *big.Int", v)
	}
	return nil
}

// writeCustom offers v to the hook.
func (e *Encoder) writeCustom(v any) error {
	if e.Custom == nil {
		return unsupported("type %T", v)
	}
	if err := e.descend(); err != nil {
		return err
	}
	defer e.ascend()
	written, err := e.Custom(e, v)
	if err == nil && !written {
		err = unsupported("type %T", v)
	}
	return err
}

// descend enters an array, a map or a custom value; ascend leaves it.
func (e *Encoder) descend() error {
	if e.depth == MaxAnyDepth {
		return unsupported("nested more than %d deep (a cycle?)", MaxAnyDepth)
	}
	e.depth++
	return nil
}

func (e *Encoder) ascend() { e.depth-- }

// abbreviate shortens s for an error text.
func abbreviate(s string) string {
	const limit = 40
	if len(s) <= limit {
		return s
	}
	return s[:limit] + "…"
}
