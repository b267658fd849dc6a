package main

import (
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/yrs-go/yrs/ywebsocket"
)

// writeTimeout is for an answer, or for the next writeSize bytes of a long one. It is
// more than readinessTimeout.
const (
	writeTimeout = 8 * time.Second
	writeSize    = 64 << 10
)

// newHTTPServer makes sure that a connection that does not become one to a room ends
// within ten seconds: one that brings no request, or a request without its end, or
// does not read the answer. Answers are short and seldom, so each has a connection of
// its own.
func newHTTPServer(handler http.Handler, log *slog.Logger) *http.Server {
	s := ywebsocket.NewHTTPServer("", handler)
	s.ReadTimeout = s.ReadHeaderTimeout
	s.WriteTimeout = writeTimeout
	s.ErrorLog = slog.NewLogLogger(log.Handler(), slog.LevelWarn)
	s.SetKeepAlivesEnabled(false)
	return s
}

// pacedWriter gives a client that reads slowly more time as long as it reads.
type pacedWriter struct{ http.ResponseWriter }

func (w pacedWriter) Write(p []byte) (written int, err error) {
	controller := http.NewResponseController(w.ResponseWriter)
	for part := range slices.Chunk(p, writeSize) {
		if err := controller.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
			return written, err
		}
		n, err := w.ResponseWriter.Write(part)
		if written += n; err != nil {
			return written, err
		}
	}
	return written, nil
}
