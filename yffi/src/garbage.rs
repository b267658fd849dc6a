//! Garbage collection that frees nothing that may still be referred to.
//!
//! When yrs collects a deleted shared type, it frees the type and every item that it finds in it. A hostile update can
//! leave items that refer to the type but are not found in it, and yrs follows their pointers. So in a live
//! document only content is dropped: a deleted item becomes a tombstone of the same place and length, and a deleted
//! type stays, without content. So does a deleted subdocument: yrs looks at its item once more when blocks were merged. What remains of types goes when a document is loaded from an update that was
//! collected; see `collect.rs`.

use crate::admission::Admission;
use crate::error::{Failure, Result, YffiCode};
use crate::nesting::Nesting;
use std::sync::{Arc, Mutex, PoisonError};
use yrs::{Doc, IdSet, TransactionMut, ID};

/// Has every commit of `doc` drop the content of what it deleted, after observers have seen it and before yrs merges
/// blocks.
pub fn collect_in(doc: &Doc, admission: Arc<Mutex<Admission>>) -> Result<()> {
    doc.observe_after_transaction("garbage", move |txn| {
        if !txn.delete_set().is_empty() {
            let mut admission = admission.lock().unwrap_or_else(PoisonError::into_inner);
            let (leaves, holders) = without_holders(txn, &admission.nesting);
            admission.garbage += holders;
            drop(admission);
            txn.gc(Some(&leaves));
        }
    })
    .map_err(|e| Failure::new(YffiCode::Busy, e))
}

/// What the transaction deleted, except the items that hold shared types and subdocuments, and how many these are.
fn without_holders(txn: &TransactionMut<'_>, nesting: &Nesting) -> (IdSet, usize) {
    let mut count = 0;
    let mut leaves = IdSet::new();
    for (client, ranges) in txn.delete_set().iter() {
        for range in ranges.iter() {
            let mut start = range.start;
            let mut add = |start: u32, end: u32| {
                if start < end {
                    leaves.insert(ID::new(*client, start), end - start);
                }
            };
            let holders = nesting.holders(client.get(), range.start, range.end);
            count += holders.len();
            for clock in holders {
                add(start, clock);
                start = clock + 1;
            }
            add(start, range.end);
        }
    }
    (leaves, count)
}
