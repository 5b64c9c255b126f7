//! What changed from the first snapshot to the last: charts, the largest changes, most unusual first, and events.

mod rates;

use crate::advisor::Restarted;
use crate::diff::{Certainty, Class, Event};
use crate::error::Result;
use crate::finding::Severity;
use crate::report::cells::{difference, prose};
use crate::report::draft::{Body, Draft};
use crate::report::names::ByObject;
use crate::report::table::{ranked, table};
use crate::report::{Block, Cell, Chart, Line, Meaning};
use crate::text::{Text, pieces, sentence};
use crate::time::Timestamp;
use crate::unit::{Quantity, Unit};
use rates::{NOISE, apart};
use std::cmp::Reverse;

/// The most changes listed.
const MOST: usize = 30;
/// The most events listed.
const MOST_EVENTS: usize = 500;
/// The most lines of a slope chart.
const MOST_LINES: usize = 8;
/// The least change a slope chart shows, as a share of the larger value.
const LEAST_SHARE: f64 = 0.02;

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
    rates::find(draft, &mut found, &mut unchanged);
    let in_all = found.len();
    let link = draft.cite(
        "Largest changes",
        &["pg_stat_user_tables", "table_sizes", "pg_stat_database", "pg_stat_statements", "pg_stat_activity"],
        &[],
        Some("levels: B − A; rates: the last window against all before it. Order: 2 (√(seen + ⅜) − √(expected + ⅜)), sizes in blocks"),
    );
    let mut blocks = slopes(draft);
    blocks.push(list(draft, &found, link.clone())?);
    blocks.extend(rates::left_out(draft, &link));
    let settings = super::settings::changed(draft).len();
    let carriers = draft.chain.snapshots.iter().filter(|s| s.table("pg_settings").is_some()).count();
    blocks.push(prose(
        Text::new()
            .n(Quantity::count(unchanged))
            .t(" measures of objects stayed as they were or within the noise of counting. ")
            .then(if carriers > 1 {
                Text::new()
                    .t("Settings changed: ")
                    .n(Quantity::count(settings))
                    .t(" (")
                    .link("settings", "Settings")
                    .t(").")
            } else {
                Text::from("Whether settings changed cannot be said: they are in one snapshot only.")
            })
            .t(" ")
            .then(link.clone()),
    ));
    blocks.extend(events(draft, link));
    Ok(Body::filled(blocks).count(in_all.min(MOST)))
}

fn events(draft: &mut Draft<'_>, link: Text) -> Vec<Block> {
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
        let named = |at: usize| format!("{}\u{a0}and\u{a0}{}", label(at), label(at + 1));
        windows.flat_map(|(at, w)| w.events.iter().map(move |e| (named(at), e))).collect()
    };
    let further = draft.history.map_or(0, |h| h.follow.more_events);
    if all.is_empty() {
        let restarted = Restarted::of(draft.chain).again;
        if restarted == 0 {
            return vec![prose("No reset, restart or rename can be seen between the snapshots.")];
        }
        return vec![prose(
            Text::new()
                .t("Counters of ")
                .n(Quantity::count(restarted))
                .t(" rows started again between the snapshots: they were reset, or lost in a crash. ")
                .then(link),
        )];
    }
    let mut out = table("events", "Events seen between the snapshots")
        .about(Text::from("Proven: the snapshots leave no other explanation. An event without a time happened somewhere between the two snapshots. ").then(super::timeline::cite(draft)))
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
            Cell::text(sentence(&event.words())),
            object,
            Cell::text(between.clone()),
            event.at.map_or(Cell::None, |t| Cell::number(Quantity::time(t))),
            Cell::text(match event.certainty {
                Certainty::Proven => "Proven",
                Certainty::Likely => "Likely",
            }),
            Cell::Text(told(&event.kind, &event.evidence)),
        ]);
    }
    vec![out.rows_in_all(all.len() + further).block()]
}

/// What shows an event, as people read it: a sentence with names as names, and times without their microseconds. What
/// settings were and what was run stands as it is.
fn told(kind: &str, evidence: &[String]) -> Text {
    let word = |word: &str| {
        let time = word.trim_end_matches([' ', ':', ';', ',', ')']);
        match Timestamp::parse(time).filter(|_| time.contains('T') && time.ends_with('Z')) {
            Some((at, _)) => at.human_seconds() + word.get(time.len()..).unwrap_or_default(),
            None => word.to_owned(),
        }
    };
    evidence.iter().enumerate().fold(Text::new(), |out, (at, shown)| {
        let out = if at > 0 { out.t("; ") } else { out };
        if kind == "settings_changed" || shown.starts_with("run ") {
            return out.t(if at == 0 && shown.starts_with("run ") { sentence(shown) } else { shown.clone() });
        }
        let begins_with_a_column = shown.split(' ').next().is_some_and(|word| word.contains('_'));
        let shown = if at > 0 || begins_with_a_column { shown.clone() } else { sentence(shown) };
        pieces(&shown).into_iter().fold(out, |out, (name, piece)| {
            if name { out.name(piece) } else { out.t(piece.split_inclusive(' ').map(word).collect::<String>()) }
        })
    })
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
        Some(Quantity::count(s.table("pg_stat_activity")?.iter().filter(|r| crate::advisor::is_client(*r)).count()))
    };
    level(&|| title.clone(), "sessions of clients", sessions(draft.chain.first()), sessions(draft.chain.last()), 1.0);
}

/// Dead rows and sizes of the tables that moved most, at most two charts.
fn slopes(draft: &mut Draft<'_>) -> Vec<Block> {
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
                // One large object that hardly moved would press all others flat.
                let worth = moved >= LEAST_SHARE * a.as_f64().max(b.as_f64());
                (moved > 0.0 && worth).then(|| {
                    (
                        moved,
                        Line { name: t.display(), before: a, after: b, change: difference(b, a), emphasised: false },
                    )
                })
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
        let view = if column == "n_dead_tup" { "pg_stat_user_tables" } else { "table_sizes" };
        let source = draft.cite(title, &[view], &[column], None);
        out.push(Block::Chart(Chart::Slope { title: title.to_owned(), source, lines }));
    }
    out
}

fn list(draft: &Draft<'_>, found: &[Candidate], link: Text) -> Result<Block> {
    let names: Vec<String> = found.iter().map(|c| format!("{} {}", c.object, c.measure)).collect();
    let values: Vec<Option<f64>> = found.iter().map(|c| Some(c.unusual.abs())).collect();
    let before =
        if draft.chain.windows.len() > 1 { "the windows before the last" } else { "everything counted before A" };
    let mut out = table("largest-changes", "Largest changes, most unusual first")
        .about(
            Text::new()
                .t("Levels compare A with B. Rates compare the last window with ")
                .t(before)
                .t(", as an average. What a finding of medium severity or above speaks of comes first. ")
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
    let mut order = ranked(&values, &names)?;
    // The filling of a new table is most unusual and seldom news; what a finding speaks of is.
    let judged = |c: &Candidate| {
        draft
            .findings_of(&c.object, rules(c.measure))
            .map(|f| f.finding.severity)
            .filter(|s| *s >= Severity::Medium)
            .max()
    };
    order.sort_by_cached_key(|at| Reverse(found.get(*at).and_then(judged)));
    for at in order.into_iter().take(MOST) {
        let c = &found[at];
        let change = difference(c.after, c.before);
        out.push(vec![
            Cell::name(c.object.clone()),
            Cell::text(sentence(c.measure)),
            Cell::number(c.before),
            Cell::number(c.after),
            change.map_or(Cell::None, |change| Cell::Change { change, meaning: meaning(c.measure, change) }),
            if c.context.is_empty() { Cell::None } else { Cell::Text(c.context.clone()) },
            draft.links_of(&c.object, rules(c.measure)).map_or(Cell::None, Cell::Text),
        ]);
    }
    Ok(out.rows_in_all(found.len()).block())
}

/// What a change means where less is better; most measures have no good direction.
fn meaning(measure: &str, change: Quantity) -> Option<Meaning> {
    matches!(measure, rates::MEAN_TIME | "deadlocks per second" | "rollbacks per second" | "temporary files per second")
        .then(|| Meaning::of_less(change.as_f64()))
        .flatten()
}

/// First words of the rules that speak about a measure.
fn rules(measure: &str) -> &'static [&'static str] {
    match measure {
        "sessions of clients" => &["conn-"],
        "database size" | "size with indexes" => &["table-growth", "bloat-"],
        "dead rows" | "live rows" => &["vacuum-", "bloat-"],
        "deadlocks per second" => &["lock-deadlock"],
        "calls per second" | rates::MEAN_TIME => &["query-"],
        _ => &["table-", "index-"],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Span;

    #[test]
    fn what_shows_an_event_reads_as_a_sentence() {
        let shown = |kind, evidence: &[&str]| told(kind, &evidence.iter().map(|&e| e.to_owned()).collect::<Vec<_>>());
        let moved = "stats_reset moved to 2026-11-22T14:24:08.438133Z";
        let text = shown("stats_reset_database", &[moved, "9 counters of `shop` fell (at 12:00Z)"]);
        assert_eq!(text.plain(), "stats_reset moved to 22 Nov 2026 14:24:08 UTC; 9 counters of shop fell (at 12:00Z)");
        assert_eq!(shown("renamed", &["the OID is the same"]).plain(), "The OID is the same");
        // Values and statements are not ours to write otherwise.
        assert_eq!(shown("settings_changed", &["over `there` → left"]).plain(), "over `there` → left");
        let run = "run once: select `a` at 2026-11-22T14:24:08.438133Z";
        assert_eq!(
            shown("vacuumed", &["vacuum_count rose by 1", run]).plain(),
            format!("vacuum_count rose by 1; {run}")
        );
        assert!(text.0.iter().any(|s| matches!(s, Span::Name(n) if &**n == "shop")));
    }
}
