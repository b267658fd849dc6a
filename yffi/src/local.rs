//! What a local edit brings into the document: noted, and bounded, like what updates bring.

use crate::error::{Failure, Result, YffiCode};
use crate::nesting::{Depth, Nesting};
use crate::structs::Contents;
use crate::transaction::YffiTxn;
use yrs::branch::BranchPtr;
use yrs::{Array, BranchID, Map, Out, ReadTxn, Text};

/// What decoded values have in them.
#[derive(Default)]
pub struct Values {
    pub contents: Contents,
    /// How many levels of new shared types.
    pub levels: u16,
}

/// Notes values that are about to be inserted into `branch`, unless that would nest shared types too deeply.
pub fn note(txn: &YffiTxn, branch: BranchPtr, values: &Values) -> Result<()> {
    if values.levels > 0 {
        let nesting = &txn.doc().admission().nesting;
        if depth(nesting, branch) + values.levels > nesting.limit {
            return Err(Failure::new(
                YffiCode::TooLarge,
                format_args!(
                    "shared types nested more than {} levels deep",
                    nesting.limit
                ),
            ));
        }
    }
    txn.doc().note(&values.contents);
    Ok(())
}

/// Keeps how deep the shared types are that `inserted`, now in `branch`, consists of. Those that were there before do
/// not matter.
pub fn place(txn: &YffiTxn, branch: BranchPtr, inserted: &[Out]) {
    let nesting = &mut txn.doc().admission().nesting;
    let depth = depth(nesting, branch) + 1;
    crate::with_txn!(&txn.access, t => {
        for value in inserted {
            insert(t, nesting, value, depth);
        }
    });
}

fn depth(nesting: &Nesting, branch: BranchPtr) -> u16 {
    match branch.id() {
        BranchID::Root(_) => Depth::ROOT.bound,
        // Whatever is in the document is kept.
        BranchID::Nested(id) => nesting.depth(id.into()).unwrap_or(nesting.limit),
    }
}

fn insert(txn: &impl ReadTxn, nesting: &mut Nesting, value: &Out, depth: u16) {
    let Some(branch) = value.try_branch() else {
        return;
    };
    if let BranchID::Nested(id) = branch.id() {
        if nesting.depth(id.into()).is_some() {
            return; // it was there before, and may hold anything
        }
        nesting.insert(id.into(), depth);
    }
    let inner: Vec<Out> = match value {
        Out::YMap(map) => map.iter(txn).map(|(_, value)| value).collect(),
        Out::YArray(array) => array.iter(txn).collect(),
        Out::YText(text) => {
            let chunks = text.diff(txn, |_| ());
            chunks.into_iter().map(|chunk| chunk.insert).collect()
        }
        _ => Vec::new(),
    };
    for value in &inner {
        insert(txn, nesting, value, depth + 1);
    }
}
