//! Writing structs anew: what is known already cut off, and contents that yrs misreads in another encoding.

use crate::gate::Summary;
use crate::json::{as_javascript, readable};
use crate::limits::YffiLimits;
use crate::structs::{
    read_struct, Contents, Id, Kind, Struct, ANY, CONTENT_MASK, DELETED, EMBED, FORMAT, HAS_ORIGIN,
    HAS_PARENT_SUB, HAS_RIGHT_ORIGIN, JSON, STRING,
};
use crate::wire::{write_bytes, write_var, Checked, Reader, Refusal};
use yrs::Any;

/// Writes a tombstone that not even says where it was: what Yjs makes of an item without a parent.
pub fn write_gc(out: &mut Vec<u8>, len: u32) {
    out.push(0);
    write_var(out, u64::from(len));
}

/// Writes what follows the first `known` units of a struct that begins at `id`. `update` holds the struct.
pub fn write_rest(out: &mut Vec<u8>, update: &[u8], it: &Struct, id: Id, known: u32) {
    if known == 0 {
        return out.extend_from_slice(&update[it.bytes.clone()]);
    }
    if it.kind == Kind::Gc {
        return write_gc(out, it.len - known);
    }
    // Its left neighbour is the unit before, and that says where it belongs.
    out.push(HAS_ORIGIN | it.info & (HAS_RIGHT_ORIGIN | HAS_PARENT_SUB | CONTENT_MASK));
    write_id(
        out,
        Id {
            client: id.client,
            clock: id.clock + known - 1,
        },
    );
    if let Some(right) = it.right_origin {
        write_id(out, right);
    }
    write_content_rest(out, &update[it.content..it.bytes.end], it, known);
}

fn write_id(out: &mut Vec<u8>, id: Id) {
    write_var(out, id.client);
    write_var(out, u64::from(id.clock));
}

/// Only contents of more than one unit can be cut.
fn write_content_rest(out: &mut Vec<u8>, content: &[u8], it: &Struct, known: u32) {
    const CHECKED: &str = "the struct was read before";
    let mut reader = Reader::new(content);
    match it.info & CONTENT_MASK {
        DELETED => write_var(out, u64::from(it.len - known)),
        STRING => {
            let text = reader.string().expect(CHECKED);
            write_bytes(out, text_after(text, known).as_bytes());
        }
        ANY => {
            reader.u31().expect(CHECKED);
            for _ in 0..known {
                reader.any(usize::MAX).expect(CHECKED);
            }
            write_var(out, u64::from(it.len - known));
            out.extend_from_slice(&content[reader.offset()..]);
        }
        _ => unreachable!("content of one unit"),
    }
}

/// `text` without its first `units` UTF-16 code units. Half a surrogate pair becomes a replacement character, as
/// in Yjs.
fn text_after(text: &str, units: u32) -> String {
    let mut left = units as usize;
    let mut rest = text.chars();
    while left > 0 {
        match rest.next() {
            Some(character) if character.len_utf16() > left => {
                return format!("{}{}", char::REPLACEMENT_CHARACTER, rest.as_str());
            }
            Some(character) => left -= character.len_utf16(),
            None => break,
        }
    }
    rest.as_str().to_owned()
}

/// Writes an update anew where yrs misreads what Yjs does not: the JSON contents of old versions as plain values, and
/// replacement characters for halves of surrogate pairs in embeds and attributes.
pub fn as_yrs_reads(update: &[u8], summary: &Summary, limits: &YffiLimits) -> Checked<Vec<u8>> {
    let mut out = Vec::with_capacity(update.len() + update.len() / 8);
    let mut reader = Reader::new(update);
    let sections = reader.count(1)?;
    write_var(&mut out, sections as u64);
    let mut it = Struct::default();
    for _ in 0..sections {
        let structs = reader.count(1)?;
        write_var(&mut out, structs as u64);
        write_var(&mut out, reader.client()?);
        write_var(&mut out, u64::from(reader.u31()?));
        for _ in 0..structs {
            read_struct(&mut reader, limits, &mut Contents::default(), &mut it)?;
            match (it.kind, it.info & CONTENT_MASK) {
                (Kind::Item(_), JSON) => write_values(&mut out, update, &it)?,
                (Kind::Item(_), EMBED | FORMAT) => write_readable(&mut out, update, &it)?,
                _ => out.extend_from_slice(&update[it.bytes.clone()]),
            }
        }
    }
    out.extend_from_slice(&update[summary.delete_set.clone()]);
    Ok(out)
}

/// Writes an embed or an attribute, whose JSON is the last that it holds.
fn write_readable(out: &mut Vec<u8>, update: &[u8], it: &Struct) -> Checked<()> {
    let mut reader = Reader::new(&update[it.content..it.bytes.end]);
    if it.info & CONTENT_MASK == FORMAT {
        reader.string()?;
    }
    out.extend_from_slice(&update[it.bytes.start..it.content + reader.offset()]);
    write_bytes(out, readable(reader.string()?).as_bytes());
    Ok(())
}

/// Writes an item that holds JSON texts as one that holds their values.
fn write_values(out: &mut Vec<u8>, update: &[u8], it: &Struct) -> Checked<()> {
    out.push(it.info & !CONTENT_MASK | ANY);
    out.extend_from_slice(&update[it.bytes.start + 1..it.content]);
    write_var(out, u64::from(it.len));
    let mut reader = Reader::new(&update[it.content..it.bytes.end]);
    reader.u31()?;
    for _ in 0..it.len {
        let offset = it.content + reader.offset();
        let value = match reader.string()? {
            "undefined" => Any::Undefined,
            text => Any::from_json(&as_javascript(text))
                .map_err(|_| Refusal::new("content is not JSON", offset))?,
        };
        value.encode(out);
    }
    Ok(())
}

/// Calls `each` with client, start and end of every deleted range. The gate has walked these bytes.
pub fn for_each_deletion(delete_set: &[u8], mut each: impl FnMut(u64, u32, u32)) {
    const CHECKED: &str = "the delete set was read before";
    let mut reader = Reader::new(delete_set);
    for _ in 0..reader.u31().expect(CHECKED) {
        let client = reader.client().expect(CHECKED);
        for _ in 0..reader.u31().expect(CHECKED) {
            let clock = reader.u31().expect(CHECKED);
            let len = reader.u31().expect(CHECKED);
            each(client, clock, clock + len);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_surrogate_pair_becomes_a_replacement_character() {
        assert_eq!(text_after("a😀b", 1), "😀b");
        assert_eq!(text_after("a😀b", 2), "\u{fffd}b");
        assert_eq!(text_after("a😀b", 3), "b");
    }
}
