package ywebsocket

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

const (
	quarantineFiles = 256
	quarantineBytes = 256 << 20

	// quarantineSuffix follows the hash in a file's name.
	quarantineSuffix = ".quarantined.json"
	// quarantineDraft is a file that is being written.
	quarantineDraft = "draft.quarantined.tmp"
)

// QuarantineDir returns a function for Options.Quarantine that writes each update
// to a file of its own in a directory, which is made if it is missing. The files
// are JSON objects of [QuarantinedUpdate], with the update in base64. They are
// named by a hash of the update, so that one that is sent again and again is kept
// once, and readable by their owner only. At most 256 files and 256 MiB are kept;
// beyond that the oldest are removed.
func QuarantineDir(path string) (func(QuarantinedUpdate) error, error) {
	d := &quarantineDir{path: path, maxFiles: quarantineFiles, maxBytes: quarantineBytes}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("quarantine directory: %w", err)
	}
	// What is found out now need not be found out when it matters.
	if err := d.write(quarantineDraft, nil); err != nil {
		return nil, fmt.Errorf("quarantine directory: %w", err)
	}
	return d.add, os.Remove(d.file(quarantineDraft))
}

type quarantineDir struct {
	path     string
	maxFiles int
	maxBytes int64

	mu sync.Mutex
}

func (d *quarantineDir) file(name string) string { return filepath.Join(d.path, name) }

func (d *quarantineDir) add(update QuarantinedUpdate) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	hash := sha256.Sum256(update.Update)
	name := hex.EncodeToString(hash[:]) + quarantineSuffix
	if _, err := os.Lstat(d.file(name)); !errors.Is(err, fs.ErrNotExist) {
		return err // it is there already
	}
	content, err := json.Marshal(update)
	if err != nil {
		return err
	}
	if err := d.makeRoom(int64(len(content))); err != nil {
		return err
	}
	if err := d.write(quarantineDraft, content); err != nil {
		return err
	}
	return os.Rename(d.file(quarantineDraft), d.file(name))
}

func (d *quarantineDir) write(name string, content []byte) error {
	return os.WriteFile(d.file(name), content, 0o600)
}

// makeRoom removes the oldest files until one more of that size fits.
func (d *quarantineDir) makeRoom(size int64) error {
	files, err := d.list()
	if err != nil {
		return err
	}
	total := size
	for _, file := range files {
		total += file.Size()
	}
	for _, file := range files {
		if len(files) < d.maxFiles && total <= d.maxBytes {
			break
		}
		if err := os.Remove(d.file(file.Name())); err != nil {
			return err
		}
		files = files[1:]
		total -= file.Size()
	}
	return nil
}

// list returns the files of earlier updates, oldest first.
func (d *quarantineDir) list() ([]fs.FileInfo, error) {
	entries, err := os.ReadDir(d.path)
	if err != nil {
		return nil, err
	}
	var files []fs.FileInfo
	for _, entry := range entries {
		if !strings.HasSuffix(entry.Name(), quarantineSuffix) {
			continue
		}
		info, err := entry.Info()
		if err != nil {
			return nil, err
		}
		files = append(files, info)
	}
	slices.SortFunc(files, func(a, b fs.FileInfo) int {
		return cmp.Or(a.ModTime().Compare(b.ModTime()), cmp.Compare(a.Name(), b.Name()))
	})
	return files, nil
}
