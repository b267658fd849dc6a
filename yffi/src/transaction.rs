//! Transactions: begin, commit, and the shared types they resolve.

use crate::batch::Batch;
use crate::branch::YFFI_ABSENT;
use crate::buf::YffiBuf;
use crate::decode::{check_decodes, decode};
use crate::doc::YffiDoc;
use crate::error::{Failure, Result, YffiCode, YffiError};
use crate::gate;
use crate::limits::WIDEST;
use crate::panic::{guard, OnPanic};
use crate::structs::Id;
use smallvec::SmallVec;
use std::mem::ManuallyDrop;
use yrs::branch::BranchPtr;
use yrs::{ReadTxn, Transact, Transaction, TransactionMut, Update};

/// An update of at most this many changes is encoded before the commit, where it costs what it holds. After the
/// commit yrs has merged the new blocks into their neighbours and encodes all of the merged block; for a large
/// transaction that is shorter, because its own blocks are merged too.
const EARLY_ENCODE_CHANGES: usize = 64;

// A transaction lives in a box of its own anyway; another one would cost every write transaction an allocation.
#[allow(clippy::large_enum_variant)]
pub(crate) enum Access {
    /// A write transaction of which yrs does not know yet. Whatever needs yrs opens it first.
    Unopened,
    Read(Transaction<'static>),
    Write(TransactionMut<'static>),
}

/// An open transaction. One goroutine uses it at a time. Shared types are addressed by slots: indices into what
/// this transaction has resolved, meaningless outside it.
pub struct YffiTxn {
    pub(crate) access: Access,
    doc: *const YffiDoc,
    branches: SmallVec<[BranchPtr; 2]>,
    changes: usize,
    /// The transaction consists of one update that was new as a whole.
    verbatim: bool,
    /// Some of what was applied is held back.
    held: bool,
    /// What the last update was rewritten to.
    rewritten: Option<Vec<u8>>,
    /// Edits that yrs has not been told of yet. Whatever looks at the document settles them first.
    pub(crate) batch: Batch,
}

/// What a commit gives back.
#[repr(C)]
pub struct YffiCommit {
    /// The change as an update, if it was asked for and there is one.
    pub update: YffiBuf,
    /// What observers recorded; see `event.rs` for the encoding.
    pub events: YffiBuf,
    /// Whether anything was inserted or deleted.
    pub changed: bool,
    /// Something is held back because it misses something else.
    pub pending: bool,
    /// Some of what this transaction has applied is.
    pub held: bool,
    /// The change is the very update that was applied, all of it; `update` is then left empty.
    pub verbatim: bool,
    /// Edits are held back: `yffi_doc_settle` has to come before the next read transaction.
    pub deferred: bool,
}

/// Runs the same expression over a read and a write transaction.
#[macro_export]
macro_rules! with_txn {
    ($access:expr, $txn:ident => $body:expr) => {
        match $access {
            $crate::transaction::Access::Unopened => unreachable!("it was opened before"),
            $crate::transaction::Access::Read($txn) => $body,
            $crate::transaction::Access::Write($txn) => $body,
        }
    };
}

impl YffiTxn {
    pub(crate) fn begin(doc: &YffiDoc, write: bool) -> Result<Self> {
        Ok(YffiTxn {
            access: if write {
                Access::Unopened
            } else {
                doc.check_settled()?;
                Access::Read(doc.handle().try_transact().map_err(busy)?)
            },
            doc,
            branches: SmallVec::new(),
            changes: 0,
            verbatim: false,
            held: false,
            rewritten: None,
            batch: Batch::default(),
        })
    }

    pub(crate) fn doc(&self) -> &'static YffiDoc {
        // SAFETY: the document outlives its transactions.
        unsafe { &*self.doc }
    }

    /// The write transaction, counting one more change.
    pub(crate) fn write(&mut self) -> Result<&mut TransactionMut<'static>> {
        self.write_many(1)
    }

    pub(crate) fn write_many(&mut self, changes: usize) -> Result<&mut TransactionMut<'static>> {
        match &mut self.access {
            Access::Write(txn) => {
                self.changes += changes;
                Ok(txn)
            }
            Access::Unopened => unreachable!("it was opened before"),
            Access::Read(_) => Err(Failure::read_only()),
        }
    }

    /// Tells yrs of everything that was held back: earlier transactions in one of their own.
    pub(crate) fn settle(&mut self) -> Result<()> {
        let doc = self.doc();
        if let Access::Unopened = self.access {
            doc.settle()?;
            self.access = Access::Write(doc.handle().try_transact_mut().map_err(busy)?);
        }
        if !self.batch.is_empty() {
            let mut batch = std::mem::take(&mut self.batch);
            let write = self.write_many(batch.changes())?;
            integrate_batch(doc, write, &mut batch)?;
            self.batch = batch; // it has room for what comes
            #[cfg(debug_assertions)]
            doc.indexes().check(self.write_many(0)?);
        }
        Ok(())
    }

    pub(crate) fn settle_if_full(&mut self) -> Result<()> {
        if self.batch.is_full() {
            self.settle()?;
        }
        Ok(())
    }

    /// Whether yrs knows everything that this transaction is to see.
    pub(crate) fn is_settled(&self) -> bool {
        !matches!(self.access, Access::Unopened) && self.batch.is_empty()
    }

    /// The next unit that the document itself writes.
    pub(crate) fn next_own(&self) -> Id {
        let doc = self.doc();
        let client = doc.doc.client_id().get();
        let clock = self.batch.end().unwrap_or_else(|| match &self.access {
            Access::Unopened => {
                let held_back = doc.deferred().end();
                held_back.unwrap_or_else(|| doc.admission().clocks.get(client))
            }
            access => with_txn!(access, t => t.store().get_local_state()),
        });
        Id { client, clock }
    }

    pub(crate) fn is_write(&self) -> bool {
        !matches!(self.access, Access::Read(_))
    }

    /// Makes `branch` addressable until the transaction ends.
    pub(crate) fn slot(&mut self, branch: BranchPtr) -> u32 {
        self.branches.push(branch);
        (self.branches.len() - 1) as u32
    }

    /// The shared type in `slot`. Within a transaction nothing is collected, so the pointer is good; but the
    /// type may have been deleted since.
    pub(crate) fn branch(&self, slot: u32) -> Result<BranchPtr> {
        let branch = self
            .branches
            .get(slot as usize)
            .ok_or_else(|| Failure::invalid("no such slot"))?;
        if branch.is_deleted() {
            return Err(Failure::new(
                YffiCode::Deleted,
                "the shared type was deleted",
            ));
        }
        Ok(*branch)
    }

    /// Notes that an update was applied.
    pub(crate) fn applied(
        &mut self,
        structs: usize,
        verbatim: bool,
        rewritten: Option<Vec<u8>>,
        held: bool,
    ) {
        self.verbatim = verbatim && self.changes == 0;
        self.rewritten = rewritten;
        self.held |= held;
        self.changes += structs;
    }

    /// Ends a transaction that nobody needs yrs for: its edits are kept for later.
    fn defer(&mut self, want_update: bool, out: &mut YffiCommit) -> Result<()> {
        let doc = self.doc();
        out.changed = !self.batch.is_empty();
        out.pending = !doc.admission().held.is_empty();
        if want_update && out.changed {
            let update = self.batch.update();
            check_encoded(&update).inspect_err(|_| doc.poison())?;
            out.update = update.into();
        }
        let mut deferred = doc.deferred();
        deferred.append(&mut self.batch);
        let full = deferred.is_full();
        out.deferred = !deferred.is_empty() && !full;
        drop(deferred);
        if full {
            doc.settle()?;
        }
        Ok(())
    }

    /// Commits and fills `out`, which is zeroed. `applied` is the update that the transaction was made for.
    ///
    /// The change is encoded and decoded once more before anybody hears of it: if it cannot be, the document
    /// is poisoned.
    pub(crate) fn commit(
        &mut self,
        want_update: bool,
        applied: Option<&[u8]>,
        out: &mut YffiCommit,
    ) -> Result<()> {
        let doc = self.doc();
        if let Access::Unopened = self.access {
            if !doc.is_observed() {
                return self.defer(want_update, out);
            }
        }
        self.settle()?;
        let few = self.changes <= EARLY_ENCODE_CHANGES;
        let Access::Write(txn) = &mut self.access else {
            return Ok(());
        };
        let mut admission = doc.admission();
        admission.advance(txn);
        out.held = self.held;
        out.pending = !admission.held.is_empty();
        drop(admission); // collecting garbage needs it
        if !txn.delete_set().is_empty() {
            doc.indexes().forget_deleted();
        }
        out.changed = txn.has_changes();
        let wanted = want_update && out.changed;
        let early = (wanted && few).then(|| txn.encode_update_v1());
        txn.commit();
        out.events = doc.sink.take().into();
        let Some(update) = early.or_else(|| wanted.then(|| txn.encode_update_v1())) else {
            return Ok(());
        };
        // Its own bytes were decoded already.
        if self.rewritten.as_deref().or(applied) != Some(&update) {
            check_encoded(&update).inspect_err(|_| doc.poison())?;
        }
        // They also hold what yrs does not tell apart: it writes a BigInt that a float can hold as a float.
        out.verbatim = self.verbatim && applied.is_some();
        if !out.verbatim {
            out.update = update.into();
        }
        Ok(())
    }
}

fn busy(e: yrs::TransactionAcqError) -> Failure {
    Failure::new(YffiCode::Busy, e)
}

/// Has yrs integrate edits of the document's own.
fn integrate_batch(doc: &YffiDoc, txn: &mut TransactionMut<'_>, batch: &mut Batch) -> Result<()> {
    let update = decode(&batch.update()).inspect_err(|_| doc.poison())?;
    batch.clear();
    integrate(txn, update).inspect_err(|_| doc.poison())
}

impl YffiDoc {
    /// The document as it is for the time of its transactions.
    fn handle(&self) -> &'static yrs::Doc {
        // SAFETY: the document outlives its transactions; the caller's lock sees to it.
        unsafe { &*(&self.doc as *const yrs::Doc) }
    }

    /// Tells yrs of the edits of earlier transactions.
    fn settle(&self) -> Result<()> {
        let mut batch = self.deferred();
        if batch.is_empty() {
            return Ok(());
        }
        // Not dropped after a panic or a failure: dropping commits, and would panic again.
        let mut txn = ManuallyDrop::new(self.handle().try_transact_mut().map_err(busy)?);
        integrate_batch(self, &mut txn, &mut batch)?;
        self.admission().advance(&txn);
        txn.commit();
        // SAFETY: it is not used again.
        unsafe { ManuallyDrop::drop(&mut txn) };
        Ok(())
    }

    fn check_settled(&self) -> Result<()> {
        if self.deferred().is_empty() {
            return Ok(());
        }
        Err(Failure::new(
            YffiCode::Busy,
            "the document was not settled before it is read",
        ))
    }
}

/// Has yrs integrate an update that is complete. Should it refuse, it has integrated a part.
pub(crate) fn integrate(txn: &mut TransactionMut<'_>, update: Update) -> Result<()> {
    let failed = |e: &dyn std::fmt::Display| Failure::new(YffiCode::ApplyFailed, e);
    txn.apply_update(update).map_err(|e| failed(&e))?;
    if txn.has_missing_updates() {
        return Err(failed(&"yrs misses something in a complete update"));
    }
    Ok(())
}

/// Checks what yrs has encoded: that it would be let in, and that yrs can read it.
pub(crate) fn check_encoded(update: &[u8]) -> Result<()> {
    let checked = gate::check_alone(update, &WIDEST).map_err(Failure::from);
    checked
        .and_then(|summary| check_decodes(update, &summary))
        .map_err(|failure| {
            let message = format_args!("the change cannot be read back: {}", failure.message);
            Failure::new(YffiCode::ApplyFailed, message)
        })
}

/// The body of an export that only reads, but for edits that were held back.
///
/// # Safety
/// `txn` is open; `err` points to a zeroed `YffiError`.
pub(crate) unsafe fn reading(
    txn: *const YffiTxn,
    err: *mut YffiError,
    body: impl FnOnce(&'static YffiTxn) -> Result<()>,
) -> i32 {
    let settled = settle(txn.cast_mut(), err);
    if settled != YffiCode::Ok as i32 {
        return settled;
    }
    let txn = &*txn;
    guard(Some(txn.doc()), OnPanic::Keep, err, || body(txn))
}

/// Tells yrs of the edits that were held back, if there are any.
///
/// # Safety
/// `txn` is open, and came from Rust as a mutable pointer; `err` points to a zeroed `YffiError`.
pub(crate) unsafe fn settle(txn: *mut YffiTxn, err: *mut YffiError) -> i32 {
    if (*txn).is_settled() {
        return YffiCode::Ok as i32;
    }
    writing(txn, err, |_| Ok(()))
}

/// The body of an export that writes: a panic poisons the document.
///
/// # Safety
/// As for [`reading`], and nobody else uses `txn` meanwhile.
pub(crate) unsafe fn writing(
    txn: *mut YffiTxn,
    err: *mut YffiError,
    body: impl FnOnce(&'static mut YffiTxn) -> Result<()>,
) -> i32 {
    editing(txn, err, |txn| {
        txn.settle()?;
        body(txn)
    })
}

/// As [`writing`], but edits may be held back before and after.
///
/// # Safety
/// As for [`writing`].
pub(crate) unsafe fn editing(
    txn: *mut YffiTxn,
    err: *mut YffiError,
    body: impl FnOnce(&'static mut YffiTxn) -> Result<()>,
) -> i32 {
    let txn = &mut *txn;
    guard(Some(txn.doc()), OnPanic::Poison, err, || body(txn))
}

/// The body of an export that encodes something of the shared type in `slot`. Nothing is written for a root that
/// does not exist, and nothing handed out if the body writes nothing.
///
/// # Safety
/// As for [`reading`]; `out` is valid.
pub(crate) unsafe fn encoding(
    txn: *const YffiTxn,
    slot: u32,
    out: *mut YffiBuf,
    err: *mut YffiError,
    body: impl FnOnce(&YffiTxn, BranchPtr, &mut Vec<u8>) -> Result<()>,
) -> i32 {
    reading(txn, err, |txn| {
        if slot == YFFI_ABSENT {
            return Ok(());
        }
        let mut bytes = Vec::new();
        body(txn, txn.branch(slot)?, &mut bytes)?;
        *out = bytes.into();
        Ok(())
    })
}

/// Opens a transaction.
///
/// # Safety
/// `doc` and `out` are valid; `err` points to a zeroed `YffiError`; the caller holds the document's lock.
#[no_mangle]
pub unsafe extern "C" fn yffi_txn_begin(
    doc: *const YffiDoc,
    write: bool,
    out: *mut *mut YffiTxn,
    err: *mut YffiError,
) -> i32 {
    let doc = &*doc;
    guard(Some(doc), OnPanic::Keep, err, || {
        *out = Box::into_raw(Box::new(YffiTxn::begin(doc, write)?));
        Ok(())
    })
}

/// Ends a transaction, committing what it wrote. `txn` is gone afterwards, whatever the result; when the
/// document is poisoned it is leaked, because dropping it would commit.
///
/// # Safety
/// `txn` came from `yffi_txn_begin`; `out` and `err` point to zeroed structs.
#[no_mangle]
pub unsafe extern "C" fn yffi_txn_commit(
    txn: *mut YffiTxn,
    want_update: bool,
    out: *mut YffiCommit,
    err: *mut YffiError,
) -> i32 {
    let mut txn = ManuallyDrop::new(Box::from_raw(txn));
    let doc = txn.doc();
    guard(Some(doc), OnPanic::Poison, err, || {
        let committed = txn.commit(want_update, None, &mut *out);
        if !doc.is_poisoned() {
            ManuallyDrop::drop(&mut txn);
        }
        committed
    })
}

/// Whether the transaction has inserted or deleted anything so far.
///
/// # Safety
/// `txn` is open.
#[no_mangle]
pub unsafe extern "C" fn yffi_txn_changed(txn: *const YffiTxn) -> bool {
    let txn = &*txn;
    match &txn.access {
        Access::Write(write) => {
            !txn.doc().is_poisoned() && (!txn.batch.is_empty() || write.has_changes())
        }
        Access::Unopened => !txn.batch.is_empty(),
        Access::Read(_) => false,
    }
}

/// Tells yrs of edits that were held back beyond their transactions, as `YffiCommit::deferred` has said. Before that
/// no read transaction can begin.
///
/// # Safety
/// `doc` is valid; `err` points to a zeroed `YffiError`; the caller holds the document's lock, exclusively.
#[no_mangle]
pub unsafe extern "C" fn yffi_doc_settle(doc: *const YffiDoc, err: *mut YffiError) -> i32 {
    let doc = &*doc;
    guard(Some(doc), OnPanic::Poison, err, || doc.settle())
}
