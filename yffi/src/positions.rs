//! Editing a text or an array by position without walking it.
//!
//! yrs finds an offset by walking the items of a list from the first. For one that is edited often an index is kept
//! instead: all its runs, deleted ones too, in a tree. An insertion takes the ids of its neighbours from it and goes to
//! yrs as an update of one item, a deletion as ranges of ids; the result is what yrs would have made of the same call.
//! Changes that come by other ways are integrated into the index as into the document, by the rules of Yjs.
//!
//! The index of a text holds characters and embedded plain values. A text that is formatted has none, because yrs, when
//! it deletes, tidies the formatting up; nor has one that embeds shared types. That of an array holds values of any kind.

use crate::batch::{Content, Insertion, Place};
use crate::clocks::ByClient;
use crate::error::Result;
use crate::gate::{self, Summary};
use crate::limits::WIDEST;
use crate::offset::{check_bounds, inside_character};
use crate::rewrite::for_each_deletion;
use crate::sequence::{Run, Sequence, Unit};
use crate::slab::{Number, NIL};
use crate::structs::{
    read_struct, Contents, Id, Kind, Parent, Struct, ANY, BINARY, CONTENT_MASK, DELETED, DOC,
    EMBED, HAS_PARENT_SUB, STRING, TYPE,
};
use crate::wire::Reader;
use std::collections::BTreeSet;
use std::sync::Arc;
use yrs::BranchID;

/// The list cannot be indexed: it holds formatting, shared types in a text or what does not belong into it, or it cannot
/// be told what belongs to it.
#[derive(Debug)]
pub struct Unfit;

type Fitting<T> = std::result::Result<T, Unfit>;

/// How many runs an insertion may be compared with that was made at the same place.
const MAX_CONFLICTS: usize = 1 << 10;

/// An update of more structs than this, and than the index has runs, is not taken in: making the index anew, when it has
/// become worth while, costs about as much, and an index that nobody needs any more costs nothing.
const FEW_STRUCTS: usize = 1 << 10;

/// What is indexed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum List {
    Text,
    Array,
}

/// What a list is called in updates.
enum Name {
    Root(Arc<str>),
    Nested(Id),
}

/// Where everything in one list is.
pub struct PositionIndex {
    list: List,
    name: Name,
    runs: Sequence,
    /// There are, or were, shared types in it: what a deletion does to them has to be seen at once.
    shared: bool,
    /// The second halves of visible characters that take two units. Whatever comes between two halves parts them for good:
    /// what was one run never becomes one again.
    halves: BTreeSet<Unit>,
}

/// A client's structs in an update.
struct Cursor<'a> {
    reader: Reader<'a>,
    client: u64,
    clock: u32,
    end: u32,
    /// The struct at `clock`, when it was read.
    ahead: Option<Struct>,
}

impl PositionIndex {
    /// Makes an index of a list in a document, given as an update that holds all of it.
    pub fn build(list: List, name: BranchID, document: &[u8]) -> Fitting<Self> {
        let mut index = PositionIndex {
            list,
            name: match name {
                BranchID::Root(name) => Name::Root(name),
                BranchID::Nested(id) => Name::Nested(id.into()),
            },
            runs: Sequence::default(),
            shared: false,
            halves: BTreeSet::new(),
        };
        let summary = gate::check_alone(document, &WIDEST).map_err(|_| Unfit)?;
        index.absorb_all(document, &summary)?;
        index.runs.untrack();
        Ok(index)
    }

    /// The length of the list.
    pub fn len(&self) -> u32 {
        self.runs.len()
    }

    /// Checks the range `offset..offset + len`, as [`crate::offset::check_range`] does.
    pub fn check(&self, offset: u64, len: u64) -> Result<(u32, u32)> {
        check_bounds(offset, len, self.len())?;
        let (offset, len) = (offset as u32, len as u32);
        match [offset, offset + len]
            .into_iter()
            .find(|at| self.is_inside_character(*at))
        {
            Some(inside) => Err(inside_character(inside)),
            None => Ok((offset, len)),
        }
    }

    /// Whether `offset` is inside a character.
    fn is_inside_character(&self, offset: u32) -> bool {
        if self.halves.is_empty() || offset >= self.len() {
            return false;
        }
        let (number, within) = self.runs.at(offset);
        within > 0
            && self
                .halves
                .contains(&self.runs.run(number).first.plus(within))
    }

    /// The ids of all visible units, in order, after a check of the runs.
    #[cfg(debug_assertions)]
    pub fn visible(&self) -> Vec<Id> {
        self.runs.check();
        let numbers = std::iter::successors(Some(self.runs.first()), |number| {
            Some(self.runs.next(*number))
        });
        numbers
            .take_while(|number| *number != NIL)
            .map(|number| self.runs.run(number))
            .filter(|run| !run.deleted)
            .flat_map(|run| (0..run.len).map(|at| run.first.plus(at)))
            .filter_map(|unit| self.runs.id(unit))
            .collect()
    }

    /// Whether deletions may concern shared types.
    pub fn holds_shared(&self) -> bool {
        self.shared
    }

    /// Inserts text or plain values, as the document's own client, at an offset that is valid; `list` is an address.
    pub fn insert<'a>(
        &mut self,
        list: usize,
        offset: u32,
        id: Id,
        content: Content<'a>,
    ) -> Insertion<'a> {
        let units = match content {
            Content::Text(chunk) => {
                let mut contents = Contents::default();
                let units = contents.note_text(chunk);
                if contents.astral {
                    let first = self.runs.unit(id);
                    self.note_halves(first, chunk);
                }
                units
            }
            Content::Values { count, .. } => count,
        };
        let (origin, right_origin) = self.insert_run(offset, id, units);
        Insertion {
            place: Place {
                list,
                id,
                origin: self.runs.id(origin),
                right_origin: self.runs.id(right_origin),
            },
            content,
            units,
        }
    }

    /// Takes in a shared type that was inserted at an offset.
    pub fn note_shared(&mut self, offset: u32, id: Id) {
        self.shared = true;
        self.insert_run(offset, id, 1);
    }

    /// Takes in what was inserted at an offset that is valid, and tells between what that is.
    pub fn insert_run(&mut self, offset: u32, id: Id, len: u32) -> (Unit, Unit) {
        let (left, right) = self.gap(offset);
        let origin = self.last_of(left);
        let right_origin = self.first_of(right);
        let run = Run {
            first: self.runs.unit(id),
            len,
            origin,
            right_origin,
            deleted: false,
        };
        self.runs.insert(left, run);
        (origin, right_origin)
    }

    /// Deletes a range that is valid, and tells what that is.
    pub fn delete(&mut self, offset: u32, mut len: u32, mut each: impl FnMut(u64, u32, u32)) {
        while len > 0 {
            let (number, within) = self.runs.at(offset);
            let run = *self.runs.run(number);
            let part = len.min(run.len - within);
            let start = run.first.plus(within).clock;
            each(self.runs.client(run.first), start, start + part);
            self.delete_of_run(number, within, within + part);
            len -= part;
        }
    }

    /// Where an insertion at `offset` goes: behind what is deleted there, as in Yjs.
    fn gap(&mut self, offset: u32) -> (Number, Number) {
        let mut left = NIL;
        if offset > 0 {
            let (number, within) = self.runs.at(offset - 1);
            if within + 1 < self.runs.run(number).len {
                return (number, self.runs.split(number, within + 1));
            }
            left = number;
        }
        let mut right = self.runs.next(left);
        while right != NIL && self.runs.run(right).deleted {
            left = right;
            right = self.runs.next(left);
        }
        (left, right)
    }

    fn last_of(&self, number: Number) -> Unit {
        if number == NIL {
            Unit::NONE
        } else {
            self.runs.run(number).last()
        }
    }

    fn first_of(&self, number: Number) -> Unit {
        if number == NIL {
            Unit::NONE
        } else {
            self.runs.run(number).first
        }
    }

    fn note_halves(&mut self, first: Unit, chunk: &str) {
        let mut at = 0;
        for character in chunk.chars() {
            let units = character.len_utf16() as u32;
            if units == 2 {
                self.halves.insert(first.plus(at + 1));
            }
            at += units;
        }
    }

    /// Takes in what an update that the document has applied, all of it, has changed in the list.
    pub fn absorb(&mut self, update: &[u8], summary: &Summary) -> Fitting<()> {
        if summary.structs > FEW_STRUCTS.max(self.runs.size()) {
            return Err(Unfit);
        }
        self.absorb_all(update, summary)
    }

    fn absorb_all(&mut self, update: &[u8], summary: &Summary) -> Fitting<()> {
        self.runs.track();
        self.absorb_structs(update, summary)?;
        let delete_set = &update[summary.delete_set.clone()];
        for_each_deletion(delete_set, |client, start, end| {
            self.absorb_deletion(client, start, end)
        });
        Ok(())
    }

    fn absorb_deletion(&mut self, client: u64, start: u32, end: u32) {
        let mut clock = start;
        while clock < end {
            let Some(number) = self.runs.next_of_client(client, clock, end) else {
                return;
            };
            let run = *self.runs.run(number);
            let first = run.first.clock;
            let from = clock.saturating_sub(first);
            let to = (end - first).min(run.len);
            self.delete_of_run(number, from, to);
            clock = first + to;
        }
    }

    fn delete_of_run(&mut self, number: Number, from: u32, to: u32) {
        let first = self.runs.run(number).first;
        let gone = first.plus(from)..first.plus(to);
        while let Some(half) = self.halves.range(gone.clone()).next().copied() {
            self.halves.remove(&half);
        }
        self.runs.delete(number, from, to);
    }

    /// Takes in structs in an order in which each comes behind those that it refers to.
    fn absorb_structs(&mut self, update: &[u8], summary: &Summary) -> Fitting<()> {
        let mut cursors: Vec<Cursor<'_>> = Vec::with_capacity(summary.runs.len());
        let mut of_client: ByClient<Vec<usize>> = ByClient::default();
        for run in &summary.runs {
            of_client.entry(run.client).or_default().push(cursors.len());
            cursors.push(Cursor {
                reader: Reader::new(&update[run.bytes()]),
                client: run.client,
                clock: run.clock,
                end: run.end,
                ahead: None,
            });
        }
        let awaited = |cursors: &[Cursor<'_>], at: usize, of: Id| {
            let others = of_client.get(&of.client)?;
            let holds = |other: &&usize| {
                let it = &cursors[**other];
                **other != at && (it.clock..it.end).contains(&of.clock)
            };
            let other = others.iter().find(holds)?;
            Some((*other, of.clock))
        };
        // Runs, each up to the clock that the one before in the stack waits for.
        let mut stack = Vec::new();
        for first in 0..cursors.len() {
            stack.push((first, u32::MAX));
            while let Some(&(at, until)) = stack.last() {
                let Some(neighbours) = cursors[at].peek(until)? else {
                    stack.pop();
                    continue;
                };
                let mut neighbours = neighbours.into_iter().flatten();
                match neighbours.find_map(|id| awaited(&cursors, at, id)) {
                    Some(_) if stack.len() > cursors.len() => return Err(Unfit),
                    Some(other) => stack.push(other),
                    None => {
                        let (id, it, bytes) = cursors[at].next();
                        self.absorb_struct(id, &it, bytes)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Takes in a struct, if it is in this list.
    fn absorb_struct(&mut self, id: Id, it: &Struct, bytes: &[u8]) -> Fitting<()> {
        if !self.holds(it, bytes)? {
            return Ok(());
        }
        if self.runs.find(id).is_some() {
            return Err(Unfit); // the update is not new
        }
        let content = it.info & CONTENT_MASK;
        match (self.list, content) {
            (_, DELETED) | (List::Text, STRING | EMBED) | (List::Array, ANY | BINARY) => {}
            (List::Array, TYPE | DOC) => self.shared = true,
            _ => return Err(Unfit),
        }
        let mut unit = |id: Option<Id>| id.map_or(Unit::NONE, |id| self.runs.unit(id));
        let run = Run {
            first: unit(Some(id)),
            len: it.len,
            origin: unit(it.origin),
            right_origin: unit(it.right_origin),
            deleted: content == DELETED,
        };
        if content == STRING {
            let chunk = Reader::new(&bytes[it.content..]).string();
            let chunk = chunk.map_err(|_| Unfit)?;
            if chunk.bytes().any(|byte| byte >= 0xf0) {
                self.note_halves(run.first, chunk);
            }
        }
        self.integrate(run)
    }

    /// Whether a struct belongs to this list.
    fn holds(&self, it: &Struct, bytes: &[u8]) -> Fitting<bool> {
        let Kind::Item(parent) = it.kind else {
            return Ok(false);
        };
        let in_sequence = it.info & HAS_PARENT_SUB == 0;
        match (parent, &self.name) {
            (Parent::Beside(_), _) => {
                let known = |id: Option<Id>| id.map(|id| self.runs.find(id).is_some());
                match (known(it.origin), known(it.right_origin)) {
                    (Some(a), Some(b)) if a != b => Err(Unfit),
                    (origin, right_origin) => Ok(origin.or(right_origin) == Some(true)),
                }
            }
            (Parent::Root, Name::Root(name)) => {
                // Behind what it begins with and the mark of a root comes the name.
                let named = Reader::new(&bytes[it.bytes.start + 2..]).string();
                Ok(in_sequence && named.map_err(|_| Unfit)? == &**name)
            }
            (Parent::Nested(id), Name::Nested(own)) => Ok(in_sequence && id == *own),
            _ => Ok(false),
        }
    }

    /// Puts a run into its place: between its origins or, if there is something between these, where Yjs puts it.
    fn integrate(&mut self, run: Run) -> Fitting<()> {
        if self.is_backwards(&run) {
            return Err(Unfit);
        }
        let left = self.behind(run.origin)?;
        let right = self.before(run.right_origin)?;
        let left = if self.runs.next(left) == right {
            left
        } else {
            self.resolve(left, right, &run)?
        };
        self.runs.insert(left, run);
        Ok(())
    }

    /// Whether a run claims that what was on its right stands before what was on its left, in one stretch. Nobody writes
    /// that, and what yrs makes of it depends on whether it has merged the stretch.
    fn is_backwards(&self, run: &Run) -> bool {
        let (left, right) = (run.origin, run.right_origin);
        if left == Unit::NONE || !left.is_behind(right) {
            return false;
        }
        let of = |unit| self.runs.find_unit(unit).map(|(number, _)| number);
        of(left) == of(right)
    }

    /// The run that ends with a unit; NIL for none.
    fn behind(&mut self, unit: Unit) -> Fitting<Number> {
        if unit == Unit::NONE {
            return Ok(NIL);
        }
        let (number, within) = self.runs.find_unit(unit).ok_or(Unfit)?;
        if within + 1 < self.runs.run(number).len {
            self.runs.split(number, within + 1);
        }
        Ok(number)
    }

    /// The run that begins with a unit; NIL for none.
    fn before(&mut self, unit: Unit) -> Fitting<Number> {
        if unit == Unit::NONE {
            return Ok(NIL);
        }
        let (number, within) = self.runs.find_unit(unit).ok_or(Unfit)?;
        if within == 0 {
            return Ok(number);
        }
        Ok(self.runs.split(number, within))
    }

    /// What an insertion goes behind that others were made at the same place as: the rules are those of Yjs's
    /// `Item.integrate`.
    fn resolve(&self, mut left: Number, right: Number, run: &Run) -> Fitting<Number> {
        let mut passed: Vec<Number> = Vec::new();
        // Those of `passed` from here on may still be to the right of the insertion.
        let mut undecided = 0;
        let mut at = self.runs.next(left);
        while at != NIL && at != right {
            if passed.len() >= MAX_CONFLICTS {
                return Err(Unfit);
            }
            passed.push(at);
            let other = self.runs.run(at);
            if other.origin == run.origin {
                if self.runs.client(other.first) < self.runs.client(run.first) {
                    left = at;
                    undecided = passed.len();
                } else if other.right_origin == run.right_origin {
                    break;
                }
            } else {
                let origin = self.runs.find_unit(other.origin).map(|(number, _)| number);
                let Some(origin) = passed.iter().position(|number| Some(*number) == origin) else {
                    break;
                };
                if origin < undecided {
                    left = at;
                    undecided = passed.len();
                }
            }
            at = self.runs.next(at);
        }
        Ok(left)
    }
}

impl Cursor<'_> {
    /// The neighbours of the next struct; None if there is none that begins with `until` or before.
    fn peek(&mut self, until: u32) -> Fitting<Option<[Option<Id>; 2]>> {
        if self.clock >= self.end || self.clock > until {
            return Ok(None);
        }
        if self.ahead.is_none() {
            let mut it = Struct::default();
            read_struct(&mut self.reader, &WIDEST, &mut Contents::default(), &mut it)
                .map_err(|_| Unfit)?;
            self.ahead = Some(it);
        }
        let ahead = self.ahead.as_ref();
        Ok(ahead.map(|it| [it.origin, it.right_origin]))
    }

    /// Takes the struct that `peek` has shown, with the bytes that it is in.
    fn next(&mut self) -> (Id, Struct, &[u8]) {
        let it = self.ahead.take().unwrap_or_default();
        let id = Id {
            client: self.client,
            clock: self.clock,
        };
        self.clock += it.len;
        let bytes = self.reader.part(0..it.bytes.end);
        (id, it, bytes)
    }
}
