package sqlite_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ywebsocket/store"
	"github.com/yrs-go/yrs/ywebsocket/store/sqlite"
)

func TestOpen_OlderSchema(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rooms.db")
	first, err := os.ReadFile("migrations/0001_updates.sql")
	require.NoError(t, err)
	_, err = raw(t, path).Exec(string(first) + `
		INSERT INTO rooms (name) VALUES ('room');
		INSERT INTO updates (room, data) VALUES (1, CAST('a' AS BLOB)), (1, CAST('b' AS BLOB));
		PRAGMA application_id = 0x79727347; PRAGMA user_version = 1`)
	require.NoError(t, err)

	s, err := sqlite.Open(path, sqlite.Options{})
	require.NoError(t, err)
	defer s.Close()
	info, err := s.Stat(t.Context(), "room")
	require.NoError(t, err)
	assert.Equal(t, store.Info{Room: "room", Updates: 2, Bytes: 2}, info, "its times are not known")
	require.NoError(t, s.Append(t.Context(), "room", []byte("c")))
	assert.Equal(t, []string{"a", "b", "c"}, loaded(t, s, "room"))
	require.NoError(t, s.Compact(t.Context(), "room", time.Time{}, concatenate))
	assert.Equal(t, []string{"abc"}, loaded(t, s, "room"))
}

// What was set aside of a room, or saved of it, is never taken for another one's.
func TestStore_IDsAreNotUsedAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rooms.db")
	s, err := sqlite.Open(path, sqlite.Options{})
	require.NoError(t, err)
	defer s.Close()
	id := func(room string) (id int) {
		require.NoError(t, s.Append(t.Context(), room, []byte("x")))
		require.NoError(t, raw(t, path).QueryRow(`SELECT id FROM rooms WHERE name = ?`, room).Scan(&id))
		return id
	}
	first := id("first")
	require.NoError(t, s.Delete(t.Context(), "first"))
	assert.Greater(t, id("second"), first)
}

func TestStore_DamagedRows(t *testing.T) {
	for name, read := range map[string]func(t *testing.T, s *sqlite.Store){
		"Load": func(t *testing.T, s *sqlite.Store) {
			assert.Equal(t, []string{"a", "c"}, loaded(t, s, "room"))
		},
		"Compact": func(t *testing.T, s *sqlite.Store) {
			require.NoError(t, s.Compact(t.Context(), "room", time.Time{}, concatenate))
			assert.Equal(t, []string{"ac"}, loaded(t, s, "room"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "rooms.db")
			damaged := map[string]int{}
			s, err := sqlite.Open(path, sqlite.Options{OnDamage: func(room string, rows int) { damaged[room] += rows }})
			require.NoError(t, err)
			defer s.Close()
			require.NoError(t, s.Append(t.Context(), "room", []byte("a"), []byte("b"), []byte("c")))
			db := raw(t, path)
			_, err = db.Exec(`UPDATE updates SET data = CAST('B' AS BLOB) WHERE data = CAST('b' AS BLOB)`)
			require.NoError(t, err)

			read(t, s)
			assert.Equal(t, map[string]int{"room": 1}, damaged, "told once")
			var data string
			require.NoError(t, db.QueryRow(`SELECT data FROM damaged`).Scan(&data))
			assert.Equal(t, "B", data, "kept for whoever repairs it")
		})
	}
}

func TestStore_DamagedVersion(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rooms.db")
	s, err := sqlite.Open(path, sqlite.Options{})
	require.NoError(t, err)
	defer s.Close()
	require.NoError(t, s.Append(t.Context(), "room", []byte("a")))
	require.NoError(t, s.SaveVersion(t.Context(), "room", "v", []byte("state")))
	_, err = raw(t, path).Exec(`UPDATE versions SET data = CAST('stat3' AS BLOB)`)
	require.NoError(t, err)
	_, err = s.LoadVersion(t.Context(), "room", "v")
	assert.ErrorContains(t, err, "damaged")
	assert.NotErrorIs(t, err, store.ErrNotFound)
}

func concatenate(updates [][]byte) (merged []byte, err error) {
	for _, update := range updates {
		merged = append(merged, update...)
	}
	return merged, nil
}

func loaded(t *testing.T, s store.Store, room string) (updates []string) {
	t.Helper()
	require.NoError(t, s.Load(t.Context(), room, func(update []byte) error {
		updates = append(updates, string(update))
		return nil
	}))
	return updates
}
