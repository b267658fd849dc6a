//! Array: values by index.

use crate::batch::Content;
use crate::buf::YffiBuf;
use crate::doc::YffiDoc;
use crate::error::{Failure, Result, YffiCode, YffiError};
use crate::ffi::bytes;
use crate::indexes;
use crate::local::{self, Values};
use crate::offset::check_bounds;
use crate::structs::Id;
use crate::transaction::{editing, encoding, YffiTxn};
use crate::value;
use crate::wire::Reader;
use crate::with_txn;
use yrs::branch::BranchPtr;
use yrs::{Any, Array, ArrayRef, GetString, In, Out, ReadTxn, TextRef, TransactionMut};

fn resolve(txn: &YffiTxn, slot: u32) -> Result<ArrayRef> {
    as_array(txn, txn.branch(slot)?)
}

/// `branch` as an array. Text that a peer wrote into an array root would make yrs's array walk go round for
/// ever, so an array that holds any is refused; without characters longer than one unit there is no danger.
fn as_array(txn: &YffiTxn, branch: BranchPtr) -> Result<ArrayRef> {
    let indexed = txn.doc().indexes().get(branch).is_some();
    if !indexed && txn.doc().is_wide() && holds_text(txn, branch) {
        return Err(Failure::new(
            YffiCode::WrongType,
            "the array holds text that a peer wrote into it as if it were a text",
        ));
    }
    Ok(ArrayRef::from(branch))
}

fn holds_text(txn: &YffiTxn, branch: BranchPtr) -> bool {
    let text = TextRef::from(branch);
    !with_txn!(&txn.access, t => text.get_string(t)).is_empty()
}

/// Has the index insert plain values, if the array has one. False if it has none, or there are shared types among
/// the values, or what cannot be read: then nothing was inserted.
fn insert_indexed(txn: &mut YffiTxn, slot: u32, index: u64, encoded: &[u8]) -> Result<bool> {
    let branch = txn.branch(slot)?;
    indexes::prepare(txn, branch)?;
    let doc = txn.doc();
    let mut indexes = doc.indexes();
    let (Some(array), Some(count)) = (indexes.get(branch), count_plain(encoded)) else {
        return Ok(false);
    };
    check_bounds(index, 0, array.len())?;
    if count > 0 {
        let content = Content::Values { encoded, count };
        let list = indexes::key(branch);
        let insertion = array.insert(list, index as u32, txn.next_own(), content);
        txn.batch.insert(&insertion, || branch.id());
    }
    Ok(true)
}

/// How many values there are, if all are plain.
fn count_plain(encoded: &[u8]) -> Option<u32> {
    let mut reader = Reader::new(encoded);
    let mut count = 0;
    while reader.remaining() > 0 {
        reader.any(value::MAX_DEPTH).ok()?;
        count += 1;
    }
    Some(count)
}

fn insert(txn: &mut YffiTxn, slot: u32, index: u64, values: Vec<In>, noted: &Values) -> Result<()> {
    let branch = txn.branch(slot)?;
    let array = as_array(txn, branch)?;
    let len = array.len(txn.write_many(values.len())?);
    if index > u64::from(len) {
        return Err(Failure::out_of_range(index, len));
    }
    local::note(txn, branch, noted)?;
    let mut types = Vec::new();
    let doc = txn.doc();
    let write = txn.write_many(0)?;
    let inserted = insert_all(doc, write, &array, index as u32, values, &mut types);
    if !types.is_empty() {
        local::place(txn, branch, &types);
    }
    inserted
}

/// Inserts values, as far as that is possible, and tells which shared types were among them.
fn insert_all(
    doc: &YffiDoc,
    txn: &mut TransactionMut<'_>,
    array: &ArrayRef,
    mut at: u32,
    values: Vec<In>,
    types: &mut Vec<Out>,
) -> Result<()> {
    let mut run: Vec<Any> = Vec::new();
    for value in values {
        match value {
            In::Any(any) => run.push(any),
            shared => {
                // As Yjs does, consecutive plain values become one block.
                let plain = run.len() as u32;
                insert_run(doc, txn, array, at, &mut run)?;
                at += plain;
                check_reachable(txn, array, at)?;
                let id = next_own(txn);
                types.push(array.insert(txn, at, shared));
                if let Some(list) = doc.indexes().get(BranchPtr::from(array.as_ref())) {
                    list.note_shared(at, id);
                }
                at += 1;
            }
        }
    }
    insert_run(doc, txn, array, at, &mut run)
}

fn insert_run(
    doc: &YffiDoc,
    txn: &mut TransactionMut<'_>,
    array: &ArrayRef,
    at: u32,
    run: &mut Vec<Any>,
) -> Result<()> {
    if !run.is_empty() {
        check_reachable(txn, array, at)?;
        let (id, len) = (next_own(txn), run.len() as u32);
        array.insert_range(txn, at, run.drain(..));
        if let Some(list) = doc.indexes().get(BranchPtr::from(array.as_ref())) {
            list.insert_run(at, id, len);
        }
    }
    Ok(())
}

/// The next unit that the document itself writes.
fn next_own(txn: &TransactionMut<'_>) -> Id {
    Id {
        client: txn.doc().client_id().get(),
        clock: ReadTxn::store(txn).get_local_state(),
    }
}

/// A hostile item between a list and a map can make what is inserted beside it count as an entry of the map: then the
/// array does not grow with it, and yrs panics at the next.
fn check_reachable(txn: &TransactionMut<'_>, array: &ArrayRef, at: u32) -> Result<()> {
    if at > array.len(txn) {
        return Err(Failure::new(
            YffiCode::WrongType,
            "the array holds what a peer wrote into it as if it were a map",
        ));
    }
    Ok(())
}

/// The values of the array `branch`.
pub(crate) fn read_all(txn: &YffiTxn, branch: BranchPtr) -> Result<Vec<Out>> {
    let array = as_array(txn, branch)?;
    Ok(with_txn!(&txn.access, t => array.iter(t).collect()))
}

/// Inserts encoded values, one after another, at `index`.
///
/// # Safety
/// `txn` is open, `encoded` readable; `err` points to a zeroed `YffiError`.
#[no_mangle]
pub unsafe extern "C" fn yffi_array_insert(
    txn: *mut YffiTxn,
    slot: u32,
    index: u64,
    encoded: *const u8,
    encoded_len: usize,
    err: *mut YffiError,
) -> i32 {
    editing(txn, err, |txn| {
        let encoded = bytes(encoded, encoded_len);
        if insert_indexed(txn, slot, index, encoded)? {
            return txn.settle_if_full();
        }
        txn.settle()?;
        let mut noted = Values::default();
        let mut reader = Reader::new(encoded);
        let mut values = Vec::new();
        while reader.remaining() > 0 {
            values.push(value::decode(&mut reader, &mut noted)?);
        }
        insert(txn, slot, index, values, &noted)
    })
}

/// Deletes `len` values from `index` on.
///
/// # Safety
/// As for `yffi_array_insert`.
#[no_mangle]
pub unsafe extern "C" fn yffi_array_delete(
    txn: *mut YffiTxn,
    slot: u32,
    index: u64,
    len: u64,
    err: *mut YffiError,
) -> i32 {
    editing(txn, err, |txn| {
        if indexes::delete(txn, slot, index, len)? {
            return txn.settle_if_full();
        }
        txn.settle()?;
        let array = resolve(txn, slot)?;
        let write = txn.write()?;
        let total = array.len(write);
        let end = index.saturating_add(len);
        if end > u64::from(total) {
            return Err(Failure::out_of_range(end, total));
        }
        if len > 0 {
            array.remove_range(write, index as u32, len as u32);
        }
        Ok(())
    })
}

/// The value at `index`, encoded; no bytes when there is none.
///
/// # Safety
/// As for `yffi_array_insert`; `out` is valid.
#[no_mangle]
pub unsafe extern "C" fn yffi_array_value(
    txn: *const YffiTxn,
    slot: u32,
    index: u64,
    out: *mut YffiBuf,
    err: *mut YffiError,
) -> i32 {
    encoding(txn, slot, out, err, |txn, branch, bytes| {
        let array = as_array(txn, branch)?;
        let value = with_txn!(&txn.access, t => {
            let inside = index < u64::from(array.len(t));
            inside.then(|| array.get(t, index as u32)).flatten()
        });
        if let Some(value) = value {
            value::encode(&value, bytes);
        }
        Ok(())
    })
}

/// All values, encoded one after another.
///
/// # Safety
/// As for `yffi_array_insert`; `out` is valid.
#[no_mangle]
pub unsafe extern "C" fn yffi_array_values(
    txn: *const YffiTxn,
    slot: u32,
    out: *mut YffiBuf,
    err: *mut YffiError,
) -> i32 {
    encoding(txn, slot, out, err, |txn, branch, bytes| {
        for value in &read_all(txn, branch)? {
            value::encode(value, bytes);
        }
        Ok(())
    })
}
