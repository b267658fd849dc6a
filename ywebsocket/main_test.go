package ywebsocket

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve runs a server for the time of the test and returns it with the ws://
// address of its rooms. Some change it before it serves.
func serve(t *testing.T, options Options, change ...func(*Server)) (*Server, string) {
	t.Helper()
	s := newTestServer(t, options)
	for _, f := range change {
		f(s)
	}
	return s, listen(t, s)
}

// newTestServer makes a server that is shut down at the end of the test.
func newTestServer(t *testing.T, options Options) *Server {
	t.Helper()
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	s, err := NewServer(options)
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		assert.NoError(t, s.Shutdown(ctx))
		assert.Zero(t, s.outgoing.used.Load(), "everything that was to be sent is counted out")
	})
	return s
}

func listen(t *testing.T, h http.Handler) string {
	t.Helper()
	listener := httptest.NewServer(h)
	t.Cleanup(listener.Close)
	return "ws" + strings.TrimPrefix(listener.URL, "http") + "/"
}
