package postgres_test

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ywebsocket/store/postgres"
	"github.com/yrs-go/yrs/ywebsocket/store/storetest"
)

func TestStore_Damage(t *testing.T) {
	storetest.RunDamage(t, func(t *testing.T) *storetest.Breakable {
		name, reported := t.Name(), map[string]int{}
		open := func(giveUp bool) *postgres.Store {
			s, err := postgres.Open(t.Context(), database.URL(), postgres.Options{
				Schema:        schemaOf(name),
				OnDamage:      func(room string, rows int) { reported[room] += rows },
				GiveUpDamaged: giveUp,
			})
			require.NoError(t, err)
			return s
		}
		s := open(false)
		b := &storetest.Breakable{Archive: s}
		b.Reported = func(room string) int { return reported[room] }
		b.Reopen = func(giveUp bool) {
			require.NoError(t, b.Close())
			b.Archive = open(giveUp)
		}
		// What is wrong is the checksum: that can be undone without knowing the data.
		flip := func(room string, nth int) {
			query(t, name, `UPDATE updates SET checksum = checksum # 1 WHERE id = (
				SELECT updates.id FROM updates JOIN rooms ON rooms.id = room WHERE name = $1
				ORDER BY updates.id LIMIT 1 OFFSET $2)`, room, nth)
		}
		b.Damage, b.Repair = flip, flip
		b.Aside = func() (rows int) {
			conn, err := pgx.Connect(t.Context(), database.URL())
			require.NoError(t, err)
			defer conn.Close(t.Context())
			table := pgx.Identifier{schemaOf(name), "damaged"}.Sanitize()
			require.NoError(t, conn.QueryRow(t.Context(), `SELECT count(*) FROM `+table).Scan(&rows))
			return rows
		}
		b.WriteNothing = func() func() {
			query(t, name, `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
				BEGIN RAISE read_only_sql_transaction; END $$;
				CREATE TRIGGER refuse BEFORE INSERT OR DELETE ON updates FOR EACH STATEMENT EXECUTE FUNCTION refuse()`)
			return func() { query(t, name, `DROP TRIGGER refuse ON updates`) }
		}
		return b
	})
}
