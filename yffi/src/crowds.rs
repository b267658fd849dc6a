//! Client ids that collide in yrs's tables.
//!
//! yrs hashes a client id to itself, so ids that share their low bits share a place in its tables, and each look-up
//! walks over all of them. Random ids never come near the limit. Small ids, which people choose, differ in the bits
//! that matter here and are not counted, so that nobody can keep them out.
//!
//! The limit grows with the number of clients and never shrinks, and the places are the same for tables of any size.
//! So what was within it stays there, and a document takes the state of another one.

use crate::clocks::ByClient;

/// How many ids may share a place, beside twice the mean of all places.
const MOST: usize = 512;
/// A place is a value of these bits. The lowest do not count: ids beside each other fill a table evenly, and
/// those that are the same in all other bits crowd it as much as those that are the same in all.
const LOW_BITS: u32 = 6;
const PLACE_BITS: u32 = 12;

/// How many clients there are, in all and by place.
#[derive(Default)]
pub struct Crowds {
    clients: usize,
    by_place: ByClient<u32>,
}

impl Crowds {
    pub fn add(&mut self, client: u64) {
        if !is_small(client) {
            self.clients += 1;
            *self.by_place.entry(place(client)).or_default() += 1;
        }
    }

    pub fn remove(&mut self, client: u64) {
        if is_small(client) {
            return;
        }
        self.clients -= 1;
        if let Some(count) = self.by_place.get_mut(&place(client)) {
            *count -= 1;
            if *count == 0 {
                self.by_place.remove(&place(client));
            }
        }
    }

    fn at(&self, place: u64) -> usize {
        self.by_place.get(&place).map_or(0, |count| *count as usize)
    }
}

/// One of the `new` clients for which there would be no place beside all of `known`.
pub fn crowded(known: [&Crowds; 2], mut new: Vec<u64>) -> Option<u64> {
    new.retain(|client| !is_small(*client));
    let clients: usize = known.iter().map(|crowds| crowds.clients).sum();
    if clients + new.len() <= MOST {
        return None;
    }
    new.sort_unstable();
    new.dedup();
    let most = MOST + 2 * ((clients + new.len()) >> PLACE_BITS);
    let mut added = Crowds::default();
    new.into_iter().find(|client| {
        added.add(*client);
        let place = place(*client);
        added.at(place) + known.iter().map(|crowds| crowds.at(place)).sum::<usize>() > most
    })
}

fn is_small(client: u64) -> bool {
    client >> (LOW_BITS + PLACE_BITS) == 0
}

fn place(client: u64) -> u64 {
    client >> LOW_BITS & ((1 << PLACE_BITS) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(clients: impl IntoIterator<Item = u64>) -> Crowds {
        let mut crowds = Crowds::default();
        clients.into_iter().for_each(|client| crowds.add(client));
        crowds
    }

    #[test]
    fn ids_that_collide_are_counted_wherever_they_are_known() {
        let colliding =
            |range: std::ops::Range<u64>| range.map(|id| (id + 1) << 20).collect::<Vec<_>>();
        let most = MOST as u64;
        let none = Crowds::default();
        assert_eq!(crowded([&none, &none], colliding(0..most)), None);
        assert!(crowded([&none, &none], colliding(0..most + 1)).is_some());
        let (some, others) = (of(colliding(0..200)), of(colliding(200..400)));
        assert_eq!(crowded([&some, &others], colliding(400..most)), None);
        assert!(crowded([&some, &others], colliding(400..most + 1)).is_some());
        let twice = [colliding(400..most), colliding(400..most)].concat();
        assert_eq!(crowded([&some, &others], twice), None);
        let full = of(colliding(0..most));
        assert_eq!(crowded([&full, &none], (0..1 << 18).collect()), None);
    }

    #[test]
    fn usual_ids_never_collide() {
        let none = Crowds::default();
        let scattered = |id: u64| id.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        for id in [|id| id, |id| id << 6, |id| (1 << 40) - id, scattered] {
            assert_eq!(
                crowded([&none, &none], (0..300_000).map(id).collect()),
                None
            );
        }
    }

    #[test]
    fn who_has_left_leaves_a_place() {
        let most = MOST as u64;
        let mut crowds = of((1..=most).map(|id| id << 20));
        let none = Crowds::default();
        let next = (most + 1) << 20;
        assert!(crowded([&crowds, &none], vec![next]).is_some());
        crowds.remove(1 << 20);
        assert_eq!(crowded([&crowds, &none], vec![next]), None);
        (2..=most).for_each(|id| crowds.remove(id << 20));
        assert!(crowds.by_place.is_empty() && crowds.clients == 0);
    }
}
