package postgres_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ywebsocket/store"
)

// The clock of a database can be set back, and that of another program's transaction may
// have begun earlier: a row's time is not before that of the one in front of it.
func TestStore_TimesNeverDecrease(t *testing.T) {
	s := open(t, t.Name())
	defer s.Close()
	require.NoError(t, s.Append(t.Context(), "room", []byte("a")))
	query(t, t.Name(), `UPDATE updates SET stored = now() + interval '1 hour'`)
	require.NoError(t, s.Append(t.Context(), "room", []byte("b")))
	require.NoError(t, s.Append(t.Context(), "other", []byte("c")))
	query(t, t.Name(), `DO $$ BEGIN
		ASSERT (SELECT count(DISTINCT stored) FROM updates WHERE data IN ('a', 'b')) = 1;
		ASSERT (SELECT stored FROM updates WHERE data = 'c') <= now();
	END $$`)
}

// Whatever the times are: what is read of a moment, or compacted, is a beginning of the
// log.
func TestStore_NoHolesInThePast(t *testing.T) {
	s := open(t, t.Name())
	defer s.Close()
	require.NoError(t, s.Append(t.Context(), "room", []byte("a"), []byte("b"), []byte("c")))
	later := time.Now().Add(time.Hour)
	query(t, t.Name(), `UPDATE updates SET stored = $1 WHERE data = 'b'`, later)
	read := func(at time.Time) (updates []string) {
		require.NoError(t, s.LoadAt(t.Context(), "room", at, func(update []byte) error {
			updates = append(updates, string(update))
			return nil
		}))
		return updates
	}
	assert.Equal(t, []string{"a"}, read(time.Now().Add(time.Minute)), "not c, which builds on b")
	assert.Equal(t, []string{"a", "b", "c"}, read(later.Add(time.Second)))
	require.NoError(t, s.Compact(t.Context(), "room", time.Now().Add(time.Minute), concatenate))
	assert.Equal(t, []string{"a", "b", "c"}, load(t, s, "room"), "one update is nothing to merge")
}

// A room begins with its first update: there is no moment at which it is there without.
func TestStore_CreatedWithItsFirstUpdate(t *testing.T) {
	s := open(t, t.Name())
	defer s.Close()
	require.NoError(t, s.Append(t.Context(), "room", []byte("a")))
	info, err := s.Stat(t.Context(), "room")
	require.NoError(t, err)
	assert.Equal(t, info.Created, info.Modified)
	assert.ErrorIs(t, s.LoadAt(t.Context(), "room", info.Created.Add(-time.Microsecond), nil), store.ErrNotFound)

	// A first Append that fails leaves no room without updates.
	query(t, t.Name(), `ALTER TABLE updates ADD CONSTRAINT refuse CHECK (data <> 'bad')`)
	require.Error(t, s.Append(t.Context(), "refused", []byte("bad")))
	conn, err := pgx.Connect(t.Context(), database.URL())
	require.NoError(t, err)
	defer conn.Close(t.Context())
	var rooms int
	table := pgx.Identifier{schemaOf(t.Name()), "rooms"}.Sanitize()
	require.NoError(t, conn.QueryRow(t.Context(), `SELECT count(*) FROM `+table).Scan(&rooms))
	assert.Equal(t, 1, rooms)
}
