//! The runs of a text in the order in which they stand, found by offset and by id.
//!
//! A run is what one client has written in one go: units with consecutive clocks, each behind the one before. Deleted
//! runs stay, because what is inserted beside them refers to them. The runs are the nodes of a treap (a search tree by
//! place that is also a heap by random priorities, and so about balanced), in which every node knows how many visible
//! units are below it.

use crate::clocks::ByClient;
use crate::structs::Id;
use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};

/// A unit in a sequence: as [`Id`], but with the number of the client instead of its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Unit {
    client: u32,
    pub clock: u32,
}

impl Unit {
    /// What is before the first and behind the last.
    pub const NONE: Unit = Unit {
        client: u32::MAX,
        clock: 0,
    };

    pub fn plus(self, clocks: u32) -> Unit {
        Unit {
            clock: self.clock + clocks,
            ..self
        }
    }
}

#[derive(Debug, Clone, Copy)]
pub struct Run {
    pub first: Unit,
    pub len: u32,
    /// The neighbours of the first unit when it was written. Those of the others are the one before and the same one
    /// on the right.
    pub origin: Unit,
    pub right_origin: Unit,
    pub deleted: bool,
}

impl Run {
    pub fn last(&self) -> Unit {
        self.first.plus(self.len - 1)
    }

    fn visible(&self) -> u32 {
        if self.deleted {
            0
        } else {
            self.len
        }
    }

    /// Whether `next`, which stands behind this one, was written in one go with it.
    fn continues_in(&self, next: &Run) -> bool {
        self.first.plus(self.len) == next.first
            && next.origin == self.last()
            && next.right_origin == self.right_origin
    }
}

/// The number of a node.
pub type Node = u32;
pub const NIL: Node = Node::MAX;

struct TreeNode {
    run: Run,
    left: Node,
    right: Node,
    parent: Node,
    /// Visible units in this node and below.
    units: u32,
}

struct Client {
    id: u64,
    /// The nodes by the first clock of their runs.
    runs: BTreeMap<u32, Node>,
}

pub struct Sequence {
    nodes: Vec<TreeNode>,
    free: Vec<Node>,
    root: Node,
    clients: Vec<Client>,
    numbers: ByClient<u32>,
    /// Nobody outside can foresee the priorities, and with them make the tree deep.
    secret: u64,
}

impl Default for Sequence {
    fn default() -> Self {
        Sequence {
            nodes: Vec::new(),
            free: Vec::new(),
            root: NIL,
            clients: Vec::new(),
            numbers: ByClient::default(),
            secret: RandomState::new().hash_one(0u8) | 1,
        }
    }
}

impl Sequence {
    /// How many units are visible.
    pub fn len(&self) -> u32 {
        self.units(self.root)
    }

    /// How many runs there are.
    pub fn size(&self) -> usize {
        self.nodes.len() - self.free.len()
    }

    pub fn run(&self, node: Node) -> &Run {
        &self.nodes[node as usize].run
    }

    /// The id of a unit.
    pub fn id(&self, unit: Unit) -> Option<Id> {
        let client = self.clients.get(unit.client as usize)?;
        Some(Id {
            client: client.id,
            clock: unit.clock,
        })
    }

    /// The client's id decides between insertions at the same place.
    pub fn client(&self, unit: Unit) -> u64 {
        self.clients[unit.client as usize].id
    }

    /// The unit that `id` names, which need not be in the sequence yet.
    pub fn unit(&mut self, id: Id) -> Unit {
        let clients = &mut self.clients;
        let client = *self.numbers.entry(id.client).or_insert_with(|| {
            clients.push(Client {
                id: id.client,
                runs: BTreeMap::new(),
            });
            clients.len() as u32 - 1
        });
        Unit {
            client,
            clock: id.clock,
        }
    }

    /// Where `id` is: a node and how far into its run.
    pub fn find(&self, id: Id) -> Option<(Node, u32)> {
        let client = *self.numbers.get(&id.client)?;
        self.find_unit(Unit {
            client,
            clock: id.clock,
        })
    }

    pub fn find_unit(&self, unit: Unit) -> Option<(Node, u32)> {
        let client = self.clients.get(unit.client as usize)?;
        let (start, node) = client.runs.range(..=unit.clock).next_back()?;
        let within = unit.clock - start;
        (within < self.run(*node).len).then_some((*node, within))
    }

    /// The first node of the client's that ends behind `clock`, if it begins before `end`.
    pub fn next_of_client(&self, client: u64, clock: u32, end: u32) -> Option<Node> {
        if let Some((node, _)) = self.find(Id { client, clock }) {
            return Some(node);
        }
        let runs = &self.clients[*self.numbers.get(&client)? as usize].runs;
        runs.range(clock..end).next().map(|(_, node)| *node)
    }

    /// The visible unit at `offset`, which is below `len`.
    pub fn at(&self, mut offset: u32) -> (Node, u32) {
        let mut node = self.root;
        loop {
            let it = &self.nodes[node as usize];
            let before = self.units(it.left);
            if offset < before {
                node = it.left;
                continue;
            }
            offset -= before;
            let visible = it.run.visible();
            if offset < visible {
                return (node, offset);
            }
            offset -= visible;
            node = it.right;
        }
    }

    pub fn first(&self) -> Node {
        if self.root == NIL {
            return NIL;
        }
        self.leftmost(self.root)
    }

    /// The node behind `node`; the first one behind NIL.
    pub fn next(&self, node: Node) -> Node {
        if node == NIL {
            return self.first();
        }
        let right = self.nodes[node as usize].right;
        if right != NIL {
            return self.leftmost(right);
        }
        self.climb(node, |it| it.right)
    }

    pub fn prev(&self, node: Node) -> Node {
        let mut below = self.nodes[node as usize].left;
        if below == NIL {
            return self.climb(node, |it| it.left);
        }
        while self.nodes[below as usize].right != NIL {
            below = self.nodes[below as usize].right;
        }
        below
    }

    /// The first node above `node` that is not reached from the given side.
    fn climb(&self, mut node: Node, side: impl Fn(&TreeNode) -> Node) -> Node {
        loop {
            let parent = self.nodes[node as usize].parent;
            if parent == NIL || side(&self.nodes[parent as usize]) != node {
                return parent;
            }
            node = parent;
        }
    }

    fn leftmost(&self, mut node: Node) -> Node {
        while self.nodes[node as usize].left != NIL {
            node = self.nodes[node as usize].left;
        }
        node
    }

    /// Cuts a run in two. `node` keeps the first `at` units, fewer than all of them; the result has the others.
    pub fn split(&mut self, node: Node, at: u32) -> Node {
        let mut rest = *self.run(node);
        rest.origin = rest.first.plus(at - 1);
        rest.first = rest.first.plus(at);
        rest.len -= at;
        self.resize(node, |run| run.len = at);
        self.insert_node(node, rest)
    }

    /// Inserts a run behind `left`, or at the beginning if that is NIL.
    pub fn insert(&mut self, left: Node, run: Run) {
        if left != NIL {
            let before = self.run(left);
            if before.deleted == run.deleted && before.continues_in(&run) {
                self.resize(left, |before| before.len += run.len);
                return;
            }
        }
        self.insert_node(left, run);
    }

    /// Deletes the units from `from` to `to` of a run.
    pub fn delete(&mut self, node: Node, from: u32, to: u32) {
        let run = *self.run(node);
        if run.deleted {
            return;
        }
        let (prev, next) = (self.prev(node), self.next(node));
        if from == 0 && self.is_deleted_part(prev, |before| before.continues_in(&run)) {
            self.resize(prev, |before| before.len += to);
            self.drop_front(node, to);
        } else if to == run.len && self.is_deleted_part(next, |behind| run.continues_in(behind)) {
            self.extend_front(next, to - from, &run);
            self.resize(node, |run| run.len = from);
            if from == 0 {
                self.detach(node);
            }
        } else {
            if to < run.len {
                self.split(node, to);
            }
            let middle = if from > 0 {
                self.split(node, from)
            } else {
                node
            };
            self.resize(middle, |run| run.deleted = true);
        }
    }

    fn is_deleted_part(&self, node: Node, continues: impl Fn(&Run) -> bool) -> bool {
        node != NIL && self.run(node).deleted && continues(self.run(node))
    }

    /// Takes the first units off a run, which another one has taken over.
    fn drop_front(&mut self, node: Node, units: u32) {
        let first = self.run(node).first;
        self.clients[first.client as usize]
            .runs
            .remove(&first.clock);
        if units == self.run(node).len {
            self.resize(node, |run| run.len = 0);
            self.detach(node);
            return;
        }
        self.resize(node, |run| {
            run.origin = first.plus(units - 1);
            run.first = first.plus(units);
            run.len -= units;
        });
        let runs = &mut self.clients[first.client as usize].runs;
        runs.insert(first.clock + units, node);
    }

    /// Adds the last units of `before`, which stands there, to the front of a run.
    fn extend_front(&mut self, node: Node, units: u32, before: &Run) {
        let old = self.run(node).first;
        let first = Unit {
            clock: old.clock - units,
            ..old
        };
        let origin = if units == before.len {
            before.origin
        } else {
            Unit {
                clock: first.clock - 1,
                ..first
            }
        };
        self.resize(node, |run| {
            run.first = first;
            run.len += units;
            run.origin = origin;
        });
        let runs = &mut self.clients[old.client as usize].runs;
        runs.remove(&old.clock);
        // Where all of `before` was taken over, this replaces it.
        runs.insert(first.clock, node);
    }

    // What follows keeps the tree in order.

    fn units(&self, node: Node) -> u32 {
        if node == NIL {
            0
        } else {
            self.nodes[node as usize].units
        }
    }

    fn priority(&self, node: Node) -> u64 {
        let mixed = (u64::from(node) ^ self.secret.rotate_left(32)).wrapping_mul(self.secret);
        (mixed ^ (mixed >> 29)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }

    /// Changes a run and what the nodes above count.
    fn resize(&mut self, node: Node, change: impl FnOnce(&mut Run)) {
        let run = &mut self.nodes[node as usize].run;
        let before = run.visible();
        change(run);
        let after = run.visible();
        self.count(node, after.wrapping_sub(before));
    }

    /// Adds to the units of a node and of those above it, modulo 2^32.
    fn count(&mut self, mut node: Node, change: u32) {
        while change != 0 && node != NIL {
            let it = &mut self.nodes[node as usize];
            it.units = it.units.wrapping_add(change);
            node = it.parent;
        }
    }

    fn insert_node(&mut self, left: Node, run: Run) -> Node {
        let node = self.new_node(run);
        if left == NIL && self.root == NIL {
            self.root = node;
        } else if left != NIL && self.nodes[left as usize].right == NIL {
            self.nodes[left as usize].right = node;
            self.nodes[node as usize].parent = left;
        } else {
            let next = self.next(left);
            self.nodes[next as usize].left = node;
            self.nodes[node as usize].parent = next;
        }
        self.count(self.nodes[node as usize].parent, run.visible());
        let priority = self.priority(node);
        loop {
            let parent = self.nodes[node as usize].parent;
            if parent == NIL || self.priority(parent) > priority {
                break;
            }
            self.rotate_up(node);
        }
        node
    }

    fn new_node(&mut self, run: Run) -> Node {
        let it = TreeNode {
            run,
            left: NIL,
            right: NIL,
            parent: NIL,
            units: run.visible(),
        };
        let node = match self.free.pop() {
            Some(node) => {
                self.nodes[node as usize] = it;
                node
            }
            None => {
                if self.nodes.len() == self.nodes.capacity() {
                    // Doubling it would leave much of it empty.
                    self.nodes.reserve_exact(64.max(self.nodes.len() / 8));
                }
                self.nodes.push(it);
                self.nodes.len() as Node - 1
            }
        };
        let runs = &mut self.clients[run.first.client as usize].runs;
        runs.insert(run.first.clock, node);
        node
    }

    /// Takes a node without units out of the tree.
    fn detach(&mut self, node: Node) {
        loop {
            let it = &self.nodes[node as usize];
            let (left, right) = (it.left, it.right);
            if left == NIL || right == NIL {
                let child = if left == NIL { right } else { left };
                let parent = it.parent;
                self.relink(parent, node, child);
                break;
            }
            let up = if self.priority(left) > self.priority(right) {
                left
            } else {
                right
            };
            self.rotate_up(up);
        }
        self.free.push(node);
    }

    /// Puts `child` in the place of `node` below `parent`.
    fn relink(&mut self, parent: Node, node: Node, child: Node) {
        if child != NIL {
            self.nodes[child as usize].parent = parent;
        }
        if parent == NIL {
            self.root = child;
        } else if self.nodes[parent as usize].left == node {
            self.nodes[parent as usize].left = child;
        } else {
            self.nodes[parent as usize].right = child;
        }
    }

    fn rotate_up(&mut self, node: Node) {
        let parent = self.nodes[node as usize].parent;
        let grandparent = self.nodes[parent as usize].parent;
        let inner;
        if self.nodes[parent as usize].left == node {
            inner = self.nodes[node as usize].right;
            self.nodes[parent as usize].left = inner;
            self.nodes[node as usize].right = parent;
        } else {
            inner = self.nodes[node as usize].left;
            self.nodes[parent as usize].right = inner;
            self.nodes[node as usize].left = parent;
        }
        if inner != NIL {
            self.nodes[inner as usize].parent = parent;
        }
        self.relink(grandparent, parent, node);
        self.nodes[parent as usize].parent = node;
        let all = self.nodes[parent as usize].units;
        self.nodes[parent as usize].units = all - self.units(node) + self.units(inner);
        self.nodes[node as usize].units = all;
    }
}
