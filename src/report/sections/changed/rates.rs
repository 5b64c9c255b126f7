//! Rates of the last window beside those of the time before.

use super::Candidate;
use crate::advisor::{split, welch_t};
use crate::diff::{Change, Class};
use crate::report::Block;
use crate::report::cells::prose;
use crate::report::draft::Draft;
use crate::report::sections::statement_text;
use crate::text::{Span, Text};
use crate::unit::{Quantity, Unit};

/// Shorter spans give no rate worth comparing.
const SHORTEST_S: f64 = 10.0;
/// Changes closer to what was expected are the noise of counting.
pub(super) const NOISE: f64 = 2.0;

/// The measure of a statement's time.
pub(super) const MEAN_TIME: &str = "mean time per call";
/// Fewer calls give no mean worth comparing.
const LEAST_CALLS: f64 = 20.0;
/// Standard errors between two means that are noise: more than of counts, because times are skewed.
const NOISE_OF_TIMES: f64 = 4.0;

/// Counters whose rate in the last window differs from before: the earlier windows, or with two snapshots everything
/// that was counted up to the first.
pub(super) fn find(draft: &Draft<'_>, found: &mut Vec<Candidate>, unchanged: &mut usize) {
    const TABLE: &[(&str, &str)] = &[
        ("sequential scans per second", "seq_scan"),
        ("index scans per second", "idx_scan"),
        ("rows inserted per second", "n_tup_ins"),
        ("rows updated per second", "n_tup_upd"),
        ("rows deleted per second", "n_tup_del"),
    ];
    const DATABASE: &[(&str, &str)] = &[
        ("transactions per second", "xact_commit"),
        ("rollbacks per second", "xact_rollback"),
        ("deadlocks per second", "deadlocks"),
        ("temporary files per second", "temp_files"),
    ];
    for fact in &draft.facts.tables {
        if let Some(change) = fact.change {
            one(draft, change, TABLE, &|| fact.display(), found, unchanged);
        }
    }
    if let Some(change) = draft.database() {
        let name = change.last().and_then(|r| r.text("datname")).unwrap_or("(database)").to_owned();
        one(draft, change, DATABASE, &|| name.clone(), found, unchanged);
    }
    if let Some(view) = draft.chain.view("pg_stat_statements") {
        for change in view.present() {
            let name = || {
                let row = change.latest();
                row.and_then(statement_text).map_or_else(
                    || format!("queryid {}", row.and_then(|r| r.int("queryid")).unwrap_or_default()),
                    |q| crate::report::names::one_line(q, 100),
                )
            };
            one(draft, change, &[("calls per second", "calls")], &name, found, unchanged);
            mean_time(draft, change, &name, found, unchanged);
        }
    }
}

/// A statement's mean time in the last window beside that of before.
fn mean_time(
    draft: &Draft<'_>,
    change: Change<'_>,
    name: &dyn Fn() -> String,
    found: &mut Vec<Candidate>,
    unchanged: &mut usize,
) {
    let Some(sides) = split(draft.chain, change) else { return };
    let (then, now) = (sides.then.exec, sides.now.exec);
    let Some(unusual) = welch_t(&then, &now).filter(|_| then.n.min(now.n) >= LEAST_CALLS) else { return };
    if unusual.abs() < NOISE_OF_TIMES {
        *unchanged += 1;
        return;
    }
    let ms = |mean| Quantity::float(mean, Unit::Ms);
    let (Some(before), Some(after)) = (ms(then.mean), ms(now.mean)) else { return };
    let calls = |n| Quantity::float(n, Unit::Count);
    let share = Quantity::share(now.mean - then.mean, then.mean);
    let context = share
        .map_or_else(Text::new, |share| Text(vec![Span::Change(share)]).t("; "))
        .opt(calls(now.n))
        .t(" calls, before: ")
        .opt(calls(then.n));
    found.push(Candidate { object: name(), measure: MEAN_TIME, before, after, unusual, context });
}

fn one(
    draft: &Draft<'_>,
    change: Change<'_>,
    columns: &[(&'static str, &'static str)],
    name: &dyn Fn() -> String,
    found: &mut Vec<Candidate>,
    unchanged: &mut usize,
) {
    for (measure, column) in columns {
        let Some((before, after)) = two_windows(draft, change, column) else { continue };
        let expected = before.0 / before.1 * after.1;
        let unusual = apart(expected, after.0);
        if unusual.abs() < NOISE {
            *unchanged += 1;
            continue;
        }
        let per_second = |(n, s): (f64, f64)| Quantity::float(n / s, Unit::PerSecond);
        let (Some(a), Some(b)) = (per_second(before), per_second(after)) else { continue };
        let context = Text::new()
            .opt(Quantity::float(after.0, Unit::Count))
            .t(" in ")
            .opt(Quantity::float(after.1, Unit::Seconds))
            .t("; before: ")
            .opt(Quantity::float(before.0, Unit::Count))
            .t(" in ")
            .opt(Quantity::float(before.1, Unit::Seconds));
        found.push(Candidate { object: name(), measure, before: a, after: b, unusual, context });
    }
}

/// What was counted before the last window and in it, each with its seconds. `None` where one of them is not exact.
fn two_windows(draft: &Draft<'_>, change: Change<'_>, column: &str) -> Option<((f64, f64), (f64, f64))> {
    let view = change.view().view.name;
    let windows = &draft.chain.windows;
    let last = windows.len().checked_sub(1)?;
    let places = change.windows();
    let in_window = |at: usize| {
        let diff = windows.get(at)?.views.get(view)?;
        let row = places.get(at).copied().flatten()? as usize;
        let row = (row < diff.rows.len()).then(|| diff.row(row))?;
        let seconds = row.verdict().covered_s.filter(|_| row.class() == Class::Ok)?;
        Some((row, seconds))
    };
    let (row, seconds) = in_window(last).filter(|(_, s)| *s >= SHORTEST_S)?;
    let after = (row.delta_of(column)?.as_f64(), seconds);
    let before = if last > 0 {
        // Where no window is broken, the sum of all but the last one is the whole less the last.
        let all: Option<f64> = (0..last).map(|at| in_window(at).map(|(_, seconds)| seconds)).sum();
        (change.delta_exact(column)?.since(row.delta_of(column)?).as_f64(), all?)
    } else {
        let since = draft.facts.age.since?;
        let seconds = draft.chain.first().meta.taken_at?.seconds_since(since);
        (change.first()?.f64(column)?, seconds)
    };
    (before.1 >= SHORTEST_S).then_some((before, after))
}

/// Which rates the table could not compare, and why.
pub(super) fn left_out(draft: &Draft<'_>, link: &Text) -> Option<Block> {
    let windows = &draft.chain.windows;
    let last = windows.last()?;
    if last.elapsed_s.is_some_and(|s| s < SHORTEST_S) {
        let text = Text::new()
            .t("No rates are compared: the last window is shorter than ")
            .opt(Quantity::float(SHORTEST_S, Unit::Seconds))
            .t(". ");
        return Some(prose(text.then(link.clone())));
    }
    if windows.len() == 1 && draft.facts.age.since.is_none() {
        return Some(prose("No rates are compared: since when the first snapshot counts is not in the dump."));
    }
    let tables = draft.facts.tables.iter().filter_map(|t| t.change);
    let statements = draft.chain.view("pg_stat_statements").into_iter().flat_map(crate::diff::ViewChange::present);
    let (mut all, mut out) = (0, 0);
    for change in tables.chain(draft.database()).chain(statements) {
        all += 1;
        out += usize::from(!steady(draft, change));
    }
    (out > 0).then(|| {
        prose(
            Text::new()
                .t("Rates of ")
                .n(Quantity::count(out))
                .t(" of ")
                .many(Quantity::count(all), "object", "objects")
                .t(" are not compared: in a window their counters started again, or they are not in every snapshot. ")
                .then(link.clone()),
        )
    })
}

/// Whether an object was counted without a break in every window.
fn steady(draft: &Draft<'_>, change: Change<'_>) -> bool {
    let view = change.view().view.name;
    draft.chain.windows.iter().zip(change.windows()).all(|(window, row)| {
        let row = row.map(|row| row as usize);
        window
            .views
            .get(view)
            .zip(row)
            .is_some_and(|(diff, row)| row < diff.rows.len() && diff.row(row).class() == Class::Ok)
    })
}

/// How far apart two counts are, in standard deviations of counting: twice the difference of the square roots.
pub(super) fn apart(expected: f64, seen: f64) -> f64 {
    2.0 * ((seen.max(0.0) + 0.375).sqrt() - (expected.max(0.0) + 0.375).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_counts_are_noise() {
        assert!(apart(3.0, 5.0).abs() < NOISE);
        assert!(apart(0.0, 1.0).abs() < NOISE);
        assert!(apart(100.0, 200.0) > NOISE);
        assert!(apart(200.0, 100.0) < -NOISE);
        assert_eq!(apart(7.0, 7.0), 0.0);
    }
}
