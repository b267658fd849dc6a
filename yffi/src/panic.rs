//! The panic boundary that every export runs in.

use crate::alloc;
use crate::buf::YffiBuf;
use crate::doc::YffiDoc;
use crate::error::{Failure, Result, YffiCode, YffiError};
use std::cell::RefCell;
use std::panic::{catch_unwind, set_hook, AssertUnwindSafe, PanicHookInfo};
use std::sync::Once;

thread_local! {
    static LAST_PANIC: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Records where a panic happened instead of printing it. The hook belongs to this library's own copy
/// of the standard library; nothing else in the process uses it.
pub fn install_hook() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| set_hook(Box::new(record)));
}

fn record(info: &PanicHookInfo<'_>) {
    let what = match info.payload().downcast_ref::<&str>() {
        Some(text) => text,
        None => info
            .payload()
            .downcast_ref::<String>()
            .map_or("panic", String::as_str),
    };
    let text = match info.location() {
        // The file's last two parts name crate and module; the rest is the build machine's business.
        Some(at) => format!("{what} (at {}:{})", short(at.file()), at.line()),
        None => what.to_string(),
    };
    LAST_PANIC.with(|last| last.replace(text));
}

fn short(path: &str) -> &str {
    let start = path.rmatch_indices('/').nth(2).map_or(0, |(at, _)| at + 1);
    &path[start..]
}

/// What a panic in the body means for the document.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum OnPanic {
    /// The body only reads: the document stays usable.
    Keep,
    /// The body writes: the document may be half changed and is poisoned.
    Poison,
}

/// Runs `body`, turns its failure or panic into a code and a message in `err`, and charges the memory
/// that it took to `doc`. With a poisoned document the body does not run.
pub fn guard(
    doc: Option<&YffiDoc>,
    on_panic: OnPanic,
    err: *mut YffiError,
    body: impl FnOnce() -> Result<()>,
) -> i32 {
    let before = alloc::net();
    let body = || match doc {
        Some(doc) if doc.is_poisoned() => Err(Failure::poisoned()),
        _ => body(),
    };
    let failure = match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) => None,
        Ok(Err(failure)) => Some(failure),
        Err(payload) => {
            // Dropping a payload runs foreign code, which may panic again.
            std::mem::forget(payload);
            if let (Some(doc), OnPanic::Poison) = (doc, on_panic) {
                doc.poison();
            }
            let message = LAST_PANIC.with(|last| last.take());
            Some(Failure::new(YffiCode::Panic, message))
        }
    };
    let code = match failure {
        None => YffiCode::Ok,
        Some(failure) => {
            if let Some(err) = unsafe { err.as_mut() } {
                err.message = YffiBuf::from(failure.message.into_bytes());
            }
            failure.code
        }
    };
    if let Some(doc) = doc {
        doc.charge(alloc::net() - before);
    }
    code as i32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doc::YffiDocOptions;

    fn doc() -> YffiDoc {
        YffiDoc::new(&YffiDocOptions {
            client_id: 1,
            guid: std::ptr::null(),
            guid_len: 0,
            byte_offsets: false,
            skip_gc: false,
            skip_index: false,
            limits: crate::limits::DEFAULT,
        })
        .unwrap()
    }

    #[test]
    fn a_panic_in_a_write_poisons_the_document() {
        let doc = doc();
        let none = std::ptr::null_mut();
        let code = guard(Some(&doc), OnPanic::Keep, none, || panic!("while reading"));
        assert_eq!(code, YffiCode::Panic as i32);
        assert!(!doc.is_poisoned());
        let code = guard(Some(&doc), OnPanic::Poison, none, || {
            panic!("while writing")
        });
        assert_eq!(code, YffiCode::Panic as i32);
        assert!(doc.is_poisoned());
        let code = guard(Some(&doc), OnPanic::Keep, none, || {
            unreachable!("refused before")
        });
        assert_eq!(code, YffiCode::Poisoned as i32);
    }
}
