//! Which texts of a document have an index (`positions.rs`), and since when.
//!
//! Making one costs about as much as encoding the document, so a text gets one when its edits have cost about as much
//! without it. A document of very many structs gets none: making it would take longer than anybody wants to wait for
//! one edit.

use crate::error::Result;
use crate::positions::TextIndex;
use crate::transaction::YffiTxn;
use crate::with_txn;
use std::collections::HashMap;
use yrs::branch::BranchPtr;
use yrs::{ReadTxn, StateVector, TransactionMut};

/// What an edit is taken to cost, beside the walk, and what making an index costs beside the document.
const EDIT_COST: u64 = 16;
const BUILD_COST: u64 = 256;

/// How many units of text are walked, and of a document encoded, at the same cost.
const UNITS_PER_COST: u64 = 16;

/// How many structs a document may have received in updates for an index to be made.
const MAX_STRUCTS: usize = 1 << 17;

enum Entry {
    /// What edits have cost so far.
    Without(u64),
    Indexed(Box<TextIndex>),
    /// It cannot have one, as long as the document does not grow beyond that many units.
    Refused(u64),
}

/// The indexes of a document's texts.
pub struct Indexes {
    enabled: bool,
    /// By the address of the shared type, which stays as long as the document; see `garbage.rs`.
    texts: HashMap<usize, (BranchPtr, Entry)>,
    /// At how many texts those that were deleted are looked for.
    purge_at: usize,
}

const FIRST_PURGE: usize = 32;

/// What a text is called here.
pub fn key(branch: BranchPtr) -> usize {
    let branch: &yrs::branch::Branch = &branch;
    branch as *const _ as usize
}

/// Makes an index of a text that is about to be edited, if it has none and it is time for one.
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

fn units(state: &StateVector) -> u64 {
    state.iter().map(|(_, clock)| u64::from(*clock)).sum()
}

impl Indexes {
    pub fn new(enabled: bool) -> Self {
        Indexes {
            enabled,
            texts: HashMap::new(),
            purge_at: FIRST_PURGE,
        }
    }

    /// The index of a text, if it has one.
    pub fn get(&mut self, branch: BranchPtr) -> Option<&mut TextIndex> {
        match self.texts.get_mut(&key(branch)) {
            Some((_, Entry::Indexed(index))) => Some(index),
            _ => None,
        }
    }

    /// Notes that a text is about to be edited; whether that may be reason enough to make an index.
    fn may_want(&mut self, branch: BranchPtr) -> bool {
        if !self.enabled {
            return false;
        }
        if self.texts.len() >= self.purge_at {
            self.texts.retain(|_, (branch, _)| !branch.is_deleted());
            self.purge_at = FIRST_PURGE.max(2 * self.texts.len());
        }
        let entry = self.texts.entry(key(branch));
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
        match self.texts.get_mut(&key(branch)) {
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

    /// Makes the index of a text.
    fn build(&mut self, branch: BranchPtr, txn: &TransactionMut<'_>) {
        let document = txn.encode_state_as_update_v1(&StateVector::default());
        let entry = match TextIndex::build(branch.id(), &document) {
            Ok(index) if index.len() == branch.content_len() => Entry::Indexed(Box::new(index)),
            _ => Entry::Refused(2 * units(&txn.state_vector())),
        };
        self.texts.insert(key(branch), (branch, entry));
    }

    /// Gives the index of a text up: it was changed in a way that the index does not follow.
    pub fn forget(&mut self, branch: BranchPtr) {
        if let Some((_, entry @ Entry::Indexed(_))) = self.texts.get_mut(&key(branch)) {
            *entry = Entry::Without(0);
        }
    }

    /// Gives all indexes up.
    pub fn forget_all(&mut self) {
        self.texts.clear();
    }

    /// Takes in an update that the document has applied, all of it.
    pub fn absorb(&mut self, update: &[u8]) {
        for (branch, entry) in self.texts.values_mut() {
            let Entry::Indexed(index) = entry else {
                continue;
            };
            if index.absorb(update).is_err() || index.len() != branch.content_len() {
                *entry = Entry::Without(0);
            }
        }
    }

    /// Walks all indexed texts and checks that their indexes are right.
    #[cfg(debug_assertions)]
    pub fn check(&self, txn: &mut TransactionMut<'_>) {
        use yrs::types::text::YChange;
        use yrs::{Snapshot, Text, TextRef};

        for (branch, entry) in self.texts.values() {
            let Entry::Indexed(index) = entry else {
                continue;
            };
            let text = TextRef::from(*branch);
            let (now, nothing) = (txn.snapshot(), Snapshot::default());
            let mut walked = Vec::new();
            for run in text.diff_range(txn, Some(&now), Some(&nothing), YChange::identity) {
                let first = run.ychange.expect("everything is new").id;
                let units = match &run.insert {
                    yrs::Out::Any(yrs::Any::String(chunk)) => chunk.encode_utf16().count() as u32,
                    _ => 1,
                };
                walked.extend((0..units).map(|at| crate::structs::Id {
                    client: first.client.get(),
                    clock: first.clock + at,
                }));
            }
            assert_eq!(index.visible(), walked);
        }
    }

    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// How many texts have an index.
    pub fn count(&self) -> usize {
        let entries = self.texts.values();
        entries
            .filter(|(_, entry)| matches!(entry, Entry::Indexed(_)))
            .count()
    }
}
