//! Runs the script of a workload.

use crate::memory;
use crate::result::{hash, read};
use crate::workload::{Edits, Step, Workload};
use serde_json::{json, Value};
use std::collections::HashMap;
use std::hint::black_box;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};
use yffi::measure;
use yrs::updates::decoder::Decode;
use yrs::{
    Array, ArrayRef, ClientID, Doc, Map, MapRef, OffsetKind, Options, ReadTxn, StateVector, Text,
    TextRef, Transact, TransactionMut, Update,
};

/// A document and its root types.
pub struct Replica {
    pub doc: Doc,
    pub text: TextRef,
    pub array: ArrayRef,
    pub map: MapRef,
}

/// What listeners write into.
#[derive(Default)]
struct Log {
    updates: Vec<Vec<u8>>,
    heard: usize,
    applying: bool, // what is heard now is not logged
}

struct Script<'a> {
    workload: &'a Workload,
    replicas: HashMap<u64, Replica>,
    log: Arc<Mutex<Log>>,
    encoded: usize,
    checked: Duration, // what checking took, of all that the step did
}

pub fn run(workload: &Workload) -> Result<Value, String> {
    memory::trim();
    let (held, resident) = (memory::held(), memory::resident());
    memory::forget_peak();
    let log = Log {
        updates: workload.log.clone(),
        ..Log::default()
    };
    let mut script = Script {
        workload,
        replicas: HashMap::new(),
        log: Arc::new(Mutex::new(log)),
        encoded: 0,
        checked: Duration::ZERO,
    };
    let mut ns = Vec::new();
    for part in &workload.parts {
        script.checked = Duration::ZERO;
        let start = Instant::now();
        for step in part {
            script.step(step)?;
        }
        let elapsed = start.elapsed();
        ns.push(match script.checked {
            Duration::ZERO => elapsed.as_nanos() as u64,
            checked => checked.as_nanos() as u64,
        });
    }
    let peak = memory::peak().saturating_sub(resident);
    let live = memory::held().saturating_sub(held).max(1);
    let content = read(script.replica(workload.result.0), workload.result.1);
    let heard = script.log().heard;
    Ok(json!({
        "ns": ns, "hash": hash(&content), "peak": peak, "live": live, "heard": heard, "encoded": script.encoded,
    }))
}

impl Script<'_> {
    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().expect("nothing panics while it is held")
    }

    fn replica(&mut self, number: u64) -> &Replica {
        let listening = self.workload.listen.contains(&number);
        self.replicas
            .entry(number)
            .or_insert_with(|| Replica::new(number + 1, listening.then(|| self.log.clone())))
    }

    fn step(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Edit(number, edits, together) => self.replica(*number).edit(edits, *together),
            Step::Apply(number, range, together) => {
                // Taken out meanwhile, because listeners hold the lock too.
                let mut log = self.log();
                log.applying = true;
                let updates = std::mem::take(&mut log.updates);
                drop(log);
                let applied = self.replica(*number).apply(range.of(&updates)?, *together);
                let mut log = self.log();
                log.applying = false;
                log.updates = updates;
                applied?;
            }
            Step::Encode(number) => {
                let txn = self.replica(*number).doc.transact();
                let state = txn.encode_state_as_update_v1(&StateVector::default());
                drop(txn);
                self.encoded = state.len();
                self.log().updates.push(state);
            }
            Step::Merge(range) => {
                let mut log = self.log();
                let merged = yrs::merge_updates_v1(range.of(&log.updates)?);
                log.updates.push(merged.map_err(|e| e.to_string())?);
            }
            Step::Read(number, root, times) => {
                for _ in 0..*times {
                    black_box(read(self.replica(*number), *root));
                }
            }
            Step::Gate(range) => gate(range.of(&self.log().updates)?)?,
            Step::Check(range) => {
                let checked = check(range.of(&self.log().updates)?)?;
                self.checked = checked;
            }
        }
        Ok(())
    }
}

impl Replica {
    fn new(client: u64, log: Option<Arc<Mutex<Log>>>) -> Replica {
        let doc = Doc::with_options(Options {
            client_id: ClientID::new(client),
            offset_kind: OffsetKind::Utf16,
            ..Options::default()
        });
        if let Some(log) = log {
            doc.observe_update_v1("log", move |_, event| {
                let mut log = log.lock().expect("nothing panics while it is held");
                if !log.applying {
                    log.heard += event.update.len();
                    log.updates.push(event.update.clone());
                }
            })
            .expect("no transaction is open");
        }
        Replica {
            text: doc.get_or_insert_text("text"),
            array: doc.get_or_insert_array("array"),
            map: doc.get_or_insert_map("map"),
            doc,
        }
    }

    fn edit(&self, edits: &Edits, together: bool) {
        match edits {
            Edits::Text(ops) => self.each(together, ops, |txn, (at, deleted, inserted)| {
                if *deleted > 0 {
                    self.text.remove_range(txn, *at, *deleted);
                }
                if !inserted.is_empty() {
                    self.text.insert(txn, *at, inserted);
                }
            }),
            Edits::Array(ops) => self.each(together, ops, |txn, (at, values)| {
                self.array.insert_range(txn, *at, values.iter().cloned());
            }),
            Edits::Map(ops) => self.each(together, ops, |txn, (key, value)| {
                self.map.insert(txn, key.as_str(), value.clone());
            }),
        }
    }

    /// Makes each edit in a transaction of its own, or all in one.
    fn each<T>(&self, together: bool, ops: &[T], edit: impl Fn(&mut TransactionMut<'_>, &T)) {
        if together {
            let mut txn = self.doc.transact_mut();
            ops.iter().for_each(|op| edit(&mut txn, op));
            return;
        }
        for op in ops {
            edit(&mut self.doc.transact_mut(), op);
        }
    }

    fn apply(&self, updates: &[Vec<u8>], together: bool) -> Result<(), String> {
        let apply = |txn: &mut TransactionMut<'_>, update: &[u8]| {
            let update = Update::decode_v1(update).map_err(|e| e.to_string())?;
            txn.apply_update(update).map_err(|e| e.to_string())
        };
        if together {
            let mut txn = self.doc.transact_mut();
            return updates.iter().try_for_each(|u| apply(&mut txn, u));
        }
        updates
            .iter()
            .try_for_each(|u| apply(&mut self.doc.transact_mut(), u))
    }
}

/// The gate alone, with what it keeps of a document.
fn gate(updates: &[Vec<u8>]) -> Result<(), String> {
    let mut gate = measure::Gate::default();
    match updates.iter().all(|update| gate.pass(update)) {
        true => Ok(()),
        false => Err("the gate has changed an update".into()),
    }
}

/// What a commit adds to an apply for the check: encoding the change, and decoding it unless it is what came in.
fn check(updates: &[Vec<u8>]) -> Result<Duration, String> {
    let doc = Doc::new();
    let mut elapsed = Duration::ZERO;
    for update in updates {
        let decoded = Update::decode_v1(update).map_err(|e| e.to_string())?;
        let mut txn = doc.transact_mut();
        txn.apply_update(decoded).map_err(|e| e.to_string())?;
        let start = Instant::now();
        let encoded = txn.encode_update_v1();
        if !measure::check(&encoded, update) {
            return Err("the change does not decode".into());
        }
        elapsed += start.elapsed();
    }
    Ok(elapsed)
}
