package postgres_test

import (
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ywebsocket/store/postgres"
)

const writers = 64

// spread has writers call write b.N times, all in all.
func spread(b *testing.B, write func(writer int) error) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for writer := range writers {
		wg.Go(func() {
			for next.Add(1) <= int64(b.N) {
				if err := write(writer); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "updates/s")
}

// Durable updates of 64 rooms, committed in groups and each on its own: compare the
// two.
func BenchmarkAppend(b *testing.B) {
	update := make([]byte, 40)
	b.Run("group commit", func(b *testing.B) {
		s, err := postgres.Open(b.Context(), database.URL(), postgres.Options{Schema: schemaOf(b.Name())})
		require.NoError(b, err)
		defer s.Close()
		b.ResetTimer()
		spread(b, func(writer int) error { return s.Append(b.Context(), strconv.Itoa(writer), update) })
	})
	b.Run("an insert each", func(b *testing.B) {
		schema := schemaOf(b.Name())
		s, err := postgres.Open(b.Context(), database.URL(), postgres.Options{Schema: schema})
		require.NoError(b, err)
		defer s.Close()
		require.NoError(b, s.Append(b.Context(), "room"))
		config, err := pgxpool.ParseConfig(database.URL())
		require.NoError(b, err)
		config.MaxConns = writers
		config.ConnConfig.RuntimeParams["search_path"] = pgx.Identifier{schema}.Sanitize()
		pool, err := pgxpool.NewWithConfig(b.Context(), config)
		require.NoError(b, err)
		defer pool.Close()
		for writer := range writers {
			_, err := pool.Exec(b.Context(), `INSERT INTO rooms (name, hash) VALUES ($1, sha256(convert_to($1, 'UTF8'))) ON CONFLICT DO NOTHING`, strconv.Itoa(writer))
			require.NoError(b, err)
		}
		b.ResetTimer()
		spread(b, func(writer int) error {
			_, err := pool.Exec(b.Context(), `
				INSERT INTO updates (room, data, checksum)
				SELECT id, $2, 0 FROM rooms WHERE hash = sha256(convert_to($1, 'UTF8'))`, strconv.Itoa(writer), update)
			return err
		})
	})
}
