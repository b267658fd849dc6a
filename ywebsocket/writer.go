package ywebsocket

import (
	"context"
	"sync"
	"time"

	"github.com/gobwas/ws"
)

// writeSize is how much goes to the network in one call: small frames are
// gathered up to it, large ones are cut, so that a deadline means progress.
const (
	gatherSize = 16 << 10
	writeSize  = 64 << 10
)

var gatherBuffers = sync.Pool{New: func() any {
	buf := make([]byte, 0, gatherSize)
	return &buf
}}

// write empties the queue into the connection, and ends when it is empty. Behind
// the last frame of a closed outbox it tells the peer that nothing more comes.
func (o *outbox) write() {
	buf := gatherBuffers.Get().(*[]byte)
	defer gatherBuffers.Put(buf)
	for batch := o.take(nil); batch != nil; batch = o.take(batch) {
		if err := o.writeBatch((*buf)[:0], batch); err != nil {
			o.abort() // and so the next batch is nil
		}
	}
}

// take moves the pong, and frames of up to gatherSize bytes or one larger, from the
// queue to the batch. It returns nil, and the writer has ended, when there are none.
func (o *outbox) take(batch []frame) []frame {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.all.remove(batch)
	clear(batch)
	batch = batch[:0]
	o.taken, o.inHand = nil, 0
	_ = waitFor(context.Background(), o.changed, func() bool { return o.compacting == nil })
	if o.pong.wire != nil {
		batch = append(batch, o.pong)
		o.pong = frame{}
	}
	size, queued := 0, 0
	for _, f := range o.queue {
		if size += len(f.wire); size > gatherSize && queued > 0 {
			break
		}
		batch = append(batch, f)
		queued++
		if f.kind == frameReply {
			o.inHand += f.cost()
		}
	}
	o.pop(queued)
	o.changed.Broadcast()
	if len(batch) == 0 {
		o.writing = false
		if o.closed {
			closeWrite(o.conn)
		}
		return nil
	}
	o.taken = batch
	return batch
}

// pop removes the first n frames of the queue.
func (o *outbox) pop(n int) {
	for _, f := range o.queue[:n] {
		if f.kind == frameReply {
			o.replyBytes -= f.cost()
		} else {
			o.broadcastBytes -= f.cost()
			o.broadcasts--
		}
	}
	clear(o.queue[:n])
	if o.queue = o.queue[n:]; len(o.queue) == 0 {
		o.queue = nil
	}
}

func (o *outbox) writeBatch(buf []byte, batch []frame) error {
	messages := false
	for _, f := range batch {
		messages = messages || f.isMessage()
		if len(f.wire) <= gatherSize-len(buf) {
			buf = append(buf, f.wire...)
			continue
		}
		if err := o.writeAll(buf); err != nil {
			return err
		}
		buf = buf[:0]
		if err := o.writeAll(f.wire); err != nil {
			return err
		}
	}
	if err := o.writeAll(buf); err != nil {
		return err
	}
	if messages {
		o.sent.now()
	}
	return nil
}

func (f frame) isMessage() bool { return ws.OpCode(f.wire[0]&0x0f) == ws.OpBinary }

func (o *outbox) writeAll(p []byte) error {
	for len(p) > 0 {
		n := min(len(p), writeSize)
		o.setWriteDeadline()
		if _, err := o.conn.Write(p[:n]); err != nil {
			return err
		}
		p = p[n:]
	}
	return nil
}

// setWriteDeadline allows the next write its time, but not beyond the end of the
// closing handshake.
func (o *outbox) setWriteDeadline() {
	o.mu.Lock()
	defer o.mu.Unlock()
	deadline := time.Now().Add(o.writeTimeout)
	if o.closed && o.closeBy.Before(deadline) {
		deadline = o.closeBy
	}
	_ = o.conn.SetWriteDeadline(deadline) // fails only if the connection is gone
}
