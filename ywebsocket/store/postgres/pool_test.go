package postgres_test

import (
	"context"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ywebsocket/store/postgres"
)

// However many rooms are read or compacted, and few connections there are, Append has
// one.
func TestStore_ReadsDoNotKeepAppendWaiting(t *testing.T) {
	for _, connections := range []string{"1", "2", "4"} {
		t.Run(connections, func(t *testing.T) {
			s, err := postgres.Open(t.Context(), database.URL()+"&pool_max_conns="+connections, postgres.Options{Schema: schemaOf(t.Name())})
			require.NoError(t, err)
			defer s.Close()
			require.NoError(t, s.Append(t.Context(), "room", []byte("a"), []byte("b")))

			started, release := make(chan struct{}, 16), make(chan struct{})
			var readers sync.WaitGroup
			hold := func() { started <- struct{}{}; <-release }
			for range 8 {
				readers.Go(func() {
					first := sync.OnceFunc(hold)
					assert.NoError(t, s.Load(t.Context(), "room", func([]byte) error { first(); return nil }))
				})
				readers.Go(func() {
					err := s.Compact(t.Context(), "room", time.Time{}, func([][]byte) ([]byte, error) { hold(); return nil, context.Canceled })
					assert.ErrorIs(t, err, context.Canceled)
				})
			}
			<-started
			appended := make(chan error, 3)
			for i := range cap(appended) {
				go func() { appended <- s.Append(t.Context(), "room "+strconv.Itoa(i), []byte("x")) }()
			}
			for range cap(appended) {
				select {
				case err := <-appended:
					assert.NoError(t, err)
				case <-time.After(10 * time.Second):
					assert.Fail(t, "Append waits for those who read")
				}
			}
			close(release)
			go func() {
				for range started {
				}
			}()
			readers.Wait()
			close(started)
		})
	}
}

// Whatever a role or a database says, a commit waits for the disk.
func TestStore_SynchronousCommit(t *testing.T) {
	for setting, want := range map[string]string{"off": "on", "local": "on", "on": "on", "remote_apply": "remote_apply"} {
		t.Run(setting, func(t *testing.T) {
			role := pgx.Identifier{"role " + setting}.Sanitize()
			query(t, t.Name(), `CREATE ROLE `+role+` SUPERUSER LOGIN`)
			query(t, t.Name(), `ALTER ROLE `+role+` SET synchronous_commit = `+setting)
			config, err := pgx.ParseConfig(database.URL())
			require.NoError(t, err)
			s, err := postgres.Open(t.Context(), "host="+config.Host+" dbname=postgres user='role "+setting+"'",
				postgres.Options{Schema: schemaOf(t.Name())})
			require.NoError(t, err)
			defer s.Close()
			query(t, t.Name(), `CREATE TABLE settings (name text);
				CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
					$$ BEGIN INSERT INTO settings SELECT current_setting('synchronous_commit'); RETURN NEW; END $$;
				CREATE TRIGGER note AFTER INSERT ON updates FOR EACH ROW EXECUTE FUNCTION note();
				CREATE TRIGGER note AFTER INSERT ON versions FOR EACH ROW EXECUTE FUNCTION note()`)
			require.NoError(t, s.Append(t.Context(), "room", []byte("a")))
			require.NoError(t, s.Append(t.Context(), "room", []byte("b")))
			require.NoError(t, s.SaveVersion(t.Context(), "room", "v", nil))
			require.NoError(t, s.Compact(t.Context(), "room", time.Time{}, concatenate))
			query(t, t.Name(), `DO $$ BEGIN
				ASSERT (SELECT count(*) FROM settings) = 4;
				ASSERT (SELECT count(*) FROM settings WHERE name <> '`+want+`') = 0;
			END $$`)
		})
	}
}
