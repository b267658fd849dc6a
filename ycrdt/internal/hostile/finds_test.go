package hostile

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// finds reads what was found before, by name.
func finds(t testing.TB) map[string]Sequence {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(testdata, "hostile/*.txt"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	sequences := map[string]Sequence{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		sequence, err := parseFile(string(data))
		require.NoError(t, err, file)
		sequences[strings.TrimSuffix(filepath.Base(file), ".txt")] = sequence
	}
	return sequences
}

// What was found once does no harm any more, in the document in which it did and in all others.
func TestFinds(t *testing.T) {
	requireHarmless(t, player{publicAPI(t), patience})
}

func requireHarmless(t *testing.T, p player) {
	for name, found := range finds(t) {
		t.Run(name, func(t *testing.T) {
			sequences := []Sequence{found}
			for _, options := range allOptions(found.Options) {
				sequences = append(sequences, Sequence{options, found.Updates})
			}
			done, err := p.play(len(sequences), func(i int) Sequence { return sequences[i] }, func(i int, v verdict) {
				how := encodeFile(sequences[i])
				assert.Empty(t, v.failures, how)
				assert.Empty(t, v.panics, how)
				assert.Empty(t, v.poisoned, how)
			})
			if done < len(sequences) {
				require.NoError(t, err, encodeFile(sequences[done]))
			}
		})
	}
}

// allOptions are those of a find in all combinations with others.
func allOptions(found Options) (all []Options) {
	for bits := range 1 << 6 {
		set := func(bit int) bool { return bits&(1<<bit) != 0 }
		options := Options{ClientID: 77, SkipGC: set(0), Bytes: set(1), Observe: set(2), InTx: set(3)}
		if set(4) {
			options.ClientID = found.ClientID
		}
		if set(5) {
			options.Edits = found.Edits
		}
		all = append(all, options)
	}
	return all
}
