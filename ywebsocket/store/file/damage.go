package file

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/yrs-go/yrs/ywebsocket/store"
)

// errDamaged is about a room that is not opened without what is damaged.
func (s *Store) errDamaged(name string) error {
	return fmt.Errorf("file: %w: what holds most of it does not fit its checksum (room %q): restore %s from a backup, "+
		"or open the store with GiveUpDamaged once to go on with what is left",
		store.ErrDamaged, name, filepath.Join(s.roomDir(name), logFile))
}

// errSetAside is about a log with nothing in it but the name.
func (s *Store) errSetAside(name string) error {
	return fmt.Errorf("file: %w: all of it was set aside or cut off (room %q): restore %s from a backup, "+
		"or open the store with GiveUpDamaged once to begin anew",
		store.ErrDamaged, name, filepath.Join(s.roomDir(name), logFile))
}

// mend sets aside what is damaged in the log of a room: that many parts, or what there
// is by then. Where that cannot be done, nobody is kept from what is sound.
func (s *Store) mend(ctx context.Context, name string, parts int) {
	err := s.setAside(ctx, name)
	if err != nil {
		slog.Warn("damaged parts stay in the log of a room", "room", name, "error", err)
		s.onDamage(name, parts)
	}
}

// setAside looks at the log of a room again, and so mends it.
func (s *Store) setAside(ctx context.Context, name string) error {
	r := s.use(name)
	defer s.unuse(r)
	if err := r.take(ctx); err != nil {
		return err
	}
	r.known = false
	r.give()
	return s.change(ctx, name, func(*roomFiles) error { return nil })
}

// errLost is what know returns for a log that is not mended, because what is left would
// pass for the room.
var errLost = errors.New("the log is damaged beyond mending")

// setAside copies the damaged parts of a log to a file of their own, and writes a log
// without them. Then the room is to be made known.
func (r *roomFiles) setAside(old io.ReaderAt, length, created int64, seen found) error {
	if err := r.keepDamaged(old, seen.damaged); err != nil {
		return err
	}
	// The name is known, and whether a checkpoint is left behind it.
	parts := []io.Reader{bytes.NewReader(nameRecord(created, r.name, seen.checkpoint))}
	at := seen.afterName
	for _, part := range seen.damaged {
		parts = append(parts, io.NewSectionReader(old, at, part.start-at))
		at = part.end
	}
	parts = append(parts, io.NewSectionReader(old, at, length-at))
	if _, err := r.rewrite(io.MultiReader(parts...)); err != nil {
		return err
	}
	_, err := r.know(true)
	return err
}

// keepDamaged appends the damaged parts of a log to the file for them, as they are.
func (r *roomFiles) keepDamaged(old io.ReaderAt, damaged []span) error {
	f, err := os.OpenFile(filepath.Join(r.dir, damagedFile), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	for _, part := range damaged {
		if _, err = io.Copy(f, io.NewSectionReader(old, part.start, part.end-part.start)); err != nil {
			break
		}
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return syncDir(r.dir)
}
