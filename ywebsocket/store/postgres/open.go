package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	defaultSchema  = "yserver"
	connectTimeout = 10 * time.Second
)

// Open connects to the database that url names ("postgres://user:password@host/database",
// or key=value pairs), and brings its schema up to date. PostgreSQL's environment
// variables (PGHOST, PGPASSWORD …) fill in what is missing. Close the store when done.
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
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	if err := migrate(ctx, pool, options.Schema); err != nil {
		pool.Close()
		return nil, err
	}
	return &Store{
		pool:          pool,
		committer:     startCommitter(pool),
		onDamage:      options.OnDamage,
		giveUpDamaged: options.GiveUpDamaged,
	}, nil
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
