//! The rows of snapshots that stand in one row group, as they stand there: nobody makes a table of each.

use super::columns::{self, Column, File, Spare};
use super::history::{History, inside};
use crate::catalog::View;
use crate::snapshot::{Ints, Table};
use std::io;
use std::ops::Range;

/// Rows of one view of snapshots that follow each other in a packed history.
#[derive(Debug)]
pub struct Stretch {
    /// The snapshots, by their positions in the history.
    pub snapshots: Range<usize>,
    /// For each row which of them it is of; those of others are of none.
    pub of: Vec<u32>,
    /// How many rows each of them has.
    pub counts: Vec<u32>,
    /// A table of their kind, without rows.
    pub kind: Table,
    /// By position in the view; `None` where a column was not exported.
    columns: Vec<Option<Column>>,
    spare: Spare,
}

impl History {
    /// The stretch that holds a snapshot's rows of a view. `None` where it has no rows, or more than fit into a row group,
    /// or was taken at a time of its own.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn stretch(&self, index: usize, view: &'static View) -> io::Result<Option<Stretch>> {
        let Some((opened, number)) = self.opened(index) else { return Ok(None) };
        let kinds = &opened.group.layouts;
        let kind = |layout: &usize| kinds.get(*layout).is_some_and(|l| l.known && l.name == view.name);
        let Some(moment) = opened.group.snapshots.get(number) else { return Ok(None) };
        let Some((position, stored)) = moment.tables.iter().enumerate().find(|(_, t)| kind(&t.layout)) else {
            return Ok(None);
        };
        let (Some(layout), Some(groups)) = (kinds.get(stored.layout), opened.groups.get(stored.layout)) else {
            return Ok(None);
        };
        let Some(start) = opened.starts.get(number).and_then(|starts| starts.get(position)).copied() else {
            return Ok(None);
        };
        let path = inside(self.root(), &layout.file).ok_or_else(|| io::Error::other("its file lies elsewhere"))?;
        let mut from = 0_u64;
        let whole = |rows: &u64| {
            let begin = from;
            from = from.saturating_add(*rows);
            begin <= start && start.saturating_add(stored.rows) <= from
        };
        let all = groups.rows(&path)?;
        let Some(group) = all.iter().position(whole).filter(|_| stored.rows > 0) else { return Ok(None) };
        let (mut of, read) = File::open(&path)?.columns(group, layout, &self.spare)?;
        // Its snapshots, as far as each has its one table here.
        let first = of.iter().min().copied().unwrap_or(0);
        for snapshot in &mut of {
            *snapshot -= first;
        }
        let mut counts = vec![0_u32; opened.group.snapshots.len()];
        for snapshot in &of {
            match counts.get_mut(*snapshot as usize) {
                Some(count) => *count += 1,
                None => return Ok(None),
            }
        }
        let as_stored = |(at, rows): (usize, &u32)| {
            let moment = opened.group.snapshots.get(first as usize + at);
            let stored = moment.and_then(|m| m.tables.iter().find(|t| kind(&t.layout)));
            stored.is_some_and(|t| t.rows == u64::from(*rows) && t.taken_at.is_none() && *rows > 0)
        };
        let known = counts.iter().enumerate().take_while(|one| as_stored(*one)).count();
        counts.truncate(known);
        let Some(first) = (index + first as usize).checked_sub(number) else { return Ok(None) };
        let mut columns: Vec<Option<Column>> = view.columns.iter().map(|_| None).collect();
        for (name, column) in layout.columns.iter().zip(read) {
            if let Some(place) = view.column(name).and_then(|(at, _)| columns.get_mut(at)) {
                *place = Some(column);
            }
        }
        let kind = columns::table(layout);
        let snapshots = first..first + known;
        Ok(snapshots.contains(&index).then(|| Stretch {
            snapshots,
            of,
            counts,
            kind,
            columns,
            spare: self.spare.clone(),
        }))
    }
}

impl Stretch {
    /// Where the rows of one of its snapshots stand, in its table's order.
    pub fn rows(&self, at: usize) -> Vec<u32> {
        let own = self.of.iter().enumerate().filter(|(_, of)| **of as usize == at);
        own.map(|(row, _)| row as u32).collect()
    }

    /// A column of whole numbers or times, NULL as [`Ints::NULL`], by position in the view.
    pub fn integers(&self, column: usize) -> Option<&[i64]> {
        match self.columns.get(column)?.as_ref()? {
            Column::Int(values) => Some(values),
            _ => None,
        }
    }

    /// Which text of a column each row has: the same number for the same text beside it.
    pub fn runs(&self, column: usize) -> Option<&[u32]> {
        match self.columns.get(column)?.as_ref()? {
            Column::Text { of, .. } => Some(of),
            _ => None,
        }
    }

    /// A text.
    pub fn text(&self, column: usize, row: u32) -> Option<&str> {
        match self.columns.get(column)?.as_ref()? {
            Column::Text { runs, of } => runs.get(*of.get(row as usize)? as usize)?.as_deref(),
            _ => None,
        }
    }

    /// A whole number or time, NULL as [`Ints::NULL`].
    pub fn integer(&self, column: usize, row: u32) -> i64 {
        self.integers(column).and_then(|values| values.get(row as usize)).copied().unwrap_or(Ints::NULL)
    }

    /// Some rows as a table; which files they came from is not in it.
    pub fn table(&self, rows: &[u32]) -> Table {
        let mut out = self.kind.clone();
        out.rows = rows.len();
        let types = out.view.map(|view| view.columns).unwrap_or_default();
        for ((place, column), description) in out.columns.iter_mut().zip(&self.columns).zip(types) {
            *place = column.as_ref().map(|column| column.pick(description.ty, rows));
        }
        for (_, texts) in &mut out.extra {
            for _ in rows {
                texts.push(None);
            }
        }
        out
    }

    /// The stretch of its last snapshot alone.
    pub fn last(self) -> Self {
        let rows = self.rows(self.counts.len().saturating_sub(1));
        let types = self.kind.view.map(|view| view.columns).unwrap_or_default();
        let part = |(column, of): (&Option<Column>, &crate::catalog::Column)| Some(column.as_ref()?.part(of.ty, &rows));
        Self {
            snapshots: self.snapshots.end.saturating_sub(1)..self.snapshots.end,
            of: vec![0; rows.len()],
            counts: vec![rows.len() as u32],
            kind: self.kind.clone(),
            columns: self.columns.iter().zip(types).map(part).collect(),
            spare: self.spare.clone(),
        }
    }
}

impl Drop for Stretch {
    fn drop(&mut self) {
        self.columns.drain(..).flatten().for_each(|column| self.spare.give(column));
    }
}
