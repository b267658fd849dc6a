package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/yrs-go/yrs/ywebsocket/store"
)

// statistics selects what [store.Info] holds of the rooms in chosen.
const statistics = `
	SELECT chosen.name, chosen.created, log.modified, log.updates, log.bytes
	FROM chosen, LATERAL (
		SELECT max(stored) AS modified, count(*) AS updates, sum(octet_length(data)) AS bytes
		FROM updates WHERE room = chosen.id) AS log
	WHERE log.updates > 0 ORDER BY chosen.name`

// page is how many rooms are listed at once.
const page = 500

// Stat implements [store.Archive].
func (s *Store) Stat(ctx context.Context, room string) (store.Info, error) {
	if s.committer.closed() {
		return store.Info{}, store.ErrClosed
	}
	rows, _ := s.pool.Query(ctx, `WITH chosen AS (SELECT * FROM rooms WHERE hash = `+hashOf("$1")+`)`+statistics, room)
	info, err := pgx.CollectExactlyOneRow(rows, scanInfo)
	if errors.Is(err, pgx.ErrNoRows) {
		return store.Info{}, store.ErrNotFound
	}
	if err != nil {
		return store.Info{}, fmt.Errorf("postgres: statistics of a room: %w", explain(err))
	}
	return info, nil
}

func scanInfo(row pgx.CollectableRow) (info store.Info, err error) {
	err = row.Scan(&info.Room, &info.Created, &info.Modified, &info.Updates, &info.Bytes)
	return info, err
}

// Rooms implements [store.Archive].
func (s *Store) Rooms(ctx context.Context, after string, each func(store.Info) error) error {
	for {
		names, err := s.namesAfter(ctx, after)
		if err != nil || len(names) == 0 {
			return err
		}
		rows, _ := s.pool.Query(ctx, `
			WITH chosen AS (SELECT * FROM rooms WHERE hash IN (SELECT `+hashOf("name")+` FROM unnest($1::text[]) AS name))`+
			statistics, names)
		infos, err := pgx.CollectRows(rows, scanInfo)
		if err != nil {
			return fmt.Errorf("postgres: list rooms: %w", explain(err))
		}
		for _, info := range infos {
			if err := each(info); err != nil {
				return err
			}
		}
		after = names[len(names)-1]
	}
}

func (s *Store) namesAfter(ctx context.Context, after string) ([]string, error) {
	if s.committer.closed() {
		return nil, store.ErrClosed
	}
	// By how they begin first, since that is what is indexed: the order is that of names.
	rows, _ := s.pool.Query(ctx, `
		SELECT name FROM rooms WHERE left(name, 256) >= left($1, 256) AND name > $1
		ORDER BY left(name, 256), name LIMIT $2`, after, page)
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("postgres: list rooms: %w", explain(err))
	}
	return names, nil
}

// Delete implements [store.Archive].
func (s *Store) Delete(ctx context.Context, room string) error {
	if s.committer.closed() {
		return store.ErrClosed
	}
	if _, err := s.pool.Exec(ctx, `DELETE FROM rooms WHERE hash = `+hashOf("$1"), room); err != nil {
		return fmt.Errorf("postgres: delete a room: %w", explain(err))
	}
	s.committer.forget(room)
	return nil
}
