package e2e_test

import (
	"bytes"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/internal/peers"
)

// yserver is the real server as a process, with a database that outlives it.
type yserver struct {
	t       *testing.T
	address string
	store   string
	flags   []string // beside the address and the store
	process *exec.Cmd
	log     logBuffer
}

// startServer starts the server on a free port with an empty SQLite database.
func startServer(t *testing.T) *yserver {
	t.Helper()
	return startServerOn(t, "sqlite://"+filepath.ToSlash(filepath.Join(t.TempDir(), "e2e.db")))
}

// startServerOn starts the server on a free port with a store.
func startServerOn(t *testing.T, store string, flags ...string) *yserver {
	t.Helper()
	s := &yserver{t: t, address: peers.FreeAddress(t), store: store, flags: flags}
	s.start()
	t.Cleanup(func() {
		s.kill()
		if t.Failed() {
			t.Logf("the server's log:\n%s", &s.log)
		}
	})
	return s
}

// start starts the server, again on the same port and database, and waits until it is ready.
func (s *yserver) start() {
	s.t.Helper()
	s.process = exec.Command(binary(s.t), append([]string{"--listen", s.address, "--store", s.store}, s.flags...)...)
	s.process.Env = withoutSettings(os.Environ())
	s.process.Stdout, s.process.Stderr = &s.log, &s.log
	require.NoError(s.t, s.process.Start())
	require.Eventually(s.t, s.ready, peers.Timeout, 10*time.Millisecond, "the server does not become ready:\n%s", &s.log)
}

// probe keeps no connections, which would not survive the server.
var probe = http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: peers.Timeout}

func (s *yserver) ready() bool {
	response, err := probe.Get(s.page("/readyz"))
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// kill ends the server with SIGKILL, as a crash would. Killing it again does nothing.
func (s *yserver) kill() {
	if s.process.ProcessState == nil {
		_ = s.process.Process.Kill()
		_ = s.process.Wait() // reports the kill
	}
}

// page is the address of a page.
func (s *yserver) page(path string) string { return "http://" + s.address + path }

// room is the address of the demo page in a room.
func (s *yserver) room(name string) string { return s.page("/?room=" + url.QueryEscape(name)) }

// websocket is the address that a Yjs client adds its room to.
func (s *yserver) websocket() string { return "ws://" + s.address }

// withoutSettings removes the variables that the server reads.
func withoutSettings(environ []string) []string {
	var rest []string
	for _, variable := range environ {
		if !strings.HasPrefix(variable, "YSERVER_") {
			rest = append(rest, variable)
		}
	}
	return rest
}

// logBuffer keeps what the server writes. It is safe for concurrent use.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *logBuffer) Write(text []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(text)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
