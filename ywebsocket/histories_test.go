package ywebsocket

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/internal/postgres"
	"github.com/yrs-go/yrs/ycrdt"
	"github.com/yrs-go/yrs/ywebsocket/store"
	"github.com/yrs-go/yrs/ywebsocket/store/file"
	pgstore "github.com/yrs-go/yrs/ywebsocket/store/postgres"
	"github.com/yrs-go/yrs/ywebsocket/store/sqlite"
	"github.com/yrs-go/yrs/ywebsocket/store/zstd"
)

// TestStores_ReadBackTheSame writes the history of one room to every store. It reads
// back equal from all of them: before compaction, with its first half compacted, and
// with all of it.
func TestStores_ReadBackTheSame(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	log := history(t, rand.New(rand.NewPCG(seed, 0)), 400)
	want := contentOf(t, log)
	for name, open := range archives {
		t.Run(name, func(t *testing.T) {
			a := open(t)
			defer a.Close()
			half := len(log) / 2
			appendAll(t, a, log[:half])
			time.Sleep(2 * time.Microsecond) // the resolution of the stores' times
			info, err := a.Stat(t.Context(), "room")
			require.NoError(t, err)
			between := info.Modified.Add(time.Microsecond)
			time.Sleep(2 * time.Microsecond)
			appendAll(t, a, log[half:])
			assert.Equal(t, log, stored(t, a, "room"))
			assert.Equal(t, log[:half], storedAt(t, a, between))

			merge := func(log [][]byte) ([]byte, error) { return mergeLog(t.Context(), log) }
			require.NoError(t, a.Compact(t.Context(), "room", between, merge))
			partly := stored(t, a, "room")
			assert.Len(t, partly, 1+len(log)-half)
			assert.Equal(t, want, contentOf(t, partly))
			assert.Equal(t, contentOf(t, log[:half]), contentOf(t, storedAt(t, a, between)))
			require.NoError(t, a.Compact(t.Context(), "room", time.Time{}, merge))
			whole := stored(t, a, "room")
			assert.Len(t, whole, 1)
			assert.Equal(t, want, contentOf(t, whole))
		})
	}
}

var archives = map[string]func(t *testing.T) store.Archive{
	"memory": func(*testing.T) store.Archive { return store.NewMemory() },
	"files": func(t *testing.T) store.Archive {
		s, err := file.Open(filepath.Join(t.TempDir(), "rooms"), file.Options{})
		require.NoError(t, err)
		return s
	},
	"memory, compressed": func(t *testing.T) store.Archive {
		s, err := zstd.New(store.NewMemory())
		require.NoError(t, err)
		return s
	},
	"SQLite": func(t *testing.T) store.Archive {
		s, err := sqlite.Open(filepath.Join(t.TempDir(), "rooms.db"), sqlite.Options{})
		require.NoError(t, err)
		return s
	},
	"PostgreSQL": func(t *testing.T) store.Archive {
		server, err := postgres.Start(t.Context())
		require.NoError(t, err)
		t.Cleanup(func() { assert.NoError(t, server.Close()) })
		s, err := pgstore.Open(t.Context(), server.URL(), pgstore.Options{})
		require.NoError(t, err)
		return s
	},
}

// history returns the updates of some people who edit one document, and hear of the
// others now and then.
func history(t *testing.T, rng *rand.Rand, edits int) (log [][]byte) {
	const people = 4
	var docs [people]*ycrdt.Doc
	for i := range docs {
		docs[i] = ycrdt.NewDoc()
		defer docs[i].Close()
		docs[i].OnUpdate(func(event ycrdt.UpdateEvent) {
			if event.Origin == nil && event.Update != nil {
				log = append(log, event.Update)
			}
		})
	}
	heard := [people]int{}
	for range edits {
		who := rng.IntN(people)
		if rng.IntN(3) == 0 {
			for _, update := range log[heard[who]:] {
				require.NoError(t, docs[who].ApplyUpdateContext(t.Context(), ycrdt.TxOptions{Origin: "others"}, update))
			}
			heard[who] = len(log)
		}
		require.NoError(t, docs[who].Transact(func(tx *ycrdt.Tx) error { return edit(rng, tx) }))
	}
	return log
}

func edit(rng *rand.Rand, tx *ycrdt.Tx) error {
	text := tx.Text("text")
	switch length := text.Len(); {
	case length > 8 && rng.IntN(3) == 0:
		return text.Delete(rng.IntN(length-4), 1+rng.IntN(4))
	case rng.IntN(4) == 0:
		return tx.Map("map").Set(fmt.Sprint(rng.IntN(5)), rng.Int32())
	case rng.IntN(4) == 0:
		return tx.Array("array").Insert(0, rng.Float64(), "x", nil)
	default:
		return text.Insert(rng.IntN(length+1), "word ")
	}
}

func appendAll(t *testing.T, s store.Store, log [][]byte) {
	t.Helper()
	for len(log) > 0 {
		n := min(1+rand.IntN(5), len(log))
		require.NoError(t, s.Append(t.Context(), "room", log[:n]...))
		log = log[n:]
	}
}

func storedAt(t *testing.T, a store.Archive, at time.Time) (updates [][]byte) {
	t.Helper()
	require.NoError(t, a.LoadAt(t.Context(), "room", at, func(update []byte) error {
		updates = append(updates, append([]byte(nil), update...))
		return nil
	}))
	return updates
}

// content is what a document says, and how much it has of whom.
type content struct {
	text     string
	entries  map[string]any
	elements []any
	clocks   map[uint64]uint64
}

func contentOf(t *testing.T, log [][]byte) (c content) {
	t.Helper()
	doc, pending, err := replay(t.Context(), log)
	require.NoError(t, err)
	defer doc.Close()
	require.False(t, pending)
	require.NoError(t, doc.View(func(tx *ycrdt.Tx) error {
		c.text = tx.Text("text").String()
		if c.entries, err = tx.Map("map").AsMap(); err == nil {
			c.elements, err = tx.Array("array").AsSlice()
		}
		return err
	}))
	c.clocks = clocksOf(t, doc)
	return c
}
