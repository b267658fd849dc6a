package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/yrs-go/yrs/ywebsocket/store"
)

// SaveVersion implements [store.Archive].
func (s *Store) SaveVersion(ctx context.Context, room, name string, state []byte) error {
	if err := store.CheckName(name); err != nil {
		return err
	}
	if state == nil {
		state = []byte{} // nil would be NULL
	}
	return s.committer.submit(ctx, len(state), func() error {
		ctx, conn := context.Background(), s.committer.conn
		var id int64
		var taken bool
		err := conn.QueryRowContext(ctx, `
			SELECT id, EXISTS (SELECT 1 FROM versions WHERE room = rooms.id AND name = ?)
			FROM rooms WHERE name = ?`, name, room).Scan(&id, &taken)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return store.ErrNotFound
		case err == nil && taken:
			return store.ErrVersionExists
		case err == nil:
			_, err = conn.ExecContext(ctx, `INSERT INTO versions (room, name, created, checksum, data) VALUES (?, ?, ?, ?, ?)`,
				id, name, time.Now().UnixMicro(), checksum(state), state)
		}
		if err != nil {
			return fmt.Errorf("sqlite: save a version: %w", explain(err))
		}
		return nil
	})
}

// Versions implements [store.Archive].
func (s *Store) Versions(ctx context.Context, room string) ([]store.Version, error) {
	if s.committer.closed() {
		return nil, store.ErrClosed
	}
	rows, err := s.db.QueryContext(ctx, `
		SELECT versions.name, versions.created, length(versions.data) FROM versions JOIN rooms ON rooms.id = versions.room
		WHERE rooms.name = ? ORDER BY versions.id`, room)
	if err != nil {
		return nil, fmt.Errorf("sqlite: list versions: %w", explain(err))
	}
	defer rows.Close()
	var versions []store.Version
	for rows.Next() {
		var version store.Version
		var created int64
		if err := rows.Scan(&version.Name, &created, &version.Bytes); err != nil {
			return nil, fmt.Errorf("sqlite: list versions: %w", explain(err))
		}
		version.Created = moment(created)
		versions = append(versions, version)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("sqlite: list versions: %w", explain(err))
	}
	return versions, nil
}

// LoadVersion implements [store.Archive].
func (s *Store) LoadVersion(ctx context.Context, room, name string) (state []byte, err error) {
	if s.committer.closed() {
		return nil, store.ErrClosed
	}
	var sum int64
	err = s.db.QueryRowContext(ctx, `
		SELECT versions.data, versions.checksum FROM versions JOIN rooms ON rooms.id = versions.room
		WHERE rooms.name = ? AND versions.name = ?`, room, name).Scan(&state, &sum)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, store.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("sqlite: load a version: %w", explain(err))
	}
	if checksum(state) != sum {
		return nil, fmt.Errorf("sqlite: version %q of room %q is damaged: restore it from a backup of the database", name, room)
	}
	return state, nil
}

// DeleteVersion implements [store.Archive].
func (s *Store) DeleteVersion(ctx context.Context, room, name string) error {
	return s.committer.submit(ctx, 0, func() error {
		_, err := s.committer.conn.ExecContext(context.Background(),
			`DELETE FROM versions WHERE name = ? AND room = (SELECT id FROM rooms WHERE name = ?)`, name, room)
		if err != nil {
			return fmt.Errorf("sqlite: delete a version: %w", explain(err))
		}
		return nil
	})
}
