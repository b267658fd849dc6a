//! The gate and the check after an apply alone, for the benchmarks.

use crate::admission::Admission;
use crate::limits::DEFAULT;
use crate::nesting::Asker;
use crate::transaction::check_encoded;

/// The gate of a document without the document.
pub struct Gate(Admission);

impl Default for Gate {
    fn default() -> Self {
        Gate(Admission::new(0, DEFAULT))
    }
}

impl Gate {
    /// Decides on an update; whether it may go in as it is.
    pub fn pass(&mut self, update: &[u8]) -> bool {
        let inspected = self.0.inspect(update, None, &Asker::new(&|_| None, 0));
        inspected.is_ok_and(|inspected| self.0.admit_whole(&inspected).is_some())
    }
}

/// What a commit does with the change that it has encoded. `applied` is the update that it was made for.
pub fn check(encoded: &[u8], applied: &[u8]) -> bool {
    encoded == applied || check_encoded(encoded).is_ok()
}
