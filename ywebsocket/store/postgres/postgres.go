// Package postgres keeps the updates of rooms in a PostgreSQL database.
//
// What Append has confirmed is committed: with PostgreSQL's default settings
// (fsync and synchronous_commit on) it survives the death of either process and a
// loss of power. A few goroutines commit; whatever arrives while they wait goes into
// their next statement, over all rooms.
//
// Several programs may use one database. They do not hear of each other's updates:
// a room should be open in one of them at a time.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"log/slog"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
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
	// comes back when a client that has it connects. Nil logs an error.
	OnDamage func(room string, rows int)
}

// Store is a [store.Store] in a PostgreSQL database. Make one with [Open].
type Store struct {
	pool      *pgxpool.Pool
	committer *committer
	onDamage  func(room string, rows int)
}

var _ store.Store = (*Store)(nil)

// Load implements [store.Store].
func (s *Store) Load(ctx context.Context, room string, each func(update []byte) error) error {
	if s.committer.closed() {
		return store.ErrClosed
	}
	id, err := s.roomID(ctx, room)
	if err != nil {
		return err
	}
	damaged, err := s.loadRows(ctx, id, each)
	if err != nil || len(damaged) == 0 {
		return err
	}
	if err := s.setAside(ctx, damaged); err != nil {
		return err
	}
	s.onDamage(room, len(damaged))
	return nil
}

func (s *Store) roomID(ctx context.Context, room string) (id int64, err error) {
	err = s.pool.QueryRow(ctx, `SELECT id FROM rooms WHERE name = $1`, room).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, store.ErrNotFound
	}
	if err != nil {
		return 0, fmt.Errorf("postgres: load: %w", explain(err))
	}
	return id, nil
}

// loadRows calls each with the updates of a room, and returns the ids of the rows
// that are damaged.
func (s *Store) loadRows(ctx context.Context, room int64, each func(update []byte) error) (damaged []int64, err error) {
	rows, err := s.pool.Query(ctx, `SELECT id, data, checksum FROM updates WHERE room = $1 ORDER BY id`, room)
	if err != nil {
		return nil, fmt.Errorf("postgres: load: %w", explain(err))
	}
	defer rows.Close()
	for rows.Next() {
		var id, sum int64
		var update pgtype.DriverBytes // valid until the next row
		if err := rows.Scan(&id, &update, &sum); err != nil {
			return nil, fmt.Errorf("postgres: load: %w", err)
		}
		if checksum(update) != sum {
			damaged = append(damaged, id)
			continue
		}
		if err := each(update); err != nil {
			return nil, err
		}
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("postgres: load: %w", explain(err))
	}
	return damaged, nil
}

// setAside moves rows to where nobody loads them.
func (s *Store) setAside(ctx context.Context, ids []int64) error {
	_, err := s.pool.Exec(ctx, `
		WITH bad AS (DELETE FROM updates WHERE id = ANY ($1) RETURNING *)
		INSERT INTO damaged (id, room, data, checksum, stored) SELECT id, room, data, checksum, stored FROM bad`, ids)
	if err != nil {
		return fmt.Errorf("postgres: set damaged rows aside: %w", explain(err))
	}
	return nil
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(update []byte) int64 { return int64(crc32.Checksum(update, castagnoli)) }

// Append implements [store.Store].
func (s *Store) Append(ctx context.Context, room string, updates ...[]byte) error {
	return s.committer.submit(ctx, room, updates)
}

// Ping implements [store.Store]: it asks the database whether it takes writes.
func (s *Store) Ping(ctx context.Context) error {
	if s.committer.closed() {
		return store.ErrClosed
	}
	var readOnly bool
	err := s.pool.QueryRow(ctx, `SELECT current_setting('transaction_read_only')::bool`).Scan(&readOnly)
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
	s.pool.Close()
	return nil
}

func logDamage(room string, rows int) {
	slog.Error("rows of a room were damaged and are set aside in the table damaged: restore them from a backup",
		"room", room, "rows", rows)
}
