package ywebsocket

import (
	"errors"
	"sync"
	"time"
)

// pipeTimeout is how long one end of a pipe waits for the other to take a message.
const pipeTimeout = time.Minute

var errPipeStuck = errors.New("the other end of the pipe has taken no message for a minute")

// Pipe returns the two ends of a connection in memory. A message is handed from one to the other when both are there:
// nothing is kept in between. If one waits for the other for a minute the connection ends.
func Pipe() (Conn, Conn) {
	p := &pipe{done: make(chan struct{})}
	there, back := make(chan []byte), make(chan []byte)
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
		return nil, e.reason()
	}
}

func (e *pipeEnd) WriteMessage(message []byte) error {
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
