package ycrdt_test

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt"
)

// cat joins bytes, strings and numbers below 128 to an update.
func cat(parts ...any) []byte {
	var out []byte
	for _, part := range parts {
		switch part := part.(type) {
		case int:
			out = append(out, byte(part))
		case string:
			out = append(out, part...)
		case []byte:
			out = append(out, part...)
		}
	}
	return out
}

func varint(n uint64) []byte { return binary.AppendUvarint(nil, n) }

var (
	// char is a struct: an item (info 4: a string) in the root text "t" (parent by name: 1, "t") with one character.
	char = cat(4, 1, 1, "t", 1, "x")
	// A value in the root map "m" under the key "k" (info 0x28: values, with a key), still without its values.
	entry = cat(0x28, 1, 1, "m", 1, "k")
	// A shared type in the root array "a" (info 7), still without its kind.
	typed = cat(7, 1, 1, "a")
)

// one is an update with one struct of client 1 at clock 0 and nothing deleted.
func one(block ...any) []byte { return cat(1, 1, 1, 0, cat(block...), 0) }

// deepLists is an Any of levels lists in each other, with null inside.
func deepLists(levels int) []byte { return cat(bytes.Repeat([]byte{117, 1}, levels), 126) }

func deepMaps(levels int) []byte { return cat(bytes.Repeat([]byte{118, 1, 0}, levels), 126) }

// The rules of the gate, each with the smallest update that breaks it. The offset is that of the bytes at fault.
func TestDoc_ApplyUpdate_Refuses(t *testing.T) {
	const int31, int53 = 1 << 31, 1 << 53
	for _, test := range []struct {
		what   string
		update []byte
		want   string
	}{
		{"nothing", nil, "unexpected end at byte 0"},
		{"no delete set", cat(0), "unexpected end at byte 1"},
		{"more sections than bytes", cat(varint(int31-1), make([]byte, 100)), "count above the bytes that remain at byte 0"},
		{"a count above 31 bits", cat(varint(int31)), "number not below 2^31 at byte 0"},
		{"a count that wraps 32 bits to 0", cat(varint(1<<32), 0), "number not below 2^31 at byte 0"},
		{"a count that wraps 64 bits", cat(bytes.Repeat([]byte{0x80}, 10), 1), "number not below 2^31 at byte 0"},
		{"more structs than bytes", cat(1, 100, 1, 0, char, 0), "count above the bytes that remain at byte 1"},
		{"a client twice", cat(2, 1, 1, 0, char, 1, 1, 0, char, 0), "client listed twice"},
		{"a client twice, with another between", cat(3, 1, 1, 0, char, 1, 2, 0, char, 1, 1, 5, char, 0), "client listed twice"},
		{"a client of 54 bits", cat(1, 1, varint(int53), 0, char, 0), "client id above 53 bits at byte 2"},
		{"a client of 64 bits", cat(1, 1, varint(1<<63), 0, char, 0), "client id above 53 bits at byte 2"},
		{"a clock of 32 bits", cat(1, 1, 1, varint(int31), char, 0), "number not below 2^31 at byte 3"},
		{"clock and length reach 2^31", cat(1, 1, 1, varint(int31-1), char, 0), "clock not below 2^31"},
		{"clock and length wrap 32 bits", cat(1, 1, 1, varint(int31-1), 0, varint(int31-1), 0), "clock not below 2^31"},
		{"lengths of several structs wrap", cat(1, 3, 1, 5, 0, varint(int31-7), 0, 1, char, 0), "clock not below 2^31"},
		{"a section without structs", cat(2, 0, 2, 0, 1, 1, 0, char, 0), "client section without blocks"},
		{"a section of Skips", one(10, 3), "client section without blocks"},
		{"GC of length 0", one(0, 0), "struct of length 0"},
		{"Skip of length 0", cat(1, 2, 1, 0, 10, 0, char, 0), "struct of length 0"},
		{"no characters", one(4, 1, 1, "t", 0), "struct of length 0"},
		{"deletion of length 0", one(1, 1, 1, "t", 0), "struct of length 0"},
		{"no values", one(entry, 0), "struct of length 0"},
		{"an origin's client", one(0x84, varint(int53), 0, 1, "x"), "client id above 53 bits at byte 5"},
		{"an origin's clock", one(0x84, 1, varint(int31), 1, "x"), "number not below 2^31 at byte 6"},
		{"a right origin's client", one(0x44, varint(int53), 0, 1, "x"), "client id above 53 bits at byte 5"},
		{"a right origin's clock", one(0x44, 1, varint(int31), 1, "x"), "number not below 2^31 at byte 6"},
		{"a parent's client", one(4, 0, varint(int53), 0, 1, "x"), "client id above 53 bits at byte 6"},
		{"a parent's clock", one(4, 0, 1, varint(int31), 1, "x"), "number not below 2^31 at byte 7"},
		{"a root's name", one(4, 1, 1, "\xff", 1, "x"), "string is not UTF-8 at byte 6"},
		{"a key", one(0x28, 1, 1, "m", 1, "\xff", 1, 126), "string is not UTF-8 at byte 8"},
		{"characters", one(4, 1, 1, "t", 2, "a\xff"), "string is not UTF-8 at byte 8"},
		{"half a character", one(4, 1, 1, "t", 2, "\xf0\x9f"), "string is not UTF-8 at byte 8"},
		{"a surrogate in UTF-8", one(4, 1, 1, "t", 3, "\xed\xa0\x80"), "string is not UTF-8 at byte 8"},
		{"a string beyond the end", one(4, 1, 1, "t", 9, "x"), "length above the bytes that remain"},
		{"a string of 2 GiB", one(4, 1, 1, "t", varint(int31-1), "x"), "length above the bytes that remain"},
		{"bytes beyond the end", one(3, 1, 1, "t", 9, "x"), "length above the bytes that remain"},
		{"more values than bytes", one(entry, 99, 126), "count above the bytes that remain"},
		{"257 lists in each other", one(entry, 1, deepLists(257)), "value nested too deeply"},
		{"257 maps in each other", one(entry, 1, deepMaps(257)), "value nested too deeply"},
		{"257 lists in a subdocument's options", one(9, 1, 1, "a", 1, "g", deepLists(257)), "value nested too deeply"},
		{"a list longer than the bytes", one(entry, 1, 117, 99, 126), "count above the bytes that remain"},
		{"a map longer than the bytes", one(entry, 1, 118, 99, 0, 126), "count above the bytes that remain"},
		{"an integer of ten bytes", one(entry, 1, 125, bytes.Repeat([]byte{0x80}, 10), 0), "integer too long"},
		{"a BigInt cut short", cat(1, 1, 1, 0, entry, 1, 122, 0, 0), "length above the bytes that remain"},
		{"a value of an unknown kind", one(entry, 1, 115), "unknown value"},
		{"a custom value", one(entry, 1, 4), "unknown value"},
		{"content of an unknown kind", one(0x8b, 1, 0, 0), "unknown content"},
		{"content of the last kind", one(0x8f, 1, 0, 0), "unknown content"},
		{"GC with an origin", one(0x80, 1, 0, 1), "unknown content"},
		{"legacy values that are no JSON", one(2, 1, 1, "a", 1, 3, "nul"), "content is not JSON at byte 9"},
		{"legacy values cut short", one(2, 1, 1, "a", 2, 4, "null"), "unexpected end"},
		{"257 legacy lists in each other", one(2, 1, 1, "a", 1, varint(514), strings.Repeat("[", 257), strings.Repeat("]", 257)), "content is not JSON"},
		{"a struct that refers to itself", cat(1, 1, 1, 5, 0x84, 1, 5, 1, "x", 0), "reference to itself"},
		{"a struct that is its own parent", cat(1, 1, 1, 5, 4, 0, 1, 5, 1, "x", 0), "reference to itself"},
		{"a struct beside a later one", cat(1, 1, 1, 5, 0x44, 1, 9, 1, "x", 0), "reference to itself or to what its client wrote later at byte 4"},
		{"an XML hook", one(typed, 5, 1, "h"), "XmlHook is not supported"},
		{"a weak link", one(typed, 7, 0, 1, 0), "weak links are not supported"},
		{"a type of an unknown kind", one(typed, 8), "unknown shared type"},
		{"a deleting client twice", cat(0, 2, 1, 1, 0, 1, 1, 1, 5, 1), "client listed twice"},
		{"a deleting client of 54 bits", cat(0, 1, varint(int53), 1, 0, 1), "client id above 53 bits at byte 2"},
		{"a deleted clock of 32 bits", cat(0, 1, 1, 1, varint(int31), 1), "number not below 2^31 at byte 4"},
		{"a deletion that wraps", cat(0, 1, 1, 1, varint(int31-1), varint(int31-1)), "clock not below 2^31"},
		{"a deletion of nothing", cat(0, 1, 1, 1, 0, 0), "deleted range of length 0"},
		{"more deletions than bytes", cat(0, 1, 1, 99, 0, 1), "count above the bytes that remain at byte 3"},
		{"more deleting clients than bytes", cat(0, varint(int31-1), 1, 1), "count above the bytes that remain at byte 1"},
		{"an embed that is no JSON", one(5, 1, 1, "t", 1, "{"), ""},
		{"an attribute that is no JSON", one(6, 1, 1, "t", 1, "b", 4, "nope"), ""},
		{"an embed of 100,000 lists", one(5, 1, 1, "t", varint(200000), strings.Repeat("[", 100000), strings.Repeat("]", 100000)), ""},
		{"an attribute of 100,000 lists", one(6, 1, 1, "t", 1, "b", varint(100000), strings.Repeat("[", 100000)), ""},
	} {
		t.Run(test.what, func(t *testing.T) {
			doc := newDoc(t)
			set(t, doc, "k", 1)
			before := encode(t, doc)
			heard := 0
			defer doc.OnUpdate(func(ycrdt.UpdateEvent) { heard++ }).Close()
			errs := map[string]error{"apply": doc.ApplyUpdate(test.update), "check": ycrdt.CheckUpdate(test.update)}
			_, errs["merge"] = ycrdt.MergeUpdates([]byte{0, 0}, test.update)
			write(t, doc, func(tx *ycrdt.Tx) { errs["apply in a transaction"] = tx.ApplyUpdate(test.update) })
			for how, err := range errs {
				assert.ErrorIs(t, err, ycrdt.ErrMalformed, how)
				assert.ErrorContains(t, err, test.want, how)
				assert.Regexp(t, `^ycrdt: [a-z ]+: .* at byte \d+$|JSON|json`, err, how)
			}
			assert.Equal(t, before, encode(t, doc))
			assert.Zero(t, heard)
		})
	}
}

// What is just within the rules passes.
func TestDoc_ApplyUpdate_TakesWhatIsWithinTheRules(t *testing.T) {
	for what, update := range map[string][]byte{
		"nothing":                        {0, 0},
		"one character":                  one(char),
		"the largest client":             cat(1, 1, varint(1<<53-1), 0, char, 0),
		"clients in ascending order":     cat(2, 1, 1, 0, char, 1, 2, 0, char, 0),
		"64 lists":                       one(entry, 1, deepLists(64)),
		"64 maps":                        one(entry, 1, deepMaps(64)),
		"GC":                             one(0, 5),
		"a deletion":                     one(1, 1, 1, "t", 5),
		"a Skip before a struct":         cat(1, 2, 1, 0, 10, 5, char, 0),
		"an empty list":                  one(entry, 1, 117, 0),
		"a root without a name":          one(4, 1, 0, 1, "x"),
		"an empty key":                   one(0x28, 1, 1, "m", 0, 1, 126),
		"deletions of unknown structs":   cat(0, 1, 9, 2, 0, 5, 7, 1),
		"a deleting client without any":  cat(0, 1, 9, 0),
		"the highest clock, still to be": cat(1, 1, 1, varint(1<<31-2), char, 0),
	} {
		doc := newDoc(t)
		assert.NoError(t, ycrdt.CheckUpdate(update), what)
		assert.NoError(t, doc.ApplyUpdate(update), what)
		_, err := doc.EncodeStateAsUpdate(nil)
		assert.NoError(t, err, what)
		assert.NoError(t, copyOf(t, doc).Close(), what)
	}
}

// Every piece of an honest update that is cut off is refused and does no harm.
func TestDoc_ApplyUpdate_RefusesTruncatedUpdates(t *testing.T) {
	doc := newDoc(t)
	set(t, doc, "k", 1)
	before := encode(t, doc)
	for name, c := range goldenCases(t) {
		for _, update := range c.Updates {
			for end := range update {
				err := doc.ApplyUpdate(update[:end])
				if c.Refused == "" || end < 5 {
					require.ErrorIs(t, err, ycrdt.ErrMalformed, "%s cut at %d", name, end)
				} else {
					require.Error(t, err)
				}
			}
		}
	}
	assert.Equal(t, before, encode(t, doc))
}

// Decoding and merging take any bytes that pass: they give an error or an update that passes as well.
func TestMergeUpdates_OfChangedBytes(t *testing.T) {
	for name, c := range goldenCases(t) {
		if len(slices.Concat(c.Updates...)) > 1500 {
			continue
		}
		for i, update := range c.Updates {
			for at := range update {
				for bit := range 8 {
					changed := bytes.Clone(update)
					changed[at] ^= 1 << bit
					merged, err := ycrdt.MergeUpdates(changed, c.Updates[(i+1)%len(c.Updates)])
					if err == nil {
						require.NoError(t, ycrdt.CheckUpdate(merged), "%s %d: %x", name, i, changed)
					} else {
						require.ErrorIs(t, err, ycrdt.ErrMalformed, "%s %d: %x", name, i, changed)
					}
				}
			}
		}
	}
}
