//! Documents: creation, release, memory and the poison flag.

use crate::admission::Admission;
use crate::batch::Batch;
use crate::branch::Roots;
use crate::error::{Failure, Result, YffiError};
use crate::event::Sink;
use crate::ffi::string;
use crate::garbage;
use crate::indexes::Indexes;
use crate::limits::YffiLimits;
use crate::panic::{guard, OnPanic};
use crate::structs::Contents;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use yrs::updates::decoder::Decode;
use yrs::updates::encoder::Encode;
use yrs::{ClientID, Doc, IdSet, OffsetKind, Options, Transact, Update, ID};

/// How a document is made.
#[repr(C)]
pub struct YffiDocOptions {
    /// Below 2^53.
    pub client_id: u64,
    /// UTF-8; borrowed for the call.
    pub guid: *const u8,
    pub guid_len: usize,
    /// Text offsets count UTF-8 bytes instead of UTF-16 code units.
    pub byte_offsets: bool,
    /// Keep deleted content.
    pub skip_gc: bool,
    /// Have yrs find every offset by walking the text, without an index.
    pub skip_index: bool,
    pub limits: YffiLimits,
}

/// A document. The caller guards it with a readers-writer lock: any number of read transactions or one
/// write transaction at a time, and none when it is freed.
pub struct YffiDoc {
    pub(crate) doc: Doc,
    pub(crate) sink: Arc<Sink>,
    admission: Arc<Mutex<Admission>>,
    indexes: Mutex<Indexes>,
    /// Edits of transactions that are over, of which yrs has not been told yet.
    deferred: Mutex<Batch>,
    roots: Mutex<Roots>,
    /// How many observers there are.
    observers: AtomicUsize,
    pub(crate) byte_offsets: bool,
    /// Some text holds characters that are longer than one offset unit, so offsets need checking.
    wide: AtomicBool,
    /// Some text holds characters of two UTF-16 units. Yjs may split them, which changes their length in bytes.
    astral: AtomicBool,
    /// A peer has written plain values somewhere, which may be a text.
    values: AtomicBool,
    poisoned: AtomicBool,
    memory: AtomicI64,
}

impl YffiDoc {
    pub(crate) fn new(options: &YffiDocOptions) -> Result<Self> {
        if options.client_id >> 53 != 0 {
            return Err(Failure::invalid("client id above 53 bits"));
        }
        let guid = unsafe { string(options.guid, options.guid_len) }?;
        let mut made =
            Options::with_guid_and_client_id(guid.into(), ClientID::new(options.client_id));
        made.skip_gc = true; // see garbage.rs
        made.offset_kind = if options.byte_offsets {
            OffsetKind::Bytes
        } else {
            OffsetKind::Utf16
        };
        // Removing redundant formatting after a remote change would write into the document on
        // behalf of a peer that only reads, and after the update has been encoded.
        made.cleanup_formatting = false;
        let doc = Doc::with_options(made);
        let limits = options.limits.resolved().map_err(Failure::invalid)?;
        let admission = Arc::new(Mutex::new(Admission::new(options.client_id, limits)));
        if !options.skip_gc {
            garbage::collect_in(&doc, admission.clone())?;
        }
        Ok(YffiDoc {
            doc,
            sink: Arc::default(),
            admission,
            // Clocks count UTF-16 units, and so does an index.
            deferred: Mutex::default(),
            roots: Mutex::default(),
            observers: AtomicUsize::new(0),
            indexes: Mutex::new(Indexes::new(!options.skip_index && !options.byte_offsets)),
            byte_offsets: options.byte_offsets,
            wide: AtomicBool::new(false),
            astral: AtomicBool::new(false),
            values: AtomicBool::new(false),
            poisoned: AtomicBool::new(false),
            memory: AtomicI64::new(0),
        })
    }

    pub(crate) fn admission(&self) -> MutexGuard<'_, Admission> {
        self.admission
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Write transactions use it.
    pub(crate) fn indexes(&self) -> MutexGuard<'_, Indexes> {
        self.indexes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn deferred(&self) -> MutexGuard<'_, Batch> {
        self.deferred.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn roots(&self) -> MutexGuard<'_, Roots> {
        self.roots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether anybody observes a shared type.
    pub(crate) fn is_observed(&self) -> bool {
        self.observers.load(Ordering::Relaxed) > 0
    }

    pub(crate) fn observe(&self) {
        self.observers.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn unobserve(&self) {
        self.observers.fetch_sub(1, Ordering::Relaxed);
    }

    pub(crate) fn poison(&self) {
        self.poisoned.store(true, Ordering::Release);
    }

    pub(crate) fn is_poisoned(&self) -> bool {
        self.poisoned.load(Ordering::Acquire)
    }

    pub(crate) fn charge(&self, bytes: i64) {
        self.memory.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Notes what came in, for [`YffiDoc::is_wide`] and [`YffiDoc::holds_values`].
    pub(crate) fn note(&self, contents: &Contents) {
        if contents.values {
            self.values.store(true, Ordering::Relaxed);
        }
        if contents.astral {
            self.astral.store(true, Ordering::Relaxed);
        }
        if contents.astral || (self.byte_offsets && contents.non_ascii) {
            self.wide.store(true, Ordering::Relaxed);
        }
    }

    /// Whether a text may hold what only arrays and maps should.
    pub(crate) fn holds_values(&self) -> bool {
        self.values.load(Ordering::Relaxed)
    }

    /// Whether yrs may be wrong about the length of a text in bytes.
    pub(crate) fn may_be_split(&self) -> bool {
        self.byte_offsets && self.astral.load(Ordering::Relaxed)
    }

    /// Whether an offset may fall inside a character at all.
    pub(crate) fn is_wide(&self) -> bool {
        self.wide.load(Ordering::Relaxed)
    }
}

/// Makes a document.
///
/// # Safety
/// `options` and `out` are valid; `err` points to a zeroed `YffiError`.
#[no_mangle]
pub unsafe extern "C" fn yffi_doc_new(
    options: *const YffiDocOptions,
    out: *mut *mut YffiDoc,
    err: *mut YffiError,
) -> i32 {
    guard(None, OnPanic::Keep, err, || {
        *out = Box::into_raw(Box::new(YffiDoc::new(&*options)?));
        Ok(())
    })
}

/// Frees a document. A poisoned one is leaked: its parts can no longer be trusted, not even to be dropped.
///
/// # Safety
/// `doc` came from `yffi_doc_new`, has no open transaction and is not used again.
#[no_mangle]
pub unsafe extern "C" fn yffi_doc_free(doc: *mut YffiDoc) {
    let doc = Box::from_raw(doc);
    if doc.is_poisoned() {
        std::mem::forget(doc);
        return;
    }
    guard(None, OnPanic::Keep, std::ptr::null_mut(), || {
        unlink_subdocs(&doc);
        drop(doc);
        Ok(())
    });
}

/// Deletes and collects the items that hold subdocuments: each of them holds its parent document, which holds it,
/// so that neither would ever be freed. yrs offers no other way to an item than an update that deletes it.
fn unlink_subdocs(doc: &YffiDoc) {
    let mut delete_set = IdSet::new();
    for id in doc.admission().nesting.docs() {
        delete_set.insert(ID::new(ClientID::new(id.client), id.clock), 1);
    }
    let doc = &doc.doc;
    if delete_set.is_empty() {
        return;
    }
    let mut update = vec![0];
    update.extend(delete_set.encode_v1());
    let Ok(update) = Update::decode_v1(&update) else {
        return;
    };
    // A failure leaves the cycle: the document is leaked, as it would have been.
    if let Ok(mut txn) = doc.try_transact_mut() {
        let _ = txn.apply_update(update);
    }
    // Its end destroyed the subdocuments, for which yrs needs their items. Now these can go.
    if let Ok(mut txn) = doc.try_transact_mut() {
        txn.gc(Some(&delete_set));
    }
}

/// Bytes of heap that the document holds.
///
/// # Safety
/// `doc` is valid.
#[no_mangle]
pub unsafe extern "C" fn yffi_doc_memory(doc: *const YffiDoc) -> i64 {
    (*doc).memory.load(Ordering::Relaxed)
}

/// How many deleted shared types the document still keeps, without their content.
///
/// # Safety
/// `doc` is valid.
#[no_mangle]
pub unsafe extern "C" fn yffi_doc_garbage(doc: *const YffiDoc) -> usize {
    (*doc).admission().garbage
}
