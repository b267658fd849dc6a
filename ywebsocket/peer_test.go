package ywebsocket

import (
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/gobwas/ws"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt"
	"github.com/yrs-go/yrs/ycrdt/protocol"
)

// peer is a client that does with awareness what y-websocket does: it begins with
// its own state, renews it, and passes on whatever changes, be it by hearsay.
type peer struct {
	*ycrdt.Awareness
	t *testing.T

	mu   sync.Mutex
	link *link // nil: not connected
	// siblings are other tabs of the same browser.
	siblings []*peer
	// removed are the clients that this one has seen leave.
	removed []uint64
}

// link is one connection of a peer.
type link struct {
	*client
	server *conn
	writes sync.Mutex
	awake  chan struct{} // takes a token for every frame that is read
	pings  atomic.Int64
}

func newPeer(t *testing.T, id uint64) *peer {
	t.Helper()
	doc, err := ycrdt.NewDocWith(ycrdt.DocOptions{ClientID: id})
	require.NoError(t, err)
	defer func() { assert.NoError(t, doc.Close()) }()
	p := &peer{Awareness: ycrdt.NewAwareness(doc), t: t}
	p.Observe(p.tell)
	require.NoError(t, p.Start(t.Context()))
	t.Cleanup(p.Stop)
	return p
}

// newWitness is a peer that is in the room without a state.
func newWitness(t *testing.T, s *Server, user string) *peer {
	p := newPeer(t, 999)
	p.set(nil)
	p.connect(s, user)
	return p
}

func (p *peer) set(state any) {
	p.t.Helper()
	assert.NoError(p.t, p.SetLocalState(state))
	synctest.Wait()
}

// tells makes the peer tell other tabs of the same browser what it hears.
func (p *peer) tells(siblings ...*peer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.siblings = siblings
}

// states returns the states of the others.
func (p *peer) states() map[uint64]any {
	synctest.Wait()
	states := p.States()
	delete(states, p.ClientID())
	return states
}

// tell passes a change on. The other tabs hear of it first, so that the server hears
// of it from them before.
func (p *peer) tell(event ycrdt.AwarenessEvent) {
	update, err := p.EncodeUpdate(event.ClientIDs)
	assert.NoError(p.t, err)
	p.mu.Lock()
	if event.Kind == ycrdt.AwarenessRemoved && event.Origin == "server" {
		p.removed = append(p.removed, event.ClientIDs...)
	}
	link, siblings := p.link, p.siblings
	p.mu.Unlock()
	if event.Origin != "sibling" {
		for _, sibling := range siblings {
			assert.NoError(p.t, sibling.ApplyUpdate(update, "sibling"))
		}
	}
	if link != nil {
		link.write(ws.NewBinaryFrame(protocol.AppendAwareness(nil, update)))
	}
}

// hasSeenLeave reports which clients have left since the last call.
func (p *peer) hasSeenLeave() []uint64 {
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	removed := p.removed
	p.removed = nil
	return removed
}

// connect opens a connection, for a user or nobody in particular.
func (p *peer) connect(s *Server, user string) *link {
	p.t.Helper()
	l := dialPipe(p.t, s, user)
	if p.LocalState() != nil {
		own, err := p.EncodeUpdate([]uint64{p.ClientID()})
		require.NoError(p.t, err)
		l.write(ws.NewBinaryFrame(protocol.AppendAwareness(nil, own)))
	}
	p.mu.Lock()
	p.link = l
	p.mu.Unlock()
	go p.read(l)
	synctest.Wait()
	return l
}

func (p *peer) current() *link {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.link
}

// read takes in what the server sends, until the connection ends. What comes on a
// connection that was given up arrives nowhere.
func (p *peer) read(l *link) {
	for {
		f, err := ws.ReadFrame(l.r)
		if err != nil {
			return
		}
		l.awake <- struct{}{}
		if p.current() == l {
			p.handle(l, f)
		}
		<-l.awake
	}
}

// freeze lets the peer read nothing until thaw.
func (l *link) freeze() { l.awake <- struct{}{} }
func (l *link) thaw()   { <-l.awake }

func (p *peer) handle(l *link, f ws.Frame) {
	switch f.Header.OpCode {
	case ws.OpPing:
		l.pings.Add(1)
		l.write(ws.NewPongFrame(f.Payload))
	case ws.OpBinary:
		m, err := protocol.ReadMessage(protocol.NewDecoder(f.Payload))
		assert.NoError(p.t, err)
		switch {
		case m.Type == protocol.MessageAwareness:
			assert.NoError(p.t, p.ApplyUpdate(m.Payload, "server"))
		case m.Sync == protocol.SyncStep1:
			l.write(ws.NewBinaryFrame(protocol.AppendSyncStep2(nil, []byte{0, 0})))
		}
	}
}

func (l *link) write(f ws.Frame) {
	l.writes.Lock()
	defer l.writes.Unlock()
	_ = ws.WriteFrame(l.conn, ws.MaskFrame(f)) // the server may have closed it
}

// lose gives the connection up without the server knowing. The others are gone, to
// the peer.
func (p *peer) lose() {
	p.mu.Lock()
	p.link = nil
	p.mu.Unlock()
	others := slices.DeleteFunc(p.ClientIDs(), func(id uint64) bool { return id == p.ClientID() })
	assert.NoError(p.t, p.RemoveStates(others, "closed"))
}

// drop ends the connection without a word.
func (p *peer) drop() {
	l := p.current()
	p.lose()
	assert.NoError(p.t, l.conn.Close())
	synctest.Wait()
}

// dialPipe connects to a room over a pipe.
func dialPipe(t *testing.T, s *Server, user string) *link {
	t.Helper()
	require.NoError(t, s.admit())
	r, err := s.registry.hold("room")
	require.NoError(t, err)
	ours, theirs := net.Pipe()
	c := newConn(s, r, &activeConn{Conn: ours, received: newActivity()}, "pipe")
	c.identity.User = user
	go c.serve()
	t.Cleanup(func() {
		_ = theirs.Close()
		synctest.Wait()
	})
	return &link{client: newPipeClient(t, theirs), server: c, awake: make(chan struct{}, 1)}
}

// mute connects a client that says what the test makes it say, and answers pings.
func mute(t *testing.T, s *Server, user string) *link {
	l := dialPipe(t, s, user)
	go func() {
		for {
			f, err := ws.ReadFrame(l.r)
			if err != nil {
				return
			}
			if f.Header.OpCode == ws.OpPing {
				l.pings.Add(1)
				l.write(ws.NewPongFrame(f.Payload))
			}
		}
	}()
	synctest.Wait()
	return l
}
