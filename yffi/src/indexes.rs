//! Which texts and arrays of a document have an index (`positions.rs`), and since when.
//!
//! Making one costs about as much as encoding the document, so a list gets one when its edits have cost about as much
//! without it. A document of very many structs gets none: making it would take longer than anybody wants to wait for
//! one edit. And few lists have one at a time, because each has to look at every update.

use crate::branch::{kind_of, YffiKind};
use crate::clocks::NumberHash;
use crate::error::Result;
use crate::gate;
use crate::limits::WIDEST;
use crate::positions::{List, PositionIndex};
use crate::transaction::YffiTxn;
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

/// How many lists of a document have an index at most.
const MAX_INDEXES: usize = 16;

/// How it stands with a list that has no index.
enum Edits {
    /// What they have cost so far.
    Cost(u64),
    /// It cannot have one, as long as the document does not grow beyond that many units.
    Refused(u64),
}

/// The indexes of a document's texts and arrays.
pub struct Indexes {
    enabled: bool,
    /// The one that was used last comes first.
    indexed: Vec<(BranchPtr, Box<PositionIndex>)>,
    /// The others that were edited, by the address of the shared type, which stays as long as the document; see
    /// `garbage.rs`.
    others: HashMap<usize, (BranchPtr, Edits), NumberHash>,
    /// At how many of them those that were deleted are looked for.
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
    let admission = doc.admission();
    let (units, structs) = (admission.clocks.units(), admission.structs);
    drop(admission);
    if indexes.is_wanted(branch, units, structs) {
        indexes.build(branch, units, txn.write_many(0)?);
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

impl Indexes {
    pub fn new(enabled: bool) -> Self {
        Indexes {
            enabled,
            indexed: Vec::new(),
            others: HashMap::default(),
            purge_at: FIRST_PURGE,
        }
    }

    fn find(&self, branch: BranchPtr) -> Option<usize> {
        let is_it = |(other, _): &(BranchPtr, _)| key(*other) == key(branch);
        self.indexed.iter().position(is_it)
    }

    /// The index of a list, if it has one.
    pub fn get(&mut self, branch: BranchPtr) -> Option<&mut PositionIndex> {
        let at = self.find(branch)?;
        self.indexed[..=at].rotate_right(1);
        Some(&mut self.indexed[0].1)
    }

    /// Notes that a list is about to be edited; whether that may be reason enough to make an index.
    fn may_want(&mut self, branch: BranchPtr) -> bool {
        if !self.enabled || self.find(branch).is_some() {
            return false;
        }
        if self.others.len() >= self.purge_at {
            self.others.retain(|_, (branch, _)| !branch.is_deleted());
            self.purge_at = FIRST_PURGE.max(2 * self.others.len());
        }
        let other = self.others.entry(key(branch));
        match other.or_insert((branch, Edits::Cost(0))) {
            (_, Edits::Refused(_)) => true,
            (_, Edits::Cost(cost)) => {
                *cost += EDIT_COST + u64::from(branch.content_len()) / UNITS_PER_COST;
                *cost >= BUILD_COST
            }
        }
    }

    /// Whether it is time for an index, in a document of so many units and structs, as of the last commit.
    fn is_wanted(&mut self, branch: BranchPtr, units: u64, structs: usize) -> bool {
        match self.others.get_mut(&key(branch)) {
            Some((_, Edits::Cost(cost))) => {
                *cost >= BUILD_COST + units / UNITS_PER_COST && structs <= MAX_STRUCTS
            }
            Some((_, edits @ Edits::Refused(_))) => {
                if matches!(edits, Edits::Refused(until) if units > *until) {
                    *edits = Edits::Cost(0);
                }
                false
            }
            None => false,
        }
    }

    /// Makes the index of a list, in the place of the one that was not used for longest if there are enough.
    fn build(&mut self, branch: BranchPtr, units: u64, txn: &TransactionMut<'_>) {
        let document = txn.encode_state_as_update_v1(&StateVector::default());
        let list = match kind_of(branch.type_ref()) {
            YffiKind::Array => List::Array,
            _ => List::Text,
        };
        match PositionIndex::build(list, branch.id(), &document) {
            Ok(index) if index.len() == branch.content_len() => {
                self.others.remove(&key(branch));
                self.indexed.truncate(MAX_INDEXES - 1);
                self.indexed.insert(0, (branch, Box::new(index)));
            }
            _ => {
                let refused = (branch, Edits::Refused(2 * units));
                self.others.insert(key(branch), refused);
            }
        }
    }

    /// Gives the index of a list up: it was changed in a way that the index does not follow.
    pub fn forget(&mut self, branch: BranchPtr) {
        if let Some(at) = self.find(branch) {
            self.indexed.remove(at);
        }
    }

    /// Gives the indexes of lists up that were deleted.
    pub fn forget_deleted(&mut self) {
        self.indexed.retain(|(branch, _)| !branch.is_deleted());
    }

    /// Gives all indexes up.
    pub fn forget_all(&mut self) {
        self.indexed.clear();
    }

    /// Takes in an update that the document has applied, all of it.
    pub fn absorb(&mut self, update: &[u8]) {
        if self.indexed.is_empty() {
            return;
        }
        let Ok(summary) = gate::check_alone(update, &WIDEST) else {
            return self.forget_all();
        };
        self.indexed.retain_mut(|(branch, index)| {
            index.absorb(update, &summary).is_ok() && index.len() == branch.content_len()
        });
    }

    /// Walks all indexed lists and checks that their indexes are right.
    #[cfg(debug_assertions)]
    pub fn check(&self, txn: &mut TransactionMut<'_>) {
        for (branch, index) in &self.indexed {
            if !branch.is_deleted() {
                let walked = match kind_of(branch.type_ref()) {
                    YffiKind::Array => walk::array(*branch, txn),
                    _ => walk::text(*branch, txn),
                };
                assert_eq!(index.visible(), walked);
            }
        }
    }

    /// How many lists have an index.
    pub fn count(&self) -> usize {
        self.indexed.len()
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
