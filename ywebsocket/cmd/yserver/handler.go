package main

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/yrs-go/yrs/ywebsocket"
	"github.com/yrs-go/yrs/ywebsocket/cmd/yserver/web"
)

// newHandler gives WebSocket connections to the server, whatever their path, and
// answers everything else itself: a room may have the name of a page.
func newHandler(server *ywebsocket.Server) http.Handler {
	pages := http.NewServeMux()
	pages.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "alive\n")
	})
	pages.HandleFunc("GET /readyz", readiness(server))
	pages.Handle("/", web.Handler())

	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if ywebsocket.IsUpgrade(r) {
			server.ServeHTTP(w, r)
		} else {
			pages.ServeHTTP(pacedWriter{w}, r)
		}
	})
}

const readinessTimeout = 5 * time.Second

func readiness(server *ywebsocket.Server) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), readinessTimeout)
		defer cancel()
		if err := server.Ready(ctx); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		_, _ = io.WriteString(w, "ready\n")
	}
}
