//! Garbage collection of a whole document, as an update: what is left of deleted shared types goes.
//!
//! It works on the bytes, so that nothing can point to what it drops. As in Yjs, a deleted item keeps its place but
//! not its content, and if its parent was deleted as well, not even its place: nothing is left of it but its length.

use crate::clocks::ByClient;
use crate::compose::Composer;
use crate::gate::{self, Summary};
use crate::limits::WIDEST;
use crate::ranges::Ranges;
use crate::rewrite::{self, for_each_deletion};
use crate::structs::{read_struct, Contents, Id, Kind, Parent, Struct, CONTENT_MASK, DELETED};
use crate::wire::{write_var, Checked, Reader};

/// What becomes of a struct.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It stays as it is.
    Kept,
    /// It keeps its place.
    Emptied,
    /// Only its length stays.
    Dropped,
}

/// Where an item belongs, as far as that matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Unknown,
    Root,
    /// In the shared type that the struct of this number holds.
    In(usize),
}

struct Entry {
    id: Id,
    it: Struct,
    deleted: bool,
    place: Place,
    fate: Fate,
}

/// The structs of an update, section by section.
struct Structs {
    entries: Vec<Entry>,
    /// Where the entries of each client are, in the order of their clocks.
    sections: ByClient<std::ops::Range<usize>>,
}

/// Collects the garbage in an update that holds a whole document.
pub fn collect(update: &[u8], summary: &Summary) -> Checked<Vec<u8>> {
    let mut structs = read(update)?;
    structs.mark_deleted(&update[summary.delete_set.clone()]);
    structs.find_places();
    structs.decide();
    structs.keep_what_is_needed();
    Ok(structs.write(update, summary))
}

fn read(update: &[u8]) -> Checked<Structs> {
    let mut reader = Reader::new(update);
    let mut structs = Structs {
        entries: Vec::new(),
        sections: ByClient::default(),
    };
    for _ in 0..reader.u31()? {
        let count = reader.u31()?;
        let client = reader.client()?;
        let mut clock = reader.u31()?;
        let start = structs.entries.len();
        for _ in 0..count {
            let mut it = Struct::default();
            read_struct(&mut reader, &WIDEST, &mut Contents::default(), &mut it)?;
            let id = Id { client, clock };
            clock += it.len;
            structs.entries.push(Entry {
                id,
                deleted: it.kind == Kind::Gc || it.info & CONTENT_MASK == DELETED,
                it,
                place: Place::Unknown,
                fate: Fate::Kept,
            });
        }
        structs
            .sections
            .insert(client, start..structs.entries.len());
    }
    Ok(structs)
}

impl Structs {
    /// The number of the struct that covers `id`.
    fn find(&self, id: Id) -> Option<usize> {
        let section = self.sections.get(&id.client)?.clone();
        let entries = &self.entries[section.clone()];
        let at = entries.partition_point(|entry| entry.id.clock + entry.it.len <= id.clock);
        (entries.get(at)?.id.clock <= id.clock).then_some(section.start + at)
    }

    fn mark_deleted(&mut self, delete_set: &[u8]) {
        let mut deleted: ByClient<Ranges> = ByClient::default();
        for_each_deletion(delete_set, |client, start, end| {
            deleted.entry(client).or_default().insert(start, end);
        });
        for entry in &mut self.entries {
            if let Some(ranges) = deleted.get(&entry.id.client) {
                let clock = entry.id.clock;
                entry.deleted |= ranges.covers(clock, clock + entry.it.len);
            }
        }
    }

    /// Finds the parents of all items. One that names none is where its neighbour is.
    fn find_places(&mut self) {
        let mut visited = vec![false; self.entries.len()];
        let mut path = Vec::new();
        for start in 0..self.entries.len() {
            let mut at = start;
            let place = loop {
                if std::mem::replace(&mut visited[at], true) {
                    break self.entries[at].place;
                }
                path.push(at);
                match self.entries[at].it.kind {
                    Kind::Item(Parent::Root) => break Place::Root,
                    Kind::Item(Parent::Nested(id)) => {
                        break self.find(id).map_or(Place::Unknown, Place::In);
                    }
                    Kind::Item(Parent::Beside(id)) => match self.find(id) {
                        Some(next) => at = next,
                        None => break Place::Unknown,
                    },
                    Kind::Gc | Kind::Skip => break Place::Unknown,
                }
            };
            for at in path.drain(..) {
                self.entries[at].place = place;
            }
        }
    }

    fn decide(&mut self) {
        for at in 0..self.entries.len() {
            let entry = &self.entries[at];
            let parent_deleted = match entry.place {
                Place::In(parent) => self.entries[parent].deleted,
                Place::Root | Place::Unknown => false,
            };
            self.entries[at].fate = match entry.it.kind {
                Kind::Gc => Fate::Dropped,
                Kind::Item(_) if entry.deleted && parent_deleted => Fate::Dropped,
                Kind::Item(_) if entry.deleted => Fate::Emptied,
                Kind::Item(_) | Kind::Skip => Fate::Kept,
            };
        }
    }

    /// Whatever stays needs its neighbours in their places, and what is not deleted needs its parent. In documents
    /// that honest peers wrote this changes nothing.
    fn keep_what_is_needed(&mut self) {
        let stays = |entry: &Entry| entry.fate != Fate::Dropped;
        let mut work: Vec<usize> = (0..self.entries.len())
            .filter(|at| stays(&self.entries[*at]))
            .collect();
        while let Some(at) = work.pop() {
            let entry = &self.entries[at];
            let (place, alive) = (entry.place, !entry.deleted);
            for id in [entry.it.origin, entry.it.right_origin]
                .into_iter()
                .flatten()
            {
                let Some(needed) = self.find(id) else {
                    continue;
                };
                if self.entries[needed].it.kind != Kind::Gc && !stays(&self.entries[needed]) {
                    self.entries[needed].fate = Fate::Emptied;
                    work.push(needed);
                }
            }
            if let (true, Place::In(parent)) = (alive, place) {
                let parent_entry = &mut self.entries[parent];
                if parent_entry.it.is_type() && parent_entry.fate != Fate::Kept {
                    parent_entry.fate = Fate::Kept;
                    work.push(parent);
                }
            }
        }
    }

    fn write(&self, update: &[u8], summary: &Summary) -> Vec<u8> {
        let mut composer = Composer::default();
        let mut entries = self.entries.iter().peekable();
        while let Some(entry) = entries.next() {
            let Id { client, clock } = entry.id;
            let mut end = clock + entry.it.len;
            if entry.it.kind == Kind::Skip {
                continue; // the composer writes them
            }
            if entry.fate == Fate::Dropped {
                let joins = |next: &&Entry| next.fate == Fate::Dropped && next.id.client == client;
                while let Some(next) = entries.next_if(joins) {
                    end = next.id.clock + next.it.len;
                }
            }
            let out = composer.append(client, clock, end, 1);
            let bytes = &update[entry.it.bytes.clone()];
            match entry.fate {
                Fate::Kept => out.extend_from_slice(bytes),
                Fate::Dropped => rewrite::write_gc(out, end - clock),
                Fate::Emptied => {
                    out.push(entry.it.info & !CONTENT_MASK | DELETED);
                    out.extend_from_slice(&update[entry.it.bytes.start + 1..entry.it.content]);
                    write_var(out, u64::from(entry.it.len));
                }
            }
        }
        let mut collected = composer.update();
        collected.pop(); // its own empty delete set
        collected.extend_from_slice(&update[summary.delete_set.clone()]);
        collected
    }
}

/// Collects the garbage in an update that comes from outside.
pub fn collect_checked(update: &[u8]) -> Checked<Vec<u8>> {
    let summary = gate::check_alone(update, &WIDEST)?;
    if !summary.contents.misread {
        return collect(update, &summary);
    }
    let update = rewrite::as_yrs_reads(update, &summary, &WIDEST)?;
    let summary = gate::check_alone(&update, &WIDEST)?;
    collect(&update, &summary)
}
