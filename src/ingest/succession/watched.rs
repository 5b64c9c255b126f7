//! What of a view's rows is watched, and in which cells of its files it stands.

use super::cells::MOST;
use crate::catalog::{Type, View};
use crate::ingest::header::{Field, Role};
use crate::snapshot::Ints;
use std::ops::Range;

/// What a whole number may do from one snapshot to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Number {
    /// Anything.
    Level,
    /// Stay or rise.
    Counter,
    /// Stay.
    Still,
}

impl Number {
    /// Whether a number that was the one and is the other did what it may.
    #[inline]
    pub(in crate::ingest) const fn goes_on(self, was: i64, is: i64) -> bool {
        match self {
            Self::Level => true,
            // NULL is the smallest number there is: what was NULL cannot fall, what became NULL did not fall.
            Self::Counter => is >= was || is == Ints::NULL,
            Self::Still => is == was,
        }
    }
}

/// Whether a time was not cleared.
pub(super) const fn stayed(was: i64, is: i64) -> bool {
    was == Ints::NULL || is != Ints::NULL
}

/// What is watched, by the cells of a file.
#[derive(Clone, Debug, Default)]
pub(super) struct Watched {
    /// The file's first line.
    pub header: Vec<u8>,
    /// Cells of a row.
    pub cells: usize,
    /// The cell that identifies a row, a whole number.
    pub key: usize,
    /// Numbers that are read.
    pub numbers: Vec<(usize, Number)>,
    /// Of these, those that are followed; `None` is NULL in every row, a column that is not exported.
    pub followed: Vec<Option<usize>>,
    /// Times.
    pub times: Vec<usize>,
    /// Whether times are read.
    pub clocked: bool,
    /// A bit for each time that may not be cleared.
    pub must_stay: u32,
    /// A bit for each time that says that a vacuum or analyze looked at the table.
    pub looks: u32,
    /// Texts that may not change, side by side.
    pub texts: Option<Range<usize>>,
    /// How many cells end with the texts, where the key is among them and nothing else that is watched.
    pub lead: Option<usize>,
    /// Numbers that people sort by.
    pub sortable: Vec<usize>,
    /// Numbers of rows that look like a limit.
    pub limits: Vec<usize>,
}

impl Watched {
    /// The cells of a file with these columns; `None` where they cannot be watched this way.
    pub fn new(watch: &Watch, fields: &[Field], header: &[u8], clocked: bool) -> Option<Self> {
        let [key] = watch.view.key else { return None };
        let (key, _) = watch.view.column(key).filter(|(_, c)| c.ty == Type::Int)?;
        let cell = |column: usize| fields.iter().position(|f| f.feeds_only(watch.view, column));
        let of = |ty: Type| {
            let is = move |f: &Field| matches!(&f.role, Role::Known { ty: own, .. } if *own == ty);
            fields.iter().enumerate().filter(move |(_, f)| is(f)).map(|(at, _)| at)
        };
        // A column that fills several views, or says when its row was read, is for the general reader.
        let fits = |f: &Field| match &f.role {
            Role::Known { places, .. } => places.len() == 1 && places.iter().all(|(v, _)| v.name == watch.view.name),
            Role::Skip | Role::Extra => true,
            Role::TakenAt => false,
        };
        if fields.len() > MOST || !fields.iter().all(fits) {
            return None;
        }
        let mut numbers = Vec::new();
        for (column, number) in &watch.numbers {
            let Some(cell) = cell(*column) else { continue };
            if watch.view.columns.get(*column).is_none_or(|c| c.ty != Type::Int) {
                return None;
            }
            numbers.push((cell, *number));
        }
        let mut followed = Vec::new();
        for column in &watch.followed {
            let known = cell(*column).map(|cell| {
                numbers.iter().position(|(c, _)| *c == cell).unwrap_or_else(|| {
                    numbers.push((cell, Number::Level));
                    numbers.len() - 1
                })
            });
            followed.push(known);
        }
        let times: Vec<usize> = of(Type::Time).collect();
        if times.len() > 32 {
            return None;
        }
        let bits = |columns: &[usize]| {
            let cells: Vec<usize> = columns.iter().filter_map(|c| cell(*c)).collect();
            times.iter().enumerate().filter(|(_, c)| cells.contains(c)).fold(0, |all, (bit, _)| all | 1 << bit)
        };
        let texts: Vec<usize> = of(Type::Text).collect();
        let texts = texts.first().zip(texts.last()).map(|(first, last)| *first..*last + 1);
        if texts.as_ref().is_some_and(|t| t.len() != of(Type::Text).count()) {
            return None;
        }
        let key = cell(key)?;
        let behind = |end: usize| numbers.iter().map(|(c, _)| c).chain(&times).all(|c| *c >= end);
        let lead = texts.as_ref().map(|t| t.end).filter(|end| key < *end && *end < fields.len() && behind(*end));
        Some(Self {
            header: header.to_vec(),
            cells: fields.len(),
            key,
            lead,
            must_stay: bits(&watch.times),
            looks: bits(&watch.looks),
            numbers,
            followed,
            times,
            clocked,
            texts,
            sortable: watch.sortable.iter().filter_map(|c| cell(*c)).collect(),
            limits: watch.limits.clone(),
        })
    }

    /// Whether so many rows look like an export cut by a limit.
    pub fn may_be_cut(&self, rows: usize) -> bool {
        self.limits.contains(&rows)
    }
}

/// What to watch of a view, by positions of its columns.
#[derive(Clone, Debug)]
pub struct Watch {
    /// The view.
    pub view: &'static View,
    /// Numbers, and what they may do.
    pub numbers: Vec<(usize, Number)>,
    /// Times that may not be cleared.
    pub times: Vec<usize>,
    /// Times that say that a vacuum or analyze looked at the table.
    pub looks: Vec<usize>,
    /// Columns whose numbers are given.
    pub followed: Vec<usize>,
    /// Columns that exports are sorted by before they are cut.
    pub sortable: Vec<usize>,
    /// Numbers of rows that look like a limit.
    pub limits: Vec<usize>,
    /// Small views that may be read beside it.
    pub beside: Vec<&'static str>,
}
