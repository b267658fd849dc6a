package ywebsocket

import (
	"math"
	"time"
)

// watch starts the timer that keeps the connection alive and notices when the
// client is gone.
func (c *conn) watch() {
	c.timer = time.AfterFunc(math.MaxInt64, c.tick)
	c.timer.Reset(0)
}

// tick does what is due and sets the timer to when something will be next.
func (c *conn) tick() {
	if c.out.isClosed() {
		return
	}
	t := &c.server.options.Timeouts
	if c.out.isWriting() {
		// A ping would have to wait for what is being written, and Timeouts.Write says how
		// long that may take.
		c.wrote.now()
		c.pinged.Store(false)
	}
	silence := min(c.silence(), c.wrote.ago())
	switch {
	case silence >= t.Ping+t.Pong:
		c.out.close(CloseGoingAway, "no answer to pings: reconnect")
		return
	case silence >= t.Ping && !c.pinged.Swap(true):
		c.out.send(pingFrame)
	}
	if c.out.sent.ago() >= t.KeepAlive {
		c.out.send(keepAliveFrame)
		c.out.sent.now() // do not repeat it while it waits to be written
	}
	due := t.Ping - silence
	if due <= 0 {
		due += t.Pong
	}
	c.timer.Reset(max(min(due, t.KeepAlive-c.out.sent.ago()), time.Millisecond))
}

// silence is how long the server has been waiting for a sign of the client.
func (c *conn) silence() time.Duration {
	if !c.waiting.Load() {
		return 0
	}
	return c.transport.received.ago()
}
