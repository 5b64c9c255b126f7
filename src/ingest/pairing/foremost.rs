//! Rows that are asked for: the first ones by the change of a number.

use super::columns::Numbers;
use crate::snapshot::Ints;
use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// Which rows are asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ask {
    /// The number whose change orders them, largest first, by its position among the numbers; without one they are
    /// ordered by key.
    pub by: Option<usize>,
    /// How many.
    pub most: usize,
    /// Only rows of which a number changed.
    pub moved: bool,
}

/// The foremost rows met so far.
#[derive(Debug, Default)]
pub(super) struct Foremost {
    /// The last one on top.
    heap: BinaryHeap<Ranked>,
}

/// A row with its rank: the greater, the further behind.
#[derive(Clone, Copy, Debug)]
struct Ranked {
    weight: f64,
    key: u32,
}

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> Ordering {
        other.weight.total_cmp(&self.weight).then(self.key.cmp(&other.key))
    }
}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ranked {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Ranked {}

impl Foremost {
    /// None met yet.
    pub fn new(ask: &Ask) -> Self {
        Self { heap: BinaryHeap::with_capacity(ask.most.min(1 << 16) + 1) }
    }

    /// Offers a row that goes on.
    #[inline]
    pub fn offer(&mut self, ask: &Ask, key: u32, was: &Numbers, is: &Numbers, moved: bool) {
        if ask.moved && !moved {
            return;
        }
        let weight = ask.by.map_or(0.0, |n| match (was.get(n), is.get(n)) {
            (Some(&a), Some(&b)) if a != Ints::NULL && b != Ints::NULL => b.wrapping_sub(a) as f64,
            // Without a change a row stands last.
            _ => f64::NEG_INFINITY,
        });
        self.put(ask, Ranked { weight, key });
    }

    #[inline]
    fn put(&mut self, ask: &Ask, row: Ranked) {
        if self.heap.len() >= ask.most {
            match self.heap.peek() {
                Some(last) if row < *last => {
                    self.heap.pop();
                }
                _ => return,
            }
        }
        self.heap.push(row);
    }

    /// Takes over the rows of another part.
    pub fn absorb(&mut self, ask: &Ask, other: Self) {
        other.heap.into_iter().for_each(|row| self.put(ask, row));
    }

    /// Their keys.
    pub fn keys(&self) -> impl Iterator<Item = u32> {
        self.heap.iter().map(|row| row.key)
    }
}
