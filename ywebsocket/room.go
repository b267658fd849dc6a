package ywebsocket

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/yrs-go/yrs/ycrdt"
)

// room is a document with the connections that edit it.
//
// Locks, in the order in which they are taken: documentMu, presence.mu,
// membersMu; registry.mu, loadMu and those of savers and outboxes come last and
// alone. The store is called with none of them held.
type room struct {
	name   string
	server *Server
	log    *slog.Logger
	saver  *saver

	// holds and removal belong to the registry.
	holds   int
	removal *time.Timer

	loadMu  sync.Mutex
	attempt *loadAttempt // under way or successful

	// documentMu is held exclusively by who changes the document, or replaces it.
	documentMu sync.RWMutex
	document   document // nil: not loaded

	presence *presence

	membersMu sync.Mutex
	members   map[*conn]struct{}
}

func newRoom(s *Server, name string) *room {
	log := s.log.With("room", name)
	r := &room{
		name:    name,
		server:  s,
		log:     log,
		saver:   newSaver(s.ctx, s, name, log),
		members: make(map[*conn]struct{}),
	}
	r.presence = newPresence(r, s.options.Timeouts.Awareness)
	return r
}

// join greets a connection with what the document knows and who is there, and
// adds it to those that receive broadcasts. The room must have been loaded.
func (r *room) join(c *conn) error {
	stateVector, err := r.read(c.ctx, document.stateVector)
	if err != nil {
		return err
	}
	r.add(c, step1Frame(stateVector))
	// What changed before c was added is in the answer to its own first sync
	// message, which it gets from now on.
	r.presence.greet(c)
	return nil
}

// add makes c a member; greeting is the first that it receives.
func (r *room) add(c *conn, greeting frame) {
	r.membersMu.Lock()
	defer r.membersMu.Unlock()
	c.out.send(greeting)
	r.members[c] = struct{}{}
}

// leave undoes join, or a join that has failed.
func (r *room) leave(c *conn) {
	r.membersMu.Lock()
	delete(r.members, c)
	r.membersMu.Unlock()
	r.presence.leave(c)
}

// missing returns what a peer with this state vector lacks.
func (r *room) missing(ctx context.Context, stateVector []byte) ([]byte, error) {
	return r.read(ctx, func(d document, ctx context.Context) ([]byte, error) {
		return d.missing(ctx, stateVector)
	})
}

// read looks at the document. If that turns out to be unusable it is loaded
// again first.
func (r *room) read(ctx context.Context, fn func(document, context.Context) ([]byte, error)) (result []byte, err error) {
	err = r.use(ctx, func() (d document, err error) {
		r.documentMu.RLock()
		defer r.documentMu.RUnlock()
		if r.document == nil {
			return nil, errNotLoaded
		}
		result, err = fn(r.document, ctx)
		return r.document, err
	})
	return result, asClose(err)
}

// apply merges an update of a client: changes it makes are broadcast to the
// others and stored, see changed. An update that leaves the document unusable
// costs its sender the connection; the others go on with the document as it was
// before, which is read from the store.
func (r *room) apply(ctx context.Context, in *inbound) error {
	var used document
	err := r.use(ctx, func() (document, error) {
		r.documentMu.Lock()
		defer r.documentMu.Unlock()
		if used = r.document; used == nil {
			return nil, errNotLoaded
		}
		return used, used.apply(ctx, in)
	})
	if poisonedNow(err) {
		in.from.log().Error("an update has broken the document; it will be loaded again", "error", err)
		r.drop(used) // and whoever needs the next one loads it
		return closing(ClosePoisoned, "this update breaks the document: do not send it again")
	}
	return asClose(err)
}

// use calls fn, which uses the document and returns it; if there is none, or an
// earlier call has left it unusable, it is loaded and fn called once more.
func (r *room) use(ctx context.Context, fn func() (document, error)) error {
	used, err := fn()
	if !errors.Is(err, errNotLoaded) && !poisonedBefore(err) {
		return err
	}
	r.drop(used)
	if err := r.load(ctx); err != nil {
		return err
	}
	_, err = fn()
	return err
}

// changed is called for every update that a client has sent, in the order in
// which they were applied.
func (r *room) changed(ch change) {
	if len(ch.update) > 0 {
		r.broadcast(updateFrame(ch.update), ch.origin.from)
	}
	u := unsaved{update: ch.update, origin: ch.origin}
	if ch.pending {
		// What waits for others is in no change yet: keep what was sent.
		u.update = ch.origin.update
	}
	if r.server.options.EchoBeforeCommit {
		ch.origin.from.saved(ch.origin.update)
		u.origin = nil
	}
	r.saver.add(u)
}

// broadcast sends a frame to all members but one; nil excepts none.
func (r *room) broadcast(f frame, except *conn) {
	r.membersMu.Lock()
	defer r.membersMu.Unlock()
	for c := range r.members {
		if c != except {
			c.out.send(f)
		}
	}
}

// closeAll closes the connections of all members.
func (r *room) closeAll(code CloseCode, reason string) {
	r.membersMu.Lock()
	defer r.membersMu.Unlock()
	for c := range r.members {
		c.out.close(code, reason)
	}
}

// busy reports whether the room has work to do that does not depend on a
// connection.
func (r *room) busy() bool { return r.isLoading() || r.saver.busy() }

// free releases the document. Nobody holds the room any more.
func (r *room) free() {
	r.documentMu.Lock()
	defer r.documentMu.Unlock()
	if r.document != nil {
		r.document.close()
		r.document = nil
	}
	r.presence.close()
}

// asClose says how an error of the document ends the connection that caused it.
func asClose(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ycrdt.ErrMalformed):
		return closing(CloseMalformed, "malformed update or state vector: %v", err)
	case errors.Is(err, ycrdt.ErrTooLarge):
		return closing(CloseTooBig, "update above a limit: %v", err)
	default:
		return err
	}
}
