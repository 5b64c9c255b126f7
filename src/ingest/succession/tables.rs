//! The same of tables: of dumps that are packed, compressed, JSON, in archives, of which every snapshot is read whole.

use super::frame::{LOOKED, THERE};
use super::run::{Slots, Step, padded};
use super::watched::{Number, Watch, stayed};
use crate::catalog::{Type, View};
use crate::ingest::merge::select;
use crate::snapshot::{Data, Ints, Snapshot, Table};
use std::collections::BTreeSet;
use std::sync::Arc;

/// No row.
const NONE: u32 = u32::MAX;

/// One view's tables of a history.
#[derive(Clone, Debug)]
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
    /// The columns of whole numbers among all these, each once, in order.
    unpacked: Vec<usize>,
}

/// A stretch of them being compared.
#[derive(Debug, Default)]
pub struct TableRun {
    last: Option<Last>,
    /// Room that the cells of a table took before.
    room: Vec<i64>,
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
    cells: Cells,
}

/// Columns of a table's whole numbers, unpacked.
#[derive(Debug)]
struct Cells {
    rows: usize,
    /// One column after the other.
    of: Vec<i64>,
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
        let times: Vec<usize> = watch.times.iter().copied().filter(has).collect();
        let looks: Vec<usize> = watch.looks.iter().copied().filter(has).collect();
        let all = numbers.iter().map(|(at, _)| at).chain(&times).chain(&looks).chain(&watch.followed).chain([&key]);
        let unpacked: BTreeSet<usize> = all.copied().filter(has).collect();
        Some(Self {
            unpacked: unpacked.into_iter().collect(),
            exported: (0..view.columns.len()).map(|at| has(&at)).collect(),
            exported_as: table.exported_as.clone(),
            key,
            numbers,
            times,
            looks,
            texts: (0..view.columns.len()).filter(|at| is(*at, Type::Text) && has(at)).collect(),
            watch: watch.clone(),
        })
    }

    /// The view's table of a snapshot; `None` where it is another kind of table, or there is more than is allowed beside it.
    fn table<'a>(&self, snapshot: &'a Snapshot) -> Option<&'a Arc<Table>> {
        let table = snapshot.tables.get(self.watch.view.name)?;
        (self.suits(table) && self.is_alone(snapshot)).then_some(table)
    }

    /// Whether it is a table of this kind.
    pub(super) fn suits(&self, table: &Table) -> bool {
        let exported = table.columns.iter().map(Option::is_some);
        exported.eq(self.exported.iter().copied()) && table.exported_as == self.exported_as && table.taken_at.is_none()
    }

    /// Whether there is no more beside the view's table than is allowed.
    pub(super) fn is_alone(&self, snapshot: &Snapshot) -> bool {
        let known = |name: &'static str| name == self.watch.view.name || self.watch.beside.contains(&name);
        !snapshot.meta.zone_unknown && snapshot.tables.keys().all(|name| known(name))
    }

    pub(super) const fn view(&self) -> &'static View {
        self.watch.view
    }

    pub(super) const fn key(&self) -> usize {
        self.key
    }

    pub(super) fn numbers(&self) -> &[(usize, Number)] {
        &self.numbers
    }

    pub(super) fn times(&self) -> &[usize] {
        &self.times
    }

    pub(super) fn looks(&self) -> &[usize] {
        &self.looks
    }

    pub(super) fn texts(&self) -> &[usize] {
        &self.texts
    }

    /// Columns whose numbers are given, exported or not.
    pub(super) fn followed(&self) -> &[usize] {
        &self.watch.followed
    }

    fn unpack(&self, table: &Table, mut room: Vec<i64>) -> Option<Cells> {
        room.clear();
        room.resize(self.unpacked.len() * table.rows, Ints::NULL);
        for (column, out) in self.unpacked.iter().zip(room.chunks_exact_mut(table.rows.max(1))) {
            let Some(Some(Data::Int(ints))) = table.columns.get(*column) else { return None };
            ints.read(0, out);
        }
        Some(Cells { rows: table.rows, of: room })
    }

    /// A column that was unpacked.
    fn column<'a>(&self, cells: &'a Cells, column: usize) -> Option<&'a [i64]> {
        let at = self.unpacked.binary_search(&column).ok()?;
        cells.of.get(at * cells.rows..(at + 1) * cells.rows)
    }
}

impl TableRun {
    /// Goes on to the next snapshot, or begins with it; its step has no rows apart then. `None` where it is to be
    /// subtracted row by row.
    pub fn next(&mut self, of: &Tables, snapshot: &Snapshot, slots: &Slots) -> Option<Step> {
        let table = of.table(snapshot)?;
        let cells = of.unpack(table, std::mem::take(&mut self.room))?;
        let slots_of = self.slots_of(of.column(&cells, of.key)?, of, slots)?;
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
            let (pairs, spare) = last.compare(of, (table, &cells), &slots_of, &rows)?;
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
        let step = of.step(&cells, &slots_of, count, (beside.clone(), apart))?;
        let next = Last { beside, table: Arc::clone(table), slots: slots_of, rows, cells };
        self.room = self.last.replace(next).map(|last| last.cells.of).unwrap_or_default();
        Some(step)
    }

    /// The slot of each row.
    fn slots_of(&self, keys: &[i64], of: &Tables, slots: &Slots) -> Option<Vec<u32>> {
        if let Some(last) = &self.last
            && of.column(&last.cells, of.key)? == keys
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
    fn compare(
        &self,
        of: &Tables,
        (table, cells): (&Table, &Cells),
        slots: &[u32],
        rows: &[u32],
    ) -> Option<(Pairs, Pairs)> {
        /// Rows that went on which are given.
        const SPARE: usize = 8;
        let was: Vec<u32> = slots.iter().map(|s| self.rows.get(*s as usize).copied().unwrap_or(NONE)).collect();
        let mut calm: Vec<bool> = was.iter().map(|row| *row != NONE).collect();
        // Most snapshots have the rows of the one before in the same order.
        let moved = (self.slots != slots).then_some(was.as_slice());
        let pair = |column: usize| Some((of.column(&self.cells, column)?, of.column(cells, column)?));
        for (column, number) in &of.numbers {
            narrow(&mut calm, pair(*column)?, moved, |was, is| number.goes_on(was, is));
        }
        for column in &of.times {
            narrow(&mut calm, pair(*column)?, moved, stayed);
        }
        for column in &of.texts {
            let (Some(Some(Data::Text(before))), Some(Some(Data::Text(after)))) =
                (self.table.columns.get(*column), table.columns.get(*column))
            else {
                return None;
            };
            if moved.is_none() && before.is_one_with(after) {
                continue;
            }
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
        cells: &Cells,
        slots: &[u32],
        count: usize,
        (beside, apart): (Snapshot, Option<(Snapshot, Snapshot)>),
    ) -> Option<Step> {
        let mut looked = vec![false; cells.rows];
        for column in &self.looks {
            for (looked, time) in looked.iter_mut().zip(self.column(cells, *column)?) {
                *looked |= *time != Ints::NULL;
            }
        }
        let width = self.watch.followed.len();
        let (mut states, mut values) = (vec![0; count], vec![Ints::NULL; count * width]);
        for (slot, looked) in slots.iter().zip(looked) {
            *states.get_mut(*slot as usize)? = if looked { THERE | LOOKED } else { THERE };
        }
        for (at, column) in self.watch.followed.iter().enumerate().filter(|(_, column)| self.exported[**column]) {
            for (slot, number) in slots.iter().zip(self.column(cells, *column)?) {
                *values.get_mut(*slot as usize * width + at)? = *number;
            }
        }
        Some(Step { beside, apart, bytes: 0, states, values, width })
    }
}

/// Which rows go on in a column, too. `moved`: where each row stood before, if not at the same place.
fn narrow(
    calm: &mut [bool],
    (before, after): (&[i64], &[i64]),
    moved: Option<&[u32]>,
    goes_on: impl Fn(i64, i64) -> bool,
) {
    match moved {
        None => {
            for ((calm, was), is) in calm.iter_mut().zip(before).zip(after) {
                *calm &= goes_on(*was, *is);
            }
        }
        Some(rows) => {
            for ((calm, was), is) in calm.iter_mut().zip(rows).zip(after) {
                *calm &= before.get(*was as usize).is_some_and(|was| goes_on(*was, *is));
            }
        }
    }
}
