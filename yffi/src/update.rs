//! Updates and state vectors in v1 encoding.

use crate::admission::{Admission, Updates};
use crate::buf::YffiBuf;
use crate::collect::collect_checked as collect;
use crate::cost::Budget;
use crate::decode::decode;
use crate::doc::YffiDoc;
use crate::error::{Failure, Result, YffiCode, YffiError};
use crate::ffi::bytes;
use crate::gate;
use crate::limits::{YffiLimits, DEFAULT, WIDEST};
use crate::nesting::{self, Asker};
use crate::panic::{guard, OnPanic};
use crate::rewrite::as_yrs_reads;
use crate::transaction::{integrate, reading, writing, YffiCommit, YffiTxn};
use crate::with_txn;
use std::mem::ManuallyDrop;
use std::time::{Duration, Instant};
use yrs::updates::encoder::Encode;
use yrs::{ClientID, ReadTxn, StateVector, TransactionMut, Update};

/// Applies an update: what of it is new and complete, with what was held back for the want of it.
fn apply(txn: &mut YffiTxn, bytes: &[u8], budget: Option<Duration>) -> Result<()> {
    let budget = budget.map(Budget::new);
    let doc = txn.doc();
    txn.settle()?;
    let write = txn.write_many(0)?;
    let mut admission = doc.admission();
    if write.has_changes() {
        admission.advance(write);
    }
    let locate = |id| nesting::locate(write, id);
    let asker = Asker::new(&locate, admission.structs);
    let admitted = admission.admit(bytes, budget.as_ref(), &asker);
    let admitted = admitted.inspect_err(|failure| {
        if failure.code == YffiCode::ApplyFailed {
            doc.poison();
        }
    })?;
    doc.note(&admitted.contents);
    let mut indexes = doc.indexes();
    let mut structs = admitted.structs;
    let in_time = match admitted.updates {
        Updates::One(update) => {
            let integrated = integrate(write, update);
            indexes.absorb(admitted.rewritten.as_deref().unwrap_or(bytes));
            integrated.map(|()| true)
        }
        Updates::Many(updates) => {
            indexes.forget_all();
            let start = Instant::now();
            let spent = |b: &Budget, structs| b.is_spent(start, structs, admitted.memory);
            integrate_in_time(write, updates, &mut admission, |structs| {
                budget.as_ref().is_some_and(|b| spent(b, structs))
            })
            .map(|left| {
                structs -= left.unwrap_or(0);
                left.is_none()
            })
        }
    }
    .inspect_err(|_| doc.poison())?;
    admission.structs += structs;
    #[cfg(debug_assertions)]
    indexes.check(write);
    drop(indexes);
    let mut unsettled = admitted.unsettled;
    unsettled.retain(|(id, _)| admission.clocks.has(*id));
    let locate = |id| nesting::locate(write, id);
    let asker = Asker::new(&locate, admission.structs);
    admission.nesting.settle(unsettled, &asker);
    txn.applied(
        structs,
        admitted.verbatim,
        admitted.rewritten,
        admitted.held,
    );
    if !in_time {
        return Err(Failure::new(
            YffiCode::TooLarge,
            "the update costs too much for its budget: a part was applied",
        ));
    }
    if admitted.overflow {
        return Err(Failure::new(
            YffiCode::HeldFull,
            "too much is held back already: sync again, because updates before these are missing",
        ));
    }
    Ok(())
}

/// Has yrs integrate updates until `is_spent` says, of how many structs they had, that it is enough. Those that are
/// left over are taken back; gives how many structs they have, if there are any.
fn integrate_in_time(
    txn: &mut TransactionMut<'_>,
    updates: Vec<Vec<u8>>,
    admission: &mut Admission,
    is_spent: impl Fn(usize) -> bool,
) -> Result<Option<usize>> {
    let mut integrated = 0;
    let mut updates = updates.into_iter();
    for update in updates.by_ref() {
        integrated += gate::check_alone(&update, &WIDEST)?.structs;
        integrate(txn, decode(&update)?)?;
        if is_spent(integrated) {
            break;
        }
    }
    let mut left = None;
    let state = txn.state_vector();
    for update in updates {
        let summary = gate::check_alone(&update, &WIDEST)?;
        left = Some(left.unwrap_or(0) + summary.structs);
        for run in summary.runs {
            let clock = state.get(&ClientID::new(run.client));
            admission.retract(run.client, clock);
        }
    }
    Ok(left)
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
    let mut admission = txn.doc().admission();
    if admission.held.is_empty() {
        return Ok(state);
    }
    let mut updates = vec![decode(&state)?];
    for update in admission.held_updates() {
        updates.push(decode(&update)?);
    }
    Ok(merge(updates).encode_v1())
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
    writing(txn, err, |txn| apply(txn, bytes(update, update_len), None))
}

/// Applies an update in a transaction of its own: begin, apply and commit in one call. What is refused leaves the
/// document untouched, except where it fails with `TooLarge` because not all of it could be held back, or because it
/// inserts so much at the same place that it would take longer than `budget_micros` (0: there is no limit): what could
/// be applied was, and `out` tells of it.
///
/// # Safety
/// As for `yffi_txn_begin` and `yffi_txn_commit`.
#[no_mangle]
pub unsafe extern "C" fn yffi_doc_apply_update(
    doc: *const YffiDoc,
    update: *const u8,
    update_len: usize,
    budget_micros: u64,
    want_update: bool,
    out: *mut YffiCommit,
    err: *mut YffiError,
) -> i32 {
    let doc = &*doc;
    guard(Some(doc), OnPanic::Poison, err, || {
        let update = bytes(update, update_len);
        // Not dropped while a panic unwinds or after a failed apply: dropping commits, and would panic again.
        let mut txn = ManuallyDrop::new(YffiTxn::begin(doc, true)?);
        let budget = (budget_micros > 0).then(|| Duration::from_micros(budget_micros));
        let applied = apply(&mut txn, update, budget);
        if doc.is_poisoned() {
            return applied;
        }
        let committed = txn.commit(want_update, Some(update), &mut *out);
        if !doc.is_poisoned() {
            ManuallyDrop::drop(&mut txn);
        }
        applied.and(committed)
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

/// Checks an update without a document, and decodes it.
fn check(update: &[u8], limits: &YffiLimits) -> Result<Update> {
    let summary = gate::check_alone(update, limits)?;
    if !summary.contents.misread {
        return decode(update);
    }
    let update = as_yrs_reads(update, &summary, limits)?;
    gate::check_alone(&update, limits)?;
    decode(&update)
}

/// How many updates yrs merges at once: the time that takes it grows with the square of their number. With twenty or more it
/// can also panic, because it does not sort what different updates have at the same clock in a total order.
const MERGED_AT_ONCE: usize = 8;

/// Merges updates, few at a time, and then what came of that, until one is left.
fn merge(mut updates: Vec<Update>) -> Update {
    while updates.len() > MERGED_AT_ONCE {
        let mut rest = updates.into_iter();
        updates = std::iter::from_fn(|| {
            let few: Vec<_> = rest.by_ref().take(MERGED_AT_ONCE).collect();
            (!few.is_empty()).then(|| Update::merge_updates(few))
        })
        .collect();
    }
    Update::merge_updates(updates)
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
            decoded.push(check(reader.bytes()?, &WIDEST)?);
        }
        *out = merge(decoded).encode_v1().into();
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
        check(bytes(update, update_len), &DEFAULT).map(drop)
    })
}

/// Collects the garbage in an update that holds a whole document: see `collect.rs`.
///
/// # Safety
/// `update` is readable, `out` valid; `err` points to a zeroed `YffiError`.
#[no_mangle]
pub unsafe extern "C" fn yffi_update_collect(
    update: *const u8,
    update_len: usize,
    out: *mut YffiBuf,
    err: *mut YffiError,
) -> i32 {
    guard(None, OnPanic::Keep, err, || {
        *out = collect(bytes(update, update_len))?.into();
        Ok(())
    })
}
