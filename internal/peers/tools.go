package peers

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

// folder is where this package is.
var folder = func() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Dir(file)
}()

// root is the folder of the repository.
var root = filepath.Join(folder, "..", "..")

// node returns the command that runs a script of the folder node.
func node(t testing.TB, script string, options ...string) *exec.Cmd {
	t.Helper()
	program, err := exec.LookPath("node")
	require.NoError(t, err, "these tests need Node: install it (Debian, Ubuntu: apt-get install nodejs npm)")
	require.DirExists(t, filepath.Join(folder, "node", "node_modules", "yjs"),
		"these tests need the packages of internal/peers/node: run \"npm ci --prefix internal/peers/node\"")
	cmd := exec.Command(program, append(options, script)...)
	cmd.Dir = filepath.Join(folder, "node")
	return cmd
}

// python returns the command that runs a script of the folder python.
func python(t testing.TB, script string) *exec.Cmd {
	t.Helper()
	program := filepath.Join(root, "build", "venv", "bin", "python")
	require.FileExists(t, program, "these tests need pycrdt: run "+
		"\"python3 -m venv build/venv && build/venv/bin/pip install -r internal/peers/python/requirements.txt\"")
	return exec.Command(program, filepath.Join(folder, "python", script))
}

// chromium returns the path of the browser: that of $CHROMIUM, or the first one that is installed.
func chromium(t testing.TB) string {
	t.Helper()
	if path := os.Getenv("CHROMIUM"); path != "" {
		require.FileExists(t, path, "$CHROMIUM names no file")
		return path
	}
	names := []string{"chromium", "chromium-browser", "google-chrome"}
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	require.Fail(t, fmt.Sprintf("these tests need one of %v: install it (Debian: apt-get install chromium), "+
		"or name it in $CHROMIUM", names))
	return ""
}
