//! Reading lib0 primitives that come from outside: every read is checked, nothing is allocated.

use crate::error::Failure;
use crate::json;
use std::fmt;
use std::ops::Range;

/// Why bytes are refused: a rule and the offset of the byte that breaks it. It is boxed, because then the result of
/// reading a number fits into registers.
#[derive(Debug, PartialEq, Eq)]
pub struct Refusal(Box<(&'static str, usize)>);

impl Refusal {
    #[cold]
    pub fn new(rule: &'static str, offset: usize) -> Self {
        Refusal(Box::new((rule, offset)))
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (rule, offset) = *self.0;
        write!(f, "{rule} at byte {offset}")
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Failure::malformed(refusal)
    }
}

pub type Checked<T> = Result<T, Refusal>;

/// A position in bytes that nobody vouches for.
pub struct Reader<'a> {
    bytes: &'a [u8],
    rest: &'a [u8],
    usual: Usual,
    maps: usize,
}

/// The client that comes most often, as it is written: comparing is faster than decoding.
#[derive(Default)]
struct Usual {
    client: u64,
    word: u64,
    mask: u64,
    len: usize,
}

/// The bits that say of a byte of a variable-length integer that another one follows.
const CONTINUATIONS: u64 = 0x8080_8080_8080_8080;

/// Joins the lower seven bits of eight bytes: pairs first, then pairs of pairs.
#[inline(always)]
fn join_groups(word: u64) -> u64 {
    let word = word & !CONTINUATIONS;
    let word = (word & 0x007f_007f_007f_007f) | ((word & 0x7f00_7f00_7f00_7f00) >> 1);
    let word = (word & 0x0000_3fff_0000_3fff) | ((word & 0x3fff_0000_3fff_0000) >> 2);
    (word & 0x0000_0000_0fff_ffff) | ((word & 0x0fff_ffff_0000_0000) >> 4)
}

/// As `is_ascii` of the standard library, which is made for longer texts than most structs hold.
#[inline(always)]
pub fn is_ascii(bytes: &[u8]) -> bool {
    let word = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"));
    match bytes.len() {
        0..=7 => bytes.iter().fold(0, |all, byte| all | byte) < 0x80,
        len @ 8..=16 => (word(0) | word(len - 8)) & CONTINUATIONS == 0,
        _ => bytes.is_ascii(),
    }
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Reader {
            bytes,
            rest: bytes,
            usual: Usual::default(),
            maps: 0,
        }
    }

    pub fn offset(&self) -> usize {
        self.bytes.len() - self.rest.len()
    }

    /// A part of the bytes that was read before.
    pub fn part(&self, range: Range<usize>) -> &'a [u8] {
        &self.bytes[range]
    }

    /// How many maps that hold something were among the plain values.
    pub fn maps(&self) -> usize {
        self.maps
    }

    pub fn remaining(&self) -> usize {
        self.rest.len()
    }

    #[cold]
    pub fn refuse<T>(&self, rule: &'static str) -> Checked<T> {
        Err(Refusal::new(rule, self.offset()))
    }

    #[inline(always)]
    pub fn u8(&mut self) -> Checked<u8> {
        match self.rest.split_first() {
            Some((byte, rest)) => {
                self.rest = rest;
                Ok(*byte)
            }
            None => self.refuse("unexpected end"),
        }
    }

    /// A variable-length integer below `2^BITS`, in no more bytes than it needs for that many bits.
    /// yrs wraps what is longer, so that it would read another number than the one checked here.
    #[inline(always)]
    fn varint<const BITS: u32>(&mut self, rule: &'static str) -> Checked<u64> {
        let Some(word) = self.rest.first_chunk() else {
            return self.varint_near_end::<BITS>(rule);
        };
        let word = u64::from_le_bytes(*word);
        if word & 0x80 == 0 {
            self.rest = &self.rest[1..];
            return Ok(word & 0x7f);
        }
        let last = (!word & CONTINUATIONS).trailing_zeros() / 8; // 8 if there is none
        if last < BITS.div_ceil(7) {
            let value = join_groups(word & (u64::MAX >> (56 - 8 * last)));
            if value >> BITS == 0 {
                self.rest = &self.rest[last as usize + 1..];
                return Ok(value);
            }
        }
        self.refuse_varint::<BITS>(rule)
    }

    /// As `varint`, where fewer than eight bytes are left.
    #[inline(never)]
    fn varint_near_end<const BITS: u32>(&mut self, rule: &'static str) -> Checked<u64> {
        let mut value = 0u64;
        for (index, &byte) in self.rest.iter().take(BITS.div_ceil(7) as usize).enumerate() {
            value |= u64::from(byte & 0x7f) << (7 * index);
            if byte < 0x80 {
                if value >> BITS != 0 {
                    break;
                }
                self.rest = &self.rest[index + 1..];
                return Ok(value);
            }
        }
        self.refuse_varint::<BITS>(rule)
    }

    #[cold]
    fn refuse_varint<const BITS: u32>(&mut self, rule: &'static str) -> Checked<u64> {
        let longest = BITS.div_ceil(7) as usize;
        if self.rest.len() < longest && self.rest.iter().all(|byte| *byte >= 0x80) {
            self.rest = &[];
            return self.refuse("unexpected end");
        }
        self.refuse(rule)
    }

    /// A clock, length or count: below 2^31, because yrs computes with 32-bit differences.
    #[inline(always)]
    pub fn u31(&mut self) -> Checked<u32> {
        Ok(self.varint::<31>("number not below 2^31")? as u32)
    }

    /// A client id: below 2^53, as in JavaScript; yrs would cut it silently.
    #[inline(always)]
    pub fn client(&mut self) -> Checked<u64> {
        self.varint::<53>("client id above 53 bits")
    }

    /// As `client`, and expects this one to come often from now on.
    pub fn usual_client(&mut self) -> Checked<u64> {
        let start = self.rest;
        let client = self.client()?;
        let len = start.len() - self.rest.len();
        self.usual = match start.first_chunk() {
            Some(word) => {
                let mask = u64::MAX >> (64 - 8 * len);
                Usual {
                    client,
                    word: u64::from_le_bytes(*word) & mask,
                    mask,
                    len,
                }
            }
            None => Usual::default(),
        };
        Ok(client)
    }

    /// As `client`, faster for the usual one.
    #[inline(always)]
    pub fn probable_client(&mut self) -> Checked<u64> {
        if let Some(word) = self.rest.first_chunk() {
            let usual = &self.usual;
            if u64::from_le_bytes(*word) & usual.mask == usual.word && usual.len > 0 {
                self.rest = &self.rest[usual.len..];
                return Ok(usual.client);
            }
        }
        self.client()
    }

    /// A signed integer of lib0. Only its extent matters here.
    fn skip_signed(&mut self) -> Checked<()> {
        for _ in 0..9 {
            if self.u8()? < 0x80 {
                return Ok(());
            }
        }
        self.refuse("integer too long")
    }

    /// A count of things that take at least `min_size` bytes each.
    pub fn count(&mut self, min_size: usize) -> Checked<usize> {
        let start = self.rest;
        let count = self.u31()? as usize;
        if count > self.remaining() / min_size {
            self.rest = start;
            return self.refuse("count above the bytes that remain");
        }
        Ok(count)
    }

    #[inline(always)]
    pub fn take(&mut self, len: usize) -> Checked<&'a [u8]> {
        match self.rest.split_at_checked(len) {
            Some((taken, rest)) => {
                self.rest = rest;
                Ok(taken)
            }
            None => self.refuse("length above the bytes that remain"),
        }
    }

    #[inline(always)]
    pub fn bytes(&mut self) -> Checked<&'a [u8]> {
        let len = self.u31()? as usize;
        self.take(len)
    }

    /// A plain value of lib0, at most `depth` levels deep. Only its extent matters here.
    pub fn any(&mut self, depth: usize) -> Checked<()> {
        match self.u8()? {
            120 | 121 | 126 | 127 => Ok(()),     // booleans, null, undefined
            122 | 123 => self.take(8).map(drop), // BigInt, float64
            124 => self.take(4).map(drop),       // float32
            125 => self.skip_signed(),
            119 => self.string().map(drop),
            116 => self.bytes().map(drop),
            tag @ (117 | 118) => {
                if depth == 0 {
                    return self.refuse("value nested too deeply");
                }
                let keyed = tag == 118;
                let count = self.count(if keyed { 2 } else { 1 })?;
                self.maps += usize::from(keyed && count > 0);
                for _ in 0..count {
                    if keyed {
                        self.string()?;
                    }
                    self.any(depth - 1)?;
                }
                Ok(())
            }
            _ => self.refuse("unknown value"),
        }
    }

    /// A string of JSON, whose lists and maps nest at most `depth` levels deep. Whether it is JSON is not checked.
    pub fn json(&mut self, depth: usize) -> Checked<&'a str> {
        let start = self.rest;
        let text = self.string()?;
        if json::nesting(text.as_bytes()) > depth {
            self.rest = start;
            return self.refuse("value nested too deeply");
        }
        Ok(text)
    }

    pub fn string(&mut self) -> Checked<&'a str> {
        Ok(self.text()?.0)
    }

    /// As `string`, and tells whether it is all ASCII.
    #[inline(always)]
    pub fn text(&mut self) -> Checked<(&'a str, bool)> {
        let start = self.offset();
        let bytes = self.bytes()?;
        if is_ascii(bytes) {
            // SAFETY: ASCII is UTF-8, and faster to recognise.
            return Ok((unsafe { std::str::from_utf8_unchecked(bytes) }, true));
        }
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok((text, false)),
            Err(_) => Err(Refusal::new("string is not UTF-8", start)),
        }
    }
}

/// Appends an unsigned variable-length integer.
pub fn write_var(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a length and that many bytes.
pub fn write_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    write_var(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_yrs_would_wrap_are_refused() {
        assert_eq!(
            Reader::new(&[0xff, 0xff, 0xff, 0xff, 0x07]).u31().unwrap(),
            (1 << 31) - 1
        );
        assert!(
            Reader::new(&[0x80, 0x80, 0x80, 0x80, 0x08]).u31().is_err(),
            "2^31"
        );
        assert!(
            Reader::new(&[0x80, 0x80, 0x80, 0x80, 0x80, 0x00])
                .u31()
                .is_err(),
            "overlong"
        );
        for value in (0..53).flat_map(|bit| [1u64 << bit, (1 << bit) - 1, (1 << bit) + 1]) {
            let mut bytes = Vec::new();
            write_var(&mut bytes, value);
            for behind in [0, 9] {
                bytes.resize(bytes.len() + behind, 0xff);
                assert_eq!(Reader::new(&bytes).client().unwrap(), value);
            }
        }
        let max = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f];
        assert_eq!(Reader::new(&max).client().unwrap(), (1 << 53) - 1);
        assert!(
            Reader::new(&[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10])
                .client()
                .is_err()
        );
    }

    #[test]
    fn lengths_are_checked_before_use() {
        assert!(Reader::new(&[5, b'a']).bytes().is_err());
        assert!(Reader::new(&[3, 0, 0, 0]).count(2).is_err());
        assert_eq!(Reader::new(&[2, 0, 0, 0, 0]).count(2).unwrap(), 2);
        let refusal = Reader::new(&[2, 0xff, 0xfe]).string().unwrap_err();
        assert_eq!(refusal.to_string(), "string is not UTF-8 at byte 0");
    }
}
