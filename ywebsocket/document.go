package ywebsocket

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/yrs-go/yrs/ycrdt"
	"github.com/yrs-go/yrs/ywebsocket/store"
)

// document is what a room holds. Its methods are safe for concurrent use, but
// apply is not called while another method runs.
type document interface {
	// apply merges an update of a client and returns what that did, which can be
	// something even if it fails.
	apply(ctx context.Context, update []byte) (change, error)
	// stateVector returns what the document knows.
	stateVector(ctx context.Context) ([]byte, error)
	// missing returns what a peer with the given state vector lacks.
	missing(ctx context.Context, stateVector []byte) ([]byte, error)
	// close frees the document.
	close()
}

// change is what an update of a client did to the document. What the update
// refers to may not have arrived; then the document holds it back until that
// comes, and does not count it as known.
type change struct {
	// update holds what came in: what was new and missed nothing, and what had been
	// held back until then. It is empty if nothing came in.
	update []byte
	// complete: everything that was sent is in the document now.
	complete bool
	// released: some of what came in may have been held back before.
	released bool
	// pending: the document holds something back.
	pending bool
}

// liveDocument is a document in memory.
type liveDocument struct {
	doc *ycrdt.Doc
	// last is the latest event of the document.
	last       ycrdt.UpdateEvent
	collection collection
}

// loadDocument reads a room from the store, where a room that was never stored is
// empty, and adds the updates that are not there yet. It returns how many are
// there.
func loadDocument(ctx context.Context, s store.Store, room string, pending [][]byte) (_ document, stored int, err error) {
	doc := ycrdt.NewDoc()
	defer func() {
		if err != nil {
			_ = doc.Close()
		}
	}()
	apply := func(update []byte) error {
		return applyAccepted(ctx, doc, update, integrationBudget)
	}
	count := func(update []byte) error {
		stored++
		return apply(update)
	}
	if err := s.Load(ctx, room, numbered("stored", count)); err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, 0, err
	}
	unsaved := numbered("unsaved", apply)
	for _, update := range pending {
		if err := unsaved(update); err != nil {
			return nil, 0, err
		}
	}
	d := &liveDocument{collection: newCollection()}
	// A log may hold what was stored before the document could hold it back.
	d.last.Pending = true
	d.use(doc)
	return d, stored, nil
}

// numbered has the errors of apply say which update they are about, counted from
// one.
func numbered(kind string, apply func([]byte) error) func([]byte) error {
	n := 0
	return func(update []byte) error {
		n++
		if err := apply(update); err != nil {
			return fmt.Errorf("%s update %d (%d bytes): %w", kind, n, len(update), err)
		}
		return nil
	}
}

func (d *liveDocument) apply(ctx context.Context, update []byte) (change, error) {
	before := d.last.Pending
	d.last.Update = nil
	// NotifyEmpty: a sender also wants to hear that an update held nothing new.
	opts := ycrdt.TxOptions{NotifyEmpty: true, Budget: integrationBudget}
	err := d.doc.ApplyUpdateContext(ctx, opts, update)
	ch := change{update: d.last.Update, pending: d.last.Pending, complete: err == nil && !d.last.Held}
	if err != nil {
		d.last.Pending = true // some of it may be held back, although no event said so
	}
	if bytes.Equal(ch.update, update) {
		ch.update = update // one copy is enough
	} else {
		ch.released = before && len(ch.update) > 0
	}
	if err == nil && !ch.pending && d.collection.isDue(d.doc.Garbage(), d.doc.MemoryUsage()) {
		_ = d.collectGarbage(ctx) // what cannot be collected stays
		d.collection.tried(d.doc.Garbage())
	}
	return ch, err
}

// integrationBudget is how long an update of a client may take that costs more than
// others of its size; see [ycrdt.TxOptions].
const integrationBudget = time.Second

// collectGarbage replaces the document by one without garbage. What is held back
// would be lost, so it must not hold anything back.
func (d *liveDocument) collectGarbage(ctx context.Context) error {
	state, err := d.missing(ctx, []byte{0})
	if err != nil {
		return err
	}
	if state, err = ycrdt.CollectGarbage(state); err != nil {
		return err
	}
	fresh := ycrdt.NewDoc()
	// The room waits for this, so it may not take long.
	if err := fresh.ApplyUpdateContext(ctx, ycrdt.TxOptions{Budget: integrationBudget}, state); err != nil {
		_ = fresh.Close()
		return err
	}
	_ = d.doc.Close()
	d.use(fresh)
	return nil
}

// use makes doc the document.
func (d *liveDocument) use(doc *ycrdt.Doc) {
	d.doc = doc
	doc.OnUpdate(func(event ycrdt.UpdateEvent) { d.last = event })
}

func (d *liveDocument) stateVector(ctx context.Context) ([]byte, error) {
	return encodeStateVector(ctx, d.doc)
}

func (d *liveDocument) missing(ctx context.Context, stateVector []byte) ([]byte, error) {
	if stateVector == nil {
		stateVector = []byte{} // nil would mean everything
	}
	return encodeState(ctx, d.doc, stateVector)
}

// encodeStateVector is Doc.EncodeStateVector that stops waiting when ctx is done.
func encodeStateVector(ctx context.Context, doc *ycrdt.Doc) (stateVector []byte, err error) {
	err = doc.ViewContext(ctx, func(tx *ycrdt.Tx) error {
		stateVector, err = tx.EncodeStateVector()
		return err
	})
	return stateVector, err
}

// encodeState is Doc.EncodeStateAsUpdate that stops waiting when ctx is done.
func encodeState(ctx context.Context, doc *ycrdt.Doc, stateVector []byte) (update []byte, err error) {
	err = doc.ViewContext(ctx, func(tx *ycrdt.Tx) error {
		update, err = tx.EncodeStateAsUpdate(stateVector)
		return err
	})
	return update, err
}

func (d *liveDocument) close() { _ = d.doc.Close() }

// poisonedBefore reports whether a call failed because of an earlier one, which
// has left the document unusable.
func poisonedBefore(err error) bool { return hasCode(err, ycrdt.CodeDocPoisoned) }

// poisonedNow reports whether a call that writes has left the document unusable.
func poisonedNow(err error) bool {
	return hasCode(err, ycrdt.CodeApplyFailed) || hasCode(err, ycrdt.CodePanic)
}

// unusable reports whether the document cannot be used after a call.
func unusable(err error) bool { return poisonedBefore(err) || poisonedNow(err) }

func hasCode(err error, code ycrdt.Code) bool {
	var failure *ycrdt.Error
	return errors.As(err, &failure) && failure.Code == code
}
