package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/yrs-go/yrs/ywebsocket/store"
)

const (
	defaultSchema  = "yserver"
	connectTimeout = 10 * time.Second
)

// Open connects to the database that url names ("postgres://user:password@host/database",
// or key=value pairs), and brings its schema up to date. PostgreSQL's environment
// variables (PGHOST, PGPASSWORD …) fill in what is missing. Close the store when done.
//
// The url may bound the connections by pool_max_conns; the default is the number of
// processors, but at least four. Two of them are for Append alone: reading rooms
// never keeps it waiting. The others have what is left, at least one more; a room that
// is loaded or compacted has one only while it is read or written.
//
// A schema that a newer version of the program has written is refused with an error
// that matches [store.ErrSchemaVersion]. The error text is one line and says what to do.
func Open(ctx context.Context, url string, options Options) (*Store, error) {
	s, err := open(ctx, url, options)
	if err != nil {
		return nil, fmt.Errorf("cannot open the PostgreSQL database: %w", explain(err))
	}
	return s, nil
}

func open(ctx context.Context, url string, options Options) (*Store, error) {
	if options.Schema == "" {
		options.Schema = defaultSchema
	}
	if options.OnDamage == nil {
		options.OnDamage = logDamage
	}
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	config.ConnConfig.RuntimeParams["search_path"] = pgx.Identifier{options.Schema}.Sanitize()
	config.ConnConfig.ConnectTimeout = connectTimeout
	config.AfterConnect = commitDurably
	commits, err := pgxpool.NewWithConfig(ctx, commitConfig(config))
	if err != nil {
		return nil, err
	}
	if err := prepare(ctx, commits, options.Schema); err != nil {
		commits.Close()
		return nil, err
	}
	// What is left of the connections is for everything else.
	config.MaxConns = max(1, config.MaxConns-committers)
	config.MinConns = min(config.MinConns, config.MaxConns)
	config.MinIdleConns = min(config.MinIdleConns, config.MaxConns)
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		commits.Close()
		return nil, err
	}
	return &Store{
		pool:          pool,
		commits:       commits,
		committer:     startCommitter(commits),
		onDamage:      options.OnDamage,
		giveUpDamaged: options.GiveUpDamaged,
	}, nil
}

// commitConfig is that of the pool from which the committers, and nobody else, take
// connections.
func commitConfig(config *pgxpool.Config) *pgxpool.Config {
	config = config.Copy()
	config.MaxConns, config.MinConns, config.MinIdleConns = committers, 0, 0
	return config
}

// prepare makes the database ready, and warns of what the store cannot change.
func prepare(ctx context.Context, pool *pgxpool.Pool, schema string) error {
	if err := migrate(ctx, pool, schema); err != nil {
		return err
	}
	var fsync bool
	if err := pool.QueryRow(ctx, `SELECT current_setting('fsync')::bool`).Scan(&fsync); err != nil {
		return err
	}
	if !fsync {
		slog.Warn("PostgreSQL runs with fsync=off: what was confirmed may be lost with the power of its machine; " +
			"set it to on in postgresql.conf")
	}
	return nil
}

// commitDurably has a commit wait until it is on the disk, whatever the settings of the
// role and the database, unless they ask for more than that.
func commitDurably(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, `
		SELECT set_config('synchronous_commit', 'on', false)
		WHERE current_setting('synchronous_commit') <> 'remote_apply'`)
	return err
}

// errReadOnly is what a database says that takes no writes.
var errReadOnly = errors.New("the database takes no writes: connect to the primary server, " +
	"or end the read-only mode of this one (default_transaction_read_only)")

// explain turns the errors that a user can do something about into advice.
func explain(err error) error {
	var unreachable *pgconn.ConnectError
	var failure *pgconn.PgError
	if errors.As(err, &failure) {
		return explainCode(failure, err)
	}
	if errors.As(err, &unreachable) {
		return fmt.Errorf("the server cannot be reached; check that it runs, and its address (%w)", err)
	}
	return err
}

func explainCode(failure *pgconn.PgError, err error) error {
	switch failure.Code {
	case "22021":
		return fmt.Errorf("%w (%w)", store.ErrName, err)
	case "28P01", "28000":
		return fmt.Errorf("the server refuses the user; check user, password and pg_hba.conf (%w)", err)
	case "3D000":
		return fmt.Errorf("there is no such database; create it (%w)", err)
	case "42501":
		return fmt.Errorf("the user lacks a privilege; grant CREATE on the database and all on the schema (%w)", err)
	case "25006":
		return fmt.Errorf("%w (%w)", errReadOnly, err)
	case "53100":
		return fmt.Errorf("the disk of the database is full; make room (%w)", err)
	case "53300":
		return fmt.Errorf("the database has no connections left; raise max_connections or lower pool_max_conns (%w)", err)
	case "57P03", "57P01", "57P02":
		return fmt.Errorf("the server is starting or stopping; it will be tried again (%w)", err)
	default:
		return err
	}
}
