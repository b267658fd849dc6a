//! Text: editing, formatting and deltas.

use crate::batch::Content;
use crate::buf::YffiBuf;
use crate::error::{Failure, Result, YffiError};
use crate::ffi::{bytes, string};
use crate::indexes;
use crate::local::{self, Values};
use crate::offset::{check_boundaries, check_deletable, check_range, content_len};
use crate::structs::Contents;
use crate::transaction::{editing, encoding, writing, YffiTxn};
use crate::value::{self, DeltaOp};
use crate::wire::Reader;
use crate::with_txn;
use yrs::branch::BranchPtr;
use yrs::types::{Attrs, Delta};
use yrs::{GetString, In, Out, Text, TextRef};

/// Has the index insert, if the text has one.
fn insert_indexed(txn: &mut YffiTxn, slot: u32, index: u64, chunk: &str) -> Result<bool> {
    let branch = txn.branch(slot)?;
    indexes::prepare(txn, branch)?;
    let doc = txn.doc();
    let mut indexes = doc.indexes();
    let Some(text) = indexes.get(branch) else {
        return Ok(false);
    };
    let offset = text.check(index, 0)?.0;
    if !chunk.is_empty() {
        let mut contents = Contents::default();
        contents.note_text(chunk);
        doc.note(&contents);
        let content = Content::Text(chunk);
        let insertion = text.insert(indexes::key(branch), offset, txn.next_own(), content);
        txn.batch.insert(&insertion, || branch.id());
    }
    Ok(true)
}

fn insert(
    txn: &mut YffiTxn,
    slot: u32,
    index: u64,
    chunk: &str,
    attributes: Option<Attrs>,
) -> Result<()> {
    let branch = txn.branch(slot)?;
    let (index, _) = check_range(txn, branch, index, 0)?;
    let doc = txn.doc();
    let write = txn.write()?;
    let mut contents = Contents::default();
    contents.note_text(chunk);
    doc.note(&contents);
    let text = TextRef::from(branch);
    match attributes {
        None => text.insert(write, index, chunk),
        Some(attributes) => {
            doc.indexes().forget(branch);
            text.insert_with_attributes(write, index, chunk, attributes);
        }
    }
    Ok(())
}

/// Checks a delta against the text it will be applied to: it may not run past the end or cut a character.
fn check_delta(txn: &YffiTxn, branch: BranchPtr, delta: &[DeltaOp]) -> Result<()> {
    let total = content_len(txn, branch);
    let mut at = 0u64;
    let mut boundaries = Vec::new();
    for op in delta {
        if let Delta::Deleted(len) | Delta::Retain(len, _) = op {
            at += u64::from(*len);
            if at > u64::from(total) {
                return Err(Failure::out_of_range(at, total));
            }
        }
        boundaries.push(at as u32);
    }
    if delta.iter().any(|op| matches!(op, Delta::Deleted(_))) {
        check_deletable(txn, branch)?;
    }
    check_boundaries(txn, branch, &mut boundaries)
}

fn apply_delta(txn: &mut YffiTxn, slot: u32, delta: Vec<Delta<In>>, noted: Values) -> Result<()> {
    let branch = txn.branch(slot)?;
    check_delta(txn, branch, &delta)?;
    let text = TextRef::from(branch);
    let changes = delta.len();
    txn.doc().indexes().forget(branch);
    txn.write_many(0)?; // before anything is noted
    local::note(txn, branch, &noted)?;
    let write = txn.write_many(changes)?;
    text.apply_delta(write, delta);
    if noted.levels > 0 {
        let chunks = text.diff(write, |_| ());
        let inserted: Vec<Out> = chunks.into_iter().map(|chunk| chunk.insert).collect();
        local::place(txn, branch, &inserted);
    }
    Ok(())
}

/// Inserts UTF-8 text at `index`, in the formatting that is in force there.
///
/// # Safety
/// `txn` is open, `chunk` readable; `err` points to a zeroed `YffiError`.
#[no_mangle]
pub unsafe extern "C" fn yffi_text_insert(
    txn: *mut YffiTxn,
    slot: u32,
    index: u64,
    chunk: *const u8,
    chunk_len: usize,
    err: *mut YffiError,
) -> i32 {
    editing(txn, err, |txn| {
        let chunk = string(chunk, chunk_len)?;
        if insert_indexed(txn, slot, index, chunk)? {
            return txn.settle_if_full();
        }
        txn.settle()?;
        insert(txn, slot, index, chunk, None)
    })
}

/// Inserts UTF-8 text at `index` with exactly the given attributes (an encoded map).
///
/// # Safety
/// As for `yffi_text_insert`.
#[no_mangle]
pub unsafe extern "C" fn yffi_text_insert_attributes(
    txn: *mut YffiTxn,
    slot: u32,
    index: u64,
    chunk: *const u8,
    chunk_len: usize,
    attributes: *const u8,
    attributes_len: usize,
    err: *mut YffiError,
) -> i32 {
    writing(txn, err, |txn| {
        let attributes = value::decode_attributes(bytes(attributes, attributes_len))?;
        insert(
            txn,
            slot,
            index,
            string(chunk, chunk_len)?,
            Some(attributes),
        )
    })
}

/// Deletes `len` units from `index` on.
///
/// # Safety
/// As for `yffi_text_insert`.
#[no_mangle]
pub unsafe extern "C" fn yffi_text_delete(
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
        let branch = txn.branch(slot)?;
        let (index, len) = check_range(txn, branch, index, len)?;
        check_deletable(txn, branch)?;
        let write = txn.write()?;
        if len > 0 {
            TextRef::from(branch).remove_range(write, index, len);
        }
        Ok(())
    })
}

/// Sets attributes (an encoded map; null removes one) on `len` units from `index` on.
///
/// # Safety
/// As for `yffi_text_insert`.
#[no_mangle]
pub unsafe extern "C" fn yffi_text_format(
    txn: *mut YffiTxn,
    slot: u32,
    index: u64,
    len: u64,
    attributes: *const u8,
    attributes_len: usize,
    err: *mut YffiError,
) -> i32 {
    writing(txn, err, |txn| {
        let attributes = value::decode_attributes(bytes(attributes, attributes_len))?;
        let branch = txn.branch(slot)?;
        let (index, len) = check_range(txn, branch, index, len)?;
        txn.doc().indexes().forget(branch);
        let write = txn.write()?;
        if len > 0 {
            // yrs would mark the empty range, and the marks would stay for ever.
            TextRef::from(branch).format(write, index, len, attributes);
        }
        Ok(())
    })
}

/// Applies an encoded delta, checked as a whole before anything changes.
///
/// # Safety
/// As for `yffi_text_insert`.
#[no_mangle]
pub unsafe extern "C" fn yffi_text_apply_delta(
    txn: *mut YffiTxn,
    slot: u32,
    delta: *const u8,
    delta_len: usize,
    err: *mut YffiError,
) -> i32 {
    writing(txn, err, |txn| {
        let mut noted = Values::default();
        let mut reader = Reader::new(bytes(delta, delta_len));
        let delta = value::decode_delta(&mut reader, &mut noted)?;
        apply_delta(txn, slot, delta, noted)
    })
}

/// The text without formatting and embedded values.
///
/// # Safety
/// As for `yffi_text_insert`.
#[no_mangle]
pub unsafe extern "C" fn yffi_text_string(
    txn: *const YffiTxn,
    slot: u32,
    out: *mut YffiBuf,
    err: *mut YffiError,
) -> i32 {
    encoding(txn, slot, out, err, |txn, branch, bytes| {
        let text = TextRef::from(branch);
        *bytes = with_txn!(&txn.access, t => text.get_string(t)).into_bytes();
        Ok(())
    })
}

/// The text as an encoded delta of insertions.
///
/// # Safety
/// As for `yffi_text_insert`.
#[no_mangle]
pub unsafe extern "C" fn yffi_text_delta(
    txn: *const YffiTxn,
    slot: u32,
    out: *mut YffiBuf,
    err: *mut YffiError,
) -> i32 {
    encoding(txn, slot, out, err, |txn, branch, bytes| {
        let text = TextRef::from(branch);
        for chunk in &with_txn!(&txn.access, t => text.diff(t, |_| ())) {
            value::encode_insert(&chunk.insert, chunk.attributes.as_deref(), bytes);
        }
        Ok(())
    })
}
