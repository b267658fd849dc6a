package ywebsocket

import (
	"net/http"
	"time"
)

// NewHTTPServer returns an HTTP server for a handler that a [Server] is, or is a part
// of. It has what an [http.Server] lacks by default: limits for who opens a
// connection and does not complete a request. The server cannot impose them itself,
// since a handler is called when the header of a request is complete; what follows
// is bounded by [Timeouts].
//
// A header has to arrive within 5 seconds and 32 KiB, and the next request within
// two minutes. The time for reading a body and for writing an answer is not limited:
// ReadTimeout and WriteTimeout do that, where the handler has no long uploads or
// downloads beside the server. Connections to rooms are exempt from all of these.
//
// Fields can be changed until it serves.
func NewHTTPServer(address string, handler http.Handler) *http.Server {
	return &http.Server{
		Addr:              address,
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		IdleTimeout:       2 * time.Minute, // more than what proxies in front have
		MaxHeaderBytes:    32 << 10,
	}
}
