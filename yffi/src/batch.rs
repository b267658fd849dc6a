//! Edits of texts and arrays that yrs has not been told of yet, as one update.
//!
//! What is typed at a moving cursor becomes one item, instead of one for each call that yrs would walk to, integrate
//! and merge with its neighbour at the end of the transaction. While nobody reads the document and nobody observes its
//! types, edits stay here beyond their transaction: what it has changed is known without yrs.

use crate::structs::{Id, ANY, HAS_ORIGIN, HAS_RIGHT_ORIGIN, STRING};
use crate::wire::{write_bytes, write_var};
use smallvec::SmallVec;
use yrs::BranchID;

/// At about how many bytes edits are no longer held back.
const MAX_BYTES: usize = 128 << 10;

/// How much room stays when the edits are carried out.
const MAX_ROOM: usize = 4 << 10;

/// What is inserted.
#[derive(Clone, Copy)]
pub enum Content<'a> {
    Text(&'a str),
    /// Plain values in lib0's encoding.
    Values {
        encoded: &'a [u8],
        count: u32,
    },
}

/// An insertion by the document's own client.
pub struct Insertion<'a> {
    pub place: Place,
    pub content: Content<'a>,
    /// The length in clock units.
    pub units: u32,
}

/// Where something is inserted.
#[derive(Clone, Copy)]
pub struct Place {
    /// Which list it is in, by an address.
    pub list: usize,
    pub id: Id,
    pub origin: Option<Id>,
    pub right_origin: Option<Id>,
}

/// The item that was inserted last. More may be added to it.
struct Item {
    place: Place,
    /// Where it has neither origin.
    parent: Option<BranchID>,
    /// How many values it has. None: it is text.
    values: Option<u32>,
    /// Its characters or values.
    content: Vec<u8>,
}

/// Insertions, whose clocks follow one another, and deletions.
#[derive(Default)]
pub struct Batch {
    /// The first unit that is inserted, and the clock behind the last.
    first: Id,
    end: u32,
    /// How many items there are.
    items: usize,
    /// All items but the last.
    encoded: Vec<u8>,
    last: Option<Item>,
    deletions: Vec<(u64, u32, u32)>,
}

impl Batch {
    pub fn is_empty(&self) -> bool {
        self.items == 0 && self.deletions.is_empty()
    }

    pub fn is_full(&self) -> bool {
        self.size() >= MAX_BYTES
    }

    fn size(&self) -> usize {
        let last = self.last.as_ref().map_or(0, |last| last.content.len());
        self.encoded.len() + last + 16 * self.deletions.len()
    }

    /// How many changes there are, each of which yrs makes on its own.
    pub fn changes(&self) -> usize {
        self.items + self.deletions.len()
    }

    /// The clock behind what is inserted, if anything is.
    pub fn end(&self) -> Option<u32> {
        (self.items > 0).then_some(self.end)
    }

    pub fn insert(&mut self, it: &Insertion<'_>, parent: impl FnOnce() -> BranchID) {
        let (content, values) = match it.content {
            Content::Text(chunk) => (chunk.as_bytes(), None),
            Content::Values { encoded, count } => (encoded, Some(count)),
        };
        if self.items == 0 {
            self.first = it.place.id;
        }
        self.end = it.place.id.clock + it.units;
        if let Some(last) = self.last_before(&it.place, values) {
            last.add(content, values);
            return;
        }
        let alone = it.place.origin.is_none() && it.place.right_origin.is_none();
        self.push(Item {
            place: it.place,
            parent: alone.then(parent),
            values,
            content: content.to_vec(),
        });
    }

    /// The last item, if what is inserted next goes on with it.
    fn last_before(&mut self, next: &Place, values: Option<u32>) -> Option<&mut Item> {
        let same_kind = |last: &&mut Item| last.values.is_some() == values.is_some();
        let last = self.last.as_mut().filter(same_kind)?;
        last.place.goes_on_with(next).then_some(last)
    }

    fn push(&mut self, item: Item) {
        if let Some(before) = self.last.replace(item) {
            before.write(&mut self.encoded);
        }
        self.items += 1;
    }

    pub fn delete(&mut self, client: u64, start: u32, end: u32) {
        if let Some((last, from, to)) = self.deletions.last_mut() {
            // Deleting forwards and backwards from a cursor.
            if *last == client && *to == start {
                *to = end;
                return;
            }
            if *last == client && *from == end {
                *from = start;
                return;
            }
        }
        self.deletions.push((client, start, end));
    }

    /// Adds what was edited after these edits.
    pub fn append(&mut self, later: &mut Batch) {
        if let Some(item) = later.last.take() {
            self.append_items(later, item);
        }
        for (client, start, end) in later.deletions.drain(..) {
            self.delete(client, start, end);
        }
    }

    fn append_items(&mut self, later: &mut Batch, item: Item) {
        if self.items == 0 {
            self.first = later.first;
        }
        self.end = later.end;
        if later.items == 1 {
            match self.last_before(&item.place, item.values) {
                Some(last) => last.add(&item.content, item.values),
                None => self.push(item),
            }
        } else {
            // The first of these may go on with the last here: yrs joins them.
            self.push(item);
            self.encoded.append(&mut later.encoded);
            self.items += later.items - 1;
        }
        later.items = 0;
    }

    /// The edits as an update.
    pub fn update(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.size() + 64);
        if let Some(last) = &self.last {
            out.push(1);
            write_var(&mut out, self.items as u64);
            write_var(&mut out, self.first.client);
            write_var(&mut out, u64::from(self.first.clock));
            out.extend_from_slice(&self.encoded);
            last.write(&mut out);
        } else {
            out.push(0);
        }
        self.write_deletions(&mut out);
        out
    }

    fn write_deletions(&self, out: &mut Vec<u8>) {
        let mut deletions: SmallVec<[_; 4]> = self.deletions.iter().copied().collect();
        deletions.sort_unstable();
        let of_clients = deletions.chunk_by(|a, b| a.0 == b.0);
        write_var(out, of_clients.clone().count() as u64);
        for deletions in of_clients {
            write_var(out, deletions[0].0);
            write_var(out, deletions.len() as u64);
            for (_, start, end) in deletions {
                write_var(out, u64::from(*start));
                write_var(out, u64::from(end - start));
            }
        }
    }

    /// Forgets the edits, and keeps room for a few.
    pub fn clear(&mut self) {
        let mut old = std::mem::take(self);
        if old.encoded.capacity() + 16 * old.deletions.capacity() <= MAX_ROOM {
            old.encoded.clear();
            old.deletions.clear();
            (self.encoded, self.deletions) = (old.encoded, old.deletions);
        }
    }
}

impl Place {
    /// Whether what is inserted next is the rest of what ends before it.
    fn goes_on_with(&self, next: &Place) -> bool {
        let before = Id {
            clock: next.id.clock.wrapping_sub(1),
            ..next.id
        };
        self.list == next.list
            && next.origin == Some(before)
            && self.right_origin == next.right_origin
    }
}

impl Item {
    fn add(&mut self, content: &[u8], values: Option<u32>) {
        self.content.extend_from_slice(content);
        self.values = self.values.zip(values).map(|(before, more)| before + more);
    }

    fn write(&self, out: &mut Vec<u8>) {
        let Place {
            origin,
            right_origin,
            ..
        } = self.place;
        let flag = |id: Option<Id>, flag: u8| if id.is_some() { flag } else { 0 };
        let flags = flag(origin, HAS_ORIGIN) | flag(right_origin, HAS_RIGHT_ORIGIN);
        let content = if self.values.is_some() { ANY } else { STRING };
        out.push(content | flags);
        for id in [origin, right_origin].into_iter().flatten() {
            write_var(out, id.client);
            write_var(out, u64::from(id.clock));
        }
        match &self.parent {
            Some(BranchID::Root(name)) => {
                write_var(out, 1);
                write_bytes(out, name.as_bytes());
            }
            Some(BranchID::Nested(id)) => {
                write_var(out, 0);
                write_var(out, id.client.get());
                write_var(out, u64::from(id.clock));
            }
            None => {}
        }
        match self.values {
            Some(count) => {
                write_var(out, u64::from(count));
                out.extend_from_slice(&self.content);
            }
            None => write_bytes(out, &self.content),
        }
    }
}
