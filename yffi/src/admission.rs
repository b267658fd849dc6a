//! What of an update goes into the document, and in which form.
//!
//! An update whose structs are all new and complete goes in as it is. Any other is taken apart: what is known is
//! cut off, what refers to something that is missing is held back (`held.rs`), and the rest, with whatever was
//! held back and is complete by now, is put together anew. So yrs gets updates that it can integrate as a whole.

use crate::clocks::{ByClient, Clocks};
use crate::closed::is_closed;
use crate::compose::Composer;
use crate::cost::{self, Budget, Part};
use crate::crowds::crowded;
use crate::decode::{check_decodes, decode};
use crate::error::{Failure, Result, YffiCode};
use crate::gate::{self, Run, Summary};
use crate::held::{Held, HeldRun};
use crate::limits::YffiLimits;
use crate::nesting::{Asker, Depth, Nesting};
use crate::rewrite::{self, for_each_deletion};
use crate::structs::{Contents, Id, Kind, Parent, Struct};
use crate::wire::Checked;
use std::borrow::Cow;
use yrs::{TransactionMut, Update};

/// The clock that peers may claim this document's own client to have reached: half of all.
const MAX_OWN_CLOCK: u32 = 1 << 30;

/// What a document knows about itself in order to admit updates.
pub struct Admission {
    /// The client that the document itself writes as.
    client: u64,
    pub limits: YffiLimits,
    pub clocks: Clocks,
    pub nesting: Nesting,
    pub held: Held,
    /// How many structs have come in with updates.
    pub structs: usize,
    /// How many deleted shared types the document still keeps.
    pub garbage: usize,
}

/// An update that is not refused.
pub struct Inspected<'a> {
    /// In the encoding that yrs reads.
    update: Cow<'a, [u8]>,
    summary: Summary,
    /// How deep its shared types are, as far as that can be told.
    depths: Vec<Option<Depth>>,
    /// It may cost more than its budget.
    costly: bool,
    /// How much it may allocate.
    memory: Option<i64>,
}

/// What yrs is to apply.
pub struct Admitted {
    pub updates: Updates,
    pub structs: usize,
    /// How much it may allocate.
    pub memory: Option<i64>,
    pub contents: Contents,
    /// It is the update as it came, byte for byte.
    pub verbatim: bool,
    /// It is another one, as one update.
    pub rewritten: Option<Vec<u8>>,
    /// Types of which yrs is to tell how deep they are.
    pub unsettled: Vec<(Id, Depth)>,
    /// Some of it is held back.
    pub held: bool,
    /// Some of it should have been held back, but there was no room.
    pub overflow: bool,
}

/// Updates that are complete, each with those before it.
pub enum Updates {
    One(Update),
    /// Parts, because they may cost much.
    Many(Vec<Vec<u8>>),
}

impl Admission {
    pub fn new(client: u64, limits: YffiLimits) -> Self {
        Admission {
            client,
            limits,
            clocks: Clocks::default(),
            nesting: Nesting::new(limits.nesting as u16),
            held: Held::default(),
            structs: 0,
            garbage: 0,
        }
    }

    /// Decides on an update. What is refused changes nothing. What is admitted counts as known from now on, so yrs
    /// has to take it. What may cost much comes in parts, if there is a budget.
    pub fn admit(
        &mut self,
        update: &[u8],
        budget: Option<&Budget>,
        asker: &Asker<'_>,
    ) -> Result<Admitted> {
        let inspected = self.inspect(update, budget, asker)?;
        let decoded = if inspected.costly {
            check_decodes(&inspected.update, &inspected.summary)?;
            None
        } else {
            Some(decode(&inspected.update)?)
        };
        // From here on nothing is refused.
        if !self.held.is_empty() {
            self.held.expire(&self.limits);
        }
        let whole = decoded.and_then(|decoded| Some((decoded, self.admit_whole(&inspected)?)));
        let Some((decoded, unsettled)) = whole else {
            return self.admit_parts(&inspected, budget, asker);
        };
        let Inspected {
            update, summary, ..
        } = inspected;
        let rewritten = match update {
            Cow::Borrowed(_) => None,
            Cow::Owned(rewritten) => Some(rewritten),
        };
        Ok(Admitted {
            updates: Updates::One(decoded),
            structs: summary.structs,
            memory: None,
            contents: summary.contents,
            verbatim: rewritten.is_none() && !summary.trailing,
            rewritten,
            unsettled,
            held: false,
            overflow: false,
        })
    }

    /// Walks an update through the gate, and refuses what this document does not take.
    pub fn inspect<'a>(
        &self,
        update: &'a [u8],
        budget: Option<&Budget>,
        asker: &Asker<'_>,
    ) -> Result<Inspected<'a>> {
        if update.len() as u64 > self.limits.update_bytes {
            return Err(Failure::new(
                YffiCode::TooLarge,
                format_args!(
                    "an update of {} bytes is above the limit of {}",
                    update.len(),
                    self.limits.update_bytes
                ),
            ));
        }
        let (update, summary) = self.check(update)?;
        self.check_clients(&update, &summary)?;
        if budget.is_some() && cost::has_many_maps(&summary, update.len()) {
            return Err(Failure::new(
                YffiCode::TooLarge,
                "the update has too many maps for its size",
            ));
        }
        let is_known = |id| self.clocks.has(id);
        let depths = self.nesting.resolve(&summary.types, is_known, asker)?;
        let memory = budget.and_then(|_| cost::memory(&summary, update.len()));
        let slow = budget.is_some_and(|budget| budget.is_at_risk(&summary, self.structs));
        Ok(Inspected {
            update,
            costly: slow || memory.is_some(),
            memory,
            summary,
            depths,
        })
    }

    /// Walks the update through the gate, in the encoding that yrs reads.
    fn check<'a>(&self, update: &'a [u8]) -> Checked<(Cow<'a, [u8]>, Summary)> {
        let check = |update: &[u8]| gate::check_update(update, &self.limits, Some(&self.clocks));
        let summary = check(update)?;
        if !summary.contents.misread {
            return Ok((Cow::Borrowed(update), summary));
        }
        let update = rewrite::as_yrs_reads(update, &summary, &self.limits)?;
        let summary = check(&update)?;
        Ok((Cow::Owned(update), summary))
    }

    fn check_clients(&self, update: &[u8], summary: &Summary) -> Result<()> {
        let own = summary.runs.iter().filter(|run| run.client == self.client);
        if own.map(|run| run.end).max() > Some(MAX_OWN_CLOCK) {
            return Err(Failure::malformed(
                "the update leaves no clocks for what this document's own client may write",
            ));
        }
        let is_new = |client: &u64| self.clocks.get(*client) == 0 && !self.held.knows(*client);
        let clients = summary.runs.iter().map(|run| run.client);
        let mut new: Vec<u64> = clients.filter(is_new).collect();
        if summary.deletes_unknown {
            for_each_deletion(&update[summary.delete_set.clone()], |client, _, _| {
                if new.last() != Some(&client) && is_new(&client) {
                    new.push(client);
                }
            });
        }
        match crowded([self.clocks.crowds(), self.held.crowds()], new) {
            None => Ok(()),
            Some(client) => Err(Failure::new(
                YffiCode::TooLarge,
                format_args!("client id {client} shares its low bits with too many others"),
            )),
        }
    }

    /// Admits an update as it is, if that is possible; gives the types whose depth is not sure.
    pub fn admit_whole(&mut self, inspected: &Inspected<'_>) -> Option<Vec<(Id, Depth)>> {
        let Inspected {
            summary, depths, ..
        } = inspected;
        if self.nesting.is_deep()
            || depths.iter().any(Option::is_none)
            || !is_closed(summary, &self.clocks)
            || !self.are_types(summary)
            || self.frees_held(summary)
        {
            return None;
        }
        let unsettled = self.nesting.insert_all(&summary.types, depths);
        for id in &summary.docs {
            self.nesting.insert_doc(*id);
        }
        for run in &summary.runs {
            self.clocks.raise(run.client, run.end);
        }
        Some(unsettled)
    }

    /// Whether all items that are named as parents hold shared types.
    fn are_types(&self, summary: &Summary) -> bool {
        let is_type =
            |id: &Id| summary.types.find(*id).is_some() || self.nesting.depth(*id).is_some();
        summary.parents.iter().all(is_type)
    }

    /// Whether something that is held back waits for this update.
    fn frees_held(&self, summary: &Summary) -> bool {
        let runs = &mut summary.runs.iter();
        !self.held.is_empty() && runs.any(|run| self.held.concerns(run.client, run.end))
    }

    /// Admits what is new and complete, with what was held back for the want of it.
    fn admit_parts(
        &mut self,
        inspected: &Inspected<'_>,
        budget: Option<&Budget>,
        asker: &Asker<'_>,
    ) -> Result<Admitted> {
        let Inspected {
            update, summary, ..
        } = inspected;
        let mut parts = Parts {
            budget,
            ..Parts::default()
        };
        for run in &summary.runs {
            if run.end > self.clocks.get(run.client) {
                let bytes = &update[run.bytes()];
                let run = HeldRun::new(run.client, run.clock, run.end, run.structs as usize, bytes);
                parts.ready.push(run);
            }
        }
        while let Some(mut run) = parts.ready.pop() {
            match self.proceed(&mut run, &mut parts, asker) {
                None => {}
                Some(_) if self.held.covers(&run) => {}
                Some(wait) if self.held.has_room(run.size(), &self.limits) => {
                    self.held.put(run, wait)
                }
                Some(_) => parts.overflow = true,
            }
        }
        // Of what was held back before, none is among these.
        let mine = |run: &Run| self.clocks.get(run.client) < run.end;
        parts.held = summary.runs.iter().any(mine);
        self.admit_deletions(&update[summary.delete_set.clone()], &mut parts);
        let last = parts.composer.update();
        let (updates, rewritten) = if parts.complete.is_empty() {
            let failed = |failure: Failure| Failure::new(YffiCode::ApplyFailed, failure.message);
            (Updates::One(decode(&last).map_err(failed)?), Some(last))
        } else {
            parts.complete.push(last);
            (Updates::Many(parts.complete), None)
        };
        Ok(Admitted {
            updates,
            structs: parts.structs,
            memory: inspected.memory,
            contents: parts.contents,
            verbatim: false,
            rewritten,
            unsettled: parts.unsettled,
            held: parts.held,
            overflow: parts.overflow,
        })
    }

    /// Admits the structs of a run up to the first that has to wait; gives what for.
    fn proceed(
        &mut self,
        run: &mut HeldRun,
        parts: &mut Parts<'_>,
        asker: &Asker<'_>,
    ) -> Option<Id> {
        let client = run.key.client;
        if run.clock > self.clocks.get(client) {
            let clock = run.clock - 1;
            return Some(Id { client, clock });
        }
        while let Some((id, it)) = run.next(&self.limits, &mut parts.contents) {
            if self.clocks.get(client) < id.clock + it.len {
                let missing = |of: &Id| of.client != client && !self.clocks.has(*of);
                if let Some(missing) = it.dependencies().into_iter().flatten().find(missing) {
                    return Some(missing);
                }
                let place = self.place(&it, parts, asker);
                self.take_in(id, &it, run.rest(), place, parts);
            }
            run.pass(&it);
        }
        None
    }

    /// Admits a struct, whose bytes are in `from`, as far as it is not known. `place` is how deep its parent is.
    fn take_in(
        &mut self,
        id: Id,
        it: &Struct,
        from: &[u8],
        place: Option<Depth>,
        parts: &mut Parts<'_>,
    ) {
        let end = id.clock + it.len;
        let known = self.clocks.get(id.client).saturating_sub(id.clock);
        let first = Id {
            clock: id.clock + known,
            ..id
        };
        let len = it.len - known;
        parts.structs += 1;
        let structs = self.structs + parts.structs;
        if parts.budget.is_some_and(|b| parts.part.is_full(structs, b)) {
            parts.end_part();
        }
        let is_first = parts.composer.end(id.client) != first.clock;
        parts.part.add(it.jumps(id, is_first));
        let out = parts.composer.append(id.client, first.clock, end, 1);
        match place {
            Some(parent) if !it.is_type() => {
                rewrite::write_rest(out, from, it, id, known);
                self.nesting.track(first, len, parent);
                if it.is_doc() {
                    self.nesting.insert_doc(id);
                }
            }
            Some(parent) if parent.bound < self.nesting.limit => {
                rewrite::write_rest(out, from, it, id, known);
                let depth = parent.deeper();
                self.nesting.insert(id, depth.bound);
                if !depth.exact {
                    parts.unsettled.push((id, depth));
                }
            }
            _ => rewrite::write_gc(out, len),
        }
        let placed = parts.placed.entry(id.client).or_default();
        placed.push((first.clock, end, place));
        self.clocks.raise(id.client, end);
        for key in self.held.woken(id.client, end) {
            parts.ready.extend(self.held.take(key));
        }
    }

    /// How deep the parent of an item is. None if it has none: if what should hold it holds no shared type. In
    /// Yjs, too, such an item comes in as a tombstone.
    fn place(&self, it: &Struct, parts: &Parts<'_>, asker: &Asker<'_>) -> Option<Depth> {
        match it.kind {
            Kind::Gc | Kind::Skip => None,
            Kind::Item(Parent::Root) => Some(Depth::ROOT),
            Kind::Item(Parent::Nested(id)) => self.nesting.depth(id).map(Depth::exactly),
            Kind::Item(Parent::Beside(_)) => {
                let neighbours = [it.origin, it.right_origin].into_iter().flatten();
                let places = neighbours.map(|id| match parts.place(id) {
                    Some(place) => place,
                    None => self.nesting.parent_depth(id, asker),
                });
                // A neighbour that is a tombstone does not count; yrs decides by the other one.
                let all: Vec<Depth> = places.flatten().collect();
                let deepest = all.iter().max_by_key(|depth| depth.bound)?;
                let agree = all.iter().all(|depth| depth == deepest);
                Some(Depth {
                    exact: deepest.exact && agree,
                    ..*deepest
                })
            }
        }
    }

    /// Admits the deletions of what is there and holds the others back.
    fn admit_deletions(&mut self, delete_set: &[u8], parts: &mut Parts<'_>) {
        parts.ends.extend(parts.composer.ends());
        for (client, clock) in std::mem::take(&mut parts.ends) {
            self.held.forget_known(client, clock);
            for (start, end) in self.held.take_deletions(client, clock) {
                parts.composer.delete(client, start, end);
            }
        }
        for_each_deletion(delete_set, |client, start, end| {
            let known = self.clocks.get(client);
            if start < known {
                parts.composer.delete(client, start, end.min(known));
            }
            if end > known {
                parts.held = true;
                if self.held.has_room(0, &self.limits) {
                    let start = start.max(known);
                    self.held.put_deletion(client, start, end, &self.limits);
                } else {
                    parts.overflow = true;
                }
            }
        });
    }

    /// Takes back what was admitted of a client from `clock` on, and not integrated.
    pub fn retract(&mut self, client: u64, clock: u32) {
        self.clocks.lower(client, clock);
        self.nesting.forget(client, clock);
    }

    /// Notes what a transaction has inserted so far.
    pub fn advance(&mut self, txn: &TransactionMut<'_>) {
        self.clocks.advance(txn);
        if !self.held.is_empty() {
            for (client, _) in txn.insert_set().iter() {
                let client = client.get();
                self.held.forget_known(client, self.clocks.get(client));
            }
        }
    }

    /// Everything that is held back, as updates.
    pub fn held_updates(&mut self) -> Vec<Vec<u8>> {
        self.held.expire(&self.limits);
        self.held.updates(&self.clocks, &self.limits)
    }
}

/// What is put together from an update and from what was held back.
#[derive(Default)]
struct Parts<'a> {
    composer: Composer,
    /// By which it is cut into parts, what the present one has, and those that are complete.
    budget: Option<&'a Budget>,
    part: Part,
    complete: Vec<Vec<u8>>,
    /// Where what they have of each client ends.
    ends: ByClient<u32>,
    ready: Vec<HeldRun>,
    structs: usize,
    contents: Contents,
    unsettled: Vec<(Id, Depth)>,
    held: bool,
    overflow: bool,
    /// Where the items belong that are in the composer, in ranges of each client.
    placed: ByClient<Vec<(u32, u32, Option<Depth>)>>,
}

impl Parts<'_> {
    fn end_part(&mut self) {
        self.part = Part::default();
        let composer = std::mem::take(&mut self.composer);
        self.ends.extend(composer.ends());
        self.complete.push(composer.update());
    }

    /// Where an item that is in the composer belongs.
    fn place(&self, id: Id) -> Option<Option<Depth>> {
        let placed = self.placed.get(&id.client)?;
        let at = placed.partition_point(|(_, end, _)| *end <= id.clock);
        let (start, _, place) = placed.get(at)?;
        (*start <= id.clock).then_some(*place)
    }
}
