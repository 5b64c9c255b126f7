//! What each cell of a row is, and what two rows of the same object say together.

use super::Amount;
use super::kept::{Cells, Keep};
use super::row::Row;
use crate::catalog::{Type, View};
use crate::ingest::clock::plain_time;
use crate::ingest::digits::whole;
use crate::ingest::header::{Field, Role};
use crate::ingest::succession::{MOST, Number, Watch};
use crate::snapshot::Ints;

/// What is done with a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cell {
    /// Identifies the row.
    Key,
    /// A whole number that may not change; `owner` is the object that the row's is a part of.
    Fixed { owner: bool },
    /// A number with a delta, by its position among these.
    Number(usize),
    /// A duration with a delta, by its position among the numbers.
    Duration(usize),
    /// When something happened, with its bit.
    Time(u32),
    /// A text that may not change.
    Text { schema: bool },
    /// Not read.
    Skip,
}

/// The cells of a view's files.
#[derive(Clone, Debug)]
pub(super) struct Columns {
    cells: Vec<Cell>,
    /// Which of them identifies the row.
    key: usize,
    /// What the numbers may do; for each its column in the view.
    pub numbers: Vec<(usize, Number)>,
    /// A bit for each time that may not be cleared.
    must_stay: u32,
    /// What is kept of rows that go on, if anything.
    pub kept: Option<Cells>,
}

/// The numbers of a row, by position in [`Columns::numbers`].
pub(super) type Numbers = [i64; MOST];

/// What a row says.
#[derive(Clone, Debug)]
pub(super) struct Read {
    pub key: i64,
    /// The object it is a part of; the key where there is none.
    pub owner: i64,
    pub numbers: Numbers,
    /// A bit for each time that is set.
    set: u32,
    /// The newest of these.
    pub newest: i64,
    /// A session's temporary object.
    temporary: bool,
}

impl Default for Read {
    fn default() -> Self {
        Self { key: 0, owner: 0, numbers: [Ints::NULL; MOST], set: 0, newest: Ints::NULL, temporary: false }
    }
}

/// How a row went on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Course {
    /// Its counters stayed or rose, all else that identifies it stayed. Whether any number changed.
    On { moved: bool },
    /// Anything else.
    Apart,
}

impl Columns {
    /// The cells of a file with these columns; `None` where some are read by their own rules.
    pub fn new(watch: &Watch, fields: &[Field], keep: Option<&Keep>) -> Option<Self> {
        let view = watch.view;
        if fields.len() > MOST {
            return None;
        }
        let mut out =
            Self { cells: Vec::with_capacity(fields.len()), key: 0, numbers: Vec::new(), must_stay: 0, kept: None };
        let mut times = 0;
        for field in fields {
            let cell = match &field.role {
                Role::Skip => Cell::Skip,
                Role::Extra => Cell::Text { schema: false },
                Role::TakenAt => return None,
                Role::Known { ty, places } => {
                    let [(own, at)] = places.as_slice() else { return None };
                    if own.name != view.name {
                        return None;
                    }
                    out.known(watch, *ty, *at, &mut times)?
                }
            };
            out.cells.push(cell);
        }
        out.key = out.cells.iter().position(|cell| *cell == Cell::Key)?;
        out.kept = keep.map(|keep| out.kept(keep, |column| fields.iter().position(|f| f.feeds_only(view, column))));
        Some(out)
    }

    /// The cells of what is to be kept; what the file lacks is left out.
    fn kept(&self, keep: &Keep, cell: impl Fn(usize) -> Option<usize>) -> Cells {
        let whole = |at: usize| {
            let cell = self.cells.get(at)?;
            Some((at, matches!(cell, Cell::Number(_) | Cell::Key | Cell::Fixed { .. })))
        };
        let cells = |columns: &[usize]| columns.iter().filter_map(|c| whole(cell(*c)?)).collect();
        Cells { names: cells(&keep.names), numbers: cells(&keep.numbers) }
    }

    fn known(&mut self, watch: &Watch, ty: Type, at: usize, times: &mut u32) -> Option<Cell> {
        let view: &View = watch.view;
        let column = view.columns.get(at)?;
        if view.key == [column.name] {
            return (ty == Type::Int).then_some(Cell::Key);
        }
        let watched = watch.numbers.iter().find(|(c, _)| *c == at).map(|(_, number)| *number);
        let number = watched.or_else(|| column.kind.is_gauge().then_some(Number::Level));
        Some(match (ty, number) {
            (Type::Int, Some(number)) => {
                self.numbers.push((at, number));
                Cell::Number(self.numbers.len() - 1)
            }
            (Type::Float, Some(number)) => {
                self.numbers.push((at, number));
                Cell::Duration(self.numbers.len() - 1)
            }
            (Type::Int, None) => Cell::Fixed { owner: column.name == "relid" },
            (Type::Time, None) => {
                let bit = *times;
                *times += 1;
                if watch.times.contains(&at) {
                    self.must_stay |= 1_u32.checked_shl(bit)?;
                }
                1_u32.checked_shl(bit)?;
                Cell::Time(bit)
            }
            (Type::Text, None) => Cell::Text { schema: column.name == "schemaname" },
            _ => return None,
        })
    }

    /// Where a column of whole numbers stands among the numbers.
    pub fn whole_number(&self, column: usize) -> Option<usize> {
        let n = self.numbers.iter().position(|(c, _)| *c == column)?;
        (!self.is_duration(n)).then_some(n)
    }

    /// Whether a number is a duration.
    pub fn is_duration(&self, n: usize) -> bool {
        self.cells.contains(&Cell::Duration(n))
    }

    /// Cells of a row.
    pub const fn count(&self) -> usize {
        self.cells.len()
    }

    /// What identifies a row that was split; `None` where it is not written the plain way.
    #[inline]
    pub fn key(&self, row: &Row<'_>) -> Option<i64> {
        let (from, to) = row.span(self.key);
        whole(row.bytes, from, to)
    }

    /// Reads a row that was split. `None` where a cell is not written the plain way.
    #[inline]
    pub fn read(&self, row: &Row<'_>, out: &mut Read) -> Option<()> {
        (out.set, out.newest, out.temporary) = (0, Ints::NULL, false);
        let mut owner = None;
        for (at, cell) in self.cells.iter().enumerate() {
            let (from, to) = row.span(at);
            match *cell {
                Cell::Number(n) => {
                    let value = if from == to { Ints::NULL } else { whole(row.bytes, from, to)? };
                    *out.numbers.get_mut(n)? = value;
                }
                Cell::Time(bit) => {
                    if from < to {
                        out.set |= 1 << bit;
                        out.newest = out.newest.max(plain_time(row.bytes.get(from..to)?)?);
                    }
                }
                Cell::Key => out.key = whole(row.bytes, from, to)?,
                Cell::Fixed { owner: is_owner } => {
                    let value = if from == to { None } else { Some(whole(row.bytes, from, to)?) };
                    if is_owner {
                        owner = value;
                    }
                }
                Cell::Duration(_) => {
                    if from < to {
                        duration(row.bytes.get(from..to)?)?;
                    }
                }
                Cell::Text { schema: true } => out.temporary = is_temporary(row.bytes.get(from..to)?),
                Cell::Text { schema: false } | Cell::Skip => {}
            }
        }
        out.owner = owner.unwrap_or(out.key);
        Some(())
    }

    /// Whether a row, the same in both snapshots, goes on.
    pub const fn same(read: &Read) -> Course {
        if read.temporary { Course::Apart } else { Course::On { moved: false } }
    }

    /// How a row went on, with its numbers' changes added to `sums`. `None` where a cell is not written the plain way.
    #[inline]
    pub fn compare(&self, was: (&Row<'_>, &Read), is: (&Row<'_>, &Read), sums: &mut Sums) -> Option<Course> {
        let ((old, was), (new, is)) = (was, is);
        if was.set & !is.set & self.must_stay != 0 || is.temporary || was.temporary || was.owner != is.owner {
            return Some(Course::Apart);
        }
        let (mut moved, mut rose) = (false, [0.0; MOST]);
        for (at, cell) in self.cells.iter().enumerate() {
            match *cell {
                Cell::Number(n) => {
                    let (before, after) = (*was.numbers.get(n)?, *is.numbers.get(n)?);
                    if !self.numbers.get(n)?.1.goes_on(before, after) {
                        return Some(Course::Apart);
                    }
                    moved |= before != after && before != Ints::NULL && after != Ints::NULL;
                }
                Cell::Duration(n) => {
                    let (a, b) = (old.get(at), new.get(at));
                    if a == b || a.is_empty() || b.is_empty() {
                        continue;
                    }
                    let (a, b) = (duration(a)?, duration(b)?);
                    if a > b {
                        return Some(Course::Apart);
                    }
                    moved |= a < b;
                    *rose.get_mut(n)? = b - a;
                }
                Cell::Text { .. } | Cell::Fixed { .. } if old.get(at) != new.get(at) => return Some(Course::Apart),
                _ => {}
            }
        }
        if moved {
            sums.add((was, is), &rose, self.numbers.len());
        }
        Some(Course::On { moved })
    }

    /// Sums by column of the view.
    pub fn amounts(&self, sums: &Sums) -> Vec<(usize, Amount)> {
        let amount = |(n, (column, _)): (usize, &(usize, _))| {
            let whole = sums.whole.get(n).copied().unwrap_or(0);
            let duration = sums.durations.get(n).copied().unwrap_or(0.0);
            (*column, if self.is_duration(n) { Amount::Duration(duration) } else { Amount::Whole(whole) })
        };
        self.numbers.iter().enumerate().map(amount).collect()
    }

    /// Takes back what a row that went on added to sums.
    pub fn take_back(&self, was: (&Row<'_>, &Read), is: (&Row<'_>, &Read), sums: &mut Sums) -> Option<Course> {
        let mut own = Sums::default();
        let course = self.compare(was, is, &mut own)?;
        sums.subtract(&own);
        Some(course)
    }
}

/// Sums of changes, by position in [`Columns::numbers`].
#[derive(Clone, Debug)]
pub(super) struct Sums {
    pub whole: [i128; MOST],
    pub durations: [f64; MOST],
}

impl Default for Sums {
    fn default() -> Self {
        Self { whole: [0; MOST], durations: [0.0; MOST] }
    }
}

impl Sums {
    #[inline]
    fn add(&mut self, (was, is): (&Read, &Read), rose: &[f64; MOST], count: usize) {
        let numbers = was.numbers.iter().zip(&is.numbers).zip(rose).take(count);
        let sums = self.whole.iter_mut().zip(&mut self.durations);
        for ((whole, duration), ((&before, &after), rose)) in sums.zip(numbers) {
            if before != Ints::NULL && after != Ints::NULL {
                *whole += i128::from(after) - i128::from(before);
            }
            *duration += rose;
        }
    }

    /// Adds those of other rows.
    pub fn absorb(&mut self, other: &Self) {
        self.whole.iter_mut().zip(other.whole).for_each(|(a, b)| *a += b);
        self.durations.iter_mut().zip(other.durations).for_each(|(a, b)| *a += b);
    }

    fn subtract(&mut self, other: &Self) {
        self.whole.iter_mut().zip(other.whole).for_each(|(a, b)| *a -= b);
        self.durations.iter_mut().zip(other.durations).for_each(|(a, b)| *a -= b);
    }
}

/// A duration as PostgreSQL writes it: digits, perhaps a point or an exponent.
fn duration(cell: &[u8]) -> Option<f64> {
    let plain = cell.iter().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'+' | b'-'));
    let text = std::str::from_utf8(cell).ok().filter(|_| plain)?;
    text.parse().ok().filter(|x: &f64| x.is_finite() && *x >= 0.0)
}

/// Whether a schema, as its cell is written, may be that of a session's temporary objects.
fn is_temporary(cell: &[u8]) -> bool {
    let name = cell.strip_prefix(b"\"").unwrap_or(cell);
    name.starts_with(b"pg_temp_") || name.starts_with(b"pg_toast_temp_")
}
