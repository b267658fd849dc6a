//! The gate: every update and state vector from outside is walked here before yrs sees it.
//!
//! yrs is not memory-safe on hostile updates. The walk is stateless: it allocates nothing by a declared
//! count and refuses the shapes that are known to break yrs whatever the document holds. It reads the bytes
//! exactly as yrs will, so that both see the same structs.

use crate::wire::{Checked, Reader, Refusal};
use smallvec::SmallVec;
use std::ops::Range;
use yrs::{ClientID, StateVector};

/// How deep a plain value may nest. yrs decodes recursively and would run out of stack.
pub(crate) const MAX_VALUE_DEPTH: usize = 64;

const HAS_ORIGIN: u8 = 0x80;
const HAS_RIGHT_ORIGIN: u8 = 0x40;
const HAS_PARENT_SUB: u8 = 0x20;
const CONTENT_MASK: u8 = 0x0f;

const GC: u8 = 0;
const SKIP: u8 = 10;

/// Consecutive structs of one client in an update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    pub client: u64,
    /// The first clock, and the one behind the last.
    pub clock: u32,
    pub end: u32,
    pub structs: usize,
    /// Where the structs are in the update.
    pub bytes: Range<usize>,
}

/// What the walk learnt about an accepted update.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Structs in the update, Skips included.
    pub structs: usize,
    /// Their length in clock units, Skips excluded.
    pub units: u64,
    /// Some item holds plain values or a document: content that belongs into arrays and maps.
    pub values: bool,
    /// The structs, run by run. A Skip ends a run and is in none.
    pub runs: SmallVec<[Run; 1]>,
    /// Where the delete set is.
    pub delete_set: Range<usize>,
    /// There are Skips between the structs.
    pub skips: bool,
    /// There are bytes behind the update. Yjs ignores them.
    pub trailing: bool,
    /// Some string holds a character that is not ASCII.
    pub non_ascii: bool,
    /// Some string holds a character that takes two UTF-16 code units.
    pub astral: bool,
}

impl Summary {
    /// Ends `run`, if it holds anything, and begins the next one.
    fn end_run(&mut self, run: &mut Run, clock: u32, offset: usize) {
        let next = Run {
            client: run.client,
            clock,
            end: clock,
            structs: 0,
            bytes: offset..offset,
        };
        let ended = std::mem::replace(run, next);
        if ended.structs > 0 {
            self.runs.push(ended);
        }
    }

    /// Notes which characters `text` holds and returns its length in UTF-16 code units.
    pub fn note_text(&mut self, text: &str) -> u32 {
        let mut units = 0;
        let mut highest = 0;
        for &byte in text.as_bytes() {
            // Every character has one byte that is no continuation byte (10xxxxxx).
            units += u32::from(byte & 0xc0 != 0x80) + u32::from(byte >= 0xf0);
            highest = highest.max(byte);
        }
        self.non_ascii |= highest >= 0x80;
        self.astral |= highest >= 0xf0;
        units
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

    fn check(mut self, end: usize) -> Checked<()> {
        if !self.unordered {
            return Ok(());
        }
        self.seen.extend(self.last.map(|client| (client, end)));
        self.seen.sort_unstable();
        match self.seen.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            Some(pair) => Err(Refusal {
                rule: "client listed twice",
                offset: pair[1].1,
            }),
            None => Ok(()),
        }
    }
}

/// Walks an update in v1 encoding.
pub fn check_update(bytes: &[u8]) -> Checked<Summary> {
    let mut reader = Reader::new(bytes);
    let mut summary = Summary::default();
    let mut clients = Clients::default();
    // A section takes a count, a client, a clock and one struct of two bytes.
    for _ in 0..reader.count(5)? {
        walk_section(&mut reader, &mut clients, &mut summary)?;
    }
    clients.check(reader.offset())?;
    let start = reader.offset();
    walk_delete_set(&mut reader)?;
    summary.delete_set = start..reader.offset();
    summary.trailing = reader.remaining() > 0;
    Ok(summary)
}

fn walk_section(
    reader: &mut Reader<'_>,
    clients: &mut Clients,
    summary: &mut Summary,
) -> Checked<()> {
    let structs = reader.count(2)?;
    let client = reader.client()?;
    clients.add(client, reader.offset());
    let mut clock = reader.u31()?;
    let mut units = 0;
    let mut run = Run {
        client,
        clock,
        end: clock,
        structs: 0,
        bytes: reader.offset()..reader.offset(),
    };
    for _ in 0..structs {
        let (len, skip) = walk_struct(reader, summary)?;
        if len == 0 {
            return reader.refuse("struct of length 0");
        }
        clock += len;
        if clock >= 1 << 31 {
            return reader.refuse("clock not below 2^31");
        }
        if skip {
            summary.end_run(&mut run, clock, reader.offset());
            summary.skips = true;
        } else {
            units += u64::from(len);
            run.structs += 1;
            run.end = clock;
            run.bytes.end = reader.offset();
        }
    }
    summary.end_run(&mut run, clock, reader.offset());
    if units == 0 {
        return reader.refuse("client section without blocks");
    }
    summary.structs += structs;
    summary.units += units;
    Ok(())
}

/// Walks one struct; gives its length in clock units and whether it is a Skip.
fn walk_struct(reader: &mut Reader<'_>, summary: &mut Summary) -> Checked<(u32, bool)> {
    let info = reader.u8()?;
    if info == GC || info == SKIP {
        return Ok((reader.u31()?, info == SKIP));
    }
    for flag in [HAS_ORIGIN, HAS_RIGHT_ORIGIN] {
        if info & flag != 0 {
            walk_id(reader)?;
        }
    }
    if info & (HAS_ORIGIN | HAS_RIGHT_ORIGIN) == 0 {
        if reader.u31()? == 1 {
            reader.string()?;
        } else {
            walk_id(reader)?;
        }
        if info & HAS_PARENT_SUB != 0 {
            reader.string()?;
        }
    }
    Ok((walk_content(reader, info & CONTENT_MASK, summary)?, false))
}

fn walk_id(reader: &mut Reader<'_>) -> Checked<()> {
    reader.client()?;
    reader.u31()?;
    Ok(())
}

/// Walks an item's content; gives its length in clock units.
fn walk_content(reader: &mut Reader<'_>, content: u8, summary: &mut Summary) -> Checked<u32> {
    match content {
        1 => return reader.u31(), // ContentDeleted
        2 => return reader.refuse("ContentJSON is not supported"),
        3 => {
            summary.values = true;
            reader.bytes()?; // ContentBinary
        }
        4 => return Ok(summary.note_text(reader.string()?)), // ContentString
        5 => {
            reader.string()?; // ContentEmbed, as JSON
        }
        6 => {
            reader.string()?; // ContentFormat: a key and a value as JSON
            reader.string()?;
        }
        7 => walk_type(reader)?, // ContentType
        8 => {
            summary.values = true;
            let values = reader.count(1)?; // ContentAny
            for _ in 0..values {
                walk_any(reader, MAX_VALUE_DEPTH)?;
            }
            return Ok(values as u32);
        }
        9 => {
            summary.values = true;
            reader.string()?; // ContentDoc: a guid and its options
            walk_any(reader, MAX_VALUE_DEPTH)?;
        }
        _ => return reader.refuse("unknown content"),
    }
    Ok(1)
}

fn walk_type(reader: &mut Reader<'_>) -> Checked<()> {
    match reader.u8()? {
        0 | 1 | 2 | 4 | 6 => Ok(()),    // Array, Map, Text, XmlFragment, XmlText
        3 => reader.string().map(drop), // XmlElement with its name
        5 => reader.refuse("XmlHook is not supported"),
        7 => reader.refuse("weak links are not supported"),
        _ => reader.refuse("unknown shared type"),
    }
}

/// Walks a plain value, at most `depth` levels deep.
fn walk_any(reader: &mut Reader<'_>, depth: usize) -> Checked<()> {
    match reader.u8()? {
        120 | 121 | 126 | 127 => Ok(()),       // booleans, null, undefined
        122 | 123 => reader.take(8).map(drop), // BigInt, float64
        124 => reader.take(4).map(drop),       // float32
        125 => reader.skip_signed(),
        119 => reader.string().map(drop),
        116 => reader.bytes().map(drop),
        tag @ (117 | 118) => {
            if depth == 0 {
                return reader.refuse("value nested too deeply");
            }
            let keyed = tag == 118;
            for _ in 0..reader.count(if keyed { 2 } else { 1 })? {
                if keyed {
                    reader.string()?;
                }
                walk_any(reader, depth - 1)?;
            }
            Ok(())
        }
        _ => reader.refuse("unknown value"),
    }
}

fn walk_delete_set(reader: &mut Reader<'_>) -> Checked<()> {
    let mut clients = Clients::default();
    for _ in 0..reader.count(2)? {
        let client = reader.client()?;
        clients.add(client, reader.offset());
        for _ in 0..reader.count(2)? {
            let clock = reader.u31()?;
            let len = reader.u31()?;
            if len == 0 {
                return reader.refuse("deleted range of length 0");
            }
            if clock + len >= 1 << 31 {
                return reader.refuse("clock not below 2^31");
            }
        }
    }
    clients.check(reader.offset())
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
