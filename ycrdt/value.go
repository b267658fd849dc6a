package ycrdt

import (
	"fmt"
	"math"
	"math/big"

	"github.com/yrs-go/yrs/ycrdt/protocol"
)

// Undefined is JavaScript's undefined, which is not null.
var Undefined = protocol.Undefined

// NewText, inserted as a value, becomes a nested [Text] with these characters.
type NewText string

// NewRichText, inserted as a value, becomes a nested [Text] made by this delta, which may hold insertions only.
type NewRichText Delta

// NewMap, inserted as a value, becomes a nested [Map] with these entries, which may be shared types themselves.
type NewMap map[string]any

// NewArray, inserted as a value, becomes a nested [Array] of these values, which may be shared types themselves.
type NewArray []any

// Subdoc stands for a document nested in a document, which this version cannot open.
type Subdoc struct{ GUID string }

// The tags by which yffi/src/value.rs extends lib0's Any encoding.
const (
	tagText   = 1
	tagMap    = 2
	tagArray  = 3
	tagShared = 4
	tagSubdoc = 5

	opInsert = 1
	opDelete = 2
	opRetain = 3
)

// encodeValue writes a value and, if it is one, the tree of new shared types below it.
func encodeValue(e *protocol.Encoder, value any) error {
	return encodeTree(e, value, protocol.MaxAnyDepth)
}

func encodeTree(e *protocol.Encoder, value any, depth int) error {
	switch value.(type) {
	case NewText, NewRichText, NewMap, NewArray:
		if depth == 0 {
			return fmt.Errorf("%w: shared types nested more than %d levels deep (a cycle?)", ErrUnsupportedValue, protocol.MaxAnyDepth)
		}
	}
	switch value := value.(type) {
	case NewText:
		return encodeNewText(e, Delta{{Insert: string(value)}}, depth)
	case NewRichText:
		return encodeNewText(e, Delta(value), depth)
	case NewMap:
		e.WriteUint8(tagMap)
		e.WriteVarUint(uint64(len(value)))
		for _, key := range sortedKeys(value) {
			if err := encodeKey(e, key); err != nil {
				return err
			}
			if err := encodeTree(e, value[key], depth-1); err != nil {
				return fmt.Errorf("key %q: %w", key, err)
			}
		}
		return nil
	case NewArray:
		e.WriteUint8(tagArray)
		e.WriteVarUint(uint64(len(value)))
		for i, element := range value {
			if err := encodeTree(e, element, depth-1); err != nil {
				return fmt.Errorf("index %d: %w", i, err)
			}
		}
		return nil
	default:
		return encodePlain(e, value)
	}
}

func encodeNewText(e *protocol.Encoder, delta Delta, depth int) error {
	e.WriteUint8(tagText)
	var ops Delta
	for i, op := range delta {
		if err := op.check(); err != nil {
			return fmt.Errorf("operation %d: %w", i, err)
		}
		if op.Delete != 0 || op.Retain != 0 {
			return fmt.Errorf("%w: the delta of a new text may hold insertions only", ErrUnsupportedValue)
		}
		if !op.isEmpty() {
			ops = append(ops, op)
		}
	}
	e.WriteVarUint(uint64(len(ops)))
	for _, op := range ops {
		if err := encodeOp(e, op, depth-1); err != nil {
			return err
		}
	}
	return nil
}

// encodePlain writes a value without shared types.
func encodePlain(e *protocol.Encoder, value any) error {
	if err := checkPlain(value, protocol.MaxAnyDepth); err != nil {
		return err
	}
	return e.WriteAny(value)
}

// checkPlain refuses what the encoder would let pass or could say less about. The value may nest as deep as the encoder
// allows.
func checkPlain(value any, depth int) error {
	switch value := value.(type) {
	case *big.Int:
		return checkBigInt(value)
	case int, int64, uint, uint64:
		return checkInteger(value, true)
	case []any:
		if depth == 0 {
			return tooDeep(protocol.MaxAnyDepth)
		}
		for _, element := range value {
			if err := checkPlain(element, depth-1); err != nil {
				return err
			}
		}
	case map[string]any:
		if depth == 0 {
			return tooDeep(protocol.MaxAnyDepth)
		}
		for _, element := range value {
			if err := checkPlain(element, depth-1); err != nil {
				return err
			}
		}
	default:
		return checkNoShared(value)
	}
	return nil
}

// arrivesAsBigInt tells whether yrs carries n as a BigInt. What a float can hold it writes as a float, and it takes
// 2^63-1 for that.
func arrivesAsBigInt(n int64) bool {
	isFloat := int64(float64(n)) == n && float64(n) < 1<<63
	return !isFloat && n != math.MaxInt64
}

func checkBigInt(value *big.Int) error {
	switch {
	case value == nil || !value.IsInt64() || arrivesAsBigInt(value.Int64()):
		return nil // what is wrong with it, the encoder says
	case -maxSafeInteger <= value.Int64() && value.Int64() <= maxSafeInteger:
		return fmt.Errorf("%w: the BigInt %d would arrive as an integer; write it as an int64", ErrUnsupportedValue, value)
	default:
		return fmt.Errorf("%w: the BigInt %d would arrive as a float; write it as a string, or as a float64 if that is "+
			"precise enough", ErrUnsupportedValue, value)
	}
}

// checkInteger refuses an integer that JavaScript does not tell from its neighbours, and says what to write instead.
func checkInteger(value any, bigInts bool) error {
	var n int64
	isSmall := true // whether it fits into n
	switch value := value.(type) {
	case int:
		n = int64(value)
	case int64:
		n = value
	case uint:
		n, isSmall = int64(value), value <= math.MaxInt64
	case uint64:
		n, isSmall = int64(value), value <= math.MaxInt64
	}
	if isSmall && -maxSafeInteger <= n && n <= maxSafeInteger {
		return nil
	}
	or := ""
	if bigInts && isSmall && arrivesAsBigInt(n) {
		or = "as a *big.Int, "
	}
	return fmt.Errorf("%w: integer %d is beyond 2^53-1, where JavaScript loses digits; write it %sas a string, or as a "+
		"float64 if that is precise enough", ErrUnsupportedValue, value, or)
}

// checkNoShared refuses shared types where only plain values can be.
func checkNoShared(value any) error {
	switch value.(type) {
	case *Text, *Map, *Array, *Opaque, Ref:
		return fmt.Errorf("%w: %T is a shared type that has its place; to insert what it holds, make a new one of that "+
			"(NewText, NewRichText, NewMap, NewArray)", ErrUnsupportedValue, value)
	case NewText, NewRichText, NewMap, NewArray:
		return fmt.Errorf("%w: %T inside a plain value; only NewMap, NewArray and NewRichText hold shared types",
			ErrUnsupportedValue, value)
	}
	return nil
}

// tooDeep is for what looks through values before the encoder does: a value may contain itself, and a stack that
// overflows ends the process.
func tooDeep(levels int) error {
	return fmt.Errorf("%w: nested more than %d deep (a cycle?)", ErrUnsupportedValue, levels)
}

// maxNativeDepth is above what native calls return: as many levels of shared types as Limits allow, around a plain value
// that is as deep as they allow.
const maxNativeDepth = 1024

// newNativeDecoder reads what a native call returned.
func newNativeDecoder(encoded []byte) *protocol.Decoder {
	dec := protocol.NewDecoder(encoded)
	dec.MaxDepth = maxNativeDepth
	return dec
}

// decodeExport reads what a native call returned for a whole tree: plain values only.
func decodeExport(encoded []byte) (any, error) { return newNativeDecoder(encoded).ReadAny() }

// decodeValue reads what a native call returned for one value. Shared types become handles of tx.
func decodeValue(tx *Tx, encoded []byte) (any, error) {
	r := valueReader{tx: tx, dec: newNativeDecoder(encoded)}
	return r.value()
}

// valueReader reads values and delta operations. With a tx, shared types become its handles, otherwise a Ref.
type valueReader struct {
	tx  *Tx
	dec *protocol.Decoder
}

func (r *valueReader) value() (any, error) {
	tag, err := r.dec.ReadUint8()
	if err != nil {
		return nil, err
	}
	switch tag {
	case tagShared:
		ref, err := decodeRef(r.dec)
		if err != nil || r.tx == nil {
			return ref, err
		}
		return r.tx.nested("resolve", ref)
	case tagSubdoc:
		guid, err := r.dec.ReadVarString()
		return Subdoc{GUID: guid}, err
	default:
		return r.dec.ReadAnyTag(tag)
	}
}

// decodeRef reads what encode_ref writes: a kind, then 0 and a name, or 1, client and clock.
func decodeRef(dec *protocol.Decoder) (ref Ref, err error) {
	kind, err := dec.ReadUint8()
	if err != nil {
		return ref, err
	}
	ref.kind = Kind(kind)
	nested, err := dec.ReadUint8()
	if err != nil {
		return ref, err
	}
	if nested == 0 {
		ref.name, err = dec.ReadVarString()
		return ref, err
	}
	ref.nested = true
	if ref.client, err = dec.ReadVarUint(); err != nil {
		return ref, err
	}
	clock, err := dec.ReadVarUint()
	ref.clock = uint32(clock)
	return ref, err
}

func readInt(dec *protocol.Decoder) (int, error) {
	n, err := dec.ReadVarUint()
	return int(n), err
}
