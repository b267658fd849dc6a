package protocol_test

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"maps"
	"math"
	"math/big"
	"runtime"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt/protocol"
)

// anyCase is the Go value of a golden case. Where writing that value gives other
// bytes than lib0 did, or lib0 cannot tell it apart, decodeOnly is set.
type anyCase struct {
	value      any
	decodeOnly bool
}

var anyCases = map[string]anyCase{
	"undefined":                         {value: protocol.Undefined},
	"null":                              {value: nil},
	"true":                              {value: true},
	"false":                             {value: false},
	"zero":                              {value: int64(0)},
	"negative zero":                     {value: int64(0), decodeOnly: true},
	"small integer":                     {value: int64(-42)},
	"largest varint":                    {value: int64(1<<31 - 1)},
	"smallest varint":                   {value: int64(-1<<31 + 1)},
	"smallest integer written as float": {value: int64(1 << 31)},
	"negative integer written as float": {value: int64(-1 << 31)},
	"integer written as float64":        {value: int64(1<<32 + 1)},
	"largest safe integer":              {value: int64(1<<53 - 1)},
	"smallest safe integer":             {value: int64(-1<<53 + 1)},
	"float beyond the safe integers":    {value: float64(1 << 53)},
	"float32":                           {value: 1.5},
	"float64":                           {value: 0.1},
	"huge float":                        {value: 1e300},
	"nan":                               {value: math.NaN()},
	"infinity":                          {value: math.Inf(1)},
	"negative infinity":                 {value: math.Inf(-1)},
	"bigint zero":                       {value: big.NewInt(0)},
	"largest bigint":                    {value: big.NewInt(math.MaxInt64)},
	"smallest bigint":                   {value: big.NewInt(math.MinInt64)},
	"empty string":                      {value: ""},
	"string":                            {value: "héllo \U0001F600"},
	"empty bytes":                       {value: []byte{}},
	"bytes":                             {value: []byte{1, 2, 255}},
	"empty array":                       {value: []any{}},
	"array":                             {value: []any{int64(1), "two", nil, protocol.Undefined, []any{true}}},
	"empty map":                         {value: map[string]any{}},
	"map": {value: map[string]any{
		"a":    int64(1),
		"b":    map[string]any{"c": []any{0.5, []byte{7}}},
		"ключ": "value",
	}},
}

func TestAny_Golden(t *testing.T) {
	var g goldenEncoding
	golden(t, "encoding.json", &g)
	require.ElementsMatch(t, slices.Collect(maps.Keys(g.Any)), slices.Collect(maps.Keys(anyCases)))

	for name, encoded := range g.Any {
		t.Run(name, func(t *testing.T) {
			want := anyCases[name]
			d := protocol.NewDecoder(fromHex(t, encoded))
			got, err := d.ReadAny()
			require.NoError(t, err)
			assert.Zero(t, d.Remaining())
			if f, ok := want.value.(float64); ok && math.IsNaN(f) {
				require.IsType(t, f, got)
				assert.True(t, math.IsNaN(got.(float64)))
			} else {
				assert.Equal(t, want.value, got)
			}
			if !want.decodeOnly {
				assert.Equal(t, encoded, hex.EncodeToString(encodeAny(t, want.value)))
			}
			checkTruncated(t, fromHex(t, encoded), (*protocol.Decoder).ReadAny)
		})
	}
}

func encodeAny(tb testing.TB, v any) []byte {
	tb.Helper()
	var e protocol.Encoder
	require.NoError(tb, e.WriteAny(v))
	return e.Bytes()
}

func TestAny_EveryIntegerWidth(t *testing.T) {
	for _, v := range []any{int(7), int8(7), int16(7), int32(7), int64(7), uint(7), uint8(7), uint16(7), uint32(7), uint64(7)} {
		assert.Equal(t, []byte{protocol.TagInteger, 7}, encodeAny(t, v), "%T", v)
	}
}

func TestAny_FloatsKeepTheirKind(t *testing.T) {
	for _, want := range []float64{0, math.Copysign(0, -1), 1, -42, 1<<31 - 1, 1<<31 + 0.5, -1e12 - 0.25, 1 << 53, 1e18, -1e18, math.MaxFloat64} {
		got, err := protocol.NewDecoder(encodeAny(t, want)).ReadAny()
		require.NoError(t, err)
		require.IsType(t, want, got)
		assert.Equal(t, math.Float64bits(want), math.Float64bits(got.(float64)))
	}
	assert.Equal(t, encodeAny(t, 0.5), encodeAny(t, float32(0.5)))
	assert.Equal(t, byte(protocol.TagFloat32), encodeAny(t, float32(0.1))[0])
	assert.Equal(t, encodeAny(t, math.NaN()), encodeAny(t, float32(math.NaN())))
}

func TestAny_IntegralFloatsBeyond31BitsAreIntegers(t *testing.T) {
	for _, v := range []float64{1 << 31, -(1 << 31), 1<<53 - 1, -(1<<53 - 1), 1e15} {
		got, err := protocol.NewDecoder(encodeAny(t, v)).ReadAny()
		require.NoError(t, err)
		assert.Equal(t, int64(v), got)
	}
}

func TestEncoder_WriteAny_Refuses(t *testing.T) {
	cycle := map[string]any{}
	cycle["self"] = cycle
	for name, v := range map[string]any{
		"integer above 2^53-1":     1 << 53,
		"integer below -(2^53-1)":  -1 << 53,
		"unsigned above 2^53-1":    uint64(math.MaxUint64),
		"big integer of 65 bits":   new(big.Int).Lsh(big.NewInt(1), 63),
		"nil big integer":          (*big.Int)(nil),
		"json.Number":              json.Number("1"),
		"struct":                   struct{ A int }{1},
		"channel":                  make(chan int),
		"typed slice":              []string{"a"},
		"string that is not UTF-8": "a\xff",
		"key that is not UTF-8":    map[string]any{"\xff": 1},
		"nested in an array":       []any{1, []any{make(chan int)}},
		"cycle":                    cycle,
		"nested too deep":          nest(protocol.MaxAnyDepth + 1),
	} {
		t.Run(name, func(t *testing.T) {
			var e protocol.Encoder
			e.WriteUint8(1)
			require.ErrorIs(t, e.WriteAny(v), protocol.ErrUnsupportedValue)
			assert.Equal(t, []byte{1}, e.Bytes(), "nothing of the value may remain")
			require.NoError(t, e.WriteAny(nest(protocol.MaxAnyDepth)), "the encoder must remain usable")
		})
	}
}

// nest returns depth arrays inside each other.
func nest(depth int) any {
	v := any("core")
	for range depth {
		v = []any{v}
	}
	return v
}

func TestEncoder_WriteAny_RefusalSaysWhatToDo(t *testing.T) {
	var e protocol.Encoder
	assert.EqualError(t, e.WriteAny(1<<60), "protocol: unsupported value: "+
		"integer 1152921504606846976 is beyond 2^53-1, where JavaScript loses digits; use *big.Int")
}

func TestDecoder_ReadAny_Depth(t *testing.T) {
	allowed := encodeAny(t, nest(protocol.MaxAnyDepth))
	_, err := protocol.NewDecoder(allowed).ReadAny()
	require.NoError(t, err)

	tooDeep := append([]byte{protocol.TagArray, 1}, allowed...)
	d := protocol.NewDecoder(tooDeep)
	_, err = d.ReadAny()
	assert.ErrorContains(t, err, "nested more than 64 deep")
	assert.Equal(t, 2*protocol.MaxAnyDepth, requireMalformed(t, err).Offset)

	maps := []byte{}
	for range 30_000 {
		maps = append(maps, protocol.TagMap, 1, 0)
	}
	_, err = protocol.NewDecoder(maps).ReadAny()
	requireMalformed(t, err)
}

func TestAny_SiblingsDoNotAddUpInDepth(t *testing.T) {
	siblings := make([]any, 2*protocol.MaxAnyDepth)
	for i := range siblings {
		siblings[i] = map[string]any{"a": []any{}}
	}
	got, err := protocol.NewDecoder(encodeAny(t, siblings)).ReadAny()
	require.NoError(t, err)
	assert.Equal(t, siblings, got)
}

func TestDecoder_ReadAny_ChecksCountsBeforeItems(t *testing.T) {
	_, err := protocol.NewDecoder([]byte{protocol.TagMap, 2, 0, protocol.TagNull, 0}).ReadAny()
	assert.Equal(t, 1, requireMalformed(t, err).Offset, "two entries take four bytes")
	_, err = protocol.NewDecoder([]byte{protocol.TagArray, 2, protocol.TagNull}).ReadAny()
	assert.Equal(t, 1, requireMalformed(t, err).Offset, "two items take two bytes")
}

func TestDecoder_ReadAny_Refuses(t *testing.T) {
	for name, input := range map[string][]byte{
		"nothing":                          {},
		"unknown tag":                      {115},
		"tag above 127":                    {128},
		"more array items than bytes":      {protocol.TagArray, 3, protocol.TagNull, protocol.TagNull},
		"more map entries than bytes":      {protocol.TagMap, 2, 0, protocol.TagNull, 0},
		"array of 2^62 items":              {protocol.TagArray, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x40},
		"map key that is not UTF-8":        {protocol.TagMap, 1, 1, 0xff, protocol.TagNull},
		"string that is not UTF-8":         {protocol.TagString, 1, 0xff},
		"integer encoded in too many":      {protocol.TagInteger, 0x80, 0},
		"error inside a map inside a list": {protocol.TagArray, 1, protocol.TagMap, 1, 1, 'a', 115},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := protocol.NewDecoder(input).ReadAny()
			requireMalformed(t, err)
		})
	}
}

// Each of the nested arrays declares as many items as bytes follow it.
func TestDecoder_ReadAny_DoesNotAllocateWhatCountsDeclare(t *testing.T) {
	const size = 1 << 20
	input := make([]byte, 0, size)
	for range protocol.MaxAnyDepth {
		input = append(input, protocol.TagArray, 0x80, 0x80, 0x3c) // 983,040
	}
	input = append(input, make([]byte, size-len(input))...)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := protocol.NewDecoder(input).ReadAny()
	runtime.ReadMemStats(&after)
	requireMalformed(t, err)
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(size))
}

func TestDecoder_ReadAny_CopiesBytes(t *testing.T) {
	input := []byte{protocol.TagBytes, 1, 5}
	got, err := protocol.NewDecoder(input).ReadAny()
	require.NoError(t, err)
	input[2] = 6
	assert.Equal(t, []byte{5}, got)
}

func TestDecoder_ReadAny_LastOfEqualKeysCounts(t *testing.T) {
	input := []byte{protocol.TagMap, 2, 1, 'a', protocol.TagTrue, 1, 'a', protocol.TagFalse}
	got, err := protocol.NewDecoder(input).ReadAny()
	require.NoError(t, err)
	assert.Equal(t, map[string]any{"a": false}, got)
}

func TestDecoder_ReadAnyTag(t *testing.T) {
	d := protocol.NewDecoder([]byte{protocol.TagString, 1, 'x'})
	tag, err := d.ReadUint8()
	require.NoError(t, err)
	got, err := d.ReadAnyTag(tag)
	require.NoError(t, err)
	assert.Equal(t, "x", got)
}

// point stands for a type that a user of the package adds under a custom tag.
type point struct{ x, y any }

const tagPoint = 3

func writePoint(e *protocol.Encoder, v any) (bool, error) {
	p, ok := v.(point)
	if !ok {
		return false, nil
	}
	e.WriteUint8(tagPoint)
	return true, errors.Join(e.WriteAny(p.x), e.WriteAny(p.y))
}

func readPoint(d *protocol.Decoder, tag uint8) (any, error) {
	if tag != tagPoint {
		return nil, errors.New("no point")
	}
	x, errX := d.ReadAny()
	y, errY := d.ReadAny()
	return point{x, y}, errors.Join(errX, errY)
}

func TestAny_Custom(t *testing.T) {
	want := []any{point{int64(1), "a"}, map[string]any{"p": point{point{nil, true}, int64(3)}}}
	e := protocol.Encoder{Custom: writePoint}
	require.NoError(t, e.WriteAny(want))

	d := protocol.NewDecoder(e.Bytes())
	d.Custom = readPoint
	got, err := d.ReadAny()
	require.NoError(t, err)
	assert.Equal(t, want, got)
	assert.Zero(t, d.Remaining())
}

func TestAny_Custom_Declines(t *testing.T) {
	e := protocol.Encoder{Custom: writePoint}
	require.ErrorIs(t, e.WriteAny([]any{make(chan int)}), protocol.ErrUnsupportedValue)
	require.ErrorIs(t, e.WriteAny(point{make(chan int), 1}), protocol.ErrUnsupportedValue)

	d := protocol.NewDecoder([]byte{tagPoint + 1})
	d.Custom = readPoint
	_, err := d.ReadAny()
	assert.EqualError(t, err, "no point")
}

func TestAny_Custom_CountsAsDepth(t *testing.T) {
	v := any(nil)
	for range protocol.MaxAnyDepth + 1 {
		v = point{v, nil}
	}
	e := protocol.Encoder{Custom: writePoint}
	require.ErrorIs(t, e.WriteAny(v), protocol.ErrUnsupportedValue)

	endless := make([]byte, 1000)
	for i := range endless {
		endless[i] = tagPoint
	}
	d := protocol.NewDecoder(endless)
	d.Custom = readPoint
	_, err := d.ReadAny()
	requireMalformed(t, err)
}

func TestUndefined(t *testing.T) {
	got, err := json.Marshal(map[string]any{"u": protocol.Undefined})
	require.NoError(t, err)
	assert.JSONEq(t, `{"u":null}`, string(got))
	assert.Equal(t, "undefined", protocol.Undefined.String())
}
