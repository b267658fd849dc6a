package ywebsocket

import (
	"maps"
	"slices"
	"time"

	"github.com/yrs-go/yrs/ycrdt/protocol"
)

// write writes what there is to write until the session ends.
func (s *session) write() {
	for {
		batch, done := s.take()
		for _, message := range batch {
			if err := s.conn.WriteMessage(message); err != nil {
				s.end(err)
				return
			}
		}
		if done {
			_ = s.conn.Close(CloseNormal, "")
			return
		}
		if len(batch) == 0 {
			if err := s.writeQuestion(); err != nil {
				s.end(err)
				return
			}
		}
	}
}

// take waits for messages, or for the need to ask something, when there are none. done: there will be no more.
func (s *session) take() (batch [][]byte, done bool) {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	for !s.ended && !s.leaving && len(s.queue) == 0 && len(s.present) == 0 && !s.hasQuestion() {
		s.wake.Wait()
	}
	if s.ended {
		return nil, true
	}
	batch, s.queue, s.queuedBytes = s.queue, nil, 0
	if len(s.present) > 0 {
		batch = append(batch, protocol.AppendAwareness(nil, s.takePresent()))
	}
	return batch, s.leaving
}

// takePresent encodes what is known of those of whom the server is to be told. Who has been gone for long may have been
// forgotten. The lock is held.
func (s *session) takePresent() []byte {
	defer clear(s.present)
	for {
		update, err := s.p.awareness.EncodeUpdate(slices.Collect(maps.Keys(s.present)))
		if err == nil {
			return update
		}
		maps.DeleteFunc(s.present, func(id uint64, _ struct{}) bool {
			_, known := s.p.awareness.ClientMeta(id)
			return !known
		})
	}
}

// wantsReceipt reports which questions are due about changes that the server has been sent: an empty update, which it
// may send back, and a SyncStep1, for one that is not known to do that.
func (s *session) wantsReceipt() (empty, step bool) {
	g, r := &s.p.progress, &s.receipts
	if !s.open || s.answering {
		return false, false
	}
	return r.empties.isDue(g.written, g.saved), !g.echoes && r.steps.isDue(g.written, g.received)
}

func (s *session) hasQuestion() bool {
	empty, step := s.wantsReceipt()
	return s.asking || empty || step
}

// writeQuestion asks what the server has, and for what is missing here.
func (s *session) writeQuestion() error {
	s.p.mu.Lock()
	g := &s.p.progress
	empty, step := s.wantsReceipt()
	step = step || s.asking
	s.asking = false
	if empty {
		s.receipts.empties.askMark(g.written)
	}
	if step {
		s.receipts.steps.askMark(g.written)
	}
	s.p.mu.Unlock()
	if empty {
		if err := s.conn.WriteMessage(protocol.AppendUpdate(nil, emptyUpdate)); err != nil {
			return err
		}
	}
	if !step {
		return nil
	}
	stateVector, err := s.p.doc.EncodeStateVector()
	if err != nil {
		return documentError(err)
	}
	return s.conn.WriteMessage(protocol.AppendSyncStep1(nil, stateVector))
}

// requestResync asks for what something is held back for: at once, and then at the end of a pause. The lock is held.
func (s *session) requestResync() {
	if s.pause != nil {
		return // the question at its end is about this, too
	}
	s.ask()
	s.pause = time.AfterFunc(firstResync, func() {
		s.p.mu.Lock()
		defer s.p.mu.Unlock()
		s.pause = nil
		s.ask()
	})
}

func (s *session) ask() {
	s.asking = true
	s.wake.Broadcast()
}
