package postgres

import (
	"context"
	"embed"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/yrs-go/yrs/ywebsocket/store"
)

// The name of a migration begins with the schema version it leads to: 0001, 0002 and so
// on without a hole. A migration that was released never changes.
//
//go:embed migrations/*.sql
var migrationFiles embed.FS

// migrationLock keeps two programs from migrating at once ("yrsG", see
// pg_advisory_xact_lock).
const migrationLock = 0x79727347

// migrate brings the schema to the newest version that this program knows, in one
// transaction.
func migrate(ctx context.Context, pool *pgxpool.Pool, schema string) error {
	migrations, err := readMigrations()
	if err != nil {
		return err
	}
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		version, err := schemaVersion(ctx, tx, schema)
		if err != nil {
			return err
		}
		if version > len(migrations) {
			return fmt.Errorf("%w: schema %s has version %d, this program knows %d; upgrade the program",
				store.ErrSchemaVersion, schema, version, len(migrations))
		}
		for _, migration := range migrations[version:] {
			if _, err := tx.Exec(ctx, migration); err != nil {
				return err
			}
		}
		if version == len(migrations) {
			return nil
		}
		_, err = tx.Exec(ctx, `UPDATE schema_version SET version = $1`, len(migrations))
		return err
	})
}

// schemaVersion returns 0 for a schema that is new, and creates it.
func schemaVersion(ctx context.Context, tx pgx.Tx, schema string) (version int, err error) {
	if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, int64(migrationLock)); err != nil {
		return 0, err
	}
	var exists bool
	err = tx.QueryRow(ctx, `SELECT to_regclass($1) IS NOT NULL`,
		pgx.Identifier{schema, "schema_version"}.Sanitize()).Scan(&exists)
	if err != nil {
		return 0, err
	}
	if !exists {
		_, err := tx.Exec(ctx, fmt.Sprintf(`
			CREATE SCHEMA IF NOT EXISTS %s;
			CREATE TABLE schema_version (version int NOT NULL);
			INSERT INTO schema_version VALUES (0)`, pgx.Identifier{schema}.Sanitize()))
		return 0, err
	}
	err = tx.QueryRow(ctx, `SELECT version FROM schema_version`).Scan(&version)
	return version, err
}

// readMigrations returns the migrations in order; the one at index i leads to
// version i+1.
func readMigrations() ([]string, error) {
	names, err := fs.Glob(migrationFiles, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	migrations := make([]string, len(names))
	for i, name := range names {
		text, err := migrationFiles.ReadFile(name)
		if err != nil {
			return nil, err
		}
		migrations[i] = string(text)
	}
	return migrations, nil
}
