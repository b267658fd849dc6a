package e2e_test

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestHostileLoad has authors write in a room while others attack the server. It is short, on a machine that may do
// anything else at the same time: only a server that is stuck takes a hundred times longer. The nightly run says more.
func TestHostileLoad(t *testing.T) {
	assert.Less(t, requireHonestUnharmed(t, 5*time.Second), 100.0)
}

// hostilePerSecond is how many hostile connections there are.
const hostilePerSecond = 500

// requireHonestUnharmed has authors write, first among themselves and then beside hostile connections, each for some
// time. It makes sure that nothing is lost and that the server's memory is bounded, and returns how many times longer
// what 99 % of the updates stay below became.
func requireHonestUnharmed(t *testing.T, duration time.Duration) (ratio float64) {
	t.Helper()
	server := startServer(t)
	room := roomName(t)
	authors := openNewsroom(t, server.websocket()+"/"+room)
	authors.write(t, time.Second) // whatever comes first takes longer
	authors.awaitAll(t)

	authors.write(t, duration)
	quiet := authors.awaitAll(t)
	t.Logf("among themselves: %v", quiet)
	before := residentMemory(t, server)

	crowd := intrude(t, server, room, hostilePerSecond)
	authors.write(t, duration/2)
	halfway := residentMemory(t, server)
	authors.write(t, duration/2)
	loaded := authors.awaitAll(t)
	after := residentMemory(t, server)
	require.NoError(t, crowd.end())
	t.Logf("beside %d hostile connections: %v", crowd.opened, loaded)
	t.Logf("memory: %d MiB before, %d halfway, %d at the end", before>>20, halfway>>20, after>>20)

	authors.requireComplete(t)
	const mayGrow, mayGrowFurther = 256 << 20, 64 << 20
	assert.Less(t, halfway-before, int64(mayGrow))
	assert.Less(t, after-halfway, int64(mayGrowFurther))
	return max(ratioOf(p99(loaded.echo), p99(quiet.echo)), ratioOf(p99(loaded.broadcast), p99(quiet.broadcast)))
}

func ratioOf(a, b time.Duration) float64 { return float64(a) / float64(b) }

// residentMemory is how much memory the server takes, in bytes.
func residentMemory(t *testing.T, server *yserver) int64 {
	t.Helper()
	file, err := os.Open(fmt.Sprintf("/proc/%d/status", server.process.Process.Pid))
	require.NoError(t, err)
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if value, found := strings.CutPrefix(lines.Text(), "VmRSS:"); found {
			var kB int64
			_, err := fmt.Sscan(value, &kB)
			require.NoError(t, err)
			return kB << 10
		}
	}
	require.Fail(t, "the process has no resident memory")
	return 0
}
