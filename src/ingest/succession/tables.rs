//! The same of tables: of dumps that are packed, compressed, JSON, in archives, of which every snapshot is read whole.

use super::frame::{LOOKED, THERE};
use super::run::{Slots, Step, padded};
use super::watched::{Number, Watch};
use crate::catalog::Type;
use crate::ingest::merge::select;
use crate::snapshot::{Data, Ints, Snapshot, Table};
use std::sync::Arc;

/// No row.
const NONE: u32 = u32::MAX;

/// One view's tables of a history.
#[derive(Debug)]
pub struct Tables {
    watch: Watch,
    /// Which columns they have.
    exported: Vec<bool>,
    exported_as: String,
    key: usize,
    numbers: Vec<(usize, Number)>,
    /// Times that may not be cleared.
    times: Vec<usize>,
    /// Times that say that a vacuum or analyze looked at the table.
    looks: Vec<usize>,
    texts: Vec<usize>,
}

/// A stretch of them being compared.
#[derive(Debug, Default)]
pub struct TableRun {
    last: Option<Last>,
}

/// What is known of the snapshot compared last.
#[derive(Debug)]
struct Last {
    beside: Snapshot,
    table: Arc<Table>,
    /// The slot of each row.
    slots: Vec<u32>,
    /// The row of each slot.
    rows: Vec<u32>,
}

impl Tables {
    /// For a history of snapshots like this one; `None` where its table cannot be watched this way.
    pub fn new(watch: &Watch, like: &Snapshot) -> Option<Self> {
        let view = watch.view;
        let table = like.table(view.name)?;
        let has = |at: &usize| table.columns.get(*at).is_some_and(Option::is_some);
        let is = |at: usize, ty: Type| view.columns.get(at).is_some_and(|c| c.ty == ty);
        let [key] = view.key else { return None };
        let (key, _) = view.column(key).filter(|(at, c)| c.ty == Type::Int && has(at))?;
        let numbers: Vec<(usize, Number)> = watch.numbers.iter().copied().filter(|(at, _)| has(at)).collect();
        let followed = watch.followed.iter().copied().filter(has);
        if !numbers.iter().map(|(at, _)| *at).chain(followed).all(|at| is(at, Type::Int)) {
            return None;
        }
        Some(Self {
            exported: (0..view.columns.len()).map(|at| has(&at)).collect(),
            exported_as: table.exported_as.clone(),
            key,
            numbers,
            times: watch.times.iter().copied().filter(has).collect(),
            looks: watch.looks.iter().copied().filter(has).collect(),
            texts: (0..view.columns.len()).filter(|at| is(*at, Type::Text) && has(at)).collect(),
            watch: watch.clone(),
        })
    }

    /// The view's table of a snapshot; `None` where it is another kind of table, or there is more than is allowed beside it.
    fn table<'a>(&self, snapshot: &'a Snapshot) -> Option<&'a Arc<Table>> {
        let view = self.watch.view;
        let table = snapshot.tables.get(view.name)?;
        let exported = table.columns.iter().map(Option::is_some);
        let alike = exported.eq(self.exported.iter().copied())
            && table.exported_as == self.exported_as
            && table.taken_at.is_none()
            && !snapshot.meta.zone_unknown;
        let known = |name: &'static str| name == view.name || self.watch.beside.contains(&name);
        (alike && snapshot.tables.keys().all(|name| known(name))).then_some(table)
    }
}

impl TableRun {
    /// Goes on to the next snapshot, or begins with it; its step has no rows apart then. `None` where it is to be
    /// subtracted row by row.
    pub fn next(&mut self, of: &Tables, snapshot: &Snapshot, slots: &Slots) -> Option<Step> {
        let table = of.table(snapshot)?;
        let keys = ints(table, of.key)?;
        let slots_of = self.slots_of(&keys, of, slots)?;
        let count = slots_of.iter().max().map_or(0, |slot| *slot as usize + 1);
        let mut rows = vec![NONE; count];
        for (row, slot) in slots_of.iter().enumerate() {
            let place = rows.get_mut(*slot as usize)?;
            // The same key twice in one table.
            if std::mem::replace(place, row as u32) != NONE {
                return None;
            }
        }
        let mut beside = snapshot.clone();
        beside.tables.insert(of.watch.view.name, Arc::new(select(table, &[])));
        let mut apart = None;
        if let Some(last) = &self.last {
            let (pairs, spare) = last.compare(of, table, &slots_of, &rows)?;
            if !pairs.is_empty() {
                let pairs = padded(&of.watch.limits, pairs, spare)?;
                let side = |beside: &Snapshot, table: &Table, rows: Vec<usize>| {
                    let mut out = beside.clone();
                    out.tables.insert(of.watch.view.name, Arc::new(select(table, &rows)));
                    out
                };
                let before = side(&last.beside, &last.table, pairs.iter().filter_map(|p| p.0).collect());
                apart = Some((before, side(&beside, table, pairs.iter().filter_map(|p| p.1).collect())));
            }
        }
        let step = of.step(table, &slots_of, count, (beside.clone(), apart))?;
        self.last = Some(Last { beside, table: Arc::clone(table), slots: slots_of, rows });
        Some(step)
    }

    /// The slot of each row.
    fn slots_of(&self, keys: &[i64], of: &Tables, slots: &Slots) -> Option<Vec<u32>> {
        if let Some(last) = &self.last
            && ints(&last.table, of.key)? == keys
        {
            return Some(last.slots.clone());
        }
        keys.iter().map(|key| slots.of(*key).filter(|_| *key != Ints::NULL)).collect()
    }
}

/// Rows of the table before and of the next one.
type Pairs = Vec<(Option<usize>, Option<usize>)>;

impl Last {
    /// The rows that did not go on, and some that did.
    fn compare(&self, of: &Tables, table: &Table, slots: &[u32], rows: &[u32]) -> Option<(Pairs, Pairs)> {
        /// Rows that went on which are given.
        const SPARE: usize = 8;
        let was: Vec<u32> = slots.iter().map(|s| self.rows.get(*s as usize).copied().unwrap_or(NONE)).collect();
        let mut calm: Vec<bool> = was.iter().map(|row| *row != NONE).collect();
        let mut each = |column: usize, goes_on: &dyn Fn(i64, i64) -> bool| -> Option<()> {
            let (before, after) = (ints(&self.table, column)?, ints(table, column)?);
            for ((calm, was), after) in calm.iter_mut().zip(&was).zip(after) {
                *calm &= before.get(*was as usize).is_some_and(|before| goes_on(*before, after));
            }
            Some(())
        };
        for (column, number) in &of.numbers {
            match number {
                Number::Level => {}
                // NULL is the smallest number there is: what was NULL cannot fall, what became NULL did not fall.
                Number::Counter => each(*column, &|was, is| is >= was || is == Ints::NULL)?,
                Number::Still => each(*column, &|was, is| is == was)?,
            }
        }
        for column in &of.times {
            each(*column, &|was, is| was == Ints::NULL || is != Ints::NULL)?;
        }
        for column in &of.texts {
            let (Some(Some(Data::Text(before))), Some(Some(Data::Text(after)))) =
                (self.table.columns.get(*column), table.columns.get(*column))
            else {
                return None;
            };
            for (row, (calm, was)) in calm.iter_mut().zip(&was).enumerate().filter(|(_, (calm, _))| **calm) {
                *calm = before.get(*was as usize) == after.get(row);
            }
        }
        let (mut pairs, mut spare) = (Pairs::new(), Pairs::new());
        for (row, (calm, was)) in calm.iter().zip(&was).enumerate() {
            let pair = ((*was != NONE).then_some(*was as usize), Some(row));
            if !calm {
                pairs.push(pair);
            } else if spare.len() < SPARE {
                spare.push(pair);
            }
        }
        let here = |slot: u32| rows.get(slot as usize).is_some_and(|row| *row != NONE);
        let gone = self.slots.iter().enumerate().filter(|(_, slot)| !here(**slot));
        pairs.extend(gone.map(|(row, _)| (Some(row), None)));
        Some((pairs, spare))
    }
}

impl Tables {
    fn step(
        &self,
        table: &Table,
        slots: &[u32],
        count: usize,
        (beside, apart): (Snapshot, Option<(Snapshot, Snapshot)>),
    ) -> Option<Step> {
        let mut looked = vec![false; table.rows];
        for column in &self.looks {
            for (looked, time) in looked.iter_mut().zip(ints(table, *column)?) {
                *looked |= time != Ints::NULL;
            }
        }
        let width = self.watch.followed.len();
        let (mut states, mut values) = (vec![0; count], vec![Ints::NULL; count * width]);
        for (slot, looked) in slots.iter().zip(looked) {
            *states.get_mut(*slot as usize)? = if looked { THERE | LOOKED } else { THERE };
        }
        for (at, column) in self.watch.followed.iter().enumerate().filter(|(_, column)| self.exported[**column]) {
            for (slot, number) in slots.iter().zip(ints(table, *column)?) {
                *values.get_mut(*slot as usize * width + at)? = number;
            }
        }
        Some(Step { beside, apart, bytes: 0, states, values, width })
    }
}

/// A column of whole numbers.
fn ints(table: &Table, column: usize) -> Option<Vec<i64>> {
    let Some(Some(Data::Int(ints))) = table.columns.get(column) else { return None };
    let mut out = vec![Ints::NULL; table.rows];
    ints.read(0, &mut out);
    Some(out)
}
