//go:build unix

package main

import (
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMain_DrainsOnSignals(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP} {
		t.Run(signal.String(), func(t *testing.T) {
			var log logBuffer
			program := exec.CommandContext(t.Context(), os.Args[0], "--listen", "127.0.0.1:0")
			program.Env = append(os.Environ(), asProgramVariable+"=1")
			program.Stderr = &log
			require.NoError(t, program.Start())
			require.Eventually(t, func() bool { return servingPattern.MatchString(log.String()) }, patience, testTick)
			require.NoError(t, program.Process.Signal(signal))
			assert.NoError(t, program.Wait(), "it ends with status 0")
			assert.Contains(t, log.String(), "msg=\"shut down\"")
		})
	}
}
