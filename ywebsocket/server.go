package ywebsocket

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/yrs-go/yrs/ywebsocket/store"
)

// Server is an [http.Handler] that lets Yjs clients edit documents together. Make
// one with [NewServer] and end it with [Server.Shutdown].
//
// ServeHTTP returns once the connection is established; what happens then is the
// business of goroutines of the server: one per connection that reads, and others
// as long as there is something to write or to store. An idle room costs none.
type Server struct {
	options Options
	log     *slog.Logger
	origins *originPolicy
	hosts   *hostPolicy

	registry *registry
	load     loadFunc

	incoming incoming
	outgoing outgoing

	// compactor is nil if logs stay as they are.
	compactor *compactor

	quarantine  func(QuarantinedUpdate) error
	quarantined memoryQuarantine

	// ctx ends when the server gives up on what it is doing.
	ctx    context.Context
	cancel context.CancelFunc

	mu          sync.Mutex
	connections map[*conn]struct{}
	admitted    int  // connections, and requests that are about to become one
	closed      bool // no more are admitted
	goroutines  sync.WaitGroup

	// draining makes connections ignore what clients send.
	draining      atomic.Bool
	failingSavers atomic.Int64
}

// loadFunc is the type of loadDocument.
type loadFunc func(ctx context.Context, s store.Store, room string, pending [][]byte) (d document, stored int, err error)

// NewServer returns a server without any connection or goroutine. It returns an
// error if an option makes no sense.
func NewServer(options Options) (*Server, error) {
	options, err := options.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &Server{
		options:     options,
		log:         options.Logger,
		load:        loadDocument,
		connections: make(map[*conn]struct{}),
	}
	s.incoming.max = int64(options.Limits.Incoming)
	s.outgoing.max, s.outgoing.log, s.outgoing.boxes = int64(options.Limits.Outgoing), s.log, s.outboxes
	if s.quarantine = options.Quarantine; s.quarantine == nil {
		s.quarantine = s.quarantined.add
	}
	if s.origins, err = newOriginPolicy(options.AllowedOrigins); err != nil {
		return nil, err
	}
	if s.hosts, err = newHostPolicy(options.AllowedHosts); err != nil {
		return nil, err
	}
	s.registry = newRegistry(options.Limits.Rooms, options.Timeouts.Idle, func(name string) *room {
		return newRoom(s, name)
	})
	s.compactor = newCompactor(options)
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s, nil
}

// ServeHTTP makes a connection to a room of a request. Requests that it does not
// like get a status from 400 to 503 and a line that says why.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, refused := s.roomFor(r)
	if refused != nil {
		s.refuse(w, r, refused.status, refused.err)
		return
	}
	identity, refused := s.identify(r)
	if refused != nil {
		s.refuse(w, r, refused.status, refused.err)
		return
	}
	room, err := s.reserve(name)
	if err != nil {
		s.refuse(w, r, http.StatusServiceUnavailable, err)
		return
	}
	transport, err := s.upgrade(w, r)
	if err != nil {
		s.log.Info("handshake failed", "client", r.RemoteAddr, "room", name, "error", err)
		s.registry.release(room)
		s.dismiss()
		return
	}
	s.start(room, transport, r.RemoteAddr, identity)
}

// reserve counts a connection in and holds its room for it.
func (s *Server) reserve(name string) (*room, error) {
	if err := s.admit(); err != nil {
		return nil, err
	}
	room, err := s.registry.hold(name)
	if err != nil {
		s.dismiss()
	}
	return room, err
}

// start serves a connection to a room that was reserved for it.
func (s *Server) start(room *room, transport *activeConn, remote string, identity Identity) *conn {
	c := newConn(s, room, transport, remote)
	c.identity = identity
	s.mu.Lock()
	s.connections[c] = struct{}{}
	closed := s.closed
	s.mu.Unlock()
	if closed {
		c.out.close(CloseServiceRestart, shutdownReason)
	}
	go c.serve()
	return c
}

// admit counts a connection in. dismiss or forget counts it out.
func (s *Server) admit() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrShuttingDown
	}
	if s.admitted >= s.options.Limits.Connections {
		return errTooManyConnections
	}
	s.admitted++
	s.goroutines.Add(1)
	return nil
}

func (s *Server) dismiss() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.admitted--
	s.goroutines.Done()
}

// forget ends the accounting of a connection, as the last thing it does.
func (s *Server) forget(c *conn) {
	s.registry.release(c.room)
	s.mu.Lock()
	delete(s.connections, c)
	s.mu.Unlock()
	s.dismiss()
}

func (s *Server) outboxes() []*outbox {
	s.mu.Lock()
	defer s.mu.Unlock()
	boxes := make([]*outbox, 0, len(s.connections))
	for c := range s.connections {
		boxes = append(boxes, c.out)
	}
	return boxes
}

// Ready reports whether the server can serve: nil, [ErrShuttingDown], or an error
// that says what is wrong with the store.
func (s *Server) Ready(ctx context.Context) error {
	if s.draining.Load() {
		return ErrShuttingDown
	}
	if n := s.failingSavers.Load(); n > 0 {
		return fmt.Errorf("the store does not take updates of %d rooms", n)
	}
	if err := s.options.Store.Ping(ctx); err != nil {
		return fmt.Errorf("the store does not answer: %w", err)
	}
	return nil
}
