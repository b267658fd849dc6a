package ycrdt

import (
	"fmt"
	"unicode/utf8"
)

// UTF16Len returns the length of s in UTF-16 code units, the default unit of text offsets.
func UTF16Len(s string) int {
	n := 0
	for _, r := range s {
		n += units(r)
	}
	return n
}

// units returns how many UTF-16 code units a character takes.
func units(r rune) int {
	if r >= 0x10000 {
		return 2
	}
	return 1
}

// UTF16Offset converts an offset in bytes of s, as Go counts, into one in UTF-16 code units. It fails with
// ErrOutOfRange if byteOffset is outside s or inside a character.
func UTF16Offset(s string, byteOffset int) (int, error) {
	if byteOffset < 0 || byteOffset > len(s) || byteOffset < len(s) && !utf8.RuneStart(s[byteOffset]) {
		return 0, badOffset("utf-16 offset", byteOffset)
	}
	return UTF16Len(s[:byteOffset]), nil
}

// ByteOffset converts an offset in UTF-16 code units into one in bytes of s. It fails with ErrOutOfRange if
// utf16Offset is outside s or inside a character.
func ByteOffset(s string, utf16Offset int) (int, error) {
	at := 0
	for i, r := range s {
		if at >= utf16Offset {
			if at == utf16Offset {
				return i, nil
			}
			break
		}
		at += units(r)
	}
	if at == utf16Offset {
		return len(s), nil
	}
	return 0, badOffset("byte offset", utf16Offset)
}

// RuneOffset converts an offset in runes of s into one in UTF-16 code units. It fails with ErrOutOfRange if
// runeOffset is outside s.
func RuneOffset(s string, runeOffset int) (int, error) {
	runes, at := 0, 0
	for _, r := range s {
		if runes == runeOffset {
			return at, nil
		}
		runes++
		at += units(r)
	}
	if runes == runeOffset {
		return at, nil
	}
	return 0, badOffset("rune offset", runeOffset)
}

func badOffset(op string, offset int) error {
	return &Error{Op: op, Code: CodeOutOfRange, Msg: fmt.Sprintf("offset %d is outside the string or inside a character", offset)}
}
