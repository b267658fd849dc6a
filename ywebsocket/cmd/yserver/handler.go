package main

import (
	"io"
	"log/slog"
	"net/http"

	"github.com/yrs-go/yrs/ywebsocket"
	"github.com/yrs-go/yrs/ywebsocket/cmd/yserver/web"
)

// newHandler gives WebSocket connections to the server, whatever their path, and
// answers everything else itself: a room may have the name of a page.
func newHandler(server *ywebsocket.Server, log *slog.Logger) http.Handler {
	pages := http.NewServeMux()
	pages.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "alive\n")
	})
	pages.Handle("GET /readyz", &readiness{check: server.Ready, log: log})
	pages.Handle("/", web.Handler())

	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if ywebsocket.IsUpgrade(r) {
			server.ServeHTTP(w, r)
		} else {
			pages.ServeHTTP(pacedWriter{w}, r)
		}
	})
}
