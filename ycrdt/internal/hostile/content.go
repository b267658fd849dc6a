package hostile

import (
	"bytes"
	"math/rand/v2"
	"strings"

	"github.com/yrs-go/yrs/ycrdt/protocol"
)

// Kinds of shared types in an item's content.
const (
	typeArray       = 0
	typeMap         = 1
	typeText        = 2
	typeXMLElement  = 3
	typeXMLFragment = 4
	typeXMLHook     = 5
	typeXMLText     = 6
	typeWeakLink    = 7
	typeUnknown     = 8
)

// Characters of one, two and four bytes, and of one and two UTF-16 code units.
var texts = []string{
	"a", "b", "xy", "hello", "é", "ß€", "😀", "a😀b", "😀😀", "e\u0301", "日本語", "\u0000", "\n",
	strings.Repeat("long ", 60), strings.Repeat("😀", 40),
}

// What is no UTF-8: a surrogate, half a character, a stray byte.
var brokenTexts = []string{"\xed\xa0\x80", "\xf0\x9f", "a\xff"}

var keys = []string{"k", "l", "", "😀", "__proto__"}

var formatKeys = []string{"bold", "italic", "link", "ychange"}

var jsonTexts = []string{
	"null", "true", "1", "-0.5", `"x"`, `{"a":[1,{"b":null}]}`, "[]", "1e400", "12345678901234567890", "undefined",
	"", "{", `"\ud800"`, "nope", strings.Repeat("[", 100) + strings.Repeat("]", 100),
}

// wellFormed is how many of jsonTexts, from the front, are JSON.
const wellFormed = 9

// pick returns one of several.
func pick[T any](rng *rand.Rand, of []T) T { return of[rng.IntN(len(of))] }

// chance is true once in a while: with probability p.
func chance(rng *rand.Rand, p float64) bool { return rng.Float64() < p }

// pickJSON returns a JSON text that is well-formed more often than not.
func pickJSON(rng *rand.Rand, wrong float64) string {
	if chance(rng, wrong) {
		return pick(rng, jsonTexts)
	}
	return pick(rng, jsonTexts[:wellFormed])
}

// writeContent fills in the content of an item of this kind. With probability wrong it is one that breaks a rule.
func (b *block) writeContent(rng *rand.Rand, kind byte, wrong float64) {
	var e protocol.Encoder
	b.info = b.info&^contentMask | kind
	b.units = 1
	switch kind {
	case contentGC, contentSkip, contentDeleted:
		b.units = 1 + uint64(rng.IntN(5))
		e.WriteVarUint(b.units)
	case contentString:
		text := pick(rng, texts)
		if chance(rng, wrong/4) {
			text = pick(rng, brokenTexts)
		}
		b.units = unitsOf(text)
		e.WriteVarBytes([]byte(text))
	case contentJSON:
		b.units = 1 + uint64(rng.IntN(3))
		e.WriteVarUint(b.units)
		for range b.units {
			e.WriteVarString(pickJSON(rng, wrong/2))
		}
	case contentAny:
		b.units = 1 + uint64(rng.IntN(4))
		e.WriteVarUint(b.units)
		for range b.units {
			writeAny(&e, rng, 3)
		}
	case contentBinary:
		e.WriteVarBytes(bytes.Repeat([]byte{0xb1}, rng.IntN(4)))
	case contentEmbed:
		e.WriteVarString(pickJSON(rng, wrong/2))
	case contentFormat:
		e.WriteVarString(pick(rng, formatKeys))
		e.WriteVarString(pickJSON(rng, wrong/2))
	case contentType:
		writeType(&e, rng, wrong)
	case contentDoc:
		e.WriteVarString(pick(rng, []string{"guid", "", "other"}))
		writeAny(&e, rng, 1)
	}
	b.content = e.Bytes()
}

// writeType writes the kind of a shared type. Kinds that are refused come seldom.
func writeType(e *protocol.Encoder, rng *rand.Rand, wrong float64) {
	kind := pick(rng, []byte{typeArray, typeMap, typeText, typeXMLElement, typeXMLFragment, typeXMLText})
	if chance(rng, wrong/8) {
		kind = pick(rng, []byte{typeXMLHook, typeWeakLink, typeUnknown})
	}
	e.WriteUint8(kind)
	switch kind {
	case typeXMLElement, typeXMLHook:
		e.WriteVarString(pick(rng, []string{"p", "", "div"}))
	case typeWeakLink:
		e.WriteUint8(0)
		e.WriteVarUint(uint64(rng.IntN(4)))
		e.WriteVarUint(uint64(rng.IntN(4)))
	}
}

// writeAny writes a plain value of lib0 that nests at most depth levels.
func writeAny(e *protocol.Encoder, rng *rand.Rand, depth int) {
	switch n := rng.IntN(12); {
	case n < 2 && depth > 0:
		e.WriteUint8(117) // list
		size := rng.IntN(3)
		e.WriteVarUint(uint64(size))
		for range size {
			writeAny(e, rng, depth-1)
		}
	case n < 4 && depth > 0:
		e.WriteUint8(118) // map
		size := rng.IntN(3)
		e.WriteVarUint(uint64(size))
		for range size {
			e.WriteVarString(pick(rng, keys))
			writeAny(e, rng, depth-1)
		}
	case n == 5:
		e.WriteUint8(119)
		e.WriteVarString(pick(rng, texts))
	case n == 6:
		e.WriteUint8(116)
		e.WriteVarBytes([]byte{1, 2})
	case n == 7:
		e.WriteUint8(125)
		e.WriteVarInt(rng.Int64() >> rng.IntN(63))
	case n == 8:
		e.WriteUint8(pick(rng, []byte{122, 123}))
		e.WriteFloat64(pick(rng, []float64{0, -1, 1 << 63, 1e300}))
	case n == 9:
		e.WriteUint8(124)
		e.WriteFloat32(0.5)
	default:
		e.WriteUint8(pick(rng, []byte{120, 121, 126, 127}))
	}
}

// deepAny is a plain value of so many lists in each other.
func deepAny(levels int) []byte {
	return append(bytes.Repeat([]byte{117, 1}, levels), 126)
}

// unitsOf is the length of a text in UTF-16 code units.
func unitsOf(text string) uint64 {
	units := uint64(0)
	for _, r := range text {
		units++
		if r > 0xffff {
			units++
		}
	}
	return units
}
