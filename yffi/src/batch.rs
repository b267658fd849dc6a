//! Edits of texts and arrays that yrs has not been told of yet, as one update.
//!
//! What is typed at a moving cursor becomes one item, instead of one for each call that yrs would walk to, integrate
//! and merge with its neighbour at the end of the transaction. While nobody reads the document and nobody observes its
//! types, edits stay here beyond their transaction: what it has changed is known without yrs.

use crate::structs::{Id, ANY, HAS_ORIGIN, HAS_RIGHT_ORIGIN, STRING};
use crate::wire::{write_bytes, write_var};
use smallvec::SmallVec;
use yrs::BranchID;

/// How many bytes of edits are held back at most.
const MAX_BYTES: usize = 256 << 10;

/// Room for so many edits stays when they are carried out.
const FEW: usize = 64;

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

/// An item that was inserted.
struct Item {
    /// Which list it is in, by an address.
    list: usize,
    origin: Option<Id>,
    right_origin: Option<Id>,
    /// Where it has neither.
    parent: Option<BranchID>,
    /// How many values it has. None: it is text.
    values: Option<u32>,
    /// Where its characters or values end in the bytes of all items.
    end: usize,
}

/// An insertion by the document's own client.
pub struct Insertion<'a> {
    /// Which list it is in, by an address.
    pub list: usize,
    pub id: Id,
    pub origin: Option<Id>,
    pub right_origin: Option<Id>,
    pub content: Content<'a>,
    /// The length in clock units.
    pub units: u32,
}

/// Insertions, whose clocks follow one another, and deletions.
#[derive(Default)]
pub struct Batch {
    /// The first unit that is inserted, and the clock behind the last.
    first: Id,
    end: u32,
    items: Vec<Item>,
    bytes: Vec<u8>,
    deletions: Vec<(u64, u32, u32)>,
}

impl Batch {
    pub fn is_empty(&self) -> bool {
        self.items.is_empty() && self.deletions.is_empty()
    }

    pub fn is_full(&self) -> bool {
        self.bytes.len() + 64 * self.items.len() + 16 * self.deletions.len() >= MAX_BYTES
    }

    /// How many changes there are, each of which yrs makes on its own.
    pub fn changes(&self) -> usize {
        self.items.len() + self.deletions.len()
    }

    /// The clock behind what is inserted, if anything is.
    pub fn end(&self) -> Option<u32> {
        (!self.items.is_empty()).then_some(self.end)
    }

    pub fn insert(&mut self, it: &Insertion<'_>, parent: impl FnOnce() -> BranchID) {
        if self.items.is_empty() {
            self.first = it.id;
        }
        let values = match it.content {
            Content::Text(chunk) => {
                self.bytes.extend_from_slice(chunk.as_bytes());
                None
            }
            Content::Values { encoded, count } => {
                self.bytes.extend_from_slice(encoded);
                Some(count)
            }
        };
        let alone = it.origin.is_none() && it.right_origin.is_none();
        self.push(
            Item {
                list: it.list,
                origin: it.origin,
                right_origin: it.right_origin,
                parent: alone.then(parent),
                values,
                end: self.bytes.len(),
            },
            it.id,
        );
        self.end = it.id.clock + it.units;
    }

    /// Adds an item that begins with `id`, to the one before if that goes on with it.
    fn push(&mut self, item: Item, id: Id) {
        match self.items.last_mut() {
            Some(last) if last.goes_on_with(&item, id) => {
                last.end = item.end;
                last.values = last
                    .values
                    .zip(item.values)
                    .map(|(before, more)| before + more);
            }
            _ => self.items.push(item),
        }
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
        let offset = self.bytes.len();
        self.bytes.append(&mut later.bytes);
        if self.items.is_empty() {
            self.first = later.first;
        }
        if !later.items.is_empty() {
            self.end = later.end;
        }
        for (index, mut item) in later.items.drain(..).enumerate() {
            item.end += offset;
            if index == 0 {
                self.push(item, later.first);
            } else {
                self.items.push(item);
            }
        }
        for (client, start, end) in later.deletions.drain(..) {
            self.delete(client, start, end);
        }
    }

    /// The edits as an update.
    pub fn update(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(
            self.bytes.len() + 24 * self.items.len() + 16 * self.deletions.len() + 24,
        );
        if self.items.is_empty() {
            out.push(0);
        } else {
            out.push(1);
            write_var(&mut out, self.items.len() as u64);
            write_var(&mut out, self.first.client);
            write_var(&mut out, u64::from(self.first.clock));
        }
        let mut start = 0;
        for item in &self.items {
            item.write(&self.bytes[start..item.end], &mut out);
            start = item.end;
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
        if self.items.len() + self.deletions.len() > FEW {
            *self = Batch::default();
            return;
        }
        self.items.clear();
        self.bytes.clear();
        self.deletions.clear();
    }
}

impl Item {
    /// Whether another item, which begins with `id`, is the rest of this one, which is the latest.
    fn goes_on_with(&self, other: &Item, id: Id) -> bool {
        let before = Id {
            clock: id.clock.wrapping_sub(1),
            ..id
        };
        self.list == other.list
            && self.values.is_some() == other.values.is_some()
            && other.origin == Some(before)
            && self.right_origin == other.right_origin
    }

    fn write(&self, bytes: &[u8], out: &mut Vec<u8>) {
        let flag = |id: Option<Id>, flag: u8| if id.is_some() { flag } else { 0 };
        let flags = flag(self.origin, HAS_ORIGIN) | flag(self.right_origin, HAS_RIGHT_ORIGIN);
        let content = if self.values.is_some() { ANY } else { STRING };
        out.push(content | flags);
        for id in [self.origin, self.right_origin].into_iter().flatten() {
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
                out.extend_from_slice(bytes);
            }
            None => write_bytes(out, bytes),
        }
    }
}
