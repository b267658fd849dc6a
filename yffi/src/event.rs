//! Observers: what yrs reports during a commit is recorded here and returned by the commit.
//!
//! The record is a sequence of: observer id, number of events, events. An event is: the target (see
//! `value::encode_ref`), its path (count, then 0 and a key, or 1 and an index), and a body by the target's kind:
//!
//! * text, array: the number of operations, then delta operations;
//! * map: the number of keys, then key, 1 (inserted: new), 2 (updated: old, new) or 3 (removed: old).

use crate::doc::YffiDoc;
use crate::error::{Failure, Result, YffiError};
use crate::transaction::{writing, YffiTxn};
use crate::value::{self, encode, encode_attributes, OP_DELETE, OP_INSERT, OP_RETAIN};
use crate::wire::{write_bytes, write_var};
use std::collections::HashMap;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use yrs::branch::BranchPtr;
use yrs::types::{Change, Delta, EntryChange, Event, Path, PathSegment};
use yrs::{Origin, SharedRef, TransactionMut};

/// Where a document's observers write. It belongs to the document and not to a transaction, because some
/// operations of yrs open transactions of their own.
#[derive(Default)]
pub(crate) struct Sink {
    record: Mutex<Vec<u8>>,
    /// Something has been recorded: asking is cheaper than looking.
    filled: AtomicBool,
}

impl Sink {
    fn lock(&self) -> MutexGuard<'_, Vec<u8>> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn take(&self) -> Vec<u8> {
        if !self.filled.load(Ordering::Relaxed) {
            return Vec::new();
        }
        self.filled.store(false, Ordering::Relaxed);
        std::mem::take(&mut *self.lock())
    }

    fn record(&self, observer: u64, txn: &TransactionMut<'_>, events: Vec<&Event>) {
        // yrs orders deep events by the depth of their paths only; below that by a hash map.
        let mut encoded: Vec<_> = events.into_iter().filter_map(|e| encoded(txn, e)).collect();
        if encoded.is_empty() {
            return;
        }
        encoded.sort_by(|a, b| a.0.cmp(&b.0));
        self.filled.store(true, Ordering::Relaxed);
        let out = &mut *self.lock();
        write_var(out, observer);
        write_var(out, encoded.len() as u64);
        for (_, event) in &encoded {
            out.extend_from_slice(event);
        }
    }
}

/// An event with what it is sorted by. None if yrs fails to compute it, as it does where a peer wrote formatting in
/// the place of a value. It has only read by then.
fn encoded(txn: &TransactionMut<'_>, event: &Event) -> Option<(SortKey, Vec<u8>)> {
    let compute = || {
        let mut out = Vec::new();
        encode_event(txn, event, &mut out);
        (sort_key(event), out)
    };
    catch_unwind(AssertUnwindSafe(compute))
        .map_err(std::mem::forget) // dropping a payload runs foreign code
        .ok()
}

type SortKey = (usize, Vec<(u8, u32, Arc<str>)>);

fn sort_key(event: &Event) -> SortKey {
    let path = event.path();
    let segments = path.iter().map(|segment| match segment {
        PathSegment::Key(key) => (0, 0, key.clone()),
        PathSegment::Index(index) => (1, *index, "".into()),
    });
    (path.len(), segments.collect())
}

fn encode_event(txn: &TransactionMut<'_>, event: &Event, out: &mut Vec<u8>) {
    match event {
        Event::Text(e) => {
            encode_target(e.target(), &e.path(), out);
            encode_delta(e.delta(txn), out);
        }
        Event::Array(e) => {
            encode_target(e.target(), &e.path(), out);
            encode_changes(e.delta(txn), out);
        }
        Event::Map(e) => {
            encode_target(e.target(), &e.path(), out);
            encode_keys(e.keys(txn), out);
        }
        Event::XmlText(e) => encode_target(e.target(), &e.path(), out),
        Event::XmlFragment(e) => {
            let target = BranchPtr::from(e.target().as_ref());
            value::encode_ref(target, out);
            encode_path(&e.path(), out);
        }
        Event::Weak(e) => encode_target(&e.as_target::<BranchPtr>(), &e.path(), out),
    }
}

fn encode_target(target: &impl SharedRef, path: &Path, out: &mut Vec<u8>) {
    value::encode_ref(BranchPtr::from(target.as_ref()), out);
    encode_path(path, out);
}

fn encode_path(path: &Path, out: &mut Vec<u8>) {
    write_var(out, path.len() as u64);
    for segment in path {
        match segment {
            PathSegment::Key(key) => {
                out.push(0);
                write_bytes(out, key.as_bytes());
            }
            PathSegment::Index(index) => {
                out.push(1);
                write_var(out, u64::from(*index));
            }
        }
    }
}

fn encode_delta(delta: &[Delta], out: &mut Vec<u8>) {
    write_var(out, delta.len() as u64);
    for op in delta {
        match op {
            Delta::Inserted(value, attributes) => {
                value::encode_insert(value, attributes.as_deref(), out)
            }
            Delta::Deleted(len) => {
                out.push(OP_DELETE);
                write_var(out, u64::from(*len));
            }
            Delta::Retain(len, attributes) => {
                out.push(OP_RETAIN);
                write_var(out, u64::from(*len));
                encode_attributes(attributes.as_deref(), out);
            }
        }
    }
}

fn encode_changes(changes: &[Change], out: &mut Vec<u8>) {
    write_var(out, changes.len() as u64);
    for change in changes {
        match change {
            Change::Added(values) => {
                out.push(OP_INSERT);
                write_var(out, values.len() as u64);
                values.iter().for_each(|value| encode(value, out));
            }
            Change::Removed(len) => {
                out.push(OP_DELETE);
                write_var(out, u64::from(*len));
            }
            Change::Retain(len) => {
                out.push(OP_RETAIN);
                write_var(out, u64::from(*len));
            }
        }
    }
}

fn encode_keys(keys: &HashMap<Arc<str>, EntryChange>, out: &mut Vec<u8>) {
    let mut keys: Vec<_> = keys.iter().collect();
    keys.sort_unstable_by_key(|(key, _)| *key);
    write_var(out, keys.len() as u64);
    for (key, change) in keys {
        write_bytes(out, key.as_bytes());
        match change {
            EntryChange::Inserted(new) => {
                out.push(1);
                encode(new, out);
            }
            EntryChange::Updated(old, new) => {
                out.push(2);
                encode(old, out);
                encode(new, out);
            }
            EntryChange::Removed(old) => {
                out.push(3);
                encode(old, out);
            }
        }
    }
}

/// The shared type whose observers are to change: yrs changes its list of them without a lock, so it takes a write
/// transaction.
fn target(txn: &YffiTxn, slot: u32) -> Result<BranchPtr> {
    if !txn.is_write() {
        return Err(Failure::read_only());
    }
    txn.branch(slot)
}

fn observe(doc: &YffiDoc, mut branch: BranchPtr, observer: u64, deep: bool) {
    doc.observe();
    let sink = doc.sink.clone();
    let key = Origin::from(observer);
    if deep {
        branch.observe_deep(key, move |txn, events| {
            sink.record(observer, txn, events.iter().collect());
        });
    } else {
        branch.observe(key, move |txn, event| {
            sink.record(observer, txn, vec![event])
        });
    }
}

/// Registers `observer`, an id of the caller's choosing, on the shared type in `slot`: from now on every
/// commit that changes it (or, if `deep`, anything below it) returns what changed. Needs a write
/// transaction.
///
/// # Safety
/// `txn` is open; `err` points to a zeroed `YffiError`.
#[no_mangle]
pub unsafe extern "C" fn yffi_branch_observe(
    txn: *mut YffiTxn,
    slot: u32,
    observer: u64,
    deep: bool,
    err: *mut YffiError,
) -> i32 {
    writing(txn, err, |txn| {
        observe(txn.doc(), target(txn, slot)?, observer, deep);
        Ok(())
    })
}

/// Removes `observer` from the shared type in `slot`.
///
/// # Safety
/// As for `yffi_branch_observe`.
#[no_mangle]
pub unsafe extern "C" fn yffi_branch_unobserve(
    txn: *mut YffiTxn,
    slot: u32,
    observer: u64,
    deep: bool,
    err: *mut YffiError,
) -> i32 {
    writing(txn, err, |txn| {
        let mut branch = target(txn, slot)?;
        let key = Origin::from(observer);
        let found = if deep {
            branch.unobserve_deep(&key)
        } else {
            branch.unobserve(&key)
        };
        if found {
            txn.doc().unobserve();
        }
        Ok(())
    })
}

/// Notes that an observer is gone with its shared type, which was deleted.
///
/// # Safety
/// `doc` is valid; the caller holds the document's lock, exclusively.
#[no_mangle]
pub unsafe extern "C" fn yffi_doc_unobserved(doc: *const YffiDoc) {
    (*doc).unobserve();
}
