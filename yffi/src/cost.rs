//! What an update may cost that nobody vouches for.
//!
//! yrs, like Yjs, orders an item among those that were inserted at the same place by walking over what is between its
//! neighbours, and an entry of a map by walking over those of its key. An item that follows what its client wrote
//! just before it finds little there: no more than what was attached to that one in the meantime, by other items. Any
//! other is a jump, and may walk over everything: 10,000 of them took ten seconds. And what yrs makes of a few bytes
//! can take hundreds.
//!
//! None of that is forbidden, and a document that has grown may be like that as a whole. So an update with a budget
//! that may cost much is integrated a part at a time, with an eye on the clock and on the memory.

use crate::alloc;
use crate::gate::Summary;
use std::time::{Duration, Instant};

/// How many steps are walked, at most, without a look at the clock, and how many a microsecond takes.
const STEPS: usize = 1 << 20;
const STEPS_A_MICROSECOND: usize = 16;
/// How many structs are integrated, at most, without a look at the memory.
const STRUCTS: usize = 256;
/// What so many structs usually take, and may take beside the budget.
const MANY_STRUCTS: usize = 1024;
const TIME_OF_MANY: Duration = Duration::from_millis(4);

/// What an update may cost.
pub struct Budget {
    time: Duration,
    memory_before: i64,
}

impl Budget {
    /// The budget of an update that begins to be looked at now.
    pub fn new(time: Duration) -> Self {
        Budget {
            time,
            memory_before: alloc::net(),
        }
    }

    /// Whether an update may take long, in a document of so many structs.
    pub fn is_at_risk(&self, summary: &Summary, structs: usize) -> bool {
        let jumps = summary.jumps;
        jumps > 1 && jumps * (structs + summary.structs) > self.steps()
    }

    fn steps(&self) -> usize {
        let micros = usize::try_from(self.time.as_micros()).unwrap_or(STEPS);
        STEPS.min(micros.saturating_mul(STEPS_A_MICROSECOND))
    }

    /// Whether nothing is left of it, when so many structs were integrated since `start`; `memory` is how much may be
    /// allocated.
    pub fn is_spent(&self, start: Instant, structs: usize, memory: Option<i64>) -> bool {
        let usual = TIME_OF_MANY * (structs / MANY_STRUCTS) as u32;
        start.elapsed() > self.time + usual
            || memory.is_some_and(|memory| alloc::net() - self.memory_before > memory)
    }
}

/// What is integrated at once.
#[derive(Default)]
pub struct Part {
    structs: usize,
    jumps: usize,
}

impl Part {
    pub fn add(&mut self, jumps: bool) {
        self.structs += 1;
        self.jumps += usize::from(jumps);
    }

    /// Whether no more should go into it, in a document of so many structs.
    pub fn is_full(&self, structs: usize, budget: &Budget) -> bool {
        // Each jump may walk over everything, and so may the item that follows what it is attached to.
        self.structs >= STRUCTS || self.jumps * 2 * structs > budget.steps()
    }
}

/// How much of one thing there may be in an update for what yrs makes of it to be in proportion to its length: one for
/// as many bytes as it has at least when a usual client writes it, and some more.
struct Density {
    bytes: usize,
    free: usize,
}

const DOCS: Density = Density {
    bytes: 32,
    free: 256,
};
const TYPES: Density = Density {
    bytes: 9,
    free: 4096,
};
const MAPS: Density = Density {
    bytes: 5,
    free: 16_384,
};

impl Density {
    fn is_exceeded(&self, count: usize, len: usize) -> bool {
        count > self.free + len / self.bytes
    }
}

/// How much an update of this length may allocate before the rest of it is given up: none if it cannot become much.
pub fn memory(summary: &Summary, len: usize) -> Option<i64> {
    let dense =
        DOCS.is_exceeded(summary.docs.len(), len) || TYPES.is_exceeded(summary.types.len(), len);
    dense.then_some(32 * len as i64 + (3 << 20))
}

/// Whether there are more maps among the plain values of an update than would be in proportion. They are in structs
/// that may be of any length, so that parts do not help.
pub fn has_many_maps(summary: &Summary, len: usize) -> bool {
    MAPS.is_exceeded(summary.maps, len)
}
