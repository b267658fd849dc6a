package ywebsocket

import (
	"errors"
	"fmt"
)

// Conn carries messages of the protocol between a [Provider] and a server: whole ones, both ways, in the order in
// which they were sent. [Dial] makes one of a WebSocket and [Pipe] two in memory; a program can bring others, for
// WebRTC or a message broker, say.
//
// One goroutine reads while another writes, and any number may call Close. There are no contexts: what waits is ended
// by Close. A message is never changed after it was handed over, neither by the sender nor by the receiver, so that a
// Conn in memory need not copy it.
type Conn interface {
	// ReadMessage waits for the next message. Once the peer has closed the connection the error is a [*CloseError]. A
	// Conn that notices that its peer is gone without a word returns an error too; nobody else looks after that.
	ReadMessage() ([]byte, error)

	// WriteMessage hands a message to the transport. It may wait for the peer to take messages, but not for ever.
	WriteMessage(message []byte) error

	// Close ends the connection: calls under way fail, and later ones do. Where the transport can, it tells the peer
	// code and reason, after what was written before. It returns soon. Only the first call counts.
	Close(code CloseCode, reason string) error
}

// ErrPermanent matches the errors after which trying again would not help. A [Provider] that meets one stops; every
// other error makes it connect again. Functions in [ProviderOptions] can return errors that match it.
var ErrPermanent = errors.New("trying again will not help")

// errConnClosed is what a Conn returns after its own Close.
var errConnClosed = errors.New("the connection has been closed on this side")

// CloseError says how the peer has closed a connection. It matches [ErrPermanent] if the code is from 4400 to 4499.
type CloseError struct {
	// Code is 0 if the peer gave none.
	Code CloseCode
	// Reason is what the peer says about it, perhaps nothing.
	Reason string
}

func (e *CloseError) Error() string {
	if e.Code == 0 {
		return "the peer closed the connection without a code"
	}
	return fmt.Sprintf("the peer closed the connection with code %d: %q", e.Code, e.Reason)
}

// Is makes errors.Is find [ErrPermanent].
func (e *CloseError) Is(target error) bool {
	return target == ErrPermanent && e.Code >= firstPermanentCode && e.Code <= lastPermanentCode
}

// The codes after which y-websocket, too, stays away.
const (
	firstPermanentCode CloseCode = 4400
	lastPermanentCode  CloseCode = 4499
)
