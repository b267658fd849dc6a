package file

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/yrs-go/yrs/ywebsocket/store"
)

const (
	formatFile = "format"
	format     = "ywebsocket file store "
	version    = "2"
	// versionUnmarked is that of logs in which no checkpoint is marked. They are read, and
	// go on, as those of this version.
	versionUnmarked = "1"

	lockFile    = "lock"
	roomsDir    = "rooms"
	deletedDir  = "deleted"
	logFile     = "log"
	versionsDir = "versions"
	damagedFile = "damaged"
	// unfinished is the end of the name of a file that is being written, and takes its
	// place when it is on the disk.
	unfinished = ".new"
)

// prepare makes a directory ready for a store, and locks it.
func prepare(dir string) (lock *os.File, err error) {
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	if err := checkFormat(dir); err != nil {
		return nil, err
	}
	lock, err = os.OpenFile(filepath.Join(dir, lockFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = lock.Close() // nothing was written to it
		}
	}()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, fmt.Errorf("it is in use by another process; end that, or name another directory: %w", err)
	}
	if err := os.RemoveAll(filepath.Join(dir, deletedDir)); err != nil {
		return nil, err
	}
	for _, name := range []string{roomsDir, deletedDir} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
	}
	if err := writeFile(filepath.Join(dir, formatFile), []byte(format+version+"\n")); err != nil {
		return nil, err
	}
	return lock, syncDir(filepath.Dir(dir))
}

// checkFormat refuses a directory that holds something else than a store of this
// version, or nothing.
func checkFormat(dir string) error {
	found, err := os.ReadFile(filepath.Join(dir, formatFile))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		entries, err := os.ReadDir(dir)
		if err != nil {
			return err
		}
		for _, entry := range entries {
			switch entry.Name() {
			case lockFile, roomsDir, deletedDir, formatFile + unfinished: // of a store whose making was cut short
			default:
				return fmt.Errorf("it holds other files, such as %s; name a directory of its own", entry.Name())
			}
		}
		return nil
	case err != nil:
		return err
	}
	number, ours := strings.CutPrefix(strings.TrimSuffix(string(found), "\n"), format)
	switch {
	case !ours:
		return errors.New("it belongs to another program; name another directory")
	case number != version && number != versionUnmarked:
		return fmt.Errorf("%w: it is of version %s, and this program knows version %s; upgrade the program",
			store.ErrSchemaVersion, number, version)
	default:
		return nil
	}
}

// writeFile puts a file in the place of another one of that name, or of none, and
// returns when it is on the disk: afterwards there is the old one or the new.
func writeFile(path string, content ...[]byte) error {
	f, err := os.OpenFile(path+unfinished, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	for _, part := range content {
		if _, err = f.Write(part); err != nil {
			break
		}
	}
	return finish(f, path, err)
}

// finish ends writing what is to become the file at path, unless that failed.
func finish(f *os.File, path string, err error) error {
	if err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		_ = os.Remove(f.Name()) // it may be the disk that is full
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// syncDir returns when the names in a directory are on the disk.
func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// makeDir makes a directory, unless it exists, and returns when it is on the disk: one
// that exists may have been made by a call that did not get as far as that.
func makeDir(dir string) error {
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(filepath.Dir(dir))
}

// roomDir is where a room is. Any name makes a name of a file, of the same length,
// that cannot be mistaken for another.
func (s *Store) roomDir(room string) string {
	hash := hash(room)
	return filepath.Join(s.dir, roomsDir, hash[:2], hash)
}

func hash(name string) string {
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:])
}
