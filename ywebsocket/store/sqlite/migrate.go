package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/yrs-go/yrs/ywebsocket/store"
)

// The name of a migration begins with the schema version it leads to: 0001,
// 0002 and so on without a hole. A migration that was released never changes.
//
//go:embed migrations/*.sql
var migrationFiles embed.FS

// applicationID marks the database as one of ours ("yrsG"), see PRAGMA
// application_id.
const applicationID = 0x79727347

var errForeign = errors.New("it is the database of another program")

// migrate brings the database to the newest schema that this program knows, in
// one transaction.
func migrate(ctx context.Context, conn *sql.Conn) error {
	migrations, err := readMigrations()
	if err != nil {
		return err
	}
	// A table that others refer to can be made anew only without them being enforced,
	// which cannot be changed within a transaction.
	if _, err := conn.ExecContext(ctx, "PRAGMA foreign_keys = OFF"); err != nil {
		return err
	}
	if err := migrateTo(ctx, conn, migrations); err != nil {
		return err
	}
	_, err = conn.ExecContext(ctx, "PRAGMA foreign_keys = ON")
	return err
}

func migrateTo(ctx context.Context, conn *sql.Conn, migrations []string) error {
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	version, err := schemaVersion(ctx, tx)
	if err != nil {
		return err
	}
	if version > len(migrations) {
		return fmt.Errorf("%w: it has version %d, this program knows %d; upgrade the program",
			store.ErrSchemaVersion, version, len(migrations))
	}
	for _, migration := range migrations[version:] {
		if _, err := tx.ExecContext(ctx, migration); err != nil {
			return err
		}
	}
	if version < len(migrations) {
		// PRAGMA takes no parameters.
		mark := fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d", applicationID, len(migrations))
		if _, err := tx.ExecContext(ctx, mark); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// schemaVersion returns 0 for an empty database and refuses what is not ours.
func schemaVersion(ctx context.Context, tx *sql.Tx) (int, error) {
	var application, version, objects int
	err := tx.QueryRowContext(ctx, `
		SELECT (SELECT application_id FROM pragma_application_id),
		       (SELECT user_version FROM pragma_user_version),
		       (SELECT count(*) FROM sqlite_schema)`).Scan(&application, &version, &objects)
	if err != nil {
		return 0, err
	}
	if objects == 0 && application == 0 && version == 0 {
		return 0, nil
	}
	if application != applicationID {
		return 0, errForeign
	}
	return version, nil
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
