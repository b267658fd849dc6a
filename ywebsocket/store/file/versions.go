package file

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/yrs-go/yrs/ywebsocket/store"
)

// A version is a file. Its name begins with a number, in the order in which they
// were saved, and ends with the hash of the version's name.
const versionFormat = "%016x-%s"

func (r *roomFiles) versionsPath() string { return filepath.Join(r.dir, versionsDir) }

// SaveVersion implements [store.Archive].
func (s *Store) SaveVersion(ctx context.Context, room, name string, state []byte) error {
	end, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	if err := store.CheckName(name); err != nil {
		return err
	}
	return s.change(ctx, room, func(r *roomFiles) error {
		if !r.known {
			return store.ErrNotFound
		}
		files, err := r.versionFiles()
		if err != nil {
			return err
		}
		if fileOf(files, name) != "" {
			return store.ErrVersionExists
		}
		number := uint64(0)
		if len(files) > 0 {
			if _, err := fmt.Sscanf(files[len(files)-1], "%x-", &number); err != nil {
				return err
			}
		}
		now := time.Now().UnixMicro()
		record, err := updatesRecord(now, state)
		if err != nil {
			return err
		}
		if err := makeDir(r.versionsPath()); err != nil {
			return err
		}
		file := fmt.Sprintf(versionFormat, number+1, hash(name))
		return writeFile(filepath.Join(r.versionsPath(), file), nameRecord(now, name, false), record)
	})
}

// versionFiles returns the names of the files of versions, in order.
func (r *roomFiles) versionFiles() ([]string, error) {
	entries, err := os.ReadDir(r.versionsPath()) // which sorts them
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var files []string
	for _, entry := range entries {
		if !strings.HasSuffix(entry.Name(), unfinished) {
			files = append(files, entry.Name())
		}
	}
	return files, err
}

// fileOf returns the file of a version, or nothing.
func fileOf(files []string, name string) string {
	for _, file := range files {
		if strings.HasSuffix(file, "-"+hash(name)) {
			return file
		}
	}
	return ""
}

// Versions implements [store.Archive]. A version whose name is damaged is left out.
func (s *Store) Versions(ctx context.Context, room string) (versions []store.Version, err error) {
	end, err := s.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	r := s.roomAt(room)
	files, err := r.versionFiles()
	if err != nil {
		return nil, describe(err)
	}
	for _, file := range files {
		v, err := readVersion(filepath.Join(r.versionsPath(), file), false)
		if errors.Is(err, fs.ErrNotExist) {
			continue // it was deleted meanwhile
		}
		if err != nil {
			return nil, describe(err)
		}
		if v.named {
			versions = append(versions, v.Version)
		}
	}
	return versions, ctx.Err()
}

// savedVersion is what is in the file of a version.
type savedVersion struct {
	store.Version
	state []byte
	// named and sound say which of the two records are there.
	named, sound bool
}

func readVersion(path string, withState bool) (v savedVersion, err error) {
	if v.Name, v.named, err = readName(path); err != nil {
		return v, err
	}
	f, err := os.Open(path)
	if err != nil {
		return v, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return v, err
	}
	_, err = walk(f, info.Size(), withState, func(record record) error {
		if record.updates == 0 {
			return nil
		}
		v.Created, v.Bytes, v.sound = time.UnixMicro(record.stored), record.bytes(), true
		return eachUpdate(record.contents, func(state []byte) error {
			v.state = append([]byte{}, state...)
			return nil
		})
	})
	return v, err
}

// LoadVersion implements [store.Archive].
func (s *Store) LoadVersion(ctx context.Context, room, name string) ([]byte, error) {
	end, err := s.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	if err := s.acquire(ctx, s.reads); err != nil {
		return nil, err
	}
	defer func() { <-s.reads }()
	r := s.roomAt(room)
	files, err := r.versionFiles()
	if err != nil {
		return nil, describe(err)
	}
	file := fileOf(files, name)
	if file == "" {
		return nil, store.ErrNotFound
	}
	v, err := readVersion(filepath.Join(r.versionsPath(), file), true)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, store.ErrNotFound
	case err != nil:
		return nil, describe(err)
	case !v.sound:
		return nil, fmt.Errorf("file: version %q is damaged; restore %s from a backup", name, file)
	default:
		return v.state, nil
	}
}

// DeleteVersion implements [store.Archive].
func (s *Store) DeleteVersion(ctx context.Context, room, name string) error {
	end, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	return s.changeAnyhow(ctx, room, func(r *roomFiles) error {
		files, err := r.versionFiles()
		if err != nil {
			return err
		}
		file := fileOf(files, name)
		if file == "" {
			return nil
		}
		if err := os.Remove(filepath.Join(r.versionsPath(), file)); err != nil {
			return err
		}
		return syncDir(r.versionsPath())
	})
}
