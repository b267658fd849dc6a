//! Native yrs under the same workloads as the Go program beside it, and parts of the library alone.
//!
//! Usage: `bench-native <workload> <file>`. The file holds updates, each behind its length as four bytes, least
//! significant first. Prints the nanoseconds that one run of the workload took, after one to warm up.

use std::time::{Duration, Instant};
use yffi::measure;
use yrs::updates::decoder::Decode;
use yrs::{
    Doc, OffsetKind, Options, ReadTxn, StateVector, Text, TextRef, Transact, TransactionMut, Update,
};

fn main() {
    let mut args = std::env::args().skip(1);
    let (Some(workload), Some(file)) = (args.next(), args.next()) else {
        eprintln!("usage: bench-native <workload> <file>");
        std::process::exit(2);
    };
    let updates = read_updates(&std::fs::read(&file).expect("the update file is readable"));
    let run: fn(&[Vec<u8>]) -> Duration = match workload.as_str() {
        "apply" | "load" => apply,
        "encode" => encode,
        "gate" => gate,
        "check" => check,
        "edits" => edits,
        "edits-at-once" => edits_at_once,
        "merge" => merge,
        "turns" => turns,
        other => {
            eprintln!("bench-native: no workload {other:?}; there are apply, load, encode, merge, edits, edits-at-once, turns, gate and check");
            std::process::exit(2);
        }
    };
    run(&updates);
    println!("{}", run(&updates).as_nanos());
}

fn read_updates(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut updates = Vec::new();
    while let Some((head, rest)) = bytes.split_first_chunk::<4>() {
        let (update, rest) = rest.split_at(u32::from_le_bytes(*head) as usize);
        updates.push(update.to_vec());
        bytes = rest;
    }
    updates
}

fn new_doc() -> Doc {
    Doc::with_options(Options {
        offset_kind: OffsetKind::Utf16,
        ..Options::default()
    })
}

fn apply_all(doc: &Doc, updates: &[Vec<u8>]) {
    for update in updates {
        let update = Update::decode_v1(update).expect("the update decodes");
        doc.transact_mut()
            .apply_update(update)
            .expect("the update applies");
    }
}

fn apply(updates: &[Vec<u8>]) -> Duration {
    let doc = new_doc();
    let start = Instant::now();
    apply_all(&doc, updates);
    start.elapsed()
}

fn encode(updates: &[Vec<u8>]) -> Duration {
    let doc = new_doc();
    apply_all(&doc, updates);
    let start = Instant::now();
    let state = doc
        .transact()
        .encode_state_as_update_v1(&StateVector::default());
    let elapsed = start.elapsed();
    assert!(!state.is_empty());
    elapsed
}

/// Edits of a text: each record is the offset and the number of deleted characters, four bytes each, and what is
/// inserted there.
fn edit(txn: &mut TransactionMut<'_>, text: &TextRef, record: &[u8]) {
    let number = |at: usize| {
        let bytes = record[at..at + 4].try_into().expect("four bytes");
        u32::from_le_bytes(bytes)
    };
    let (offset, deleted) = (number(0), number(4));
    if deleted > 0 {
        text.remove_range(txn, offset, deleted);
    }
    let inserted = std::str::from_utf8(&record[8..]).expect("the edit is UTF-8");
    text.insert(txn, offset, inserted);
}

/// A transaction for each edit.
fn edits(records: &[Vec<u8>]) -> Duration {
    let doc = new_doc();
    let text = doc.get_or_insert_text("content");
    let start = Instant::now();
    for record in records {
        edit(&mut doc.transact_mut(), &text, record);
    }
    start.elapsed()
}

fn edits_at_once(records: &[Vec<u8>]) -> Duration {
    let doc = new_doc();
    let text = doc.get_or_insert_text("content");
    let start = Instant::now();
    let mut txn = doc.transact_mut();
    for record in records {
        edit(&mut txn, &text, record);
    }
    drop(txn);
    start.elapsed()
}

/// A text, and then an edit of it and an update of somebody else in turn.
fn turns(records: &[Vec<u8>]) -> Duration {
    let doc = new_doc();
    let text = doc.get_or_insert_text("content");
    apply_all(&doc, &records[..1]);
    let start = Instant::now();
    for turn in records[1..].chunks_exact(2) {
        edit(&mut doc.transact_mut(), &text, &turn[0]);
        apply_all(&doc, &turn[1..]);
    }
    start.elapsed()
}

fn merge(updates: &[Vec<u8>]) -> Duration {
    let start = Instant::now();
    let merged = yrs::merge_updates_v1(updates).expect("the updates merge");
    let elapsed = start.elapsed();
    assert!(!merged.is_empty());
    elapsed
}

/// The gate alone, with what it keeps of a document.
fn gate(updates: &[Vec<u8>]) -> Duration {
    let mut gate = measure::Gate::default();
    let start = Instant::now();
    for update in updates {
        assert!(gate.pass(update), "the update goes in as it is");
    }
    start.elapsed()
}

/// What a commit adds to an apply for the check: encoding the change, and decoding it unless it is what came in.
fn check(updates: &[Vec<u8>]) -> Duration {
    let doc = new_doc();
    let mut elapsed = Duration::ZERO;
    for update in updates {
        let decoded = Update::decode_v1(update).expect("the update decodes");
        let mut txn = doc.transact_mut();
        txn.apply_update(decoded).expect("the update applies");
        let start = Instant::now();
        let encoded = txn.encode_update_v1();
        assert!(measure::check(&encoded, update), "the change decodes");
        elapsed += start.elapsed();
    }
    elapsed
}
