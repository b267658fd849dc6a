//! Decoding updates that the gate has read.

use crate::error::{Failure, Result};
use crate::gate::Summary;
use crate::held::HeldRun;
use crate::limits::WIDEST;
use crate::structs::Contents;
use yrs::updates::decoder::Decode;
use yrs::Update;

pub fn decode(update: &[u8]) -> Result<Update> {
    Update::decode_v1(update).map_err(Failure::malformed)
}

/// About how long the parts are, in bytes.
const PART: usize = 16 << 10;

/// Whether an update can be decoded. A long one is decoded in parts: what comes of it is not needed, and can take many
/// times its length.
pub fn check_decodes(update: &[u8], summary: &Summary) -> Result<()> {
    if update.len() <= PART {
        return decode(update).map(drop);
    }
    let mut contents = Contents::default();
    for run in &summary.runs {
        let bytes = &update[run.bytes()];
        let mut rest = HeldRun::new(run.client, run.clock, run.end, run.structs as usize, bytes);
        while let Some(part) = rest.split(PART, &WIDEST, &mut contents) {
            decode(&part)?;
        }
    }
    Ok(())
}
