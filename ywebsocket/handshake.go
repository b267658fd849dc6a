package ywebsocket

import (
	"bytes"
	"errors"
	"net"
	"net/http"
	"strings"

	"github.com/gobwas/ws"
)

// IsUpgrade reports whether a request asks for a WebSocket connection. Where a
// server offers pages under the same paths, it tells the two apart.
func IsUpgrade(r *http.Request) bool {
	return hasToken(r.Header.Values("Connection"), "upgrade") &&
		hasToken(r.Header.Values("Upgrade"), "websocket")
}

// hasToken looks for a token in a header of comma separated ones.
func hasToken(lines []string, token string) bool {
	for _, line := range lines {
		for part := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.TrimSpace(part), token) {
				return true
			}
		}
	}
	return false
}

// refusal is a request that does not become a connection.
type refusal struct {
	status int
	err    error
}

func (s *Server) refuse(w http.ResponseWriter, r *http.Request, status int, err error) {
	s.log.Info("connection refused", "client", r.RemoteAddr, "path", r.URL.Path, "status", status, "reason", err)
	switch status {
	case http.StatusUpgradeRequired:
		w.Header().Set("Connection", "Upgrade")
		w.Header().Set("Upgrade", "websocket")
	case http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", "1")
	}
	http.Error(w, err.Error(), status)
}

// roomFor checks a request and returns the name of the room it is for.
func (s *Server) roomFor(r *http.Request) (string, *refusal) {
	if err := s.hosts.check(r); err != nil {
		return "", &refusal{http.StatusForbidden, err}
	}
	if err := s.origins.check(r); err != nil {
		return "", &refusal{http.StatusForbidden, err}
	}
	name, err := s.options.RoomName(r)
	if err == nil {
		err = checkRoomName(name, s.options.Limits.RoomName)
	}
	if err != nil {
		return "", &refusal{http.StatusBadRequest, err}
	}
	if !IsUpgrade(r) {
		return "", &refusal{http.StatusUpgradeRequired, errors.New("this is a WebSocket endpoint: connect with a Yjs provider")}
	}
	return name, nil
}

// upgrade answers the request and takes the connection over. Whatever the client
// sent behind its request is still to be read from it. After an error the client
// has its answer.
func (s *Server) upgrade(w http.ResponseWriter, r *http.Request) (*activeConn, error) {
	upgrader := ws.HTTPUpgrader{
		Timeout: s.options.Timeouts.Handshake,
		// Peers that ask for a subprotocol want one back; it does not matter which.
		Protocol: func(string) bool { return true },
	}
	conn, buffers, _, err := upgrader.Upgrade(r, w)
	if err != nil {
		closeQuietly(conn)
		return nil, err
	}
	early, err := buffers.Reader.Peek(buffers.Reader.Buffered())
	if err != nil {
		closeQuietly(conn)
		return nil, err
	}
	return &activeConn{Conn: conn, early: bytes.Clone(early), received: newActivity()}, nil
}

// closeQuietly closes a connection that has failed; it may be nil.
func closeQuietly(conn net.Conn) {
	if conn != nil {
		_ = conn.Close()
	}
}
