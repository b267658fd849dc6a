package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/yrs-go/yrs/ywebsocket/store"
	"github.com/yrs-go/yrs/ywebsocket/store/internal/feed"
)

// queryer is a pool, or a transaction.
type queryer interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}

// transact calls fn in a transaction.
func transact(ctx context.Context, pool *pgxpool.Pool, fn func(tx pgx.Tx) error) error {
	tx, err := pool.Begin(ctx)
	if err != nil {
		return fmt.Errorf("postgres: begin: %w", explain(err))
	}
	defer rollback(ctx, tx)
	if err := fn(tx); err != nil {
		return err
	}
	if err := tx.Commit(ctx); err != nil {
		return fmt.Errorf("postgres: commit: %w", explain(err))
	}
	return nil
}

// rollbackTimeout bounds the one answer that a rollback waits for.
const rollbackTimeout = 2 * time.Second

// rollback ends a transaction, also after ctx, unless it was committed. If there is no
// answer the connection is given up, and the database ends the transaction with it.
func rollback(ctx context.Context, tx pgx.Tx) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTimeout)
	defer cancel()
	_ = tx.Rollback(ctx)
}

// row is an update in the log; its data are valid until the next one is read.
type row struct {
	id     int64
	data   pgtype.DriverBytes
	stored time.Time
}

// anyTime is a bound for times that lets all pass.
var anyTime = pgtype.Timestamptz{InfinityModifier: pgtype.Infinity, Valid: true}

// until is the bound for what was stored at a time, which includes it.
func until(at time.Time) pgtype.Timestamptz { return pgtype.Timestamptz{Time: at, Valid: true} }

// Load implements [store.Store]. It reads in pages, and keeps no connection from others
// while each runs.
//
// A compaction replaces a beginning of the log. If the last row that was read is still
// there, none has replaced what comes behind it since then; otherwise Load begins anew.
// Some updates are given twice then, which the documents made of them do not mind.
func (s *Store) Load(ctx context.Context, room string, each func(update []byte) error) error {
	_, id, err := s.find(ctx, room)
	if err != nil {
		return err
	}
	p := position{until: math.MaxInt64}
	for p.more = true; p.more; {
		updates, err := s.readPage(ctx, room, id, &p)
		if err == nil {
			err = feed.All(ctx, slices.Values(updates), each)
		}
		if err != nil {
			return err
		}
	}
	return s.finish(ctx, room, id, p.seen)
}

const (
	// A page ends with the update that makes it that long, or with so many rows.
	pageBytes = 1 << 20
	pageRows  = 8192
)

// position is where in a log Load is.
type position struct {
	seen found
	// until is the id of the last row that was there after the first page: what is
	// appended later is left out.
	until int64
	more  bool
}

// readPage returns the updates behind a position, and moves that behind them. It returns
// none, and moves it to the beginning, if the log was changed up to there meanwhile.
func (s *Store) readPage(ctx context.Context, room string, id int64, p *position) ([][]byte, error) {
	before := p.seen
	rows, err := s.pool.Query(ctx, `
		SELECT id, data, checksum, stored, checkpoint, version FROM (
			SELECT *, sum(octet_length(data)) OVER (ORDER BY id) - octet_length(data) AS before FROM (
				SELECT *, xmin AS version FROM updates
				WHERE room = $1 AND id > $2 AND id <= $3 ORDER BY id LIMIT $4) AS next) AS page
		WHERE before < $5 ORDER BY id`, id, before.last.id, p.until, pageRows, pageBytes)
	if err != nil {
		return nil, s.loadError(err)
	}
	var updates [][]byte
	n, size, err := s.scan(rows, room, &p.seen, func(r row) { updates = append(updates, bytes.Clone(r.data)) })
	if err != nil {
		return nil, err
	}
	p.more = n == pageRows || size >= pageBytes
	if before.last != (rowVersion{}) {
		unchanged, err := s.isThere(ctx, before.last)
		if err == nil && !unchanged {
			updates, p.seen, p.more = nil, found{}, true
		}
		return updates, err
	}
	if p.more && p.until == math.MaxInt64 {
		err = s.pool.QueryRow(ctx, `SELECT coalesce(max(id), 0) FROM updates WHERE room = $1`, id).Scan(&p.until)
		if err != nil {
			return nil, s.loadError(err)
		}
	}
	return updates, nil
}

// rowVersion is what no other row has, nor one that was put in its place.
type rowVersion struct {
	id          int64
	transaction uint32 // that has made it
}

// isThere reports whether a row is what it was.
func (s *Store) isThere(ctx context.Context, v rowVersion) (there bool, err error) {
	err = s.pool.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM updates WHERE id = $1 AND xmin = $2)`,
		v.id, v.transaction).Scan(&there)
	if err != nil {
		return false, s.loadError(err)
	}
	return there, nil
}

// LoadAt implements [store.Archive]. What it reads is in memory at once.
func (s *Store) LoadAt(ctx context.Context, room string, at time.Time, each func(update []byte) error) error {
	created, id, err := s.find(ctx, room)
	if err != nil {
		return err
	}
	if at.Before(created) {
		return store.ErrNotFound
	}
	b, err := s.beginning(ctx, room, id, until(at))
	if err != nil {
		return err
	}
	if len(b.ids) == 0 {
		return store.ErrCompacted
	}
	return feed.All(ctx, slices.Values(b.updates), each)
}

// hashOf is by what a name is found. Its text is not compared: what has the same SHA-256
// is the same.
func hashOf(name string) string { return `sha256(convert_to(` + name + `, 'UTF8'))` }

// find returns when a room was created, and its id.
func (s *Store) find(ctx context.Context, room string) (created time.Time, id int64, err error) {
	if s.committer.closed() {
		return created, 0, store.ErrClosed
	}
	err = s.pool.QueryRow(ctx, `SELECT created, id FROM rooms WHERE hash = `+hashOf("$1"), room).Scan(&created, &id)
	if errors.Is(err, pgx.ErrNoRows) {
		return created, 0, store.ErrNotFound
	}
	if err != nil {
		return created, 0, fmt.Errorf("postgres: find the room: %w", explain(err))
	}
	return created, id, nil
}

// beginning is the first part of a log.
type beginning struct {
	ids     []int64
	updates [][]byte
	stored  time.Time // the last of them
}

// beginning returns the rows of a room that were stored until then. Damaged ones are set
// aside. It ends at the first row that was stored later, so that what it reads is a
// beginning of the log, whatever the clocks of those who wrote it.
func (s *Store) beginning(ctx context.Context, room string, id int64, until pgtype.Timestamptz) (b beginning, err error) {
	before, args := "", []any{id}
	if until != anyTime {
		before = `AND id < coalesce((
			SELECT id FROM updates WHERE room = $1 AND stored > $2 ORDER BY id LIMIT 1), $3)`
		args = append(args, until, int64(math.MaxInt64))
	}
	rows, err := s.pool.Query(ctx, `
		SELECT id, data, checksum, stored, checkpoint, xmin FROM updates
		WHERE room = $1 `+before+` ORDER BY id`, args...)
	if err != nil {
		return b, s.loadError(err)
	}
	var seen found
	_, _, err = s.scan(rows, room, &seen, func(r row) {
		b.ids, b.updates = append(b.ids, r.id), append(b.updates, bytes.Clone(r.data))
		if r.stored.After(b.stored) {
			b.stored = r.stored
		}
	})
	if err == nil {
		err = s.finish(ctx, room, id, seen)
	}
	return b, err
}

// found is what there is in a room's log.
type found struct {
	sound   int
	damaged []int64 // ids of rows
	last    rowVersion
}

// scan calls keep with the sound rows, and adds what it has found to seen. It returns how
// many rows there were, and their length, and closes them.
func (s *Store) scan(rows pgx.Rows, room string, seen *found, keep func(row)) (n, size int, err error) {
	defer rows.Close()
	var r row
	var sum int64
	var checkpoint bool
	for ; rows.Next(); n++ {
		if err := rows.Scan(&r.id, &r.data, &sum, &r.stored, &checkpoint, &seen.last.transaction); err != nil {
			return 0, 0, fmt.Errorf("postgres: load: %w", err)
		}
		seen.last.id = r.id
		size += len(r.data)
		if checksum(r.data) == sum {
			seen.sound++
			keep(r)
			continue
		}
		seen.damaged = append(seen.damaged, r.id)
		if checkpoint && !s.giveUpDamaged {
			return 0, 0, errDamaged(room, "the row that holds most of it", r.id)
		}
	}
	if err := rows.Err(); err != nil {
		return 0, 0, s.loadError(err)
	}
	return n, size, nil
}

// finish sets aside what is damaged of what was seen, and says why there was nothing.
func (s *Store) finish(ctx context.Context, room string, id int64, seen found) error {
	switch {
	case seen.sound == 0 && len(seen.damaged) == 0:
		return s.explainEmpty(ctx, room, id)
	case seen.sound == 0 && !s.giveUpDamaged:
		return errDamaged(room, "every row of it", seen.damaged...)
	case len(seen.damaged) > 0:
		s.report(room, seen, s.setAside(ctx, id, seen.damaged))
	}
	return nil
}

func (s *Store) loadError(err error) error {
	if s.committer.closed() {
		return store.ErrClosed // between two pages
	}
	return fmt.Errorf("postgres: load: %w", explain(err))
}
