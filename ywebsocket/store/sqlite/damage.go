package sqlite

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/yrs-go/yrs/ywebsocket/store"
)

// errDamaged is about a room that is not opened without these rows.
func errDamaged(room, what string, ids ...int64) error {
	return fmt.Errorf("sqlite: %w: %s does not fit its checksum (room %q, table updates, id %v): "+
		"restore that from a backup, or open the store with GiveUpDamaged once to go on with what is left",
		store.ErrDamaged, what, room, ids)
}

// explainEmpty says why there is nothing in the log of a room: nil if there is
// something, which was stored later than what was asked for.
func (s *Store) explainEmpty(ctx context.Context, room string, id int64) error {
	var later, damaged bool
	err := s.db.QueryRowContext(ctx, `
		SELECT EXISTS (SELECT 1 FROM updates WHERE room = ?1), EXISTS (SELECT 1 FROM damaged WHERE room = ?1)`,
		id).Scan(&later, &damaged)
	switch {
	case err != nil:
		return fmt.Errorf("sqlite: load: %w", explain(err))
	case later, damaged && s.giveUpDamaged:
		return nil
	case damaged:
		return fmt.Errorf("sqlite: %w: all its rows were set aside (room %q): move them from the table damaged "+
			"to updates with what a backup has for them, or open the store with GiveUpDamaged once to begin anew",
			store.ErrDamaged, room)
	default:
		return store.ErrNotFound
	}
}

// report tells the operator of damaged rows, and that they could not be set aside. That
// keeps nobody from what is sound.
func (s *Store) report(room string, seen found, notSetAside error) {
	if notSetAside != nil {
		slog.Warn("damaged rows stay in the table updates", "room", room, "error", notSetAside)
	}
	s.onDamage(room, len(seen.damaged))
}

func logDamage(room string, rows int) {
	slog.Error("rows of a room are damaged, and left out; the table damaged has them: restore them from a backup",
		"room", room, "rows", rows)
}

// setAside moves rows to where nobody loads them.
func (s *Store) setAside(ctx context.Context, rows []int64) error {
	return s.committer.submit(ctx, 0, func() error { return s.committer.setAside(rows) })
}

// setAside runs in a transaction.
func (c *committer) setAside(rows []int64) error {
	ctx, now := context.Background(), time.Now().UnixMicro()
	for _, row := range rows {
		_, err := c.conn.ExecContext(ctx, `
			INSERT INTO damaged (id, room, data, stored, checksum, checkpoint, found)
			SELECT id, room, data, stored, checksum, checkpoint, ? FROM updates WHERE id = ?`, now, row)
		if err == nil {
			_, err = c.conn.ExecContext(ctx, `DELETE FROM updates WHERE id = ?`, row)
		}
		if err != nil {
			return fmt.Errorf("sqlite: set a damaged row aside: %w", explain(err))
		}
	}
	return nil
}
