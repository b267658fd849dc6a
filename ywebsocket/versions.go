package ywebsocket

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/yrs-go/yrs/ycrdt"
	"github.com/yrs-go/yrs/ywebsocket/store"
)

var (
	// ErrNoArchive is returned by what needs the past of a room if [Options.Store] is
	// no [store.Archive].
	ErrNoArchive = errors.New("the store keeps no versions: use one that is a store.Archive")
	// ErrStoreFails is returned by SaveVersion and Restore while a room takes no updates,
	// because the store fails: try again when it works.
	ErrStoreFails = errors.New("the store fails, and the room takes no changes: try again when it works")
)

// SaveVersion gives the present state of a room a name, by which it can be restored
// later, whether the room is in use or not. It returns an error that matches
// [store.ErrNotFound] if nothing was ever stored of the room, one that matches
// [store.ErrVersionExists] if the name is taken, and one that matches [store.ErrName] if
// it is none.
func (s *Server) SaveVersion(ctx context.Context, roomName, version string) error {
	return s.withArchive(func(archive store.Archive) error {
		return s.withRoom(roomName, func(r *room) error {
			state, err := r.state(ctx)
			if err != nil {
				return err
			}
			// What is in the state is in the log first: a room exists by what it holds.
			if err := r.write(ctx, nil); err != nil {
				return err
			}
			return archive.SaveVersion(ctx, roomName, version, state)
		})
	})
}

// Versions returns the versions of a room in the order in which they were saved.
func (s *Server) Versions(ctx context.Context, room string) (versions []store.Version, err error) {
	err = s.withArchive(func(archive store.Archive) error {
		versions, err = archive.Versions(ctx, room)
		return err
	})
	return versions, err
}

// Restore makes the content of a room what it was when a version was saved, and returns
// when that is stored. To everybody in the room it is an edit like any other: they see
// it at once, the past stays, and what they write meanwhile is merged. What can be
// restored, and how, says [ycrdt.Restore]. It returns an error that matches
// [store.ErrNotFound] if there is no such version.
func (s *Server) Restore(ctx context.Context, room, version string) error {
	return s.restore(ctx, room, func(archive store.Archive) ([]byte, error) {
		return archive.LoadVersion(ctx, room, version)
	})
}

// RestoreAt is Restore to what the room was at a moment. It returns an error that
// matches [store.ErrNotFound] if the room did not exist then, and one that matches
// [store.ErrCompacted] if the store no longer tells; see [Options.History].
func (s *Server) RestoreAt(ctx context.Context, room string, at time.Time) error {
	return s.restore(ctx, room, func(archive store.Archive) ([]byte, error) {
		var log [][]byte
		err := archive.LoadAt(ctx, room, at, func(update []byte) error {
			log = append(log, bytes.Clone(update))
			return nil
		})
		if err != nil {
			return nil, err
		}
		doc, _, err := replay(ctx, log)
		if err != nil {
			return nil, err
		}
		defer doc.Close()
		return doc.EncodeStateAsUpdate(noStateVector)
	})
}

func (s *Server) restore(ctx context.Context, name string, load func(store.Archive) ([]byte, error)) error {
	return s.withArchive(func(archive store.Archive) error {
		old, err := load(archive)
		if err != nil {
			return err
		}
		return s.withRoom(name, func(r *room) error {
			state, err := r.state(ctx)
			if err != nil {
				return err
			}
			update, err := ycrdt.Restore(state, old)
			if err != nil {
				return err
			}
			return r.write(ctx, update)
		})
	})
}

func (s *Server) withArchive(fn func(store.Archive) error) error {
	archive, ok := s.options.Store.(store.Archive)
	if !ok {
		return ErrNoArchive
	}
	return fn(archive)
}

// withRoom calls fn with a room, which stays in memory until fn returns. The server does
// not shut down before.
func (s *Server) withRoom(name string, fn func(*room) error) error {
	if err := checkRoomName(name, s.options.Limits.RoomName); err != nil {
		return err
	}
	s.mu.Lock()
	closed := s.closed
	if !closed {
		s.goroutines.Add(1)
	}
	s.mu.Unlock()
	if closed {
		return ErrShuttingDown
	}
	defer s.goroutines.Done()
	r, err := s.registry.hold(name)
	if err != nil {
		return err
	}
	defer s.registry.release(r)
	return fn(r)
}

// noStateVector is the one of somebody who knows nothing. To ask for what that lacks
// leaves out what a document holds back.
var noStateVector = []byte{0}

// state returns all that the room holds.
func (r *room) state(ctx context.Context) ([]byte, error) { return r.missing(ctx, noStateVector) }

// write merges an update of the server's own, as apply does for one of a client, and
// returns when it is stored; nil waits for what was merged before.
func (r *room) write(ctx context.Context, update []byte) error {
	saved := make(chan struct{})
	var used document
	err := r.use(ctx, func() (document, error) {
		r.documentMu.Lock()
		defer r.documentMu.Unlock()
		if used = r.document; used == nil {
			return nil, errNotLoaded
		}
		if r.readOnly.Load() {
			return used, ErrStoreFails
		}
		if update == nil {
			r.saver.add(unsaved{saved: saved})
			return used, nil
		}
		ch, err := r.merge(ctx, update)
		if err == nil || !unusable(err) && len(ch.update) > 0 {
			u := unsaved{update: ch.update, receivers: r.tellOthers(nil, ch), saved: saved}
			u.withheld = r.takeWithheld()
			r.saver.add(u)
		}
		return used, err
	})
	if poisonedNow(err) {
		r.drop(used)
	}
	if err != nil {
		return err
	}
	return r.await(ctx, saved)
}

func (r *room) await(ctx context.Context, saved <-chan struct{}) error {
	select {
	case <-saved:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-r.server.ctx.Done():
		return ErrShuttingDown
	}
}
