//! What a document knows: the clock of every client, as yrs's state vector has it, but at hand.

use crate::crowds::Crowds;
use crate::structs::Id;
use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::OnceLock;
use yrs::TransactionMut;

/// A fast hash of client ids, or of addresses, that nobody outside can predict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberHash(u64);

impl Default for NumberHash {
    fn default() -> Self {
        static SECRET: OnceLock<u64> = OnceLock::new();
        NumberHash(*SECRET.get_or_init(|| RandomState::new().hash_one(0u8) | 1))
    }
}

impl BuildHasher for NumberHash {
    type Hasher = NumberHasher;

    fn build_hasher(&self) -> NumberHasher {
        NumberHasher {
            factor: self.0,
            hash: 0,
        }
    }
}

pub struct NumberHasher {
    factor: u64,
    hash: u64,
}

impl Hasher for NumberHasher {
    fn write(&mut self, _: &[u8]) {
        unreachable!("client ids and addresses are numbers");
    }

    fn write_usize(&mut self, address: usize) {
        self.write_u64(address as u64);
    }

    fn write_u64(&mut self, client: u64) {
        let wide = u128::from(client ^ self.factor.rotate_left(32)) * u128::from(self.factor);
        self.hash = (wide >> 64) as u64 ^ wide as u64;
    }

    fn finish(&self) -> u64 {
        self.hash
    }
}

/// A map by client id.
pub type ByClient<T> = HashMap<u64, T, NumberHash>;

/// The first clock that is missing, for every client.
#[derive(Default)]
pub struct Clocks {
    clocks: ByClient<u32>,
    /// The client that came last with its clock: usually it comes next, too.
    latest: Id,
    crowds: Crowds,
    /// The sum of all clocks.
    units: u64,
}

impl Clocks {
    pub fn get(&self, client: u64) -> u32 {
        if self.latest.client == client {
            return self.latest.clock;
        }
        self.clocks.get(&client).copied().unwrap_or(0)
    }

    pub fn has(&self, id: Id) -> bool {
        id.clock < self.get(id.client)
    }

    /// Raises a client's clock; never lowers it.
    pub fn raise(&mut self, client: u64, clock: u32) {
        let known = if self.latest.client == client {
            Some(self.latest.clock)
        } else {
            self.clocks.get(&client).copied()
        };
        if clock <= known.unwrap_or(0) {
            return;
        }
        if known.is_none() {
            self.crowds.add(client);
        }
        self.units += u64::from(clock - known.unwrap_or(0));
        let before = std::mem::replace(&mut self.latest, Id { client, clock });
        if before.client != client && before.clock > 0 {
            self.clocks.insert(before.client, before.clock);
        }
    }

    /// Takes a client's clock back.
    pub fn lower(&mut self, client: u64, clock: u32) {
        self.units -= u64::from(self.get(client) - clock);
        if self.latest.client == client {
            self.latest.clock = clock;
        }
        self.clocks.insert(client, clock); // an earlier one may be there
    }

    /// Notes what a transaction has inserted so far.
    pub fn advance(&mut self, txn: &TransactionMut<'_>) {
        for (client, ranges) in txn.insert_set().iter() {
            let end = ranges.iter().map(|range| range.end).max().unwrap_or(0);
            self.raise(client.get(), end);
        }
    }

    /// How many units there are, of all clients.
    pub fn units(&self) -> u64 {
        self.units
    }

    pub fn crowds(&self) -> &Crowds {
        &self.crowds
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_taken_back_is_gone_for_good() {
        let mut clocks = Clocks::default();
        for (client, clock) in [(1, 5), (2, 1), (1, 9)] {
            clocks.raise(client, clock);
        }
        clocks.lower(1, 0);
        clocks.raise(3, 1);
        assert_eq!([1, 2, 3].map(|client| clocks.get(client)), [0, 1, 1]);
        assert_eq!(clocks.units(), 2);
        clocks.lower(2, 0);
        clocks.raise(2, 4);
        clocks.raise(1, 2);
        assert_eq!([1, 2, 3].map(|client| clocks.get(client)), [2, 4, 1]);
        assert_eq!(clocks.units(), 7);
    }
}
