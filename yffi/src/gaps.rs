//! Gaps: clients whose clocks have a hole.
//!
//! yrs integrates a block that needs nothing missing even if earlier blocks of its client are missing. Its state
//! vector stops at the hole, before and after, so an update that is encoded by state vectors leaves the block
//! out. Here such clients are remembered, and state vectors lowered so that they are encoded from before the hole.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use yrs::{ClientID, ReadTxn, StateVector, TransactionMut};

/// What is known of the clients' clocks.
#[derive(Default)]
struct Clocks {
    /// Up to where each client is known without a hole: what yrs's state vector says, without making one.
    whole: HashMap<ClientID, u32>,
    /// Up to where clients with a hole are known behind it.
    behind: HashMap<ClientID, u32>,
}

impl Clocks {
    /// Takes in what a transaction has inserted; tells whether any of it is behind a hole.
    fn add(&mut self, txn: &TransactionMut<'_>) -> bool {
        let mut found = false;
        for (client, ranges) in txn.insert_set().iter() {
            let whole = self.whole.entry(*client).or_default();
            for range in ranges.iter() {
                if range.start <= *whole {
                    *whole = range.end.max(*whole);
                } else {
                    let behind = self.behind.entry(*client).or_default();
                    *behind = range.end.max(*behind);
                    found = true;
                }
            }
        }
        if !self.behind.is_empty() {
            self.close(&txn.state_vector());
        }
        found
    }

    /// Forgets the holes that have been filled.
    fn close(&mut self, state: &StateVector) {
        let whole = &mut self.whole;
        self.behind.retain(|client, end| {
            let clock = state.get(client);
            whole.insert(*client, clock);
            clock < *end
        });
    }
}

/// The clients with a hole.
#[derive(Default)]
pub(crate) struct Gaps(Mutex<Clocks>);

impl Gaps {
    fn clocks(&self) -> MutexGuard<'_, Clocks> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what a transaction inserted. If any of it is behind a hole, gives the state vector from which its
    /// change has to be encoded.
    pub fn note(&self, txn: &TransactionMut<'_>) -> Option<StateVector> {
        let mut clocks = self.clocks();
        if !clocks.add(txn) {
            return None;
        }
        Some(lower(
            &clocks,
            txn.before_state().clone(),
            &txn.state_vector(),
        ))
    }

    /// Lowers `remote` where it would hide what `txn` knows behind a hole.
    pub fn reveal<T: ReadTxn>(&self, txn: &T, remote: StateVector) -> StateVector {
        let clocks = self.clocks();
        if clocks.behind.is_empty() {
            return remote;
        }
        lower(&clocks, remote, &txn.state_vector())
    }
}

/// A client is encoded if the local clock is above the remote one; at 0 it has to be absent for that.
fn lower(clocks: &Clocks, remote: StateVector, local: &StateVector) -> StateVector {
    let mut lowered = StateVector::default();
    for (client, clock) in remote.iter() {
        let clock = match local.get(client) {
            local if clocks.behind.contains_key(client) => (*clock).min(local.saturating_sub(1)),
            _ => *clock,
        };
        if clock > 0 {
            lowered.set_max(*client, clock);
        }
    }
    lowered
}
