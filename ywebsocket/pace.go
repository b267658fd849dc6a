package ywebsocket

import (
	"io"
	"math"
	"os"
	"sync/atomic"
	"time"
)

// pace is the reading side of a connection. It bounds how long a client may take
// over what it has begun to send: a read that waits longer fails with
// [os.ErrDeadlineExceeded]. Only the time spent waiting for the network counts, not
// what the server does in between.
//
// A deadline is set only to wait for the rest of something, so that a message that
// arrives in one piece costs none. A pace belongs to one goroutine, but for expire
// and progress.
type pace struct {
	transport   io.Reader
	setDeadline func(time.Time)
	timeouts    Timeouts

	// What is left of the time for the present frame, up to its payload, and for the
	// present part of a message; forever if there is none.
	frameLeft, partLeft time.Duration
	// limited is set while the connection has a deadline.
	limited bool
	// expired is set when the time is up for another reason.
	expired atomic.Bool

	// inMessage is set while the rest of a message is waited for, and parts are those of
	// messages that have arrived.
	inMessage atomic.Bool
	parts     atomic.Uint64
}

const forever = time.Duration(math.MaxInt64)

// partSize is how much of a message has to arrive within Timeouts.Message.
const partSize = 64 << 10

func newPace(transport io.Reader, setDeadline func(time.Time), timeouts Timeouts) *pace {
	return &pace{
		transport:   transport,
		setDeadline: setDeadline,
		timeouts:    timeouts,
		frameLeft:   forever,
		partLeft:    forever,
	}
}

func (p *pace) beginFrame() { p.frameLeft = p.timeouts.Header }
func (p *pace) endFrame()   { p.frameLeft = forever }
func (p *pace) beginPart()  { p.partLeft = p.timeouts.Message }

func (p *pace) beginMessage() {
	p.beginPart()
	p.inMessage.Store(true)
}

func (p *pace) nextPart() {
	p.beginPart()
	p.parts.Add(1)
}

func (p *pace) endMessage() {
	p.partLeft = forever
	p.inMessage.Store(false)
}

// progress returns how many parts of messages have arrived so far, and whether a
// message is arriving. Others may call it.
func (p *pace) progress() (parts uint64, receiving bool) {
	return p.parts.Load(), p.inMessage.Load()
}

// expire ends the time for whatever is to be read. Others may call it.
func (p *pace) expire() {
	p.expired.Store(true)
	p.setDeadline(time.Now())
}

func (p *pace) Read(b []byte) (int, error) {
	left := min(p.frameLeft, p.partLeft)
	if left == forever {
		if p.limited {
			p.limited = false
			p.setDeadline(time.Time{})
		}
		return p.transport.Read(b)
	}
	start := time.Now()
	p.limited = true
	p.setDeadline(start.Add(left))
	if p.expired.Load() { // its deadline may be overwritten by now
		return 0, os.ErrDeadlineExceeded
	}
	n, err := p.transport.Read(b)
	waited := time.Since(start)
	p.frameLeft = less(p.frameLeft, waited)
	p.partLeft = less(p.partLeft, waited)
	return n, err
}

func less(left, waited time.Duration) time.Duration {
	if left == forever {
		return forever
	}
	return left - waited
}
