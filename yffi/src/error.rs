//! Failures and their stable numeric codes.

use crate::buf::YffiBuf;
use std::fmt;

/// What went wrong. The numbers are part of the ABI and never change their meaning.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum YffiCode {
    Ok = 0,
    /// The body panicked; the message names the place in the Rust source.
    Panic = 1,
    /// An earlier panic or failed apply left the document unusable.
    Poisoned = 2,
    /// Bytes that are not what they claim to be.
    Malformed = 3,
    /// A size or depth limit was passed.
    TooLarge = 4,
    /// An index past the end or inside a character.
    OutOfRange = 5,
    /// The shared type was deleted.
    Deleted = 6,
    /// The shared type is of another kind.
    WrongType = 7,
    /// A write in a read-only transaction.
    ReadOnly = 8,
    /// yrs refused an update after it had integrated a part of it; the document is poisoned.
    ApplyFailed = 9,
    /// The document is locked although the caller should own its lock.
    Busy = 10,
    /// An argument that no document accepts, such as a client id above 53 bits.
    InvalidArgument = 11,
    /// A value that a document cannot carry, such as a string that is not UTF-8.
    UnsupportedValue = 12,
    /// An update misses something, and too much is held back already for it to wait for that.
    HeldFull = 13,
}

/// Where a failing call leaves its reason. The caller passes it zeroed and frees `message`
/// when the returned code is not 0.
#[repr(C)]
pub struct YffiError {
    pub message: YffiBuf,
}

/// The reason inside the crate.
#[derive(Debug)]
pub struct Failure {
    pub code: YffiCode,
    pub message: String,
}

impl Failure {
    pub fn new(code: YffiCode, message: impl fmt::Display) -> Self {
        Failure {
            code,
            message: message.to_string(),
        }
    }

    pub fn malformed(message: impl fmt::Display) -> Self {
        Failure::new(YffiCode::Malformed, message)
    }

    pub fn invalid(message: impl fmt::Display) -> Self {
        Failure::new(YffiCode::InvalidArgument, message)
    }

    pub fn read_only() -> Self {
        Failure::new(YffiCode::ReadOnly, "the transaction is read-only")
    }

    pub fn poisoned() -> Self {
        Failure::new(
            YffiCode::Poisoned,
            "an earlier failure left the document unusable; close it and load it again",
        )
    }

    pub fn out_of_range(index: u64, len: u32) -> Self {
        Failure::new(
            YffiCode::OutOfRange,
            format_args!("index {index} out of range (len {len})"),
        )
    }
}

pub type Result<T> = std::result::Result<T, Failure>;
