//! The runs of a text in the order in which they stand, found by offset and by id.
//!
//! A run is what one client has written in one go: units with consecutive clocks, each behind the one before. Deleted
//! runs stay, because what is inserted beside them refers to them. Their order, by visible units, is in `order.rs`.

use crate::clocks::ByClient;
use crate::order::Order;
use crate::slab::{Number, Slab, NIL};
use crate::structs::Id;
use std::collections::BTreeMap;

/// A unit in a sequence: as [`Id`], but with the number of the client instead of its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Unit {
    client: u32,
    pub clock: u32,
}

impl Unit {
    /// What is before the first and behind the last.
    pub const NONE: Unit = Unit {
        client: u32::MAX,
        clock: 0,
    };

    /// Whether its client wrote it after another one, or it is the same.
    pub fn is_behind(self, other: Unit) -> bool {
        self.client == other.client && self.clock >= other.clock
    }

    pub fn plus(self, clocks: u32) -> Unit {
        Unit {
            clock: self.clock + clocks,
            ..self
        }
    }
}

// Aligned, so that none is in two cache lines.
#[derive(Debug, Clone, Copy)]
#[repr(align(32))]
pub struct Run {
    pub first: Unit,
    pub len: u32,
    /// The neighbours of the first unit when it was written. Those of the others are the one before and the same one
    /// on the right.
    pub origin: Unit,
    pub right_origin: Unit,
    pub deleted: bool,
}

impl Run {
    pub fn last(&self) -> Unit {
        self.first.plus(self.len - 1)
    }

    fn visible(&self) -> u32 {
        if self.deleted {
            0
        } else {
            self.len
        }
    }

    /// Whether `next`, which stands behind this one, was written in one go with it.
    fn continues_in(&self, next: &Run) -> bool {
        self.first.plus(self.len) == next.first
            && next.origin == self.last()
            && next.right_origin == self.right_origin
    }
}

struct Client {
    id: u64,
    /// The client's runs by their first clocks, while they are tracked.
    runs: BTreeMap<u32, Number>,
}

/// Runs have numbers, which they keep.
#[derive(Default)]
pub struct Sequence {
    runs: Slab<Run>,
    order: Order,
    clients: Vec<Client>,
    numbers: ByClient<u32>,
    /// Whether runs can be found by id.
    tracked: bool,
}

impl Sequence {
    /// How many units are visible.
    pub fn len(&self) -> u32 {
        self.order.units()
    }

    /// How many runs there are.
    pub fn size(&self) -> usize {
        self.runs.len()
    }

    pub fn run(&self, number: Number) -> &Run {
        &self.runs[number]
    }

    /// The id of a unit.
    pub fn id(&self, unit: Unit) -> Option<Id> {
        let client = self.clients.get(unit.client as usize)?;
        Some(Id {
            client: client.id,
            clock: unit.clock,
        })
    }

    /// The client's id decides between insertions at the same place.
    pub fn client(&self, unit: Unit) -> u64 {
        self.clients[unit.client as usize].id
    }

    /// The unit that `id` names, which need not be in the sequence yet.
    pub fn unit(&mut self, id: Id) -> Unit {
        let clients = &mut self.clients;
        let client = *self.numbers.entry(id.client).or_insert_with(|| {
            clients.push(Client {
                id: id.client,
                runs: BTreeMap::new(),
            });
            clients.len() as u32 - 1
        });
        Unit {
            client,
            clock: id.clock,
        }
    }

    /// Makes it possible to find runs by id. Local edits do not need that, and cost less time and memory without.
    pub fn track(&mut self) {
        if self.tracked {
            return;
        }
        self.tracked = true;
        let runs = self.by_first();
        for (client, runs) in std::iter::zip(&mut self.clients, runs) {
            client.runs = runs;
        }
    }

    /// The runs of each client by their first clocks.
    fn by_first(&self) -> Vec<BTreeMap<u32, Number>> {
        let mut runs = vec![Vec::new(); self.clients.len()];
        let mut number = self.first();
        while number != NIL {
            let first = self.run(number).first;
            runs[first.client as usize].push((first.clock, number));
            number = self.next(number);
        }
        runs.into_iter().map(BTreeMap::from_iter).collect()
    }

    /// Checks that what is tracked is what is there.
    #[cfg(debug_assertions)]
    pub fn check(&self) {
        for (client, runs) in std::iter::zip(&self.clients, self.by_first()) {
            assert!(!self.tracked || client.runs == runs);
        }
    }

    /// Ends that runs can be found by id.
    pub fn untrack(&mut self) {
        self.tracked = false;
        for client in &mut self.clients {
            client.runs = BTreeMap::new();
        }
    }

    fn note(&mut self, first: Unit, number: Number) {
        if self.tracked {
            let runs = &mut self.clients[first.client as usize].runs;
            runs.insert(first.clock, number);
        }
    }

    fn forget(&mut self, first: Unit) {
        if self.tracked {
            let runs = &mut self.clients[first.client as usize].runs;
            runs.remove(&first.clock);
        }
    }

    // What finds by id needs the runs to be tracked.

    /// Where `id` is: a run and how far into it.
    pub fn find(&self, id: Id) -> Option<(Number, u32)> {
        let client = *self.numbers.get(&id.client)?;
        self.find_unit(Unit {
            client,
            clock: id.clock,
        })
    }

    pub fn find_unit(&self, unit: Unit) -> Option<(Number, u32)> {
        debug_assert!(self.tracked);
        let client = self.clients.get(unit.client as usize)?;
        let (start, number) = client.runs.range(..=unit.clock).next_back()?;
        let within = unit.clock - start;
        (within < self.run(*number).len).then_some((*number, within))
    }

    /// The first run of the client's that ends behind `clock`, if it begins before `end`.
    pub fn next_of_client(&self, client: u64, clock: u32, end: u32) -> Option<Number> {
        if let Some((number, _)) = self.find(Id { client, clock }) {
            return Some(number);
        }
        let runs = &self.clients[*self.numbers.get(&client)? as usize].runs;
        runs.range(clock..end).next().map(|(_, number)| *number)
    }

    /// The visible unit at `offset`, which is below `len`: a run and how far into it.
    pub fn at(&self, offset: u32) -> (Number, u32) {
        self.order.at(offset)
    }

    pub fn first(&self) -> Number {
        self.order.first()
    }

    /// The run behind another one; the first one behind NIL.
    pub fn next(&self, number: Number) -> Number {
        if number == NIL {
            return self.first();
        }
        self.order.next(number)
    }

    /// Cuts a run in two. It keeps the first `at` units, fewer than all of them; the result has the others.
    pub fn split(&mut self, number: Number, at: u32) -> Number {
        let mut rest = *self.run(number);
        rest.origin = rest.first.plus(at - 1);
        rest.first = rest.first.plus(at);
        rest.len -= at;
        self.change(number, |run| run.len = at);
        self.add(number, rest)
    }

    /// Inserts a run behind `left`, or at the beginning if that is NIL.
    pub fn insert(&mut self, left: Number, run: Run) {
        if left != NIL {
            let before = self.run(left);
            if before.deleted == run.deleted && before.continues_in(&run) {
                self.change(left, |before| before.len += run.len);
                return;
            }
        }
        self.add(left, run);
    }

    /// Deletes the units from `from` to `to` of a run.
    pub fn delete(&mut self, number: Number, from: u32, to: u32) {
        let run = *self.run(number);
        if run.deleted {
            return;
        }
        let (prev, next) = (self.order.prev(number), self.next(number));
        if from == 0 && self.is_deleted_part(prev, |before| before.continues_in(&run)) {
            self.change(prev, |before| before.len += to);
            self.drop_front(number, to);
        } else if to == run.len && self.is_deleted_part(next, |behind| run.continues_in(behind)) {
            self.extend_front(next, to - from, &run);
            self.change(number, |run| run.len = from);
            if from == 0 {
                self.remove(number);
            }
        } else {
            if to < run.len {
                self.split(number, to);
            }
            let middle = if from > 0 {
                self.split(number, from)
            } else {
                number
            };
            self.change(middle, |run| run.deleted = true);
        }
    }

    fn is_deleted_part(&self, number: Number, continues: impl Fn(&Run) -> bool) -> bool {
        number != NIL && self.run(number).deleted && continues(self.run(number))
    }

    /// Takes the first units off a run, which another one has taken over.
    fn drop_front(&mut self, number: Number, units: u32) {
        let first = self.run(number).first;
        self.forget(first);
        if units == self.run(number).len {
            self.remove(number);
            return;
        }
        self.change(number, |run| {
            run.origin = first.plus(units - 1);
            run.first = first.plus(units);
            run.len -= units;
        });
        self.note(first.plus(units), number);
    }

    /// Adds the last units of `before`, which stands there, to the front of a run.
    fn extend_front(&mut self, number: Number, units: u32, before: &Run) {
        let old = self.run(number).first;
        let first = Unit {
            clock: old.clock - units,
            ..old
        };
        let origin = if units == before.len {
            before.origin
        } else {
            Unit {
                clock: first.clock - 1,
                ..first
            }
        };
        self.change(number, |run| {
            run.first = first;
            run.len += units;
            run.origin = origin;
        });
        self.forget(old);
        // Where all of `before` was taken over, this replaces it.
        self.note(first, number);
    }

    /// Changes a run, and how many units are visible.
    fn change(&mut self, number: Number, change: impl FnOnce(&mut Run)) {
        let run = &mut self.runs[number];
        let before = run.visible();
        change(run);
        let after = run.visible();
        self.order.add(number, after.wrapping_sub(before));
    }

    /// Adds a run behind `left`, or at the beginning if that is NIL.
    fn add(&mut self, left: Number, run: Run) -> Number {
        let number = self.runs.add(run);
        self.order.insert(left, number, run.visible());
        self.note(run.first, number);
        number
    }

    /// Takes a run out that others have taken over.
    fn remove(&mut self, number: Number) {
        self.order.remove(number);
        self.runs.remove(number);
    }
}
