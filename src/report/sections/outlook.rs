//! What a history says of the future: forecasts, dead rows, scans.

use crate::report::draft::Draft;
use crate::report::table::table;
use crate::report::{Block, Bound, Cell, History};
use crate::text::{Text, sentence};
use crate::time::Timestamp;
use crate::trend::Confidence;
use crate::trend::forecast::{Answer, Forecast, Kind};
use crate::trend::outlook::{Changed, DeadRows, Given, Outlook};
use crate::trend::scans::News;
use crate::unit::{Quantity, Unit};

/// The most rows of a table here.
const MOST_ROWS: usize = 500;
/// A limit this far away at the measured rate is nobody's concern.
const CENTURY_S: f64 = 100.0 * 365.25 * 86_400.0;

/// The blocks behind the courses.
pub(super) fn blocks(draft: &mut Draft<'_>) -> Vec<Block> {
    let Some(History { follow: history, .. }) = draft.history else { return Vec::new() };
    let outlook = Outlook::of(history, Given { capacity: draft.options.capacity });
    let mut out = vec![forecasts(draft, &outlook.forecasts)];
    out.extend((!outlook.dead_rows.is_empty()).then(|| dead_rows(draft, &outlook.dead_rows)));
    out.extend((!outlook.changed.is_empty()).then(|| changed(draft, &outlook.changed)));
    out
}

fn number(x: Option<f64>, unit: Unit, why_not: &str) -> Cell {
    Cell::number_or(x.and_then(|x| Quantity::float(x, unit)), why_not)
}

const fn of(kind: Kind) -> &'static str {
    match kind {
        Kind::Xid => "Transaction ids of",
        Kind::Multixact => "Multixact ids of",
        Kind::Sequence => "Sequence",
        Kind::Disk => "Size of",
        Kind::Database => "Database",
        Kind::Table => "Table",
        Kind::DeadRows | Kind::Inserts => "Autovacuum of",
    }
}

/// What moves towards a limit within a century; growth that has a trend.
fn is_told(f: &Forecast) -> bool {
    let speed = f.speed.map_or(0.0, |s| s.middle);
    match f.answer {
        Answer::Reached => !matches!(f.kind, Kind::DeadRows | Kind::Inserts),
        Answer::Never => false,
        Answer::NoLimit => speed > 0.0 && f.speed.is_some_and(|s| s.confidence > Confidence::Insufficient),
        _ if matches!(f.kind, Kind::DeadRows | Kind::Inserts) => false,
        _ => speed > 0.0 && f.remaining.is_none_or(|r| r / speed <= CENTURY_S),
    }
}

fn forecasts(draft: &mut Draft<'_>, all: &[Forecast]) -> Block {
    let link = draft.cite(
        "Forecasts",
        &["pg_sequences", "database_sizes", "table_sizes"],
        &["last_value", "size", "datfrozenxid_age", "datminmxid_age", "total_relation_size"],
        Some(
            "remaining ÷ rate, with the 95 % interval of the rate; no date beyond 3 times the observed span (2 times where \
             p > 0.01)",
        ),
    );
    let about = Text::new()
        .t("No date beyond the horizon of what was observed. There, and where the data are too few, what is left is divided by the measured rate: arithmetic, no forecast. ")
        .then(link);
    let told: Vec<&Forecast> = all.iter().filter(|f| is_told(f)).collect();
    let mut out = table("forecasts", "Forecasts")
        .about(about)
        .name("What")
        .number("Now")
        .text("Limit")
        .number("Left")
        .number("Rate per second")
        .text("When")
        .text("How sure")
        .empty("Nothing moves towards a limit");
    let all = told.len();
    let mut before: Option<&Forecast> = None;
    for f in told.into_iter().take(MOST_ROWS) {
        let again = before.is_some_and(|b| (b.kind, &b.subject) == (f.kind, &f.subject));
        before = Some(f);
        let now = if f.kind == Kind::Sequence { Unit::Share } else { f.unit };
        let rate = if f.unit == Unit::Bytes { Unit::BytesPerSecond } else { Unit::PerSecond };
        let note = f.note.as_ref().filter(|_| !again).map_or_else(String::new, |n| format!(" ({n})"));
        out.push(vec![
            Cell::Text(Text::new().t(format!("{} ", of(f.kind))).name(&f.subject)),
            number(Some(f.now), now, "not known"),
            Cell::text(sentence(&format!("{}{note}", f.milestone))),
            number(f.remaining, f.unit, "no limit given"),
            number(f.speed.map(|s| s.middle), rate, "not measured"),
            Cell::text(sentence(&f.when_briefly())),
            f.speed.map_or(Cell::None, |s| Cell::Confidence(sure(s.confidence))),
        ]);
    }
    out.rows_in_all(all).block()
}

const fn sure(confidence: Confidence) -> crate::finding::Confidence {
    match confidence {
        Confidence::Insufficient => crate::finding::Confidence::Insufficient,
        Confidence::Low => crate::finding::Confidence::Low,
        Confidence::Medium => crate::finding::Confidence::Medium,
        Confidence::High => crate::finding::Confidence::High,
    }
}

fn dead_rows(draft: &mut Draft<'_>, all: &[DeadRows]) -> Block {
    let link = draft.cite(
        "Whether vacuum keeps up",
        &["pg_stat_user_tables", "table_sizes", "pg_settings"],
        &["n_dead_tup", "n_live_tup", "vacuum_count", "autovacuum_count", "analyze_count", "reltuples", "reloptions"],
        Some("rate = time-weighted median of (dead rows after − before) ÷ seconds over windows without vacuum or analyze"),
    );
    let mut out = table("keeps-up", "Whether vacuum keeps up")
        .about(
            Text::new()
                .t("Keeps up: above its trigger in at most a tenth of the snapshots and never far; lags: in more than a quarter, or once at twice the trigger; cannot clean: vacuums leave dead rows behind. ")
                .then(link),
        )
        .name("Table")
        .text("Verdict")
        .number("Dead rows per second")
        .number("Lower quartile")
        .number("Upper quartile")
        .number("Snapshots above the trigger")
        .number("Vacuums")
        .text("Why, and what is next");
    for d in all.iter().take(MOST_ROWS) {
        let few = "under three windows without a vacuum";
        let pace = match (d.pace, d.sawtooth.at_most_per_s()) {
            (Some(p), _) => number(Some(p.median), Unit::PerSecond, few),
            (None, Some(gross)) => match Quantity::float(gross, Unit::PerSecond) {
                Some(value) => Cell::Number { value, change: None, bound: Some(Bound::AtMost) },
                None => Cell::NotAvailable(few.to_owned()),
            },
            (None, None) => Cell::NotAvailable(few.to_owned()),
        };
        out.push(vec![
            Cell::name(&d.table),
            Cell::text(sentence(d.verdict.words())),
            pace,
            number(d.pace.map(|p| p.low), Unit::PerSecond, few),
            number(d.pace.map(|p| p.high), Unit::PerSecond, few),
            number(d.sawtooth.share_over(), Unit::Share, "no snapshot with known dead rows"),
            match Quantity::float(d.sawtooth.counted_vacuums, Unit::Count) {
                Some(value) => {
                    Cell::Number { value, change: None, bound: d.sawtooth.there_were_more.then_some(Bound::AtLeast) }
                }
                None => Cell::NotAvailable("not exported".to_owned()),
            },
            Cell::text(sentence(&said(d))),
        ]);
    }
    out.rows_in_all(all.len()).block()
}

/// Why, and when autovacuum comes next.
fn said(d: &DeadRows) -> String {
    let mut out = d.why.clone();
    if !d.last.trigger.enabled && !out.contains("autovacuum is off") {
        out.push_str("; autovacuum is off for it");
    }
    if !d.last.known {
        out.push_str("; counted anew since a reset: the dead rows from before are unknown");
    }
    if d.behind {
        out.push_str("; autovacuum is behind");
    }
    let next = d.forecasts.iter().find(|f| f.kind == Kind::DeadRows && d.last.trigger.enabled);
    match next.map(|f| (f, f.answer)) {
        Some((f, Answer::Dates { .. } | Answer::Reached)) => format!("{out}; next autovacuum {}", f.when()),
        _ => out,
    }
}

fn between(from: Timestamp, to: Timestamp) -> String {
    from.human_until(to)
}

fn changed(draft: &mut Draft<'_>, all: &[Changed]) -> Block {
    let link = draft.cite(
        "Scans that began, stopped or changed",
        &["pg_stat_user_tables", "pg_stat_user_indexes"],
        &["seq_scan", "idx_scan"],
        Some("silent for longer than three times any pause before, and ten scans at the rate of before"),
    );
    let mut out = table("scan-changes", "Scans that began, stopped or changed")
        .about(
            Text::new()
                .t("When a counter of scans began to move, stood still for good, or changed its pace. ")
                .then(link),
        )
        .name("Object")
        .text("Scans")
        .text("What")
        .text("Between")
        .number("Per second before")
        .number("Per second after");
    for c in all.iter().take(MOST_ROWS) {
        let scans = match (c.column, c.view) {
            ("seq_scan", _) => "sequential",
            (_, "pg_stat_user_indexes") => "of the index",
            _ => "by any index",
        };
        let (what, at, before, after) = match (c.news, c.change) {
            (Some((News::Began, at)), _) => ("began", at, 0.0, c.per_s),
            (Some((News::Stopped, at)), _) => ("stopped", at, c.per_s, 0.0),
            (None, Some(change)) => ("changed", (change.after, change.before), change.from, change.to),
            (None, None) => continue,
        };
        out.push(vec![
            Cell::name(&c.object),
            Cell::text(sentence(scans)),
            Cell::text(sentence(what)),
            Cell::text(between(at.0, at.1)),
            number(Some(before), Unit::PerSecond, "not known"),
            number(Some(after), Unit::PerSecond, "not known"),
        ]);
    }
    out.rows_in_all(all.len()).block()
}
