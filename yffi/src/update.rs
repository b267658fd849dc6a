//! Updates and state vectors in v1 encoding.

use crate::buf::YffiBuf;
use crate::doc::YffiDoc;
use crate::error::{Failure, Result, YffiCode, YffiError};
use crate::ffi::bytes;
use crate::gate;
use crate::held::deletions;
use crate::panic::{guard, OnPanic};
use crate::transaction::{reading, writing, YffiCommit, YffiTxn};
use crate::with_txn;
use std::mem::ManuallyDrop;
use yrs::updates::decoder::Decode;
use yrs::updates::encoder::Encode;
use yrs::{ReadTxn, StateVector, TransactionMut, Update, WriteTxn};

/// An update that passed the gate and decoded, with what the gate learnt.
struct Admitted<'a> {
    bytes: &'a [u8],
    update: Update,
    summary: gate::Summary,
}

fn admit(bytes: &[u8]) -> Result<Admitted<'_>> {
    let summary = gate::check_update(bytes)?;
    Ok(Admitted {
        bytes,
        update: decode(bytes)?,
        summary,
    })
}

fn decode(bytes: &[u8]) -> Result<Update> {
    Update::decode_v1(bytes).map_err(Failure::malformed)
}

/// Applies an admitted update: now what follows the structs that are there, and later, when these have arrived,
/// what does not; see `held.rs`.
///
/// Tells whether the update was new as a whole and nothing else came in with it. Then its own bytes say what
/// changed: encoding them again would cost more, and lose what yrs does not tell apart (it writes a BigInt that
/// a float can hold as a float).
fn apply(txn: &mut YffiTxn, admitted: Admitted<'_>) -> Result<bool> {
    let doc = txn.doc();
    let Admitted {
        bytes,
        update,
        summary,
    } = admitted;
    let write = txn.write_many(summary.structs)?;
    let mut held = doc.held();
    if write.has_changes() {
        held.advance(write);
    }
    let whole = !summary.skips && summary.runs.iter().all(|run| held.follows(run));
    let quiet = held.is_empty() && !write.has_missing_updates();
    if whole {
        doc.note(&summary);
        integrate(doc, write, update)?;
    } else {
        held.add(bytes, &summary.runs)?;
        doc.note(&summary);
        integrate(
            doc,
            write,
            decode(&deletions(&bytes[summary.delete_set.clone()]))?,
        )?;
    }
    if whole && quiet {
        // Nothing waited for this update.
        let all = !write.has_missing_updates() && inserted(write) == summary.units;
        return Ok(all && !summary.trailing);
    }
    held.advance(write);
    while let Some(released) = held.release() {
        integrate(doc, write, decode(&released)?)?;
        held.advance(write);
    }
    Ok(false)
}

/// Has yrs integrate an update, and whatever it kept pending for that. When yrs refuses, it has integrated a
/// part: the document is no longer what anyone else has, so it is poisoned.
fn integrate(doc: &YffiDoc, txn: &mut TransactionMut<'_>, update: Update) -> Result<()> {
    let before = txn.has_missing_updates().then(|| inserted(txn));
    let mut applied = txn.apply_update(update);
    if before.is_some_and(|before| inserted(txn) > before) {
        applied = applied.and_then(|()| settle(txn));
    }
    applied.map_err(|e| {
        doc.poison();
        Failure::new(YffiCode::ApplyFailed, e)
    })
}

/// The clock units that the transaction has inserted.
fn inserted(txn: &TransactionMut<'_>) -> u64 {
    let ranges = txn
        .insert_set()
        .iter()
        .flat_map(|(_, ranges)| ranges.iter());
    ranges.map(|range| range.len() as u64).sum()
}

/// Retries what is pending after something new came in. yrs retries by a list of clocks that it waits for, which
/// can name the wrong ones: some updates then stay pending although all that they need has arrived.
fn settle(txn: &mut TransactionMut<'_>) -> std::result::Result<(), yrs::error::UpdateError> {
    loop {
        let before = inserted(txn);
        let Some(pending) = txn.store_mut().pending_update_mut() else {
            return Ok(());
        };
        let update = std::mem::take(&mut pending.update);
        txn.apply_update(update)?;
        if inserted(txn) == before {
            return forget_empty(txn);
        }
    }
}

/// Drops a pending update that has nothing left in it: yrs does that when what it waits for is there.
fn forget_empty(txn: &mut TransactionMut<'_>) -> std::result::Result<(), yrs::error::UpdateError> {
    let known = txn
        .state_vector()
        .iter()
        .find(|(_, clock)| **clock > 0)
        .map(|(client, _)| *client);
    match (txn.store_mut().pending_update_mut(), known) {
        (Some(pending), Some(client)) if pending.update.is_empty() => {
            pending.missing = StateVector::default();
            pending.missing.set_max(client, 0);
            txn.apply_update(Update::new())
        }
        _ => Ok(()),
    }
}

fn encode_state(txn: &YffiTxn, state_vector: Option<&[u8]>) -> Result<Vec<u8>> {
    let Some(bytes) = state_vector else {
        return encode_everything(txn);
    };
    with_txn!(&txn.access, t => {
        let remote = gate::read_state_vector(bytes, &t.state_vector())?;
        Ok(t.encode_diff_v1(&remote))
    })
}

fn encode_everything(txn: &YffiTxn) -> Result<Vec<u8>> {
    let state = with_txn!(&txn.access, t => t.encode_state_as_update_v1(&StateVector::default()));
    let held = txn.doc().held();
    if held.is_empty() {
        return Ok(state);
    }
    let mut updates = vec![decode(&state)?];
    for update in held.updates() {
        updates.push(decode(&update)?);
    }
    Ok(Update::merge_updates(updates).encode_v1())
}

/// Applies an update within an open write transaction.
///
/// # Safety
/// `txn` is open, `update` readable; `err` points to a zeroed `YffiError`.
#[no_mangle]
pub unsafe extern "C" fn yffi_txn_apply_update(
    txn: *mut YffiTxn,
    update: *const u8,
    update_len: usize,
    err: *mut YffiError,
) -> i32 {
    writing(txn, err, |txn| {
        apply(txn, admit(bytes(update, update_len))?)?;
        Ok(())
    })
}

/// Applies an update in a transaction of its own: begin, apply and commit in one call. What the gate or the
/// decoder refuses leaves the document untouched.
///
/// # Safety
/// As for `yffi_txn_begin` and `yffi_txn_commit`.
#[no_mangle]
pub unsafe extern "C" fn yffi_doc_apply_update(
    doc: *const YffiDoc,
    update: *const u8,
    update_len: usize,
    want_update: bool,
    out: *mut YffiCommit,
    err: *mut YffiError,
) -> i32 {
    let doc = &*doc;
    guard(Some(doc), OnPanic::Poison, err, || {
        let admitted = admit(bytes(update, update_len))?;
        // Not dropped while a panic unwinds or after a failed apply: dropping commits, and would panic again.
        let mut txn = ManuallyDrop::new(YffiTxn::begin(doc, true)?);
        let applied = apply(&mut txn, admitted).map(|verbatim| {
            txn.verbatim = verbatim;
            txn.commit(want_update, &mut *out);
        });
        if !doc.is_poisoned() {
            ManuallyDrop::drop(&mut txn);
        }
        applied
    })
}

/// Encodes the document's state vector.
///
/// # Safety
/// `txn` is open, `out` valid; `err` points to a zeroed `YffiError`.
#[no_mangle]
pub unsafe extern "C" fn yffi_txn_state_vector(
    txn: *const YffiTxn,
    out: *mut YffiBuf,
    err: *mut YffiError,
) -> i32 {
    reading(txn, err, |txn| {
        *out = with_txn!(&txn.access, t => t.state_vector().encode_v1()).into();
        Ok(())
    })
}

/// Encodes the document as an update: all of it with what is pending when `state_vector` is null, otherwise
/// what a peer with that state vector lacks.
///
/// # Safety
/// As for `yffi_txn_state_vector`; `state_vector` is null or readable.
#[no_mangle]
pub unsafe extern "C" fn yffi_txn_encode_state(
    txn: *const YffiTxn,
    state_vector: *const u8,
    state_vector_len: usize,
    out: *mut YffiBuf,
    err: *mut YffiError,
) -> i32 {
    reading(txn, err, |txn| {
        let remote = (!state_vector.is_null()).then(|| bytes(state_vector, state_vector_len));
        *out = encode_state(txn, remote)?.into();
        Ok(())
    })
}

/// Merges updates, given one after another as lib0 byte arrays (a length and the bytes), into one.
///
/// # Safety
/// `updates` is readable, `out` valid; `err` points to a zeroed `YffiError`.
#[no_mangle]
pub unsafe extern "C" fn yffi_update_merge(
    updates: *const u8,
    updates_len: usize,
    out: *mut YffiBuf,
    err: *mut YffiError,
) -> i32 {
    guard(None, OnPanic::Keep, err, || {
        let mut reader = crate::wire::Reader::new(bytes(updates, updates_len));
        let mut decoded = Vec::new();
        while reader.remaining() > 0 {
            decoded.push(admit(reader.bytes()?)?.update);
        }
        *out = Update::merge_updates(decoded).encode_v1().into();
        Ok(())
    })
}

/// Checks an update as applying it would, without a document.
///
/// # Safety
/// `update` is readable; `err` points to a zeroed `YffiError`.
#[no_mangle]
pub unsafe extern "C" fn yffi_update_check(
    update: *const u8,
    update_len: usize,
    err: *mut YffiError,
) -> i32 {
    guard(None, OnPanic::Keep, err, || {
        admit(bytes(update, update_len))?;
        Ok(())
    })
}
