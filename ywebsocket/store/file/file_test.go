package file_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/yrs-go/yrs/ywebsocket/store"
	"github.com/yrs-go/yrs/ywebsocket/store/file"
	"github.com/yrs-go/yrs/ywebsocket/store/storetest"
)

func TestMain(m *testing.M) {
	storetest.AppendUntilKilled(openPath)
	goleak.VerifyTestMain(m)
}

func TestStore(t *testing.T) {
	storetest.RunArchive(t, func(t *testing.T) store.Archive { return open(t, t.TempDir()) })
	storetest.RunDurableArchive(t, open)
}

func openPath(path string) (store.Archive, error) { return file.Open(path, file.Options{}) }

func TestStore_SurvivesKill(t *testing.T) { storetest.RunKill(t, openPath) }

func open(t *testing.T, dir string) store.Archive {
	t.Helper()
	s, err := file.Open(filepath.Join(dir, "rooms"), file.Options{})
	require.NoError(t, err)
	return s
}

func TestOpen_Refusals(t *testing.T) {
	tests := []struct {
		name    string
		prepare func(t *testing.T, dir string) (path string)
		want    string
	}{
		{"empty path", func(*testing.T, string) string { return "" }, "the path is empty"},
		{"parent missing", func(_ *testing.T, dir string) string {
			return filepath.Join(dir, "none", "rooms")
		}, "does not exist; create it or name another one"},
		{"a file", func(t *testing.T, dir string) string {
			path := filepath.Join(dir, "file")
			require.NoError(t, os.WriteFile(path, nil, 0o600))
			return path
		}, "it is a file, or in one; name a directory"},
		{"other files", func(t *testing.T, dir string) string {
			require.NoError(t, os.WriteFile(filepath.Join(dir, "notes.txt"), nil, 0o600))
			return dir
		}, "it holds other files, such as notes.txt; name a directory of its own"},
		{"another program's", func(t *testing.T, dir string) string {
			require.NoError(t, os.WriteFile(filepath.Join(dir, "format"), []byte("tape 2\n"), 0o600))
			return dir
		}, "it belongs to another program; name another directory"},
		{"in use", func(t *testing.T, dir string) string {
			s, err := file.Open(dir, file.Options{})
			require.NoError(t, err)
			t.Cleanup(func() { assert.NoError(t, s.Close()) })
			return dir
		}, "it is in use by another process; end that, or name another directory"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := test.prepare(t, t.TempDir())
			_, err := file.Open(path, file.Options{})
			require.Error(t, err)
			assert.Contains(t, err.Error(), test.want)
			assert.Contains(t, err.Error(), path)
			assert.NotContains(t, err.Error(), "\n")
		})
	}
}

func TestOpen_NewerFormat(t *testing.T) {
	dir := t.TempDir()
	s, err := file.Open(dir, file.Options{})
	require.NoError(t, err)
	require.NoError(t, s.Close())
	require.NoError(t, os.WriteFile(filepath.Join(dir, "format"), []byte("ywebsocket file store 999\n"), 0o600))
	_, err = file.Open(dir, file.Options{})
	assert.ErrorIs(t, err, store.ErrSchemaVersion)
	assert.ErrorContains(t, err, "version 999")
	assert.ErrorContains(t, err, "upgrade the program")
}

// The first version marked no checkpoints.
func TestOpen_OlderFormat(t *testing.T) {
	dir := t.TempDir()
	s, err := file.Open(dir, file.Options{})
	require.NoError(t, err)
	require.NoError(t, s.Append(t.Context(), "room", []byte("a")))
	require.NoError(t, s.Close())
	require.NoError(t, os.WriteFile(filepath.Join(dir, "format"), []byte("ywebsocket file store 1\n"), 0o600))
	s, err = file.Open(dir, file.Options{})
	require.NoError(t, err)
	defer s.Close()
	assert.Equal(t, []string{"a"}, loaded(t, s, "room"))
	format, err := os.ReadFile(filepath.Join(dir, "format"))
	require.NoError(t, err)
	assert.Equal(t, "ywebsocket file store 2\n", string(format), "older programs would not see the marks")
}

func TestStore_FilesAreNobodyElses(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "rooms")
	s, err := file.Open(dir, file.Options{})
	require.NoError(t, err)
	defer s.Close()
	for _, room := range []string{"../../etc/passwd", "a\\b", strings.Repeat("ü", 5000), "CON", "."} {
		require.NoError(t, s.Append(t.Context(), room, []byte(room)))
		require.NoError(t, s.SaveVersion(t.Context(), room, room, []byte("v"+room)))
		assert.Equal(t, []string{room}, loaded(t, s, room))
		state, err := s.LoadVersion(t.Context(), room, room)
		require.NoError(t, err)
		assert.Equal(t, "v"+room, string(state))
	}
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		require.NoError(t, err)
		info, err := entry.Info()
		require.NoError(t, err)
		assert.Zero(t, info.Mode().Perm()&0o077, path)
		return nil
	}))
}

// A disk that was unmounted takes all rooms with it: none of them is new then.
func TestStore_RemovedWhileInUse(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "rooms")
	s, err := file.Open(dir, file.Options{})
	require.NoError(t, err)
	defer s.Close()
	require.NoError(t, s.Append(t.Context(), "room", []byte("a")))
	for _, left := range []bool{false, true} {
		require.NoError(t, os.Rename(dir, dir+" away"))
		if left {
			require.NoError(t, os.Mkdir(dir, 0o700)) // where it was mounted
		}
		for _, room := range []string{"room", "new"} {
			assert.ErrorContains(t, s.Append(t.Context(), room, []byte("b")), "put it back")
			err := s.Load(t.Context(), room, func([]byte) error { return nil })
			assert.ErrorContains(t, err, "put it back")
			assert.NotErrorIs(t, err, store.ErrNotFound)
			_, err = s.Stat(t.Context(), room)
			assert.ErrorContains(t, err, "put it back")
		}
		assert.ErrorContains(t, s.Ping(t.Context()), "put it back")
		if left {
			require.NoError(t, os.Remove(dir))
		}
		require.NoError(t, os.Rename(dir+" away", dir))
		assert.Equal(t, []string{"a"}, loaded(t, s, "room"))
	}
	require.NoError(t, s.Append(t.Context(), "room", []byte("c")))
	require.NoError(t, s.Append(t.Context(), "new", []byte("d")))
	assert.Equal(t, []string{"a", "c"}, loaded(t, s, "room"))
}

func TestStore_DeletedRoomsLeaveNothing(t *testing.T) {
	dir := t.TempDir()
	s, err := file.Open(dir, file.Options{})
	require.NoError(t, err)
	require.NoError(t, s.Append(t.Context(), "room", []byte("x")))
	require.NoError(t, s.Delete(t.Context(), "room"))
	require.NoError(t, s.Close())
	assert.Empty(t, logs(t, dir))

	// A process that died while it deleted a room leaves it here.
	left := filepath.Join(dir, "deleted", "room")
	require.NoError(t, os.Mkdir(left, 0o700))
	s, err = file.Open(dir, file.Options{})
	require.NoError(t, err)
	require.NoError(t, s.Close())
	assert.NoDirExists(t, left)
}

// logs returns the paths of the logs of all rooms.
func logs(t *testing.T, dir string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "rooms", "*", "*", "log"))
	require.NoError(t, err)
	return found
}

func loaded(t *testing.T, s store.Store, room string) (updates []string) {
	t.Helper()
	require.NoError(t, s.Load(t.Context(), room, func(update []byte) error {
		updates = append(updates, string(update))
		return nil
	}))
	return updates
}
