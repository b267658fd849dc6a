package ywebsocket

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A program that imports the server links no database: those are sub-packages.
func TestDependencies(t *testing.T) {
	output, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").CombinedOutput()
	require.NoError(t, err, string(output))
	deps := strings.Fields(string(output))
	require.Contains(t, deps, "github.com/yrs-go/yrs/ywebsocket/store")
	for _, dep := range deps {
		for _, unwanted := range []string{"sql", "pgx", "redis", "yserver", "testing"} {
			assert.NotContains(t, strings.ToLower(dep), unwanted)
		}
	}
}

// The helpers of gobwas/ws allocate what a header declares.
func TestDependencies_NoAllocatingHelpers(t *testing.T) {
	output, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "./...").CombinedOutput()
	require.NoError(t, err, string(output))
	deps := strings.Fields(string(output))
	require.Contains(t, deps, "github.com/gobwas/ws")
	require.Contains(t, deps, "github.com/yrs-go/yrs/ywebsocket/cmd/yserver")
	for _, unwanted := range []string{"github.com/gobwas/ws/wsutil", "github.com/gobwas/ws/wsflate"} {
		assert.NotContains(t, deps, unwanted)
	}
}
