// Package e2e_test runs the server against real peers: Yjs in Node and in Chromium, pycrdt in Python,
// and a raw connection that breaks the protocol.
package e2e_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

// folder holds what all tests of a run share: the server's binary.
var folder string

func TestMain(m *testing.M) {
	if directory := os.Getenv(offlineWriter); directory != "" {
		writeOffline(directory)
		return
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	var err error
	if folder, err = os.MkdirTemp("", "yserver-e2e-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(folder)
	if code := m.Run(); code != 0 {
		return code
	}
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

var build = sync.OnceValues(func() (string, error) {
	binary := filepath.Join(folder, "yserver")
	if runtime.GOOS == "windows" {
		binary += ".exe"
	}
	output, err := exec.Command("go", "build", "-o", binary, "github.com/yrs-go/yrs/ywebsocket/cmd/yserver").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, output)
	}
	return binary, nil
})

// binary returns the path of the server's binary, which is built once per run.
func binary(t *testing.T) string {
	t.Helper()
	path, err := build()
	require.NoError(t, err)
	return path
}

// roomName is a room that belongs to the test alone.
func roomName(t *testing.T) string {
	return strings.NewReplacer("/", "-", "#", "-").Replace(t.Name())
}
