// Package postgres keeps the updates of rooms in a PostgreSQL database.
//
// What Append has confirmed is committed, and survives the death of either process and a
// loss of power. The store sets synchronous_commit to on for that, unless it is
// remote_apply, which is more; with fsync=off, which it cannot change, it warns when it is
// opened. A few goroutines commit; whatever arrives while they wait goes into
// their next statement, over all rooms.
//
// Several programs may use one database. They do not hear of each other's updates:
// a room should be open in one of them at a time.
package postgres

import (
	"context"
	"fmt"
	"hash/crc32"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/yrs-go/yrs/ywebsocket/store"
)

// Options says how a store is opened. The zero value is fine.
type Options struct {
	// Schema is where the tables are; it is created if it is missing. Default
	// "yserver".
	Schema string
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

// Store is a [store.Archive] in a PostgreSQL database. Make one with [Open].
type Store struct {
	// pool is for everything but commits, which have their own.
	pool      *pgxpool.Pool
	commits   *pgxpool.Pool
	committer *committer
	onDamage  func(room string, rows int)
	// giveUpDamaged is that of [Options].
	giveUpDamaged bool
}

var _ store.Archive = (*Store)(nil)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(update []byte) int64 { return int64(crc32.Checksum(update, castagnoli)) }

// Append implements [store.Store].
func (s *Store) Append(ctx context.Context, room string, updates ...[]byte) error {
	if err := store.CheckName(room); err != nil {
		return err
	}
	return s.committer.submit(ctx, room, updates)
}

// Ping implements [store.Store]: it asks the database whether it takes writes.
func (s *Store) Ping(ctx context.Context) error {
	if s.committer.closed() {
		return store.ErrClosed
	}
	var readOnly bool
	err := s.commits.QueryRow(ctx, `SELECT current_setting('transaction_read_only')::bool`).Scan(&readOnly)
	if err != nil {
		return fmt.Errorf("postgres: ping: %w", explain(err))
	}
	if readOnly {
		return errReadOnly
	}
	return nil
}

// Close implements [store.Store].
func (s *Store) Close() error {
	s.committer.stop()
	s.commits.Close()
	s.pool.Close()
	return nil
}
