//! The updates go through the C ABI, and after each the document is looked at from all sides.

use crate::abi::{self, Doc, Refused, Result, Txn};
use crate::frame::Sequence;
use crate::verdict::Verdict;
use yffi::{YffiCode, YffiKind};

/// The roots that the sequences write to.
const ROOTS: [&str; 3] = ["a", "b", ""];

const KINDS: [YffiKind; 3] = [YffiKind::Text, YffiKind::Map, YffiKind::Array];

/// How many items of a client, and of how many clients, are looked at for shared types.
const MAX_CLOCK: u32 = 30;
const MAX_CLIENTS: usize = 6;

pub fn play(sequence: &Sequence) -> Verdict {
    let mut verdict = Verdict::default();
    let made = verdict.need("make a document", || Doc::new(sequence.client_id, sequence));
    let Some(doc) = made else { return verdict };
    let mut player = Player {
        verdict,
        doc,
        sequence,
        rng: Rng(sequence.edits),
        sent: Vec::new(),
    };
    player.play();
    player.verdict
}

struct Player<'a> {
    verdict: Verdict,
    doc: Doc,
    sequence: &'a Sequence,
    rng: Rng,
    /// What was accepted.
    sent: Vec<Vec<u8>>,
}

impl Player<'_> {
    fn play(&mut self) {
        if self.sequence.observe {
            self.transact(Player::observe);
        }
        if self.sequence.in_txn {
            self.transact(Player::apply_all);
            self.inspect();
        } else {
            for update in &self.sequence.updates {
                self.apply(update);
                self.inspect();
                if self.sequence.edits != 0 {
                    self.transact(Player::edit);
                }
                self.encode();
            }
        }
        self.transact(Player::delete_all);
        self.inspect();
        self.encode();
    }

    fn alive(&self) -> bool {
        self.verdict.poisoned.is_none()
    }

    /// Runs `body` in a write transaction, which has to be committed.
    fn transact(&mut self, body: impl FnOnce(&mut Self, &Txn)) {
        if !self.alive() {
            return;
        }
        let begun = self.verdict.need("begin", || self.doc.begin(true));
        let Some(txn) = begun else { return };
        body(self, &txn);
        if !self.alive() {
            // It refuses, and takes the transaction away.
            let _ = txn.commit();
            return;
        }
        let committed = self.verdict.write("commit", || txn.commit());
        if committed.is_none() && self.alive() {
            self.verdict.fail("commit", "refused");
        }
    }

    fn observe(&mut self, txn: &Txn) {
        for (at, root) in ROOTS.iter().enumerate() {
            let kind = KINDS[self.rng.below(3)];
            self.verdict.need("observe", || {
                txn.observe(txn.root(kind, root)?, at as u64 + 1)
            });
        }
    }

    fn apply(&mut self, update: &[u8]) {
        if !self.alive() {
            return;
        }
        self.verdict.updates += 1;
        let before = self.doc.view(|txn| txn.encode(Some(&[0]))).ok();
        let budget = self.sequence.budget;
        let applied = self
            .verdict
            .write("apply", || self.doc.apply(update, budget));
        if applied.is_some() {
            let after = self.doc.view(|txn| txn.encode(Some(&[0]))).ok();
            self.accepted(update, before != after);
        }
    }

    fn accepted(&mut self, update: &[u8], changed: bool) {
        self.verdict.accepted += 1;
        self.verdict.integrated += usize::from(changed);
        self.sent.push(update.to_vec());
    }

    fn apply_all(&mut self, txn: &Txn) {
        for update in &self.sequence.updates {
            if !self.alive() {
                return;
            }
            self.verdict.updates += 1;
            let before = txn.encode(Some(&[0])).ok();
            if self.verdict.write("apply", || txn.apply(update)).is_some() {
                self.accepted(update, before != txn.encode(Some(&[0])).ok());
            }
            self.inspect_in(txn);
            if self.sequence.edits != 0 {
                self.edit(txn);
            }
        }
    }

    fn inspect(&mut self) {
        if !self.alive() {
            return;
        }
        let begun = self.verdict.need("begin", || self.doc.begin(false));
        let Some(txn) = begun else { return };
        self.inspect_in(&txn);
        self.verdict.need("end reading", || txn.commit());
    }

    /// Reads every root as every kind, and every nested type.
    fn inspect_in(&mut self, txn: &Txn) {
        if !self.alive() {
            return;
        }
        let verdict = &mut self.verdict;
        for root in ROOTS {
            for kind in KINDS {
                verdict.call("read a root", || {
                    read(txn, txn.root(kind, root)?, kind as u8)
                });
            }
        }
        for (slot, kind) in nested_types(txn) {
            verdict.call("read a nested type", || read(txn, slot, kind));
        }
    }

    /// Encodes the document in every way, and has others take what comes out.
    fn encode(&mut self) {
        if !self.alive() {
            return;
        }
        let any = self.any_state_vector();
        let (doc, sequence, verdict) = (&self.doc, self.sequence, &mut self.verdict);
        verdict.need("encode a difference", || {
            abi::check(&doc.view(|txn| txn.encode(Some(&any)))?)
        });
        verdict.need("load the state", || {
            let (state, state_vector) =
                doc.view(|txn| Ok((txn.encode(Some(&[0]))?, txn.state_vector()?)))?;
            let loaded = load(&state, sequence)?;
            same(&loaded.view(Txn::state_vector)?, &state_vector)
        });
        let all = verdict.need("encode everything", || doc.view(|txn| txn.encode(None)));
        if let Some(all) = all {
            verdict.need("load everything", || load(&all, sequence));
            verdict.need("load what was collected", || {
                load(&abi::collect(&all)?, sequence)
            });
        }
        let merged = verdict.need("merge", || {
            let merged = abi::merge(&self.sent)?;
            abi::check(&merged)?;
            Ok(merged)
        });
        if let Some(merged) = merged {
            verdict.call("load what was merged", || load(&merged, sequence));
        }
    }

    /// One that no peer need have: it ends in the middle of blocks.
    fn any_state_vector(&mut self) -> Vec<u8> {
        let mut any = vec![4];
        for client in 0..4 {
            any.extend([client, self.rng.below(7) as u8]);
        }
        any
    }

    fn delete_all(&mut self, txn: &Txn) {
        for root in ROOTS {
            self.verdict.write("clear a map", || {
                txn.map_clear(txn.root(YffiKind::Map, root)?)
            });
            self.verdict.write("clear an array", || {
                let slot = txn.root(YffiKind::Array, root)?;
                txn.array_delete(slot, 0, u64::from(txn.len(slot, ARRAY)?))
            });
            self.verdict.write("clear a text", || {
                let slot = txn.root(YffiKind::Text, root)?;
                txn.text_delete(slot, 0, u64::from(txn.len(slot, TEXT)?))
            });
        }
    }

    /// Makes some edits, in roots and in nested types.
    fn edit(&mut self, txn: &Txn) {
        for _ in 0..1 + self.rng.below(3) {
            let kind = KINDS[self.rng.below(3)];
            let root = ROOTS[self.rng.below(3)];
            let slot = self.verdict.write("resolve", || txn.root(kind, root));
            if let Some(slot) = slot {
                self.edit_type(txn, slot, kind as u8);
            }
        }
        let nested = nested_types(txn);
        if !nested.is_empty() {
            let (slot, kind) = nested[self.rng.below(nested.len())];
            self.edit_type(txn, slot, kind);
        }
    }

    fn edit_type(&mut self, txn: &Txn, slot: u32, kind: u8) {
        let len = txn.len(slot, kind).unwrap_or(0) as usize;
        let index = self.rng.below(len + 1);
        let count = self.rng.below(len - index + 1) as u64;
        let index = index as u64;
        let text = ["a", "é", "😀", "a😀b", "hello"][self.rng.below(5)];
        let key = ["k", "l", "😀"][self.rng.below(3)];
        let value = VALUES[self.rng.below(VALUES.len())];
        let choice = self.rng.below(4);
        self.verdict.write("edit", || match (kind, choice) {
            (MAP, 0 | 1) => txn.map_set(slot, key, value),
            (MAP, _) => txn.map_delete(slot, key),
            (ARRAY, 0 | 1) => txn.array_insert(slot, index, &[value, value].concat()),
            (ARRAY, _) => txn.array_delete(slot, index, count),
            (_, 0) => txn.text_insert(slot, index, text),
            (_, 1) => txn.text_delete(slot, index, count),
            (_, 2) => txn.text_format(slot, index, count, BOLD),
            _ => txn.text_delta(slot, &[RETAIN_ONE, INSERT, value, NO_ATTRIBUTES].concat()),
        });
    }
}

const TEXT: u8 = YffiKind::Text as u8;
const MAP: u8 = YffiKind::Map as u8;
const ARRAY: u8 = YffiKind::Array as u8;

/// Encoded values: a number, a string, and a text, a map and an array, each of which holds something.
const VALUES: [&[u8]; 5] = [
    &[125, 1],
    &[119, 1, b'x'],
    &[1, 1, 1, 119, 1, b't', 0],
    &[2, 1, 1, b'k', 3, 1, 125, 1],
    &[3, 2, 125, 1, 2, 0],
];

/// Parts of encoded deltas.
const BOLD: &[u8] = &[1, 4, b'b', b'o', b'l', b'd', 120];
const RETAIN_ONE: &[u8] = &[3, 1, 0];
const INSERT: &[u8] = &[1];
const NO_ATTRIBUTES: &[u8] = &[0];

fn read(txn: &Txn, slot: u32, kind: u8) -> Result<()> {
    match kind {
        MAP => txn.read_map(slot),
        ARRAY => txn.read_array(slot),
        _ => txn.read_text(slot),
    }
}

fn load(update: &[u8], sequence: &Sequence) -> Result<Doc> {
    let doc = Doc::new(99, sequence)?;
    doc.apply(update, 0)?;
    Ok(doc)
}

fn same(one: &[u8], other: &[u8]) -> Result<()> {
    let (one, other) = (clocks(one), clocks(other));
    if one == other {
        return Ok(());
    }
    Err(Refused {
        code: YffiCode::Malformed as i32,
        message: format!("the state vector is {one:?} instead of {other:?}"),
    })
}

/// The texts, maps and arrays among the first items of each client. Other kinds have no methods of their own; they are
/// read with what they are in.
fn nested_types(txn: &Txn) -> Vec<(u32, u8)> {
    let known = txn.state_vector().map(|bytes| clocks(&bytes));
    let mut found = Vec::new();
    for (client, end) in known.unwrap_or_default().into_iter().take(MAX_CLIENTS) {
        let first = 0..MAX_CLOCK.min(end as u32);
        let types = first.filter_map(|clock| txn.nested(client, clock).ok());
        found.extend(types.filter(|(_, kind)| KINDS.iter().any(|known| *known as u8 == *kind)));
    }
    found
}

/// The clients and clocks of a state vector, in order.
fn clocks(state_vector: &[u8]) -> Vec<(u64, u64)> {
    let mut bytes = state_vector.iter();
    let mut number = || {
        let (mut value, mut shift) = (0, 0);
        for byte in bytes.by_ref() {
            value |= u64::from(byte & 0x7f) << shift;
            shift += 7;
            if *byte < 0x80 {
                break;
            }
        }
        value
    };
    let mut found: Vec<_> = (0..number()).map(|_| (number(), number())).collect();
    found.sort_unstable();
    found
}

/// Pseudo-random numbers (SplitMix64): the same in every run.
struct Rng(u64);

impl Rng {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % limit as u64) as usize
    }
}
