//! The first page of a history: what runs towards a limit, dead rows, what changed, statements.

use crate::advisor::secret;
use crate::cli::columns::{align, short};
use crate::time::Timestamp;
use crate::trend::Confidence;
use crate::trend::forecast::{Answer, Forecast, Kind};
use crate::trend::outlook::{Calls, Changed, DeadRows, Outlook, Scans};
use crate::trend::sawtooth::Verdict;
use crate::trend::scans::News;
use crate::unit::{Quantity, Unit};
use std::fmt::Write;

/// Rows of a section where nobody asks for a number.
const ROWS: usize = 20;
/// A limit this far away is nobody's concern.
const CENTURY_S: f64 = 100.0 * 365.25 * 86_400.0;

/// Writes the sections of a history; `top` rows of each.
pub(super) fn write(outlook: &Outlook, top: Option<usize>, out: &mut String) {
    let rows = top.unwrap_or(ROWS);
    forecasts(&outlook.forecasts, rows, out);
    dead_rows(&outlook.dead_rows, rows, out);
    changed(&outlook.changed, rows, out);
    scans(&outlook.scans, rows, out);
    calls(&outlook.calls, rows, out);
    out.push_str("\nEvery object and column: --view, --column, --object, or --format csv or json\n");
}

fn more(shown: usize, all: usize, out: &mut String) {
    if all > shown {
        let _ = writeln!(out, "  … {} more: --top, or --format json for all", all - shown);
    }
}

fn head(names: &[&str]) -> Vec<String> {
    names.iter().map(|n| (*n).to_owned()).collect()
}

fn number(x: Option<f64>, unit: Unit) -> String {
    x.and_then(|x| Quantity::float(x, unit)).map_or_else(|| "–".to_owned(), Quantity::human)
}

/// What a forecast is of.
const fn of(kind: Kind) -> &'static str {
    match kind {
        Kind::Xid => "transaction ids",
        Kind::Multixact => "multixact ids",
        Kind::Sequence => "sequence",
        Kind::Disk => "disk",
        Kind::Database => "database",
        Kind::Table => "table",
        Kind::DeadRows | Kind::Inserts => "autovacuum",
    }
}

fn forecasts(all: &[Forecast], rows: usize, out: &mut String) {
    // What does not move is no news; dead rows have a section of their own.
    let told: Vec<&Forecast> = all
        .iter()
        .filter(|f| !matches!(f.kind, Kind::DeadRows | Kind::Inserts) && !matches!(f.answer, Answer::Never))
        .filter(|f| {
            !matches!(f.answer, Answer::NoLimit) || f.speed.is_some_and(|s| s.confidence > Confidence::Insufficient)
        })
        .filter(|f| f.speed.is_some_and(|s| s.middle != 0.0) || matches!(f.answer, Answer::Reached))
        .collect();
    let far_off = |f: &&Forecast| {
        let left = f.remaining.zip(f.speed).map(|(r, s)| r / s.middle);
        let used_up = f.kind == Kind::Sequence && f.now >= 0.5;
        f.kind <= Kind::Sequence && !used_up && left.is_some_and(|s| s > CENTURY_S)
    };
    let far = told.iter().copied().filter(far_off).count();
    let told: Vec<&Forecast> = told.into_iter().filter(|f| !far_off(f)).collect();
    out.push_str("\nForecasts\n");
    if told.is_empty() {
        out.push_str("  Nothing moves towards a limit.\n");
    }
    let mut before: Option<&Forecast> = None;
    for f in told.iter().take(rows) {
        if before.is_some_and(|b| (b.kind, &b.subject) == (f.kind, &f.subject)) {
            let _ = writeln!(out, "    {}: {}", f.milestone, f.when());
            continue;
        }
        before = Some(f);
        let now = match f.kind {
            Kind::Sequence => {
                format!("{} used, {} numbers left", number(Some(f.now), Unit::Share), number(f.remaining, Unit::Count))
            }
            Kind::Xid | Kind::Multixact => format!("age {}", number(Some(f.now), f.unit)),
            _ => number(Some(f.now), f.unit),
        };
        let note = f.note.as_ref().map_or_else(String::new, |n| format!(" ({n})"));
        let _ = writeln!(out, "  {} {}: {now}{note}", of(f.kind), short(&f.subject));
        let _ = writeln!(out, "    {}: {}", f.milestone, f.when());
    }
    more(rows.min(told.len()), told.len(), out);
    if far > 0 {
        let _ = writeln!(
            out,
            "  {far} more limits of ids and sequences are over a hundred years away at the measured rate"
        );
    }
}

fn dead_rows(all: &[DeadRows], rows: usize, out: &mut String) {
    out.push_str("\nDead rows: does vacuum keep up?\n");
    if all.is_empty() {
        out.push_str("  No table had any.\n");
        return;
    }
    let names = ["", "", "dead", "trigger", "× of it", "per second", "(quartiles)", "over it", "vacuums"];
    let mut lines = vec![head(&names)];
    for d in all.iter().take(rows) {
        let pace = |x: Option<f64>| number(x, Unit::PerSecond);
        let known = d.last.known;
        lines.push(vec![
            short(&d.table),
            d.verdict.words().to_owned(),
            number(Some(d.last.dead).filter(|_| known), Unit::Rows),
            number(Some(d.last.trigger.dead), Unit::Rows),
            number(Some(d.last.dead / d.last.trigger.dead).filter(|_| known), Unit::Times),
            d.pace.map_or_else(
                || d.sawtooth.at_most_per_s().map_or_else(|| "–".to_owned(), |g| format!("≤ {}", pace(Some(g)))),
                |p| pace(Some(p.median)),
            ),
            d.pace.map_or_else(String::new, |p| format!("{} … {}", pace(Some(p.low)), pace(Some(p.high)))),
            number(d.sawtooth.share_over(), Unit::Share),
            format!(
                "{}{}",
                if d.sawtooth.there_were_more { "≥ " } else { "" },
                number(Some(d.sawtooth.counted_vacuums), Unit::Count)
            ),
        ]);
    }
    align(&lines, out);
    for d in all.iter().take(rows) {
        let mut said = d.why.clone();
        if !d.last.trigger.enabled && !said.contains("autovacuum is off") {
            said.push_str("; autovacuum is off for it");
        }
        if !d.last.known {
            said.push_str("; counted anew since a reset: the dead rows from before are unknown");
        }
        if d.behind {
            said.push_str("; autovacuum is behind");
        }
        let next = d.forecasts.iter().find(|f| {
            let dated = matches!(f.answer, Answer::Dates { .. } | Answer::Reached);
            d.last.trigger.enabled && (dated || f.kind == Kind::DeadRows && d.verdict == Verdict::Lags)
        });
        let next = next.map_or_else(String::new, |f| format!("; {}: {}", f.milestone, f.when()));
        // What keeps up and says nothing else has been said in its line.
        if d.verdict != Verdict::KeepsUp || !d.last.known || !d.last.trigger.enabled || d.behind || !next.is_empty() {
            let _ = writeln!(out, "  {}: {said}{next}", short(&d.table));
        }
    }
    more(rows.min(all.len()), all.len(), out);
}

fn span((from, to): (Timestamp, Timestamp)) -> String {
    format!("between {} and {}", from.human_seconds(), to.human_seconds())
}

fn changed(all: &[Changed], rows: usize, out: &mut String) {
    out.push_str("\nScans that began, stopped or changed\n");
    if all.is_empty() {
        out.push_str("  None.\n");
    }
    for c in all.iter().take(rows) {
        let what = match (c.column, c.view) {
            ("seq_scan", _) => "sequential scans",
            (_, "pg_stat_user_indexes") => "scans of the index",
            _ => "index scans",
        };
        let said = match (c.news, c.change) {
            (Some((News::Began, at)), _) => {
                format!("began {}, {} since", span(at), number(Some(c.per_s), Unit::PerSecond))
            }
            (Some((News::Stopped, at)), _) => {
                format!("last {}, {} until then", span(at), number(Some(c.per_s), Unit::PerSecond))
            }
            (None, Some(change)) => format!(
                "from {} to {} {}",
                number(Some(change.from), Unit::PerSecond),
                number(Some(change.to), Unit::PerSecond),
                span((change.after, change.before))
            ),
            (None, None) => continue,
        };
        let _ = writeln!(out, "  {}: {what} {said}", short(&c.object));
    }
    more(rows.min(all.len()), all.len(), out);
}

fn scans(all: &[Scans], rows: usize, out: &mut String) {
    if all.is_empty() {
        return;
    }
    out.push_str("\nScans of tables\n");
    // Days are spoken of only where a day was seen.
    let days = all.iter().any(|s| s.covered_s >= 86_400.0);
    let mut names = head(&["", "", "sequential", "whole passes", "index scans"]);
    if days {
        names.extend(head(&["sequential a day", "whole passes a day", "index scans a day"]));
    }
    let mut lines = vec![names];
    for s in all.iter().take(rows) {
        let mut line = vec![short(&s.table), String::new()];
        line.extend([s.sequential, s.passes, s.index].map(|x| number(x, Unit::Count)));
        if days {
            line.extend([s.sequential_per_day, s.passes_per_day, s.index_per_day].map(|x| number(x, Unit::Count)));
        }
        lines.push(line);
    }
    align(&lines, out);
    more(rows.min(all.len()), all.len(), out);
}

fn calls(all: &[Calls], rows: usize, out: &mut String) {
    if all.is_empty() {
        return;
    }
    out.push_str("\nStatements\n");
    let mut lines = vec![head(&["", "", "calls", "per second", "mean", "sessions", "busiest"])];
    for c in all.iter().take(rows) {
        lines.push(vec![
            short(secret::shown(&c.text)),
            state(c).to_owned(),
            format!("{}{}", if c.exact { "" } else { "≥ " }, number(c.calls, Unit::Count)),
            number(c.calls_per_s, Unit::PerSecond),
            number(c.moments.map(|m| m.mean), Unit::Ms),
            number(c.sessions, Unit::Sessions),
            c.busiest.map_or_else(
                || "–".to_owned(),
                |b| format!("{} at {}", number(Some(b.sessions), Unit::Sessions), b.to.human_seconds()),
            ),
        ]);
    }
    align(&lines, out);
    for c in all.iter().take(rows) {
        if let Some(r) = c.regressed {
            let when = r.from.zip(r.to).map_or_else(|| "in a window of unknown time".to_owned(), span);
            let (before, mean) = (number(Some(r.before_ms), Unit::Ms), number(Some(r.mean_ms), Unit::Ms));
            let _ = writeln!(out, "  {}: slower {when}, {before} before, {mean} then", short(secret::shown(&c.text)));
        }
    }
    more(rows.min(all.len()), all.len(), out);
}

const fn state(c: &Calls) -> &'static str {
    if c.gone_after.is_some() {
        "gone"
    } else if c.came_again {
        "began anew"
    } else if c.first_seen.is_some() {
        "new"
    } else {
        ""
    }
}
