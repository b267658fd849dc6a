package ycrdt_test

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt"
)

// nestedLists returns levels lists around value.
func nestedLists(levels int, value any) any {
	for range levels {
		value = []any{value}
	}
	return value
}

// nestedTypes returns levels shared types around value.
func nestedTypes(levels int, value any) any {
	for i := range levels {
		if i%2 == 0 {
			value = ycrdt.NewArray{value}
		} else {
			value = ycrdt.NewMap{"k": value}
		}
	}
	return value
}

// Every value is read as what it was written as: at once, at a peer, and at a peer's peer.
func TestValue_KeepsItsKind(t *testing.T) {
	bigInt := func(s string) *big.Int { n, _ := new(big.Int).SetString(s, 10); return n }
	for _, test := range []struct{ value, want any }{
		{nil, nil},
		{ycrdt.Undefined, ycrdt.Undefined},
		{true, true},
		{false, false},
		{"", ""},
		{"a\x00é😀\u2028", "a\x00é😀\u2028"},
		{[]byte{}, []byte{}},
		{[]byte{0, 255}, []byte{0, 255}},
		{0, int64(0)},
		{-1, int64(-1)},
		{int8(-8), int64(-8)},
		{uint8(200), int64(200)},
		{uint32(1 << 31), int64(1 << 31)},
		{uint64(1<<53 - 1), int64(1<<53 - 1)},
		{int64(1<<31 - 1), int64(1<<31 - 1)},
		{int64(1 << 31), int64(1 << 31)},
		{int64(-1 << 31), int64(-1 << 31)},
		{int64(1<<32 + 1), int64(1<<32 + 1)},
		{int64(1<<53 - 1), int64(1<<53 - 1)},
		{int64(-(1<<53 - 1)), int64(-(1<<53 - 1))},
		{0.0, 0.0},
		{1.0, 1.0},
		{-1.0, -1.0},
		{float64(1<<31 - 1), float64(1<<31 - 1)},
		{0.1, 0.1},
		{float32(0.1), float64(float32(0.1))},
		{-2.5e-300, -2.5e-300},
		{math.MaxFloat64, math.MaxFloat64},
		{math.SmallestNonzeroFloat64, math.SmallestNonzeroFloat64},
		{float64(1 << 53), float64(1 << 53)},
		{1e18, 1e18},
		{math.Inf(1), math.Inf(1)},
		{math.Inf(-1), math.Inf(-1)},
		{bigInt("9007199254740993"), bigInt("9007199254740993")},
		{bigInt("-9007199254740993"), bigInt("-9007199254740993")},
		{bigInt("9223372036854775806"), bigInt("9223372036854775806")},
		{bigInt("-9223372036854775807"), bigInt("-9223372036854775807")},
		{[]any{}, []any{}},
		{map[string]any{}, map[string]any{}},
		{[]any{nil, ycrdt.Undefined, []byte{1}, 1.0, 1}, []any{nil, ycrdt.Undefined, []byte{1}, 1.0, int64(1)}},
		{map[string]any{"": nil, "u": ycrdt.Undefined, "n": map[string]any{"x": int64(1 << 40)}},
			map[string]any{"": nil, "u": ycrdt.Undefined, "n": map[string]any{"x": int64(1 << 40)}}},
		{nestedLists(64, 1), nestedLists(64, int64(1))},

		// The exception: a whole float of this size is what Yjs writes for an integer.
		{3e9, int64(3e9)},
		{-3e9, int64(-3e9)},
		{float64(1<<53 - 1), int64(1<<53 - 1)},
	} {
		doc := newDoc(t)
		write(t, doc, func(tx *ycrdt.Tx) {
			require.NoError(t, tx.Map("m").Set("k", test.value), "%T %v", test.value, test.value)
			require.NoError(t, tx.Array("a").Insert(0, test.value))
		})
		peer := copyOf(t, doc)
		for _, doc := range []*ycrdt.Doc{doc, peer, copyOf(t, peer)} {
			view(t, doc, func(tx *ycrdt.Tx) {
				value, ok := tx.Map("m").Value("k")
				assert.True(t, ok)
				assert.Equal(t, test.want, value)
				value, _ = tx.Array("a").Value(0)
				assert.Equal(t, test.want, value)
			})
			assert.Equal(t, map[string]any{"k": test.want}, mapOf(t, doc, "m"))
		}
	}
}

func TestValue_NaNAndNegativeZero(t *testing.T) {
	doc := newDoc(t)
	set(t, doc, "nan", math.NaN())
	set(t, doc, "-0", math.Copysign(0, -1))
	for _, doc := range []*ycrdt.Doc{doc, copyOf(t, doc)} {
		plain := mapOf(t, doc, "m")
		assert.True(t, math.IsNaN(plain["nan"].(float64)))
		assert.True(t, math.Signbit(plain["-0"].(float64)))
	}
}

func TestValue_RefusesWhatCannotBeCarriedExactly(t *testing.T) {
	doc := newDoc(t)
	for _, value := range []any{
		int64(1 << 53), int64(-1 << 53), int64(math.MaxInt64), int64(math.MinInt64), uint64(1 << 53), uint64(math.MaxUint64),
		big.NewInt(5), big.NewInt(1 << 53), big.NewInt(math.MaxInt64), big.NewInt(math.MinInt64),
		new(big.Int).Lsh(big.NewInt(1), 63), (*big.Int)(nil),
		"\xff", struct{}{}, &struct{}{}, func() {}, make(chan int), complex(1, 2), uintptr(1), []int{1}, map[string]int{}, [1]any{},
		nestedLists(65, 1), nestedTypes(65, 1),
		[]any{[]any{struct{}{}}}, map[string]any{"k": []any{math.MaxInt64}}, []any{ycrdt.NewText("x")}, map[string]any{"k": ycrdt.NewMap{}},
		ycrdt.NewMap{"k": ycrdt.NewArray{struct{}{}}}, ycrdt.NewArray{ycrdt.NewMap{"k": big.NewInt(5)}},
		ycrdt.NewRichText{{Retain: 1}}, ycrdt.NewRichText{{Delete: 1}}, ycrdt.NewRichText{{Insert: "x", Attributes: map[string]any{"k": struct{}{}}}},
		ycrdt.Subdoc{GUID: "x"}, ycrdt.RootText("x"),
	} {
		name := fmt.Sprintf("%T %v", value, value)
		write(t, doc, func(tx *ycrdt.Tx) {
			for _, err := range []error{tx.Map("m").Set("k", value), tx.Array("a").Insert(0, value), tx.Array("a").Append(1, value)} {
				assert.ErrorIs(t, err, ycrdt.ErrUnsupportedValue, name)
				var typed *ycrdt.Error
				if assert.ErrorAs(t, err, &typed, name) {
					assert.Equal(t, ycrdt.CodeUnsupportedValue, typed.Code)
				}
			}
			assert.False(t, tx.Changed(), name)
		})
	}
}

// What a message advises works.
func TestValue_RefusedIntegersSayWhatToWrite(t *testing.T) {
	doc := newDoc(t)
	const asString, asFloat, asBigInt, asInt = "as a string", "as a float64", "as a *big.Int", "as an int64"
	for _, test := range []struct {
		value  any
		advice []string
	}{
		{1<<53 + 1, []string{asBigInt, asString, asFloat}},
		{int64(-1<<53 - 1), []string{asBigInt, asString, asFloat}},
		{int64(1 << 60), []string{asString, asFloat}},
		{uint64(1<<60 + 1), []string{asBigInt, asString, asFloat}},
		{uint(1 << 53), []string{asString, asFloat}},
		{int64(math.MaxInt64), []string{asString, asFloat}},
		{int64(math.MinInt64), []string{asString, asFloat}},
		{uint64(math.MaxUint64), []string{asString, asFloat}},
		{big.NewInt(1 << 60), []string{asString, asFloat}},
		{big.NewInt(math.MaxInt64), []string{asString, asFloat}},
		{big.NewInt(5), []string{asInt}},
	} {
		n, ok := new(big.Int).SetString(fmt.Sprint(test.value), 10)
		require.True(t, ok)
		instead := map[string]any{asString: n.String(), asBigInt: n, asInt: n.Int64()}
		instead[asFloat], _ = new(big.Float).SetInt(n).Float64()
		write(t, doc, func(tx *ycrdt.Tx) {
			err := tx.Map("m").Set("k", []any{test.value})
			require.ErrorIs(t, err, ycrdt.ErrUnsupportedValue)
			embed := tx.Text("t").InsertEmbed(0, []any{test.value}, nil)
			require.ErrorIs(t, embed, ycrdt.ErrUnsupportedValue)
			assert.ErrorContains(t, embed, asString, "%T %v", test.value, test.value)
			assert.NotContains(t, embed.Error(), asBigInt, "JSON has none")
			for advice, value := range instead {
				if slices.Contains(test.advice, advice) {
					assert.ErrorContains(t, err, advice, "%T %v", test.value, test.value)
					assert.NoError(t, tx.Map("m").Set("k", value), "%T %v", test.value, test.value)
				} else {
					assert.NotContains(t, err.Error(), advice, "%T %v", test.value, test.value)
				}
			}
		})
	}
}

// A handle is not a value: a type cannot be in two places.
func TestValue_RefusesHandles(t *testing.T) {
	doc := newDoc(t)
	write(t, doc, func(tx *ycrdt.Tx) {
		require.NoError(t, tx.Map("m").Set("k", ycrdt.NewText("x")))
		text, _ := tx.Map("m").Text("k")
		assert.ErrorIs(t, tx.Map("m").Set("again", text), ycrdt.ErrUnsupportedValue)
		assert.ErrorIs(t, tx.Array("a").Append(text), ycrdt.ErrUnsupportedValue)
		assert.ErrorIs(t, tx.Text("t").InsertEmbed(0, text, nil), ycrdt.ErrUnsupportedValue)
	})
}

// One call inserts a whole tree, as deep as is allowed.
func TestValue_Trees(t *testing.T) {
	doc := newDoc(t)
	set(t, doc, "deep", nestedTypes(64, nil))
	set(t, doc, "plain in types", nestedTypes(32, nestedLists(31, 1)))
	set(t, doc, "tree", ycrdt.NewMap{
		"":     ycrdt.NewArray{ycrdt.NewText(""), ycrdt.NewRichText{}, ycrdt.NewMap{}, ycrdt.NewArray{}, nil},
		"rich": ycrdt.NewRichText{{Insert: "a", Attributes: bold}, {Insert: ""}, {Insert: ycrdt.NewArray{ycrdt.NewText("in text")}}},
	})
	for _, doc := range []*ycrdt.Doc{doc, copyOf(t, doc)} {
		plain := mapOf(t, doc, "m")
		assert.Equal(t, map[string]any{"": []any{"", "", map[string]any{}, []any{}, nil}, "rich": "a"}, plain["tree"])
		depth := 0
		for value := plain["deep"]; value != nil; depth++ {
			switch inner := value.(type) {
			case []any:
				value = inner[0]
			case map[string]any:
				value = inner["k"]
			}
		}
		assert.Equal(t, 64, depth)
		view(t, doc, func(tx *ycrdt.Tx) {
			tree, _ := tx.Map("m").Map("tree")
			rich, _ := tree.Text("rich")
			delta := rich.ToDelta()
			require.Len(t, delta, 2)
			assert.Equal(t, ycrdt.DeltaOp{Insert: "a", Attributes: bold}, delta[0])
			inner, _ := delta[1].Insert.(*ycrdt.Array).Value(0)
			assert.Equal(t, "in text", inner.(*ycrdt.Text).String())
		})
	}
}
