package ywebsocket

import (
	"container/list"
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/yrs-go/yrs/ycrdt"
)

// room is a document with the connections that edit it.
//
// Locks, in the order in which they are taken: resync.mu of a connection,
// documentMu, presence.mu, membersMu; registry.mu, loadMu and those of savers, diffs
// and outboxes come last and alone. The store is called with none of them held.
type room struct {
	name   string
	server *Server
	log    *slog.Logger
	saver  *saver

	// These belong to the registry; the last two are nil while somebody holds the room.
	holds   int
	unheld  *list.Element
	removal *time.Timer

	// logLength is how many updates the store holds that were not compacted.
	logLength atomic.Int64

	loadMu   sync.Mutex
	attempt  *loadAttempt // under way or successful
	recovery recovery

	// documentMu is held exclusively by who changes the document, or replaces it.
	documentMu sync.RWMutex
	document   document // nil: not loaded
	diffs      diffs    // of the document as it is

	presence *presence

	// readOnly is set while the store fails: the room takes no updates. It changes
	// under documentMu, held by readers too, and membersMu.
	readOnly atomic.Bool

	membersMu sync.Mutex
	members   map[*conn]struct{}
	// heldFrom are the members that have sent something of which the document may
	// hold a part back.
	heldFrom map[*conn]struct{}
	// withheldFrom are those of whom an update is to be returned later.
	withheldFrom map[*conn]struct{}
}

func newRoom(s *Server, name string) *room {
	log := s.log.With("room", name)
	r := &room{
		name:     name,
		server:   s,
		log:      log,
		members:  make(map[*conn]struct{}),
		heldFrom: make(map[*conn]struct{}),

		withheldFrom: make(map[*conn]struct{}),
	}
	r.saver = newSaver(s.ctx, s, name, log, saverEvents{
		stored: r.logged,
		fails:  r.becomeReadOnly,
		works:  r.becomeWritable,
	})
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
	if r.readOnly.Load() {
		c.out.send(deniedFrame(readOnlyReason))
	}
	r.members[c] = struct{}{}
}

// leave undoes join, or a join that has failed.
func (r *room) leave(c *conn) {
	r.membersMu.Lock()
	delete(r.members, c)
	delete(r.heldFrom, c)
	delete(r.withheldFrom, c)
	r.membersMu.Unlock()
	c.resync.stop()
	r.presence.leave(c)
}

// missing returns what a peer with this state vector lacks.
func (r *room) missing(ctx context.Context, stateVector []byte) ([]byte, error) {
	return r.read(ctx, func(d document, ctx context.Context) ([]byte, error) {
		return d.missing(ctx, stateVector)
	})
}

// answer returns the answer to a peer with this state vector, which may be on its way
// to others, too.
func (r *room) answer(ctx context.Context, stateVector []byte) (f frame, err error) {
	q := question(sha256.Sum256(stateVector))
	_, err = r.read(ctx, func(d document, ctx context.Context) ([]byte, error) {
		f, err = r.diffs.get(ctx, q, func() (frame, error) {
			update, err := d.missing(ctx, stateVector)
			return step2Frame(update), err
		})
		return nil, err
	})
	return f, err
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

// apply merges an update of a client. An update that leaves the document unusable
// costs its sender the connection; the others go on with the document as it was
// before, which is read from the store.
func (r *room) apply(ctx context.Context, in *inbound) error {
	var used document
	var held bool
	err := r.use(ctx, func() (document, error) {
		r.documentMu.Lock()
		defer r.documentMu.Unlock()
		if used = r.document; used == nil {
			return nil, errNotLoaded
		}
		if r.readOnly.Load() || !r.accepts(in) {
			return used, nil // its sender was told, and will be asked or has been
		}
		ch, err := r.merge(ctx, in.update)
		if err == nil || !unusable(err) && len(ch.update) > 0 {
			r.changed(in, ch)
		}
		held = err == nil && !ch.complete
		return used, err
	})
	if poisonedNow(err) {
		in.from.log().Error("an update has broken the document; it will be loaded again",
			"bytes", len(in.update), "error", err)
		r.drop(used) // and whoever needs the next one loads it
		r.quarantine(in, err)
		return closing(ClosePoisoned, "this update breaks the document: do not send it again")
	}
	if held {
		in.from.resync.request(in.from)
	}
	if errors.Is(err, ycrdt.ErrTooLarge) {
		r.askAgain(ctx, used)
	}
	return asClose(err)
}

// merge changes the document. It is called with documentMu held.
func (r *room) merge(ctx context.Context, update []byte) (change, error) {
	ch, err := r.document.apply(ctx, update)
	if err != nil || !ch.complete || len(ch.update) > 0 {
		r.diffs.reset()
	}
	return ch, err
}

// use calls fn, which uses the document and returns it. As long as there is none,
// or somebody else's update has left it unusable, it is loaded and fn called again.
func (r *room) use(ctx context.Context, fn func() (document, error)) error {
	for ctx.Err() == nil {
		used, err := fn()
		if !errors.Is(err, errNotLoaded) && !poisonedBefore(err) {
			return err
		}
		r.drop(used)
		if err := r.load(ctx); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// changed passes on what an update did, in the order in which updates are applied:
// what came in goes to the others and to the store.
//
// The sender gets its update back once that is stored, if all of it is in the
// document; then, too, everybody gets what may have been held back from them
// before: to its authors that is the sign that it is saved.
func (r *room) changed(in *inbound, ch change) {
	u := unsaved{update: ch.update, receivers: r.tellOthers(in.from, ch)}
	if r.confirms(in, ch) {
		u.origin = in
	}
	u.withheld = r.takeWithheld()
	if r.server.options.EchoBeforeCommit {
		u.confirm()
		u.origin, u.receivers, u.withheld = nil, nil, nil
	}
	if len(u.update) > 0 || u.origin != nil || len(u.withheld) > 0 {
		r.saver.add(u)
	}
}

// tellOthers broadcasts what came in, from nobody if it is the server's own, and
// returns the members that are to get it once it is stored.
func (r *room) tellOthers(from *conn, ch change) (afterwards []*conn) {
	r.membersMu.Lock()
	defer r.membersMu.Unlock()
	if !ch.complete && from != nil {
		r.heldFrom[from] = struct{}{}
	}
	waits := func(c *conn) bool {
		if c == from {
			return ch.released || !ch.complete // otherwise its own bytes come back
		}
		_, author := r.heldFrom[c]
		return ch.released && author
	}
	if len(ch.update) > 0 {
		f := updateFrame(ch.update)
		for c := range r.members {
			if waits(c) {
				afterwards = append(afterwards, c)
			} else if c != from {
				c.out.send(f)
			}
		}
	}
	if !ch.pending {
		clear(r.heldFrom)
	}
	return afterwards
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

// logged notes that the store holds so many more updates of the room. If there are
// many now, they are compacted.
func (r *room) logged(updates int) {
	s := r.server
	if r.logLength.Add(int64(updates)) >= int64(s.options.CompactAfter) && s.compactor != nil {
		r.logLength.Store(0)
		s.compactor.request(r.name)
	}
}

// busy reports whether the room has work to do that does not depend on a
// connection, or something to remember.
func (r *room) busy() bool { return r.isLoading() || r.isRecovering() || r.saver.busy() }

// free releases the document. Nobody holds the room any more.
func (r *room) free() {
	r.documentMu.Lock()
	defer r.documentMu.Unlock()
	if r.document != nil {
		r.document.close()
		r.document = nil
		r.diffs.reset()
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
	case errors.Is(err, ycrdt.ErrHeldFull):
		return closing(CloseTryAgainLater, "the update waits for others, and too many do already: reconnect to sync again")
	case errors.Is(err, ycrdt.ErrTooLarge):
		return closing(CloseTooBig, "update above a limit: %v", err)
	default:
		return err
	}
}
