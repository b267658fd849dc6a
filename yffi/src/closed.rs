//! Whether an update can go in as it is.

use crate::clocks::{ByClient, Clocks};
use crate::gate::Summary;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Whether every struct of an update is new, and everything that it follows or refers to is in the document or,
/// without going in circles, in the update.
pub fn is_closed(summary: &Summary, clocks: &Clocks) -> bool {
    let follows = |client, clock| clocks.get(client) == clock;
    !summary.skips
        && !summary.deletes_unknown
        && summary
            .runs
            .iter()
            .all(|run| follows(run.client, run.clock))
        && (summary.needs.is_empty() || Sections::new(summary).finish())
}

/// How far the structs of each section could be taken in, each after what it needs.
struct Sections<'a> {
    summary: &'a Summary,
    by_client: ByClient<usize>,
    /// The next need of each section.
    next: Vec<usize>,
    /// The sections that wait for this one, by the clock that they need.
    waiting: Vec<BinaryHeap<(Reverse<u32>, usize)>>,
}

impl<'a> Sections<'a> {
    fn new(summary: &'a Summary) -> Self {
        let mut by_client = ByClient::default();
        let sections = summary.runs.iter().enumerate();
        by_client.extend(sections.map(|(at, run)| (run.client, at)));
        Sections {
            summary,
            by_client,
            next: summary.runs.iter().map(|run| run.needs().start).collect(),
            waiting: summary.runs.iter().map(|_| BinaryHeap::new()).collect(),
        }
    }

    /// Whether all of it could be.
    fn finish(mut self) -> bool {
        let mut work: Vec<usize> = (0..self.next.len()).collect();
        while let Some(section) = work.pop() {
            if !self.proceed(section) {
                return false;
            }
            let reached = self.reached(section);
            let waiting = &mut self.waiting[section];
            while waiting.peek().is_some_and(|(clock, _)| clock.0 < reached) {
                work.extend(waiting.pop().map(|(_, other)| other));
            }
        }
        let runs = self.summary.runs.iter();
        runs.zip(&self.next)
            .all(|(run, next)| *next == run.needs().end)
    }

    /// Goes on to the first struct that needs something which is not reached; false if it never will be.
    fn proceed(&mut self, section: usize) -> bool {
        while self.next[section] < self.summary.runs[section].needs().end {
            let need = self.summary.needs[self.next[section]].of;
            let Some(&other) = self.by_client.get(&need.client) else {
                return false;
            };
            if self.reached(other) <= need.clock {
                self.waiting[other].push((Reverse(need.clock), section));
                return true;
            }
            self.next[section] += 1;
        }
        true
    }

    /// The first clock of a section that is not reached.
    fn reached(&self, section: usize) -> u32 {
        let run = &self.summary.runs[section];
        match self.next[section] {
            next if next == run.needs().end => run.end,
            next => self.summary.needs[next].at,
        }
    }
}
