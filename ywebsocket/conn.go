package ywebsocket

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"github.com/gobwas/ws"
)

// conn is the connection of one client to one room.
type conn struct {
	server *Server
	room   *room
	remote string

	// ctx ends when the connection is being closed.
	ctx context.Context

	transport *activeConn
	reader    *messageReader
	out       *outbox
	resync    resync
	identity  Identity
	speaker   speaker
	standing  standing

	// waiting is set while the reader waits for the client, who may then be blamed
	// for silence.
	waiting atomic.Bool
	pinged  atomic.Bool
	// wrote is when the timer last found something being written to the client.
	wrote *activity
	timer *time.Timer
}

func newConn(s *Server, r *room, transport *activeConn, remote string) *conn {
	ctx, cancel := context.WithCancel(s.ctx)
	limits, timeouts := s.options.Limits, s.options.Timeouts
	out := newOutbox(transport.Conn, &s.outgoing, limits, timeouts, cancel)
	return &conn{
		server:    s,
		room:      r,
		remote:    remote,
		ctx:       ctx,
		transport: transport,
		reader:    newMessageReader(newPace(transport, out.setReadDeadline, timeouts), limits, &s.incoming),
		out:       out,
		wrote:     newActivity(),
	}
}

// log is made when it is needed: there are many connections, and most have
// nothing to report.
func (c *conn) log() *slog.Logger { return c.room.log.With("client", c.remote) }

// errGone means that the connection has ended, or is about to, without anything
// left to say.
var errGone = errors.New("connection has ended")

// serve runs the connection from its beginning to its end.
func (c *conn) serve() {
	defer c.server.forget(c)
	defer c.end()
	c.log().Debug("connected")
	err := protect(c.run)
	c.room.leave(c)
	if errors.Is(err, errGone) {
		c.log().Debug("disconnected")
		return
	}
	var reason *closeError
	switch {
	case errors.As(err, &reason):
		c.log().Info("connection closed", "code", reason.code, "reason", reason.reason)
		c.out.close(reason.code, reason.reason)
	case c.ctx.Err() == nil:
		c.log().Error("connection failed", "error", err)
		c.out.close(CloseInternalError, "internal error: try again later")
	}
	c.drain()
}

// run joins the room and reads until something ends it.
func (c *conn) run() error {
	if err := c.room.load(c.ctx); err != nil {
		return err
	}
	if err := c.room.join(c); err != nil {
		return err
	}
	c.watch()
	for {
		m, err := c.next()
		if err != nil {
			return err
		}
		if err := c.handle(m); err != nil {
			return err
		}
	}
}

// next returns the next message, once the answers to earlier ones are on their
// way.
func (c *conn) next() (message, error) {
	c.out.waitForReplies()
	c.transport.received.now()
	c.waiting.Store(true)
	m, err := c.reader.next()
	c.waiting.Store(false)
	c.pinged.Store(false)
	if errors.Is(err, os.ErrDeadlineExceeded) && !c.out.isClosed() {
		return m, closing(CloseTryAgainLater, "sending too slowly: reconnect to try again")
	}
	var violation *closeError
	if err != nil && !errors.As(err, &violation) {
		return m, errGone
	}
	return m, err
}

func (c *conn) handle(m message) error {
	switch {
	case m.op == ws.OpClose:
		return c.answerClose(m.payload)
	case c.out.isClosed():
		return nil // only the answer to our close frame is of interest
	case m.op == ws.OpPing:
		c.out.sendPong(m.payload)
		return nil
	case m.op == ws.OpPong:
		return nil
	default:
		return c.handleMessages(m.payload)
	}
}

// answerClose returns the client's close frame with its own code (RFC 6455,
// section 5.5.1), unless it is itself the answer to one.
func (c *conn) answerClose(payload []byte) error {
	code, reason := ws.ParseCloseFrameData(payload)
	if !c.out.isClosed() && !validClose(payload) {
		return closing(CloseProtocolError, "malformed close frame")
	}
	c.log().Debug("client closes", "code", code, "reason", reason)
	c.out.close(CloseCode(code), "")
	return errGone
}

// saved returns an update to the client that sent it.
func (c *conn) saved(update []byte) { c.out.send(echoFrame(update)) }

// drain waits for the answer to the close frame, or for the peer or the deadline
// to end the connection. If it were closed while there is something to read it
// would be reset, and the close frame lost.
func (c *conn) drain() {
	for {
		m, err := c.reader.next()
		if err == nil && m.op != ws.OpClose {
			continue
		}
		var violation *closeError
		if errors.As(err, &violation) {
			_, _ = io.Copy(io.Discard, c.transport) // there are no frames to be found any more
		}
		return
	}
}

// end releases what the connection holds.
func (c *conn) end() {
	if !c.out.isClosed() {
		c.out.abort()
	}
	if c.timer != nil {
		c.timer.Stop()
	}
	c.out.waitForWriter()
	_ = c.transport.Close()
	c.reader.share.release()
}
