package ycrdt

import (
	"context"

	"github.com/yrs-go/yrs/ycrdt/internal/ffi"
	"github.com/yrs-go/yrs/ycrdt/protocol"
)

// ApplyUpdate merges an update (v1 encoding) into the document. Updates may come in any order and more than once.
// What misses something that has not arrived is held back until that comes: [UpdateEvent.Pending] tells of it, and
// EncodeStateAsUpdate(nil) includes it. If [Limits] allow no more of it to be held back, it is given up with
// ErrHeldFull, and what misses nothing is applied nevertheless; to synchronise again brings the rest.
//
// What is not an update, or one that no honest peer sends, fails with ErrMalformed, a message that names the broken
// rule and the offset, and changes nothing. If yrs fails on an update that looked sound, the document is poisoned:
// from then on everything but Close fails with ErrDocPoisoned.
func (d *Doc) ApplyUpdate(update []byte) error {
	return d.ApplyUpdateContext(context.Background(), TxOptions{}, update)
}

// ApplyUpdateContext is ApplyUpdate with the options and the waiting of TransactContext.
func (d *Doc) ApplyUpdateContext(ctx context.Context, opts TxOptions, update []byte) error {
	const op = "apply update"
	if err := d.lockWrite(ctx, op); err != nil {
		return err
	}
	defer d.events.drain()
	defer d.unlockWrite()
	commit, err := d.native.ApplyUpdate(update, opts.Budget, d.events.wantsUpdates())
	if err == nil || commit.Changed {
		d.events.push(d, commit, opts, false)
	}
	return wrap(op, err)
}

// EncodeStateVector returns the document's state vector: what to send to a peer to be told what is missing.
func (d *Doc) EncodeStateVector() (stateVector []byte, err error) {
	err = d.View(func(tx *Tx) error {
		stateVector, err = tx.EncodeStateVector()
		return err
	})
	return stateVector, err
}

// EncodeStateAsUpdate returns the document as an update. With a nil stateVector it is everything, with updates
// that still wait for others; with a peer's state vector it is what that peer lacks, without them.
func (d *Doc) EncodeStateAsUpdate(stateVector []byte) (update []byte, err error) {
	err = d.View(func(tx *Tx) error {
		update, err = tx.EncodeStateAsUpdate(stateVector)
		return err
	})
	return update, err
}

// ApplyUpdate is Doc.ApplyUpdate within the transaction. To subscribers it is a part of the transaction's change: Local
// is set, and the origin is the transaction's. TxOptions.Budget does not count here: give updates from strangers to
// [Doc.ApplyUpdateContext].
func (tx *Tx) ApplyUpdate(update []byte) error {
	const op = "apply update"
	if err := tx.use(op); err != nil {
		return err
	}
	return wrap(op, tx.native.ApplyUpdate(update))
}

// EncodeStateVector is Doc.EncodeStateVector within the transaction.
func (tx *Tx) EncodeStateVector() ([]byte, error) {
	const op = "encode state vector"
	if err := tx.use(op); err != nil {
		return nil, err
	}
	stateVector, err := tx.native.StateVector()
	return stateVector, wrap(op, err)
}

// EncodeStateAsUpdate is Doc.EncodeStateAsUpdate within the transaction.
func (tx *Tx) EncodeStateAsUpdate(stateVector []byte) ([]byte, error) {
	const op = "encode state"
	if err := tx.use(op); err != nil {
		return nil, err
	}
	update, err := tx.native.EncodeState(stateVector)
	return update, wrap(op, err)
}

// MergeUpdates merges updates into one that has the same effect, without a document.
func MergeUpdates(updates ...[]byte) ([]byte, error) {
	var e protocol.Encoder
	size := 0
	for _, update := range updates {
		size += len(update) + 5
	}
	e.Grow(size)
	for _, update := range updates {
		e.WriteVarBytes(update)
	}
	merged, err := ffi.MergeUpdates(e.Bytes())
	return merged, wrap("merge updates", err)
}

// CheckUpdate checks that an update would not be refused as malformed, without a document.
func CheckUpdate(update []byte) error {
	return wrap("check update", ffi.CheckUpdate(update))
}
