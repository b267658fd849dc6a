package ywebsocket

import (
	"errors"
	"sync"
	"time"
)

// pipeTimeout is how long one end of a pipe waits for the other to take a message.
const pipeTimeout = time.Minute

var errPipeStuck = errors.New("the other end of the pipe has taken no message for a minute")

// pipeRoom is how many messages are on their way at most, so that the two ends need not take turns for each.
const pipeRoom = 8

// Pipe returns the two ends of a connection in memory. A few messages are kept in between, and are still delivered when
// the end that wrote them is closed. If one end waits for the other for a minute the connection ends.
func Pipe() (Conn, Conn) {
	p := &pipe{done: make(chan struct{})}
	there, back := make(chan []byte, pipeRoom), make(chan []byte, pipeRoom)
	return &pipeEnd{pipe: p, in: back, out: there}, &pipeEnd{pipe: p, in: there, out: back}
}

// pipe is what both ends share.
type pipe struct {
	once sync.Once
	done chan struct{} // closed when one end is; the rest is valid then
	by   *pipeEnd
	err  *CloseError
}

type pipeEnd struct {
	*pipe
	in  <-chan []byte
	out chan<- []byte
}

func (e *pipeEnd) ReadMessage() ([]byte, error) {
	select {
	case message := <-e.in:
		return message, nil
	case <-e.done:
	}
	select {
	case message := <-e.in: // was written before
		return message, nil
	default:
		return nil, e.reason()
	}
}

func (e *pipeEnd) WriteMessage(message []byte) error {
	select {
	case <-e.done:
		return e.reason()
	default:
	}
	select {
	case e.out <- message:
		return nil
	default: // the other end has to take some first
	}
	timer := time.NewTimer(pipeTimeout)
	defer timer.Stop()
	select {
	case e.out <- message:
		return nil
	case <-e.done:
		return e.reason()
	case <-timer.C:
		_ = e.Close(CloseTryAgainLater, stuckReason)
		return errPipeStuck
	}
}

func (e *pipeEnd) reason() error {
	if e.by == e {
		return errConnClosed
	}
	return e.err
}

func (e *pipeEnd) Close(code CloseCode, reason string) error {
	e.once.Do(func() {
		e.by, e.err = e, &CloseError{Code: code, Reason: reason}
		close(e.done)
	})
	return nil
}
