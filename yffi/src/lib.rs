//! A C ABI over the `yrs` crate, made for the Go package `ycrdt` and for nothing else.
//!
//! Every export runs its body inside one panic boundary ([`panic::guard`]), reports failures through
//! [`error::YffiError`] and hands out memory only as [`buf::YffiBuf`]. No callback crosses the boundary:
//! what observers see is recorded and returned by the commit.

mod admission;
mod alloc;
mod array;
mod batch;
mod branch;
mod buf;
mod clocks;
mod closed;
mod collect;
mod compose;
mod cost;
mod crowds;
mod decode;
mod doc;
mod error;
mod event;
mod ffi;
mod garbage;
mod gate;
mod held;
mod indexes;
mod json;
mod limits;
mod local;
mod map;
#[cfg(feature = "bench")]
pub mod measure;
mod nesting;
mod newtypes;
mod offset;
mod order;
mod panic;
mod positions;
mod ranges;
mod rewrite;
mod sequence;
mod slab;
mod structs;
mod text;
mod transaction;
#[cfg(test)]
mod undo_test;
mod update;
mod value;
mod wire;
mod xml;

pub use array::*;
pub use branch::*;
pub use buf::*;
pub use doc::*;
pub use error::*;
pub use event::*;
pub use ffi::*;
pub use limits::YffiLimits;
pub use map::*;
pub use text::*;
pub use transaction::*;
pub use update::*;
