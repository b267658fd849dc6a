package ywebsocket

import (
	"context"
	"errors"

	"github.com/yrs-go/yrs/ycrdt"
	"github.com/yrs-go/yrs/ywebsocket/store"
)

// document is what a room holds. Its methods are safe for concurrent use, but
// apply is not called while another method runs.
type document interface {
	// apply merges an update of a client and reports the change to the function
	// that the document was loaded with, before it returns.
	apply(ctx context.Context, in *inbound) error
	// stateVector returns what the document knows.
	stateVector(ctx context.Context) ([]byte, error)
	// missing returns what a peer with the given state vector lacks.
	missing(ctx context.Context, stateVector []byte) ([]byte, error)
	// close frees the document.
	close()
}

// change is what an update of a client did to the document.
type change struct {
	// update holds what was new in it, and whatever had been waiting for that. It
	// is empty if nothing was.
	update []byte
	// pending: parts of this update or of earlier ones wait for others, and are in
	// no change yet.
	pending bool
	origin  *inbound
}

// liveDocument is a document in memory.
type liveDocument struct{ doc *ycrdt.Doc }

// loadDocument reads a room from the store, where a room that was never stored is
// empty, and adds the updates that are not there yet. From then on changes are
// reported to onChange, in order, while no lock of the document is held.
func loadDocument(
	ctx context.Context, s store.Store, room string, pending [][]byte, onChange func(change),
) (_ document, err error) {
	doc := ycrdt.NewDoc()
	defer func() {
		if err != nil {
			_ = doc.Close()
		}
	}()
	apply := func(update []byte) error {
		return doc.ApplyUpdateContext(ctx, ycrdt.TxOptions{}, update)
	}
	if err := s.Load(ctx, room, apply); err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	for _, update := range pending {
		if err := apply(update); err != nil {
			return nil, err
		}
	}
	doc.OnUpdate(func(event ycrdt.UpdateEvent) {
		if in, ok := event.Origin.(*inbound); ok {
			onChange(change{update: event.Update, pending: event.Pending, origin: in})
		}
	})
	return &liveDocument{doc: doc}, nil
}

func (d *liveDocument) apply(ctx context.Context, in *inbound) error {
	// NotifyEmpty: a sender also wants to hear that an update held nothing new.
	return d.doc.ApplyUpdateContext(ctx, ycrdt.TxOptions{Origin: in, NotifyEmpty: true}, in.update)
}

func (d *liveDocument) stateVector(ctx context.Context) (stateVector []byte, err error) {
	err = d.doc.ViewContext(ctx, func(tx *ycrdt.Tx) error {
		stateVector, err = tx.EncodeStateVector()
		return err
	})
	return stateVector, err
}

func (d *liveDocument) missing(ctx context.Context, stateVector []byte) (update []byte, err error) {
	if stateVector == nil {
		stateVector = []byte{} // nil would mean everything
	}
	err = d.doc.ViewContext(ctx, func(tx *ycrdt.Tx) error {
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

func hasCode(err error, code ycrdt.Code) bool {
	var failure *ycrdt.Error
	return errors.As(err, &failure) && failure.Code == code
}
