//! Numbered members in an order of their own, found by how many units stand before them.
//!
//! A B+ tree: the leaves hold the members, a chunk above holds chunks, and each entry tells how many units are in what it
//! stands for. Chunks are wide, because what takes time is to fetch one.

use crate::slab::{Number, Slab, NIL};

/// How many entries a chunk has room for. Few in unit tests, so that their trees are high.
const WIDTH: usize = if cfg!(test) { 8 } else { 32 };

/// Two chunks become one when they have so few entries together that it will not soon be cut again.
const FEW: usize = WIDTH * 3 / 4;

struct Chunk {
    parent: Number,
    count: usize,
    entries: [Number; WIDTH],
    units: [u32; WIDTH],
}

/// A level of the tree: 0 for members, 1 for leaves, and so on.
type Level = usize;

#[derive(Default)]
pub struct Order {
    chunks: Slab<Chunk>,
    /// The chunk above all others, if there is any, and its level.
    root: Number,
    top: Level,
    /// In which leaf each member is.
    leaves: Vec<Number>,
    units: u32,
}

impl Order {
    /// How many units there are.
    pub fn units(&self) -> u32 {
        self.units
    }

    /// The member that has the unit at `offset`, which is below `units`, and how many of its units are before.
    pub fn at(&self, mut offset: u32) -> (Number, u32) {
        let mut number = self.root;
        for _ in 0..self.top {
            let chunk = &self.chunks[number];
            let mut at = 0;
            while offset >= chunk.units[at] {
                offset -= chunk.units[at];
                at += 1;
            }
            number = chunk.entries[at];
        }
        (number, offset)
    }

    pub fn first(&self) -> Number {
        if self.top == 0 {
            return NIL;
        }
        self.edge(self.root, self.top, |_| 0)
    }

    /// The member behind `member`.
    pub fn next(&self, member: Number) -> Number {
        let step = |chunk: &Chunk, at: usize| (at + 1 < chunk.count).then_some(at + 1);
        self.neighbour(member, step, |_| 0)
    }

    /// The member before `member`.
    pub fn prev(&self, member: Number) -> Number {
        let step = |_: &Chunk, at: usize| at.checked_sub(1);
        self.neighbour(member, step, |chunk| chunk.count - 1)
    }

    fn neighbour(
        &self,
        member: Number,
        step: impl Fn(&Chunk, usize) -> Option<usize>,
        edge: impl Fn(&Chunk) -> usize,
    ) -> Number {
        let mut number = member;
        for level in 0..self.top {
            let (parent, at) = self.place(level, number);
            let chunk = &self.chunks[parent];
            if let Some(at) = step(chunk, at) {
                return self.edge(chunk.entries[at], level, edge);
            }
            number = parent;
        }
        NIL
    }

    /// The member at an edge below something on a level.
    fn edge(&self, mut number: Number, level: Level, edge: impl Fn(&Chunk) -> usize) -> Number {
        for _ in 0..level {
            let chunk = &self.chunks[number];
            number = chunk.entries[edge(chunk)];
        }
        number
    }

    /// Adds to the units of a member, modulo 2^32.
    pub fn add(&mut self, member: Number, change: u32) {
        self.units = self.units.wrapping_add(change);
        self.add_on(0, member, change);
    }

    /// Inserts a member that is not in the order behind `left`, or at the beginning if that is NIL.
    pub fn insert(&mut self, left: Number, member: Number, units: u32) {
        if self.leaves.len() <= member as usize {
            self.leaves.resize(member as usize + 1, NIL);
        }
        if self.top == 0 {
            self.root = self.new_chunk();
            self.top = 1;
        }
        let (leaf, at) = if left == NIL {
            (self.edge(self.root, self.top - 1, |_| 0), 0)
        } else {
            let (leaf, at) = self.place(0, left);
            (leaf, at + 1)
        };
        self.insert_on(0, leaf, at, member);
        self.add(member, units);
    }

    /// Takes a member out.
    pub fn remove(&mut self, member: Number) {
        let (leaf, at) = self.place(0, member);
        let units = self.chunks[leaf].units[at];
        self.add(member, units.wrapping_neg());
        self.remove_on(0, member);
    }

    // What follows is the same on all levels.

    fn parent(&self, level: Level, number: Number) -> Number {
        if level == 0 {
            self.leaves[number as usize]
        } else {
            self.chunks[number].parent
        }
    }

    fn set_parent(&mut self, level: Level, number: Number, parent: Number) {
        if level == 0 {
            self.leaves[number as usize] = parent;
        } else {
            self.chunks[number].parent = parent;
        }
    }

    /// The chunk that something is in, and where in it.
    fn place(&self, level: Level, number: Number) -> (Number, usize) {
        let parent = self.parent(level, number);
        let entries = &self.chunks[parent].entries;
        let at = entries.iter().position(|entry| *entry == number);
        (parent, at.expect("a chunk holds what is in it"))
    }

    fn add_on(&mut self, level: Level, mut number: Number, change: u32) {
        if change == 0 {
            return;
        }
        for level in level..self.top {
            let (parent, at) = self.place(level, number);
            let units = &mut self.chunks[parent].units[at];
            *units = units.wrapping_add(change);
            number = parent;
        }
    }

    /// Inserts an entry without units: what is above need not change.
    fn insert_on(&mut self, level: Level, mut chunk: Number, mut at: usize, number: Number) {
        if self.chunks[chunk].count == WIDTH {
            (chunk, at) = self.make_room(level, chunk, at);
        }
        let it = &mut self.chunks[chunk];
        it.entries.copy_within(at..it.count, at + 1);
        it.units.copy_within(at..it.count, at + 1);
        it.entries[at] = number;
        it.units[at] = 0;
        it.count += 1;
        self.set_parent(level, number, chunk);
    }

    /// Makes room for an entry at `at` in a full chunk of entries on a level, and tells where it goes now. What is filled
    /// from one end to the other is left full.
    fn make_room(&mut self, level: Level, chunk: Number, at: usize) -> (Number, usize) {
        if at == WIDTH && chunk != self.root {
            let (parent, place) = self.place(level + 1, chunk);
            let next = self.entry(parent, place + 1);
            if let Some(next) = next.filter(|next| self.chunks[*next].count < WIDTH) {
                return (next, 0);
            }
        }
        let keep = match at {
            0 => 1,
            WIDTH => WIDTH - 1,
            _ => WIDTH / 2,
        };
        let right = self.split(level, chunk, keep);
        if at > keep {
            (right, at - keep)
        } else {
            (chunk, at)
        }
    }

    /// Makes a chunk for the entries of another one from `keep` on.
    fn split(&mut self, level: Level, chunk: Number, keep: usize) -> Number {
        if chunk == self.root {
            let root = self.new_chunk();
            let it = &mut self.chunks[root];
            (it.count, it.entries[0], it.units[0]) = (1, chunk, self.units);
            self.chunks[chunk].parent = root;
            self.root = root;
            self.top += 1;
        }
        let right = self.new_chunk();
        let (parent, place) = self.place(level + 1, chunk);
        self.insert_on(level + 1, parent, place + 1, right);
        self.move_entries(level, chunk, keep, right);
        right
    }

    /// Moves the entries of a chunk from `from` on to the end of `to`.
    fn move_entries(&mut self, level: Level, chunk: Number, from: usize, to: Number) {
        let it = &mut self.chunks[chunk];
        let (entries, units, count) = (it.entries, it.units, it.count);
        it.count = from;
        it.entries[from..].fill(NIL);
        let moved = units[from..count].iter().sum::<u32>();
        self.add_on(level + 1, chunk, moved.wrapping_neg());
        for at in from..count {
            let it = &mut self.chunks[to];
            it.entries[it.count] = entries[at];
            it.units[it.count] = units[at];
            it.count += 1;
            self.set_parent(level, entries[at], to);
        }
        self.add_on(level + 1, to, moved);
    }

    /// Takes out an entry without units.
    fn remove_on(&mut self, level: Level, number: Number) {
        let (chunk, at) = self.place(level, number);
        let it = &mut self.chunks[chunk];
        it.entries.copy_within(at + 1..it.count, at);
        it.units.copy_within(at + 1..it.count, at);
        it.count -= 1;
        it.entries[it.count] = NIL;
        let count = it.count;
        if chunk == self.root {
            self.lower_root();
        } else if count == 0 {
            self.remove_on(level + 1, chunk);
            self.chunks.remove(chunk);
        } else {
            let (parent, at) = self.place(level + 1, chunk);
            if at == 0 || !self.join(level, parent, at - 1) {
                self.join(level, parent, at);
            }
        }
    }

    /// Takes off what has only one chunk below it, or nothing.
    fn lower_root(&mut self) {
        while self.top > 0 {
            let root = &self.chunks[self.root];
            match root.count {
                0 => self.top = 0,
                1 if self.top > 1 => self.top -= 1,
                _ => return,
            }
            let only = root.entries[0];
            self.chunks.remove(self.root);
            self.root = only;
        }
    }

    /// Moves the entries of the chunk behind the one at `at` into that one, if both have few.
    fn join(&mut self, level: Level, parent: Number, at: usize) -> bool {
        let (Some(chunk), Some(next)) = (self.entry(parent, at), self.entry(parent, at + 1)) else {
            return false;
        };
        if self.chunks[chunk].count + self.chunks[next].count > FEW {
            return false;
        }
        self.move_entries(level, next, 0, chunk);
        self.remove_on(level + 1, next);
        self.chunks.remove(next);
        true
    }

    fn entry(&self, chunk: Number, at: usize) -> Option<Number> {
        let chunk = &self.chunks[chunk];
        chunk.entries[..chunk.count].get(at).copied()
    }

    fn new_chunk(&mut self) -> Number {
        self.chunks.add(Chunk {
            parent: NIL,
            count: 0,
            entries: [NIL; WIDTH],
            units: [0; WIDTH],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Order {
        /// Checks what every level says of those below, and returns the members in order with their units.
        fn walk(&self) -> Vec<(Number, u32)> {
            let mut level = vec![(self.root, self.units)];
            level.truncate(self.top);
            for top in (0..self.top).rev() {
                level = level.iter().flat_map(|it| self.below(top, *it)).collect();
            }
            level
        }

        fn below(&self, level: Level, (number, units): (Number, u32)) -> Vec<(Number, u32)> {
            let chunk = &self.chunks[number];
            assert!((1..=WIDTH).contains(&chunk.count));
            let entries = std::iter::zip(chunk.entries, chunk.units);
            let entries: Vec<_> = entries.take(chunk.count).collect();
            assert_eq!(entries.iter().map(|(_, units)| units).sum::<u32>(), units);
            for (entry, _) in &entries {
                assert_eq!(self.parent(level, *entry), number);
            }
            entries
        }

        fn check(&self, model: &[(Number, u32)]) {
            assert_eq!(self.walk(), model);
            assert_eq!(
                self.units(),
                model.iter().map(|(_, units)| units).sum::<u32>()
            );
            let chunks = self.chunks.len();
            let most = 4 + model.len() / 2;
            assert!(chunks <= most, "{chunks} for {}", model.len());
            let mut offset = 0;
            let mut last = NIL;
            for (member, units) in model {
                let next = if last == NIL {
                    self.first()
                } else {
                    self.next(last)
                };
                assert_eq!(next, *member);
                assert_eq!(self.prev(*member), last);
                if *units > 0 {
                    assert_eq!(self.at(offset), (*member, 0));
                    assert_eq!(self.at(offset + units - 1), (*member, units - 1));
                }
                offset += units;
                last = *member;
            }
            assert_eq!(
                if last == NIL {
                    self.first()
                } else {
                    self.next(last)
                },
                NIL
            );
        }
    }

    /// A number below `below`; a new one each time.
    fn random(state: &mut u64, below: usize) -> usize {
        *state = state
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (*state >> 33) as usize % below
    }

    #[test]
    fn an_order_is_that_of_a_list() {
        let mut state = 1;
        for round in 0..60 {
            let (mut order, mut model) = (Order::default(), Vec::<(Number, u32)>::new());
            let mut free: Vec<Number> = (0..3000).collect();
            // It grows at a random place, at the end or at the beginning, and shrinks to nothing.
            for step in 0..5000 {
                let grows = random(&mut state, 10) < if step < 2500 { 8 } else { 1 };
                if grows && !free.is_empty() {
                    let at = match round % 3 {
                        0 => random(&mut state, model.len() + 1),
                        1 => model.len(),
                        _ => 0,
                    };
                    let left = at.checked_sub(1).map_or(NIL, |at| model[at].0);
                    let member = free.swap_remove(random(&mut state, free.len()));
                    let units = random(&mut state, 4) as u32;
                    order.insert(left, member, units);
                    model.insert(at, (member, units));
                } else if !model.is_empty() {
                    let at = random(&mut state, model.len());
                    if random(&mut state, 3) == 0 {
                        let units = random(&mut state, 4) as u32;
                        order.add(model[at].0, units.wrapping_sub(model[at].1));
                        model[at].1 = units;
                    } else {
                        let (member, _) = model.remove(at);
                        order.remove(member);
                        free.push(member);
                    }
                }
                if step % 100 == 0 || model.len() < 3 {
                    order.check(&model);
                }
            }
            order.check(&model);
        }
    }

    #[test]
    fn what_is_removed_from_one_end_to_the_other_leaves_no_thin_chunks() {
        let mut order = Order::default();
        let count = 200 * WIDTH as Number;
        for member in 0..count {
            order.insert(member.wrapping_sub(1), member, 1);
        }
        let stays = |member: &Number| (*member as usize).is_multiple_of(WIDTH);
        for member in (0..count).filter(|member| !stays(member)) {
            order.remove(member);
        }
        let rest = (0..count).filter(stays).map(|member| (member, 1));
        order.check(&rest.collect::<Vec<_>>());
    }

    #[test]
    fn insertions_behind_full_chunks_leave_no_thin_ones() {
        let mut order = Order::default();
        let mut model = Vec::new();
        for member in 0..=WIDTH as Number {
            order.insert(member.wrapping_sub(1), member, 1);
            model.push((member, 1));
        }
        let last_of_chunk = WIDTH - 2;
        for pair in 0..300 {
            let (x, y) = (1000 + 2 * pair, 1001 + 2 * pair);
            order.insert(last_of_chunk as Number, x, 1);
            order.insert(x, y, 1);
            model.splice(last_of_chunk + 1..last_of_chunk + 1, [(x, 1), (y, 1)]);
        }
        order.check(&model);
    }
}
