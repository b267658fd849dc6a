package ywebsocket

import (
	"bytes"
	"maps"
	"slices"
	"time"

	"github.com/yrs-go/yrs/ycrdt/protocol"
)

// write writes what there is to write until the session ends.
func (s *session) write() {
	for {
		batch, question, done := s.take()
		err := s.writeBatch(batch, question)
		if err == nil && !done && len(batch) == 0 && question == nil {
			err = s.writeQuestion()
		}
		if err != nil {
			s.end(err)
			return
		}
		if done {
			if !s.hasEnded() { // who ends it says why
				_ = s.conn.Close(CloseNormal, "")
			}
			return
		}
	}
}

func (s *session) hasEnded() bool {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	return s.ended
}

// writeBatch writes messages, and the answer to a question if there is one.
func (s *session) writeBatch(batch [][]byte, question []byte) error {
	if question != nil {
		answer, err := s.answer(question)
		if err != nil {
			return err
		}
		batch = append(batch, answer)
	}
	for _, message := range batch {
		if err := s.conn.WriteMessage(message); err != nil {
			return err
		}
	}
	return nil
}

// take waits for messages, a question to answer, or the need to ask something. done: there will be no more.
func (s *session) take() (batch [][]byte, question []byte, done bool) {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	for !s.ended && !s.leaving && len(s.queue) == 0 && len(s.present) == 0 && s.question == nil && !s.hasQuestion() {
		s.wake.Wait()
	}
	if s.ended {
		return nil, nil, true
	}
	batch, s.queue, s.queuedBytes = s.queue, nil, 0
	if len(s.present) > 0 {
		batch = append(batch, protocol.AppendAwareness(nil, s.takePresent()))
	}
	question, s.question = s.question, nil
	s.answering = question != nil
	return batch, question, s.leaving
}

// hearQuestion notes what the server has, which is asking for what it lacks.
func (s *session) hearQuestion(stateVector []byte) {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	s.question = append([]byte{}, stateVector...) // not nil, nor a part of something larger
	if s.p.state.Denied != "" {
		s.receipts.empties = answers{} // what was refused is not sent back
		s.p.setState(func(st *ProviderState) { st.Denied = "" })
	}
	s.wake.Broadcast()
}

// answer returns the message with what the server lacks, and opens the session for what is written from now on.
func (s *session) answer(stateVector []byte) ([]byte, error) {
	update, err := encodeState(s.ctx, s.p.doc, stateVector)
	if err != nil {
		return nil, documentError(err)
	}
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	if bytes.Equal(update, emptyUpdate) {
		s.receipts.empties.ask()
	} else {
		s.remember(update)
	}
	s.open, s.answering = s.p.state.Denied == "", false // it may have been denied since
	for _, update := range s.behind {
		s.pushUpdate(update)
	}
	s.behind = nil
	return protocol.AppendSyncStep2(nil, update), nil
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
	stateVector, err := encodeStateVector(s.ctx, s.p.doc)
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
