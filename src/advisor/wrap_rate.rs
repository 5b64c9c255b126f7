//! How fast transaction ids are used: by the server's own counter, never by commits, many of which use none.

use super::Context;
use crate::snapshot::{Row, Snapshot};
use std::collections::BTreeMap;

/// Seconds of a day.
pub const DAY: f64 = 86_400.0;

/// Transaction ids used over some time.
#[derive(Clone, Copy, Debug)]
pub struct Rate<'a> {
    /// Ids.
    pub used: f64,
    /// Seconds.
    pub seconds: f64,
    /// Where it was read from.
    pub how: &'static str,
    rows: [Option<Row<'a>>; 2],
    columns: &'static [&'static str],
}

impl<'a> Rate<'a> {
    /// Ids a second.
    pub fn per_second(&self) -> f64 {
        self.used / self.seconds
    }

    /// The rows it was read from.
    pub fn rows(&self) -> Vec<(Row<'a>, &'static [&'static str])> {
        self.rows.into_iter().flatten().map(|row| (row, self.columns)).collect()
    }
}

/// The use of transaction ids in the window; `None` where the dump does not tell.
pub fn rate<'a>(cx: &Context<'a>) -> Option<Rate<'a>> {
    let ends = [cx.chain.first(), cx.chain.last()];
    let [first, last] = ends.map(|s| &s.meta);
    let seconds = cx.chain.elapsed_s.filter(|s| *s > 0.0)?;
    if let Some(used) = last.next_xid.zip(first.next_xid).and_then(|(b, a)| b.checked_sub(a)).filter(|n| *n >= 0) {
        let rows = ends.map(|s| s.table("meta").and_then(|t| t.iter().next()));
        return Some(Rate { used: used as f64, seconds, how: "next_xid then and now", rows, columns: &["next_xid"] });
    }
    let ages = |s: &'a Snapshot| -> Option<BTreeMap<&'a str, (f64, Row<'a>)>> {
        let rows = s.table("database_sizes")?.iter();
        Some(rows.filter_map(|r| Some((r.text("datname")?, (r.f64("datfrozenxid_age")?, r)))).collect())
    };
    let [before, after] = ends.map(|s| ages(s));
    let (before, after) = (before?, after?);
    let aged = after.iter().filter_map(|(name, (age, row))| {
        let (was, from) = before.get(name)?;
        Some((age - was, [Some(*from), Some(*row)]))
    });
    let (aged, rows) = aged.reduce(|most, one| if one.0 > most.0 { one } else { most })?;
    let how = "the age of the database that aged most, then and now";
    Some(Rate { used: aged.max(0.0), seconds, how, rows, columns: &["datfrozenxid_age"] })
}
