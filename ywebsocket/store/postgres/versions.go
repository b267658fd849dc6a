package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/yrs-go/yrs/ywebsocket/store"
)

// SaveVersion implements [store.Archive].
func (s *Store) SaveVersion(ctx context.Context, room, name string, state []byte) error {
	if err := store.CheckName(name); err != nil {
		return err
	}
	_, id, err := s.find(ctx, room)
	if err != nil {
		return err
	}
	if state == nil {
		state = []byte{} // nil would be NULL
	}
	_, err = s.pool.Exec(ctx, `INSERT INTO versions (room, name, hash, checksum, data) VALUES ($1, $2, `+hashOf("$2")+`, $3, $4)`,
		id, name, checksum(state), state)
	switch {
	case isUniqueViolation(err):
		return store.ErrVersionExists
	case isForeignKeyViolation(err):
		return store.ErrNotFound
	case err != nil:
		return fmt.Errorf("postgres: save a version: %w", explain(err))
	}
	return nil
}

func isUniqueViolation(err error) bool {
	var failure *pgconn.PgError
	return errors.As(err, &failure) && failure.Code == "23505"
}

// Versions implements [store.Archive].
func (s *Store) Versions(ctx context.Context, room string) ([]store.Version, error) {
	if s.committer.closed() {
		return nil, store.ErrClosed
	}
	rows, _ := s.pool.Query(ctx, `
		SELECT versions.name, versions.created, octet_length(versions.data)
		FROM versions JOIN rooms ON rooms.id = versions.room
		WHERE rooms.hash = `+hashOf("$1")+` ORDER BY versions.id`, room)
	versions, err := pgx.CollectRows(rows, pgx.RowToStructByPos[store.Version])
	if err != nil {
		return nil, fmt.Errorf("postgres: list versions: %w", explain(err))
	}
	return versions, nil
}

// LoadVersion implements [store.Archive].
func (s *Store) LoadVersion(ctx context.Context, room, name string) (state []byte, err error) {
	if s.committer.closed() {
		return nil, store.ErrClosed
	}
	var sum int64
	err = s.pool.QueryRow(ctx, `
		SELECT versions.data, versions.checksum FROM versions JOIN rooms ON rooms.id = versions.room
		WHERE rooms.hash = `+hashOf("$1")+` AND versions.hash = `+hashOf("$2"), room, name).Scan(&state, &sum)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, store.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("postgres: load a version: %w", explain(err))
	}
	if checksum(state) != sum {
		return nil, fmt.Errorf("postgres: version %q of room %q is damaged: restore it from a backup of the database", name, room)
	}
	return state, nil
}

// DeleteVersion implements [store.Archive].
func (s *Store) DeleteVersion(ctx context.Context, room, name string) error {
	if s.committer.closed() {
		return store.ErrClosed
	}
	_, err := s.pool.Exec(ctx, `
		DELETE FROM versions USING rooms
		WHERE rooms.id = versions.room AND rooms.hash = `+hashOf("$1")+` AND versions.hash = `+hashOf("$2"), room, name)
	if err != nil {
		return fmt.Errorf("postgres: delete a version: %w", explain(err))
	}
	return nil
}
