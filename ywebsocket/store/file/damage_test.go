package file_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ywebsocket/store"
	"github.com/yrs-go/yrs/ywebsocket/store/file"
)

// written returns the directory of a store that is closed, the path of the log of its
// room "room", and how long that was after each of three calls.
func written(t *testing.T) (dir, log string, lengths [3]int) {
	t.Helper()
	dir = t.TempDir()
	s, err := file.Open(dir, file.Options{})
	require.NoError(t, err)
	for i, updates := range [][][]byte{{[]byte("a")}, {[]byte("b"), []byte("c")}, {[]byte("d")}} {
		require.NoError(t, s.Append(t.Context(), "room", updates...))
		log = logs(t, dir)[0]
		info, err := os.Stat(log)
		require.NoError(t, err)
		lengths[i] = int(info.Size())
	}
	require.NoError(t, s.Close())
	return dir, log, lengths
}

// reopen opens the store and counts what is found damaged.
func reopen(t *testing.T, dir string) (s *file.Store, damaged *int) {
	t.Helper()
	damaged = new(int)
	s, err := file.Open(dir, file.Options{OnDamage: func(room string, parts int) {
		assert.Equal(t, "room", room)
		*damaged += parts
	}})
	require.NoError(t, err)
	return s, damaged
}

func TestStore_TornTail(t *testing.T) {
	dir, log, lengths := written(t)
	whole, err := os.ReadFile(log)
	require.NoError(t, err)
	for length := lengths[0]; length < lengths[2]; length++ {
		require.NoError(t, os.WriteFile(log, whole[:length], 0o600))
		want := []string{"a"}
		if length >= lengths[1] {
			want = []string{"a", "b", "c"}
		}
		s, damaged := reopen(t, dir)
		assert.Equal(t, want, loaded(t, s, "room"), "cut at %d", length)
		require.NoError(t, s.Append(t.Context(), "room", []byte("e")))
		assert.Equal(t, append(want, "e"), loaded(t, s, "room"), "cut at %d", length)
		require.NoError(t, s.Close())

		s, _ = reopen(t, dir)
		assert.Equal(t, append(want, "e"), loaded(t, s, "room"), "cut at %d", length)
		assert.Zero(t, *damaged, "what was never confirmed is no loss")
		require.NoError(t, s.Close())
	}
}

func TestStore_DamageAnywhere(t *testing.T) {
	dir, log, lengths := written(t)
	whole, err := os.ReadFile(log)
	require.NoError(t, err)
	for at := range whole {
		broken := bytes.Clone(whole)
		broken[at] ^= 0x10
		require.NoError(t, os.WriteFile(log, broken, 0o600))
		want := []string{"a", "b", "c", "d"}
		switch {
		case at >= lengths[1]:
			want = want[:3]
		case at >= lengths[0]:
			want = []string{"a", "d"}
		case at >= firstUpdates:
			want = want[1:]
		}
		s, damaged := reopen(t, dir)
		if at%2 == 0 {
			assert.Equal(t, want, loaded(t, s, "room"), "byte %d", at)
		}
		require.NoError(t, s.Append(t.Context(), "room", []byte("e")))
		assert.Equal(t, append(want, "e"), loaded(t, s, "room"), "byte %d", at)
		require.NoError(t, s.Compact(t.Context(), "room", time.Time{}, concatenate))
		assert.Equal(t, 1, *damaged, "told once")
		var rooms []string
		require.NoError(t, s.Rooms(t.Context(), "", func(info store.Info) error {
			rooms = append(rooms, info.Room)
			return nil
		}))
		assert.Equal(t, []string{"room"}, rooms, "byte %d", at)
		require.NoError(t, s.Close())

		aside := filepath.Join(filepath.Dir(log), "damaged")
		kept, err := os.ReadFile(aside)
		require.NoError(t, err)
		assert.Contains(t, string(broken), string(kept), "kept for whoever repairs it")
		require.NoError(t, os.Remove(aside))
	}
}

// Wherever a log is damaged or cut off that begins with a checkpoint: what is left never
// passes for the room.
func TestStore_CheckpointIsMissed(t *testing.T) {
	for name, later := range map[string][]string{"alone": nil, "with updates behind it": {"e", "f"}} {
		t.Run(name, func(t *testing.T) {
			dir, log, _ := written(t)
			s, _ := reopen(t, dir)
			require.NoError(t, s.Compact(t.Context(), "room", time.Time{}, concatenate))
			info, err := os.Stat(log)
			require.NoError(t, err)
			checkpointEnd := int(info.Size())
			for _, update := range later {
				require.NoError(t, s.Append(t.Context(), "room", []byte(update)))
			}
			require.NoError(t, s.Close())
			whole, err := os.ReadFile(log)
			require.NoError(t, err)

			refused := func(broken []byte, what string, at int) {
				require.NoError(t, os.WriteFile(log, broken, 0o600))
				s, damaged := reopen(t, dir)
				defer s.Close()
				err := s.Load(t.Context(), "room", func([]byte) error { return nil })
				assert.ErrorIs(t, err, store.ErrDamaged, "%s %d", what, at)
				assert.ErrorIs(t, s.Append(t.Context(), "room", []byte("x")), store.ErrDamaged, "%s %d", what, at)
				assert.Zero(t, *damaged)
				kept, err := os.ReadFile(log)
				require.NoError(t, err)
				assert.Equal(t, broken, kept, "%s %d", what, at)
			}
			for length := range checkpointEnd {
				refused(whole[:length], "cut off at", length)
			}
			for at := firstUpdates; at < checkpointEnd; at++ {
				broken := bytes.Clone(whole)
				broken[at] ^= 0x10
				refused(broken, "damaged at", at)
			}
		})
	}
}

// firstUpdates is where the record of the name "room" ends.
const firstUpdates = 28 + len("room")

func TestStore_DamageBelowCompact(t *testing.T) {
	dir, log, lengths := written(t)
	s, damaged := reopen(t, dir)
	defer s.Close()
	require.NoError(t, s.Append(t.Context(), "room", []byte("e"))) // it is known to be sound
	f, err := os.OpenFile(log, os.O_RDWR, 0)
	require.NoError(t, err)
	defer f.Close()
	_, err = f.WriteAt([]byte("X"), int64(lengths[0]+30))
	require.NoError(t, err)
	require.NoError(t, s.Compact(t.Context(), "room", time.Time{}, concatenate))
	assert.Equal(t, []string{"ade"}, loaded(t, s, "room"))
	assert.Equal(t, 1, *damaged)
}

func TestStore_DamagedVersion(t *testing.T) {
	dir, log, _ := written(t)
	s, _ := reopen(t, dir)
	defer s.Close()
	require.NoError(t, s.SaveVersion(t.Context(), "room", "v", []byte("state")))
	files, err := filepath.Glob(filepath.Join(filepath.Dir(log), "versions", "*"))
	require.NoError(t, err)
	require.Len(t, files, 1)
	content, err := os.ReadFile(files[0])
	require.NoError(t, err)
	content[len(content)-1]++
	require.NoError(t, os.WriteFile(files[0], content, 0o600))
	_, err = s.LoadVersion(t.Context(), "room", "v")
	assert.ErrorContains(t, err, "damaged")
	assert.NotErrorIs(t, err, store.ErrNotFound)
}

// A compaction that was cut short leaves a file that counts for nothing.
func TestStore_UnfinishedCompaction(t *testing.T) {
	dir, log, _ := written(t)
	require.NoError(t, os.WriteFile(log+".new", []byte("half of a log"), 0o600))
	s, damaged := reopen(t, dir)
	defer s.Close()
	require.NoError(t, s.Compact(t.Context(), "room", time.Time{}, concatenate))
	assert.Equal(t, []string{"abcd"}, loaded(t, s, "room"))
	assert.Zero(t, *damaged)
}

// A process may write no more than so much into a file: like a full disk, that cuts a
// write short. It is one of its own, since the limit is for all that it writes.
func TestStore_FullDisk(t *testing.T) {
	const variable = "FILE_STORE_FULL_DISK"
	if os.Getenv(variable) == "" {
		victim := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestStore_FullDisk$", "-test.v")
		victim.Env = append(os.Environ(), variable+"=1")
		output, err := victim.CombinedOutput()
		require.NoError(t, err, "%s", output)
		assert.Contains(t, string(output), "--- PASS: TestStore_FullDisk")
		return
	}
	dir, _, lengths := written(t)
	s, damaged := reopen(t, dir)
	defer s.Close()
	var limit syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit))
	small := limit
	small.Cur = uint64(lengths[2] + 40)
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &small))
	large := bytes.Repeat([]byte("large"), 100)
	err, newErr := s.Append(t.Context(), "room", large), s.Append(t.Context(), "another", large)
	compactErr := s.Compact(t.Context(), "room", time.Time{}, func([][]byte) ([]byte, error) { return large, nil })
	pingErr := s.Ping(t.Context())
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit))

	for _, err := range []error{err, newErr, compactErr, pingErr} {
		assert.ErrorIs(t, err, syscall.EFBIG)
	}
	assert.Equal(t, []string{"a", "b", "c", "d"}, loaded(t, s, "room"))
	assert.ErrorIs(t, s.Load(t.Context(), "another", nil), store.ErrNotFound)
	require.NoError(t, s.Append(t.Context(), "room", []byte("e")))
	require.NoError(t, s.Append(t.Context(), "another", []byte("f")))
	assert.Equal(t, []string{"a", "b", "c", "d", "e"}, loaded(t, s, "room"))
	assert.Equal(t, []string{"f"}, loaded(t, s, "another"))
	assert.NoError(t, s.Ping(t.Context()))
	assert.Zero(t, *damaged)
}

func concatenate(updates [][]byte) (merged []byte, err error) {
	for _, update := range updates {
		merged = append(merged, update...)
	}
	return merged, nil
}
