package main

import (
	"bytes"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestOpenStore_Compresses(t *testing.T) {
	name := "file:" + filepath.Join(t.TempDir(), "rooms")
	update := bytes.Repeat([]byte("again "), 1000)
	stored := func(compress bool) (stored []byte) {
		s, err := openStore(name, compress, false)
		require.NoError(t, err)
		defer s.Close()
		if compress {
			require.NoError(t, s.Append(t.Context(), "room", update))
		}
		require.NoError(t, s.Load(t.Context(), "room", func(update []byte) error {
			stored = bytes.Clone(update)
			return nil
		}))
		return stored
	}
	assert.Equal(t, update, stored(true))
	assert.Less(t, len(stored(false)), 200)
	_, err := openStore("file:", true, false)
	assert.ErrorContains(t, err, "the path is empty")
}
