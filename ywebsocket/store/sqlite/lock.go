package sqlite

import (
	"fmt"
	"os"
	"sync"
	"syscall"
)

// lock keeps others from opening a database, in whatever process: what one server
// writes, another one of the same rooms would not see. It is a file beside the database,
// since a program that closes a second handle of the database itself loses SQLite's own
// locks. It ends with the process.
type lock struct {
	file    *os.File
	release func() error
}

// newLock locks the database at a path, which must exist.
func newLock(path string) (*lock, error) {
	for {
		f, err := os.OpenFile(path+"-lock", os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			return nil, fmt.Errorf("it cannot be written; check the permissions of the file and its directory (%w)", err)
		}
		if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
			_ = f.Close() // nothing was written to it
			return nil, fmt.Errorf("it is in use, by another process or by this one; end that, or name another file: %w", err)
		}
		l := &lock{file: f}
		l.release = sync.OnceValue(l.remove)
		if l.isInPlace() {
			return l, nil
		}
		_ = f.Close() // who had it before has removed it
	}
}

// isInPlace reports whether the lock is where others look for it.
func (l *lock) isInPlace() bool {
	info, err := l.file.Stat()
	if err != nil {
		return false
	}
	inPlace, err := placed{l.file.Name(), info}.isInPlace()
	return err == nil && inPlace
}

// remove leaves nothing behind, if it can. The file goes before the lock, so that nobody
// locks what is removed then.
func (l *lock) remove() error {
	if l.isInPlace() {
		_ = os.Remove(l.file.Name()) // it does no harm
	}
	return l.file.Close()
}
