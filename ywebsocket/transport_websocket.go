package ywebsocket

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/gobwas/ws"
)

const (
	// clientCloseTimeout bounds the closing handshake of a client.
	clientCloseTimeout = time.Second
	// clientWriteSize is how much of a message a client hands to the network at once.
	clientWriteSize = 1 << 20
)

// webSocket is the client's end of a WebSocket.
type webSocket struct {
	conn    *activeConn
	reader  *messageReader
	options DialOptions

	// writes is held to write a frame. Deadlines are set with mu held.
	writes sync.Mutex

	mu    sync.Mutex
	err   error // why it has ended; nil: it has not
	timer *time.Timer
	// pong is the payload of the ping that waits to be answered, by a goroutine that runs while answering is set.
	pong      []byte
	answering bool
}

func newWebSocket(conn *activeConn, options DialOptions) *webSocket {
	w := &webSocket{conn: conn, options: options}
	limits := Limits{Message: options.MaxMessage, Fragments: 100_000, ControlFrames: 1_000}
	timeouts := Timeouts{Header: options.Silence, Message: options.Silence}
	all := &incoming{max: int64(options.MaxMessage)}
	w.reader = newMessageReader(newPace(conn, w.setReadDeadline, timeouts), limits, all)
	w.reader.side = ws.StateClientSide
	w.timer = time.AfterFunc(options.Silence/2, w.watch)
	return w
}

// ReadMessage also answers pings and the close frame.
func (w *webSocket) ReadMessage() ([]byte, error) {
	for {
		m, err := w.reader.next()
		if err != nil {
			return nil, w.fail(err)
		}
		switch m.op {
		case ws.OpBinary:
			if w.reason() == nil {
				return m.payload, nil
			}
		case ws.OpPing:
			w.answerPing(m.payload)
		case ws.OpClose:
			code, reason := ws.ParseCloseFrameData(m.payload)
			if len(m.payload) < 2 {
				code, reason = 0, ""
			}
			w.close(&CloseError{Code: CloseCode(code), Reason: reason}, replyTo(m.payload), "")
			_ = w.conn.Close()
			return nil, w.reason()
		}
	}
}

// progress tells of long messages that are arriving: see pace.
func (w *webSocket) progress() (parts uint64, receiving bool) { return w.reader.pace.progress() }

// replyTo returns the code that answers a close frame: its own, or none if a client must not send that.
func replyTo(payload []byte) CloseCode {
	if len(payload) == 0 || !validClose(payload) {
		return 0
	}
	code, _ := ws.ParseCloseFrameData(payload)
	return CloseCode(code)
}

// fail ends the connection because of what reading it has led to, and returns why it has ended.
func (w *webSocket) fail(err error) error {
	var violation *closeError
	if errors.As(err, &violation) {
		w.close(violationError(violation), violation.code, violation.reason)
	}
	w.mu.Lock()
	if w.err == nil {
		w.err = fmt.Errorf("the connection was lost: %w", err)
	}
	w.timer.Stop()
	w.mu.Unlock()
	_ = w.conn.Close()
	return w.reason()
}

// violationError says what is wrong with the server.
func violationError(violation *closeError) error {
	switch violation.code {
	case CloseTooBig:
		return fmt.Errorf("%w: the server sent more than MaxMessage allows: %s", ErrPermanent, violation.reason)
	case CloseProtocolError, CloseUnsupportedData:
		return fmt.Errorf("%w: the server does not speak the protocol of y-websocket: %s", ErrPermanent, violation.reason)
	default:
		return fmt.Errorf("the server misbehaves: %s", violation.reason)
	}
}

// answerPing has a goroutine send the pong, since the one that reads must not wait to write.
func (w *webSocket) answerPing(payload []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pong = append([]byte{}, payload...)
	if !w.answering && w.err == nil {
		w.answering = true
		go w.sendPongs()
	}
}

func (w *webSocket) sendPongs() {
	for {
		w.mu.Lock()
		payload := w.pong
		w.pong = nil
		w.answering = payload != nil
		w.mu.Unlock()
		if payload == nil {
			return
		}
		_ = w.write(ws.OpPong, payload) // the reader notices if the connection is gone
	}
}

// watch pings a silent server, and gives it up when the ping does not help.
func (w *webSocket) watch() {
	silence := w.conn.received.ago()
	w.mu.Lock()
	if w.err != nil {
		w.mu.Unlock()
		return
	}
	ping := silence >= w.options.Silence/2
	switch {
	case silence >= w.options.Silence:
		w.err = fmt.Errorf("the server has been silent for %v", w.options.Silence)
		_ = w.conn.Close()
		w.mu.Unlock()
		return
	case ping:
		w.timer.Reset(w.options.Silence - silence)
	default:
		w.timer.Reset(w.options.Silence/2 - silence)
	}
	w.mu.Unlock()
	if ping {
		_ = w.write(ws.OpPing, nil) // the reader notices if the connection is gone
	}
}

func (w *webSocket) WriteMessage(message []byte) error { return w.write(ws.OpBinary, message) }

func (w *webSocket) write(op ws.OpCode, payload []byte) error {
	frame := maskedFrame(op, payload)
	w.writes.Lock()
	defer w.writes.Unlock()
	for len(frame) > 0 {
		if err := w.allowWrite(); err != nil {
			return err
		}
		n, err := w.conn.Write(frame[:min(len(frame), clientWriteSize)])
		if err != nil {
			return fmt.Errorf("the connection was lost: %w", err)
		}
		frame = frame[n:]
	}
	return nil
}

// allowWrite sets the deadline of the next write.
func (w *webSocket) allowWrite() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		_ = w.conn.SetWriteDeadline(time.Now().Add(w.options.Write)) // fails only if the connection is gone
	}
	return w.err
}

func (w *webSocket) setReadDeadline(deadline time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		_ = w.conn.SetReadDeadline(deadline) // fails only if the connection is gone
	}
}

func (w *webSocket) reason() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

func (w *webSocket) Close(code CloseCode, reason string) error {
	w.close(errConnClosed, code, reason)
	return nil
}

// close sends the close frame, and leaves the peer a moment to answer it to whoever reads. If the connection were cut
// while there is something to read it would be reset, and the close frame lost.
func (w *webSocket) close(why error, code CloseCode, reason string) {
	w.mu.Lock()
	if w.err != nil {
		w.mu.Unlock()
		return
	}
	w.err = why
	w.timer.Stop()
	_ = w.conn.SetDeadline(time.Now().Add(clientCloseTimeout)) // a write under way ends by then, too
	w.mu.Unlock()
	time.AfterFunc(clientCloseTimeout, func() { _ = w.conn.Close() })

	w.writes.Lock()
	defer w.writes.Unlock()
	if _, err := w.conn.Write(maskedFrame(ws.OpClose, closeBody(code, reason))); err == nil {
		closeWrite(w.conn.Conn)
	}
}

// maskedFrame encodes a frame as clients send it.
func maskedFrame(op ws.OpCode, payload []byte) []byte {
	header := ws.Header{Fin: true, OpCode: op, Masked: true, Length: int64(len(payload))}
	_, _ = rand.Read(header.Mask[:]) // never fails
	frame := bytes.NewBuffer(make([]byte, 0, ws.HeaderSize(header)+len(payload)))
	_ = ws.WriteHeader(frame, header) // writing to memory does not fail
	start := frame.Len()
	frame.Write(payload)
	ws.Cipher(frame.Bytes()[start:], header.Mask, 0)
	return frame.Bytes()
}
