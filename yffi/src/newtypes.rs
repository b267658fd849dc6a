//! The shared types that an update brings, and how they refer to each other.

use crate::clocks::ByClient;
use crate::structs::{Id, Parent};
use std::ops::Range;

/// How far back a type is looked for before the whole update is searched: mostly it came just before.
const SHORTLY: usize = 6;

/// Where a type belongs. Others of the update are named by their numbers, if they came shortly before. It is small,
/// because there may be a type for every few bytes.
#[derive(Debug, PartialEq, Eq)]
pub enum Link {
    Root,
    InNumber(u32),
    BesideNumber(u32),
    Nested(Box<Id>),
    Beside(Box<Id>),
}

impl Link {
    /// How a type refers to its parent; `before` is the number of what it refers to, if that came shortly before.
    pub fn new(parent: Parent, before: Option<usize>) -> Self {
        match (parent, before) {
            (Parent::Root, _) => Link::Root,
            (Parent::Nested(_), Some(at)) => Link::InNumber(at as u32),
            (Parent::Beside(_), Some(at)) => Link::BesideNumber(at as u32),
            (Parent::Nested(id), None) => Link::Nested(Box::new(id)),
            (Parent::Beside(id), None) => Link::Beside(Box::new(id)),
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
struct NewType {
    clock: u32,
    /// Where its struct is in the update.
    offset: u32,
    link: Link,
}

/// The new types, in the order of their structs. They go by their numbers in this order.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct NewTypes {
    types: Vec<NewType>,
    /// The right neighbours of those that have two: should the left one turn out to be a tombstone, that says where
    /// they belong.
    right_origins: Vec<(u32, Id)>,
    /// Where those of each client are.
    sections: ByClient<Range<usize>>,
    /// The client that came last, and where its types begin.
    latest: (u64, usize),
}

impl NewTypes {
    /// Adds a type. Those of a client come one after another.
    pub fn push(&mut self, id: Id, link: Link, right_origin: Option<Id>, offset: usize) {
        if self.types.is_empty() || self.latest.0 != id.client {
            self.end_section();
            self.latest = (id.client, self.types.len());
        }
        if let Some(right) = right_origin {
            self.right_origins.push((self.types.len() as u32, right));
        }
        self.types.push(NewType {
            clock: id.clock,
            offset: offset as u32,
            link,
        });
    }

    /// Has to be called when all types are there.
    pub fn end_section(&mut self) {
        let (client, start) = self.latest;
        if start < self.types.len() {
            self.sections.insert(client, start..self.types.len());
        }
    }

    /// The number of a type of the client that came last, if it came shortly before.
    #[inline(always)]
    pub fn find_before(&self, id: Id) -> Option<usize> {
        let (client, start) = self.latest;
        if client != id.client {
            return None;
        }
        let near = self.types.len().saturating_sub(SHORTLY).max(start);
        let found = self.types[near..]
            .iter()
            .rposition(|new| new.clock == id.clock);
        found.map(|at| near + at)
    }

    pub fn len(&self) -> usize {
        self.types.len()
    }

    /// The numbers of the types of each client.
    pub fn sections(&self) -> impl Iterator<Item = (u64, Range<usize>)> + '_ {
        self.sections
            .iter()
            .map(|(client, section)| (*client, section.clone()))
    }

    pub fn clock(&self, at: usize) -> u32 {
        self.types[at].clock
    }

    pub fn offset(&self, at: usize) -> usize {
        self.types[at].offset as usize
    }

    /// Where a type belongs.
    pub fn parent(&self, at: usize) -> Parent {
        match &self.types[at].link {
            Link::Nested(id) => Parent::Nested(**id),
            Link::Beside(id) => Parent::Beside(**id),
            Link::Root | Link::InNumber(_) | Link::BesideNumber(_) => Parent::Root,
        }
    }

    /// The number of the type that a type is in or beside, if it is one of these.
    pub fn next(&self, at: usize) -> Option<usize> {
        match &self.types[at].link {
            Link::Root => None,
            Link::InNumber(next) | Link::BesideNumber(next) => Some(*next as usize),
            Link::Nested(id) | Link::Beside(id) => self.find(**id),
        }
    }

    /// Whether a type is in what `next` gives, and not beside it.
    pub fn is_inside(&self, at: usize) -> bool {
        matches!(self.types[at].link, Link::InNumber(_) | Link::Nested(_))
    }

    pub fn right_origins(&self) -> impl Iterator<Item = (usize, Id)> + '_ {
        self.right_origins
            .iter()
            .map(|(at, id)| (*at as usize, *id))
    }

    /// The number of the type that the item `id` holds.
    pub fn find(&self, id: Id) -> Option<usize> {
        let section = self.sections.get(&id.client)?.clone();
        let start = section.start;
        let found = self.types[section].binary_search_by_key(&id.clock, |new| new.clock);
        found.ok().map(|at| start + at)
    }
}
