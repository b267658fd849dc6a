package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/yrs-go/yrs/ywebsocket/store"
)

// statistics selects what [store.Info] holds.
const statistics = `
	SELECT rooms.name, rooms.created, max(updates.stored), count(*), sum(length(updates.data))
	FROM rooms JOIN updates ON updates.room = rooms.id `

// page is how many rooms are listed at once.
const page = 500

// Stat implements [store.Archive].
func (s *Store) Stat(ctx context.Context, room string) (store.Info, error) {
	if s.committer.closed() {
		return store.Info{}, store.ErrClosed
	}
	info, err := scanInfo(s.db.QueryRowContext(ctx, statistics+`WHERE rooms.name = ? GROUP BY rooms.id`, room))
	if errors.Is(err, sql.ErrNoRows) {
		return store.Info{}, store.ErrNotFound
	}
	return info, err
}

// Rooms implements [store.Archive].
func (s *Store) Rooms(ctx context.Context, after string, each func(store.Info) error) error {
	for {
		infos, err := s.roomsAfter(ctx, after)
		if err != nil {
			return err
		}
		for _, info := range infos {
			if err := each(info); err != nil {
				return err
			}
			after = info.Room
		}
		if len(infos) < page {
			return nil
		}
	}
}

func (s *Store) roomsAfter(ctx context.Context, after string) ([]store.Info, error) {
	if s.committer.closed() {
		return nil, store.ErrClosed
	}
	rows, err := s.db.QueryContext(ctx, statistics+`WHERE rooms.name > ? GROUP BY rooms.name ORDER BY rooms.name LIMIT ?`, after, page)
	if err != nil {
		return nil, fmt.Errorf("sqlite: list rooms: %w", explain(err))
	}
	defer rows.Close()
	var infos []store.Info
	for rows.Next() {
		info, err := scanInfo(rows)
		if err != nil {
			return nil, err
		}
		infos = append(infos, info)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("sqlite: list rooms: %w", explain(err))
	}
	return infos, nil
}

func scanInfo(row interface{ Scan(...any) error }) (store.Info, error) {
	var info store.Info
	var created, modified int64
	if err := row.Scan(&info.Room, &created, &modified, &info.Updates, &info.Bytes); err != nil {
		return info, fmt.Errorf("sqlite: statistics of a room: %w", explain(err))
	}
	info.Created, info.Modified = moment(created), moment(modified)
	return info, nil
}

// moment is the time that the database says; zero if it does not.
func moment(microseconds int64) time.Time {
	if microseconds == 0 {
		return time.Time{}
	}
	return time.UnixMicro(microseconds)
}

// Delete implements [store.Archive].
func (s *Store) Delete(ctx context.Context, room string) error {
	return s.committer.submit(ctx, 0, func() error {
		for _, statement := range []string{
			`DELETE FROM updates WHERE room = (SELECT id FROM rooms WHERE name = ?)`,
			`DELETE FROM damaged WHERE room = (SELECT id FROM rooms WHERE name = ?)`,
			`DELETE FROM versions WHERE room = (SELECT id FROM rooms WHERE name = ?)`,
			`DELETE FROM rooms WHERE name = ?`,
		} {
			if _, err := s.committer.conn.ExecContext(context.Background(), statement, room); err != nil {
				return fmt.Errorf("sqlite: delete a room: %w", explain(err))
			}
		}
		return nil
	})
}
