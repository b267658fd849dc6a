package ywebsocket

import (
	"context"
	"errors"
	"fmt"

	"github.com/yrs-go/yrs/ycrdt"
)

// Chain keeps a room of a server in sync with a room of another one, its upstream:
// documents and awareness states, both ways. To either server it is one more client.
// Make one with [Server.Chain].
type Chain struct {
	doc       *ycrdt.Doc
	awareness *ycrdt.Awareness
	upstream  *Provider
	room      *Provider
}

// Chain connects a room with the one that the options name; their Awareness has to be
// nil. The room stays in memory until the chain is closed, which has to happen before
// Shutdown; after that there are no chains, and the error is [ErrShuttingDown].
//
// Everybody upstream counts as one connection here, and the other way round: see
// Limits.AwarenessClients. While a connection is away those behind it are shown on the
// other side until their states are outdated, after 30 seconds.
func (s *Server) Chain(room string, upstream ProviderOptions) (*Chain, error) {
	if err := checkRoomName(room, s.options.Limits.RoomName); err != nil {
		return nil, err
	}
	if s.draining.Load() {
		return nil, ErrShuttingDown
	}
	if upstream.Awareness != nil {
		return nil, errors.New("ywebsocket: a chain has an Awareness of its own; leave ProviderOptions.Awareness nil")
	}
	doc := ycrdt.NewDoc()
	c := &Chain{doc: doc, awareness: ycrdt.NewAwareness(doc)}
	if err := c.connect(s, room, upstream); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

func (c *Chain) connect(s *Server, room string, upstream ProviderOptions) error {
	// The chain itself is nobody.
	if err := errors.Join(c.awareness.SetLocalState(nil), c.awareness.Start(context.Background())); err != nil {
		return err
	}
	upstream.Awareness = c.awareness
	local := ProviderOptions{
		Room:      room,
		Awareness: c.awareness,
		Backoff:   upstream.Backoff,
		Logger:    s.options.Logger,
		Dial:      func(context.Context) (Conn, error) { return s.dialRoom(room) },
	}
	var err error
	if c.upstream, err = NewProvider(c.doc, upstream); err != nil {
		return err
	}
	if c.room, err = NewProvider(c.doc, local); err != nil {
		return err
	}
	for _, p := range []*Provider{c.upstream, c.room} {
		// Those on this side could not be told that somebody from the other side is back before that one raises its clock,
		// once they were told that it is gone. So states outlast a connection, as they do for y-protocols: who is not heard
		// of for 30 seconds is gone.
		p.keepsOthers = true
		p.Connect()
	}
	return nil
}

// dialRoom returns the client's end of a connection to a room.
func (s *Server) dialRoom(room string) (Conn, error) {
	if s.draining.Load() {
		return nil, fmt.Errorf("%w: %w", ErrPermanent, ErrShuttingDown)
	}
	client, server := Pipe()
	// It ends with the client, and has told that why.
	go func() { _ = s.ServeConn(server, room, Identity{relays: true}) }()
	return client, nil
}

// Upstream is the provider that is connected to the upstream server: what has become
// of that connection.
func (c *Chain) Upstream() *Provider { return c.upstream }

// Room is the provider that is connected to the room of this server. It tells what has become of that connection, and
// Unsynced of its state is what came from upstream and is not stored here yet.
func (c *Chain) Room() *Provider { return c.room }

// Close ends both connections. It does not wait for changes to be passed on.
func (c *Chain) Close() {
	for _, p := range []*Provider{c.upstream, c.room} {
		if p != nil {
			p.Close()
		}
	}
	c.awareness.Stop()
	_ = c.doc.Close() // always nil
}
