package protocol

// The tags that begin a value in lib0's Any encoding.
const (
	TagUndefined = 127
	TagNull      = 126
	TagInteger   = 125 // signed variable-length integer
	TagFloat32   = 124
	TagFloat64   = 123
	TagBigInt    = 122 // 64 bits, two's complement
	TagFalse     = 121
	TagTrue      = 120
	TagString    = 119
	TagMap       = 118 // count, then key and value each
	TagArray     = 117 // count, then values
	TagBytes     = 116

	// TagCustomMax ends the range, from 0, that lib0 leaves to its users: see
	// Encoder.Custom and Decoder.Custom.
	TagCustomMax = 30
)

// MaxAnyDepth is how many arrays, maps and custom values may enclose each other
// in a value, when writing as when reading.
const MaxAnyDepth = 64

const (
	maxSafeInteger = 1<<53 - 1 // JavaScript's Number.MAX_SAFE_INTEGER
	maxTagInteger  = 1<<31 - 1 // the largest magnitude lib0 writes as TagInteger
)

// UndefinedType is the type of [Undefined].
type UndefinedType struct{}

// Undefined is JavaScript's undefined, which Yjs tells from null.
var Undefined UndefinedType

// String returns "undefined".
func (UndefinedType) String() string { return "undefined" }

// MarshalJSON returns null: JSON has no undefined.
func (UndefinedType) MarshalJSON() ([]byte, error) { return []byte("null"), nil }
