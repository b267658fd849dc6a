package e2e_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/internal/peers"
	"github.com/yrs-go/yrs/internal/postgres"
	"github.com/yrs-go/yrs/ycrdt"
	"github.com/yrs-go/yrs/ywebsocket"
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
			server := startServerOn(t, store, compactOften...)
			crashWhileWriting(t, server, func(int, bool) func() {
				server.kill()
				return server.start
			})
		})
	}
	t.Run("PostgreSQL", func(t *testing.T) {
		database, err := postgres.Start(t.Context())
		require.NoError(t, err)
		t.Cleanup(func() { assert.NoError(t, database.Close()) })
		server := startServerOn(t, database.URL(), compactOften...)
		crashWhileWriting(t, server, func(round int, all bool) func() {
			kill := []func(){server.kill, func() { require.NoError(t, database.Kill(t.Context())) }}
			revive := []func(){server.start, func() { require.NoError(t, database.Restart(t.Context())) }}
			if !all {
				kill[round%2]()
				return revive[round%2]
			}
			kill[round/coldEvery%2]() // the one or the other first
			kill[1-round/coldEvery%2]()
			return func() { revive[1](); revive[0]() }
		})
	})
}

// compactOften has rooms compacted so often that many a kill comes in between.
var compactOften = []string{"--compact-after", "20"}

// coldEvery is how many rounds of kills are between two after which the store is looked into
// while nobody has what is in it.
const coldEvery = 4

// TestStoreAway_EverybodyGoesOnWriting takes PostgreSQL away for a while. Who is connected is told, writes on, and
// reads; when it is back everything is saved, though nobody did anything for that.
func TestStoreAway_EverybodyGoesOnWriting(t *testing.T) {
	database, err := postgres.Start(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, database.Close()) })
	server := startServerOn(t, database.URL())
	room := roomName(t)
	ada, grace := connectGo(t, server.websocket(), room), connectGo(t, server.websocket(), room)
	ada.insert(0, "before ")
	require.NoError(t, ada.Saved(ada.patience()))
	grace.await("before ")
	node := peers.StartYjs(t, 1).Connect(t, server.websocket(), room, nil)
	node.Await(text, "before ")

	require.NoError(t, database.Kill(t.Context()))
	back := time.Now().Add(storeAway)
	words := []string{"before"}
	for i := 0; i < 2 || time.Now().Before(back); i++ {
		for name, c := range map[string]*goClient{"ada": ada, "grace": grace} {
			words = append(words, fmt.Sprint(name, i))
			c.insert(0, words[len(words)-1]+" ")
		}
		if i == 0 {
			for _, c := range []*goClient{ada, grace} {
				require.Eventually(t, func() bool { return c.State().Denied != "" }, peers.Timeout, time.Millisecond)
			}
			node.Edit(text.InsertText(0, "node ", nil)) // behind the time when it could be taken
			words = append(words, "node")
		}
		time.Sleep(storeAway / 50)
	}
	for _, c := range []*goClient{ada, grace} {
		assert.Equal(t, ywebsocket.StatusConnected, c.State().Status, "nobody was disconnected")
		assert.Positive(t, c.State().Unsynced)
	}
	late := connectGo(t, server.websocket(), room)
	assert.Contains(t, late.text(), "before ", "who comes now can read")

	require.NoError(t, database.Restart(t.Context()))
	slices.Sort(words)
	saved := func(c *goClient) func() bool {
		return func() bool {
			found := strings.Fields(c.text())
			slices.Sort(found)
			return slices.Equal(words, found)
		}
	}
	for _, c := range []*goClient{ada, grace, late} {
		require.NoError(t, c.Saved(c.patience()))
		require.Eventually(t, saved(c), peers.Timeout, 10*time.Millisecond)
		assert.Empty(t, c.State().Denied)
	}
	// A room is stored in the order in which it was written: with this, everything is.
	ada.insert(0, "afterwards ")
	words = append(words, "afterwards")
	slices.Sort(words)
	require.NoError(t, ada.Saved(ada.patience()))
	// Nobody is left who could bring it again.
	for _, c := range []*goClient{ada, grace, late} {
		c.Close()
	}
	node.Disconnect()
	server.kill()
	server.start()
	require.Eventually(t, saved(connectGo(t, server.websocket(), room)), peers.Timeout, 10*time.Millisecond)
}

// crashWhileWriting has two programs write in rounds. crash kills something, or everything, and returns what brings it
// back.
func crashWhileWriting(t *testing.T, server *yserver, crash func(round int, all bool) (revive func())) {
	room := roomName(t)
	ada, grace := connectGo(t, server.websocket(), room), connectGo(t, server.websocket(), room)
	written := 0
	for round := range storeCrashes {
		cold := round%coldEvery == 0
		writing, stop := context.WithCancel(t.Context())
		done := make(chan int)
		var saved atomic.Int64
		go func() { done <- grace.writeWords(writing, round, &saved) }()
		written += ada.writeSaved(round)
		if cold {
			require.Eventually(t, func() bool { return saved.Load() > 0 }, peers.Timeout, time.Millisecond)
		}
		revive := crash(round, cold)
		stop()
		written += <-done
		if cold {
			// Whoever comes now finds what the store has, and nothing else.
			ada.Disconnect()
			grace.Disconnect()
			revive()
			expected := []string{fmt.Sprintf("ada-%d-0", round), fmt.Sprintf("ada-%d-1", round)}
			for i := range saved.Load() {
				expected = append(expected, fmt.Sprintf("grace-%d-%d", round, i))
			}
			expectWords(t, server, room, expected...)
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

// writeWords writes words until ctx ends, and returns how many. It counts those that are known to be saved.
func (c *goClient) writeWords(ctx context.Context, round int, saved *atomic.Int64) (words int) {
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
		if words%3 == 0 && c.Saved(ctx) == nil {
			saved.Store(int64(words))
		}
	}
}
