package zstd_test

import (
	"bytes"
	"crypto/rand"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/yrs-go/yrs/ywebsocket/store"
	"github.com/yrs-go/yrs/ywebsocket/store/file"
	"github.com/yrs-go/yrs/ywebsocket/store/storetest"
	"github.com/yrs-go/yrs/ywebsocket/store/zstd"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestStore(t *testing.T) {
	storetest.RunArchive(t, func(t *testing.T) store.Archive { return compressed(t, store.NewMemory()) })
	storetest.RunDurableArchive(t, func(t *testing.T, dir string) store.Archive {
		files, err := file.Open(filepath.Join(dir, "rooms"), file.Options{})
		require.NoError(t, err)
		return compressed(t, files)
	})
}

func compressed(t *testing.T, archive store.Archive) *zstd.Store {
	t.Helper()
	s, err := zstd.New(archive)
	require.NoError(t, err)
	return s
}

var (
	repetitive = bytes.Repeat([]byte("again and "), 1000)
	zstdMagic  = []byte{0x28, 0xb5, 0x2f, 0xfd}
)

func TestStore_Compresses(t *testing.T) {
	backing := store.NewMemory()
	s := compressed(t, backing)
	defer s.Close()
	noise := make([]byte, 10_000)
	_, _ = rand.Read(noise) // never fails
	updates := [][]byte{repetitive, noise, []byte("short"), append(bytes.Clone(zstdMagic), "looks compressed"...), {}, repetitive[:5000]}
	require.NoError(t, s.Append(t.Context(), "room", updates...))
	assert.Equal(t, updates, load(t, s))

	raw := load(t, backing)
	assert.Less(t, len(raw[0]), 200)
	assert.Equal(t, noise, raw[1], "nothing is made longer")
	assert.Equal(t, "short", string(raw[2]))
	assert.True(t, bytes.HasPrefix(raw[3], zstdMagic) && !bytes.Equal(raw[3], updates[3]))

	require.NoError(t, s.SaveVersion(t.Context(), "room", "v", repetitive))
	state, err := s.LoadVersion(t.Context(), "room", "v")
	require.NoError(t, err)
	assert.Equal(t, repetitive, state)
	require.NoError(t, s.Compact(t.Context(), "room", time.Time{}, func(log [][]byte) ([]byte, error) {
		assert.Equal(t, updates, log)
		return repetitive, nil
	}))
	assert.Equal(t, [][]byte{repetitive}, load(t, s))
	info, err := s.Stat(t.Context(), "room")
	require.NoError(t, err)
	assert.Less(t, info.Bytes, int64(200))
}

// Compression can be switched on for a store that was used without, also if something
// in it looks compressed.
func TestStore_ReadsWhatWasStoredBefore(t *testing.T) {
	backing := store.NewMemory()
	before := [][]byte{repetitive, append(bytes.Clone(zstdMagic), repetitive...)}
	require.NoError(t, backing.Append(t.Context(), "room", before...))
	s := compressed(t, backing)
	defer s.Close()
	require.NoError(t, s.Append(t.Context(), "room", repetitive))
	assert.Equal(t, append(before, repetitive), load(t, s))
}

func load(t *testing.T, s store.Store) (updates [][]byte) {
	t.Helper()
	require.NoError(t, s.Load(t.Context(), "room", func(update []byte) error {
		updates = append(updates, append([]byte{}, update...))
		return nil
	}))
	return updates
}
