package e2e_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/internal/postgres"
	"github.com/yrs-go/yrs/ycrdt"
)

// TestStoreCrash_NothingConfirmedIsLost kills the server, and the database server where there is one, while two
// programs write. What either was told is saved is in the store afterwards, and everything is there once in the end;
// nobody reconnects by hand.
func TestStoreCrash_NothingConfirmedIsLost(t *testing.T) {
	for name, store := range map[string]string{
		"SQLite": "sqlite://" + filepath.ToSlash(filepath.Join(t.TempDir(), "rooms.db")),
		"files":  "file://" + filepath.ToSlash(filepath.Join(t.TempDir(), "rooms")),
	} {
		t.Run(name, func(t *testing.T) {
			server := startServerOn(t, store)
			crashWhileWriting(t, server, func(int) func() {
				server.kill()
				return server.start
			})
		})
	}
	t.Run("PostgreSQL", func(t *testing.T) {
		database, err := postgres.Start(t.Context())
		require.NoError(t, err)
		t.Cleanup(func() { assert.NoError(t, database.Close()) })
		server := startServerOn(t, database.URL())
		crashWhileWriting(t, server, func(round int) func() {
			if round%2 == 0 {
				server.kill()
				return server.start
			}
			require.NoError(t, database.Kill(t.Context()))
			return func() { require.NoError(t, database.Restart(t.Context())) }
		})
	})
}

// crashWhileWriting has two programs write in rounds. crash kills something and returns what brings it back.
func crashWhileWriting(t *testing.T, server *yserver, crash func(round int) (revive func())) {
	room := roomName(t)
	ada, grace := connectGo(t, server.websocket(), room), connectGo(t, server.websocket(), room)
	written := 0
	for round := range storeCrashes {
		writing, stop := context.WithCancel(t.Context())
		done := make(chan int)
		go func() { done <- grace.writeWords(writing, round) }()
		written += ada.writeSaved(round)
		revive := crash(round)
		stop()
		written += <-done
		if round%4 == 0 {
			// Whoever comes now finds what the store has, and nothing else.
			ada.Disconnect()
			grace.Disconnect()
			revive()
			expectWords(t, server, room, fmt.Sprintf("ada-%d-0", round), fmt.Sprintf("ada-%d-1", round))
			ada.Connect()
			grace.Connect()
		} else {
			revive() // both come back by themselves
		}
		require.NoError(t, ada.Saved(ada.patience()))
		require.NoError(t, grace.Saved(grace.patience()))
	}
	ada.Close()
	grace.Close()
	server.kill()
	server.start()
	words := strings.Fields(connectGo(t, server.websocket(), room).text())
	assert.Len(t, words, written)
	slices.Sort(words)
	assert.Len(t, slices.Compact(words), written, "nothing is there twice")
}

// expectWords has somebody new look for words.
func expectWords(t *testing.T, server *yserver, room string, expected ...string) {
	t.Helper()
	late := connectGo(t, server.websocket(), room)
	defer late.Close()
	words := strings.Fields(late.text())
	for _, word := range expected {
		require.Contains(t, words, word, "its author was told that this is saved")
	}
}

// writeSaved writes some words, at least two, and waits until these are saved.
func (c *goClient) writeSaved(round int) (words int) {
	for range 2 + rand.IntN(5) {
		c.insert(0, fmt.Sprintf("ada-%d-%d ", round, words))
		words++
		if words == 2 {
			require.NoError(c.t, c.Saved(c.patience()))
		}
	}
	return words
}

// writeWords writes words until ctx ends, and returns how many.
func (c *goClient) writeWords(ctx context.Context, round int) (words int) {
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return words
		}
		word := fmt.Sprintf("grace-%d-%d ", round, words)
		err := c.doc.Transact(func(tx *ycrdt.Tx) error { return tx.Text("text").Insert(0, word) })
		if assert.NoError(c.t, err) {
			words++
		}
	}
}
