package hostile

import (
	"cmp"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

const testdata = "../../../testdata"

// maxReal is the size of real updates that are changed: larger ones take too long for what they bring.
const maxReal = 2000

// corpus returns what real peers have sent.
func corpus(t testing.TB) (sequences [][][]byte) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(testdata, "updates/*/*.json"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		var peer struct{ Updates [][]byte }
		require.NoError(t, json.Unmarshal(data, &peer), file)
		longest := slices.MaxFunc(peer.Updates, func(a, b []byte) int { return cmp.Compare(len(a), len(b)) })
		if len(longest) <= maxReal && filepath.Base(file) != "merged-v2.json" {
			sequences = append(sequences, peer.Updates)
		}
	}
	return sequences
}
