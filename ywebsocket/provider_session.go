package ywebsocket

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/yrs-go/yrs/ycrdt"
	"github.com/yrs-go/yrs/ycrdt/protocol"
)

// session is one connection of a provider. The provider's lock guards it. One goroutine reads and one writes.
type session struct {
	p    *Provider
	conn Conn
	wake *sync.Cond // there is something to write, or the session has ended
	// ctx ends when the connection is closed, and with it the waiting for the document: somebody may be in a transaction
	// for long. It does not end before what is queued was written.
	ctx    context.Context
	cancel context.CancelFunc

	queue [][]byte
	// queuedBytes are those of the updates in queue; answers and questions do not count.
	queuedBytes int
	// present are the awareness clients of whom the server is to be told.
	present map[uint64]struct{}
	// question is what the server has said that it has, until that is answered: a server that asks again and again and
	// reads nothing makes the provider keep its latest question.
	question []byte
	// open: the server has asked for the document, so that it gets changes from now on. What is written while the answer
	// is made goes behind it: it builds on what is in there.
	open      bool
	answering bool
	behind    [][]byte
	// own are the latest updates that were sent. The first that the server sends back need not be applied.
	own      [][]byte
	ownBytes int

	receipts receipts
	asking   bool        // a resync is due
	syncing  *time.Timer // until the server must have answered the first message
	parts    uint64      // of long messages had arrived when it was set
	timer    *time.Timer // until the next regular resync
	pause    *time.Timer // runs until something held back may lead to another one
	handling atomic.Bool // a message is being taken in
	synced   bool
	leaving  bool // what is queued is still written
	ended    bool
	err      error
}

func newSession(p *Provider, conn Conn, stateVector []byte) *session {
	s := &session{p: p, conn: conn, present: make(map[uint64]struct{})}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	p.mu.Lock()
	defer p.mu.Unlock()
	s.wake = sync.NewCond(&p.mu)
	s.queue = append(s.queue, protocol.AppendSyncStep1(nil, stateVector))
	s.receipts.steps.ask()
	for _, id := range p.awareness.ClientIDs() {
		if _, heard := p.heard[id]; !heard {
			s.present[id] = struct{}{}
		}
	}
	if p.options.ResyncInterval > 0 {
		s.timer = time.AfterFunc(p.options.ResyncInterval, s.resyncLater)
	}
	p.session = s
	p.setState(func(st *ProviderState) { st.Status, st.Synced, st.Denied, st.Err = StatusConnected, false, "", nil })
	return s
}

// leave has what is queued written before the connection is closed.
func (s *session) leave() {
	s.p.mu.Lock()
	s.leaving = true
	s.wake.Broadcast()
	s.p.mu.Unlock()
	time.AfterFunc(clientCloseTimeout, func() {
		s.cancel()
		_ = s.conn.Close(CloseNormal, "")
	})
}

// awaitSync gives the server time to answer the first message.
func (s *session) awaitSync() {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	if !s.ended {
		s.syncing = time.AfterFunc(s.p.options.SyncTimeout, s.checkSynced)
	}
}

func (s *session) checkSynced() {
	if !s.maySync() {
		s.end(errSyncTimeout)
	}
}

// maySync reports whether the answer has come, or may be on its way; then there is more time for it.
func (s *session) maySync() bool {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	if s.synced || s.ended {
		return true
	}
	progresses := s.progresses()
	if progresses {
		s.syncing.Reset(s.p.options.SyncTimeout)
	}
	return progresses
}

// progresses reports whether a long message is arriving, or was since the last call, or something is being taken in. The lock
// is held.
func (s *session) progresses() bool {
	conn, ok := s.conn.(interface {
		progress() (parts uint64, receiving bool)
	})
	if !ok {
		return s.handling.Load()
	}
	before := s.parts
	var receiving bool
	s.parts, receiving = conn.progress()
	return receiving || s.parts > before || s.handling.Load()
}

func (s *session) resyncLater() {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	if !s.ended {
		s.asking = true
		s.wake.Broadcast()
		s.timer.Reset(s.p.options.ResyncInterval)
	}
}

// end closes the connection. Only the first error counts.
func (s *session) end(err error) {
	s.p.mu.Lock()
	first := !s.ended
	if first {
		s.ended, s.err = true, err
		for _, timer := range []*time.Timer{s.syncing, s.timer, s.pause} {
			if timer != nil {
				timer.Stop()
			}
		}
		if s.p.session == s {
			s.p.session = nil
		}
		s.p.setState(func(st *ProviderState) { st.Synced, st.Denied = false, "" })
		s.wake.Broadcast()
	}
	s.p.mu.Unlock()
	if !first {
		return
	}
	s.cancel()
	code, reason := CloseNormal, ""
	if errors.Is(err, protocol.ErrMalformed) {
		code, reason = CloseMalformed, "malformed message"
	}
	_ = s.conn.Close(code, reason)
}

func (s *session) result() (synced bool, err error) {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	return s.synced, s.err
}

func (s *session) read() error {
	for {
		message, err := s.conn.ReadMessage()
		if err != nil {
			return err
		}
		s.handling.Store(true)
		if err := protect(func() error { return s.handleMessages(message) }); err != nil {
			return err
		}
		s.handling.Store(false)
	}
}

func (s *session) handleMessages(message []byte) error {
	decoder := protocol.NewDecoder(message)
	for {
		m, err := protocol.ReadMessage(decoder)
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, protocol.ErrUnknownMessage):
			return nil // y-websocket, too, ignores what it does not know
		case err != nil:
			return fmt.Errorf("%w: the server does not speak the protocol of y-websocket: %w", ErrPermanent, err)
		}
		if err := s.handle(m); err != nil {
			return err
		}
	}
}

func (s *session) handle(m protocol.Message) error {
	switch m.Type {
	case protocol.MessageSync:
		if m.Sync == protocol.SyncStep1 {
			s.hearQuestion(m.Payload)
			return nil
		}
		return s.receive(m)
	case protocol.MessageAwareness:
		return s.hear(m.Payload)
	case protocol.MessageQueryAwareness:
		s.tellAll()
		return nil
	case protocol.MessageAuth:
		s.deny(string(m.Payload))
		return nil
	default:
		return nil
	}
}

// receive takes in a SyncStep2 or an update.
func (s *session) receive(m protocol.Message) error {
	empty := bytes.Equal(m.Payload, emptyUpdate)
	if !empty && !s.isOwn(m.Payload) {
		opts := ycrdt.TxOptions{Origin: s.p, NotifyEmpty: true}
		if err := s.p.doc.ApplyUpdateContext(s.ctx, opts, m.Payload); err != nil {
			return documentError(err)
		}
	}
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	g := &s.p.progress
	switch {
	case m.Sync == protocol.SyncStep2:
		s.synced = true
		g.received = max(g.received, s.receipts.steps.answer())
	case empty && s.receipts.empties.answered < s.receipts.empties.asked:
		g.echoes = true
		g.saved = max(g.saved, s.receipts.empties.answer())
	default:
		return nil
	}
	s.p.changed.Broadcast()
	s.p.setState(func(st *ProviderState) {
		st.Synced = s.synced && !s.ended
		st.Unsynced = g.unsynced()
	})
	s.wake.Broadcast()
	return nil
}

// emptyUpdate is the update that changes nothing.
var emptyUpdate = []byte{0, 0}

// isOwn reports whether the server sends back the oldest of the provider's own updates, byte for byte.
func (s *session) isOwn(update []byte) bool {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	if len(s.own) == 0 || !bytes.Equal(s.own[0], update) {
		return false
	}
	s.forgetOwn()
	return true
}

// What is remembered of updates that were sent, to recognize them: the latest, up to a number and a length in bytes.
const (
	maxOwn      = 256
	maxOwnBytes = 1 << 20
)

func (s *session) remember(update []byte) {
	s.own = append(s.own, update)
	s.ownBytes += len(update)
	for len(s.own) > maxOwn || s.ownBytes > maxOwnBytes {
		s.forgetOwn()
	}
}

func (s *session) forgetOwn() {
	s.ownBytes -= len(s.own[0])
	s.own[0] = nil
	s.own = s.own[1:]
}

// pushUpdate is called with the lock held.
func (s *session) pushUpdate(update []byte) {
	message := protocol.AppendUpdate(nil, update)
	s.queue = append(s.queue, message)
	s.queuedBytes += len(message) + frameOverhead
	s.remember(update)
	s.wake.Broadcast()
	if s.queuedBytes > s.p.options.Queue {
		go s.end(errSlowServer) // end takes the lock
	}
}

var errSlowServer = errors.New("the server takes updates too slowly: they are sent again with the next connection")

// deny notes that the server takes no changes, until it asks for them again.
func (s *session) deny(reason string) {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	if reason == "" {
		reason = "permission denied"
	}
	s.open = false
	s.receipts.empties.giveUp()
	s.receipts.steps.giveUp()
	s.p.setState(func(st *ProviderState) { st.Denied = reason })
}

// updated hears every change of the document.
func (p *Provider) updated(event ycrdt.UpdateEvent) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.local != nil && event.Origin == p.local {
		return // load counts it
	}
	if p.local != nil && event.Update != nil {
		p.local.add(event.Update)
	}
	if event.Origin == p {
		if event.Held && p.session != nil {
			p.session.requestResync()
		}
		if p.local == nil {
			return // nothing to count
		}
	} else if event.Update != nil {
		p.progress.written++
		p.session.send(event.Update)
	}
	p.countChanges()
}

// send has a change sent, if the server wants changes; otherwise the document has it when the server asks. The lock is
// held.
func (s *session) send(update []byte) {
	switch {
	case s == nil:
	case s.answering:
		s.behind = append(s.behind, update)
	case s.open:
		s.pushUpdate(update)
	}
}
