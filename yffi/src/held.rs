//! What is held back: structs that follow something, or refer to something, that has not arrived, and deletions of
//! what has not.
//!
//! yrs would keep such structs too, and integrate some of them behind a hole in their client's clocks; either can
//! break it. So it gets only what is complete, and has never anything pending.

use crate::clocks::{ByClient, Clocks};
use crate::compose::Composer;
use crate::crowds::Crowds;
use crate::limits::YffiLimits;
use crate::ranges::Ranges;
use crate::structs::{read_struct, Contents, Id, Struct};
use crate::wire::Reader;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

/// What a run or a deleted range costs beside its bytes.
const OVERHEAD: usize = 64;

/// Consecutive structs of one client. Those that were let in already are passed over.
#[derive(Clone)]
pub struct HeldRun {
    /// The clock at which it began.
    pub key: RunKey,
    /// Where the structs begin that were not let in, and end.
    pub clock: u32,
    pub end: u32,
    /// How many they are, and where in the bytes.
    structs: usize,
    at: usize,
    bytes: Vec<u8>,
    since: Instant,
}

/// A client and a clock.
pub type RunKey = Id;

impl HeldRun {
    pub fn new(client: u64, clock: u32, end: u32, structs: usize, bytes: &[u8]) -> Self {
        HeldRun {
            key: Id { client, clock },
            clock,
            end,
            structs,
            at: 0,
            bytes: bytes.to_vec(),
            since: Instant::now(),
        }
    }

    /// The structs that were not let in.
    pub fn rest(&self) -> &[u8] {
        &self.bytes[self.at..]
    }

    /// The next struct, with its id; its bytes are in `rest`.
    pub fn next(&self, limits: &YffiLimits, contents: &mut Contents) -> Option<(Id, Struct)> {
        if self.structs == 0 {
            return None;
        }
        let mut it = Struct::default();
        read_struct(&mut Reader::new(self.rest()), limits, contents, &mut it)
            .expect("the run was read before");
        let id = Id {
            client: self.key.client,
            clock: self.clock,
        };
        Some((id, it))
    }

    /// Passes over the struct that `next` gave.
    pub fn pass(&mut self, it: &Struct) {
        self.structs -= 1;
        self.clock += it.len;
        self.at += it.bytes.end;
    }

    /// Takes the first structs out, at most `len` bytes or one, as an update.
    pub fn split(
        &mut self,
        len: usize,
        limits: &YffiLimits,
        contents: &mut Contents,
    ) -> Option<Vec<u8>> {
        let mut part = Composer::default();
        let start = self.at;
        while let Some((id, it)) = self.next(limits, contents) {
            if self.at > start && self.at + it.bytes.end - start > len {
                break;
            }
            let out = part.append(id.client, id.clock, id.clock + it.len, 1);
            out.extend_from_slice(&self.rest()[it.bytes.clone()]);
            self.pass(&it);
        }
        (self.at > start).then(|| part.update())
    }

    pub fn size(&self) -> usize {
        self.bytes.len() + OVERHEAD
    }
}

/// How long something waits at most.
fn age(limits: &YffiLimits) -> Duration {
    Duration::from_millis(limits.held_millis)
}

/// A run that waits, and what for.
struct Waiting {
    run: HeldRun,
    wait: Id,
}

/// Deletions of what one client wrote.
struct Deletions {
    ranges: Ranges,
    /// When the first of them was held back.
    since: Instant,
}

/// Deletions that are held back within this part of what they may wait at most go by one age.
const SAME_AGE: u32 = 8;

/// What is held back in one document.
#[derive(Default)]
pub struct Held {
    /// By client and first clock. None covers another one of its client.
    runs: ByClient<BTreeMap<u32, Waiting>>,
    /// What is waited for, and by which run.
    waits: BTreeSet<(Id, RunKey)>,
    /// Those that were held back at about the same time together, oldest first.
    deletes: ByClient<VecDeque<Deletions>>,
    /// The clients of both. One that is in both counts twice.
    crowds: Crowds,
    /// When something was added, oldest first; some of it may be gone. No clock stands for deletions.
    ages: VecDeque<(Instant, u64, Option<u32>)>,
    bytes: usize,
    count: usize,
}

impl Held {
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether a run of `size`, or a deletion of none, can be held back within the limits.
    pub fn has_room(&self, size: usize, limits: &YffiLimits) -> bool {
        (self.bytes + size) as u64 <= limits.held_bytes && self.count < limits.held_runs as usize
    }

    pub fn crowds(&self) -> &Crowds {
        &self.crowds
    }

    /// Whether something of `client` is held back.
    pub fn knows(&self, client: u64) -> bool {
        self.runs.contains_key(&client) || self.deletes.contains_key(&client)
    }

    /// Whether what `client` wrote before `clock` concerns something that is held back.
    pub fn concerns(&self, client: u64, clock: u32) -> bool {
        self.knows(client) || !self.woken(client, clock).is_empty()
    }

    /// Gives up the runs of a client that are known by now.
    pub fn forget_known(&mut self, client: u64, clock: u32) {
        let Some(runs) = self.runs.get(&client) else {
            return;
        };
        let known: Vec<u32> = runs
            .range(..clock)
            .filter(|(_, waiting)| waiting.run.end <= clock)
            .map(|(key, _)| *key)
            .collect();
        for key in known {
            self.take(Id { client, clock: key });
        }
    }

    /// Whether another run has all of this one.
    pub fn covers(&self, run: &HeldRun) -> bool {
        let runs = self.runs.get(&run.key.client);
        runs.and_then(|runs| runs.range(..=run.clock).next_back())
            .is_some_and(|(_, before)| before.run.end >= run.end)
    }

    /// Holds back a run that no other covers, until `wait` is there.
    pub fn put(&mut self, run: HeldRun, wait: Id) {
        let RunKey { client, clock: key } = run.key;
        let covered: Vec<u32> = self.runs.get(&client).map_or(Vec::new(), |runs| {
            let within = runs.range(run.clock..run.end);
            let covered = within.filter(|(_, other)| other.run.end <= run.end);
            covered.map(|(key, _)| *key).collect()
        });
        for key in covered {
            self.take(Id { client, clock: key });
        }
        self.bytes += run.size();
        self.count += 1;
        self.ages.push_back((run.since, client, Some(key)));
        let entry = (wait, run.key);
        let runs = self.runs.entry(client).or_insert_with(|| {
            self.crowds.add(client);
            BTreeMap::new()
        });
        if let Some(replaced) = runs.insert(key, Waiting { run, wait }) {
            self.waits.remove(&(replaced.wait, replaced.run.key));
            self.released(&replaced);
        }
        self.waits.insert(entry);
    }

    /// Takes a run out.
    pub fn take(&mut self, key: RunKey) -> Option<HeldRun> {
        let waiting = self.runs.get_mut(&key.client)?.remove(&key.clock)?;
        self.released(&waiting);
        self.waits.remove(&(waiting.wait, key));
        self.forget_if_empty(key.client);
        Some(waiting.run)
    }

    fn released(&mut self, waiting: &Waiting) {
        self.bytes -= waiting.run.size();
        self.count -= 1;
    }

    fn forget_if_empty(&mut self, client: u64) {
        if self.runs.get(&client).is_some_and(BTreeMap::is_empty) {
            self.runs.remove(&client);
            self.crowds.remove(client);
        }
    }

    /// The runs that have waited for something of `client` before `clock`.
    pub fn woken(&self, client: u64, clock: u32) -> Vec<RunKey> {
        let none = RunKey::default();
        let first = (Id { client, clock: 0 }, none);
        let behind = (Id { client, clock }, none);
        self.waits
            .range(first..behind)
            .map(|(_, key)| *key)
            .collect()
    }

    /// Holds back the deletion of a range.
    pub fn put_deletion(&mut self, client: u64, start: u32, end: u32, limits: &YffiLimits) {
        let deletes = self.deletes.entry(client).or_insert_with(|| {
            self.crowds.add(client);
            VecDeque::new()
        });
        let young = |of: &Deletions| of.since.elapsed() * SAME_AGE < age(limits);
        if !deletes.back().is_some_and(young) {
            let since = Instant::now();
            deletes.push_back(Deletions {
                ranges: Ranges::default(),
                since,
            });
            self.ages.push_back((since, client, None));
        }
        let Some(latest) = deletes.back_mut() else {
            return; // there is one by now
        };
        let before = latest.ranges.len();
        latest.ranges.insert(start, end);
        let after = latest.ranges.len();
        self.recount(before, after);
    }

    /// Takes out the deletions of what a client has written before `clock`.
    pub fn take_deletions(&mut self, client: u64, clock: u32) -> Vec<(u32, u32)> {
        self.take_deletions_of(client, clock, |_| true)
    }

    fn take_deletions_of(
        &mut self,
        client: u64,
        clock: u32,
        chosen: impl Fn(&Deletions) -> bool,
    ) -> Vec<(u32, u32)> {
        let Some(deletes) = self.deletes.get_mut(&client) else {
            return Vec::new();
        };
        let mut taken = Vec::new();
        let (mut before, mut after) = (0, 0);
        deletes.retain_mut(|of| {
            before += of.ranges.len();
            if chosen(of) {
                taken.extend(of.ranges.take_before(clock));
            }
            after += of.ranges.len();
            of.ranges.len() > 0
        });
        if deletes.is_empty() {
            self.deletes.remove(&client);
            self.crowds.remove(client);
        }
        self.recount(before, after);
        taken
    }

    fn recount(&mut self, before: usize, after: usize) {
        self.count = self.count + after - before;
        self.bytes = self.bytes + after * OVERHEAD - before * OVERHEAD;
    }

    /// Gives up what has waited for too long.
    pub fn expire(&mut self, limits: &YffiLimits) {
        while let Some((since, client, clock)) = self.ages.front().copied() {
            let gone = !self.holds(since, client, clock);
            if !gone && since.elapsed() < age(limits) {
                break;
            }
            self.ages.pop_front();
            match clock {
                _ if gone => {}
                Some(clock) => drop(self.take(RunKey { client, clock })),
                None => drop(self.take_deletions_of(client, u32::MAX, |of| of.since == since)),
            }
        }
        if self.ages.len() > 2 * self.count + OVERHEAD {
            let ages = std::mem::take(&mut self.ages);
            self.ages = ages
                .into_iter()
                .filter(|(since, client, clock)| self.holds(*since, *client, *clock))
                .collect();
        }
    }

    /// Whether what was added then is still held there.
    fn holds(&self, then: Instant, client: u64, clock: Option<u32>) -> bool {
        match clock {
            Some(clock) => {
                let runs = self.runs.get(&client);
                runs.and_then(|runs| runs.get(&clock))
                    .is_some_and(|waiting| waiting.run.since == then)
            }
            None => {
                let deletes = self.deletes.get(&client);
                deletes.is_some_and(|all| all.iter().any(|of| of.since == then))
            }
        }
    }

    /// Everything that is held back, as updates; `clocks` tell what is known by now. Runs that overlap go into
    /// different updates.
    pub fn updates(&self, clocks: &Clocks, limits: &YffiLimits) -> Vec<Vec<u8>> {
        let mut layers: Vec<Composer> = vec![Composer::default()];
        for waiting in self.runs.values().flat_map(BTreeMap::values) {
            let mut run = waiting.run.clone();
            let client = run.key.client;
            let known = clocks.get(client);
            if run.end <= known {
                continue;
            }
            let free = |layer: &Composer| layer.end(client) <= run.clock.max(known);
            let layer = layers.iter().position(free).unwrap_or_else(|| {
                layers.push(Composer::default());
                layers.len() - 1
            });
            while let Some((id, it)) = run.next(limits, &mut Contents::default()) {
                // A struct of which a part is known contradicts what the document has there.
                if id.clock >= known {
                    let out = layers[layer].append(client, id.clock, id.clock + it.len, 1);
                    out.extend_from_slice(&run.rest()[it.bytes.clone()]);
                }
                run.pass(&it);
            }
        }
        for (client, deletes) in &self.deletes {
            for (start, end) in deletes.iter().flat_map(|of| of.ranges.iter()) {
                layers[0].delete(*client, start, end);
            }
        }
        layers.iter().map(Composer::update).collect()
    }
}
