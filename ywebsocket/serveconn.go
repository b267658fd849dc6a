package ywebsocket

import (
	"errors"
	"net"
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
// A silent client is not pinged; conn has to notice when its peer is gone.
func (s *Server) ServeConn(conn Conn, room string, identity Identity) error {
	err := checkRoomName(room, s.options.Limits.RoomName)
	if err != nil {
		_ = conn.Close(ClosePolicyViolation, err.Error())
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
	s.start(reserved, &activeConn{Conn: ours, received: newActivity()}, "conn", identity)
	return relay(conn, socket)
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
