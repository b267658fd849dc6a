//! Map: entries by key.

use crate::branch::YFFI_ABSENT;
use crate::buf::YffiBuf;
use crate::error::YffiError;
use crate::ffi::{bytes, string};
use crate::gate::Summary;
use crate::panic::{guard, OnPanic};
use crate::transaction::YffiTxn;
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
    let txn = &mut *txn;
    guard(Some(txn.doc()), OnPanic::Poison, err, || {
        let map = MapRef::from(txn.branch(slot)?);
        let key = string(key, key_len)?;
        let mut summary = Summary::default();
        let mut reader = Reader::new(bytes(encoded, encoded_len));
        let value = value::decode(&mut reader, &mut summary)?;
        txn.doc().note(&summary);
        map.insert(txn.write()?, key, value);
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
    let txn = &mut *txn;
    guard(Some(txn.doc()), OnPanic::Poison, err, || {
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
    let txn = &mut *txn;
    guard(Some(txn.doc()), OnPanic::Poison, err, || {
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
    let txn = &*txn;
    guard(Some(txn.doc()), OnPanic::Keep, err, || {
        if slot == YFFI_ABSENT {
            return Ok(());
        }
        let map = MapRef::from(txn.branch(slot)?);
        let key = string(key, key_len)?;
        if let Some(value) = with_txn!(&txn.access, t => map.get(t, key)) {
            let mut bytes = Vec::new();
            value::encode(&value, &mut bytes);
            *out = bytes.into();
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
    let txn = &*txn;
    guard(Some(txn.doc()), OnPanic::Keep, err, || {
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
    let txn = &*txn;
    guard(Some(txn.doc()), OnPanic::Keep, err, || {
        if slot == YFFI_ABSENT {
            return Ok(());
        }
        let map = MapRef::from(txn.branch(slot)?);
        let mut bytes = Vec::new();
        with_txn!(&txn.access, t => {
            let mut entries: Vec<_> = map.iter(t).collect();
            entries.sort_unstable_by_key(|(key, _)| *key);
            for (key, value) in &entries {
                write_bytes(&mut bytes, key.as_bytes());
                value::encode(value, &mut bytes);
            }
        });
        *out = bytes.into();
        Ok(())
    })
}
