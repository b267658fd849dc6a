package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	driver "modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"
)

// Open opens the database in the file at path, creating it if it does not
// exist, and brings its schema up to date. The directory must exist. Close the
// store when done: until then no other can be opened there, in whatever process. For
// that there is a file beside it meanwhile, with "-lock" behind its name.
//
// A database that a newer version of the program has written is refused with an
// error that matches [store.ErrSchemaVersion]; so is a file that is not a
// database, or not one of ours. The error text is one line and says what to do.
func Open(path string, options Options) (*Store, error) {
	s, err := open(path, options)
	if err != nil {
		return nil, fmt.Errorf("cannot open database %s: %w", path, explain(err))
	}
	return s, nil
}

func open(path string, options Options) (*Store, error) {
	if options.OnDamage == nil {
		options.OnDamage = logDamage
	}
	if path == "" {
		return nil, errors.New("the path is empty")
	}
	if path == ":memory:" || strings.HasPrefix(path, "file:") {
		return nil, errors.New("it is no path of a file; write that, or use store.NewMemory to keep nothing")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if err := createPrivate(path); err != nil {
		return nil, err
	}
	// SQLite has its files beside what a link leads to.
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	lock, err := newLock(path)
	if err != nil {
		return nil, err
	}
	s, err := openLocked(path, options)
	if err != nil {
		return nil, errors.Join(err, lock.release())
	}
	s.lock = lock
	return s, nil
}

func openLocked(path string, options Options) (*Store, error) {
	db, err := sql.Open("sqlite", dataSource(path))
	if err != nil {
		return nil, err
	}
	// One connection belongs to the committer, the others read.
	db.SetMaxOpenConns(1 + maxLoads)
	committer, err := prepare(db, path)
	if err != nil {
		_ = db.Close() // nothing was written that closing could lose
		return nil, err
	}
	return &Store{db: db, committer: committer, onDamage: options.OnDamage, giveUpDamaged: options.GiveUpDamaged}, nil
}

// maxLoads is how many rooms are read from the database at once.
const maxLoads = 4

// prepare brings the schema up to date and starts the committer.
func prepare(db *sql.DB, path string) (*committer, error) {
	ctx := context.Background()
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	err = migrate(ctx, conn)
	var where *place
	if err == nil {
		where, err = placeOf(path)
	}
	var c *committer
	if err == nil {
		c, err = startCommitter(ctx, conn, where)
	}
	if err != nil {
		_ = conn.Close()
	}
	return c, err
}

// createPrivate creates the file if it is missing: SQLite would make it readable
// for everybody.
func createPrivate(path string) error {
	info, err := os.Stat(path)
	if err == nil && info.IsDir() {
		return errors.New("it is a directory; name a file in it")
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil // whatever is wrong, SQLite will say
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("directory %s does not exist; create it or name another file", filepath.Dir(path))
	}
	if err != nil {
		return err
	}
	return f.Close()
}

// dataSource is the driver's name for the file, with the settings of every
// connection.
func dataSource(path string) string {
	query := url.Values{
		"mode":    {"rw"}, // a database that is gone is not made anew
		"_txlock": {"immediate"},
		"_pragma": {
			"busy_timeout(10000)",
			"journal_mode(WAL)",
			"synchronous(FULL)",
			"foreign_keys(ON)",
		},
	}
	source := url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: query.Encode()}
	return source.String()
}

// explain turns the errors that a user can do something about into advice.
func explain(err error) error {
	if errors.Is(err, errForeign) {
		return fmt.Errorf("%w; name another file", err)
	}
	var failure *driver.Error
	if !errors.As(err, &failure) {
		return err
	}
	const primary = 0xff // the low byte of an extended result code
	switch failure.Code() & primary {
	case codes.SQLITE_NOTADB:
		return fmt.Errorf("it is not a SQLite database; name another file (%w)", err)
	case codes.SQLITE_CORRUPT:
		return fmt.Errorf("it is damaged; restore a backup or run sqlite3's .recover (%w)", err)
	case codes.SQLITE_CANTOPEN, codes.SQLITE_PERM, codes.SQLITE_READONLY, codes.SQLITE_AUTH:
		return fmt.Errorf("it cannot be written; check the permissions of the file and its directory (%w)", err)
	case codes.SQLITE_BUSY, codes.SQLITE_LOCKED:
		return fmt.Errorf("another process keeps it locked; stop that one (%w)", err)
	case codes.SQLITE_FULL:
		return fmt.Errorf("the disk is full; make room (%w)", err)
	default:
		return err
	}
}
