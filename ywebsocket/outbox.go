package ywebsocket

import (
	"context"
	"net"
	"sync"
	"time"
)

// outbox is what waits to be written to one connection, and the only thing that
// writes to it. A goroutine runs while there is something to write.
//
// Broadcasts, which the client did not ask for, are bounded by maxBytes: when
// they exceed it they are compacted, while as many again may come, and if that does
// not help the connection is closed. Replies are bounded by their reader, who waits for them to be written
// before it takes the next message.
//
// All methods are safe for concurrent use. None of them waits for the network
// except waitForReplies and waitForWriter.
type outbox struct {
	conn         net.Conn
	all          *outgoing
	onClose      func() // called once, when closed becomes true
	maxBytes     int
	writeTimeout time.Duration
	closeTimeout time.Duration

	mu      sync.Mutex
	changed *sync.Cond // something was taken from the queue, or the state changed
	queue   []frame
	// compacting is what was in front of the queue, while it is compacted.
	compacting *compaction
	// pong is the answer to the latest ping, until it is taken from here.
	pong frame
	// broadcastBytes and replyBytes are the lengths of what is in the queue and in
	// front of it, and broadcasts is how many frames of it are broadcasts.
	broadcastBytes, replyBytes, broadcasts int
	// taken is what the writer has taken, until it has written it, and inHand the length
	// of the replies among that.
	taken  []frame
	inHand int

	writing bool
	// closed means that nothing more is accepted; what is in the queue, with a
	// close frame at its end, is still written, until closeBy.
	closed  bool
	closeBy time.Time

	// sent is when the last message, as opposed to a control frame, was handed to
	// the network.
	sent *activity
}

// newOutbox calls onClose, which must not block nor call back, when nothing more
// is accepted.
func newOutbox(conn net.Conn, all *outgoing, limits Limits, timeouts Timeouts, onClose func()) *outbox {
	o := &outbox{
		conn:         conn,
		all:          all,
		onClose:      onClose,
		maxBytes:     limits.Queue,
		writeTimeout: timeouts.Write,
		closeTimeout: timeouts.Close,
		sent:         newActivity(),
	}
	o.changed = sync.NewCond(&o.mu)
	return o
}

// frameOverhead is what a frame costs beside its bytes.
const frameOverhead = 64

func (f frame) cost() int { return len(f.wire) + frameOverhead }

// send queues a frame. After the outbox is closed it does nothing.
func (o *outbox) send(f frame) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sendLocked(f)
}

func (o *outbox) sendLocked(f frame) {
	if o.closed {
		return
	}
	if f.kind != frameReply && o.full(f) {
		if o.compacting == nil {
			o.startCompacting()
		} else if o.broadcastBytes > 2*o.maxBytes {
			o.overflow(stuckReason)
			return
		}
	}
	o.push(f)
}

// overflow gives the queue up, and the connection.
func (o *outbox) overflow(reason string) {
	o.drop()
	o.closeLocked(CloseTryAgainLater, reason)
}

// full reports whether the broadcasts in the queue leave no room for one more.
func (o *outbox) full(f frame) bool {
	return o.broadcastBytes+f.cost() > o.maxBytes || o.broadcasts >= maxBroadcasts
}

// sendPong queues a pong, in front of everything else. The pings before this one need
// no answer any more (RFC 6455, section 5.5.3).
func (o *outbox) sendPong(payload []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return
	}
	o.pong = pongFrame(payload)
	o.wakeWriter()
}

func (o *outbox) push(f frame) {
	if f.kind == frameReply {
		o.replyBytes += f.cost()
	} else {
		o.broadcastBytes += f.cost()
		o.broadcasts++
	}
	o.all.add(f)
	o.queue = append(o.queue, f)
	o.wakeWriter()
}

func (o *outbox) wakeWriter() {
	if !o.writing {
		o.writing = true
		go o.write()
	}
}

// drop empties the queue.
func (o *outbox) drop() {
	if o.compacting != nil {
		o.all.remove(o.compacting.frames)
		o.compacting = nil
	}
	o.all.remove(o.queue)
	o.queue, o.broadcastBytes, o.replyBytes, o.broadcasts = nil, 0, 0, 0
}

// close queues the close frame behind everything else and accepts nothing more.
// Only the first call counts. Code 0 sends a frame without a code.
func (o *outbox) close(code CloseCode, reason string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closeLocked(code, reason)
}

func (o *outbox) closeLocked(code CloseCode, reason string) {
	if o.closed {
		return
	}
	o.closed = true
	o.onClose()
	o.closeBy = time.Now().Add(o.closeTimeout)
	o.push(frame{wire: closeFrame(code, reason)})
	// The peer gets that long to answer, and the writer to get through. Deadlines
	// fail only on a connection that is gone, which the next call notices.
	_ = o.conn.SetDeadline(o.closeBy)
	o.changed.Broadcast()
}

// abort gives up on the connection: nothing more is written.
func (o *outbox) abort() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.closed {
		o.closed = true
		o.onClose()
	}
	o.drop()
	o.pong = frame{}
	_ = o.conn.Close()
	o.changed.Broadcast()
}

// setReadDeadline bounds the wait for the client, unless the closing handshake does.
func (o *outbox) setReadDeadline(deadline time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.closed {
		_ = o.conn.SetReadDeadline(deadline) // fails only if the connection is gone
	}
}

func (o *outbox) isClosed() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.closed
}

// isWriting reports whether something is on its way to the network.
func (o *outbox) isWriting() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.writing
}

// waitForReplies waits until the replies that are not written are below maxBytes, or
// the outbox is closed.
func (o *outbox) waitForReplies() {
	o.mu.Lock()
	defer o.mu.Unlock()
	_ = waitFor(context.Background(), o.changed, func() bool {
		return o.closed || o.replyBytes+o.inHand < o.maxBytes
	})
}

// waitForWriter waits until everything is written or the connection is dead.
func (o *outbox) waitForWriter() {
	o.mu.Lock()
	defer o.mu.Unlock()
	_ = waitFor(context.Background(), o.changed, func() bool { return !o.writing })
}
