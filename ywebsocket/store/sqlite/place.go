package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// place is where the files of a database were when it was opened. SQLite goes on writing
// to files that were removed, or moved away, and that nobody will find again.
type place struct {
	files []placed
}

type placed struct {
	path string
	info os.FileInfo
}

var errMoved = errors.New("the database was removed or replaced while it was in use; put it back, with the files beside it")

// placeOf notes where the files are: the database and its log.
func placeOf(path string) (*place, error) {
	p := &place{}
	for _, path := range []string{path, path + "-wal"} {
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		p.files = append(p.files, placed{path, info})
	}
	return p, nil
}

// check returns an error unless the files are where they were.
func (p *place) check() error {
	for _, file := range p.files {
		inPlace, err := file.isInPlace()
		if err != nil {
			return fmt.Errorf("sqlite: %w", err)
		}
		if !inPlace {
			return fmt.Errorf("sqlite: %w (%s)", errMoved, file.path)
		}
	}
	return nil
}

// isInPlace reports whether others find the file at its path.
func (p placed) isInPlace() (bool, error) {
	now, err := os.Stat(p.path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && os.SameFile(p.info, now), err
}
