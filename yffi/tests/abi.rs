//! The C ABI as Go sees it: codes, messages, who owns which memory, and what poisoning means.

use std::ptr::{null, null_mut};
use std::result::Result;
use yffi::*;

/// One character in the root text "t", by client 1.
const CHARACTER: &[u8] = &[1, 1, 1, 0, 4, 1, 1, b't', 1, b'x', 0];

const OK: i32 = YffiCode::Ok as i32;

fn error() -> YffiError {
    YffiError {
        message: YffiBuf::empty(),
    }
}

/// The message of an error, whose memory is given back.
fn message(err: YffiError) -> String {
    let bytes = take(err.message);
    String::from_utf8(bytes).expect("messages are UTF-8")
}

fn take(buf: YffiBuf) -> Vec<u8> {
    if buf.address == 0 {
        return Vec::new();
    }
    let bytes = unsafe { std::slice::from_raw_parts(buf.address as *const u8, buf.len) }.to_vec();
    unsafe { yffi_buf_free(buf) };
    bytes
}

/// As Go passes it: all bytes zero.
fn commit() -> YffiCommit {
    unsafe { std::mem::zeroed() }
}

/// A document that is freed with the test.
struct Doc(*mut YffiDoc);

impl Drop for Doc {
    fn drop(&mut self) {
        unsafe { yffi_doc_free(self.0) }
    }
}

impl Doc {
    /// Panics while the document is written to.
    fn poison(&self) -> i32 {
        unsafe { yffi_test_panic(self.0, null_mut()) }
    }

    fn new() -> Self {
        Doc::with(7, b"guid").unwrap_or_else(|(code, text)| panic!("{code}: {text}"))
    }

    fn with(client_id: u64, guid: &[u8]) -> Result<Self, (i32, String)> {
        let options = YffiDocOptions {
            client_id,
            guid: guid.as_ptr(),
            guid_len: guid.len(),
            byte_offsets: false,
            skip_gc: false,
            skip_index: false,
            limits: unsafe { std::mem::zeroed() },
        };
        let (mut out, mut err) = (null_mut(), error());
        match unsafe { yffi_doc_new(&options, &mut out, &mut err) } {
            OK => Ok(Doc(out)),
            code => Err((code, message(err))),
        }
    }

    fn apply(&self, update: &[u8]) -> (i32, String) {
        let (mut out, mut err) = (commit(), error());
        let code = unsafe {
            yffi_doc_apply_update(
                self.0,
                update.as_ptr(),
                update.len(),
                0,
                true,
                &mut out,
                &mut err,
            )
        };
        take(out.update);
        take(out.events);
        (code, message(err))
    }

    fn begin(&self, write: bool) -> Result<*mut YffiTxn, i32> {
        let (mut txn, mut err) = (null_mut(), error());
        match unsafe { yffi_txn_begin(self.0, write, &mut txn, &mut err) } {
            OK => Ok(txn),
            code => {
                message(err);
                Err(code)
            }
        }
    }

    fn state(&self) -> Vec<u8> {
        let txn = self.begin(false).expect("the document is free");
        let (mut out, mut err) = (YffiBuf::empty(), error());
        assert_eq!(OK, unsafe {
            yffi_txn_encode_state(txn, null(), 0, &mut out, &mut err)
        });
        assert_eq!(OK, end(txn).0);
        take(out)
    }
}

fn end(txn: *mut YffiTxn) -> (i32, Vec<u8>) {
    let (mut out, mut err) = (commit(), error());
    let code = unsafe { yffi_txn_commit(txn, true, &mut out, &mut err) };
    message(err);
    take(out.events);
    (code, take(out.update))
}

#[test]
fn freeing_no_bytes_is_allowed() {
    unsafe { yffi_buf_free(YffiBuf::empty()) };
}

#[test]
fn options_are_checked() {
    assert!(Doc::with((1 << 53) - 1, b"g").is_ok());
    let refused = |client, guid: &[u8]| Doc::with(client, guid).err().map(|(code, _)| code);
    assert_eq!(
        Some(YffiCode::InvalidArgument as i32),
        refused(1 << 53, b"g")
    );
    assert_eq!(Some(YffiCode::UnsupportedValue as i32), refused(1, b"\xff"));
}

#[test]
fn refused_updates_name_rule_and_offset_and_change_nothing() {
    let doc = Doc::new();
    assert_eq!(OK, doc.apply(CHARACTER).0);
    let before = doc.state();
    for (update, rule) in [
        (&[][..], "unexpected end at byte 0"),
        (&[1, 1, 1, 0, 0, 0, 0][..], "struct of length 0 at byte 6"),
        (
            &[0, 1, 1, 1, 0, 0][..],
            "deleted range of length 0 at byte 6",
        ),
    ] {
        assert_eq!(
            (YffiCode::Malformed as i32, rule.to_string()),
            doc.apply(update)
        );
        let mut err = error();
        let code = unsafe { yffi_update_check(update.as_ptr(), update.len(), &mut err) };
        assert_eq!(
            (YffiCode::Malformed as i32, rule.to_string()),
            (code, message(err))
        );
        assert_eq!(before, doc.state());
    }
}

#[test]
fn a_panic_poisons_this_document_only() {
    let (doc, other) = (Doc::new(), Doc::new());
    assert_eq!(OK, doc.apply(CHARACTER).0);
    assert_eq!(YffiCode::Panic as i32, doc.poison());
    assert_eq!(YffiCode::Poisoned as i32, doc.apply(CHARACTER).0);
    for write in [false, true] {
        assert_eq!(Some(YffiCode::Poisoned as i32), doc.begin(write).err());
    }
    assert!(unsafe { yffi_doc_memory(doc.0) } > 0);
    assert_eq!(OK, other.apply(CHARACTER).0);
}

#[test]
fn poisoning_inside_a_transaction_ends_it() {
    let doc = Doc::new();
    let txn = doc.begin(true).expect("the document is free");
    let apply = |update: &[u8]| {
        let mut err = error();
        let code = unsafe { yffi_txn_apply_update(txn, update.as_ptr(), update.len(), &mut err) };
        message(err);
        code
    };
    assert_eq!(OK, apply(CHARACTER));
    assert_eq!(YffiCode::Panic as i32, doc.poison());
    assert_eq!(YffiCode::Poisoned as i32, apply(CHARACTER));
    let (code, update) = end(txn);
    assert_eq!(YffiCode::Poisoned as i32, code);
    assert!(update.is_empty(), "nothing of a poisoned document gets out");
}

#[test]
fn a_lock_that_is_taken_is_reported() {
    let doc = Doc::new();
    let txn = doc.begin(true).expect("the document is free");
    let (mut slot, mut err) = (0, error());
    let mut root = |txn, name: &[u8; 1]| unsafe {
        let kind = YffiKind::Text as u8;
        yffi_txn_root(txn, kind, name.as_ptr(), 1, &mut slot, &mut err)
    };
    assert_eq!(OK, root(txn, b"t")); // a write transaction takes the lock when it needs it
    let second = doc.begin(true).expect("it does nothing yet");
    assert_eq!(YffiCode::Busy as i32, root(second, b"u"));
    message(err);
    assert_eq!(OK, end(second).0);
    assert_eq!(Some(YffiCode::Busy as i32), doc.begin(false).err());
    assert_eq!(YffiCode::Busy as i32, doc.apply(CHARACTER).0);
    assert_eq!(OK, end(txn).0);
    assert_eq!(OK, doc.apply(CHARACTER).0);
}

#[test]
fn the_commit_gives_the_change() {
    let doc = Doc::new();
    assert_eq!(OK, doc.apply(CHARACTER).0);
    let txn = doc.begin(true).expect("the document is free");
    let (mut slot, mut err) = (0, error());
    unsafe {
        let name = b"t";
        let kind = YffiKind::Text as u8;
        assert_eq!(
            OK,
            yffi_txn_root(txn, kind, name.as_ptr(), 1, &mut slot, &mut err)
        );
        assert!(!yffi_txn_changed(txn));
        assert_eq!(
            OK,
            yffi_text_insert(txn, slot, 1, b"yz".as_ptr(), 2, &mut err)
        );
        assert!(yffi_txn_changed(txn));
        let past_the_end = yffi_text_insert(txn, slot, 4, b"!".as_ptr(), 1, &mut err);
        assert_eq!(YffiCode::OutOfRange as i32, past_the_end);
    }
    assert_eq!("index 4 out of range (len 3)", message(err));
    let (code, update) = end(txn);
    assert_eq!(OK, code);
    let peer = Doc::new();
    assert_eq!(OK, peer.apply(CHARACTER).0);
    assert_eq!(OK, peer.apply(&update).0);
    assert_eq!(doc.state(), peer.state());
}
