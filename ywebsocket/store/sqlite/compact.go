package sqlite

import (
	"context"
	"fmt"
	"time"

	"github.com/yrs-go/yrs/ywebsocket/store"
)

// Compact implements [store.Archive]. No transaction is open while merge runs.
func (s *Store) Compact(ctx context.Context, room string, before time.Time, merge func(updates [][]byte) ([]byte, error)) error {
	_, id, err := s.find(ctx, room)
	if err != nil {
		return err
	}
	until := int64(maxTime)
	if !before.IsZero() {
		until = before.UnixMicro() - 1
	}
	rows, old, err := s.load(ctx, room, id, until)
	if err != nil || len(rows) < 2 {
		return err
	}
	merged, err := merge(old)
	if err != nil {
		return err
	}
	return s.committer.submit(ctx, len(merged), func() error { return s.committer.replace(id, rows, merged) })
}

// replace puts an update in the place of rows, which are a beginning of the room's
// log. It gets the id of the last of them, so that who has read only some does not miss
// it. It runs in a transaction.
func (c *committer) replace(room int64, rows []int64, merged []byte) error {
	ctx := context.Background()
	first, last := rows[0], rows[len(rows)-1]
	var stored int64
	err := c.conn.QueryRowContext(ctx,
		`SELECT ifnull(max(stored), 0) FROM updates WHERE room = ? AND id BETWEEN ? AND ?`, room, first, last).Scan(&stored)
	if err != nil {
		return fmt.Errorf("sqlite: compact: %w", explain(err))
	}
	// Rows appear in the order of their ids, so none has come in between: if as many
	// are there as were read, they are the same.
	result, err := c.conn.ExecContext(ctx, `DELETE FROM updates WHERE room = ? AND id BETWEEN ? AND ?`, room, first, last)
	if err != nil {
		return fmt.Errorf("sqlite: compact: %w", explain(err))
	}
	if deleted, err := result.RowsAffected(); err != nil || deleted != int64(len(rows)) {
		return store.ErrChanged
	}
	if merged == nil {
		merged = []byte{} // nil would be NULL
	}
	_, err = c.conn.ExecContext(ctx, `INSERT INTO updates (id, room, data, stored, checksum, checkpoint) VALUES (?, ?, ?, ?, ?, 1)`,
		last, room, merged, stored, checksum(merged))
	if err != nil {
		return fmt.Errorf("sqlite: compact: %w", explain(err))
	}
	return nil
}
