//! The structs of an update in v1 encoding: where each begins and ends, and what it refers to.
//!
//! Reading allocates nothing and goes through the bytes exactly as yrs will, so that both see the same structs.

use crate::json::is_misread;
use crate::limits::YffiLimits;
use crate::wire::{is_ascii, Checked, Reader};
use std::ops::Range;

pub(crate) const HAS_ORIGIN: u8 = 0x80;
pub(crate) const HAS_RIGHT_ORIGIN: u8 = 0x40;
pub(crate) const HAS_PARENT_SUB: u8 = 0x20;
pub(crate) const CONTENT_MASK: u8 = 0x0f;

const GC: u8 = 0;
const SKIP: u8 = 10;

pub(crate) const DELETED: u8 = 1;
pub(crate) const JSON: u8 = 2;
pub(crate) const BINARY: u8 = 3;
pub(crate) const STRING: u8 = 4;
pub(crate) const EMBED: u8 = 5;
pub(crate) const FORMAT: u8 = 6;
pub(crate) const TYPE: u8 = 7;
pub(crate) const ANY: u8 = 8;
pub(crate) const DOC: u8 = 9;

/// One unit of what a client has written.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id {
    pub client: u64,
    pub clock: u32,
}

impl From<yrs::ID> for Id {
    fn from(id: yrs::ID) -> Self {
        Id {
            client: id.client.get(),
            clock: id.clock,
        }
    }
}

/// Where an item says that it belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parent {
    Root,
    /// The shared type that this item holds.
    Nested(Id),
    /// Where this item, its left or right origin, belongs.
    Beside(Id),
}

impl Parent {
    /// The item that it is told by.
    pub fn reference(self) -> Option<Id> {
        match self {
            Parent::Root => None,
            Parent::Nested(id) | Parent::Beside(id) => Some(id),
        }
    }
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    #[default]
    Gc,
    Skip,
    Item(Parent),
}

/// One struct of an update.
#[derive(Debug, Clone, Default)]
pub struct Struct {
    pub kind: Kind,
    pub info: u8,
    /// In clock units; not 0.
    pub len: u32,
    pub origin: Option<Id>,
    pub right_origin: Option<Id>,
    pub bytes: Range<usize>,
    /// Where the content of an item begins.
    pub content: usize,
}

impl Struct {
    /// What has to be there before this struct: an item's neighbours or, if it has none, its parent.
    pub fn dependencies(&self) -> [Option<Id>; 2] {
        match self.kind {
            Kind::Item(Parent::Nested(id)) => [Some(id), None],
            _ => [self.origin, self.right_origin],
        }
    }

    /// Whether it is an item that does not follow what its client wrote just before, as the struct of this id. The
    /// `first` of an update follows something, too, but that has been there for longer.
    pub fn jumps(&self, id: Id, first: bool) -> bool {
        let before = Id {
            clock: id.clock.wrapping_sub(1),
            ..id
        };
        matches!(self.kind, Kind::Item(_)) && (first || self.origin != Some(before))
    }

    /// Whether it holds a shared type.
    pub fn is_type(&self) -> bool {
        self.holds(TYPE)
    }

    /// Whether it holds a subdocument.
    pub fn is_doc(&self) -> bool {
        self.holds(DOC)
    }

    fn holds(&self, content: u8) -> bool {
        matches!(self.kind, Kind::Item(_)) && self.info & CONTENT_MASK == content
    }
}

/// What the contents read so far have in them.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Contents {
    /// Plain values or documents: content that belongs into arrays and maps.
    pub values: bool,
    /// What yrs misreads, and Yjs does not; see `rewrite.rs`.
    pub misread: bool,
    /// Characters that are not ASCII.
    pub non_ascii: bool,
    /// Characters that take two UTF-16 code units.
    pub astral: bool,
}

impl Contents {
    /// Notes which characters `text` holds and returns its length in UTF-16 code units.
    pub fn note_text(&mut self, text: &str) -> u32 {
        if is_ascii(text.as_bytes()) {
            return text.len() as u32;
        }
        self.note_wide(text)
    }

    /// As `note_text`, for a text that is not all ASCII.
    fn note_wide(&mut self, text: &str) -> u32 {
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

/// Reads one struct into `it`: one after another into the same, because moving them costs more than reading.
#[inline(always)]
pub fn read_struct(
    reader: &mut Reader<'_>,
    limits: &YffiLimits,
    contents: &mut Contents,
    it: &mut Struct,
) -> Checked<()> {
    it.bytes.start = reader.offset();
    it.info = reader.u8()?;
    it.origin = None;
    it.right_origin = None;
    match it.info {
        GC | SKIP => {
            it.kind = if it.info == SKIP {
                Kind::Skip
            } else {
                Kind::Gc
            };
            it.len = reader.u31()?;
        }
        info => {
            read_item(reader, it)?;
            it.content = reader.offset();
            it.len = match info & CONTENT_MASK {
                STRING => read_text(reader, contents)?,
                content => read_content(reader, content, limits, contents)?,
            };
        }
    }
    it.bytes.end = reader.offset();
    if it.len == 0 {
        return reader.refuse("struct of length 0");
    }
    Ok(())
}

/// Reads what precedes an item's content.
#[inline(always)]
fn read_item(reader: &mut Reader<'_>, it: &mut Struct) -> Checked<()> {
    if it.info & HAS_ORIGIN != 0 {
        it.origin = Some(read_id(reader)?);
    }
    if it.info & HAS_RIGHT_ORIGIN != 0 {
        it.right_origin = Some(read_id(reader)?);
    }
    let parent = match it.origin.or(it.right_origin) {
        Some(neighbour) => Parent::Beside(neighbour),
        None => {
            let parent = read_parent(reader)?;
            if it.info & HAS_PARENT_SUB != 0 {
                reader.string()?;
            }
            parent
        }
    };
    it.kind = Kind::Item(parent);
    Ok(())
}

#[inline(always)]
fn read_parent(reader: &mut Reader<'_>) -> Checked<Parent> {
    if reader.u31()? == 1 {
        reader.string()?;
        Ok(Parent::Root)
    } else {
        Ok(Parent::Nested(read_id(reader)?))
    }
}

#[inline(always)]
fn read_id(reader: &mut Reader<'_>) -> Checked<Id> {
    Ok(Id {
        client: reader.probable_client()?,
        clock: reader.u31()?,
    })
}

/// Reads text, which most items hold; gives its length in clock units.
#[inline(always)]
fn read_text(reader: &mut Reader<'_>, contents: &mut Contents) -> Checked<u32> {
    let (text, is_ascii) = reader.text()?;
    if is_ascii {
        return Ok(text.len() as u32);
    }
    Ok(contents.note_wide(text))
}

/// Reads an item's content that is no text; gives its length in clock units.
fn read_content(
    reader: &mut Reader<'_>,
    content: u8,
    limits: &YffiLimits,
    contents: &mut Contents,
) -> Checked<u32> {
    let depth = limits.value_depth as usize;
    match content {
        DELETED => return reader.u31(),
        JSON => {
            contents.values = true;
            contents.misread = true;
            let values = reader.count(1)?;
            for _ in 0..values {
                reader.string()?;
            }
            return Ok(values as u32);
        }
        BINARY => {
            contents.values = true;
            reader.bytes()?;
        }
        EMBED => {
            contents.misread |= is_misread(reader.json(depth)?);
        }
        FORMAT => {
            reader.string()?; // a key
            contents.misread |= is_misread(reader.json(depth)?);
        }
        TYPE => read_type(reader)?,
        ANY => {
            contents.values = true;
            let values = reader.count(1)?;
            for _ in 0..values {
                reader.any(depth)?;
            }
            return Ok(values as u32);
        }
        DOC => {
            contents.values = true;
            reader.string()?; // a guid and its options
            reader.any(depth)?;
        }
        _ => return reader.refuse("unknown content"),
    }
    Ok(1)
}

fn read_type(reader: &mut Reader<'_>) -> Checked<()> {
    match reader.u8()? {
        0 | 1 | 2 | 4 | 6 => Ok(()),    // Array, Map, Text, XmlFragment, XmlText
        3 => reader.string().map(drop), // XmlElement with its name
        5 => reader.refuse("XmlHook is not supported"),
        7 => reader.refuse("weak links are not supported"),
        _ => reader.refuse("unknown shared type"),
    }
}
