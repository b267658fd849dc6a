package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/yrs-go/yrs/ywebsocket/store"
)

// compactionLock keeps two programs from replacing rows of a room at once, together with
// the room's id: see pg_advisory_xact_lock with two keys.
const compactionLock = 0x79727343

// Compact implements [store.Archive]. No transaction is open while merge runs.
func (s *Store) Compact(ctx context.Context, room string, before time.Time, merge func(updates [][]byte) ([]byte, error)) error {
	_, id, err := s.find(ctx, room)
	if err != nil {
		return err
	}
	last := anyTime
	if !before.IsZero() {
		last = until(before.Add(-time.Microsecond))
	}
	b, err := s.beginning(ctx, room, id, last)
	if err != nil || len(b.ids) < 2 {
		return err
	}
	merged, err := merge(b.updates)
	if err != nil {
		return err
	}
	return transact(ctx, s.pool, func(tx pgx.Tx) error {
		if err := lockRoom(ctx, tx, id); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1::int, ($2::bigint % 2147483648)::int)`, compactionLock, id)
		if err != nil {
			return fmt.Errorf("postgres: compact: %w", explain(err))
		}
		return replace(ctx, tx, id, b, merged)
	})
}

// lockRoom keeps a room from being deleted before the transaction ends. It comes before
// any lock on the room's rows, as it does when the room is deleted: in another order,
// each could wait for the other.
func lockRoom(ctx context.Context, tx pgx.Tx, room int64) error {
	locked, err := tx.Exec(ctx, `SELECT 1 FROM rooms WHERE id = $1 FOR KEY SHARE`, room)
	if err != nil {
		return fmt.Errorf("postgres: lock the room: %w", explain(err))
	}
	if locked.RowsAffected() == 0 {
		return store.ErrChanged
	}
	return nil
}

// replace puts an update in the place of rows. They are named one by one: rows of
// smaller ids than theirs may become visible only now, when a transaction that began
// earlier ends. The update takes the first id, because it has to be loaded first.
func replace(ctx context.Context, tx pgx.Tx, room int64, b beginning, merged []byte) error {
	if merged == nil {
		merged = []byte{} // nil would be NULL
	}
	deleted, err := tx.Exec(ctx, `DELETE FROM updates WHERE id = ANY ($1)`, b.ids)
	if err != nil {
		return fmt.Errorf("postgres: compact: %w", explain(err))
	}
	if deleted.RowsAffected() != int64(len(b.ids)) {
		return store.ErrChanged
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO updates (id, room, data, checksum, stored, checkpoint) OVERRIDING SYSTEM VALUE
		VALUES ($1, $2, $3, $4, $5, true)`,
		b.ids[0], room, merged, checksum(merged), b.stored)
	if isForeignKeyViolation(err) {
		return store.ErrChanged
	}
	if err != nil {
		return fmt.Errorf("postgres: compact: %w", explain(err))
	}
	return nil
}
