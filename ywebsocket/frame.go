package ywebsocket

import (
	"bytes"
	"sync/atomic"

	"github.com/gobwas/ws"

	"github.com/yrs-go/yrs/ycrdt/protocol"
)

// frameKind says what an outbox may do with a frame when it runs full.
type frameKind uint8

const (
	// frameReply is owed to this client alone and stays as it is.
	frameReply frameKind = iota
	// frameUpdate is a broadcast update: several can be merged into one.
	frameUpdate
	// frameAwareness is a broadcast awareness update: the latest state counts.
	frameAwareness
)

// frame is one encoded WebSocket frame. It is immutable, so that a broadcast is
// encoded once and shared by the outboxes of all its receivers.
type frame struct {
	kind frameKind
	// wire is the whole frame, header included.
	wire []byte
	// content is the update or the awareness update, inside wire.
	content []byte
	// of is the diff that this is, if it is one: whoever has the frame keeps that from
	// being forgotten.
	of *diff
	// holders is how often it is in outboxes; nil if it does not count.
	holders *atomic.Int64
}

// keepAliveFrame is an empty awareness update. y-websocket 3.1.0 takes a
// connection for dead that brings no message for 30 seconds, and WebSocket pings
// are no messages to it. It does not count: it belongs to no server in particular.
var keepAliveFrame = frame{
	kind: frameReply,
	wire: encodeFrame(ws.OpBinary, protocol.AppendAwareness(nil, protocol.AppendAwarenessUpdate(nil))),
}

var pingFrame = frame{wire: encodeFrame(ws.OpPing, nil)}

func updateFrame(update []byte) frame {
	return newFrame(frameUpdate, len(update), func(dst []byte) []byte {
		return protocol.AppendUpdate(dst, update)
	})
}

// echoFrame is the update that a client sent, on its way back.
func echoFrame(update []byte) frame {
	f := updateFrame(update)
	f.kind = frameReply
	return f
}

func awarenessFrame(update []byte) frame {
	return newFrame(frameAwareness, len(update), func(dst []byte) []byte {
		return protocol.AppendAwareness(dst, update)
	})
}

func step1Frame(stateVector []byte) frame {
	return newFrame(frameReply, len(stateVector), func(dst []byte) []byte {
		return protocol.AppendSyncStep1(dst, stateVector)
	})
}

func step2Frame(update []byte) frame {
	return newFrame(frameReply, len(update), func(dst []byte) []byte {
		return protocol.AppendSyncStep2(dst, update)
	})
}

func deniedFrame(reason string) frame {
	return newFrame(frameReply, len(reason), func(dst []byte) []byte {
		return protocol.AppendPermissionDenied(dst, reason)
	})
}

func pongFrame(payload []byte) frame {
	return frame{wire: encodeFrame(ws.OpPong, payload)}
}

const (
	// headerRoom is the size of the longest header of a server, which does not
	// mask.
	headerRoom = ws.MaxHeaderSize - 4
	// maxMessagePrefix is two bytes of message type and a length.
	maxMessagePrefix = 2 + 10
)

// newFrame builds a binary frame around the message that write appends. The
// message ends with its content, of the given size.
func newFrame(kind frameKind, size int, write func(dst []byte) []byte) frame {
	buf := write(make([]byte, headerRoom, headerRoom+maxMessagePrefix+size))
	wire := putHeader(buf, ws.OpBinary)
	return frame{kind: kind, wire: wire, content: wire[len(wire)-size:], holders: new(atomic.Int64)}
}

func encodeFrame(op ws.OpCode, payload []byte) []byte {
	return putHeader(append(make([]byte, headerRoom, headerRoom+len(payload)), payload...), op)
}

// putHeader writes the header of an unmasked frame right in front of the
// payload, which begins at headerRoom, and returns both.
func putHeader(buf []byte, op ws.OpCode) []byte {
	header := ws.Header{Fin: true, OpCode: op, Length: int64(len(buf) - headerRoom)}
	start := headerRoom - ws.HeaderSize(header)
	// The buffer has the capacity; writing to memory does not fail.
	_ = ws.WriteHeader(bytes.NewBuffer(buf[start:start]), header)
	return buf[start:]
}
