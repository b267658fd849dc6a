//! Offsets into text: yrs clamps, splits characters or panics on wrong ones, so they are checked first.

use crate::error::{Failure, Result, YffiCode};
use crate::transaction::YffiTxn;
use crate::with_txn;
use yrs::branch::BranchPtr;
use yrs::{Any, Out, Text, TextRef};

/// Checks the range `index..index + len` of a text: within bounds, and not cutting a character.
pub fn check_range(txn: &YffiTxn, branch: BranchPtr, index: u64, len: u64) -> Result<(u32, u32)> {
    let total = branch.content_len();
    let end = index.saturating_add(len);
    if end > u64::from(total) {
        // A range is refused by the end that is out of bounds; an insertion has no other.
        return Err(Failure::out_of_range(end, total));
    }
    check_boundaries(txn, branch, &mut [index as u32, end as u32])?;
    Ok((index as u32, len as u32))
}

/// Checks that no offset in `offsets` (all within bounds) falls inside a character.
pub fn check_boundaries(txn: &YffiTxn, branch: BranchPtr, offsets: &mut [u32]) -> Result<()> {
    if !txn.doc().is_wide() {
        return Ok(());
    }
    offsets.sort_unstable();
    let mut wanted = offsets.iter().copied().peekable();
    let mut at = 0;
    let text = TextRef::from(branch);
    let chunks = with_txn!(&txn.access, t => text.diff(t, |_| ()));
    for chunk in &chunks {
        let Out::Any(Any::String(string)) = &chunk.insert else {
            at += 1;
            continue;
        };
        for character in string.chars() {
            while wanted.next_if(|offset| *offset <= at).is_some() {}
            let Some(&next) = wanted.peek() else {
                return Ok(());
            };
            at += if txn.doc().byte_offsets {
                character.len_utf8() as u32
            } else {
                character.len_utf16() as u32
            };
            if next < at {
                return Err(Failure::new(
                    YffiCode::OutOfRange,
                    format_args!("offset {next} is inside a character"),
                ));
            }
        }
    }
    Ok(())
}
