//! The gate: every update and state vector from outside is walked here before yrs sees it.
//!
//! yrs is not memory-safe on hostile updates. The walk is one pass that allocates nothing by a declared count and
//! refuses the shapes that are known to break yrs whatever the document holds. On its way it collects what the
//! document has to decide on; see `admission.rs`.

use crate::clocks::Clocks;
use crate::limits::YffiLimits;
use crate::newtypes::{Link, NewTypes};
use crate::structs::{read_struct, Contents, Id, Kind, Parent, Struct};
use crate::wire::{Checked, Reader, Refusal};
use smallvec::SmallVec;
use std::ops::Range;
use yrs::{ClientID, StateVector};

/// Consecutive structs of one client in an update. There may be one for every few bytes, so it is small: updates are
/// shorter than 4 GiB.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Run {
    pub client: u64,
    /// The first clock, and the one behind the last.
    pub clock: u32,
    pub end: u32,
    pub structs: u32,
    bytes: (u32, u32),
    needs: (u32, u32),
}

impl Run {
    /// Where the structs are in the update.
    pub fn bytes(&self) -> Range<usize> {
        self.bytes.0 as usize..self.bytes.1 as usize
    }

    /// Which of [`Summary::needs`] are those of its structs.
    pub fn needs(&self) -> Range<usize> {
        self.needs.0 as usize..self.needs.1 as usize
    }
}

/// A struct refers to something that the document does not have. Another part of the update may bring it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Need {
    /// The clock of the struct.
    pub at: u32,
    pub of: Id,
}

/// What the walk learnt about an accepted update.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Structs in the update, Skips included.
    pub structs: usize,
    /// Their length in clock units, Skips excluded.
    pub units: u64,
    pub contents: Contents,
    /// The structs, run by run. A Skip ends a run and is in none.
    pub runs: SmallVec<[Run; 1]>,
    pub needs: Vec<Need>,
    /// The shared types that it brings.
    pub types: NewTypes,
    /// The items that hold subdocuments.
    pub docs: Vec<Id>,
    /// The items that others name as the one that holds their parent, except types that came shortly before.
    pub parents: Vec<Id>,
    /// Where the delete set is.
    pub delete_set: Range<usize>,
    /// It deletes something that the document does not have.
    pub deletes_unknown: bool,
    /// There are Skips between the structs.
    pub skips: bool,
    /// The items for which yrs may have to look for their place; see `cost.rs`.
    pub jumps: usize,
    /// The maps among plain values that hold something.
    pub maps: usize,
    /// There are bytes behind the update. Yjs ignores them.
    pub trailing: bool,
}

impl Summary {
    /// Ends `run`, if it holds anything, and begins the next one.
    fn end_run(&mut self, run: &mut Run, clock: u32, offset: usize) {
        let needs = self.needs.len() as u32;
        let next = Run {
            client: run.client,
            clock,
            end: clock,
            structs: 0,
            bytes: (offset as u32, offset as u32),
            needs: (needs, needs),
        };
        let ended = std::mem::replace(run, next);
        if ended.structs > 0 {
            self.runs.push(ended);
        }
    }

    #[inline(always)]
    fn note_types(&mut self, id: Id, it: &Struct) {
        let Kind::Item(parent) = it.kind else {
            return;
        };
        if it.is_doc() {
            self.docs.push(id);
        }
        if !it.is_type() && !matches!(parent, Parent::Nested(_)) {
            return;
        }
        let before = parent.reference().and_then(|id| self.types.find_before(id));
        if let (Parent::Nested(parent), None) = (parent, before) {
            if self.parents.last() != Some(&parent) {
                self.parents.push(parent);
            }
        }
        if it.is_type() {
            let right_origin = it.right_origin.filter(|_| it.origin.is_some());
            let link = Link::new(parent, before);
            self.types.push(id, link, right_origin, it.bytes.start);
        }
    }
}

/// Client ids of the sections read so far. Yjs writes them in descending order and none twice.
#[derive(Default)]
struct Clients {
    seen: Vec<(u64, usize)>,
    last: Option<u64>,
    unordered: bool,
}

impl Clients {
    fn add(&mut self, client: u64, offset: usize) {
        if let Some(last) = self.last.replace(client) {
            self.unordered |= client >= last;
            self.seen.push((last, offset));
        }
    }

    fn check(self, end: usize) -> Checked<()> {
        if self.seen.is_empty() {
            return Ok(()); // one at most
        }
        self.check_many(end)
    }

    fn check_many(mut self, end: usize) -> Checked<()> {
        self.seen.extend(self.last.map(|client| (client, end)));
        if self.unordered {
            self.seen.sort_unstable();
            if let Some(pair) = self.seen.windows(2).find(|pair| pair[0].0 == pair[1].0) {
                return Err(Refusal::new("client listed twice", pair[1].1));
            }
        }
        Ok(())
    }
}

/// Walks an update in v1 encoding as the document with these clocks will take it; without any, as if the document
/// had everything.
pub fn check_update(
    bytes: &[u8],
    limits: &YffiLimits,
    clocks: Option<&Clocks>,
) -> Checked<Summary> {
    let mut walk = Walk {
        reader: Reader::new(bytes),
        limits,
        clocks,
        settled: [Id::default(); SETTLED],
        summary: Summary::default(),
    };
    if bytes.len() > u32::MAX as usize {
        return walk.reader.refuse("update of 4 GiB or more");
    }
    let mut clients = Clients::default();
    // A section takes a count, a client, a clock and one struct of two bytes.
    for _ in 0..walk.reader.count(5)? {
        walk.section(&mut clients)?;
    }
    clients.check(walk.reader.offset())?;
    walk.delete_set()?;
    walk.summary.types.end_section();
    walk.summary.maps = walk.reader.maps();
    walk.summary.trailing = walk.reader.remaining() > 0;
    Ok(walk.summary)
}

/// Walks an update without a document.
pub fn check_alone(bytes: &[u8], limits: &YffiLimits) -> Checked<Summary> {
    check_update(bytes, limits, None)
}

struct Walk<'a> {
    reader: Reader<'a>,
    limits: &'a YffiLimits,
    clocks: Option<&'a Clocks>,
    /// Other clients that the section refers to, by their low bits, with the clock below which what they wrote is in
    /// the document, or is needed by an earlier struct of the section already.
    settled: [Id; SETTLED],
    summary: Summary,
}

/// Of how many clients a section keeps what it needs. Few write at the same place.
const SETTLED: usize = 8;

impl Walk<'_> {
    fn section(&mut self, clients: &mut Clients) -> Checked<()> {
        let structs = self.reader.count(2)?;
        let client = self.reader.usual_client()?;
        clients.add(client, self.reader.offset());
        self.settled = [Id::default(); SETTLED];
        let mut clock = self.reader.u31()?;
        let mut units = 0;
        let mut run = Run {
            client,
            ..Run::default()
        };
        self.summary.end_run(&mut run, clock, self.reader.offset());
        let mut it = Struct::default();
        for _ in 0..structs {
            let contents = &mut self.summary.contents;
            read_struct(&mut self.reader, self.limits, contents, &mut it)?;
            let id = Id { client, clock };
            clock += it.len;
            if clock >= 1 << 31 {
                return self.reader.refuse("clock not below 2^31");
            }
            if it.kind == Kind::Skip {
                self.summary.end_run(&mut run, clock, self.reader.offset());
                self.summary.skips = true;
                continue;
            }
            self.dependencies(id, &it)?;
            self.summary.jumps += usize::from(it.jumps(id, run.structs == 0));
            self.summary.note_types(id, &it);
            units += u64::from(it.len);
            run.structs += 1;
            run.end = clock;
            run.bytes.1 = it.bytes.end as u32;
            run.needs.1 = self.summary.needs.len() as u32;
        }
        self.summary.end_run(&mut run, clock, self.reader.offset());
        if units == 0 {
            return self.reader.refuse("client section without blocks");
        }
        self.summary.structs += structs;
        self.summary.units += units;
        Ok(())
    }

    /// Notes what a struct needs.
    #[inline(always)]
    fn dependencies(&mut self, id: Id, it: &Struct) -> Checked<()> {
        if let Kind::Item(Parent::Nested(parent)) = it.kind {
            return self.need(id, parent, it);
        }
        if let Some(origin) = it.origin {
            self.need(id, origin, it)?;
        }
        match it.right_origin {
            Some(right_origin) => self.need(id, right_origin, it),
            None => Ok(()),
        }
    }

    /// Notes that the struct `id` needs `of`. Earlier structs of its own client are there when its turn comes.
    #[inline(always)]
    fn need(&mut self, id: Id, of: Id, it: &Struct) -> Checked<()> {
        if of.client == id.client {
            if of.clock >= id.clock {
                return Err(Refusal::new(
                    "reference to itself or to what its client wrote later",
                    it.bytes.start,
                ));
            }
            return Ok(());
        }
        let Some(clocks) = self.clocks else {
            return Ok(());
        };
        let settled = &mut self.settled[of.client as usize % SETTLED];
        if settled.client == of.client && of.clock < settled.clock {
            return Ok(());
        }
        let mut known = clocks.get(of.client);
        if of.clock >= known {
            self.summary.needs.push(Need { at: id.clock, of });
            known = of.clock + 1;
        }
        *settled = Id {
            client: of.client,
            clock: known,
        };
        Ok(())
    }

    fn delete_set(&mut self) -> Checked<()> {
        let start = self.reader.offset();
        let mut clients = Clients::default();
        for _ in 0..self.reader.count(2)? {
            let client = self.reader.client()?;
            clients.add(client, self.reader.offset());
            let mut known = self.clocks.map_or(u32::MAX, |clocks| clocks.get(client));
            let mut end = 0;
            for _ in 0..self.reader.count(2)? {
                let clock = self.reader.u31()?;
                let len = self.reader.u31()?;
                if len == 0 {
                    return self.reader.refuse("deleted range of length 0");
                }
                if clock + len >= 1 << 31 {
                    return self.reader.refuse("clock not below 2^31");
                }
                end = end.max(clock + len);
            }
            if end > known {
                known = known.max(self.end_of(client));
            }
            self.summary.deletes_unknown |= end > known;
        }
        clients.check(self.reader.offset())?;
        self.summary.delete_set = start..self.reader.offset();
        Ok(())
    }

    /// Where the structs of a client in this update end.
    fn end_of(&self, client: u64) -> u32 {
        let runs = &self.summary.runs;
        // Sections come in descending order. If not, a run may be overlooked, which costs time and nothing else.
        let found = if runs.len() > 8 {
            let at = runs.partition_point(|run| run.client > client);
            runs.get(at).filter(|run| run.client == client)
        } else {
            runs.iter().find(|run| run.client == client)
        };
        found.map_or(0, |run| run.end)
    }
}

/// Reads a state vector and keeps what `local` knows of: a peer may name as many clients as it likes, but
/// only those that this document holds change what it is sent.
pub fn read_state_vector(bytes: &[u8], local: &StateVector) -> Checked<StateVector> {
    let mut reader = Reader::new(bytes);
    let mut clients = Clients::default();
    let mut known = StateVector::default();
    for _ in 0..reader.count(2)? {
        let client = reader.client()?;
        clients.add(client, reader.offset());
        let clock = reader.u31()?;
        let client = ClientID::new(client);
        if local.contains_client(&client) {
            known.set_max(client, clock);
        }
    }
    clients.check(reader.offset())?;
    Ok(known)
}
