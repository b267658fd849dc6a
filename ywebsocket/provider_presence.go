package ywebsocket

import (
	"errors"
	"fmt"

	"github.com/yrs-go/yrs/ycrdt"
)

// hear takes in what the server says about who is there.
func (s *session) hear(update []byte) error {
	err := s.p.awareness.ApplyUpdate(update, s.p)
	switch {
	case errors.Is(err, ycrdt.ErrMalformed):
		return fmt.Errorf("%w: the server sent awareness states that are none: %w", ErrPermanent, err)
	case err != nil:
		s.p.log.Warn("awareness states of the server are left out", "error", err)
	}
	return nil
}

// tellAll answers a question for everybody known here.
func (s *session) tellAll() {
	ids := s.p.awareness.ClientIDs()
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	s.tell(ids)
}

// tell is called with the lock held.
func (s *session) tell(ids []uint64) {
	for _, id := range ids {
		s.present[id] = struct{}{}
	}
	s.wake.Broadcast()
}

// presenceChanged hears every change of the awareness.
func (p *Provider) presenceChanged(event ycrdt.AwarenessEvent) {
	p.mu.Lock()
	defer p.mu.Unlock()
	own := p.awareness.ClientID()
	for _, id := range event.ClientIDs {
		switch {
		case event.Origin != p:
			delete(p.heard, id)
			p.tellServer(id)
		case id == own:
			p.tellServer(id) // the server took this client for gone, which it contradicts
		case event.Kind == ycrdt.AwarenessRemoved:
			delete(p.heard, id)
		default:
			p.heard[id] = struct{}{}
		}
	}
}

func (p *Provider) tellServer(id uint64) {
	if p.session != nil {
		p.session.tell([]uint64{id})
	}
}
