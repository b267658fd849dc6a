package file_test

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/internal/smalldisk"
	"github.com/yrs-go/yrs/ywebsocket/store/file"
	"github.com/yrs-go/yrs/ywebsocket/store/storetest"
)

// logOf returns the path of the log of a room.
func logOf(dir, room string) string {
	sum := sha256.Sum256([]byte(room))
	hash := hex.EncodeToString(sum[:])
	return filepath.Join(dir, "rooms", hash[:2], hash, "log")
}

func TestStore_Damage(t *testing.T) {
	storetest.RunDamage(t, func(t *testing.T) *storetest.Breakable {
		dir, reported := t.TempDir(), map[string]int{}
		var disk *smalldisk.Disk
		if strings.HasSuffix(t.Name(), "WhileNothingIsWritten") {
			disk = smalldisk.New(t, "256k")
			dir = filepath.Join(disk.Dir(), "rooms")
		}
		open := func(giveUp bool) *file.Store {
			s, err := file.Open(dir, file.Options{
				OnDamage:      func(room string, parts int) { reported[room] += parts },
				GiveUpDamaged: giveUp,
			})
			require.NoError(t, err)
			return s
		}
		b := &storetest.Breakable{Archive: open(false)}
		b.Reported = func(room string) int { return reported[room] }
		b.Reopen = func(giveUp bool) {
			require.NoError(t, b.Close())
			b.Archive = open(giveUp)
		}
		b.Damage = func(room string, nth int) { flipByte(t, logOf(dir, room), nth) }
		b.Repair = b.Damage
		b.Aside = func() int {
			files, err := filepath.Glob(filepath.Join(dir, "*", "*", "*", "damaged"))
			require.NoError(t, err)
			return len(files)
		}
		b.WriteNothing = func() func() {
			disk.Fill()
			return disk.Free
		}
		return b
	})
}

// flipByte changes the last byte of the nth record behind the name, and by a second
// call undoes that.
func flipByte(t *testing.T, log string, nth int) {
	content, err := os.ReadFile(log)
	require.NoError(t, err)
	at := 0
	for range nth + 2 {
		at += 28 + int(binary.LittleEndian.Uint32(content[at+4:]))
	}
	content[at-1] ^= 1
	f, err := os.OpenFile(log, os.O_RDWR, 0)
	require.NoError(t, err)
	defer f.Close()
	_, err = f.WriteAt(content[at-1:at], int64(at-1))
	require.NoError(t, err)
}
