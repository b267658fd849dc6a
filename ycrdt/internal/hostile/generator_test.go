package hostile

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// What is taken apart and put together again is the same.
func TestParse_RoundTrips(t *testing.T) {
	for _, updates := range corpus(t) {
		for _, data := range updates {
			u, err := parse(data)
			require.NoError(t, err, "%x", data)
			require.Equal(t, data, u.encode())
		}
	}
}

func TestGenerator_IsDeterministic(t *testing.T) {
	one, other := NewGenerator(corpus(t)), NewGenerator(corpus(t))
	for seed := range uint64(500) {
		require.Equal(t, one.Sequence(seed), other.Sequence(seed))
	}
}
