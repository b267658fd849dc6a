package file

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/yrs-go/yrs/ywebsocket/store"
)

// Stat implements [store.Archive]. It reads the headers of the room's records.
func (s *Store) Stat(ctx context.Context, room string) (store.Info, error) {
	end, err := s.begin(ctx)
	if err != nil {
		return store.Info{}, err
	}
	defer end()
	f, length, err := s.openLog(ctx, s.roomAt(room))
	if err != nil {
		return store.Info{}, err
	}
	defer f.Close()
	info := store.Info{Room: room}
	_, err = walk(&boundedReader{ctx, s, f}, length, false, func(record record) error {
		stored := time.UnixMicro(record.stored)
		if info.Created.IsZero() {
			info.Created = stored
		}
		if info.Modified = stored; record.updates > 0 {
			info.Updates += record.updates
			info.Bytes += record.bytes()
		}
		return ctx.Err()
	})
	return info, describe(err)
}

// roomAt is a room of which nothing is known but where it is.
func (s *Store) roomAt(name string) *roomFiles { return &roomFiles{name: name, dir: s.roomDir(name)} }

// Rooms implements [store.Archive].
func (s *Store) Rooms(ctx context.Context, after string, each func(store.Info) error) error {
	names, err := s.names(ctx)
	if err != nil {
		return describe(err)
	}
	for _, name := range names {
		if name <= after {
			continue
		}
		info, err := s.Stat(ctx, name)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		if err := each(info); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// names returns the names of all rooms, sorted. A room whose name is damaged is left
// out, until it is used and mended.
func (s *Store) names(ctx context.Context) ([]string, error) {
	end, err := s.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	var names []string
	root := filepath.Join(s.dir, roomsDir)
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // it was deleted meanwhile
		}
		if err != nil {
			return err
		}
		if entry.Name() == versionsDir {
			return fs.SkipDir
		}
		if entry.Name() == logFile {
			name, sound, err := readName(path)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			if err == nil && sound {
				names = append(names, name)
			}
		}
		return ctx.Err()
	})
	slices.Sort(names)
	return names, err
}

// readName returns the name at the beginning of a file, unless it is damaged.
func readName(path string) (name string, sound bool, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", false, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", false, err
	}
	_, err = walk(f, info.Size(), true, func(record record) error {
		if record.start == 0 && record.updates == 0 {
			name, sound = string(record.contents), true
		}
		return errLater
	})
	if errors.Is(err, errLater) {
		err = nil
	}
	return name, sound, err
}

// Delete implements [store.Archive].
func (s *Store) Delete(ctx context.Context, room string) error {
	end, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	var bin string
	err = s.changeAnyhow(ctx, room, func(r *roomFiles) error {
		r.known = false
		r.changes++
		bin = filepath.Join(s.dir, deletedDir, filepath.Base(r.dir)+"-"+strconv.FormatInt(time.Now().UnixNano(), 36))
		err := os.Rename(r.dir, bin)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		return syncDir(filepath.Dir(r.dir))
	})
	if err != nil {
		return err
	}
	return describe(os.RemoveAll(bin))
}
