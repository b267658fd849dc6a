//! Numbered things. They are in pages, because a vector that grows leaves its old room behind, and half of the new empty.

use std::ops::{Index, IndexMut};

pub type Number = u32;
pub const NIL: Number = Number::MAX;

/// How many things are in a page. The first page grows to that.
const PAGE: usize = if cfg!(test) { 8 } else { 256 };

pub struct Slab<T> {
    pages: Vec<Vec<T>>,
    free: Vec<Number>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Slab {
            pages: Vec::new(),
            free: Vec::new(),
        }
    }
}

impl<T> Slab<T> {
    /// How many things there are.
    pub fn len(&self) -> usize {
        let last = self.pages.last().map_or(0, Vec::len);
        self.pages.len().saturating_sub(1) * PAGE + last - self.free.len()
    }

    /// Adds a thing, which gets the number of one that was removed, or the next one.
    pub fn add(&mut self, thing: T) -> Number {
        if let Some(number) = self.free.pop() {
            self[number] = thing;
            return number;
        }
        if self.pages.last().is_none_or(|page| page.len() == PAGE) {
            let room = if self.pages.is_empty() { 0 } else { PAGE };
            self.pages.push(Vec::with_capacity(room));
        }
        let at = self.pages.len() - 1;
        self.pages[at].push(thing);
        (at * PAGE + self.pages[at].len() - 1) as Number
    }

    /// Removes a thing, whose number is not used until another one gets it.
    pub fn remove(&mut self, number: Number) {
        self.free.push(number);
    }
}

impl<T> Index<Number> for Slab<T> {
    type Output = T;

    fn index(&self, number: Number) -> &T {
        &self.pages[number as usize / PAGE][number as usize % PAGE]
    }
}

impl<T> IndexMut<Number> for Slab<T> {
    fn index_mut(&mut self, number: Number) -> &mut T {
        &mut self.pages[number as usize / PAGE][number as usize % PAGE]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_name_the_same_things_until_they_are_removed() {
        let mut slab = Slab::default();
        let numbers: Vec<Number> = (0..3 * PAGE).map(|thing| slab.add(thing)).collect();
        assert!((0..).zip(&numbers).all(|(at, number)| at == *number));
        assert_eq!(slab.len(), 3 * PAGE);
        for number in &numbers[PAGE / 2..2 * PAGE] {
            slab.remove(*number);
        }
        assert_eq!(slab.len(), 3 * PAGE - 3 * PAGE / 2);
        let more: Vec<Number> = (0..2 * PAGE).map(|thing| slab.add(100 + thing)).collect();
        assert_eq!(slab.len(), 3 * PAGE + PAGE / 2);
        let kept = numbers[..PAGE / 2].iter().chain(&numbers[2 * PAGE..]);
        assert!(kept.clone().all(|number| slab[*number] == *number as usize));
        assert!(more
            .iter()
            .zip(100..)
            .all(|(number, thing)| slab[*number] == thing));
        slab[more[0]] = 7;
        assert_eq!(slab[more[0]], 7);
    }
}
