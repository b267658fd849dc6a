//! Map: entries by key.

use crate::branch::YFFI_ABSENT;
use crate::buf::YffiBuf;
use crate::error::YffiError;
use crate::ffi::{bytes, string};
use crate::local::{self, Values};
use crate::transaction::{encoding, reading, writing, YffiTxn};
use crate::value;
use crate::wire::{write_bytes, Reader};
use crate::with_txn;
use yrs::{Map, MapRef};

/// Sets `key` to an encoded value, which may hold whole trees of shared types.
///
/// # Safety
/// `txn` is open, `key` and `encoded` readable; `err` points to a zeroed `YffiError`.
#[no_mangle]
pub unsafe extern "C" fn yffi_map_set(
    txn: *mut YffiTxn,
    slot: u32,
    key: *const u8,
    key_len: usize,
    encoded: *const u8,
    encoded_len: usize,
    err: *mut YffiError,
) -> i32 {
    writing(txn, err, |txn| {
        let branch = txn.branch(slot)?;
        let key = string(key, key_len)?;
        let mut noted = Values::default();
        let mut reader = Reader::new(bytes(encoded, encoded_len));
        let value = value::decode(&mut reader, &mut noted)?;
        local::note(txn, branch, &noted)?;
        let inserted = MapRef::from(branch).insert(txn.write()?, key, value);
        if noted.levels > 0 {
            local::place(txn, branch, &[inserted]);
        }
        Ok(())
    })
}

/// Removes `key` if it is there.
///
/// # Safety
/// As for `yffi_map_set`.
#[no_mangle]
pub unsafe extern "C" fn yffi_map_delete(
    txn: *mut YffiTxn,
    slot: u32,
    key: *const u8,
    key_len: usize,
    err: *mut YffiError,
) -> i32 {
    writing(txn, err, |txn| {
        let map = MapRef::from(txn.branch(slot)?);
        map.remove(txn.write()?, string(key, key_len)?);
        Ok(())
    })
}

/// Removes every entry.
///
/// # Safety
/// As for `yffi_map_set`.
#[no_mangle]
pub unsafe extern "C" fn yffi_map_clear(txn: *mut YffiTxn, slot: u32, err: *mut YffiError) -> i32 {
    writing(txn, err, |txn| {
        let map = MapRef::from(txn.branch(slot)?);
        map.clear(txn.write()?);
        Ok(())
    })
}

/// The value under `key`, encoded; no bytes when there is none.
///
/// # Safety
/// As for `yffi_map_set`; `out` is valid.
#[no_mangle]
pub unsafe extern "C" fn yffi_map_value(
    txn: *const YffiTxn,
    slot: u32,
    key: *const u8,
    key_len: usize,
    out: *mut YffiBuf,
    err: *mut YffiError,
) -> i32 {
    encoding(txn, slot, out, err, |txn, branch, bytes| {
        let map = MapRef::from(branch);
        let key = string(key, key_len)?;
        if let Some(value) = with_txn!(&txn.access, t => map.get(t, key)) {
            value::encode(&value, bytes);
        }
        Ok(())
    })
}

/// The number of entries.
///
/// # Safety
/// As for `yffi_map_value`.
#[no_mangle]
pub unsafe extern "C" fn yffi_map_len(
    txn: *const YffiTxn,
    slot: u32,
    out: *mut u32,
    err: *mut YffiError,
) -> i32 {
    reading(txn, err, |txn| {
        if slot != YFFI_ABSENT {
            let map = MapRef::from(txn.branch(slot)?);
            *out = with_txn!(&txn.access, t => map.len(t));
        }
        Ok(())
    })
}

/// All entries in the order of their keys: key, value, key, value …
///
/// # Safety
/// As for `yffi_map_value`.
#[no_mangle]
pub unsafe extern "C" fn yffi_map_entries(
    txn: *const YffiTxn,
    slot: u32,
    out: *mut YffiBuf,
    err: *mut YffiError,
) -> i32 {
    encoding(txn, slot, out, err, |txn, branch, bytes| {
        let map = MapRef::from(branch);
        with_txn!(&txn.access, t => {
            let mut entries: Vec<_> = map.iter(t).collect();
            entries.sort_unstable_by_key(|(key, _)| *key);
            for (key, value) in &entries {
                write_bytes(bytes, key.as_bytes());
                value::encode(value, bytes);
            }
        });
        Ok(())
    })
}
