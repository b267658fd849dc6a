package protocol_test

import (
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt/protocol"
)

// checkGolden encodes and decodes every value and compares with what lib0 wrote.
func checkGolden[T any](
	t *testing.T, values []goldenValue, parse func(string) (T, error),
	write func(*protocol.Encoder, T), read func(*protocol.Decoder) (T, error),
) {
	require.NotEmpty(t, values)
	for _, want := range values {
		t.Run(fmt.Sprintf("%.20s", want.Value), func(t *testing.T) {
			value, err := parse(want.Value)
			require.NoError(t, err)

			var e protocol.Encoder
			write(&e, value)
			assert.Equal(t, want.Hex, hex.EncodeToString(e.Bytes()))

			d := protocol.NewDecoder(fromHex(t, want.Hex))
			got, err := read(d)
			require.NoError(t, err)
			assert.Equal(t, value, got)
			assert.Zero(t, d.Remaining())
			checkTruncated(t, fromHex(t, want.Hex), read)
		})
	}
}

// checkTruncated cuts the encoding at every place.
func checkTruncated[T any](t *testing.T, encoded []byte, read func(*protocol.Decoder) (T, error)) {
	for n := range encoded {
		_, err := read(protocol.NewDecoder(encoded[:n]))
		requireMalformed(t, err)
	}
}

func requireMalformed(tb testing.TB, err error) *protocol.DecodeError {
	tb.Helper()
	require.ErrorIs(tb, err, protocol.ErrMalformed)
	var decodeErr *protocol.DecodeError
	require.ErrorAs(tb, err, &decodeErr)
	return decodeErr
}

func TestCodec_Golden(t *testing.T) {
	var g goldenEncoding
	golden(t, "encoding.json", &g)

	t.Run("VarUint", func(t *testing.T) {
		parse := func(s string) (uint64, error) { return strconv.ParseUint(s, 10, 64) }
		checkGolden(t, g.VarUint, parse, (*protocol.Encoder).WriteVarUint, (*protocol.Decoder).ReadVarUint)
	})
	t.Run("VarInt", func(t *testing.T) {
		checkGolden(t, g.VarInt, parseInt, (*protocol.Encoder).WriteVarInt, (*protocol.Decoder).ReadVarInt)
	})
	t.Run("VarString", func(t *testing.T) {
		parse := func(s string) (string, error) { return s, nil }
		checkGolden(t, g.VarString, parse, (*protocol.Encoder).WriteVarString, (*protocol.Decoder).ReadVarString)
	})
	t.Run("VarBytes", func(t *testing.T) {
		checkGolden(t, g.VarBytes, hex.DecodeString, (*protocol.Encoder).WriteVarBytes, (*protocol.Decoder).ReadVarBytes)
	})
	t.Run("Float32", func(t *testing.T) {
		parse := func(s string) (float32, error) {
			v, err := strconv.ParseFloat(s, 32)
			return float32(v), err
		}
		checkGolden(t, g.Float32, parse, (*protocol.Encoder).WriteFloat32, (*protocol.Decoder).ReadFloat32)
	})
	t.Run("Float64", func(t *testing.T) {
		parse := func(s string) (float64, error) { return strconv.ParseFloat(s, 64) }
		checkGolden(t, g.Float64, parse, (*protocol.Encoder).WriteFloat64, (*protocol.Decoder).ReadFloat64)
	})
	t.Run("BigInt64", func(t *testing.T) {
		checkGolden(t, g.BigInt64, parseInt, (*protocol.Encoder).WriteBigInt64, (*protocol.Decoder).ReadBigInt64)
	})
	t.Run("negative zero", func(t *testing.T) {
		got, err := protocol.NewDecoder(fromHex(t, g.NegativeZero)).ReadVarInt()
		require.NoError(t, err)
		assert.Zero(t, got)
	})
}

func parseInt(s string) (int64, error) { return strconv.ParseInt(s, 10, 64) }

func TestCodec_IntegerLimits(t *testing.T) {
	for _, want := range []uint64{math.MaxUint64, 1 << 63, 1<<63 - 1} {
		var e protocol.Encoder
		e.WriteVarUint(want)
		got, err := protocol.NewDecoder(e.Bytes()).ReadVarUint()
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	for _, want := range []int64{math.MaxInt64, math.MinInt64, math.MinInt64 + 1} {
		var e protocol.Encoder
		e.WriteVarInt(want)
		got, err := protocol.NewDecoder(e.Bytes()).ReadVarInt()
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
}

func TestDecoder_RefusesIntegers(t *testing.T) {
	unsigned := map[string]string{
		"empty":                      "",
		"truncated":                  "ff",
		"65 bits":                    "ffffffffffffffffff02",
		"endless":                    "8080808080808080808080808001",
		"overlong zero":              "8000",
		"overlong one":               "8100",
		"overlong with eleven bytes": "8080808080808080808000",
	}
	for name, input := range unsigned {
		t.Run("unsigned "+name, func(t *testing.T) {
			_, err := protocol.NewDecoder(fromHex(t, input)).ReadVarUint()
			requireMalformed(t, err)
		})
	}
	signed := map[string]string{
		"empty":                   "",
		"truncated":               "80",
		"65 bits":                 "bfffffffffffffffff04",
		"above the 64-bit range":  "80808080808080808002",
		"below the 64-bit range":  "c1808080808080808002",
		"overlong zero":           "8000",
		"overlong negative zero":  "c000",
		"overlong in three bytes": "818000",
	}
	for name, input := range signed {
		t.Run("signed "+name, func(t *testing.T) {
			_, err := protocol.NewDecoder(fromHex(t, input)).ReadVarInt()
			requireMalformed(t, err)
		})
	}
}

func TestDecoder_RefusesStrings(t *testing.T) {
	for name, input := range map[string]string{
		"not UTF-8":                  "02c328",
		"surrogate":                  "03eda080",
		"longer than the input":      "0561",
		"longer than any input":      "ffffffffffffffffff0161",
		"length in too many bytes":   "810061",
		"length of 2 GiB, cut short": "8080808008",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := protocol.NewDecoder(fromHex(t, input)).ReadVarString()
			requireMalformed(t, err)
		})
	}
}

func TestDecoder_ErrorNamesOffset(t *testing.T) {
	d := protocol.NewDecoder([]byte{1, 2, 9, 'a'})
	for range 2 {
		_, err := d.ReadUint8()
		require.NoError(t, err)
	}
	_, err := d.ReadVarString()
	decodeErr := requireMalformed(t, err)
	assert.Equal(t, 2, decodeErr.Offset)
	assert.EqualError(t, err, "protocol: malformed data at byte 2: length 9 exceeds the 1 bytes that remain")
}

func TestDecoder_ReadVarBytes_IsAView(t *testing.T) {
	input := []byte{2, 'a', 'b', 'c'}
	view, err := protocol.NewDecoder(input).ReadVarBytes()
	require.NoError(t, err)
	assert.Same(t, &input[1], &view[0])

	_ = append(view, 'x')
	assert.Equal(t, byte('c'), input[3], "appending to the view must not reach the input")
}

func TestDecoder_Position(t *testing.T) {
	d := protocol.NewDecoder([]byte{0x80, 1, 7})
	assert.Equal(t, 0, d.Offset())
	assert.Equal(t, 3, d.Remaining())
	_, err := d.ReadVarUint()
	require.NoError(t, err)
	assert.Equal(t, 2, d.Offset())
	assert.Equal(t, 1, d.Remaining())
}

func TestEncoder_WriteVarString_ReplacesInvalidUTF8(t *testing.T) {
	var e protocol.Encoder
	e.WriteVarString("a\xffb")
	got, err := protocol.NewDecoder(e.Bytes()).ReadVarString()
	require.NoError(t, err)
	assert.Equal(t, "a\uFFFDb", got)
}

func TestEncoder_Buffer(t *testing.T) {
	var e protocol.Encoder
	e.Grow(100)
	allocations := testing.AllocsPerRun(10, func() {
		e.Reset()
		e.WriteUint8(7)
		e.WriteRaw([]byte{8, 9})
	})
	assert.Zero(t, allocations)
	assert.Equal(t, []byte{7, 8, 9}, e.Bytes())
	assert.Equal(t, 3, e.Len())
}
