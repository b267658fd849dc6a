package ywebsocket

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"time"
)

// ServeConn serves a client that is at the other end of conn, in a room, until one of
// them ends the connection: as [Server.ServeHTTP] does for WebSockets, with the same
// limits, but for whatever transport the program has. Who may enter which room is
// decided before.
//
// It returns nil once the client has left, and the server's reason, a [*CloseError],
// if that has ended the connection. Other errors say why there was none. In any case
// conn is closed.
//
// A silent client is not pinged; conn has to notice when its peer is gone. One that
// takes no messages loses its connection when the server has ended it, as it does
// with a client that reads too slowly, and Timeouts.Close is over.
func (s *Server) ServeConn(conn Conn, room string, identity Identity) error {
	err := checkRoomName(room, s.options.Limits.RoomName)
	if err != nil {
		_ = conn.Close(CloseMalformed, err.Error())
		return err
	}
	reserved, err := s.reserve(room)
	if err != nil {
		_ = conn.Close(CloseTryAgainLater, err.Error())
		return err
	}
	options, err := DialOptions{}.withDefaults()
	if err != nil {
		return err
	}
	// To the server the client is one with a WebSocket: that has one way in, however
	// a message has come to it.
	ours, theirs := net.Pipe()
	socket := newWebSocket(&activeConn{Conn: theirs, received: newActivity()}, options)
	served := s.start(reserved, &activeConn{Conn: ours, received: newActivity()}, "conn", identity)
	stuck := &stuckClient{conn: conn, left: make(chan struct{})}
	stop := context.AfterFunc(served.ctx, func() { stuck.closeAfter(s.options.Timeouts.Close) })
	defer stop()
	defer close(stuck.left)
	if err = relay(conn, socket); err == nil && stuck.closed.Load() {
		return &CloseError{CloseTryAgainLater, stuckReason}
	}
	return err
}

// stuckClient is a client in case that it takes nothing any more: neither what was sent
// to it nor that this was the end.
type stuckClient struct {
	conn   Conn
	left   chan struct{} // closed when it has ended by itself
	closed atomic.Bool
}

const stuckReason = "reading too slowly: reconnect to catch up"

// closeAfter is called when the server has ended the connection.
func (c *stuckClient) closeAfter(timeout time.Duration) {
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case <-timer.C:
		c.closed.Store(true)
		_ = c.conn.Close(CloseTryAgainLater, stuckReason)
	case <-c.left:
	}
}

// relay carries messages between a client and its socket until one of them ends, and
// returns the server's reason if it was that one.
func relay(client, socket Conn) error {
	left := make(chan struct{})
	go func() {
		defer close(left)
		_ = carry(client, socket)
	}()
	ended := carry(socket, client)
	<-left
	var reason *CloseError
	if errors.As(ended, &reason) {
		return reason
	}
	return nil
}

// carry hands messages on until one side ends, and ends the other one in the same way.
// It returns why there is nothing more to read, if that was the reason.
func carry(from, to Conn) error {
	for {
		message, err := from.ReadMessage()
		if err != nil {
			code, reason := CloseGoingAway, ""
			var closed *CloseError
			if errors.As(err, &closed) {
				code, reason = closed.Code, closed.Reason
			}
			_ = to.Close(code, reason)
			_ = from.Close(code, reason)
			return err
		}
		if to.WriteMessage(message) != nil {
			// Whoever reads from there knows why.
			_ = from.Close(CloseGoingAway, "")
			return nil
		}
	}
}
