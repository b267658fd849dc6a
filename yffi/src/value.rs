//! Values across the boundary: lib0's `Any` encoding, extended by tags for shared types.
//!
//! Inwards the tags carry whole trees of new shared types, outwards references to existing ones:
//!
//! | tag | inwards | outwards |
//! |---|---|---|
//! | 1 | text: count, delta operations | |
//! | 2 | map: count, (key, value) … | |
//! | 3 | array: count, value … | |
//! | 4 | | nested shared type: kind, client, clock |
//! | 5 | | subdocument: guid |
//!
//! A delta operation is 1 (insert: value, attributes), 2 (delete: length) or 3 (retain: length, attributes);
//! attributes are a count and (key, value) pairs.

use crate::array;
use crate::branch::{kind_of, YffiKind};
use crate::error::{Failure, Result, YffiCode};
use crate::limits;
use crate::local::Values;
use crate::transaction::YffiTxn;
use crate::wire::{write_bytes, write_var, Reader};
use crate::with_txn;
use crate::xml;
use std::collections::HashMap;
use std::sync::Arc;
use yrs::branch::BranchPtr;
use yrs::types::text::DeltaPrelim;
use yrs::types::{Attrs, Delta};
use yrs::{
    Any, ArrayPrelim, BranchID, GetString, In, Map, MapPrelim, MapRef, Number, Out, TextRef,
};

pub(crate) const TAG_TEXT: u8 = 1;
pub(crate) const TAG_MAP: u8 = 2;
pub(crate) const TAG_ARRAY: u8 = 3;
pub(crate) const TAG_SHARED: u8 = 4;
pub(crate) const TAG_SUBDOC: u8 = 5;

pub(crate) const OP_INSERT: u8 = 1;
pub(crate) const OP_DELETE: u8 = 2;
pub(crate) const OP_RETAIN: u8 = 3;

pub type DeltaOp = Delta<In>;

/// How deep values nest, shared or plain.
pub(crate) const MAX_DEPTH: usize = limits::DEFAULT.value_depth as usize;

/// Decodes one value, noting in `noted` what it consists of.
pub fn decode(reader: &mut Reader<'_>, noted: &mut Values) -> Result<In> {
    decode_at(reader, noted, MAX_DEPTH)
}

fn decode_at(reader: &mut Reader<'_>, noted: &mut Values, depth: usize) -> Result<In> {
    let tag = reader.u8()?;
    if matches!(tag, TAG_TEXT | TAG_MAP | TAG_ARRAY) {
        if depth == 0 {
            return Err(too_deep());
        }
        noted.levels = noted.levels.max((MAX_DEPTH - depth + 1) as u16);
    }
    Ok(match tag {
        TAG_TEXT => {
            let count = reader.count(1)?;
            let mut delta = Vec::with_capacity(count);
            for _ in 0..count {
                delta.push(decode_op(reader, noted, depth - 1)?);
            }
            In::Text(text_prelim(delta))
        }
        TAG_MAP => {
            let mut entries = Vec::new();
            for _ in 0..reader.count(2)? {
                let key: Arc<str> = reader.string()?.into();
                entries.push((key, decode_at(reader, noted, depth - 1)?));
            }
            In::Map(entries.into_iter().collect::<MapPrelim>())
        }
        TAG_ARRAY => {
            let mut values = Vec::new();
            for _ in 0..reader.count(1)? {
                values.push(decode_at(reader, noted, depth - 1)?);
            }
            In::Array(values.into_iter().collect::<ArrayPrelim>())
        }
        plain => In::Any(decode_any(reader, plain, MAX_DEPTH)?),
    })
}

fn too_deep() -> Failure {
    Failure::new(
        YffiCode::TooLarge,
        format_args!("value nested more than {MAX_DEPTH} levels deep"),
    )
}

/// yrs offers no constructor for a text with a delta, but copies one from its parts.
fn text_prelim(delta: Vec<DeltaOp>) -> DeltaPrelim {
    let mut prelim = DeltaPrelim::default();
    // SAFETY: `DeltaPrelim` is `repr(transparent)` over exactly this vector.
    unsafe { *(&mut prelim as *mut DeltaPrelim).cast::<Vec<DeltaOp>>() = delta };
    prelim
}

fn decode_any(reader: &mut Reader<'_>, tag: u8, depth: usize) -> Result<Any> {
    Ok(match tag {
        127 => Any::Undefined,
        126 => Any::Null,
        125 => Any::Number(Number::Int(signed(reader)?)),
        124 => Any::Number(Number::Float(f64::from(f32::from_be_bytes(fixed(reader)?)))),
        123 => Any::Number(Number::Float(f64::from_be_bytes(fixed(reader)?))),
        122 => Any::Number(Number::Int(i64::from_be_bytes(fixed(reader)?))),
        121 => Any::Bool(false),
        120 => Any::Bool(true),
        119 => Any::String(reader.string()?.into()),
        116 => Any::Buffer(reader.bytes()?.into()),
        117 | 118 if depth == 0 => return Err(too_deep()),
        118 => {
            let mut map = HashMap::new();
            for _ in 0..reader.count(2)? {
                let key = reader.string()?.to_owned();
                let tag = reader.u8()?;
                map.insert(key, decode_any(reader, tag, depth - 1)?);
            }
            Any::Map(Arc::new(map))
        }
        117 => {
            let mut values = Vec::new();
            for _ in 0..reader.count(1)? {
                let tag = reader.u8()?;
                values.push(decode_any(reader, tag, depth - 1)?);
            }
            Any::Array(values.into())
        }
        _ => return Ok(reader.refuse("unknown value")?),
    })
}

fn fixed<const N: usize>(reader: &mut Reader<'_>) -> Result<[u8; N]> {
    let mut out = [0; N];
    out.copy_from_slice(reader.take(N)?);
    Ok(out)
}

fn signed(reader: &mut Reader<'_>) -> Result<i64> {
    let first = reader.u8()?;
    let mut value = i64::from(first & 0x3f);
    let mut shift = 6;
    let mut more = first & 0x80 != 0;
    while more {
        let byte = reader.u8()?;
        if shift > 55 {
            return Ok(reader.refuse("integer too long")?);
        }
        value |= i64::from(byte & 0x7f) << shift;
        shift += 7;
        more = byte & 0x80 != 0;
    }
    Ok(if first & 0x40 != 0 { -value } else { value })
}

fn attributes(reader: &mut Reader<'_>) -> Result<Attrs> {
    let mut attributes = Attrs::new();
    for _ in 0..reader.count(2)? {
        let key = reader.string()?.into();
        let tag = reader.u8()?;
        attributes.insert(key, decode_any(reader, tag, MAX_DEPTH)?);
    }
    Ok(attributes)
}

/// Decodes the attributes of a text range.
pub fn decode_attributes(bytes: &[u8]) -> Result<Attrs> {
    attributes(&mut Reader::new(bytes))
}

fn decode_op(reader: &mut Reader<'_>, noted: &mut Values, depth: usize) -> Result<DeltaOp> {
    let some = |attrs: Attrs| (!attrs.is_empty()).then(|| Box::new(attrs));
    Ok(match reader.u8()? {
        OP_INSERT => {
            let value = decode_at(reader, noted, depth)?;
            if let In::Any(Any::String(text)) = &value {
                noted.contents.note_text(text);
            }
            Delta::Inserted(value, some(attributes(reader)?))
        }
        OP_DELETE => Delta::Deleted(reader.u31()?),
        OP_RETAIN => Delta::Retain(reader.u31()?, some(attributes(reader)?)),
        _ => return Ok(reader.refuse("unknown delta operation")?),
    })
}

/// Decodes the operations of a delta up to the end of `reader`.
pub fn decode_delta(reader: &mut Reader<'_>, noted: &mut Values) -> Result<Vec<DeltaOp>> {
    let mut delta = Vec::new();
    while reader.remaining() > 0 {
        delta.push(decode_op(reader, noted, MAX_DEPTH)?);
    }
    Ok(delta)
}

/// Encodes a value; shared types become references.
pub fn encode(value: &Out, out: &mut Vec<u8>) {
    match value {
        Out::Any(any) => any.encode(out),
        Out::YDoc(doc) => {
            out.push(TAG_SUBDOC);
            write_bytes(out, doc.guid().as_bytes());
        }
        shared => match shared.try_branch() {
            Some(branch) => {
                out.push(TAG_SHARED);
                encode_ref(branch.into(), out);
            }
            None => Any::Undefined.encode(out),
        },
    }
}

/// Encodes which shared type `branch` is: its kind, then 0 and a name for a root, or 1, client and clock.
/// In a value it is always nested, so the 0 or 1 tells nothing there and costs a byte.
pub fn encode_ref(branch: BranchPtr, out: &mut Vec<u8>) {
    out.push(kind_of(branch.type_ref()) as u8);
    match branch.id() {
        BranchID::Root(name) => {
            out.push(0);
            write_bytes(out, name.as_bytes());
        }
        BranchID::Nested(id) => {
            out.push(1);
            write_var(out, id.client.get());
            write_var(out, u64::from(id.clock));
        }
    }
}

/// Encodes an insertion of a delta.
pub fn encode_insert(value: &Out, attributes: Option<&Attrs>, out: &mut Vec<u8>) {
    out.push(OP_INSERT);
    encode(value, out);
    encode_attributes(attributes, out);
}

/// Encodes attributes in the order of their keys.
pub fn encode_attributes(attributes: Option<&Attrs>, out: &mut Vec<u8>) {
    let mut entries: Vec<_> = attributes.into_iter().flatten().collect();
    entries.sort_unstable_by_key(|(key, _)| *key);
    write_var(out, entries.len() as u64);
    for (key, value) in entries {
        write_bytes(out, key.as_bytes());
        value.encode(out);
    }
}

/// Encodes `branch`, read as `kind`, and all below it as plain values. A root that came with an update has
/// no kind of its own until a write transaction names it. The nesting is bounded; see `nesting.rs`.
pub fn export(txn: &YffiTxn, branch: BranchPtr, kind: YffiKind, out: &mut Vec<u8>) -> Result<()> {
    match kind {
        YffiKind::Map => export_map(txn, branch, out),
        YffiKind::Array => {
            let values = array::read_all(txn, branch)?;
            out.push(117);
            write_var(out, values.len() as u64);
            values
                .iter()
                .try_for_each(|value| export_value(txn, value, out))
        }
        kind => {
            export_string(txn, branch, kind, out);
            Ok(())
        }
    }
}

fn export_map(txn: &YffiTxn, branch: BranchPtr, out: &mut Vec<u8>) -> Result<()> {
    let map = MapRef::from(branch);
    let mut entries: Vec<(String, Out)> = with_txn!(&txn.access, t => {
        map.iter(t).map(|(key, value)| (key.to_owned(), value)).collect()
    });
    entries.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    out.push(118);
    write_var(out, entries.len() as u64);
    for (key, value) in &entries {
        write_bytes(out, key.as_bytes());
        export_value(txn, value, out)?;
    }
    Ok(())
}

fn export_value(txn: &YffiTxn, value: &Out, out: &mut Vec<u8>) -> Result<()> {
    match value.try_branch() {
        Some(branch) => {
            let kind = kind_of(branch.type_ref());
            export(txn, branch.into(), kind, out)
        }
        None => {
            encode(value, out);
            Ok(())
        }
    }
}

/// Text as its characters, XML as markup; what has neither is undefined.
fn export_string(txn: &YffiTxn, branch: BranchPtr, kind: YffiKind, out: &mut Vec<u8>) {
    let mut string = String::new();
    with_txn!(&txn.access, t => match kind {
        YffiKind::Text => string = TextRef::from(branch).get_string(t),
        YffiKind::XmlText | YffiKind::XmlElement | YffiKind::XmlFragment => {
            xml::print(t, branch, &mut string);
        }
        _ => return Any::Undefined.encode(out),
    });
    out.push(119);
    write_bytes(out, string.as_bytes());
}
