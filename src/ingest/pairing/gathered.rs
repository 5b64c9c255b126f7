//! What all parts of a view's files say together.

use super::columns::Sums;
use super::foremost::{Ask, Foremost};
use super::kept::Records;
use super::walk::{Calm, Loose, Part};
use crate::snapshot::Ints;

/// Rows without a partner in their part that make a view worth reading whole, besides an eighth of it.
const LOOSE: usize = 20_000;

/// Keys below this are told apart by a bit each.
const BITS: usize = 1 << 29;

/// A view's rows.
#[derive(Debug)]
pub(super) struct Gathered {
    pub calm: Vec<Vec<Calm>>,
    /// What is kept of these.
    pub kept: Vec<Records>,
    pub apart: Vec<Calm>,
    pub only_before: Vec<Loose>,
    pub only_after: Vec<Loose>,
    pub moved: u64,
    pub sums: Sums,
    pub foremost: Foremost,
    pub newest: [(i64, u32); 2],
}

impl Gathered {
    /// What these parts say.
    pub fn of(ask: &Ask, parts: impl IntoIterator<Item = Part>) -> Self {
        let mut out = Self {
            calm: Vec::new(),
            kept: Vec::new(),
            apart: Vec::new(),
            only_before: Vec::new(),
            only_after: Vec::new(),
            moved: 0,
            sums: Sums::default(),
            foremost: Foremost::new(ask),
            newest: [(Ints::NULL, 0); 2],
        };
        parts.into_iter().for_each(|part| out.add(ask, part));
        out
    }

    /// Adds the next part.
    fn add(&mut self, ask: &Ask, mut part: Part) {
        part.calm.shrink_to_fit();
        part.kept.shrink();
        self.calm.push(part.calm);
        self.kept.push(part.kept);
        self.apart.append(&mut part.apart);
        self.only_before.append(&mut part.only_before);
        self.only_after.append(&mut part.only_after);
        self.moved += part.moved;
        self.sums.absorb(&part.sums);
        self.foremost.absorb(ask, part.foremost);
        for (own, other) in self.newest.iter_mut().zip(part.newest) {
            *own = (*own).max(other);
        }
    }

    /// Whether too many rows do not go on for the others to be worth leaving out.
    pub fn is_torn(&self) -> bool {
        let calm: usize = self.calm.iter().map(Vec::len).sum();
        self.apart.len() + self.only_before.len() + self.only_after.len() > LOOSE + calm / 8
    }

    /// Joins rows that were met in different parts. `None` where a key comes twice on a side, or too many rows do not go
    /// on.
    pub fn settle(&mut self) -> Option<()> {
        if self.is_torn() {
            return None;
        }
        let mut keys: Vec<u32> = self.apart.iter().map(|row| row.key).collect();
        self.only_before.sort_unstable_by_key(|row| row.key);
        self.only_after.sort_unstable_by_key(|row| row.key);
        let (before, after) = (std::mem::take(&mut self.only_before), std::mem::take(&mut self.only_after));
        let mut later = after.iter().peekable();
        for was in before {
            while let Some(is) = later.next_if(|is| is.key < was.key) {
                self.only_after.push(*is);
            }
            keys.push(was.key);
            match later.next_if(|is| is.key == was.key) {
                Some(is) => {
                    // Of two owners both have to be looked at.
                    if is.owner != was.owner {
                        return None;
                    }
                    self.apart.push(Calm { key: was.key, owner: was.owner, before: was.at, after: is.at });
                }
                None => self.only_before.push(was),
            }
        }
        self.only_after.extend(later);
        keys.extend(self.only_after.iter().map(|row| row.key));
        self.distinct(keys).then_some(())
    }

    /// Whether no key comes twice, those that go on and `others` together.
    fn distinct(&self, mut others: Vec<u32>) -> bool {
        let all = || self.calm.iter().flatten().map(|row| row.key).chain(others.iter().copied());
        let largest = all().max().unwrap_or(0) as usize;
        if largest < BITS {
            let mut seen = vec![0_u64; largest / 64 + 1];
            return all().all(|key| {
                let Some(word) = seen.get_mut(key as usize / 64) else { return false };
                let bit = 1 << (key % 64);
                let new = *word & bit == 0;
                *word |= bit;
                new
            });
        }
        others.extend(self.calm.iter().flatten().map(|row| row.key));
        others.sort_unstable();
        others.windows(2).all(|pair| pair.first() != pair.last())
    }

    /// Rows on each side.
    pub fn rows(&self) -> [usize; 2] {
        let both = self.calm.iter().map(Vec::len).sum::<usize>() + self.apart.len();
        [both + self.only_before.len(), both + self.only_after.len()]
    }
}
