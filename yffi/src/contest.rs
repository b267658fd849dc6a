//! Entries of maps that contest a key: set without reference to what the key held before.
//!
//! yrs, like Yjs, orders them by walking over all of them, for each anew. Of an honest client there is one for a key,
//! because later it refers to its own. So many of one client are refused, and very many of all.

/// Below this many entries nothing is counted: walking over them takes no time.
const FEW: usize = 1024;
/// How many entries of one client may contest a key, and of all clients together. Different keys may be counted as one,
/// so their mean comes on top, several times.
const MAX_OF_CLIENT: u32 = 64;
const MAX_OF_ALL: u32 = 16 * 1024;
const MEANS: u32 = 8;

const BITS: u32 = 12;

/// Counts entries by hashes of parent and key.
#[derive(Default)]
struct Count {
    entries: usize,
    by_hash: Vec<u32>,
}

impl Count {
    /// Counts an entry; whether there are too many like it.
    fn add(&mut self, hash: usize, most: u32) -> bool {
        self.entries += 1;
        if self.entries <= FEW {
            return false;
        }
        if self.by_hash.is_empty() {
            self.by_hash = vec![0; 1 << BITS];
        }
        let mean = (self.entries >> BITS) as u32;
        self.by_hash[hash] += 1;
        self.by_hash[hash] > most + MEANS * mean
    }

    fn clear(&mut self) {
        self.entries = 0;
        self.by_hash.fill(0);
    }
}

#[derive(Default)]
pub struct Contests {
    of_client: Count,
    of_all: Count,
}

impl Contests {
    /// The entries of the next client follow.
    pub fn next_client(&mut self) {
        self.of_client.clear();
    }

    /// Counts an entry by the bytes that name its parent and key; whether it is one too many.
    pub fn add(&mut self, place: &[u8]) -> bool {
        let hash = hash(place);
        self.of_client.add(hash, MAX_OF_CLIENT) | self.of_all.add(hash, MAX_OF_ALL)
    }
}

/// Hostile bytes may collide: that is refused as if they were the same, and harms who sent them.
fn hash(bytes: &[u8]) -> usize {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut hash = bytes.len() as u64;
    let mut add = |word| {
        hash = (hash ^ u64::from_le_bytes(word))
            .wrapping_mul(FACTOR)
            .rotate_left(23)
    };
    let (words, rest) = bytes.as_chunks();
    words.iter().for_each(|word| add(*word));
    match bytes.last_chunk() {
        _ if rest.is_empty() => {}
        Some(last) => add(*last), // with some of what was added already
        None => {
            let mut word = [0; 8];
            word.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
            add(word);
        }
    }
    (hash.wrapping_mul(FACTOR) >> (64 - BITS)) as usize
}
