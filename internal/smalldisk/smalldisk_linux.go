// Package smalldisk gives tests a file system that can be filled up.
package smalldisk

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// Disk is an empty file system in memory.
type Disk struct {
	t   testing.TB
	dir string
}

// New mounts one of that size, in bytes, for the time of the test. That takes the right to
// mount, which root has: without it the test is skipped.
func New(t testing.TB, size string) *Disk {
	t.Helper()
	dir, err := os.MkdirTemp("", "smalldisk") // a test's own folder is closed to other users
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.Remove(dir)) })
	d := &Disk{t: t, dir: dir}
	err = syscall.Mount("smalldisk", d.dir, "tmpfs", 0, "mode=0777,size="+size)
	if errors.Is(err, syscall.EPERM) {
		t.Skip("this test mounts a small file system: run it as root")
	}
	require.NoError(t, err)
	// What a process that was killed has open is freed in its own time.
	t.Cleanup(func() { require.NoError(t, syscall.Unmount(d.dir, syscall.MNT_DETACH)) })
	return d
}

// Dir is where it is.
func (d *Disk) Dir() string { return d.dir }

func (d *Disk) filler() string { return filepath.Join(d.dir, "filler") }

// Fill leaves nothing free.
func (d *Disk) Fill() {
	d.t.Helper()
	f, err := os.OpenFile(d.filler(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	require.NoError(d.t, err)
	defer f.Close()
	page := make([]byte, os.Getpagesize())
	for err == nil {
		_, err = f.Write(page)
	}
	require.ErrorIs(d.t, err, syscall.ENOSPC)
}

// Free undoes Fill.
func (d *Disk) Free() {
	d.t.Helper()
	require.NoError(d.t, os.Remove(d.filler()))
}
