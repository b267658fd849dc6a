package ywebsocket

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt"
)

func TestServer_Quarantined(t *testing.T) {
	var last atomic.Pointer[fragile]
	identify := func(*http.Request) (Identity, error) { return Identity{User: "mallory"}, nil }
	s, url := serve(t, Options{Identify: identify}, fragileLoads(ycrdt.CodeApplyFailed, &last))
	before := time.Now()
	evil, _ := join(t, url+"some/room")
	evil.sendUpdate([]byte{9, 9, 9})
	code, _ := evil.expectClose()
	require.Equal(t, CloseMalformed, code)
	assert.Empty(t, s.Quarantined(), "what is refused is not dangerous")

	evil, _ = join(t, url+"some/room")
	evil.sendUpdate(poisonous(1))
	evil.expectClose()
	require.Len(t, s.Quarantined(), 1)
	found := s.Quarantined()[0]
	assert.WithinRange(t, found.Time, before, time.Now())
	assert.Equal(t, "some/room", found.Room)
	assert.Equal(t, evil.conn.LocalAddr().String(), found.Client)
	assert.Equal(t, "mallory", found.User)
	assert.Equal(t, failure(ycrdt.CodeApplyFailed).Error(), found.Error)
	assert.Equal(t, poisonous(1), found.Update)
	assert.Equal(t, len(found.Update), found.Size)
}

func TestServer_QuarantineOfALongUpdate(t *testing.T) {
	var last atomic.Pointer[fragile]
	s, url := serve(t, Options{}, fragileLoads(ycrdt.CodeApplyFailed, &last))
	evil, _ := join(t, url+"room")
	long := insert(1, 0, string(poison)+strings.Repeat("x", maxQuarantinedBytes))
	evil.sendUpdate(long)
	evil.expectClose()
	found := s.Quarantined()
	require.Len(t, found, 1)
	assert.Equal(t, long[:maxQuarantinedBytes], found[0].Update)
	assert.Equal(t, len(long), found[0].Size)
}

// A quarantine that fails does not change what happens to the room.
func TestServer_QuarantineThatFails(t *testing.T) {
	for name, quarantine := range map[string]func(QuarantinedUpdate) error{
		"error": func(QuarantinedUpdate) error { return errors.New("full of poison") },
		"panic": func(QuarantinedUpdate) error { panic("full of poison") },
	} {
		t.Run(name, func(t *testing.T) {
			var last atomic.Pointer[fragile]
			var log logBuffer
			options := Options{Quarantine: quarantine, Logger: slog.New(slog.NewTextHandler(&log, nil))}
			s, url := serve(t, options, fragileLoads(ycrdt.CodeApplyFailed, &last))
			evil, _ := join(t, url+"room")
			evil.sendUpdate(poisonous(1))
			code, _ := evil.expectClose()
			assert.Equal(t, ClosePoisoned, code)
			assert.Contains(t, log.String(), "full of poison")
			assert.Empty(t, s.Quarantined())
			join(t, url+"room")
		})
	}
}

func TestMemoryQuarantine_IsBounded(t *testing.T) {
	var q memoryQuarantine
	for i := range 1000 {
		require.NoError(t, q.add(QuarantinedUpdate{Size: i, Update: make([]byte, 10)}))
	}
	updates := q.all()
	require.Len(t, updates, memoryQuarantineUpdates)
	assert.Equal(t, 999, updates[len(updates)-1].Size, "the latest are kept")
	for range 10 {
		require.NoError(t, q.add(QuarantinedUpdate{Update: make([]byte, maxQuarantinedBytes)}))
		size := 0
		for _, update := range q.all() {
			size += len(update.Update)
		}
		assert.LessOrEqual(t, size, memoryQuarantineBytes)
	}
	assert.Len(t, q.all(), memoryQuarantineBytes/maxQuarantinedBytes)
}

func TestQuarantineDir(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "if missing")
	quarantine, err := QuarantineDir(dir)
	require.NoError(t, err)
	update := QuarantinedUpdate{
		Time: time.Now().UTC(), Room: "../../etc/passwd", Client: "192.0.2.1:5", Error: "broken", Size: 3, Update: []byte{1, 2, 3},
	}
	require.NoError(t, quarantine(update))
	again := update
	again.Room = "another"
	require.NoError(t, quarantine(again), "the same update is kept once")

	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 1)
	assert.Equal(t, "039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81.quarantined.json", entries[0].Name())
	info, err := entries[0].Info()
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode())
	info, err = os.Stat(dir)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o700), info.Mode().Perm())

	content, err := os.ReadFile(filepath.Join(dir, entries[0].Name()))
	require.NoError(t, err)
	var read QuarantinedUpdate
	require.NoError(t, json.Unmarshal(content, &read))
	assert.Equal(t, update, read)
}

func TestQuarantineDir_IsBounded(t *testing.T) {
	d := &quarantineDir{path: t.TempDir(), maxFiles: 5, maxBytes: 5000}
	foreign := filepath.Join(d.path, "notes.json")
	require.NoError(t, os.WriteFile(foreign, make([]byte, 10_000), 0o600))
	add := func(i, size int) {
		require.NoError(t, d.add(QuarantinedUpdate{Size: i, Update: fmt.Appendf(make([]byte, size), "%d", i)}))
		files, err := d.list()
		require.NoError(t, err)
		// Within a tick of the file system's clock all are of the same age.
		latest := time.Unix(int64(i), 0)
		for _, file := range files {
			if file.ModTime().After(time.Unix(1000, 0)) {
				require.NoError(t, os.Chtimes(d.file(file.Name()), latest, latest))
			}
		}
	}
	for i := range 20 {
		add(i, 10)
	}
	files, err := d.list()
	require.NoError(t, err)
	require.Len(t, files, 5)
	assert.EqualValues(t, 15, files[0].ModTime().Unix(), "the oldest are removed")

	for i := range 20 {
		add(20+i, 1000)
		files, err := d.list()
		require.NoError(t, err)
		var size int64
		for _, file := range files {
			size += file.Size()
		}
		assert.LessOrEqual(t, size, d.maxBytes)
	}
	assert.FileExists(t, foreign, "what it has not made it leaves alone")
}

func TestQuarantineDir_ThatCannotBeUsed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err := QuarantineDir(file)
	assert.ErrorContains(t, err, file)
}
