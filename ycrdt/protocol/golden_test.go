package protocol_test

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// golden reads a file that testdata/generate.mjs wrote with the JavaScript
// packages.
func golden(tb testing.TB, name string, into any) {
	tb.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	require.NoError(tb, err)
	require.NoError(tb, json.Unmarshal(data, into))
}

func fromHex(tb testing.TB, s string) []byte {
	tb.Helper()
	b, err := hex.DecodeString(s)
	require.NoError(tb, err)
	return b
}

// goldenValue is a value as text and its encoding.
type goldenValue struct {
	Value string
	Hex   string
}

type goldenEncoding struct {
	VarUint, VarInt     []goldenValue
	NegativeZero        string
	VarString, VarBytes []goldenValue
	Float32, Float64    []goldenValue
	BigInt64            []goldenValue
	Any                 map[string]string
}
