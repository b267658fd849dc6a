//! Items that were inserted at the same place.
//!
//! yrs, like Yjs, orders an item among those that were inserted between the same two neighbours by walking over what is
//! between them. A hostile update can make it walk over everything for each item: 10,000 items took ten seconds. So
//! an update with many items behind the same neighbour is integrated a few at a time, with an eye on the clock.

use crate::structs::{Id, Kind, Parent, Struct};

/// Updates with fewer structs are never crowded, and no neighbour has fewer items behind it when it is.
const FEW: usize = 64;
/// Different neighbours may be counted as one, so their mean comes on top, several times.
const MEANS: usize = 8;
const BITS: u32 = 10;

/// Counts the items behind each neighbour, by a hash.
#[derive(Default)]
pub struct Siblings {
    items: usize,
    by_hash: Vec<u32>,
    most: u32,
}

impl Siblings {
    #[inline(always)]
    pub fn add(&mut self, it: &Struct) {
        self.items += 1;
        if self.items <= FEW {
            return;
        }
        let Kind::Item(parent) = it.kind else {
            return;
        };
        let neighbour = match (it.origin, parent) {
            (Some(origin), _) => origin,
            (None, Parent::Nested(parent)) => parent,
            (None, Parent::Root | Parent::Beside(_)) => Id::default(), // at the beginning of a list
        };
        if self.by_hash.is_empty() {
            self.by_hash = vec![0; 1 << BITS];
        }
        let mixed = (neighbour.client ^ u64::from(neighbour.clock).rotate_left(32))
            .wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let count = &mut self.by_hash[(mixed >> (64 - BITS)) as usize];
        *count += 1;
        self.most = self.most.max(*count);
    }

    /// Whether many items are behind the same neighbour.
    pub fn are_crowded(&self) -> bool {
        self.most as usize > FEW + MEANS * (self.items >> BITS)
    }
}
