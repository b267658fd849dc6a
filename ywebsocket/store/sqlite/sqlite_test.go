package sqlite_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/yrs-go/yrs/ywebsocket/store"
	"github.com/yrs-go/yrs/ywebsocket/store/sqlite"
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

func openPath(path string) (store.Archive, error) { return sqlite.Open(path, sqlite.Options{}) }

func TestStore_SurvivesKill(t *testing.T) { storetest.RunKill(t, openPath) }

func open(t *testing.T, dir string) store.Archive {
	t.Helper()
	s, err := sqlite.Open(filepath.Join(dir, "rooms.db"), sqlite.Options{})
	require.NoError(t, err)
	return s
}

func TestOpen_AnyFileName(t *testing.T) {
	for _, name := range []string{"a b.db", "50%25.db", "what?.db", "#1.db", "a&_pragma=x.db", "ü.db"} {
		path := filepath.Join(t.TempDir(), name)
		s, err := sqlite.Open(path, sqlite.Options{})
		require.NoError(t, err, name)
		require.NoError(t, s.Append(t.Context(), "room", []byte("x")))
		require.NoError(t, s.Close())
		info, err := os.Stat(path)
		require.NoError(t, err, "the file has the very name that was asked for")
		assert.NotZero(t, info.Size())
		assert.Zero(t, info.Mode().Perm()&0o077, "documents are nobody else's business")
	}
}

func TestOpen_Link(t *testing.T) {
	dir := t.TempDir()
	link := filepath.Join(dir, "link.db")
	require.NoError(t, os.Symlink("rooms.db", link))
	s, err := sqlite.Open(link, sqlite.Options{})
	require.NoError(t, err)
	require.NoError(t, s.Append(t.Context(), "room", []byte("x")))
	require.NoError(t, s.Close())
	s, err = sqlite.Open(filepath.Join(dir, "rooms.db"), sqlite.Options{})
	require.NoError(t, err)
	defer s.Close()
	assert.Equal(t, []string{"x"}, loaded(t, s, "room"))
}

func TestStore_CloseLeavesOneFile(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	require.NoError(t, s.Append(t.Context(), "room", []byte("x")))
	require.NoError(t, s.Close())
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, files, 1, "the log was moved into the database: copying that file is a backup")
}

func TestOpen_Refusals(t *testing.T) {
	tests := []struct {
		name    string
		prepare func(t *testing.T, dir string) (path string)
		want    string
	}{
		{"empty path", func(*testing.T, string) string { return "" }, "the path is empty"},
		{"directory missing", func(_ *testing.T, dir string) string {
			return filepath.Join(dir, "none", "rooms.db")
		}, "does not exist; create it or name another file"},
		{"a directory", func(_ *testing.T, dir string) string { return dir }, "it is a directory; name a file in it"},
		{"a file in the way", func(t *testing.T, dir string) string {
			require.NoError(t, os.WriteFile(filepath.Join(dir, "file"), nil, 0o600))
			return filepath.Join(dir, "file", "rooms.db")
		}, "it cannot be written; check the permissions"},
		{"not a database", func(t *testing.T, dir string) string {
			path := filepath.Join(dir, "notes.txt")
			require.NoError(t, os.WriteFile(path, []byte(strings.Repeat("just text\n", 500)), 0o600))
			return path
		}, "it is not a SQLite database; name another file"},
		{"damaged", func(t *testing.T, dir string) string {
			path := filepath.Join(dir, "rooms.db")
			s, err := sqlite.Open(path, sqlite.Options{})
			require.NoError(t, err)
			require.NoError(t, s.Close())
			content, err := os.ReadFile(path)
			require.NoError(t, err)
			for i := 200; i < len(content); i++ {
				content[i] = 0xa5
			}
			require.NoError(t, os.WriteFile(path, content, 0o600))
			return path
		}, "it is damaged; restore a backup"},
		{"another program's", func(t *testing.T, dir string) string {
			path := filepath.Join(dir, "bookmarks.db")
			_, err := raw(t, path).Exec("CREATE TABLE bookmarks (url TEXT)")
			require.NoError(t, err)
			return path
		}, "it is the database of another program; name another file"},
		{"in use", func(t *testing.T, dir string) string {
			s := open(t, dir)
			t.Cleanup(func() { assert.NoError(t, s.Close()) })
			return filepath.Join(dir, "rooms.db")
		}, "it is in use, by another process or by this one; end that, or name another file"},
		{"in use under another name", func(t *testing.T, dir string) string {
			s := open(t, dir)
			t.Cleanup(func() { assert.NoError(t, s.Close()) })
			require.NoError(t, os.Symlink("rooms.db", filepath.Join(dir, "link.db")))
			return filepath.Join(dir, "link.db")
		}, "it is in use"},
		{"in memory", func(*testing.T, string) string { return ":memory:" }, "use store.NewMemory to keep nothing"},
		{"a URI", func(t *testing.T, dir string) string {
			t.Chdir(dir)
			return "file:rooms?mode=memory"
		}, "use store.NewMemory to keep nothing"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := test.prepare(t, t.TempDir())
			_, err := sqlite.Open(path, sqlite.Options{})
			require.Error(t, err)
			assert.Contains(t, err.Error(), test.want)
			assert.Contains(t, err.Error(), path)
			assert.NotContains(t, err.Error(), "\n")
			files, err := filepath.Glob("*memory*")
			require.NoError(t, err)
			assert.Empty(t, files)
		})
	}
}

// However often it is opened, and closed, one at a time has a database.
func TestOpen_Hammered(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rooms.db")
	var holders, opened atomic.Int64
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for opened.Load() < 20 {
				s, err := sqlite.Open(path, sqlite.Options{})
				if err != nil {
					assert.ErrorContains(t, err, "it is in use")
					continue
				}
				opened.Add(1)
				assert.EqualValues(t, 1, holders.Add(1))
				holders.Add(-1)
				assert.NoError(t, s.Close())
			}
		})
	}
	wg.Wait()
}

func TestOpen_NewerSchema(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rooms.db")
	s, err := sqlite.Open(path, sqlite.Options{})
	require.NoError(t, err)
	require.NoError(t, s.Close())
	_, err = raw(t, path).Exec("PRAGMA user_version = 999")
	require.NoError(t, err)

	_, err = sqlite.Open(path, sqlite.Options{})
	assert.ErrorIs(t, err, store.ErrSchemaVersion)
	assert.ErrorContains(t, err, "version 999")
	assert.ErrorContains(t, err, "upgrade the program")
	assert.NotContains(t, err.Error(), "\n")
}

func TestStore_LoadErrorIsNotNotFound(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rooms.db")
	s, err := sqlite.Open(path, sqlite.Options{})
	require.NoError(t, err)
	defer s.Close()
	require.NoError(t, s.Append(t.Context(), "room", []byte("x")))
	_, err = raw(t, path).Exec("ALTER TABLE updates RENAME TO elsewhere")
	require.NoError(t, err)

	err = s.Load(t.Context(), "room", func([]byte) error { return nil })
	require.Error(t, err)
	assert.NotErrorIs(t, err, store.ErrNotFound)
}

// SQLite itself goes on writing to a file that nobody will find again.
func TestStore_RemovedWhileInUse(t *testing.T) {
	for _, removed := range []string{"rooms.db", "rooms.db-wal"} {
		t.Run(removed, func(t *testing.T) {
			dir := t.TempDir()
			s := open(t, dir)
			defer s.Close()
			require.NoError(t, s.Append(t.Context(), "room", []byte("a")))
			path := filepath.Join(dir, removed)
			require.NoError(t, os.Rename(path, path+".away"))
			for range 2 {
				err := s.Append(t.Context(), "room", []byte("b"))
				assert.ErrorContains(t, err, "put it back")
				err = s.Load(t.Context(), "room", func([]byte) error { return nil })
				assert.ErrorContains(t, err, "put it back")
				assert.NotErrorIs(t, err, store.ErrNotFound)
				assert.Error(t, s.Load(t.Context(), "new", func([]byte) error { return nil }))
				assert.Error(t, s.Ping(t.Context()))
			}
			assert.NoFileExists(t, path, "it is not made anew")
			require.NoError(t, os.Rename(path+".away", path))
			require.NoError(t, s.Append(t.Context(), "room", []byte("c")))
			require.NoError(t, s.Close())

			s = open(t, dir)
			defer s.Close()
			updates := loaded(t, s, "room")
			assert.Equal(t, "a", updates[0])
			assert.Equal(t, "c", updates[len(updates)-1])
		})
	}
}

// A transaction that fails must leave the connection fit for the next one.
func TestStore_AppendAfterAFailure(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rooms.db")
	s, err := sqlite.Open(path, sqlite.Options{})
	require.NoError(t, err)
	defer s.Close()
	db := raw(t, path)
	_, err = db.Exec(`CREATE TRIGGER refuse BEFORE INSERT ON updates WHEN NEW.data = CAST('bad' AS BLOB)
		BEGIN SELECT RAISE(ABORT, 'refused'); END`)
	require.NoError(t, err)

	assert.ErrorContains(t, s.Append(t.Context(), "room", []byte("good"), []byte("bad")), "refused")
	err = s.Load(t.Context(), "room", func([]byte) error { return nil })
	assert.ErrorIs(t, err, store.ErrNotFound, "all updates of a call or none")
	require.NoError(t, s.Append(t.Context(), "room", []byte("good")))
}

func raw(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, db.Close()) })
	return db
}
