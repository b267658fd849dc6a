//! Offsets into text: yrs clamps, splits characters or panics on wrong ones, so they are checked first.

use crate::error::{Failure, Result, YffiCode};
use crate::structs::Contents;
use crate::transaction::YffiTxn;
use crate::with_txn;
use yrs::branch::BranchPtr;
use yrs::types::text::Diff;
use yrs::{Any, GetString, Out, Text, TextRef};

/// Checks the range `index..index + len` of a text: within bounds, and not cutting a character.
pub fn check_range(txn: &YffiTxn, branch: BranchPtr, index: u64, len: u64) -> Result<(u32, u32)> {
    check_bounds(index, len, content_len(txn, branch))?;
    let (index, len) = (index as u32, len as u32);
    check_boundaries(txn, branch, &mut [index, index + len])?;
    Ok((index, len))
}

/// Checks that the range is within a length.
pub fn check_bounds(index: u64, len: u64, total: u32) -> Result<()> {
    let end = index.saturating_add(len);
    if end > u64::from(total) {
        // A range is refused by the end that is out of bounds; an insertion has no other.
        return Err(Failure::out_of_range(end, total));
    }
    Ok(())
}

pub fn inside_character(offset: u32) -> Failure {
    Failure::new(
        YffiCode::OutOfRange,
        format_args!("offset {offset} is inside a character"),
    )
}

/// The length of a text in the document's offset units; an embedded value counts 1. yrs does not notice when a
/// deletion leaves half a surrogate pair, whose replacement has another length in bytes.
pub fn content_len(txn: &YffiTxn, branch: BranchPtr) -> u32 {
    if txn.doc().may_be_split() {
        chunk_lengths(txn, branch).sum::<u64>() as u32
    } else {
        branch.content_len()
    }
}

fn chunk_lengths(txn: &YffiTxn, branch: BranchPtr) -> impl Iterator<Item = u64> + '_ {
    let text = TextRef::from(branch);
    let chunks = with_txn!(&txn.access, t => text.diff(t, |_| ()));
    chunks.into_iter().map(|chunk| chunk_length(txn, &chunk))
}

fn chunk_length(txn: &YffiTxn, chunk: &Diff<()>) -> u64 {
    match &chunk.insert {
        Out::Any(Any::String(string)) => length(txn, string),
        _ => 1,
    }
}

/// Checks that all of a text can be deleted. yrs counts plain values that a peer wrote into a text in its
/// length, but does not delete them: it panics after having deleted the rest.
pub fn check_deletable(txn: &YffiTxn, branch: BranchPtr) -> Result<()> {
    if !txn.doc().holds_values() {
        return Ok(());
    }
    let text = TextRef::from(branch);
    let chunks = with_txn!(&txn.access, t => text.diff(t, |_| ()));
    let walked = chunks.iter().map(chunk_units).sum();
    let total = chunks.iter().map(|chunk| chunk_length(txn, chunk)).sum();
    check_counted(txn, branch, walked, total)
}

/// Checks that what is in the chunks of a text is what yrs counts: `walked` in units and `total` in those of offsets. A
/// value that it counts can make up for text that it does not, but not in both where these differ.
fn check_counted(txn: &YffiTxn, branch: BranchPtr, walked: u32, total: u64) -> Result<()> {
    let sure = txn.doc().byte_offsets && !txn.doc().may_be_split();
    if walked != branch.len() || sure && total != u64::from(branch.content_len()) {
        return Err(foreign_content());
    }
    Ok(())
}

/// The length in UTF-16 code units, which yrs always knows of a text; in bytes it may be wrong.
fn units(string: &str) -> u32 {
    Contents::default().note_text(string)
}

fn chunk_units(chunk: &Diff<()>) -> u32 {
    match &chunk.insert {
        Out::Any(Any::String(string)) => units(string),
        _ => 1,
    }
}

fn foreign_content() -> Failure {
    Failure::new(
        YffiCode::WrongType,
        "the text holds what a peer wrote into it as if it were an array or a map, an embedded string, or half a \
         character: yrs would edit the wrong place",
    )
}

/// Checks that no offset in `offsets` (all within bounds) falls inside a character.
pub fn check_boundaries(txn: &YffiTxn, branch: BranchPtr, offsets: &mut [u32]) -> Result<()> {
    if !txn.doc().is_wide() {
        return Ok(());
    }
    offsets.sort_unstable();
    let text = TextRef::from(branch);
    let string = with_txn!(&txn.access, t => text.get_string(t));
    // What is not counted by yrs can make up for an embedded value. That is harmless unless offsets count bytes: of one
    // inside a character yrs would make an empty string.
    if !txn.doc().byte_offsets && units(&string) == branch.len() {
        return match cut_character(txn, &string, 0, offsets) {
            Some(offset) => Err(inside_character(offset)),
            None => Ok(()),
        };
    }
    // Embedded values take a unit between the strings.
    let (mut at, mut walked, mut text_bytes) = (0, 0, 0);
    let mut cut = None;
    for chunk in &with_txn!(&txn.access, t => text.diff(t, |_| ())) {
        walked += chunk_units(chunk);
        let Out::Any(Any::String(string)) = &chunk.insert else {
            at += 1;
            continue;
        };
        text_bytes += string.len();
        cut = cut.or_else(|| cut_character(txn, string, at, offsets));
        at += length(txn, string) as u32;
    }
    // A string that is embedded looks like text here. It shows in the units, unless it has just one; in bytes that one
    // has another length.
    let strings_embedded = txn.doc().byte_offsets && text_bytes != string.len();
    if strings_embedded {
        return Err(foreign_content());
    }
    check_counted(txn, branch, walked, u64::from(at))?;
    cut.map_or(Ok(()), |offset| Err(inside_character(offset)))
}

/// The length of a string in the document's offset units.
fn length(txn: &YffiTxn, string: &str) -> u64 {
    if txn.doc().byte_offsets {
        string.len() as u64
    } else {
        u64::from(units(string))
    }
}

/// The first of the sorted `offsets` that is inside a character of `string`, which begins at offset `start`.
fn cut_character(txn: &YffiTxn, string: &str, start: u32, offsets: &[u32]) -> Option<u32> {
    let unit = |character: char| {
        if txn.doc().byte_offsets {
            character.len_utf8() as u32
        } else {
            character.len_utf16() as u32
        }
    };
    let mut wanted = offsets.iter().copied().peekable();
    let mut at = start;
    for character in string.chars() {
        while wanted.next_if(|offset| *offset <= at).is_some() {}
        let next = *wanted.peek()?;
        at += unit(character);
        if next < at {
            return Some(next);
        }
    }
    None
}
