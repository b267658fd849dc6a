package ycrdt_test

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt"
)

// status returns a line of /proc/self/status, in bytes.
func status(t *testing.T, key string) int64 {
	t.Helper()
	file, err := os.Open("/proc/self/status")
	require.NoError(t, err)
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if rest, found := strings.CutPrefix(lines.Text(), key+":"); found {
			kilobytes, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			require.NoError(t, err)
			return kilobytes << 10
		}
	}
	require.Fail(t, "no such line in /proc/self/status", key)
	return 0
}

// peak returns by how much the memory of the process rose above what it was before, while fn ran.
func peak(t *testing.T, fn func()) int64 {
	t.Helper()
	debug.FreeOSMemory()
	require.NoError(t, os.WriteFile("/proc/self/clear_refs", []byte("5"), 0)) // resets VmHWM
	before := status(t, "VmRSS")
	fn()
	return status(t, "VmHWM") - before
}

const inChild = "YRS_IN_CHILD"

// What a message of a megabyte costs at most if it has a budget, whatever is in it: 64 times its size and 4 MiB.
func TestApply_Memory(t *testing.T) {
	const size = mebibyte
	deletions := func() []byte {
		n := size / 5
		out := cat(0, 1, 1, varint(uint64(n)))
		for clock := range n {
			out = append(out, cat(varint(uint64(2*clock)), 1)...)
		}
		return out
	}
	clients := func() []byte {
		n := size / 8
		out := varint(uint64(n))
		for client := range n {
			out = append(out, cat(1, varint(uint64(n-client)), 0, 0, 1)...)
		}
		return append(out, 0)
	}
	entries := func() []byte {
		n := size / 10
		out := cat(1, varint(uint64(n)), 1, 0)
		for key := range n {
			out = append(out, cat(0x28, 1, 1, "m", 3, []byte{byte(key) & 0x7f, byte(key>>7) & 0x7f, byte(key >> 14)}, 1, 126)...)
		}
		return append(out, 0)
	}
	contested := func() []byte {
		n := size / 13
		out := varint(uint64(n))
		for client := range n {
			out = append(out, cat(1, varint(uint64(n-client)), 0, 0x28, 1, 1, "m", 1, "k", 1, 126)...)
		}
		return append(out, 0)
	}
	adjacent := func() []byte {
		n := size / 4
		out := cat(0, 1, 9, varint(uint64(n)))
		for clock := range n {
			out = append(out, cat(varint(uint64(clock)), 1)...)
		}
		return out
	}
	apart := func(block []byte) []byte { // with a Skip behind each
		n := size / (len(block) + 2)
		return cat(1, varint(uint64(2*n)), 1, 0, bytes.Repeat(cat(block, 10, 1), n), 0)
	}
	held := func(update []byte) []byte { return cat(2, 1, 2, 5, char, update[1:]) }
	for name, update := range map[string][]byte{
		"tombstones":         dense(size, cat(0, 1)),
		"characters":         dense(size, char),
		"beside":             cat(2, 1, 2, 0, char, dense(size, cat(0x84, 2, 0, 1, "x"))[1:]),
		"types":              cat(2, 1, 2, 0, char, dense(size, cat(0x87, 2, 0, 0))[1:]),
		"usual types":        cat(2, 1, varint(1<<31), 0, char, dense(size, cat(0x87, varint(1<<31), 0, 0))[1:]),
		"usual maps":         one(entry, varint(size/6), bytes.Repeat(cat(118, 1, 1, "a", 125, 1), size/6)),
		"entries":            dense(size, cat(0x28, 1, 1, "m", 1, "k", 1, 126)),
		"many keys":          entries(),
		"few keys":           contested(),
		"values":             one(entry, varint(size), bytes.Repeat(cat(126), size)),
		"lists":              one(entry, varint(size/2), bytes.Repeat(cat(117, 0), size/2)),
		"maps":               one(entry, varint(size/4), bytes.Repeat(cat(118, 1, 0, 126), size/4)),
		"legacy values":      one(2, 1, 1, "a", varint(size/3), bytes.Repeat(cat(2, "{}"), size/3)),
		"attributes":         dense(size, cat(6, 1, 1, "t", 1, "b", 1, "1")),
		"embeds":             dense(size, cat(5, 1, 1, "t", 2, "{}")),
		"subdocuments":       dense(size, cat(9, 1, 1, "a", 0, 118, 0)),
		"deletions":          deletions(),
		"clients":            clients(),
		"characters apart":   apart(char),
		"tombstones apart":   apart(cat(0, 1)),
		"adjacent deletions": adjacent(),
		"nested maps":        one(entry, 1, 117, varint(size/3/60), bytes.Repeat(cat(bytes.Repeat(cat(118, 1, 0), 60), 126), size/3/60)),
		"held characters":    held(cat(1, dense(size, char)[1:])),
		"held types":         held(cat(1, dense(size, cat(7, 1, 1, "a", 0))[1:])),
	} {
		t.Run(name, func(t *testing.T) {
			if os.Getenv(inChild) == "" {
				// In a process of its own: what an earlier case has freed is still resident, and would be used again.
				child := exec.Command(os.Args[0], "-test.run=^TestApply_Memory$/^"+strings.ReplaceAll(name, " ", "_")+"$", "-test.v")
				child.Env = append(os.Environ(), inChild+"=1")
				out, err := child.CombinedOutput()
				t.Logf("%s", out)
				require.NoError(t, err)
				require.Contains(t, string(out), "times its size")
				return
			}
			doc, err := ycrdt.NewDocWith(ycrdt.DocOptions{ClientID: 1 << 40})
			require.NoError(t, err)
			defer doc.Close()
			defer doc.OnUpdate(func(ycrdt.UpdateEvent) {}).Close()
			used := peak(t, func() {
				err = doc.ApplyUpdateContext(t.Context(), ycrdt.TxOptions{Budget: time.Second}, update)
			})
			t.Logf("%s, %d bytes: %.1f MiB, %.1f times its size, kept %.1f (%v)", name, len(update),
				float64(used)/mebibyte, float64(used)/float64(len(update)), float64(doc.MemoryUsage())/float64(len(update)), err)
			assert.Less(t, used, int64(64*len(update)+4*mebibyte))
		})
	}
}

// What declares much and holds little costs nothing.
func TestBombs_Memory(t *testing.T) {
	doc := newDoc(t)
	set(t, doc, "k", 1)
	for name, bomb := range bombs(doc) {
		_ = bomb() // what the first call costs is not the bomb's
		used := peak(t, func() { _ = bomb() })
		assert.Less(t, used, int64(mebibyte), name)
	}
	assert.NotEmpty(t, fmt.Sprint(encode(t, doc)))
}
