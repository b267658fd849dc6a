//! Texts and arrays with a position index, in a build that walks the whole list after every edit and compares.

mod random;

use random::Random;
use std::ptr::{null, null_mut};
use yffi::*;

const OK: i32 = YffiCode::Ok as i32;

fn take(buf: YffiBuf) -> Vec<u8> {
    let bytes = unsafe { bytes(buf.address as *const u8, buf.len) }.to_vec();
    unsafe { yffi_buf_free(buf) };
    bytes
}

struct Doc {
    kind: YffiKind,
    raw: *mut YffiDoc,
    err: YffiError,
    updates: Vec<Vec<u8>>,
}

impl Doc {
    fn new(kind: YffiKind, client_id: u64) -> Self {
        let options = YffiDocOptions {
            client_id,
            guid: null(),
            guid_len: 0,
            byte_offsets: false,
            skip_gc: client_id == 2,
            skip_index: false,
            limits: unsafe { std::mem::zeroed() },
        };
        let mut doc = Doc {
            kind,
            raw: null_mut(),
            err: YffiError {
                message: YffiBuf::empty(),
            },
            updates: Vec::new(),
        };
        assert_eq!(OK, unsafe {
            yffi_doc_new(&options, &mut doc.raw, &mut doc.err)
        });
        doc
    }

    fn transact<T>(&mut self, edit: impl FnOnce(*mut YffiTxn, u32, &mut YffiError) -> T) -> T {
        let (mut txn, mut slot) = (null_mut(), 0);
        let mut out: YffiCommit = unsafe { std::mem::zeroed() };
        unsafe {
            assert_eq!(OK, yffi_txn_begin(self.raw, true, &mut txn, &mut self.err));
            let name = b"list".as_ptr();
            let root = yffi_txn_root(txn, self.kind as u8, name, 4, &mut slot, &mut self.err);
            assert_eq!(OK, root);
            let result = edit(txn, slot, &mut self.err);
            assert_eq!(OK, yffi_txn_commit(txn, true, &mut out, &mut self.err));
            take(out.events);
            if out.changed {
                self.updates.push(take(out.update));
            }
            result
        }
    }

    fn apply(&mut self, update: &[u8]) {
        let mut out: YffiCommit = unsafe { std::mem::zeroed() };
        let code = unsafe {
            yffi_doc_apply_update(
                self.raw,
                update.as_ptr(),
                update.len(),
                0,
                false,
                &mut out,
                &mut self.err,
            )
        };
        assert_eq!(OK, code);
        take(out.events);
    }

    fn json(&mut self) -> Vec<u8> {
        let mut out = YffiBuf::empty();
        let kind = self.kind as u8;
        self.transact(|txn, slot, err| {
            assert_eq!(OK, unsafe {
                yffi_branch_export(txn, slot, kind, &mut out, err)
            });
        });
        take(out)
    }

    fn edit_array(&mut self, random: &mut Random) {
        self.transact(|txn, slot, err| unsafe {
            for _ in 0..=random.below(4) {
                let (mut len, mut out) = (0, YffiBuf::empty());
                let kind = YffiKind::Array as u8;
                assert_eq!(OK, yffi_branch_len(txn, slot, kind, &mut len, err));
                let at = random.below(u64::from(len) + 1);
                // A number; true and null; an empty map; a string, a text and a string.
                let values: &[u8] = [
                    &[125, 7][..],
                    &[120, 126],
                    &[2, 0],
                    &[119, 1, b'a', 1, 0, 119, 1, b'b'],
                ][random.below(4) as usize];
                let code = match random.below(8) {
                    0..=4 => yffi_array_insert(txn, slot, at, values.as_ptr(), values.len(), err),
                    5..=6 => {
                        let some = random.below(4).min(u64::from(len) - at);
                        yffi_array_delete(txn, slot, at, some, err)
                    }
                    _ => yffi_array_value(txn, slot, at, &mut out, err),
                };
                take(out);
                assert_eq!(OK, code);
            }
        });
    }

    fn edit(&mut self, random: &mut Random) {
        self.transact(|txn, slot, err| unsafe {
            for _ in 0..=random.below(4) {
                let (mut len, mut out) = (0, YffiBuf::empty());
                assert_eq!(OK, yffi_branch_len(txn, slot, 1, &mut len, err));
                let at = random.below(u64::from(len) + 1);
                let chunk = ["a", "some words", "😀", "é"][random.below(4) as usize];
                match random.below(8) {
                    0..=3 => {
                        yffi_text_insert(txn, slot, at, chunk.as_ptr(), chunk.len(), err);
                    }
                    4..=6 => {
                        let some = random.below(6).min(u64::from(len) - at);
                        yffi_text_delete(txn, slot, at, some, err);
                    }
                    _ => {
                        assert_eq!(OK, yffi_text_string(txn, slot, &mut out, err));
                        take(out);
                    }
                }
                take(std::mem::replace(&mut err.message, YffiBuf::empty()));
            }
        });
    }
}

impl Drop for Doc {
    fn drop(&mut self) {
        unsafe { yffi_doc_free(self.raw) }
    }
}

fn compare(kind: YffiKind, edit: fn(&mut Doc, &mut Random)) {
    let mut indexed = 0;
    for seed in 0..60 {
        let mut random = Random(seed);
        let mut docs: Vec<Doc> = (1..=3).map(|client| Doc::new(kind, client)).collect();
        let mut seen = [[0; 3]; 3]; // how many updates of the others
        for _ in 0..80 {
            let at = random.below(3) as usize;
            edit(&mut docs[at], &mut random);
            let from = random.below(3) as usize;
            let new = docs[from].updates[seen[at][from]..].to_vec();
            seen[at][from] += new.len();
            new.iter().for_each(|update| docs[at].apply(update));
            indexed += docs
                .iter()
                .map(|doc| unsafe { yffi_test_indexes(doc.raw) })
                .sum::<usize>();
        }
        let all: Vec<Vec<u8>> = docs.iter().flat_map(|doc| doc.updates.clone()).collect();
        let lists: Vec<Vec<u8>> = docs
            .iter_mut()
            .map(|doc| {
                all.iter().for_each(|update| doc.apply(update));
                doc.json()
            })
            .collect();
        assert!(lists.iter().all(|list| *list == lists[0]));
    }
    assert!(indexed > 5_000, "lists had an index: {indexed} times");
}

#[test]
fn the_index_of_a_text_is_what_a_walk_finds() {
    compare(YffiKind::Text, Doc::edit);
}

#[test]
fn the_index_of_an_array_is_what_a_walk_finds() {
    compare(YffiKind::Array, Doc::edit_array);
}
