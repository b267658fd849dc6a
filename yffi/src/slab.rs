//! Numbered things. They are in pages, so that growing moves none of them and leaves little room unused.

use std::ops::{Index, IndexMut};

pub(crate) type Number = u32;
pub const NIL: Number = Number::MAX;

/// How many things are in a page; the first one grows to that.
const PAGE: usize = 256;

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
