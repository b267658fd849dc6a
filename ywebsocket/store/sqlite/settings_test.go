package sqlite

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The settings belong to a connection, not to the database.
func TestOpen_SettingsOfEveryConnection(t *testing.T) {
	s, err := Open(filepath.Join(t.TempDir(), "rooms.db"), Options{})
	require.NoError(t, err)
	defer s.Close()
	reader, err := s.db.Conn(t.Context())
	require.NoError(t, err)
	defer reader.Close()
	for pragma, want := range map[string]string{
		"journal_mode": "wal",
		"synchronous":  "2", // FULL
		"foreign_keys": "1",
		"busy_timeout": "10000",
	} {
		var got string
		require.NoError(t, s.committer.conn.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got))
		assert.Equal(t, want, got, pragma)
		require.NoError(t, reader.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got))
		assert.Equal(t, want, got, pragma)
	}
}
