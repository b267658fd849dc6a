//go:build sanitized

package hostile

import (
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// sanitizedBinary is the crate with its driver, as scripts/hostile-asan.sh builds them.
const sanitizedBinary = "../../../build/asan/x86_64-unknown-linux-gnu/release/hostile"

// sanitized is a command for a child that puts sequences into the crate under AddressSanitizer.
func sanitized(t testing.TB, args ...string) func() *exec.Cmd {
	require.FileExists(t, sanitizedBinary, "run scripts/hostile-asan.sh, which builds it and runs these tests")
	return func() *exec.Cmd {
		cmd := exec.Command(sanitizedBinary, args...)
		// Poisoned documents are leaked on purpose.
		cmd.Env = append(os.Environ(), "ASAN_OPTIONS=detect_leaks=0:hard_rss_limit_mb=2048:max_allocation_size_mb=512")
		return cmd
	}
}

// Nothing that clients send has the crate touch memory that is not its own.
func TestHostile_AddressSanitizer(t *testing.T) {
	hunt(t, player{sanitized(t), patience}, defaultSequences)
}

func TestFinds_AddressSanitizer(t *testing.T) {
	requireHarmless(t, player{sanitized(t), patience})
}
