//! The updates go to yrs as a naive binding would hand them over. This shows what the gate is for.

use crate::frame::Sequence;
use crate::verdict::Verdict;
use std::panic::{catch_unwind, AssertUnwindSafe};
use yrs::types::ToJson;
use yrs::updates::decoder::Decode;
use yrs::updates::encoder::Encode;
use yrs::{
    Array, ClientID, Doc, GetString, Map, Options, ReadTxn, StateVector, Text, Transact, Update,
};

const ROOTS: [&str; 2] = ["a", "b"];

pub fn play(sequence: &Sequence) -> Verdict {
    let mut verdict = Verdict::default();
    let mut options = Options::with_client_id(ClientID::new(sequence.client_id));
    options.skip_gc = sequence.skip_gc;
    let doc = Doc::with_options(options);
    for update in &sequence.updates {
        verdict.updates += 1;
        match caught(&mut verdict, "apply", || apply(&doc, update)) {
            Some(true) => verdict.accepted += 1,
            Some(false) => continue,
            None => {
                // What a panic leaves behind cannot even be dropped.
                std::mem::forget(doc);
                return verdict;
            }
        }
        caught(&mut verdict, "encode", || encode(&doc));
        caught(&mut verdict, "read", || read(&doc));
    }
    caught(&mut verdict, "delete", || delete(&doc));
    caught(&mut verdict, "encode", || encode(&doc));
    caught(&mut verdict, "free", || drop(doc));
    verdict
}

fn caught<T>(verdict: &mut Verdict, what: &str, body: impl FnOnce() -> T) -> Option<T> {
    let result = catch_unwind(AssertUnwindSafe(body));
    if result.is_err() {
        verdict.panics.push(format!("{what} panicked"));
    }
    result.ok()
}

fn apply(doc: &Doc, update: &[u8]) -> bool {
    let Ok(update) = Update::decode_v1(update) else {
        return false;
    };
    doc.transact_mut().apply_update(update).is_ok()
}

fn encode(doc: &Doc) {
    let txn = doc.transact();
    txn.state_vector().encode_v1();
    txn.encode_state_as_update_v1(&StateVector::default());
}

fn read(doc: &Doc) {
    let txn = doc.transact();
    for root in ROOTS {
        if let Some(text) = txn.get_text(root) {
            text.get_string(&txn);
        }
        if let Some(map) = txn.get_map(root) {
            map.to_json(&txn);
        }
        if let Some(array) = txn.get_array(root) {
            array.to_json(&txn);
        }
    }
}

fn delete(doc: &Doc) {
    for root in ROOTS {
        let (text, map, array) = (
            doc.get_or_insert_text(root),
            doc.get_or_insert_map(root),
            doc.get_or_insert_array(root),
        );
        let mut txn = doc.transact_mut();
        map.clear(&mut txn);
        let len = array.len(&txn);
        array.remove_range(&mut txn, 0, len);
        let len = text.len(&txn);
        text.remove_range(&mut txn, 0, len);
    }
}
