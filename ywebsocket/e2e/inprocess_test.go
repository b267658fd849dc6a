package e2e_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/internal/peers"
	"github.com/yrs-go/yrs/ywebsocket"
)

// serve runs a server with options that the program has no flags for, behind a handler that mount, which may
// be nil, makes of it. It returns the ws:// address.
func serve(t *testing.T, options ywebsocket.Options, mount func(http.Handler) http.Handler) string {
	t.Helper()
	options.Logger = slog.New(slog.DiscardHandler)
	server, err := ywebsocket.NewServer(options)
	require.NoError(t, err)
	var handler http.Handler = server
	if mount != nil {
		handler = mount(server)
	}
	listener := httptest.NewServer(handler)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), peers.Timeout)
		defer cancel()
		assert.NoError(t, server.Shutdown(ctx))
		listener.Close()
	})
	return "ws" + strings.TrimPrefix(listener.URL, "http")
}
