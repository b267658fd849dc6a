//! What a document knows: the clock of every client, as yrs's state vector has it, but at hand.

use crate::structs::Id;
use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::OnceLock;
use yrs::TransactionMut;

/// A fast hash of client ids that nobody outside can predict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientHash(u64);

impl Default for ClientHash {
    fn default() -> Self {
        static SECRET: OnceLock<u64> = OnceLock::new();
        ClientHash(*SECRET.get_or_init(|| RandomState::new().hash_one(0u8) | 1))
    }
}

impl BuildHasher for ClientHash {
    type Hasher = ClientHasher;

    fn build_hasher(&self) -> ClientHasher {
        ClientHasher {
            factor: self.0,
            hash: 0,
        }
    }
}

pub struct ClientHasher {
    factor: u64,
    hash: u64,
}

impl Hasher for ClientHasher {
    fn write(&mut self, _: &[u8]) {
        unreachable!("client ids are u64");
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
pub type ByClient<T> = HashMap<u64, T, ClientHash>;

/// How many client ids may share their low bits. yrs hashes an id to itself, so ids that share them make its
/// tables slow; random ids never come near.
pub(crate) const MAX_CROWD: usize = 64;
const CROWD_BITS: u32 = 12;

/// The first clock that is missing, for every client.
#[derive(Default)]
pub struct Clocks {
    clocks: ByClient<u32>,
    /// The client that came last with its clock: usually it comes next, too.
    latest: Id,
    /// How many clients share each value of the low bits, once there are many.
    crowds: Vec<u32>,
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
        if clock <= self.get(client) {
            return;
        }
        let before = std::mem::replace(&mut self.latest, Id { client, clock });
        if before.client != client
            && before.clock > 0
            && self.clocks.insert(before.client, before.clock).is_none()
        {
            self.count(before.client);
        }
    }

    /// Takes a client's clock back.
    pub fn lower(&mut self, client: u64, clock: u32) {
        if self.latest.client == client {
            self.latest.clock = clock;
        } else {
            self.clocks.insert(client, clock);
        }
    }

    /// Notes what a transaction has inserted so far.
    pub fn advance(&mut self, txn: &TransactionMut<'_>) {
        for (client, ranges) in txn.insert_set().iter() {
            let end = ranges.iter().map(|range| range.end).max().unwrap_or(0);
            self.raise(client.get(), end);
        }
    }

    /// Whether `client` is new and its id shares its low bits with too many others.
    pub fn is_crowded(&self, client: u64) -> bool {
        let Some(&crowd) = self.crowds.get(low_bits(client)) else {
            return false;
        };
        let even = self.clocks.len() >> CROWD_BITS;
        crowd as usize > MAX_CROWD + 8 * even && self.get(client) == 0
    }

    fn count(&mut self, client: u64) {
        if !self.crowds.is_empty() {
            self.crowds[low_bits(client)] += 1;
        } else if self.clocks.len() > 16 * MAX_CROWD {
            self.crowds = vec![0; 1 << CROWD_BITS];
            for known in self.clocks.keys() {
                self.crowds[low_bits(*known)] += 1;
            }
        }
    }
}

fn low_bits(client: u64) -> usize {
    (client & ((1 << CROWD_BITS) - 1)) as usize
}
