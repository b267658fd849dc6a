//! What is held back: structs of a client whose earlier ones have not arrived.
//!
//! yrs would integrate some of them behind a hole in the client's clocks. From then on its state vector, which
//! stops at the hole, hides them: they are in no event and in no diff, and encoding from inside the hole gives
//! lengths below zero. So yrs only gets structs that follow what it has, and never sees a hole.

use crate::error::{Failure, Result, YffiCode};
use crate::gate::Run;
use crate::wire::write_var;
use std::collections::{BTreeMap, HashMap, HashSet};
use yrs::TransactionMut;

/// How many bytes of a document are held back at most.
const MAX_HELD_BYTES: usize = 16 << 20;

/// The size of a run beside its bytes, so that the number of runs is bounded too.
const RUN_OVERHEAD: usize = 64;

/// Consecutive structs of one client, out of an update.
struct HeldRun {
    run: Run,
    structs: Vec<u8>,
}

impl HeldRun {
    fn size(&self) -> usize {
        self.structs.len() + RUN_OVERHEAD
    }
}

/// What is held back in one document, and the clocks that decide on it.
#[derive(Default)]
pub(crate) struct Held {
    /// How much of each client is integrated: what yrs's state vector says, without making one.
    clocks: HashMap<u64, u32>,
    /// The client that came last with its clock: usually it comes next, too.
    latest: (u64, u32),
    /// By client and first clock. None covers another one of its client.
    runs: HashMap<u64, BTreeMap<u32, HeldRun>>,
    /// Clients that have runs, and have come nearer to them since the last release.
    nearer: HashSet<u64>,
    bytes: usize,
}

impl Held {
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Notes what a transaction has inserted so far.
    pub fn advance(&mut self, txn: &TransactionMut<'_>) {
        for (client, ranges) in txn.insert_set().iter() {
            let client = client.get();
            let end = ranges.iter().map(|range| range.end).max().unwrap_or(0);
            if end > self.clock(client) {
                self.set_clock(client, end);
            }
            if !self.runs.is_empty() && self.runs.contains_key(&client) {
                self.nearer.insert(client);
            }
        }
    }

    fn clock(&self, client: u64) -> u32 {
        if self.latest.0 == client {
            return self.latest.1;
        }
        self.clocks.get(&client).copied().unwrap_or(0)
    }

    fn set_clock(&mut self, client: u64, clock: u32) {
        let (client_before, clock_before) = std::mem::replace(&mut self.latest, (client, clock));
        if client_before != client {
            self.clocks.insert(client_before, clock_before);
        }
    }

    /// Whether the run follows what is integrated.
    pub fn follows(&self, run: &Run) -> bool {
        run.clock <= self.clock(run.client)
    }

    /// Takes in all runs of an update, refusing to hold more than the limit.
    pub fn add(&mut self, update: &[u8], runs: &[Run]) -> Result<()> {
        let new: usize = runs.iter().map(|run| run.bytes.len() + RUN_OVERHEAD).sum();
        if self.bytes + new > MAX_HELD_BYTES {
            return Err(Failure::new(
                YffiCode::TooLarge,
                "too much is held back already; the updates before these are missing: sync again",
            ));
        }
        for run in runs {
            self.add_run(run, &update[run.bytes.clone()]);
        }
        Ok(())
    }

    fn add_run(&mut self, run: &Run, structs: &[u8]) {
        if run.end <= self.clock(run.client) {
            return; // known
        }
        self.nearer.insert(run.client);
        let runs = self.runs.entry(run.client).or_default();
        if let Some((_, before)) = runs.range(..=run.clock).next_back() {
            if before.run.end >= run.end {
                return; // held already
            }
        }
        let covered: Vec<u32> = runs
            .range(run.clock..run.end)
            .filter(|(_, other)| other.run.end <= run.end)
            .map(|(clock, _)| *clock)
            .collect();
        for clock in covered {
            self.bytes -= runs.remove(&clock).map_or(0, |other| other.size());
        }
        let held = HeldRun {
            run: run.clone(),
            structs: structs.to_vec(),
        };
        self.bytes += held.size();
        runs.insert(run.clock, held);
    }

    /// Takes out what follows the integrated structs by now, one run for each client, as an update.
    pub fn release(&mut self) -> Option<Vec<u8>> {
        let nearer = std::mem::take(&mut self.nearer);
        let free: Vec<HeldRun> = nearer
            .into_iter()
            .filter_map(|client| self.next(client))
            .collect();
        (!free.is_empty()).then(|| compose(&free))
    }

    /// Takes out the first run of a client that holds something new, if it follows.
    fn next(&mut self, client: u64) -> Option<HeldRun> {
        let clock = self.clock(client);
        let runs = self.runs.get_mut(&client)?;
        let mut next = None;
        while let Some(first) = runs.first_entry() {
            if *first.key() > clock || next.is_some() {
                break;
            }
            let run = first.remove();
            self.bytes -= run.size();
            next = (run.run.end > clock).then_some(run);
        }
        if runs.is_empty() {
            self.runs.remove(&client);
        }
        next
    }

    /// Everything that is held back, as one update for each run: a client may appear in several.
    pub fn updates(&self) -> impl Iterator<Item = Vec<u8>> + '_ {
        let runs = self.runs.values().flat_map(BTreeMap::values);
        runs.map(|run| compose(std::slice::from_ref(run)))
    }
}

/// Writes runs of different clients as an update without deletions.
fn compose(runs: &[HeldRun]) -> Vec<u8> {
    let mut update = Vec::new();
    write_var(&mut update, runs.len() as u64);
    for HeldRun { run, structs } in runs {
        write_var(&mut update, run.structs as u64);
        write_var(&mut update, run.client);
        write_var(&mut update, u64::from(run.clock));
        update.extend_from_slice(structs);
    }
    update.push(0);
    update
}

/// The deletions of an update alone.
pub fn deletions(delete_set: &[u8]) -> Vec<u8> {
    let mut update = vec![0];
    update.extend_from_slice(delete_set);
    update
}
