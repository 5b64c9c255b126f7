//! The statements by which PostgreSQL checks foreign keys, as `pg_stat_statements` shows them where it tracks all.

use super::Context;
use crate::diff::{Change, ViewChange};
use crate::ident::quote_ident;
use std::collections::HashMap;

/// What stands between the two sides of a comparison in these texts.
const COMPARES: &str = "OPERATOR(pg_catalog.=)";

/// The statements of the window that look for rows that reference one to be deleted or re-keyed, by the quoted name of the
/// referencing table.
#[derive(Debug, Default)]
pub struct KeyChecks<'a> {
    by_table: HashMap<&'a str, Vec<(&'a str, Change<'a>)>>,
}

impl<'a> KeyChecks<'a> {
    /// Reads them.
    pub fn read(cx: &Context<'a>) -> Self {
        let mut out = Self::default();
        let database = cx.chain.last().meta.database_oid;
        for change in cx.changes("pg_stat_statements").into_iter().flat_map(ViewChange::present) {
            let Some(row) = change.last() else { continue };
            let foreign = database.zip(row.int("dbid")).is_some_and(|(ours, theirs)| ours != theirs);
            let Some(text) = row.text("query").filter(|t| !foreign && t.contains(COMPARES)) else { continue };
            let reads = text.split_once("FROM ONLY ").and_then(|(_, rest)| rest.split_once(" WHERE "));
            let writes = text.strip_prefix("UPDATE ONLY ").and_then(|rest| rest.split_once(" SET "));
            let Some((name, _)) = reads.or(writes) else { continue };
            if change.delta("calls").is_some_and(|n| n > 0.0) {
                out.by_table.entry(name.strip_suffix(" x").unwrap_or(name)).or_default().push((text, change));
            }
        }
        out
    }

    /// Those of the key of these columns: not of another one that begins with the same.
    pub fn of(&self, table: &str, columns: &[String]) -> impl Iterator<Item = Change<'a>> {
        let compares: Vec<String> = columns.iter().map(|c| format!("{COMPARES} {}", quote_ident(c))).collect();
        let all = move |text: &str| {
            text.matches(COMPARES).count() == compares.len() && compares.iter().all(|c| text.contains(c))
        };
        let of_table = self.by_table.get(table).into_iter().flatten();
        of_table.filter(move |(text, _)| all(text)).map(|(_, change)| *change)
    }
}
