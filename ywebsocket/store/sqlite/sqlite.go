// Package sqlite keeps the updates of rooms in a SQLite database.
//
// The driver is pure Go. The database runs in WAL mode with synchronous=FULL:
// what Append has confirmed survives the death of the process and a loss of
// power. One goroutine commits; whatever arrives while it waits for the disk
// goes into its next transaction, over all rooms, so that throughput grows with
// load instead of being one disk flush per update.
//
// One process serves a database at a time: it cannot be opened twice. Reading it with
// other tools while it is in use is fine.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/yrs-go/yrs/ywebsocket/store"
)

// Options says how a store is opened. The zero value is fine.
type Options struct {
	// OnDamage is called when rows of a room do not fit their checksums. They are set
	// aside, in the table damaged, and the rest of the room is loaded: what they held
	// comes back when a client that has it connects. While the database takes no writes
	// they stay where they are, and are reported whenever the room is loaded. Nil logs
	// an error.
	OnDamage func(room string, rows int)
	// GiveUpDamaged has rooms opened, too, that are refused with [store.ErrDamaged]
	// otherwise: what is damaged is set aside as above, and what is left of the room is
	// loaded, which may be nothing. It is for one run, of an operator who has no backup.
	GiveUpDamaged bool
}

// Store is a [store.Archive] in a SQLite database. Make one with [Open].
type Store struct {
	db        *sql.DB
	lock      *lock
	committer *committer
	onDamage  func(room string, rows int)
	// giveUpDamaged is that of [Options].
	giveUpDamaged bool
}

var _ store.Archive = (*Store)(nil)

// Append implements [store.Store].
func (s *Store) Append(ctx context.Context, room string, updates ...[]byte) error {
	if err := store.CheckName(room); err != nil {
		return err
	}
	size := 0
	for _, update := range updates {
		size += len(update)
	}
	return s.committer.submit(ctx, size, func() error { return s.committer.append(room, updates) })
}

// Ping implements [store.Store]: it commits an empty transaction.
func (s *Store) Ping(ctx context.Context) error { return s.committer.submit(ctx, 0, nil) }

// Close implements [store.Store].
func (s *Store) Close() error {
	s.committer.stop()
	if err := errors.Join(s.db.Close(), s.lock.release()); err != nil {
		return fmt.Errorf("sqlite: close: %w", err)
	}
	return nil
}
