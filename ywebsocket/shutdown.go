package ywebsocket

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

const shutdownReason = "the server is restarting: reconnect"

// Shutdown ends the server: it refuses new connections, takes no more updates,
// waits until those it has taken are stored and their senders told, closes all
// connections with [CloseServiceRestart] and waits for them to end. A compaction that is
// under way is given up.
//
// If ctx ends before that, what is left is given up and the error says so; nobody
// was told that it is saved, and clients send it again when they reconnect. A
// compaction that has not ended by then changes nothing any more. The store stays
// open. Calling Shutdown again waits again.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.draining.Store(true)
	rooms := s.registry.close()
	if s.compactor != nil {
		s.compactor.close()
	}

	err := flushAll(ctx, rooms)
	s.closeConnections((*conn).restart)
	if !waitGroup(ctx, &s.goroutines) {
		s.cancel()
		s.closeConnections(func(c *conn) { c.out.abort() })
		return errors.Join(err, context.Cause(ctx))
	}
	// What a client was sending just before the server stopped listening.
	err = errors.Join(err, flushAll(ctx, rooms))
	s.cancel()
	for _, r := range rooms {
		r.free()
	}
	if s.compactor != nil && !s.compactor.wait(ctx) {
		err = errors.Join(err, fmt.Errorf("%w: %w", errStillCompacting, context.Cause(ctx)))
	}
	return err
}

var errStillCompacting = errors.New("the store does not end a compaction; the log of that room stays as it is")

func (c *conn) restart() { c.out.close(CloseServiceRestart, shutdownReason) }

func (s *Server) closeConnections(end func(*conn)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.connections {
		end(c)
	}
}

// waitGroup reports whether a group ended before ctx.
func waitGroup(ctx context.Context, group *sync.WaitGroup) bool {
	ended := make(chan struct{})
	go func() {
		group.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return true
	case <-ctx.Done():
		return false
	}
}

// flushAll waits for the savers of all rooms, which work at the same time.
func flushAll(ctx context.Context, rooms []*room) error {
	var errs []error
	for _, r := range rooms {
		errs = append(errs, r.saver.flush(ctx))
	}
	return errors.Join(errs...)
}
