//! Rates: what was counted, over the time it was counted in.

use super::Context;
use super::build::ratio;
use crate::diff::Change;
use crate::finding::Measure;
use crate::unit::{Quantity, Unit};

/// The time that a rate of an object's counters is over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Span {
    /// Its length in seconds.
    pub seconds: f64,
    /// Whether all that was counted in it is known. Else a rate is a lower bound.
    pub whole: bool,
}

impl Span {
    /// The time its counters cover; where that is not known, the longest it can be.
    pub fn of(change: Change<'_>, longest_s: f64) -> Self {
        let covered = change.covered_s();
        Self { seconds: covered.unwrap_or(longest_s).max(1.0), whole: change.is_whole() && covered.is_some() }
    }

    /// A rate with its arithmetic; times are counted in seconds of them each second.
    pub fn rate<'a>(
        self,
        cx: &Context<'a>,
        label: &str,
        change: Change<'a>,
        counted: (f64, Unit),
        unit: Unit,
        columns: &[&str],
    ) -> Measure {
        let (_, formula) = ratio(counted, (self.seconds, Unit::Seconds), unit);
        let count = if counted.1 == Unit::Ms { counted.0 / 1e3 } else { counted.0 };
        let value = Quantity::float(count / self.seconds, unit);
        cx.over_window(label, value, formula, &cx.ends(change, columns)).bounded(self.whole)
    }
}

impl<'a> Context<'a> {
    /// What a counter makes a second, over the time it covers; `None` where that time is not known.
    pub fn per_second(&self, label: &str, change: Change<'a>, column: &str, unit: Unit) -> Option<Measure> {
        change.rate(column)?;
        let (counted, covered) = (change.delta_quantity(column)?, change.covered_s()?);
        let counted = (counted.as_f64(), counted.unit);
        Some(Span::of(change, covered).rate(self, label, change, counted, unit, &[column]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::{self, Class, Options};
    use crate::snapshot::literal::literal;

    /// The span of a table, of what its counter was and is, and of resets of the database.
    fn span(counted: [i64; 2], reset: [&str; 2]) -> (Class, Span) {
        let taken = |at: &str, n: i64, reset: &str| {
            let database = format!("16697 | shop | {n} | 2026-11-{reset}");
            literal(at)
                .view("pg_stat_database", "datid | datname | xact_commit | stats_reset", &[&database])
                .view("pg_stat_user_tables", "relid | schemaname | relname | seq_scan", &[&format!("9 | s | t | {n}")])
                .build()
        };
        let [before, after] = [("2026-11-22 10:00:00+00", 0), ("2026-11-22 11:00:00+00", 1)]
            .map(|(at, i)| taken(at, counted[i], reset[i]));
        let chain = diff::chain(vec![before, after], &Options::default()).unwrap();
        let change = chain.view("pg_stat_user_tables").unwrap().present().next().unwrap();
        (change.class(), Span::of(change, 3_600.0))
    }

    #[test]
    fn a_window_that_may_have_lost_some_stays_a_doubt_beside_a_reset() {
        let taken = |hour: u32, n: u32, commits: u32, reset: &str| {
            let database = format!("16697 | shop | {commits} | 2026-11-{reset}:00+00");
            literal(&format!("2026-11-22 {hour}:00:00+00"))
                .view("pg_stat_database", "datid | datname | xact_commit | stats_reset", &[&database])
                .view("pg_stat_user_tables", "relid | schemaname | relname | seq_scan", &[&format!("9 | s | t | {n}")])
                .build()
        };
        let last = taken(12, 2, 10, "22 11:30");
        let span = |middle| {
            let chain = vec![taken(10, 5, 800, "01 00:00"), taken(11, 9, 900, middle), last.clone()];
            let chain = diff::chain(chain, &Options::default()).unwrap();
            let change = chain.view("pg_stat_user_tables").unwrap().present().next().unwrap();
            (change.class(), Span::of(change, 7_200.0))
        };
        let of = |whole| (Class::Reset, Span { seconds: 5_400.0, whole });
        assert_eq!((span("01 00:00"), span("22 10:30")), (of(true), of(false)));
    }

    #[test]
    fn a_rate_is_a_lower_bound_where_its_time_saw_more() {
        let (old, new) = ("01 00:00:00+00", "22 10:30:00+00");
        for (counted, reset, class, seconds, whole) in [
            ([5, 9], [old, old], Class::Ok, 3_600.0, true),
            // The counter began again, and with it its time.
            ([5, 3], [old, new], Class::Reset, 1_800.0, true),
            // It may have, and was higher before.
            ([5, 9], [old, new], Class::OkUnsure, 3_600.0, false),
            // It did, at a time that nobody knows.
            ([5, 3], [old, old], Class::Reset, 3_600.0, false),
        ] {
            assert_eq!(span(counted, reset), (class, Span { seconds, whole }), "{counted:?}");
        }
    }
}
