//! What changed from the first snapshot to the last: events, the largest changes, most unusual first.

use crate::diff::{Certainty, Change, Class, Event};
use crate::error::Result;
use crate::report::cells::{count, difference, prose};
use crate::report::draft::{Body, Draft};
use crate::report::names::ByObject;
use crate::report::table::{ranked, table};
use crate::report::{Block, Cell, Chart, Line};
use crate::text::Text;
use crate::time::Timestamp;
use crate::unit::{Quantity, Unit};

/// The most changes listed.
const MOST: usize = 30;
/// The most events listed.
const MOST_EVENTS: usize = 500;
/// The most lines of a slope chart.
const MOST_LINES: usize = 8;
/// Shorter spans give no rate worth comparing.
const SHORTEST_S: f64 = 10.0;
/// Changes closer to what was expected are the noise of counting.
const NOISE: f64 = 2.0;

/// A change worth a line.
struct Candidate {
    object: String,
    measure: &'static str,
    before: Quantity,
    after: Quantity,
    unusual: f64,
    context: Text,
}

/// Writes the section.
pub(super) fn write(draft: &mut Draft<'_>) -> Result<Body> {
    if draft.single() {
        return Ok(Body::absent(vec![prose(
            Text::new().t("Needs two snapshots. Take another and run ").code("pgretro report FIRST SECOND").t("."),
        )]));
    }
    let mut found = Vec::new();
    let mut unchanged = 0;
    levels(draft, &mut found, &mut unchanged);
    rates(draft, &mut found, &mut unchanged);
    let in_all = found.len();
    let mut blocks = events(draft);
    blocks.extend(slopes(draft));
    blocks.push(list(draft, &found)?);
    blocks.extend(rates_left_out(draft));
    let settings = super::settings::changed(draft).len();
    let carriers = draft.chain.snapshots.iter().filter(|s| s.table("pg_settings").is_some()).count();
    blocks.push(prose(
        Text::new()
            .n(count(unchanged))
            .t(" measures of objects stayed as they were or within the noise of counting. ")
            .then(if carriers > 1 {
                Text::new().t("Settings changed: ").n(count(settings)).t(" (").link("settings", "Settings").t(").")
            } else {
                Text::from("Whether settings changed cannot be said: they are in one snapshot only.")
            }),
    ));
    Ok(Body::filled(blocks).count(in_all.min(MOST)))
}

fn events(draft: &Draft<'_>) -> Vec<Block> {
    let label = |i| crate::advisor::label(draft.chain, i);
    let between = |from: Option<Timestamp>, to: Option<Timestamp>| match (from, to) {
        (Some(from), Some(to)) => format!("{} and {}", from.human_seconds(), to.human_seconds()),
        _ => "time unknown".to_owned(),
    };
    // Windows of a long history are sums of many: its objects were followed through each.
    let all: Vec<(String, &Event)> = if let Some(history) = draft.history.filter(|_| draft.chain.let_go() > 0) {
        history.follow.events.iter().map(|h| (between(h.from, h.to), &h.event)).collect()
    } else {
        let windows = draft.chain.windows.iter().enumerate();
        let named = |at: usize| format!("{} and {}", label(at), label(at + 1));
        windows.flat_map(|(at, w)| w.events.iter().map(move |e| (named(at), e))).collect()
    };
    let further = draft.history.map_or(0, |h| h.follow.more_events);
    if all.is_empty() {
        let restarted = super::coverage::restarted(draft);
        if restarted == 0 {
            return vec![prose("No reset, restart, rename or other event can be seen between the snapshots.")];
        }
        return vec![prose(
            Text::new()
                .t("Counters of ")
                .n(count(restarted))
                .t(" rows started again between the snapshots: they were reset, or lost in a crash."),
        )];
    }
    let mut out = table("events", "Events seen between the snapshots")
        .about(Text::from("Proven: the snapshots leave no other explanation. An event without a time happened somewhere between the two snapshots."))
        .name("Event")
        .text("Object")
        .text("Between")
        .number("At")
        .text("How sure")
        .text("What shows it");
    for (between, event) in all.iter().take(MOST_EVENTS) {
        let object = match (&event.object, &event.scope) {
            (Some(object), _) => Cell::name(object.clone()),
            (None, Some(scope)) => Cell::name(scope.clone()),
            (None, None) => Cell::None,
        };
        out.push(vec![
            Cell::text(event.kind.replace('_', " ")),
            object,
            Cell::text(between.clone()),
            event.at.map_or(Cell::None, |t| Cell::number(Quantity::time(t))),
            Cell::text(match event.certainty {
                Certainty::Proven => "proven",
                Certainty::Likely => "likely",
            }),
            Cell::text(event.evidence.join("; ")),
        ]);
    }
    vec![out.rows_in_all(all.len() + further).block()]
}

/// How far apart two counts are, in standard deviations of counting: twice the difference of the square roots.
fn apart(expected: f64, seen: f64) -> f64 {
    2.0 * ((seen.max(0.0) + 0.375).sqrt() - (expected.max(0.0) + 0.375).sqrt())
}

fn levels(draft: &Draft<'_>, found: &mut Vec<Candidate>, unchanged: &mut usize) {
    let mut level = |object: &dyn Fn() -> String, measure, a: Option<Quantity>, b: Option<Quantity>, quantum: f64| {
        let (Some(a), Some(b)) = (a, b) else { return };
        let unusual = apart(a.as_f64() / quantum, b.as_f64() / quantum);
        if unusual.abs() < NOISE {
            *unchanged += 1;
        } else {
            let context = Quantity::share(b.as_f64() - a.as_f64(), a.as_f64())
                .map_or_else(Text::new, |share| Text(vec![crate::text::Span::Change(share)]));
            found.push(Candidate { object: object(), measure, before: a, after: b, unusual, context });
        }
    };
    let first = ByObject::tables(draft.first("table_sizes"));
    let block = draft.chain.last().meta.block_bytes() as f64;
    for fact in &draft.facts.tables {
        let size = |r: Option<crate::snapshot::Row<'_>>| r.and_then(|r| r.quantity("total_relation_size"));
        level(
            &|| fact.display(),
            "size with indexes",
            size(fact.sizes.and_then(|s| first.of(s))),
            size(fact.sizes),
            block,
        );
        // After a reset the estimates begin again at 0: no change of the table.
        let Some(change) = fact.change.filter(|c| c.class() == Class::Ok) else { continue };
        let cell = |r: Option<crate::snapshot::Row<'_>>, column: &str| r.and_then(|r| r.quantity(column));
        for (measure, column) in [("dead rows", "n_dead_tup"), ("live rows", "n_live_tup")] {
            level(&|| fact.display(), measure, cell(change.first(), column), cell(change.last(), column), 1.0);
        }
    }
    let sizes = |s: &crate::snapshot::Snapshot| {
        super::tables::database_size(s.table("database_sizes")?.iter(), draft).map(|b| Quantity::int(b, Unit::Bytes))
    };
    let title = draft.chain.last().meta.database.clone().unwrap_or_default();
    level(&|| title.clone(), "database size", sizes(draft.chain.first()), sizes(draft.chain.last()), block);
    let sessions = |s: &crate::snapshot::Snapshot| {
        Some(count(s.table("pg_stat_activity")?.iter().filter(|r| crate::advisor::is_client(*r)).count()))
    };
    level(&|| title.clone(), "sessions of clients", sessions(draft.chain.first()), sessions(draft.chain.last()), 1.0);
}

/// Counters whose rate in the last window differs from before: the earlier windows, or with two snapshots everything
/// that was counted up to the first.
fn rates(draft: &Draft<'_>, found: &mut Vec<Candidate>, unchanged: &mut usize) {
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
                row.and_then(super::statement_text).map_or_else(
                    || format!("queryid {}", row.and_then(|r| r.int("queryid")).unwrap_or_default()),
                    |q| crate::report::names::one_line(q, 100),
                )
            };
            one(draft, change, &[("calls per second", "calls")], &name, found, unchanged);
        }
    }
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
fn rates_left_out(draft: &Draft<'_>) -> Option<Block> {
    let windows = &draft.chain.windows;
    let last = windows.last()?;
    if last.elapsed_s.is_some_and(|s| s < SHORTEST_S) {
        return Some(prose("No rates are compared: the last window is shorter than 10 s."));
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
                .n(count(out))
                .t(" of ")
                .many(count(all), "object", "objects")
                .t(" are not compared: in a window their counters started again, or they are not in every snapshot."),
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

/// Dead rows and sizes of the tables that moved most, at most two charts.
fn slopes(draft: &Draft<'_>) -> Vec<Block> {
    let first = ByObject::tables(draft.first("table_sizes"));
    let mut out = Vec::new();
    for (title, column) in
        [("Dead rows from A to B", "n_dead_tup"), ("Size with indexes from A to B", "total_relation_size")]
    {
        let mut lines: Vec<(f64, Line)> = draft
            .facts
            .tables
            .iter()
            .filter_map(|t| {
                let (a, b) = if column == "n_dead_tup" {
                    let change = t.change.filter(|c| c.class() == Class::Ok)?;
                    (change.first()?.quantity(column)?, change.last()?.quantity(column)?)
                } else {
                    (first.of(t.sizes?)?.quantity(column)?, t.sizes?.quantity(column)?)
                };
                let moved = (b.as_f64() - a.as_f64()).abs();
                (moved > 0.0).then(|| (moved, Line { name: t.display(), before: a, after: b, emphasised: false }))
            })
            .collect();
        lines.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.name.cmp(&b.1.name)));
        lines.truncate(MOST_LINES);
        if lines.len() < 2 {
            continue;
        }
        let mut lines: Vec<Line> = lines.into_iter().map(|(_, line)| line).collect();
        if let Some(line) = lines.first_mut() {
            line.emphasised = true;
        }
        out.push(Block::Chart(Chart::Slope { title: title.to_owned(), lines }));
    }
    out
}

fn list(draft: &mut Draft<'_>, found: &[Candidate]) -> Result<Block> {
    let link = draft.cite(
        "Largest changes",
        &["pg_stat_user_tables", "table_sizes", "pg_stat_database", "pg_stat_statements", "pg_stat_activity"],
        &[],
        Some("levels: B − A; rates: the last window against all before it. Order: 2 (√(seen + ⅜) − √(expected + ⅜)), sizes in blocks"),
    );
    let names: Vec<String> = found.iter().map(|c| format!("{} {}", c.object, c.measure)).collect();
    let values: Vec<Option<f64>> = found.iter().map(|c| Some(c.unusual.abs())).collect();
    let before =
        if draft.chain.windows.len() > 1 { "the windows before the last" } else { "everything counted before A" };
    let mut out = table("largest-changes", "Largest changes, most unusual first")
        .about(
            Text::new()
                .t("Levels compare A with B. Rates compare the last window with ")
                .t(before)
                .t(", as an average. ")
                .then(link),
        )
        .name("Object")
        .text("Measure")
        .number("Before")
        .number("After")
        .number("Change")
        .text("Context")
        .text("Findings")
        .empty("Nothing changed beyond the noise of counting");
    for at in ranked(&values, &names)?.into_iter().take(MOST) {
        let c = &found[at];
        let change = difference(c.after, c.before);
        out.push(vec![
            Cell::name(c.object.clone()),
            Cell::text(c.measure),
            Cell::number(c.before),
            Cell::number(c.after),
            change.map_or(Cell::None, |q| Cell::Text(Text(vec![crate::text::Span::Change(q)]))),
            Cell::Text(c.context.clone()),
            draft.links_of(&c.object, rules(c.measure)).map_or(Cell::None, Cell::Text),
        ]);
    }
    Ok(out.rows_in_all(found.len()).block())
}

/// First words of the rules that speak about a measure.
fn rules(measure: &str) -> &'static [&'static str] {
    match measure {
        "sessions of clients" => &["conn-"],
        "database size" | "size with indexes" => &["table-growth", "bloat-"],
        "dead rows" | "live rows" => &["vacuum-", "bloat-"],
        "deadlocks per second" => &["lock-deadlock"],
        "calls per second" => &["query-"],
        _ => &["table-", "index-"],
    }
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
