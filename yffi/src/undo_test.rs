//! yrs's own undo manager on lists with an index: what it makes of them is what it makes of lists without one.
//!
//! Nothing in the library undoes anything yet. What undo will need of the index is tested here: that every item stands
//! between those that yrs would have put it between, the deleted ones too, because these are what comes back.

use crate::doc::{YffiDoc, YffiDocOptions};
use crate::transaction::YffiCommit;
use crate::*;
use random::Random;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use yrs::types::ToJson;
use yrs::undo::{Options, UndoManager};
use yrs::updates::decoder::Decode;
use yrs::{
    Any, Array, ArrayRef, ClientID, Doc, GetString, Observable, OffsetKind, ReadTxn, Text, TextRef,
    Transact, Update,
};

#[path = "../tests/random.rs"]
mod random;

/// How many sessions of each kind of list are played; the nightly suite asks for more.
fn sessions() -> u64 {
    let wanted = std::env::var("YFFI_UNDO_SESSIONS");
    wanted.map_or(250, |wanted| {
        wanted.parse().expect("YFFI_UNDO_SESSIONS is a number")
    })
}

const OK: i32 = YffiCode::Ok as i32;
const NAME: &str = "list";

/// An edit by position. Not all are valid: text is not to be inserted into characters.
#[derive(Clone, Copy)]
enum Edit {
    Insert(u64, &'static str),
    Delete(u64, u64),
}

impl Edit {
    fn random(random: &mut Random, len: u64) -> Self {
        const CHUNKS: [&str; 6] = ["a", "b", "word", "é", "😀", "x😀y"];
        let at = random.below(len + 1);
        match random.below(8) {
            0..=4 => Edit::Insert(at, CHUNKS[random.below(6) as usize]),
            _ => Edit::Delete(at, random.below(6).min(len - at)),
        }
    }
}

/// What happens next to a document.
enum Step {
    /// Edits in a transaction, and whether the manager captures it.
    Edit(Vec<Edit>, bool),
    /// An edit by the peer, which may learn of everything before.
    Peer {
        learns: bool,
        at: u64,
        deletes: bool,
    },
    /// What is captured next is undone on its own.
    Reset,
    Undo,
    Redo,
}

impl Step {
    fn random(random: &mut Random, len: u64) -> Self {
        match random.below(16) {
            0..=7 => {
                let edits = (0..=random.below(3)).map(|_| Edit::random(random, len));
                Step::Edit(edits.collect(), random.below(4) > 0)
            }
            8..=9 => Step::Peer {
                learns: random.below(2) == 0,
                at: random.below(1 << 20),
                deletes: random.below(3) == 0,
            },
            10..=11 => Step::Reset,
            12..=14 => Step::Undo,
            _ => Step::Redo,
        }
    }
}

/// A list of either kind.
#[derive(Clone)]
enum List {
    Text(TextRef),
    Array(ArrayRef),
}

impl List {
    fn of(doc: &Doc, kind: YffiKind) -> Self {
        match kind {
            YffiKind::Array => List::Array(doc.get_or_insert_array(NAME)),
            _ => List::Text(doc.get_or_insert_text(NAME)),
        }
    }

    fn content(&self, txn: &impl ReadTxn) -> String {
        match self {
            List::Text(text) => text.get_string(txn),
            List::Array(array) => format!("{:?}", array.to_json(txn)),
        }
    }

    fn len(&self, txn: &impl ReadTxn) -> u64 {
        u64::from(match self {
            List::Text(text) => text.len(txn),
            List::Array(array) => array.len(txn),
        })
    }

    /// The length of the content.
    fn walk(&self, txn: &impl ReadTxn) -> u64 {
        (match self {
            List::Text(text) => text.get_string(txn).encode_utf16().count(),
            List::Array(array) => array.iter(txn).count(),
        }) as u64
    }
}

/// What happened in a document.
#[derive(Default)]
struct Record {
    updates: Vec<Vec<u8>>,
    changes: Vec<String>,
}

/// A document with an undo manager, and a peer that uses yrs alone.
struct Twin {
    kind: YffiKind,
    undo: UndoManager<()>,
    tracks: Arc<AtomicBool>,
    record: Arc<Mutex<Record>>,
    list: List,
    doc: Box<YffiDoc>,
    peer: Doc,
    seen_by_peer: usize,
}

impl Twin {
    fn new(kind: YffiKind, indexed: bool, peer: u64) -> Self {
        let doc = Box::new(
            YffiDoc::new(&YffiDocOptions {
                client_id: 2,
                guid: std::ptr::null(),
                guid_len: 0,
                byte_offsets: false,
                skip_gc: true, // content is collected before the manager says what it wants to keep
                skip_index: !indexed,
                limits: crate::limits::DEFAULT,
            })
            .unwrap(),
        );
        doc.observe(); // what is to be undone must not be held back beyond its transaction
        let tracks = Arc::new(AtomicBool::new(true));
        let list = List::of(&doc.doc, kind);
        let undo = manage(&doc.doc, &list, tracks.clone());
        let mut options = yrs::Options::with_client_id(ClientID::new(peer));
        options.offset_kind = OffsetKind::Utf16;
        Twin {
            kind,
            undo,
            tracks,
            record: record(&doc, &list),
            list,
            doc,
            peer: Doc::with_options(options),
            seen_by_peer: 0,
        }
    }

    /// Takes a step and tells how it went.
    fn take(&mut self, step: &Step) -> Vec<i32> {
        match step {
            Step::Edit(edits, tracked) => return self.edit(edits, *tracked),
            Step::Peer {
                learns,
                at,
                deletes,
            } => self.edit_peer(*learns, *at, *deletes),
            Step::Reset => self.undo.reset(),
            Step::Undo | Step::Redo => {
                let undo = matches!(step, Step::Undo);
                return vec![i32::from(self.undo(undo))];
            }
        }
        Vec::new()
    }

    /// Makes edits in a transaction and tells how they went.
    fn edit(&mut self, edits: &[Edit], tracked: bool) -> Vec<i32> {
        self.tracks.store(tracked, Ordering::Relaxed);
        let mut err = YffiError {
            message: YffiBuf::empty(),
        };
        let (mut txn, mut slot) = (null_mut(), 0);
        let kind = self.kind;
        let codes = unsafe {
            assert_eq!(OK, yffi_txn_begin(&*self.doc, true, &mut txn, &mut err));
            let name = NAME.as_ptr();
            let code = yffi_txn_root(txn, kind as u8, name, NAME.len(), &mut slot, &mut err);
            assert_eq!(OK, code);
            let mut apply = |edit: &Edit| match (*edit, kind) {
                (Edit::Insert(at, _), YffiKind::Array) => {
                    let values = [125, at as u8 & 63, 120]; // a number and true
                    yffi_array_insert(txn, slot, at, values.as_ptr(), values.len(), &mut err)
                }
                (Edit::Insert(at, chunk), _) => {
                    yffi_text_insert(txn, slot, at, chunk.as_ptr(), chunk.len(), &mut err)
                }
                (Edit::Delete(at, len), YffiKind::Array) => {
                    yffi_array_delete(txn, slot, at, len, &mut err)
                }
                (Edit::Delete(at, len), _) => yffi_text_delete(txn, slot, at, len, &mut err),
            };
            edits.iter().map(&mut apply).collect()
        };
        let mut out: YffiCommit = unsafe { std::mem::zeroed() };
        assert_eq!(OK, unsafe {
            yffi_txn_commit(txn, false, &mut out, &mut err)
        });
        codes
    }

    /// Undoes or redoes what the manager has, and has the index follow.
    fn undo(&mut self, undo: bool) -> bool {
        let before = self.record.lock().unwrap().updates.len();
        let changed = if undo {
            self.undo.undo_blocking()
        } else {
            self.undo.redo_blocking()
        };
        let mut indexes = self.doc.indexes();
        for update in &self.record.lock().unwrap().updates[before..] {
            indexes.absorb(update);
        }
        #[cfg(debug_assertions)]
        indexes.check(&mut self.doc.doc.transact_mut());
        changed
    }

    /// The peer learns of everything, if it is to, and makes an edit where there is no character of two units.
    fn edit_peer(&mut self, learns: bool, at: u64, deletes: bool) {
        let list = List::of(&self.peer, self.kind);
        let mut txn = self.peer.transact_mut();
        if learns {
            let updates = &self.record.lock().unwrap().updates;
            for update in &updates[self.seen_by_peer..] {
                txn.apply_update(Update::decode_v1(update).unwrap())
                    .unwrap();
            }
            self.seen_by_peer = updates.len();
        }
        let before = txn.state_vector();
        let at = (at % (list.len(&txn) + 1)) as u32;
        match &list {
            List::Text(text) => {
                let units: Vec<u16> = text.get_string(&txn).encode_utf16().collect();
                let is_inside = |at: u32| {
                    units
                        .get(at as usize)
                        .is_some_and(|unit| unit >> 10 == 0b110111)
                };
                if is_inside(at) {
                } else if !deletes {
                    text.insert(&mut txn, at, "p");
                } else if (at as usize) < units.len() && !is_inside(at + 1) {
                    text.remove_range(&mut txn, at, 1);
                }
            }
            List::Array(array) if deletes && at < array.len(&txn) => array.remove(&mut txn, at),
            List::Array(array) => drop(array.insert(&mut txn, at, Any::from("p"))),
        }
        let update = txn.encode_diff_v1(&before);
        drop(txn);
        self.tracks.store(false, Ordering::Relaxed);
        self.apply(&update);
    }

    fn apply(&mut self, update: &[u8]) {
        let mut out: YffiCommit = unsafe { std::mem::zeroed() };
        let mut err = YffiError {
            message: YffiBuf::empty(),
        };
        let code = unsafe {
            let (bytes, len) = (update.as_ptr(), update.len());
            yffi_doc_apply_update(&*self.doc, bytes, len, 0, false, &mut out, &mut err)
        };
        assert_eq!(OK, code);
    }

    fn content(&self) -> String {
        self.list.content(&self.doc.doc.transact())
    }

    fn len(&self) -> u64 {
        self.list.len(&self.doc.doc.transact())
    }

    /// yrs has brought something back twice, and not counted it: from then on the length is wrong.
    fn is_miscounted(&self) -> bool {
        self.len() != self.list.walk(&self.doc.doc.transact())
    }
}

/// An undo manager that captures what happens while `tracks` is set, until it is reset.
fn manage(doc: &Doc, list: &List, tracks: Arc<AtomicBool>) -> UndoManager<()> {
    let mut undo = UndoManager::with_options(Options {
        capture_timeout_millis: u64::MAX,
        capture_transaction: Some(Arc::new(move |_| tracks.load(Ordering::Relaxed))),
        ..Options::default()
    });
    match list {
        List::Text(text) => undo.expand_scope(doc, text),
        List::Array(array) => undo.expand_scope(doc, array),
    }
    undo
}

/// Keeps what happens in a document, and what it knows up to date when undo has written.
fn record(doc: &YffiDoc, list: &List) -> Arc<Mutex<Record>> {
    let record = Arc::new(Mutex::new(Record::default()));
    let address = doc as *const YffiDoc as usize;
    let of_updates = record.clone();
    doc.doc
        .observe_after_transaction("test", move |txn| {
            if txn.has_changes() {
                let doc = unsafe { &*(address as *const YffiDoc) };
                doc.admission().advance(txn);
                let update = txn.encode_update_v1();
                of_updates.lock().unwrap().updates.push(update);
            }
        })
        .unwrap();
    let of_changes = record.clone();
    let note = move |changes: String| of_changes.lock().unwrap().changes.push(changes);
    match list {
        List::Text(text) => text.observe("test", move |txn, e| note(format!("{:?}", e.delta(txn)))),
        List::Array(array) => {
            array.observe("test", move |txn, e| note(format!("{:?}", e.delta(txn))))
        }
    }
    record
}

/// Plays a session with and without an index, and tells how often there was one when something was undone.
fn play(kind: YffiKind, seed: u64) -> usize {
    let mut random = Random(seed);
    let peer = 1 + 2 * random.below(2);
    let mut twins = [true, false].map(|indexed| Twin::new(kind, indexed, peer));
    // A list that is long enough for an index.
    let start: Vec<_> = (0..40).map(|at| Edit::Insert(at, "-")).collect();
    let mut undone = 0;
    for twin in &mut twins {
        twin.edit(&start, false);
    }
    for at in 0..60 {
        let step = Step::random(&mut random, twins[0].len());
        if matches!(step, Step::Undo | Step::Redo) {
            undone += twins[0].doc.indexes().count();
        }
        let results = twins.each_mut().map(|twin| twin.take(&step));
        assert_eq!(results[0], results[1], "seed {seed}, step {at}");
        let contents = twins.each_ref().map(Twin::content);
        assert_eq!(contents[0], contents[1], "seed {seed}, step {at}");
        if twins.iter().all(Twin::is_miscounted) {
            return undone;
        }
    }
    let changes = twins
        .each_ref()
        .map(|twin| twin.record.lock().unwrap().changes.join("\n"));
    assert_eq!(changes[0], changes[1], "seed {seed}");
    for twin in &mut twins {
        twin.edit_peer(true, 0, false);
        let list = List::of(&twin.peer, kind);
        assert_eq!(
            list.content(&twin.peer.transact()),
            twin.content(),
            "seed {seed}"
        );
    }
    undone
}

fn play_all(kind: YffiKind) {
    let sessions = sessions();
    let undone: usize = (0..sessions).map(|seed| play(kind, seed)).sum();
    assert!(
        undone > 5 * sessions as usize,
        "undone with an index: {undone} times"
    );
}

#[test]
fn undo_of_a_text_is_what_it_is_without_an_index() {
    play_all(YffiKind::Text);
}

#[test]
fn undo_of_an_array_is_what_it_is_without_an_index() {
    play_all(YffiKind::Array);
}

/// Undo brings back what an insertion, which it does not know of, was made behind.
#[test]
fn what_is_inserted_where_something_was_deleted_stands_behind_it_when_that_is_undone() {
    for indexed in [true, false] {
        let mut twin = Twin::new(YffiKind::Text, indexed, 1);
        let many: Vec<_> = (0..40).map(|at| Edit::Insert(at, "-")).collect();
        twin.edit(&many, false);
        twin.edit(&[Edit::Insert(0, "abc")], false);
        twin.edit(&[Edit::Delete(1, 1)], true);
        twin.edit(&[Edit::Insert(1, "X")], false);
        assert_eq!(twin.doc.indexes().count(), usize::from(indexed));
        assert!(twin.undo(true));
        assert_eq!(&twin.content()[..4], "abXc");
    }
}
