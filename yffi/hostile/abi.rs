//! The C ABI as the Go package calls it.

use crate::frame::Sequence;
use std::ptr::{null, null_mut};
use yffi::*;

/// Why a call failed.
pub struct Refused {
    pub code: i32,
    pub message: String,
}

pub type Result<T> = std::result::Result<T, Refused>;

fn call(body: impl FnOnce(&mut YffiError) -> i32) -> Result<()> {
    let mut err = YffiError {
        message: YffiBuf::empty(),
    };
    match body(&mut err) {
        0 => Ok(()),
        code => Err(Refused {
            code,
            message: String::from_utf8_lossy(&take(err.message)).into_owned(),
        }),
    }
}

/// A call that gives bytes.
fn encoded(body: impl FnOnce(&mut YffiBuf, &mut YffiError) -> i32) -> Result<Vec<u8>> {
    let mut out = YffiBuf::empty();
    call(|err| body(&mut out, err))?;
    Ok(take(out))
}

fn take(buf: YffiBuf) -> Vec<u8> {
    if buf.address == 0 {
        return Vec::new();
    }
    // SAFETY: the library has just handed the bytes out.
    unsafe {
        let bytes = std::slice::from_raw_parts(buf.address as *const u8, buf.len).to_vec();
        yffi_buf_free(buf);
        bytes
    }
}

pub fn merge(updates: &[Vec<u8>]) -> Result<Vec<u8>> {
    let mut joined = Vec::new();
    for update in updates {
        write_bytes(&mut joined, update);
    }
    encoded(|out, err| unsafe { yffi_update_merge(joined.as_ptr(), joined.len(), out, err) })
}

pub fn collect(update: &[u8]) -> Result<Vec<u8>> {
    encoded(|out, err| unsafe { yffi_update_collect(update.as_ptr(), update.len(), out, err) })
}

pub fn check(update: &[u8]) -> Result<()> {
    call(|err| unsafe { yffi_update_check(update.as_ptr(), update.len(), err) })
}

fn write_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    let mut len = bytes.len();
    while len >= 0x80 {
        out.push(len as u8 | 0x80);
        len >>= 7;
    }
    out.push(len as u8);
    out.extend_from_slice(bytes);
}

/// A document that is freed in the end.
pub struct Doc(*mut YffiDoc);

impl Drop for Doc {
    fn drop(&mut self) {
        unsafe { yffi_doc_free(self.0) }
    }
}

impl Doc {
    pub fn new(client_id: u64, sequence: &Sequence) -> Result<Self> {
        let options = YffiDocOptions {
            client_id,
            guid: b"hostile".as_ptr(),
            guid_len: 7,
            byte_offsets: sequence.bytes,
            skip_gc: sequence.skip_gc,
            skip_index: false,
            // SAFETY: all of them are numbers; zero stands for the default.
            limits: unsafe { std::mem::zeroed() },
        };
        let mut doc = null_mut();
        call(|err| unsafe { yffi_doc_new(&options, &mut doc, err) })?;
        Ok(Doc(doc))
    }

    /// Applies an update in a transaction of its own, in so many microseconds or, if 0, in as many as it takes.
    pub fn apply(&self, update: &[u8], budget: u64) -> Result<()> {
        let (bytes, len) = (update.as_ptr(), update.len());
        commit(|out, err| unsafe {
            yffi_doc_apply_update(self.0, bytes, len, budget, true, out, err)
        })
    }

    pub fn begin(&self, write: bool) -> Result<Txn> {
        let mut txn = null_mut();
        call(|err| unsafe { yffi_txn_begin(self.0, write, &mut txn, err) })?;
        Ok(Txn(txn))
    }

    /// Runs `read` in a read-only transaction.
    pub fn view<T>(&self, read: impl FnOnce(&Txn) -> Result<T>) -> Result<T> {
        let txn = self.begin(false)?;
        let result = read(&txn);
        txn.commit()?;
        result
    }
}

fn commit(body: impl FnOnce(&mut YffiCommit, &mut YffiError) -> i32) -> Result<()> {
    // SAFETY: as Go passes it, all bytes zero.
    let mut out: YffiCommit = unsafe { std::mem::zeroed() };
    let result = call(|err| body(&mut out, err));
    take(out.update);
    take(out.events);
    result
}

/// An open transaction. It has to be committed, and is leaked otherwise.
pub struct Txn(*mut YffiTxn);

// SAFETY of all of it: the transaction is open, and all pointers are good for the call.
impl Txn {
    pub fn commit(self) -> Result<()> {
        commit(|out, err| unsafe { yffi_txn_commit(self.0, true, out, err) })
    }

    pub fn apply(&self, update: &[u8]) -> Result<()> {
        call(|err| unsafe { yffi_txn_apply_update(self.0, update.as_ptr(), update.len(), err) })
    }

    pub fn state_vector(&self) -> Result<Vec<u8>> {
        encoded(|out, err| unsafe { yffi_txn_state_vector(self.0, out, err) })
    }

    pub fn encode(&self, state_vector: Option<&[u8]>) -> Result<Vec<u8>> {
        let (bytes, len) = state_vector.map_or((null(), 0), |sv| (sv.as_ptr(), sv.len()));
        encoded(|out, err| unsafe { yffi_txn_encode_state(self.0, bytes, len, out, err) })
    }

    pub fn root(&self, kind: YffiKind, name: &str) -> Result<u32> {
        let mut slot = 0;
        call(|err| unsafe {
            let (bytes, len) = (name.as_ptr(), name.len());
            yffi_txn_root(self.0, kind as u8, bytes, len, &mut slot, err)
        })?;
        Ok(slot)
    }

    /// The shared type that an item holds.
    pub fn nested(&self, client: u64, clock: u32) -> Result<(u32, u8)> {
        let (mut slot, mut kind) = (0, 0);
        call(|err| unsafe { yffi_txn_nested(self.0, client, clock, &mut slot, &mut kind, err) })?;
        Ok((slot, kind))
    }

    pub fn observe(&self, slot: u32, observer: u64) -> Result<()> {
        call(|err| unsafe { yffi_branch_observe(self.0, slot, observer, true, err) })
    }

    pub fn len(&self, slot: u32, kind: u8) -> Result<u32> {
        let mut len = 0;
        call(|err| unsafe { yffi_branch_len(self.0, slot, kind, &mut len, err) })?;
        Ok(len)
    }

    pub fn read_text(&self, slot: u32) -> Result<()> {
        encoded(|out, err| unsafe { yffi_text_string(self.0, slot, out, err) })?;
        encoded(|out, err| unsafe { yffi_text_delta(self.0, slot, out, err) })?;
        self.len(slot, YffiKind::Text as u8).map(drop)
    }

    pub fn read_map(&self, slot: u32) -> Result<()> {
        self.export(slot, YffiKind::Map)?;
        encoded(|out, err| unsafe { yffi_map_entries(self.0, slot, out, err) })?;
        encoded(|out, err| unsafe { yffi_map_value(self.0, slot, b"k".as_ptr(), 1, out, err) })?;
        let mut len = 0;
        call(|err| unsafe { yffi_map_len(self.0, slot, &mut len, err) })
    }

    pub fn read_array(&self, slot: u32) -> Result<()> {
        self.export(slot, YffiKind::Array)?;
        encoded(|out, err| unsafe { yffi_array_values(self.0, slot, out, err) })?;
        let last = u64::from(self.len(slot, YffiKind::Array as u8)?.saturating_sub(1));
        encoded(|out, err| unsafe { yffi_array_value(self.0, slot, last, out, err) })?;
        Ok(())
    }

    fn export(&self, slot: u32, kind: YffiKind) -> Result<()> {
        encoded(|out, err| unsafe { yffi_branch_export(self.0, slot, kind as u8, out, err) })
            .map(drop)
    }

    pub fn text_insert(&self, slot: u32, index: u64, chunk: &str) -> Result<()> {
        call(|err| unsafe {
            yffi_text_insert(self.0, slot, index, chunk.as_ptr(), chunk.len(), err)
        })
    }

    pub fn text_delete(&self, slot: u32, index: u64, len: u64) -> Result<()> {
        call(|err| unsafe { yffi_text_delete(self.0, slot, index, len, err) })
    }

    pub fn text_format(&self, slot: u32, index: u64, len: u64, attributes: &[u8]) -> Result<()> {
        call(|err| unsafe {
            let (bytes, size) = (attributes.as_ptr(), attributes.len());
            yffi_text_format(self.0, slot, index, len, bytes, size, err)
        })
    }

    pub fn text_delta(&self, slot: u32, delta: &[u8]) -> Result<()> {
        call(|err| unsafe { yffi_text_apply_delta(self.0, slot, delta.as_ptr(), delta.len(), err) })
    }

    pub fn map_set(&self, slot: u32, key: &str, value: &[u8]) -> Result<()> {
        call(|err| unsafe {
            let (bytes, size) = (value.as_ptr(), value.len());
            yffi_map_set(self.0, slot, key.as_ptr(), key.len(), bytes, size, err)
        })
    }

    pub fn map_delete(&self, slot: u32, key: &str) -> Result<()> {
        call(|err| unsafe { yffi_map_delete(self.0, slot, key.as_ptr(), key.len(), err) })
    }

    pub fn map_clear(&self, slot: u32) -> Result<()> {
        call(|err| unsafe { yffi_map_clear(self.0, slot, err) })
    }

    pub fn array_insert(&self, slot: u32, index: u64, values: &[u8]) -> Result<()> {
        call(|err| unsafe {
            yffi_array_insert(self.0, slot, index, values.as_ptr(), values.len(), err)
        })
    }

    pub fn array_delete(&self, slot: u32, index: u64, len: u64) -> Result<()> {
        call(|err| unsafe { yffi_array_delete(self.0, slot, index, len, err) })
    }
}
