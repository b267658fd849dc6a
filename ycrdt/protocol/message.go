package protocol

import (
	"fmt"
	"io"
)

// MessageType is the first integer of a message.
type MessageType uint64

// The message types that y-websocket and its relatives use.
const (
	MessageSync           MessageType = 0
	MessageAwareness      MessageType = 1
	MessageAuth           MessageType = 2
	MessageQueryAwareness MessageType = 3
)

// Message is one message of a frame.
type Message struct {
	// Type says which of the other fields have a meaning.
	Type MessageType
	// Sync is the kind of a MessageSync.
	Sync SyncType
	// Payload is a view into the frame, valid as long as the frame is. It holds
	// the state vector of a SyncStep1, the update of a SyncStep2 or a
	// SyncUpdate, the awareness update of a MessageAwareness and the reason, in
	// UTF-8, of a MessageAuth, which always means permission denied. A
	// MessageQueryAwareness has none.
	Payload []byte
}

// UnknownMessageError reports a message of a type that this package does not
// know. How long such a message is only its inventor knows: the decoder stands
// right behind the type, so that the caller can read the rest, ignore the rest
// of the frame, or close the connection. It matches [ErrUnknownMessage] and not
// [ErrMalformed].
type UnknownMessageError struct {
	// Type is the type of the message. If it is MessageSync or MessageAuth, it is
	// Subtype that is unknown.
	Type MessageType
	// Subtype is the second integer of a MessageSync or a MessageAuth.
	Subtype uint64
	// Offset is the position of the message in the frame, in bytes.
	Offset int
}

func (e *UnknownMessageError) Error() string {
	if e.Type == MessageSync || e.Type == MessageAuth {
		return fmt.Sprintf("protocol: unknown message type %d.%d at byte %d", e.Type, e.Subtype, e.Offset)
	}
	return fmt.Sprintf("protocol: unknown message type %d at byte %d", e.Type, e.Offset)
}

// Unwrap returns [ErrUnknownMessage].
func (e *UnknownMessageError) Unwrap() error { return ErrUnknownMessage }

// ReadMessage reads the next message of a frame. At the end of the frame it
// returns [io.EOF]; a message cut short is an error that matches [ErrMalformed],
// and one of unknown type an [*UnknownMessageError].
func ReadMessage(d *Decoder) (Message, error) {
	if d.Remaining() == 0 {
		return Message{}, io.EOF
	}
	start := d.off
	t, err := d.ReadVarUint()
	if err != nil {
		return Message{}, err
	}
	switch MessageType(t) {
	case MessageSync:
		return readSync(d, start)
	case MessageAwareness:
		return readAwareness(d)
	case MessageAuth:
		return readAuth(d, start)
	case MessageQueryAwareness:
		return Message{Type: MessageQueryAwareness}, nil
	default:
		return Message{}, &UnknownMessageError{Type: MessageType(t), Offset: start}
	}
}
