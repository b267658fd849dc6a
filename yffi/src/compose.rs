//! Writing updates from parts of others.

use crate::clocks::ByClient;
use crate::wire::write_var;

const SKIP: u8 = 10;

/// Structs of one client, in the order of their clocks, with Skips for what is missing between.
#[derive(Default)]
struct Section {
    clock: u32,
    end: u32,
    structs: usize,
    bytes: Vec<u8>,
}

/// An update that is being put together.
#[derive(Default)]
pub struct Composer {
    sections: ByClient<Section>,
    deletes: ByClient<Vec<(u32, u32)>>,
}

impl Composer {
    /// Where what it has of a client ends.
    pub fn end(&self, client: u64) -> u32 {
        self.sections.get(&client).map_or(0, |section| section.end)
    }

    /// The clients that it has structs of, and where these end.
    pub fn ends(&self) -> impl Iterator<Item = (u64, u32)> + '_ {
        self.sections
            .iter()
            .map(|(client, section)| (*client, section.end))
    }

    /// Adds structs, not before those that it has of this client; the caller writes their bytes into the result.
    pub fn append(&mut self, client: u64, clock: u32, end: u32, structs: usize) -> &mut Vec<u8> {
        let section = self.sections.entry(client).or_default();
        if section.structs == 0 {
            section.clock = clock;
        } else if section.end < clock {
            section.bytes.push(SKIP);
            write_var(&mut section.bytes, u64::from(clock - section.end));
            section.structs += 1;
        }
        section.end = end;
        section.structs += structs;
        &mut section.bytes
    }

    pub fn delete(&mut self, client: u64, start: u32, end: u32) {
        self.deletes.entry(client).or_default().push((start, end));
    }

    pub fn update(&self) -> Vec<u8> {
        let size: usize = self.sections.values().map(|s| s.bytes.len() + 16).sum();
        let mut out = Vec::with_capacity(size + 16 * self.deletes.len() + 2);
        write_var(&mut out, self.sections.len() as u64);
        for (client, section) in descending(&self.sections) {
            write_var(&mut out, section.structs as u64);
            write_var(&mut out, client);
            write_var(&mut out, u64::from(section.clock));
            out.extend_from_slice(&section.bytes);
        }
        write_var(&mut out, self.deletes.len() as u64);
        for (client, ranges) in descending(&self.deletes) {
            write_var(&mut out, client);
            write_var(&mut out, ranges.len() as u64);
            for (start, end) in ranges {
                write_var(&mut out, u64::from(*start));
                write_var(&mut out, u64::from(end - start));
            }
        }
        out
    }
}

/// By client as Yjs orders them.
fn descending<T>(by_client: &ByClient<T>) -> impl Iterator<Item = (u64, &T)> {
    let mut entries: Vec<_> = by_client.iter().map(|(client, it)| (*client, it)).collect();
    entries.sort_unstable_by_key(|(client, _)| std::cmp::Reverse(*client));
    entries.into_iter()
}
