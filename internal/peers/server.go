package peers

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// StartYWebsocketServer runs the server that y-websocket 2 comes with, and returns its ws:// address.
func StartYWebsocketServer(t testing.TB) string {
	t.Helper()
	cmd := node(t, filepath.Join("node_modules", "y-websocket-2", "bin", "server.cjs"))
	address := FreeAddress(t)
	host, port, err := net.SplitHostPort(address)
	require.NoError(t, err)
	cmd.Env = append(os.Environ(), "HOST="+host, "PORT="+port)
	return startServer(t, cmd, address)
}

// StartPycrdtServer runs the server of pycrdt-websocket, and returns its ws:// address.
func StartPycrdtServer(t testing.TB) string {
	t.Helper()
	address := FreeAddress(t)
	host, port, err := net.SplitHostPort(address)
	require.NoError(t, err)
	cmd := python(t, "server.py")
	cmd.Args = append(cmd.Args, host, port)
	return startServer(t, cmd, address)
}

// startServer starts a server that will listen on an address, waits until it does, and ends it with the test.
func startServer(t testing.TB, cmd *exec.Cmd, address string) string {
	t.Helper()
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed
	})
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			err = conn.Close()
		}
		return err == nil
	}, Timeout, 10*time.Millisecond, "nothing listens on %s", address)
	return "ws://" + address
}

// FreeAddress returns an address of this machine on which nobody listens at the moment.
func FreeAddress(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	return listener.Addr().String()
}
