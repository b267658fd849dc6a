//! Shared types of any kind: resolving, naming and exporting them.

use crate::buf::YffiBuf;
use crate::error::{Failure, Result, YffiCode, YffiError};
use crate::ffi::string;
use crate::offset::content_len;
use crate::panic::{guard, OnPanic};
use crate::transaction::{encoding, reading, settle, Access, YffiTxn};
use crate::value;
use crate::with_txn;
use std::collections::HashMap;
use std::sync::Arc;
use yrs::branch::BranchPtr;
use yrs::types::TypeRef;
use yrs::{BranchID, ClientID, SharedRef, WriteTxn, ID};

/// Kinds of shared types.
#[repr(u8)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum YffiKind {
    /// A root that a peer wrote to and nobody here has named a kind for.
    Undefined = 0,
    Text = 1,
    Map = 2,
    Array = 3,
    XmlElement = 4,
    XmlFragment = 5,
    XmlText = 6,
    WeakLink = 7,
    Subdoc = 8,
    XmlHook = 9,
}

/// The slot of a root that does not exist; a read-only transaction cannot create it.
pub const YFFI_ABSENT: u32 = u32::MAX;

pub(crate) fn kind_of(type_ref: &TypeRef) -> YffiKind {
    match type_ref {
        TypeRef::Text => YffiKind::Text,
        TypeRef::Map => YffiKind::Map,
        TypeRef::Array => YffiKind::Array,
        TypeRef::XmlElement(_) => YffiKind::XmlElement,
        TypeRef::XmlFragment => YffiKind::XmlFragment,
        TypeRef::XmlText => YffiKind::XmlText,
        TypeRef::WeakLink(_) => YffiKind::WeakLink,
        TypeRef::SubDoc => YffiKind::Subdoc,
        TypeRef::XmlHook => YffiKind::XmlHook,
        TypeRef::Undefined => YffiKind::Undefined,
    }
}

fn root_kind(kind: u8) -> Result<YffiKind> {
    [YffiKind::Text, YffiKind::Map, YffiKind::Array]
        .into_iter()
        .find(|known| *known as u8 == kind)
        .ok_or_else(|| Failure::invalid("no such kind of root"))
}

/// The roots that were resolved, which stay as long as the document.
#[derive(Default)]
pub struct Roots {
    by_name: HashMap<Arc<str>, BranchPtr>,
    /// The one that was asked for last: usually it is the next one, too.
    latest: Option<(Arc<str>, BranchPtr)>,
}

impl Roots {
    fn get(&mut self, name: &str) -> Option<BranchPtr> {
        if let Some((_, branch)) = self.latest.as_ref().filter(|it| &*it.0 == name) {
            return Some(*branch);
        }
        let (name, branch) = self.by_name.get_key_value(name)?;
        self.latest = Some((name.clone(), *branch));
        Some(*branch)
    }

    fn add(&mut self, name: &str, branch: BranchPtr) {
        self.by_name.insert(name.into(), branch);
        self.latest = None;
    }
}

/// Finds the root `name` or, in a write transaction, makes it.
fn resolve_root(txn: &mut YffiTxn, kind: YffiKind, name: &str) -> Result<u32> {
    let known = txn.doc().roots().get(name);
    if let Some(branch) = known.filter(|branch| kind_of(branch.type_ref()) == kind) {
        return Ok(txn.slot(branch));
    }
    if txn.is_write() {
        txn.settle()?;
    }
    let found = with_txn!(&txn.access, t => BranchID::get_root(t, name));
    if let Some(branch) = found {
        let actual = kind_of(branch.type_ref());
        if actual != kind && actual != YffiKind::Undefined {
            return Err(Failure::new(
                YffiCode::WrongType,
                format_args!("root {name:?} is of kind {actual:?}, not {kind:?}"),
            ));
        }
    }
    let branch = match (&mut txn.access, found) {
        // Naming the kind turns an undefined root into one.
        (Access::Write(t), _) => define_root(t, kind, name),
        (_, Some(branch)) => branch,
        (_, None) => return Ok(YFFI_ABSENT),
    };
    txn.doc().roots().add(name, branch);
    Ok(txn.slot(branch))
}

fn define_root(txn: &mut yrs::TransactionMut<'_>, kind: YffiKind, name: &str) -> BranchPtr {
    fn ptr(shared: impl SharedRef) -> BranchPtr {
        BranchPtr::from(shared.as_ref())
    }
    match kind {
        YffiKind::Map => ptr(txn.get_or_insert_map(name)),
        YffiKind::Array => ptr(txn.get_or_insert_array(name)),
        _ => ptr(txn.get_or_insert_text(name)),
    }
}

fn resolve_nested(txn: &mut YffiTxn, id: &ID) -> Result<(u32, YffiKind)> {
    let found = with_txn!(&txn.access, t => BranchID::get_nested(t, id));
    match found {
        Some(branch) if !branch.is_deleted() => {
            let kind = kind_of(branch.type_ref());
            Ok((txn.slot(branch), kind))
        }
        _ => Err(Failure::new(
            YffiCode::Deleted,
            "the shared type was deleted",
        )),
    }
}

/// Resolves the root `name` of `kind` (text, map or array) to a slot. A read-only transaction gives
/// `YFFI_ABSENT` for a root that does not exist; a write transaction creates it.
///
/// # Safety
/// `txn` is open, `out` valid, `name` readable; `err` points to a zeroed `YffiError`.
#[no_mangle]
pub unsafe extern "C" fn yffi_txn_root(
    txn: *mut YffiTxn,
    kind: u8,
    name: *const u8,
    name_len: usize,
    out: *mut u32,
    err: *mut YffiError,
) -> i32 {
    let txn = &mut *txn;
    let on_panic = if txn.is_write() {
        OnPanic::Poison // what is held back may be carried out
    } else {
        OnPanic::Keep
    };
    guard(Some(txn.doc()), on_panic, err, || {
        *out = resolve_root(txn, root_kind(kind)?, string(name, name_len)?)?;
        Ok(())
    })
}

/// Resolves the nested shared type that the item (`client`, `clock`) holds to a slot and its kind.
///
/// # Safety
/// As for `yffi_txn_root`.
#[no_mangle]
pub unsafe extern "C" fn yffi_txn_nested(
    txn: *mut YffiTxn,
    client: u64,
    clock: u32,
    out_slot: *mut u32,
    out_kind: *mut u8,
    err: *mut YffiError,
) -> i32 {
    let settled = settle(txn, err); // the type may have been deleted
    if settled != YffiCode::Ok as i32 {
        return settled;
    }
    let txn = &mut *txn;
    guard(Some(txn.doc()), OnPanic::Keep, err, || {
        if client >> 53 != 0 {
            return Err(Failure::invalid("client id above 53 bits"));
        }
        let (slot, kind) = resolve_nested(txn, &ID::new(ClientID::new(client), clock))?;
        *out_slot = slot;
        *out_kind = kind as u8;
        Ok(())
    })
}

/// Exports the shared map or array in `slot` with everything below it as one plain value: maps, arrays, and
/// strings for text and XML.
///
/// # Safety
/// As for `yffi_txn_root`.
#[no_mangle]
pub unsafe extern "C" fn yffi_branch_export(
    txn: *const YffiTxn,
    slot: u32,
    kind: u8,
    out: *mut YffiBuf,
    err: *mut YffiError,
) -> i32 {
    encoding(txn, slot, out, err, |txn, branch, bytes| {
        value::export(txn, branch, root_kind(kind)?, bytes)
    })
}

/// The length of a text that has an index: edits that are held back need not be settled for that.
fn unsettled_len(txn: &YffiTxn, slot: u32) -> Option<u32> {
    if txn.is_settled() || txn.doc().is_poisoned() || slot == YFFI_ABSENT {
        return None;
    }
    let branch = txn.branch(slot).ok()?;
    Some(txn.doc().indexes().get(branch)?.len())
}

/// The length of the text (`kind`) in `slot` in the document's offset units, in which an embedded value counts 1, or the number
/// of values of the array.
///
/// # Safety
/// As for `yffi_txn_root`.
#[no_mangle]
pub unsafe extern "C" fn yffi_branch_len(
    txn: *const YffiTxn,
    slot: u32,
    kind: u8,
    out: *mut u32,
    err: *mut YffiError,
) -> i32 {
    if let Some(len) = unsettled_len(&*txn, slot) {
        *out = len;
        return YffiCode::Ok as i32;
    }
    reading(txn, err, |txn| {
        if slot == YFFI_ABSENT {
            return Ok(());
        }
        let branch = txn.branch(slot)?;
        *out = match root_kind(kind)? {
            YffiKind::Text => content_len(txn, branch),
            _ => branch.content_len(),
        };
        Ok(())
    })
}
