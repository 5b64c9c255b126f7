//! Dead rows that a rewrite removed and nobody took off the counter.

use super::{Context, DeadRows, TableFact, show, whole};
use crate::diff::{Chain, Change, Diff, DiffRow, ViewChange};
use crate::finding::Measure;
use crate::ident::display_qualified;
use crate::trend::LOOKS;
use crate::unit::Unit;
use std::collections::{BTreeMap, BTreeSet};

/// By the names of tables that VACUUM FULL or CLUSTER wrote anew in a window: the dead rows counted before. They are gone,
/// but stay in `n_dead_tup` until a reset, a vacuum or an analyze (observed on PostgreSQL 12 to 18).
#[derive(Debug, Default)]
pub struct Carried(BTreeMap<String, f64>);

impl Carried {
    /// Those that the counters have at the end of all windows.
    pub fn of(chain: &Chain) -> Self {
        let written: Vec<Vec<&String>> = chain.windows.iter().map(rewritten).collect();
        let any: BTreeSet<&String> = written.iter().flatten().copied().collect();
        let tables = chain.view("pg_stat_user_tables").filter(|_| !any.is_empty());
        let of_one = |change: Change<'_>| {
            let now = change.last()?;
            let name = display_qualified(now.text("schemaname")?, now.text("relname")?);
            let mut gone = any.contains(&name).then(Gone::default)?;
            for (row, written) in chain.windows_of(change).into_iter().zip(&written) {
                if let Some(row) = row {
                    gone.step(row, written.contains(&&name));
                }
            }
            (gone.0 > 0.0).then_some((name, gone.0))
        };
        Self(tables.into_iter().flat_map(ViewChange::present).filter_map(of_one).collect())
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

/// What of a table's counter of dead rows is gone although counted, along its windows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Gone(pub f64);

impl Gone {
    /// One more window. A rewrite takes nothing off the counter; a reset, a vacuum or an analyze sets it anew.
    pub fn step(&mut self, row: DiffRow<'_>, rewritten: bool) {
        let (Some(before), Some(after)) = (row.before(), row.after()) else { return };
        let looked = LOOKS.iter().any(|c| after.time(c).is_some() && after.time(c) != before.time(c));
        if row.class().began_again() || looked {
            self.0 = 0.0;
        } else if rewritten {
            self.0 = before.f64("n_dead_tup").unwrap_or(0.0);
        }
        if after.f64("n_dead_tup").is_none_or(|dead| dead < self.0) {
            self.0 = 0.0;
        }
    }
}

/// The names of the tables that were written anew in a window.
pub fn rewritten(window: &Diff) -> Vec<&String> {
    let anew = window.events.iter().filter(|e| matches!(e.kind.as_str(), "vacuum_full" | "clustered"));
    anew.filter_map(|e| e.object.as_ref()).collect()
}

#[cfg(test)]
mod tests {
    use crate::advisor::Facts;
    use crate::advisor::testing::{cart, chain};

    #[test]
    fn what_sets_the_counter_anew_takes_it_off() {
        let carried = |last: [&str; 3]| {
            const HEADER: &str = "n_tup_upd | n_dead_tup | last_autovacuum";
            let later =
                ["120 | 120 | "].into_iter().chain(last).zip(11..).map(|(row, hour)| cart(hour, 8, 1, HEADER, row));
            let first = std::iter::once(cart(10, 7, 0, HEADER, "100 | 100 | "));
            let chain = chain(&first.chain(later).collect::<Vec<_>>());
            let facts = Facts::new(&chain);
            facts.carried(&facts.tables[0])
        };
        assert_eq!(carried(["130 | 130 | ", "140 | 140 | ", "150 | 150 | "]), Some(100.0));
        let vacuumed = "2026-11-22 11:30:00+00";
        let rows = ["130 | 5", "140 | 60", "300 | 150"].map(|row| format!("{row} | {vacuumed}"));
        assert_eq!(carried(rows.each_ref().map(String::as_str)), None, "vacuumed since");
        assert_eq!(carried(["5 | 5 | ", "50 | 50 | ", "150 | 150 | "]), None, "reset since");
    }

    #[test]
    fn what_vacuum_full_removed_is_not_counted_as_dead() {
        let taken = |hour, file, dead: u32, fully| cart(hour, file, fully, "n_dead_tup", &dead.to_string());
        let before = || taken(12, 7, 8_160, 0);
        for (file, dead, fully, want) in [
            (8, 8_820, 1, (660.0, Some(8_160.0))),
            // Counted anew since, by an analyze.
            (8, 90, 1, (90.0, None)),
            // A TRUNCATE, which sets the counter to none.
            (8, 8_820, 0, (8_820.0, None)),
            (7, 8_820, 0, (8_820.0, None)),
        ] {
            let chain = chain(&[before(), taken(13, file, dead, fully)]);
            let facts = Facts::new(&chain);
            let found = facts.dead_rows(&facts.tables[0], &facts.triggers(&facts.tables[0])).expect("exported");
            assert_eq!((found.dead, found.carried), want, "{file} {dead} {fully}");
        }
    }
}
