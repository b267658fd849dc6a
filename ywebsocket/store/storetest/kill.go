package storetest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ywebsocket/store"
)

// killPathVariable makes a test binary the victim of RunKill: it is the path of its store.
const killPathVariable = "STORE_KILL_TEST_PATH"

const killRooms = 4

// AppendUntilKilled is called by the TestMain of a package that calls [RunKill],
// before anything else. It does nothing, unless this process is the one to be killed:
// then it opens the store, and appends and compacts until that happens.
func AppendUntilKilled(open func(path string) (store.Archive, error)) {
	path := os.Getenv(killPathVariable)
	if path == "" {
		return
	}
	s, err := open(path)
	if err != nil {
		panic(err)
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for room := range killRooms {
		wg.Go(func() {
			// 0, 1, 2, … to each room; what is confirmed is printed.
			for i := uint64(0); ; i++ {
				if err := s.Append(context.Background(), strconv.Itoa(room), number(i)); err != nil {
					panic(err)
				}
				mu.Lock()
				fmt.Println(room, i)
				mu.Unlock()
			}
		})
		wg.Go(func() {
			for {
				err := s.Compact(context.Background(), strconv.Itoa(room), time.Time{}, concatenate)
				if err != nil && !errors.Is(err, store.ErrNotFound) {
					panic(err)
				}
			}
		})
	}
	wg.Wait()
}

func concatenate(updates [][]byte) ([]byte, error) { return bytes.Join(updates, nil), nil }

// RunKill kills a process that appends and compacts, and looks for what that was told is
// stored.
func RunKill(t *testing.T, open func(path string) (store.Archive, error)) {
	for round := range killRounds {
		path := filepath.Join(t.TempDir(), "rooms")
		confirmed := killWhileAppending(t, path, 100*(round%5)+rand.IntN(100))

		s, err := open(path)
		require.NoError(t, err)
		for room, last := range confirmed {
			next := uint64(0)
			require.NoError(t, s.Load(t.Context(), room, func(update []byte) error {
				for chunk := range slices.Chunk(update, len(number(0))) { // of a merged one, many
					assert.Equal(t, number(next), chunk)
					next++
				}
				return nil
			}))
			assert.Greater(t, next, last, "room %s: what was confirmed is there", room)
		}
		require.NoError(t, s.Close())
	}
}

// killWhileAppending kills the process that appends once it has confirmed that
// many updates, and returns the last number confirmed in each room.
func killWhileAppending(t *testing.T, path string, confirmations int) map[string]uint64 {
	t.Helper()
	victim := exec.CommandContext(t.Context(), os.Args[0])
	victim.Env = append(os.Environ(), killPathVariable+"="+path)
	stdout, err := victim.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, victim.Start())

	confirmed := make(map[string]uint64)
	lines := bufio.NewScanner(stdout)
	for n := 0; lines.Scan(); n++ {
		room, last, complete := strings.Cut(lines.Text(), " ")
		require.True(t, complete)
		confirmed[room], err = strconv.ParseUint(last, 10, 64)
		require.NoError(t, err)
		if n == confirmations {
			require.NoError(t, victim.Process.Kill())
		}
	}
	assert.Error(t, victim.Wait(), "the process was killed")
	require.NotEmpty(t, confirmed)
	return confirmed
}

func number(i uint64) []byte { return binary.BigEndian.AppendUint64(nil, i) }
