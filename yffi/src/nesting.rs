//! How deep the shared types of a document nest.
//!
//! yrs deletes and reads nested types recursively, so their depth is bounded, over all updates and local edits
//! together. yrs does not tell which type an item is in, so the depth of every type is kept here: 1 for a type
//! in a root.
//!
//! An item that names no parent has that of its neighbour. If the neighbour is a type, its depth tells; of other
//! items the depth of the parent is kept only if it is half the limit or more. So what is not kept is shallow enough
//! to be let in. yrs does tell where an integrated item is, but walks along all its siblings: it is asked seldom.

use crate::clocks::ByClient;
use crate::newtypes::NewTypes;
use crate::structs::{Id, Parent};
use crate::wire::{Checked, Refusal};
use std::cell::Cell;
use yrs::{Assoc, BranchID, ClientID, ReadTxn, StickyIndex, ID};

/// How often yrs is asked for one update, and how many siblings it may walk along for that, if once is not more. What is
/// not asked for is taken for as deep as it can be.
const MAX_ASKED: usize = 64;
const MAX_WALKED: usize = 64 << 10;

/// Asks yrs where integrated items are.
pub struct Asker<'a> {
    locate: &'a dyn Fn(Id) -> Option<BranchID>,
    left: Cell<usize>,
}

/// Where an integrated item is.
enum Place {
    In(BranchID),
    /// It is a tombstone that belongs to no type any more.
    Nowhere,
    Unknown,
}

impl<'a> Asker<'a> {
    /// `locate` gives the type that an item is in; see [`locate`]. It may have as many siblings as there are `structs`.
    pub fn new(locate: &'a dyn Fn(Id) -> Option<BranchID>, structs: usize) -> Self {
        let affordable = MAX_WALKED / structs.max(1);
        Asker {
            locate,
            left: Cell::new(affordable.clamp(1, MAX_ASKED)),
        }
    }

    fn ask(&self, id: Id) -> Place {
        let Some(left) = self.left.get().checked_sub(1) else {
            return Place::Unknown;
        };
        self.left.set(left);
        (self.locate)(id).map_or(Place::Nowhere, Place::In)
    }
}

/// The type that an integrated item is in. None if it is in none: a tombstone without a place is no item to yrs.
pub fn locate(txn: &impl ReadTxn, id: Id) -> Option<BranchID> {
    let id = ID::new(ClientID::new(id.client), id.clock);
    let place = StickyIndex::from_id(id, Assoc::Before).get_offset(txn)?;
    Some(place.branch.id())
}

/// How deep a type is at most, and whether it is exactly that deep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Depth {
    pub bound: u16,
    pub exact: bool,
}

impl Depth {
    pub const ROOT: Depth = Depth::exactly(0);

    pub const fn exactly(depth: u16) -> Self {
        Depth {
            bound: depth,
            exact: true,
        }
    }

    pub fn deeper(self) -> Self {
        Depth {
            bound: self.bound + 1,
            ..self
        }
    }
}

/// What is known of one client's items.
#[derive(Default)]
struct Placed {
    /// Its types by clock, with their depth.
    types: Vec<(u32, u16)>,
    /// Ranges of clocks with the depth of their parent.
    items: Vec<(u32, u32, u16)>,
    /// The clocks of its subdocuments.
    docs: Vec<u32>,
}

impl Placed {
    /// Keeps the depth of a type; gives the one that was kept before.
    fn insert(&mut self, clock: u32, depth: u16) -> Option<u16> {
        let types = &mut self.types;
        if types.last().is_none_or(|(last, _)| *last < clock) {
            types.push((clock, depth));
            return None;
        }
        match types.binary_search_by_key(&clock, |(clock, _)| *clock) {
            Ok(at) => Some(std::mem::replace(&mut types[at].1, depth)),
            Err(at) => {
                types.insert(at, (clock, depth));
                None
            }
        }
    }
}

/// The depths in one document.
pub struct Nesting {
    clients: ByClient<Placed>,
    /// How many types have content that is tracked.
    deep: usize,
    pub limit: u16,
}

impl Nesting {
    pub fn new(limit: u16) -> Self {
        Nesting {
            clients: ByClient::default(),
            deep: 0,
            limit,
        }
    }

    /// From this depth of its parent on, an item is kept.
    fn tracked(&self) -> u16 {
        self.limit / 2
    }

    /// Whether items that come in may be in a deep place, so that each has to be tracked.
    pub fn is_deep(&self) -> bool {
        self.deep > 0
    }

    /// Takes in types of an update whose depth is sure, and returns the others.
    pub fn insert_all(&mut self, types: &NewTypes, depths: &[Option<Depth>]) -> Vec<(Id, Depth)> {
        let tracked = self.tracked();
        let mut unsettled = Vec::new();
        for (client, section) in types.sections() {
            let placed = self.clients.entry(client).or_default();
            placed.types.reserve(section.len());
            for at in section {
                let clock = types.clock(at);
                match depths[at] {
                    Some(depth) if depth.exact => {
                        let before = placed.insert(clock, depth.bound);
                        self.deep += usize::from(depth.bound >= tracked);
                        self.deep -= usize::from(before >= Some(tracked));
                    }
                    Some(depth) => unsettled.push((Id { client, clock }, depth)),
                    None => {}
                }
            }
        }
        unsettled
    }

    pub fn insert(&mut self, id: Id, depth: u16) {
        let tracked = self.tracked();
        let placed = self.clients.entry(id.client).or_default();
        let before = placed.insert(id.clock, depth);
        self.deep += usize::from(depth >= tracked);
        self.deep -= usize::from(before >= Some(tracked));
    }

    /// Forgets what a client has from `clock` on.
    pub fn forget(&mut self, client: u64, clock: u32) {
        let tracked = self.tracked();
        if let Some(placed) = self.clients.get_mut(&client) {
            let gone = placed.types.partition_point(|(other, _)| *other < clock);
            let deep = placed
                .types
                .drain(gone..)
                .filter(|(_, depth)| *depth >= tracked);
            self.deep -= deep.count();
            placed.items.retain(|(start, _, _)| *start < clock);
            if let Some((_, end, _)) = placed.items.last_mut() {
                *end = clock.min(*end);
            }
            placed.docs.retain(|other| *other < clock);
        }
    }

    /// The depth of the type that the item `id` holds.
    pub fn depth(&self, id: Id) -> Option<u16> {
        let types = &self.clients.get(&id.client)?.types;
        let at = types.binary_search_by_key(&id.clock, |(clock, _)| *clock);
        Some(types[at.ok()?].1)
    }

    /// Keeps the depth of the parent of `len` items from `id` on, if it is worth that.
    pub fn track(&mut self, id: Id, len: u32, parent: Depth) {
        let parent = parent.bound;
        if parent < self.tracked() {
            return;
        }
        let items = &mut self.clients.entry(id.client).or_default().items;
        match items.last_mut() {
            Some((_, end, depth)) if *end == id.clock && *depth == parent => *end += len,
            _ => items.push((id.clock, id.clock + len, parent)),
        }
    }

    /// The depth of the parent of an integrated item; none if it has no parent.
    pub fn parent_depth(&self, id: Id, asker: &Asker<'_>) -> Option<Depth> {
        if let Some(depth) = self.depth(id) {
            return Some(Depth::exactly(depth - 1));
        }
        let tracked = self.clients.get(&id.client).and_then(|placed| {
            let at = placed.items.partition_point(|(_, end, _)| *end <= id.clock);
            let (start, _, depth) = placed.items.get(at)?;
            (*start <= id.clock).then_some(*depth)
        });
        match tracked {
            Some(depth) => Some(Depth::exactly(depth)),
            None => self.asked(id, self.tracked().saturating_sub(1), asker),
        }
    }

    /// The depth of the parent of an integrated item, from yrs; none if it has no parent, and `bound` if that is not to be had.
    fn asked(&self, id: Id, bound: u16, asker: &Asker<'_>) -> Option<Depth> {
        let depth = match asker.ask(id) {
            Place::Nowhere => return None,
            Place::In(BranchID::Root(_)) => Some(Depth::ROOT.bound),
            Place::In(BranchID::Nested(parent)) => self.depth(parent.into()),
            Place::Unknown => None,
        };
        Some(depth.map_or(
            Depth {
                bound,
                exact: false,
            },
            Depth::exactly,
        ))
    }

    /// Keeps which item holds a subdocument.
    pub fn insert_doc(&mut self, id: Id) {
        let docs = &mut self.clients.entry(id.client).or_default().docs;
        let at = docs.partition_point(|clock| *clock < id.clock);
        docs.insert(at, id.clock);
    }

    /// The items that hold subdocuments, deleted or not.
    pub fn docs(&self) -> impl Iterator<Item = Id> + '_ {
        self.clients.iter().flat_map(|(client, placed)| {
            let id = |clock: &u32| Id {
                client: *client,
                clock: *clock,
            };
            placed.docs.iter().map(id)
        })
    }

    /// The clocks of the types and subdocuments of a client in a range, in order.
    pub fn holders(&self, client: u64, start: u32, end: u32) -> Vec<u32> {
        let Some(placed) = self.clients.get(&client) else {
            return Vec::new();
        };
        let before = |clock| placed.types.partition_point(|(other, _)| *other < clock);
        let types = placed.types[before(start)..before(end)].iter();
        let before = |clock| placed.docs.partition_point(|other| *other < clock);
        let docs = placed.docs[before(start)..before(end)].iter();
        let mut clocks: Vec<u32> = types
            .map(|(clock, _)| *clock)
            .chain(docs.copied())
            .collect();
        clocks.sort_unstable();
        clocks
    }

    /// Takes in types whose depth was only bounded, now that yrs has integrated them.
    pub fn settle(&mut self, mut types: Vec<(Id, Depth)>, asker: &Asker<'_>) {
        types.sort_by_key(|(_, depth)| depth.bound); // outer ones first
        for (id, depth) in types {
            if let Some(parent) = self.asked(id, depth.bound - 1, asker) {
                self.insert(id, parent.deeper().bound);
            }
        }
    }

    /// The depths of the types of an update: none where parent and neighbours are neither among them nor in the
    /// document, or disagree. Refuses those below the limit.
    pub fn resolve(
        &self,
        types: &NewTypes,
        is_known: impl Fn(Id) -> bool,
        asker: &Asker<'_>,
    ) -> Checked<Vec<Option<Depth>>> {
        let mut depths: Vec<Option<Depth>> = vec![None; types.len()];
        let mut visited = vec![false; types.len()];
        let mut path = Vec::new();
        for start in 0..types.len() {
            // From type to type down to what is known, then back up. A circle leads to one without a depth.
            let mut at = start;
            let mut depth = loop {
                if std::mem::replace(&mut visited[at], true) {
                    break depths[at];
                }
                if let Some(next) = types.next(at) {
                    path.push(at);
                    at = next;
                    continue;
                }
                depths[at] = self.within(types.parent(at), &is_known, asker);
                self.check(depths[at], types.offset(at))?;
                break depths[at];
            };
            while let Some(at) = path.pop() {
                if types.is_inside(at) {
                    depth = depth.map(Depth::deeper);
                }
                self.check(depth, types.offset(at))?;
                depths[at] = depth;
            }
        }
        for (at, right) in types.right_origins() {
            let right_depth = match types.find(right) {
                Some(other) => depths[other],
                None => self.within(Parent::Beside(right), &is_known, asker),
            };
            if right_depth != depths[at] {
                depths[at] = None;
            }
        }
        Ok(depths)
    }

    fn check(&self, depth: Option<Depth>, offset: usize) -> Checked<()> {
        match depth {
            Some(depth) if depth.bound > self.limit => {
                Err(Refusal::new("shared types nested too deeply", offset))
            }
            _ => Ok(()),
        }
    }

    /// The depth of a type in `parent`, which the document has if anybody does.
    fn within(
        &self,
        parent: Parent,
        is_known: impl Fn(Id) -> bool,
        asker: &Asker<'_>,
    ) -> Option<Depth> {
        let parent = match parent {
            Parent::Root => Depth::ROOT,
            Parent::Nested(id) => Depth::exactly(self.depth(id)?),
            Parent::Beside(id) if is_known(id) => self.parent_depth(id, asker)?,
            Parent::Beside(_) => return None,
        };
        Some(parent.deeper())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(clock: u32) -> Id {
        Id { client: 1, clock }
    }

    #[test]
    fn what_is_taken_back_is_forgotten_to_the_clock() {
        let nowhere = |_| None;
        let asker = Asker::new(&nowhere, 0);
        let mut nesting = Nesting::new(8);
        nesting.track(at(0), 10, Depth::exactly(7));
        nesting.forget(1, 5);
        assert_eq!(nesting.parent_depth(at(4), &asker), Some(Depth::exactly(7)));
        assert_eq!(nesting.parent_depth(at(5), &asker), None);
        nesting.track(at(5), 5, Depth::exactly(6));
        assert_eq!(nesting.parent_depth(at(9), &asker), Some(Depth::exactly(6)));
    }

    #[test]
    fn yrs_is_asked_less_the_more_it_has_to_walk() {
        for (structs, most) in [(0, 64), (1_000, 64), (8_000, 8), (200_000, 1)] {
            let asked = Cell::new(0);
            let locate = |_| {
                asked.set(asked.get() + 1);
                Some(BranchID::Root("text".into()))
            };
            let asker = Asker::new(&locate, structs);
            let nesting = Nesting::new(128);
            let depths = (0..100).map(|clock| nesting.parent_depth(at(clock), &asker));
            let (exact, bounded): (Vec<_>, Vec<_>) =
                depths.flatten().partition(|depth| depth.exact);
            assert_eq!((exact.len(), bounded.len()), (most, 100 - most));
            assert_eq!(asked.get(), most);
        }
    }
}
