package postgres_test

import (
	"errors"
	"hash/crc32"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ywebsocket/store"
	"github.com/yrs-go/yrs/ywebsocket/store/postgres"
)

// Ids are given before they can be seen: a row of a smaller id than those that are
// compacted may appear afterwards, and must not be lost.
func TestCompact_RowsThatBecomeVisibleLate(t *testing.T) {
	s := open(t, t.Name())
	defer s.Close()
	require.NoError(t, s.Append(t.Context(), "room", []byte("a")))

	late, err := pgx.Connect(t.Context(), database.URL())
	require.NoError(t, err)
	defer late.Close(t.Context())
	_, err = late.Exec(t.Context(), "SET search_path TO "+pgx.Identifier{schemaOf(t.Name())}.Sanitize())
	require.NoError(t, err)
	tx, err := late.Begin(t.Context())
	require.NoError(t, err)
	// The checksum is that of "late".
	_, err = tx.Exec(t.Context(), `INSERT INTO updates (room, data, checksum)
		SELECT id, 'late', $1::bigint FROM rooms WHERE name = 'room'`, checksumOf("late"))
	require.NoError(t, err)

	require.NoError(t, s.Append(t.Context(), "room", []byte("b")))
	require.NoError(t, s.Compact(t.Context(), "room", time.Time{}, func(updates [][]byte) ([]byte, error) {
		require.NoError(t, tx.Commit(t.Context()))
		return concatenate(updates)
	}))
	assert.Equal(t, []string{"ab", "late"}, load(t, s, "room"))
	require.NoError(t, s.Compact(t.Context(), "room", time.Time{}, concatenate))
	assert.Equal(t, []string{"ablate"}, load(t, s, "room"))
}

// A compaction whose connection ends leaves the log as it was.
func TestCompact_ConnectionLost(t *testing.T) {
	s := open(t, t.Name())
	defer s.Close()
	require.NoError(t, s.Append(t.Context(), "room", []byte("a"), []byte("b")))
	query(t, t.Name(), `
		CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END $$;
		CREATE TRIGGER die BEFORE INSERT ON updates FOR EACH ROW WHEN (NEW.checkpoint) EXECUTE FUNCTION die()`)
	assert.Error(t, s.Compact(t.Context(), "room", time.Time{}, concatenate))
	query(t, t.Name(), `DROP TRIGGER die ON updates`)
	assert.Equal(t, []string{"a", "b"}, load(t, s, "room"))
	require.NoError(t, s.Compact(t.Context(), "room", time.Time{}, concatenate))
	assert.Equal(t, []string{"ab"}, load(t, s, "room"))
}

// Deleting a room and compacting it, or setting rows of it aside, lock the same rows: they
// do so in one order.
func TestCompact_AgainstDelete(t *testing.T) {
	s := open(t, t.Name())
	defer s.Close()
	stop := time.Now().Add(stress)
	var workers sync.WaitGroup
	defer workers.Wait()
	check := func(err error) { // which may be that the room was deleted, but not this
		var failure *pgconn.PgError
		if errors.As(err, &failure) {
			assert.NotEqual(t, "40P01", failure.Code, failure.Message)
		}
	}
	for range 3 {
		workers.Go(func() {
			for time.Now().Before(stop) {
				updates := make([][]byte, 200)
				for i := range updates {
					updates[i] = []byte{byte(i)}
				}
				check(s.Append(t.Context(), "room", updates...))
				check(s.Delete(t.Context(), "room"))
			}
		})
		workers.Go(func() {
			for time.Now().Before(stop) {
				check(s.Compact(t.Context(), "room", time.Time{}, concatenate))
			}
		})
	}
}

func TestCompact_DamagedRow(t *testing.T) {
	damaged := map[string]int{}
	s, err := postgres.Open(t.Context(), database.URL(), postgres.Options{
		Schema:   schemaOf(t.Name()),
		OnDamage: func(room string, rows int) { damaged[room] += rows },
	})
	require.NoError(t, err)
	defer s.Close()
	require.NoError(t, s.Append(t.Context(), "room", []byte("a"), []byte("b"), []byte("c")))
	query(t, t.Name(), `UPDATE updates SET data = 'B' WHERE data = 'b'`)
	require.NoError(t, s.Compact(t.Context(), "room", time.Time{}, concatenate))
	assert.Equal(t, []string{"ac"}, load(t, s, "room"))
	assert.Equal(t, map[string]int{"room": 1}, damaged)
	query(t, t.Name(), `INSERT INTO updates (room, data, checksum) SELECT room, data, 0 FROM damaged`)
	assert.Equal(t, []string{"ac"}, load(t, s, "room"), "it was kept, and is as damaged as before")
	assert.Equal(t, map[string]int{"room": 2}, damaged)
}

func TestLoadVersion_Damaged(t *testing.T) {
	s := open(t, t.Name())
	defer s.Close()
	require.NoError(t, s.Append(t.Context(), "room", []byte("a")))
	require.NoError(t, s.SaveVersion(t.Context(), "room", "v", []byte("state")))
	query(t, t.Name(), `UPDATE versions SET data = 'stat3'`)
	_, err := s.LoadVersion(t.Context(), "room", "v")
	assert.ErrorContains(t, err, "damaged")
	assert.NotErrorIs(t, err, store.ErrNotFound)
}

func TestOpen_OlderSchema(t *testing.T) {
	first, err := os.ReadFile("migrations/0001_updates.sql")
	require.NoError(t, err)
	conn, err := pgx.Connect(t.Context(), database.URL())
	require.NoError(t, err)
	defer conn.Close(t.Context())
	schema := pgx.Identifier{schemaOf(t.Name())}.Sanitize()
	_, err = conn.Exec(t.Context(), `CREATE SCHEMA `+schema+`; SET search_path TO `+schema+`;
		CREATE TABLE schema_version (version int NOT NULL); INSERT INTO schema_version VALUES (1);`+string(first)+`
		INSERT INTO rooms (name) VALUES ('room');`)
	require.NoError(t, err)
	for _, update := range []string{"a", "b"} {
		_, err = conn.Exec(t.Context(), `INSERT INTO updates (room, data, checksum) VALUES (1, $1, $2)`, []byte(update), checksumOf(update))
		require.NoError(t, err)
	}

	s := open(t, t.Name())
	defer s.Close()
	assert.Equal(t, []string{"a", "b"}, load(t, s, "room"))
	require.NoError(t, s.SaveVersion(t.Context(), "room", "v", []byte("ab")))
	require.NoError(t, s.Compact(t.Context(), "room", time.Time{}, concatenate))
	assert.Equal(t, []string{"ab"}, load(t, s, "room"))
}

func checksumOf(data string) int64 {
	return int64(crc32.Checksum([]byte(data), crc32.MakeTable(crc32.Castagnoli)))
}

func concatenate(updates [][]byte) (merged []byte, err error) {
	for _, update := range updates {
		merged = append(merged, update...)
	}
	return merged, nil
}
