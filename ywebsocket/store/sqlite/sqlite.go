// Package sqlite keeps the updates of rooms in a SQLite database.
//
// The driver is pure Go. The database runs in WAL mode with synchronous=FULL:
// what Append has confirmed survives the death of the process and a loss of
// power. One goroutine commits; whatever arrives while it waits for the disk
// goes into its next transaction, over all rooms, so that throughput grows with
// load instead of being one disk flush per update.
//
// One process serves a database at a time. Reading it with other tools while it
// is in use is fine.
package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/yrs-go/yrs/ywebsocket/store"
)

// Store is a [store.Store] in a SQLite database. Make one with [Open].
type Store struct {
	db        *sql.DB
	committer *committer
}

var _ store.Store = (*Store)(nil)

// Load implements [store.Store].
func (s *Store) Load(ctx context.Context, room string, each func(update []byte) error) error {
	if s.committer.closed() {
		return store.ErrClosed
	}
	rows, err := s.db.QueryContext(ctx, `
		SELECT updates.data FROM updates JOIN rooms ON rooms.id = updates.room
		WHERE rooms.name = ? ORDER BY updates.id`, room)
	if err != nil {
		return fmt.Errorf("sqlite: load: %w", err)
	}
	defer rows.Close()
	found := false
	for rows.Next() {
		found = true
		var update sql.RawBytes
		if err := rows.Scan(&update); err != nil {
			return fmt.Errorf("sqlite: load: %w", err)
		}
		if err := each(update); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("sqlite: load: %w", err)
	}
	if !found {
		return store.ErrNotFound
	}
	return nil
}

// Append implements [store.Store].
func (s *Store) Append(ctx context.Context, room string, updates ...[]byte) error {
	return s.committer.submit(ctx, room, updates)
}

// Ping implements [store.Store]: it commits an empty transaction.
func (s *Store) Ping(ctx context.Context) error {
	return s.committer.submit(ctx, "", nil)
}

// Close implements [store.Store].
func (s *Store) Close() error {
	s.committer.stop()
	if err := s.db.Close(); err != nil {
		return fmt.Errorf("sqlite: close: %w", err)
	}
	return nil
}
