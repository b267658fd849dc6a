//! Sets of clocks.

use std::collections::BTreeMap;

/// Ranges of clocks that neither overlap nor touch: start and end.
#[derive(Debug, Default)]
pub struct Ranges(BTreeMap<u32, u32>);

impl Ranges {
    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn iter(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        self.0.iter().map(|(start, end)| (*start, *end))
    }

    pub fn insert(&mut self, mut start: u32, mut end: u32) {
        while let Some((first, last)) = self.0.range(..=end).next_back().map(|(a, b)| (*a, *b)) {
            if last < start {
                break;
            }
            self.0.remove(&first);
            start = start.min(first);
            end = end.max(last);
        }
        self.0.insert(start, end);
    }

    /// Whether all of a range is in the set.
    pub fn covers(&self, start: u32, end: u32) -> bool {
        let before = self.0.range(..=start).next_back();
        before.is_some_and(|(_, last)| *last >= end)
    }

    /// Takes out what is before `clock`.
    pub fn take_before(&mut self, clock: u32) -> Vec<(u32, u32)> {
        let behind = self.0.split_off(&clock);
        let mut taken: Vec<(u32, u32)> =
            std::mem::replace(&mut self.0, behind).into_iter().collect();
        if let Some((_, end)) = taken.last_mut() {
            if *end > clock {
                self.0.insert(clock, *end);
                *end = clock;
            }
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_join_and_are_cut() {
        let mut ranges = Ranges::default();
        for (start, end) in [(10, 12), (20, 30), (12, 15), (5, 6), (14, 21)] {
            ranges.insert(start, end);
        }
        assert_eq!(ranges.iter().collect::<Vec<_>>(), [(5, 6), (10, 30)]);
        assert!(ranges.covers(10, 30) && ranges.covers(12, 13));
        assert!(!ranges.covers(9, 11) && !ranges.covers(29, 31) && !ranges.covers(30, 31));
        assert_eq!(ranges.take_before(15), [(5, 6), (10, 15)]);
        assert_eq!(ranges.iter().collect::<Vec<_>>(), [(15, 30)]);
        assert_eq!(ranges.take_before(15), []);
        assert_eq!(ranges.take_before(u32::MAX), [(15, 30)]);
        assert_eq!(ranges.len(), 0);
    }
}
