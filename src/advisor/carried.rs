//! Dead rows that a rewrite removed and nobody took off the counter.

use super::{Context, DeadRows, TableFact, show, whole};
use crate::diff::{Chain, Change, Diff};
use crate::finding::Measure;
use crate::ident::display_qualified;
use crate::unit::Unit;
use std::collections::BTreeMap;

/// By the names of tables that VACUUM FULL or CLUSTER wrote anew in a window: the dead rows counted before. They are gone,
/// but stay in `n_dead_tup` until a vacuum or analyze (observed on PostgreSQL 12 to 18).
#[derive(Debug, Default)]
pub struct Carried(BTreeMap<String, f64>);

impl Carried {
    /// Those of all windows; of several rewrites the last counts.
    pub fn of(chain: &Chain) -> Self {
        Self(chain.windows.iter().flat_map(in_window).collect())
    }

    /// A table's.
    pub fn by(&self, table: &TableFact<'_>) -> Option<f64> {
        if self.0.is_empty() { None } else { self.0.get(&table.display()).copied() }
    }
}

/// What a table has at most of dead rows since it was written anew, as a line of evidence; `None` where it was not.
pub fn since_rewrite<'a>(cx: &Context<'a>, change: Change<'a>, dead: &DeadRows) -> Option<Measure> {
    let carried = dead.carried?;
    let formula = format!("{} − {}", show(dead.dead + carried, Unit::Rows), show(carried, Unit::Rows));
    let rows: Vec<_> = change.last().map(|r| (r, &["n_dead_tup"][..])).into_iter().collect();
    Some(cx.computed("Dead rows since it was written anew, at most", whole(dead.dead, Unit::Rows), formula, &rows))
}

/// The names of the tables that were written anew in a window.
pub fn rewritten(window: &Diff) -> Vec<&String> {
    let anew = window.events.iter().filter(|e| matches!(e.kind.as_str(), "vacuum_full" | "clustered"));
    anew.filter_map(|e| e.object.as_ref()).collect()
}

fn in_window(window: &Diff) -> BTreeMap<String, f64> {
    let written = rewritten(window);
    let Some(view) = window.views.get("pg_stat_user_tables").filter(|_| !written.is_empty()) else {
        return BTreeMap::new();
    };
    view.iter()
        .filter_map(|row| {
            let before = row.before()?;
            let name = display_qualified(before.text("schemaname")?, before.text("relname")?);
            Some((written.contains(&&name).then_some(name)?, before.f64("n_dead_tup")?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use crate::advisor::Facts;
    use crate::advisor::testing::chain;
    use crate::snapshot::literal::literal;

    #[test]
    fn what_vacuum_full_removed_is_not_counted_as_dead() {
        let taken = |at: &str, file: u32, dead: u32, calls: u32| {
            literal(at)
                .view(
                    "pg_stat_user_tables",
                    "relid | schemaname | relname | n_dead_tup",
                    &[&format!("1 | public | cart | {dead}")],
                )
                .view(
                    "table_sizes",
                    "relid | schemaname | relname | relkind | reltuples | relpages | relfilenode",
                    &[&format!("1 | public | cart | r | 1000 | 10 | {file}")],
                )
                .view(
                    "pg_stat_statements",
                    "userid | dbid | queryid | toplevel | query | calls",
                    &[&format!("10 | 16697 | 1 | t | vacuum full cart | {calls}")],
                )
                .build()
        };
        let before = || taken("2026-11-22 12:00:00+00", 7, 8_160, 0);
        for (file, dead, calls, want) in [
            (8, 8_820, 1, (660.0, Some(8_160.0))),
            // Counted anew since, by an analyze.
            (8, 90, 1, (90.0, None)),
            // A TRUNCATE, which sets the counter to none.
            (8, 8_820, 0, (8_820.0, None)),
            (7, 8_820, 0, (8_820.0, None)),
        ] {
            let chain = chain(&[before(), taken("2026-11-22 13:00:00+00", file, dead, calls)]);
            let facts = Facts::new(&chain);
            let found = facts.dead_rows(&facts.tables[0], &facts.triggers(&facts.tables[0])).expect("exported");
            assert_eq!((found.dead, found.carried), want, "{file} {dead} {calls}");
        }
    }
}
