package postgres_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt"
	"github.com/yrs-go/yrs/ywebsocket/store/postgres"
)

// A room of 100,000 updates of one character each, loaded into a document as a
// server does; and the same room once compacted.
func BenchmarkLoad(b *testing.B) {
	const updates = 100_000
	s, err := postgres.Open(b.Context(), database.URL(), postgres.Options{Schema: schemaOf(b.Name())})
	require.NoError(b, err)
	defer s.Close()
	log := typed(b, updates)
	require.NoError(b, s.Append(b.Context(), "room", log...))

	load := func(b *testing.B) {
		for b.Loop() {
			doc := ycrdt.NewDoc()
			require.NoError(b, s.Load(b.Context(), "room", doc.ApplyUpdate))
			require.NoError(b, doc.View(func(tx *ycrdt.Tx) error {
				require.Equal(b, updates, tx.Text("text").Len())
				return nil
			}))
			require.NoError(b, doc.Close())
		}
	}
	b.Run(fmt.Sprint(updates, " updates"), load)
	require.NoError(b, s.Compact(b.Context(), "room", time.Time{}, wholeState))
	info, err := s.Stat(b.Context(), "room")
	require.NoError(b, err)
	require.EqualValues(b, 1, info.Updates)
	b.Run("compacted", load)
}

// typed returns the updates of somebody who types 50 characters in a place, and then
// in another.
func typed(b *testing.B, updates int) (log [][]byte) {
	doc := ycrdt.NewDoc()
	defer doc.Close()
	doc.OnUpdate(func(event ycrdt.UpdateEvent) { log = append(log, event.Update) })
	cursor, rng := 0, rand.New(rand.NewPCG(1, 1))
	for i := range updates {
		if i%50 == 0 {
			cursor = rng.IntN(i + 1)
		}
		require.NoError(b, doc.Transact(func(tx *ycrdt.Tx) error { return tx.Text("text").Insert(cursor, "x") }))
		cursor++
	}
	return log
}

func wholeState(updates [][]byte) ([]byte, error) {
	doc := ycrdt.NewDoc()
	defer doc.Close()
	for _, update := range updates {
		if err := doc.ApplyUpdate(update); err != nil {
			return nil, err
		}
	}
	return doc.EncodeStateAsUpdate(nil)
}
