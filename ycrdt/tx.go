package ycrdt

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/yrs-go/yrs/ycrdt/internal/ffi"
)

// TxOptions says how a write transaction is made. The zero value is fine.
type TxOptions struct {
	// Origin tells subscribers where the change comes from; it stays in this process.
	Origin any
	// NotifyEmpty has the subscribers of OnUpdate called, in their turn, even if nothing changed.
	NotifyEmpty bool
	// Budget is how long ApplyUpdateContext may take for an update of which the cost is out of proportion to its
	// size. Yjs documents order insertions at the same place in a time that grows with the square of their number: a
	// hostile update of 70 kB can make that ten seconds. After that time, beyond what so many insertions usually take,
	// the rest of the update is given up with ErrTooLarge; what was applied stays, and applying the update again goes
	// on from there. So it is when an update makes very many shared types or subdocuments of few bytes: an
	// update with a budget takes less memory than 64 times its size and 4 MiB. Only one that nests very many maps
	// under empty keys is refused for that as a whole, with ErrTooLarge, too.
	//
	// 0 means that it may cost what it costs. Updates from strangers should have a budget; what was accepted once
	// should not. Tx.ApplyUpdate takes no notice of it.
	Budget time.Duration
}

// Tx is an open transaction. It belongs to the goroutine that runs its closure and ends with it.
//
// Methods without an error result return a zero value when they fail, and leave the reason in [Tx.Err].
type Tx struct {
	doc    *Doc
	native ffi.Txn
	ctx    context.Context
	write  bool
	done   atomic.Bool // read through contexts by other goroutines
	err    error
	roots  []shared  // the first roots resolved, by Tx.root
	room   [1]shared // for one of them, so that most transactions need not allocate it

	// uses is unsynchronised on purpose: the race detector reports a transaction that two goroutines use.
	uses uint64
}

// txKey marks the contexts that Tx.Context gives out.
type txKey struct{}

// Transact runs fn in a write transaction, commits it and calls the subscribers. It waits for other
// transactions to end.
//
// There is no rollback: when fn returns an error, that error is returned and what fn had written stays. A
// panic in fn commits too, and goes on.
func (d *Doc) Transact(fn func(*Tx) error) error {
	return d.TransactContext(context.Background(), TxOptions{}, fn)
}

// TransactContext is Transact with options. It stops waiting when ctx is done; fn itself is not interrupted.
// If ctx comes from [Tx.Context] of an open transaction of this document, it fails with ErrInTransaction.
func (d *Doc) TransactContext(ctx context.Context, opts TxOptions, fn func(*Tx) error) (err error) {
	if err := d.lockWrite(ctx, "transact"); err != nil {
		return err
	}
	tx, err := d.begin(ctx, true)
	if err != nil {
		d.unlockWrite()
		return wrap("transact", err)
	}
	defer d.events.drain()
	defer func() {
		commitErr := tx.commit(opts)
		d.unlockWrite()
		if err == nil {
			err = commitErr
		}
	}()
	return tx.run(fn)
}

// View runs fn in a read-only transaction. Views run beside each other; writes in them fail with ErrReadOnly,
// and a root that does not exist reads as empty.
func (d *Doc) View(fn func(*Tx) error) error {
	return d.ViewContext(context.Background(), fn)
}

// ViewContext is View that stops waiting when ctx is done. See TransactContext for nesting.
func (d *Doc) ViewContext(ctx context.Context, fn func(*Tx) error) error {
	if err := d.lockRead(ctx, "view"); err != nil {
		return err
	}
	defer d.unlockRead()
	tx, err := d.begin(ctx, false)
	if err != nil {
		return wrap("view", err)
	}
	defer func() {
		tx.done.Store(true)
		// Ending a read-only transaction changes nothing that could fail.
		_, _ = tx.native.Commit(false)
	}()
	return tx.run(fn)
}

// begin opens a transaction. The lock is held.
func (d *Doc) begin(ctx context.Context, write bool) (*Tx, error) {
	tx := &Tx{doc: d, ctx: ctx, write: write}
	tx.roots = tx.room[:0]
	var err error
	tx.native, err = d.native.Begin(write)
	return tx, err
}

// lockWrite takes the document's lock for writing, once the subscribers have caught up.
func (d *Doc) lockWrite(ctx context.Context, op string) error {
	if err := d.checkOpen(ctx, op); err != nil {
		return err
	}
	if err := d.events.waitForRoom(ctx); err != nil {
		return wrap(op, err)
	}
	if err := d.lock.write(ctx); err != nil {
		return wrap(op, err)
	}
	if err := d.checkLocked(op, d.unlockWrite); err != nil {
		return err
	}
	d.observers.removeStale(d)
	return nil
}

func (d *Doc) lockRead(ctx context.Context, op string) error {
	if err := d.checkOpen(ctx, op); err != nil {
		return err
	}
	if err := d.lock.read(ctx); err != nil {
		return wrap(op, err)
	}
	if err := d.checkLocked(op, d.unlockRead); err != nil {
		return err
	}
	if d.unsettled.Load() {
		d.unlockRead()
		return d.lockSettled(ctx, op)
	}
	return nil
}

// lockSettled takes the lock for reading once the native document has carried out what it holds back. That takes a
// writer, and readers come together: if all were to wait for the writer's lock, the second would wait for the first to
// have read. So one at a time looks whether it is still to be done.
func (d *Doc) lockSettled(ctx context.Context, op string) error {
	if err := d.settling.write(ctx); err != nil {
		return wrap(op, err)
	}
	defer d.settling.unlockWrite()
	if !d.unsettled.Load() {
		if err := d.lock.read(ctx); err != nil {
			return wrap(op, err)
		}
		if !d.unsettled.Load() {
			return d.checkLocked(op, d.unlockRead)
		}
		d.unlockRead() // another writer came first
	}
	if err := d.lock.write(ctx); err != nil {
		return wrap(op, err)
	}
	if err := d.checkLocked(op, d.unlockWrite); err != nil {
		return err
	}
	if err := d.native.Settle(); err != nil {
		d.unlockWrite()
		return wrap(op, err)
	}
	d.unsettled.Store(false)
	d.lock.downgrade()
	return nil
}

// checkLocked lets go of the lock again if the document was closed meanwhile.
func (d *Doc) checkLocked(op string, unlock func()) error {
	if d.closed.Load() {
		unlock()
		return fail(op, CodeClosed)
	}
	return nil
}

// checkOpen refuses what need not wait for the lock to be refused.
func (d *Doc) checkOpen(ctx context.Context, op string) error {
	if d.closed.Load() {
		return fail(op, CodeClosed)
	}
	if outer, ok := ctx.Value(txKey{}).(*Tx); ok && outer.encloses(d) {
		return fail(op, CodeInTransaction)
	}
	return nil
}

// encloses tells whether tx, or a transaction that it was itself opened in, is an open one of d.
func (tx *Tx) encloses(d *Doc) bool {
	for tx != nil {
		if tx.doc == d && !tx.done.Load() {
			return true
		}
		tx, _ = tx.ctx.Value(txKey{}).(*Tx)
	}
	return false
}

// run calls the closure. Its name is what waiters look for on their stacks.
//
//go:noinline
func (tx *Tx) run(fn func(*Tx) error) error {
	if err := fn(tx); err != nil {
		return err
	}
	return tx.err
}

// commit ends a write transaction and queues what subscribers are to hear, under the document's lock, so that
// the queue is in the order of the commits.
func (tx *Tx) commit(opts TxOptions) error {
	tx.done.Store(true)
	commit, err := tx.native.Commit(tx.doc.events.wantsUpdates())
	if err != nil {
		return wrap("commit", err)
	}
	tx.doc.unsettled.Store(commit.Deferred)
	tx.doc.events.push(tx.doc, commit, opts, true)
	return nil
}

// Context returns a context that marks the transaction: a transaction of the same document opened with it
// fails at once instead of waiting for itself. It also carries the context that the transaction was opened with.
func (tx *Tx) Context() context.Context {
	return context.WithValue(tx.ctx, txKey{}, tx)
}

// Doc returns the document.
func (tx *Tx) Doc() *Doc { return tx.doc }

// Err returns the first failure of a method that has no error result. Transact and View return it when their
// closure returns nil.
func (tx *Tx) Err() error { return tx.err }

// Changed tells whether the transaction has inserted or deleted anything so far.
func (tx *Tx) Changed() bool {
	if tx.use("changed") != nil {
		return false
	}
	return tx.native.Changed()
}

// use checks that the transaction is open.
func (tx *Tx) use(op string) error {
	if tx.done.Load() {
		return fail(op, CodeTxDone)
	}
	tx.uses++
	return nil
}

// note keeps the first failure for Err.
func (tx *Tx) note(err error) {
	if tx.err == nil {
		tx.err = err
	}
}
