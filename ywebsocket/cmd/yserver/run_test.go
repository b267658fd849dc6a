package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	patience = 20 * time.Second
	testTick = 5 * time.Millisecond
)

// logBuffer is what the program writes, while it runs.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// running is a program in this process.
type running struct {
	t       *testing.T
	log     *logBuffer
	signals chan os.Signal
	status  chan int
	address string
}

var servingPattern = regexp.MustCompile(`msg=serving url=http://(\S+)`)

// launch runs the program until it serves.
func launch(t *testing.T, args ...string) *running {
	t.Helper()
	r := &running{t: t, log: &logBuffer{}, signals: make(chan os.Signal, 2), status: make(chan int, 1)}
	args = append([]string{"--listen", "127.0.0.1:0"}, args...)
	go func() { r.status <- run(args, environment(), r.signals, io.Discard, r.log) }()
	require.Eventually(t, func() bool {
		match := servingPattern.FindStringSubmatch(r.log.String())
		if match != nil {
			r.address = match[1]
		}
		return match != nil
	}, patience, testTick, "%s", r.log)
	return r
}

func (r *running) get(path string) (int, string) {
	r.t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get("http://" + r.address + path)
	require.NoError(r.t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(r.t, err)
	return response.StatusCode, string(body)
}

// dial opens a connection to a room.
func (r *running) dial(room string) net.Conn {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), patience)
	defer cancel()
	conn, _, _, err := ws.Dial(ctx, "ws://"+r.address+"/"+room)
	require.NoError(r.t, err)
	return conn
}

func (r *running) exit() int {
	r.t.Helper()
	select {
	case status := <-r.status:
		return status
	case <-time.After(patience):
		require.Fail(r.t, "the program does not end", "%s", r.log)
		return -1
	}
}

func TestRun_ServesAndDrains(t *testing.T) {
	r := launch(t, "--store", "sqlite:"+filepath.Join(t.TempDir(), "x.db"))
	for path, want := range map[string]int{
		"/healthz": http.StatusOK,
		"/readyz":  http.StatusOK,
		"/":        http.StatusOK,
		"/nowhere": http.StatusNotFound,
	} {
		status, _ := r.get(path)
		assert.Equal(t, want, status, path)
	}
	conn := r.dial("healthz")
	require.NoError(t, conn.Close())

	r.signals <- os.Interrupt
	assert.Zero(t, r.exit())
	assert.Contains(t, r.log.String(), "msg=\"shut down\"")
}

func TestRun_NotReadyWhileDraining(t *testing.T) {
	r := launch(t)
	conn := r.dial("room") // it does not answer the close frame, so that draining takes a while
	r.signals <- os.Interrupt
	require.Eventually(t, func() bool {
		status, _ := r.get("/readyz")
		return status == http.StatusServiceUnavailable
	}, patience, testTick)
	status, _ := r.get("/healthz")
	assert.Equal(t, http.StatusOK, status)
	require.NoError(t, conn.Close())
	assert.Zero(t, r.exit())
}

func TestRun_TheSecondSignalEndsAtOnce(t *testing.T) {
	r := launch(t, "--shutdown-timeout", "1h")
	conn := r.dial("room")
	r.signals <- os.Interrupt
	require.Eventually(t, func() bool {
		status, _ := r.get("/readyz")
		return status == http.StatusServiceUnavailable
	}, patience, testTick)
	r.signals <- os.Interrupt
	assert.Equal(t, 1, r.exit())
	assert.Contains(t, r.log.String(), "ending at once")
	require.NoError(t, conn.Close())
}

func TestRun_MemoryIsSaidToBeTransient(t *testing.T) {
	r := launch(t)
	assert.Contains(t, r.log.String(), "lost when the server ends")
	r.signals <- os.Interrupt
	assert.Zero(t, r.exit())
}

func TestRun_AllowedOriginsAndHosts(t *testing.T) {
	r := launch(t, "--allowed-origins", "https://app.example", "--allowed-hosts", "api.example")
	for _, test := range []struct {
		host, origin string
		ok           bool
	}{
		{"api.example", "https://app.example", true},
		{"api.example", "https://api.example", true},
		{"api.example", "https://evil.example", false},
		{"evil.example", "http://evil.example", false},
	} {
		dialer := ws.Dialer{Host: test.host, Header: ws.HandshakeHeaderHTTP{"Origin": {test.origin}}}
		conn, _, _, err := dialer.Dial(t.Context(), "ws://"+r.address+"/room")
		if test.ok {
			require.NoError(t, err)
			require.NoError(t, conn.Close())
		} else {
			assert.ErrorContains(t, err, "403")
		}
	}
	r.signals <- os.Interrupt
	assert.Zero(t, r.exit())
}

// Whatever keeps the program from starting is one line that says what to do.
func TestRun_Refusals(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer busy.Close()
	dir := t.TempDir()
	notes := filepath.Join(dir, "notes.txt")
	require.NoError(t, os.WriteFile(notes, bytes.Repeat([]byte("no database\n"), 100), 0o600))
	tests := []struct {
		name string
		args []string
		want string
	}{
		{"unknown flag", []string{"--foo"}, "yserver --help lists the flags"},
		{"port in use", []string{"--listen", busy.Addr().String()}, "choose another address with --listen"},
		{"no such host", []string{"--listen", "256.0.0.1:1"}, "choose another address with --listen"},
		{"no such store", []string{"--store", "oracle://x"}, "write sqlite:///path/to.db, file:///path/to/directory, postgres://"},
		{"more than memory", []string{"--store", "memory:x"}, "nothing may follow the colon"},
		{"no server", []string{"--store", "postgres:///x?host=" + dir}, "check that it runs"},
		{"no path", []string{"--store", "sqlite:"}, "the path is empty"},
		{"no directory", []string{"--store", "sqlite://" + filepath.Join(dir, "none", "x.db")}, "create it or name another file"},
		{"no directory above", []string{"--store", "file://" + filepath.Join(dir, "none", "rooms")}, "create it or name another one"},
		{"other files", []string{"--store", "file://" + dir}, "name a directory of its own"},
		{"no database", []string{"--store", "sqlite://" + notes}, "it is not a SQLite database"},
		{"no quarantine", []string{"--quarantine", notes}, "name a directory"},
		{"no origin", []string{"--allowed-origins", "example.com"}, "write scheme://host"},
		{"no host", []string{"--allowed-hosts", "https://example.com"}, "write a name"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			args := append([]string{"--listen", "127.0.0.1:0"}, test.args...)
			assert.Equal(t, 1, run(args, environment(), nil, &stdout, &stderr))
			assert.Empty(t, stdout.String())
			line, rest, _ := strings.Cut(stderr.String(), "\n")
			assert.True(t, strings.HasPrefix(line, "yserver: "), line)
			assert.Contains(t, line, test.want)
			assert.Empty(t, rest)
		})
	}
}

func TestRun_Help(t *testing.T) {
	var stdout, stderr bytes.Buffer
	assert.Zero(t, run([]string{"--help"}, environment(), nil, &stdout, &stderr))
	assert.Contains(t, stdout.String(), "--listen")
	assert.Empty(t, stderr.String())
}
