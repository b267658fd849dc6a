package postgres_test

import (
	"context"
	"fmt"
	"hash/fnv"
	"log"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	server "github.com/yrs-go/yrs/internal/postgres"
	"github.com/yrs-go/yrs/ywebsocket/store"
	"github.com/yrs-go/yrs/ywebsocket/store/postgres"
	"github.com/yrs-go/yrs/ywebsocket/store/storetest"
)

var database *server.Server

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	var err error
	if database, err = server.Start(context.Background()); err != nil {
		log.Print(err)
		return 1
	}
	code := m.Run()
	if err := goleak.Find(); err != nil {
		log.Print(err)
		code = 1
	}
	if err := database.Close(); err != nil {
		log.Print(err)
		code = 1
	}
	return code
}

// schemaOf returns a name for the schema of something with that name, a test or a
// folder: each has its own.
func schemaOf(name string) string {
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(name))
	return fmt.Sprintf("test %x", hash.Sum64())
}

func open(t *testing.T, name string) store.Archive {
	t.Helper()
	s, err := postgres.Open(t.Context(), database.URL(), postgres.Options{Schema: schemaOf(name)})
	require.NoError(t, err)
	return s
}

// query runs a statement in the schema of a test.
func query(t *testing.T, name, statement string, args ...any) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), database.URL())
	require.NoError(t, err)
	defer conn.Close(t.Context())
	_, err = conn.Exec(t.Context(), "SET search_path TO "+pgx.Identifier{schemaOf(name)}.Sanitize())
	require.NoError(t, err)
	_, err = conn.Exec(t.Context(), statement, args...)
	require.NoError(t, err)
}

func load(t *testing.T, s store.Store, room string) (updates []string) {
	t.Helper()
	require.NoError(t, s.Load(t.Context(), room, func(update []byte) error {
		updates = append(updates, string(update))
		return nil
	}))
	return updates
}

func TestStore(t *testing.T) {
	storetest.RunArchive(t, func(t *testing.T) store.Archive { return open(t, t.Name()) })
	storetest.RunDurableArchive(t, open)
}

func TestStore_AnyRoomName(t *testing.T) {
	s := open(t, t.Name())
	defer s.Close()
	names := []string{"..", "../../etc/passwd", `'; DROP TABLE rooms; --`, `"`, `\`, "%2e%2e", "%", "ä", "é", "🙂", " ", "A", "a"}
	for i, name := range names {
		require.NoError(t, s.Append(t.Context(), name, []byte(strconv.Itoa(i))))
	}
	for i, name := range names {
		assert.Equal(t, []string{strconv.Itoa(i)}, load(t, s, name))
	}
}

// A row that is damaged does not keep the rest of the room from being loaded.
func TestStore_DamagedRow(t *testing.T) {
	damaged := make(map[string]int)
	s, err := postgres.Open(t.Context(), database.URL(), postgres.Options{
		Schema:   schemaOf(t.Name()),
		OnDamage: func(room string, rows int) { damaged[room] += rows },
	})
	require.NoError(t, err)
	defer s.Close()
	require.NoError(t, s.Append(t.Context(), "room", []byte("one"), []byte("two"), []byte("three")))
	require.NoError(t, s.Append(t.Context(), "other", []byte("four")))
	query(t, t.Name(), `UPDATE updates SET data = 'twx' WHERE data = 'two'`)
	for range 2 {
		assert.Equal(t, []string{"one", "three"}, load(t, s, "room"))
	}
	assert.Equal(t, []string{"four"}, load(t, s, "other"))
	assert.Equal(t, map[string]int{"room": 1}, damaged, "once: the row is set aside")
	query(t, t.Name(), `DO $$ BEGIN ASSERT (SELECT count(*) FROM damaged WHERE data = 'twx') = 1; END $$`)
}

func TestStore_RoomDeletedBesideIt(t *testing.T) {
	s := open(t, t.Name())
	defer s.Close()
	require.NoError(t, s.Append(t.Context(), "room", []byte("one")))
	query(t, t.Name(), `DELETE FROM rooms`)
	require.NoError(t, s.Append(t.Context(), "room", []byte("two")), "to a new room")
	assert.Equal(t, []string{"two"}, load(t, s, "room"))
}

func TestOpen_TwoAtOnce(t *testing.T) {
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			s, err := postgres.Open(t.Context(), database.URL(), postgres.Options{Schema: schemaOf(t.Name())})
			if assert.NoError(t, err) {
				assert.NoError(t, s.Append(t.Context(), "room", []byte("x")))
				assert.NoError(t, s.Close())
			}
		})
	}
	wg.Wait()
	s := open(t, t.Name())
	defer s.Close()
	assert.Len(t, load(t, s, "room"), 8)
}

func TestOpen_SaysWhatToDo(t *testing.T) {
	_, err := postgres.Open(t.Context(), "host=/nowhere user=test", postgres.Options{})
	require.ErrorContains(t, err, "check that it runs")
	_, err = postgres.Open(t.Context(), strings.Replace(database.URL(), "dbname=postgres", "dbname=absent", 1), postgres.Options{})
	require.ErrorContains(t, err, "create it")
	_, err = postgres.Open(t.Context(), "nonsense", postgres.Options{})
	require.Error(t, err)

	require.NoError(t, open(t, t.Name()).Close())
	query(t, t.Name(), `UPDATE schema_version SET version = 1000`)
	_, err = postgres.Open(t.Context(), database.URL(), postgres.Options{Schema: schemaOf(t.Name())})
	require.ErrorIs(t, err, store.ErrSchemaVersion)
	assert.ErrorContains(t, err, "upgrade the program")
}

func TestStore_ReadOnly(t *testing.T) {
	require.NoError(t, open(t, t.Name()).Close())
	s, err := postgres.Open(t.Context(), database.URL()+"&default_transaction_read_only=on", postgres.Options{Schema: schemaOf(t.Name())})
	require.NoError(t, err)
	defer s.Close()
	require.ErrorContains(t, s.Append(t.Context(), "room", []byte("x")), "takes no writes")
	assert.ErrorContains(t, s.Ping(t.Context()), "takes no writes")
}
