//! Sequences as the tests write them.

use std::io::{self, ErrorKind, Read};

/// Updates for one document, and how that is made and used.
pub struct Sequence {
    pub client_id: u64,
    /// The seed of local edits between the updates; 0 stands for none.
    pub edits: u64,
    pub skip_gc: bool,
    pub bytes: bool,
    pub observe: bool,
    pub in_txn: bool,
    /// How many microseconds each update may take; 0 stands for as many as it takes.
    pub budget: u64,
    pub updates: Vec<Vec<u8>>,
}

/// Reads the next sequence; none is left at the end of the input.
pub fn read(input: &mut impl Read) -> io::Result<Option<Sequence>> {
    let mut size = [0; 4];
    match input.read_exact(&mut size) {
        Err(e) if e.kind() == ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    let mut data = vec![0; u32::from_le_bytes(size) as usize];
    input.read_exact(&mut data)?;
    Ok(Some(parse(&data).ok_or(ErrorKind::InvalidData)?))
}

fn parse(data: &[u8]) -> Option<Sequence> {
    let (flags, data) = data.split_first()?;
    let (client_id, data) = data.split_first_chunk()?;
    let (edits, data) = data.split_first_chunk()?;
    let (budget, mut data) = data.split_first_chunk()?;
    let mut updates = Vec::new();
    while let Some((size, rest)) = data.split_first_chunk() {
        let (update, rest) = rest.split_at_checked(u32::from_le_bytes(*size) as usize)?;
        updates.push(update.to_vec());
        data = rest;
    }
    Some(Sequence {
        client_id: u64::from_le_bytes(*client_id),
        edits: u64::from_le_bytes(*edits),
        skip_gc: flags & 1 != 0,
        bytes: flags & 2 != 0,
        observe: flags & 4 != 0,
        in_txn: flags & 8 != 0,
        budget: u64::from_le_bytes(*budget),
        updates,
    })
}
