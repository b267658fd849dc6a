//! Which texts and arrays of a document have an index (`positions.rs`), and since when.
//!
//! Making one costs about as much as encoding the document, so a list gets one when its edits have cost about as much
//! without it. A document of very many structs gets none: making it would take longer than anybody wants to wait for
//! one edit.

use crate::branch::{kind_of, YffiKind};
use crate::clocks::NumberHash;
use crate::error::Result;
use crate::positions::{List, PositionIndex};
use crate::transaction::YffiTxn;
use crate::with_txn;
use std::collections::HashMap;
use yrs::branch::BranchPtr;
use yrs::{ReadTxn, StateVector, TransactionMut};

/// What an edit is taken to cost, beside the walk, and what making an index costs beside the document.
const EDIT_COST: u64 = 16;
const BUILD_COST: u64 = 256;

/// How many units of a list are walked, and of a document encoded, at the same cost.
const UNITS_PER_COST: u64 = 16;

/// How many structs a document may have received in updates for an index to be made.
const MAX_STRUCTS: usize = 1 << 17;

enum Entry {
    /// What edits have cost so far.
    Without(u64),
    Indexed(Box<PositionIndex>),
    /// It cannot have one, as long as the document does not grow beyond that many units.
    Refused(u64),
}

/// The indexes of a document's texts and arrays.
pub struct Indexes {
    enabled: bool,
    /// By the address of the shared type, which stays as long as the document; see `garbage.rs`.
    lists: HashMap<usize, (BranchPtr, Entry), NumberHash>,
    /// At how many lists those that were deleted are looked for.
    purge_at: usize,
}

const FIRST_PURGE: usize = 32;

/// What a list is called here.
pub fn key(branch: BranchPtr) -> usize {
    let branch: &yrs::branch::Branch = &branch;
    branch as *const _ as usize
}

/// Makes an index of a list that is about to be edited, if it has none and it is time for one.
pub fn prepare(txn: &mut YffiTxn, branch: BranchPtr) -> Result<()> {
    let doc = txn.doc();
    if !txn.is_write() || !doc.indexes().may_want(branch) {
        return Ok(());
    }
    txn.settle()?;
    let mut indexes = doc.indexes();
    if indexes.is_wanted(branch, txn) {
        indexes.build(branch, txn.write_many(0)?);
    }
    Ok(())
}

/// Has the index of a list delete a range, if it has one.
pub fn delete(txn: &mut YffiTxn, slot: u32, index: u64, len: u64) -> Result<bool> {
    let branch = txn.branch(slot)?;
    prepare(txn, branch)?;
    let doc = txn.doc();
    let mut indexes = doc.indexes();
    let Some(list) = indexes.get(branch) else {
        return Ok(false);
    };
    let (offset, len) = list.check(index, len)?;
    let batch = &mut txn.batch;
    list.delete(offset, len, |client, start, end| {
        batch.delete(client, start, end)
    });
    let urgent = list.holds_shared();
    drop(indexes); // settling needs it
    if urgent {
        txn.settle()?;
    }
    Ok(true)
}

fn units(state: &StateVector) -> u64 {
    state.iter().map(|(_, clock)| u64::from(*clock)).sum()
}

impl Indexes {
    pub fn new(enabled: bool) -> Self {
        Indexes {
            enabled,
            lists: HashMap::default(),
            purge_at: FIRST_PURGE,
        }
    }

    /// The index of a list, if it has one.
    pub fn get(&mut self, branch: BranchPtr) -> Option<&mut PositionIndex> {
        match self.lists.get_mut(&key(branch)) {
            Some((_, Entry::Indexed(index))) => Some(index),
            _ => None,
        }
    }

    /// Notes that a list is about to be edited; whether that may be reason enough to make an index.
    fn may_want(&mut self, branch: BranchPtr) -> bool {
        if !self.enabled {
            return false;
        }
        if self.lists.len() >= self.purge_at {
            self.lists.retain(|_, (branch, _)| !branch.is_deleted());
            self.purge_at = FIRST_PURGE.max(2 * self.lists.len());
        }
        let entry = self.lists.entry(key(branch));
        match entry.or_insert((branch, Entry::Without(0))) {
            (_, Entry::Indexed(_)) => false,
            (_, Entry::Refused(_)) => true,
            (_, Entry::Without(cost)) => {
                *cost += EDIT_COST + u64::from(branch.content_len()) / UNITS_PER_COST;
                *cost >= BUILD_COST
            }
        }
    }

    fn is_wanted(&mut self, branch: BranchPtr, txn: &YffiTxn) -> bool {
        let units = with_txn!(&txn.access, t => units(&t.state_vector()));
        match self.lists.get_mut(&key(branch)) {
            Some((_, Entry::Without(cost))) => {
                *cost >= BUILD_COST + units / UNITS_PER_COST
                    && txn.doc().admission().structs <= MAX_STRUCTS
            }
            Some((_, entry @ Entry::Refused(_))) => {
                if matches!(entry, Entry::Refused(until) if units > *until) {
                    *entry = Entry::Without(0);
                }
                false
            }
            _ => false,
        }
    }

    /// Makes the index of a list.
    fn build(&mut self, branch: BranchPtr, txn: &TransactionMut<'_>) {
        let document = txn.encode_state_as_update_v1(&StateVector::default());
        let list = match kind_of(branch.type_ref()) {
            YffiKind::Array => List::Array,
            _ => List::Text,
        };
        let entry = match PositionIndex::build(list, branch.id(), &document) {
            Ok(index) if index.len() == branch.content_len() => Entry::Indexed(Box::new(index)),
            _ => Entry::Refused(2 * units(&txn.state_vector())),
        };
        self.lists.insert(key(branch), (branch, entry));
    }

    /// Gives the index of a list up: it was changed in a way that the index does not follow.
    pub fn forget(&mut self, branch: BranchPtr) {
        if let Some((_, entry @ Entry::Indexed(_))) = self.lists.get_mut(&key(branch)) {
            *entry = Entry::Without(0);
        }
    }

    /// Gives all indexes up.
    pub fn forget_all(&mut self) {
        self.lists.clear();
    }

    /// Takes in an update that the document has applied, all of it.
    pub fn absorb(&mut self, update: &[u8]) {
        for (branch, entry) in self.lists.values_mut() {
            let Entry::Indexed(index) = entry else {
                continue;
            };
            if index.absorb(update).is_err() || index.len() != branch.content_len() {
                *entry = Entry::Without(0);
            }
        }
    }

    /// Walks all indexed lists and checks that their indexes are right.
    #[cfg(debug_assertions)]
    pub fn check(&self, txn: &mut TransactionMut<'_>) {
        for (branch, entry) in self.lists.values() {
            if let (Entry::Indexed(index), false) = (entry, branch.is_deleted()) {
                let walked = match kind_of(branch.type_ref()) {
                    YffiKind::Array => walk::array(*branch, txn),
                    _ => walk::text(*branch, txn),
                };
                assert_eq!(index.visible(), walked);
            }
        }
    }

    pub fn is_empty(&self) -> bool {
        self.lists.is_empty()
    }

    /// How many lists have an index.
    pub fn count(&self) -> usize {
        let entries = self.lists.values();
        entries
            .filter(|(_, entry)| matches!(entry, Entry::Indexed(_)))
            .count()
    }
}

/// The ids of what is visible in a list, as yrs finds them.
#[cfg(debug_assertions)]
mod walk {
    use crate::structs::Id;
    use yrs::branch::BranchPtr;
    use yrs::types::text::YChange;
    use yrs::{
        Array, ArrayRef, Assoc, IndexedSequence, ReadTxn, Snapshot, Text, TextRef, TransactionMut,
    };

    pub fn text(branch: BranchPtr, txn: &mut TransactionMut<'_>) -> Vec<Id> {
        let text = TextRef::from(branch);
        let (now, nothing) = (txn.snapshot(), Snapshot::default());
        let mut walked = Vec::new();
        for run in text.diff_range(txn, Some(&now), Some(&nothing), YChange::identity) {
            let first = run.ychange.expect("everything is new").id;
            let units = match &run.insert {
                yrs::Out::Any(yrs::Any::String(chunk)) => chunk.encode_utf16().count() as u32,
                _ => 1,
            };
            walked.extend((0..units).map(|at| Id {
                client: first.client.get(),
                clock: first.clock + at,
            }));
        }
        walked
    }

    pub fn array(branch: BranchPtr, txn: &mut TransactionMut<'_>) -> Vec<Id> {
        let array = ArrayRef::from(branch);
        let at = |offset| {
            let place = array.sticky_index(txn, offset, Assoc::After);
            let place = place.expect("the offset is valid");
            (*place.id().expect("there is a value at the offset")).into()
        };
        (0..array.len(txn)).map(at).collect()
    }
}
