package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/internal/peers"
	"github.com/yrs-go/yrs/internal/postgres"
	"github.com/yrs-go/yrs/internal/smalldisk"
	"github.com/yrs-go/yrs/ywebsocket"
)

// TestStoreFull fills the disk of each store while somebody writes.
func TestStoreFull(t *testing.T) {
	const size = "4m"
	t.Run("SQLite", func(t *testing.T) {
		disk := smalldisk.New(t, size)
		failAndHeal(t, "sqlite://"+filepath.Join(disk.Dir(), "rooms.db"), disk.Fill, disk.Free)
	})
	t.Run("files", func(t *testing.T) {
		disk := smalldisk.New(t, size)
		failAndHeal(t, "file://"+filepath.Join(disk.Dir(), "rooms"), disk.Fill, disk.Free)
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		disk := smalldisk.New(t, size)
		database, err := postgres.Start(t.Context())
		require.NoError(t, err)
		t.Cleanup(func() { assert.NoError(t, database.Close()) })
		// Its log is on another disk, as it should be: PostgreSQL ends when that is full.
		tables := filepath.Join(disk.Dir(), "tables")
		require.NoError(t, os.Mkdir(tables, 0o700))
		require.NoError(t, database.Own(tables))
		conn, err := pgx.Connect(t.Context(), database.URL())
		require.NoError(t, err)
		defer conn.Close(t.Context())
		for _, statement := range []string{`CREATE TABLESPACE small LOCATION '` + tables + `'`, `ALTER ROLE test SET default_tablespace = small`} {
			_, err = conn.Exec(t.Context(), statement)
			require.NoError(t, err)
		}
		failAndHeal(t, database.URL(), disk.Fill, disk.Free)
	})
}

// TestStoreRemoved moves a store away while somebody writes, and puts it back.
func TestStoreRemoved(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "rooms.db")
		move := func(from, to string) func() {
			return func() {
				for _, file := range []string{path, path + "-wal"} {
					require.NoError(t, os.Rename(file+from, file+to))
				}
			}
		}
		failAndHeal(t, "sqlite://"+path, move("", ".away"), move(".away", ""))
	})
	t.Run("files", func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "rooms")
		move := func(from, to string) func() {
			return func() { require.NoError(t, os.Rename(dir+from, dir+to)) }
		}
		failAndHeal(t, "file://"+dir, move("", ".away"), move(".away", ""))
	})
}

// failAndHeal has two programs write to a room whose store stops taking anything, and then does again. They are told,
// and keep what they write; nothing is confirmed that the store does not have, and in the end it has everything.
func failAndHeal(t *testing.T, store string, fail, heal func()) {
	server := startServerOn(t, store)
	room := roomName(t)
	ada, grace := connectGo(t, server.websocket(), room), connectGo(t, server.websocket(), room)
	ada.insert(0, "first ")
	require.NoError(t, ada.Saved(ada.patience()))

	fail()
	saved := []string{"first"}
	written := []string{"first"}
	for i := 0; ada.State().Denied == ""; i++ {
		require.Less(t, i, 1000, "the store takes everything")
		// Long, so that no rest of a page is enough for many.
		word := fmt.Sprint("ada", i, strings.Repeat("x", 20_000))
		ada.insert(0, word+" ")
		written = append(written, word)
		until(t, func() bool { return ada.State().Unsynced == 0 || ada.State().Denied != "" })
		if ada.State().Unsynced == 0 {
			saved = append(saved, word)
		}
	}
	until(t, func() bool { return grace.State().Denied != "" })
	grace.insert(0, "grace ")
	written = append(written, "grace")
	until(t, func() bool { return !server.ready() }) // an orchestrator can see it
	assert.Positive(t, ada.State().Unsynced)
	for _, c := range []*goClient{ada, grace} {
		assert.Equal(t, ywebsocket.StatusConnected, c.State().Status, "nobody is disconnected")
	}

	// Nobody who was told otherwise misses anything.
	ada.Disconnect()
	grace.Disconnect()
	server.kill()
	heal()
	server.start()
	expectWords(t, server, room, saved...)

	ada.Connect()
	grace.Connect()
	until(t, func() bool { return ada.State().Denied == "" && len(strings.Fields(grace.text())) == len(written) })
	require.NoError(t, ada.Saved(ada.patience()))
	require.NoError(t, grace.Saved(grace.patience()))

	// Once more, without a restart.
	fail()
	for i := 0; ada.State().Denied == ""; i++ {
		require.Less(t, i, 1000, "the store takes everything")
		word := fmt.Sprint("again", i, strings.Repeat("x", 20_000))
		ada.insert(0, word+" ")
		written = append(written, word)
		until(t, func() bool { return ada.State().Unsynced == 0 || ada.State().Denied != "" })
	}
	heal()
	require.NoError(t, ada.Saved(ada.patience()))
	until(t, func() bool { return ada.State().Denied == "" && server.ready() })
	ada.Close()
	grace.Close()
	server.kill()
	server.start()
	expectWords(t, server, room, written...)
}

// until waits for what goes on by itself.
func until(t *testing.T, good func() bool) {
	t.Helper()
	require.Eventually(t, good, peers.Timeout, 5*time.Millisecond)
}
