package sqlite_test

import (
	"database/sql"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ywebsocket/store/sqlite"
	"github.com/yrs-go/yrs/ywebsocket/store/storetest"
)

func TestStore_Damage(t *testing.T) {
	storetest.RunDamage(t, func(t *testing.T) *storetest.Breakable {
		path, reported := filepath.Join(t.TempDir(), "rooms.db"), map[string]int{}
		open := func(giveUp bool) *sqlite.Store {
			s, err := sqlite.Open(path, sqlite.Options{
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
		run := func(statement string, args ...any) {
			db, err := sql.Open("sqlite", path)
			require.NoError(t, err)
			defer db.Close()
			_, err = db.Exec(statement, args...)
			require.NoError(t, err)
		}
		// What is wrong is the checksum: that can be undone without knowing the data.
		flip := func(room string, nth int) {
			run(`UPDATE updates SET checksum = checksum + iif(checksum % 2, -1, 1) WHERE id = (
				SELECT updates.id FROM updates JOIN rooms ON rooms.id = room WHERE name = ?
				ORDER BY updates.id LIMIT 1 OFFSET ?)`, room, nth)
		}
		b.Damage, b.Repair = flip, flip
		b.Aside = func() (rows int) {
			db := raw(t, path)
			require.NoError(t, db.QueryRow(`SELECT count(*) FROM damaged`).Scan(&rows))
			return rows
		}
		b.WriteNothing = func() func() {
			for _, event := range []string{"INSERT", "DELETE"} {
				run(`CREATE TRIGGER refuse_` + event + ` BEFORE ` + event + ` ON updates
					BEGIN SELECT RAISE(ABORT, 'the database takes no writes'); END`)
			}
			return func() { run(`DROP TRIGGER refuse_INSERT; DROP TRIGGER refuse_DELETE`) }
		}
		return b
	})
}
