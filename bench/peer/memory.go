package peer

import (
	"bytes"
	"os"
	"runtime/debug"
	"strconv"
)

// held returns the bytes of memory that hold what the program has allocated, after a collection. Pages of the program
// itself, which become resident as they are first used, are none of them.
func held() int64 {
	debug.FreeOSMemory()
	return status("RssAnon:")
}

// resident returns how many bytes of memory the process has.
func resident() int64 { return status("VmRSS:") }

// peak returns the most that resident has been since forgetPeak.
func peak() int64 { return status("VmHWM:") }

// forgetPeak starts the peak over again where the system lets it; otherwise it is that of the process.
func forgetPeak() { _ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) }

// status returns a size of the process in bytes; 0 on systems that do not tell.
func status(name string) int64 {
	data, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, after, _ := bytes.Cut(data, []byte(name))
	fields := bytes.Fields(after)
	if len(fields) == 0 {
		return 0
	}
	kilobytes, _ := strconv.ParseInt(string(fields[0]), 10, 64)
	return kilobytes << 10
}
