package ywebsocket

import (
	"bytes"
	"context"
	"errors"
	"io"

	"github.com/yrs-go/yrs/ycrdt/protocol"
)

// handleMessages does what the messages of a frame ask for.
func (c *conn) handleMessages(payload []byte) error {
	if len(payload) == 0 {
		return closing(CloseMalformed, "empty message")
	}
	decoder := protocol.NewDecoder(payload)
	for !c.out.isClosed() {
		m, err := protocol.ReadMessage(decoder)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return closing(CloseMalformed, "%v", err)
		}
		if len(m.Payload) < len(payload)/2 {
			m.Payload = bytes.Clone(m.Payload) // keeping it must not keep the frame
		}
		if err := c.handleMessage(m); err != nil {
			return err
		}
		c.out.waitForReplies()
	}
	return nil
}

func (c *conn) handleMessage(m protocol.Message) error {
	if c.server.draining.Load() {
		return nil
	}
	switch m.Type {
	case protocol.MessageSync:
		return c.handleSync(m)
	case protocol.MessageAwareness:
		return c.room.presence.apply(c, m.Payload)
	case protocol.MessageQueryAwareness:
		c.room.presence.answer(c)
		return nil
	default: // only servers deny permission
		return nil
	}
}

func (c *conn) handleSync(m protocol.Message) error {
	if m.Sync == protocol.SyncStep1 {
		answer, err := c.room.answer(c.ctx, m.Payload)
		if err != nil {
			return err
		}
		c.out.send(answer)
		return nil
	}
	if c.room.readOnly.Load() {
		return nil // it was told; apply looks again
	}
	if err := c.waitForRoom(); err != nil {
		return err
	}
	return c.room.apply(c.ctx, &inbound{from: c, update: m.Payload, answer: m.Sync == protocol.SyncStep2})
}

// waitForRoom waits while too much is unsaved.
func (c *conn) waitForRoom() error {
	err := c.room.saver.waitForRoom(c.ctx, c.server.options.Timeouts.Save)
	if errors.Is(err, context.DeadlineExceeded) {
		return closing(CloseTryAgainLater, "updates cannot be stored at the moment: keep them and reconnect later")
	}
	return err
}
