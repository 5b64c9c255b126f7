//! Two large snapshots of which only the foremost rows are asked for, or all are only to be shown: the others are compared
//! while they are read.
//!
//! What is said of the rows given, and of what happened, is the same as when both are read whole: rows are left out only
//! where the decision on them would be `ok` whatever else there is, and nothing that is said of others looks at them.

use super::{Diff, Options, ViewDiff, diff, is_calm, watch};
use crate::catalog::{self, View};
use crate::ingest::pairing::{self, Keep, Request, Rest};
use crate::ingest::{Opened, Wanted};
use std::sync::Arc;

/// Views that may have a row for each object, and whose entries have nothing to do with those of any other view.
const LARGE: [&str; 4] =
    ["pg_stat_user_tables", "pg_stat_user_indexes", "pg_statio_user_tables", "pg_statio_user_indexes"];

/// Which rows are asked for.
pub struct Foremost<'a> {
    /// How many of each view.
    pub most: usize,
    /// Only rows of which a number changed.
    pub moved: bool,
    /// The column whose change orders the rows of a view, largest first; without one they are ordered by key.
    pub by: &'a dyn Fn(&View) -> Option<usize>,
    /// What is kept of the others, where all are to be shown.
    pub keep: Option<&'a dyn Fn(&View) -> Keep>,
    /// Files that have fewer bytes together are better read whole.
    pub least: u64,
}

impl Foremost<'_> {
    /// Subtracts two snapshots. Each view has the rows asked for, and those of which there is more to say; the others are
    /// added up in [`ViewDiff::rest`]. `None` where they have to be read whole, or where something happened that concerns
    /// all rows of a view.
    pub fn diff(&self, before: &Opened, after: &Opened, wanted: &Wanted, options: &Options) -> Option<Diff> {
        let request = |view: &'static View| {
            let keep = self.keep.map(|keep| keep(view));
            Some(Request { watch: watch(view)?, by: (self.by)(view), most: self.most, moved: self.moved, keep })
        };
        let requests: Option<Vec<_>> =
            LARGE.iter().filter_map(|name| catalog::view(name)).filter(|v| wanted.view(Some(v))).map(request).collect();
        let paired = pairing::read(before, after, wanted, requests?, self.least)?;
        let (before, after) = (Arc::new(paired.before), Arc::new(paired.after));
        let views = || paired.rest.iter().filter_map(|(name, _)| catalog::view(name));
        // Whether an index that was created and dropped is a third one shows in the names of all.
        let told = |view: &str| [&before, &after].iter().all(|s| s.table(view).is_some());
        let asked = [&before, &after].iter().any(|s| s.table("pg_stat_statements").is_some());
        if !views().all(|view| is_calm(view, &before, &after, options)) || (asked && !told("index_definitions")) {
            return None;
        }
        let mut out = diff(before, after, options).ok()?;
        for (name, rest) in paired.rest {
            let view: &mut ViewDiff = Arc::make_mut(out.views.get_mut(name)?);
            // Tables with a time of their own cover other windows than their snapshots.
            if [&view.before, &view.after].into_iter().flatten().any(|table| table.taken_at.is_some()) {
                return None;
            }
            view.rest = Rest { covered_s: out.elapsed_s, ..rest };
        }
        Some(out)
    }
}
