//! Trends: values per snapshot; small multiples where there are enough points. Two points are a change, not a trend.

use crate::diff::{Change, Class};
use crate::error::Result;
use crate::report::cells::{count, difference, looked_at, prose, total};
use crate::report::draft::{Body, Draft};
use crate::report::names::is_system;
use crate::report::table::table;
use crate::report::{Block, Cell, Chart, Mark, MarkKind, Panel};
use crate::snapshot::Snapshot;
use crate::text::Text;
use crate::unit::{Quantity, Unit};

/// Points from which on a course is drawn.
const LEAST_POINTS: usize = 5;
/// The most rows of the table of values.
const MOST_ROWS: usize = 500;

/// One measure over the history.
struct Series {
    title: &'static str,
    values: Vec<Option<Quantity>>,
    /// Whether values are levels, which have a change from first to last; else they are rates of the window before.
    level: bool,
    /// Whether a reset of the statistics makes it begin again.
    counted: bool,
}

/// Writes the section.
pub(super) fn write(draft: &mut Draft<'_>) -> Result<Body> {
    if draft.single() {
        return Ok(Body::absent(vec![prose(
            Text::new()
                .t("Not applicable: one snapshot has no course. Take another later and run ")
                .code("pgretro report FIRST SECOND")
                .t("."),
        )]));
    }
    let series: Vec<Series> = series(draft).into_iter().filter(|s| s.values.iter().flatten().count() > 1).collect();
    let points = draft.chain.snapshots.len();
    let mut blocks = Vec::new();
    if points >= LEAST_POINTS {
        blocks.extend(multiples(draft, &series));
        blocks.push(prose(
            Text::new().t("Points are samples: no value between them is known, and none is drawn across a reset."),
        ));
        blocks.extend(super::outlook::blocks(draft)?);
    } else {
        blocks.push(prose(
            Text::new()
                .n(count(points))
                .t(" snapshots: what changed can be said, a trend cannot; that takes at least ")
                .n(count(LEAST_POINTS))
                .t("."),
        ));
    }
    blocks.push(values(draft, &series));
    Ok(Body::filled(blocks))
}

fn series(draft: &Draft<'_>) -> Vec<Series> {
    let snapshots = &draft.chain.snapshots;
    let level = |title, value: &dyn Fn(&Snapshot) -> Option<Quantity>| Series {
        title,
        values: snapshots.iter().map(|s| value(s)).collect(),
        level: true,
        counted: false,
    };
    let rows = |s: &Snapshot, column: &str| {
        let table = s.table("pg_stat_user_tables")?;
        total(table.iter().filter(|r| !is_system(r.text("schemaname"))).map(|r| r.int(column)), Unit::Rows)
    };
    let mut out = vec![
        level("Database size", &|s| {
            let rows = s.table("database_sizes")?.iter();
            super::tables::database_size(rows, draft).map(|b| Quantity::int(b, Unit::Bytes))
        }),
        level("Sessions of clients", &|s| {
            let table = s.table("pg_stat_activity")?;
            Some(count(table.iter().filter(|r| crate::advisor::is_client(*r)).count()))
        }),
    ];
    let hold = estimates_hold(draft);
    for (title, column) in [("Live rows, all tables", "n_live_tup"), ("Dead rows, all tables", "n_dead_tup")] {
        let values = snapshots.iter().zip(&hold).map(|(s, hold)| rows(s, column).filter(|_| *hold)).collect();
        out.push(Series { title, values, level: true, counted: true });
    }
    for (title, column, unit) in [
        ("Transactions per second", "xact_commit", Unit::PerSecond),
        ("Blocks read per second", "blks_read", Unit::PerSecond),
        ("Bytes of temporary files per second", "temp_bytes", Unit::BytesPerSecond),
    ] {
        out.push(Series { title, values: rates(draft, column, unit), level: false, counted: true });
    }
    out.push(Series { title: "WAL per second", values: wal(draft), level: false, counted: false });
    out
}

/// For each snapshot, whether the estimates of all tables hold: after a reset they begin again at 0, until a vacuum or
/// analyze looks at the table.
fn estimates_hold(draft: &Draft<'_>) -> Vec<bool> {
    const VIEW: &str = "pg_stat_user_tables";
    let mut hold = vec![true; draft.chain.snapshots.len()];
    for change in draft.chain.view(VIEW).into_iter().flat_map(|v| v.iter().collect::<Vec<_>>()) {
        if is_system(change.latest().and_then(|r| r.text("schemaname"))) {
            continue;
        }
        let mut restarted = false;
        for (at, (window, row)) in draft.chain.windows.iter().zip(change.windows()).enumerate() {
            let row = row.and_then(|r| {
                let view = window.views.get(VIEW)?;
                ((r as usize) < view.rows.len()).then(|| view.row(r as usize))
            });
            let Some((row, after)) = row.and_then(|r| Some((r, r.after()?))) else { continue };
            restarted |= matches!(row.class(), Class::Reset | Class::ResetUnsure);
            restarted &= !looked_at(after);
            if let Some(hold) = hold.get_mut(at + 1).filter(|_| restarted) {
                *hold = false;
            }
        }
    }
    hold
}

/// The rate of a counter of this database in the window before each snapshot; a reset leaves a gap.
fn rates(draft: &Draft<'_>, column: &str, unit: Unit) -> Vec<Option<Quantity>> {
    let place = draft.database().map(Change::windows);
    let mut out = vec![None];
    for (at, window) in draft.chain.windows.iter().enumerate() {
        let rate = || {
            let view = window.views.get("pg_stat_database")?;
            let row = place.as_ref()?.get(at).copied().flatten()? as usize;
            let row = (row < view.rows.len()).then(|| view.row(row))?;
            let covered = row.verdict().covered_s.filter(|s| *s >= 10.0)?;
            let delta = row.delta_of(column).filter(|_| row.class().is_exact())?;
            Quantity::float(delta.as_f64() / covered, unit)
        };
        out.push(rate());
    }
    out
}

/// WAL written per second, by position.
fn wal(draft: &Draft<'_>) -> Vec<Option<Quantity>> {
    let mut out = vec![None];
    for window in &draft.chain.windows {
        let rate = || {
            let bytes = window.after.meta.wal_lsn?.checked_sub(window.before.meta.wal_lsn?)?;
            let seconds = window.elapsed_s.filter(|s| *s >= 10.0)?;
            Quantity::float(bytes as f64 / seconds, Unit::BytesPerSecond)
        };
        out.push(rate());
    }
    out
}

fn multiples(draft: &Draft<'_>, series: &[Series]) -> Option<Block> {
    let times: Option<Vec<_>> = draft.chain.snapshots.iter().map(|s| s.meta.taken_at).collect();
    let times = times?;
    let marks: Vec<Mark> = draft
        .chain
        .windows
        .iter()
        .flat_map(|w| w.events.iter().map(move |e| (w, e)))
        .filter_map(|(window, event)| {
            let kind = if event.kind.contains("restart") || event.kind.contains("crash") {
                MarkKind::Restart
            } else if event.kind == "stats_reset_database" {
                MarkKind::Reset
            } else {
                return None;
            };
            let at = event.at.or(window.after.meta.taken_at)?;
            Some(Mark { at, kind, label: format!("{}, {}", event.kind.replace('_', " "), at.human()) })
        })
        .collect();
    let panels: Vec<Panel> = series
        .iter()
        .filter_map(|s| {
            let value = s.values.iter().rev().find_map(|v| *v)?;
            let first = s.values.iter().find_map(|v| *v)?;
            // A value that is not of the last snapshot says of which it is.
            let last = s.values.iter().rposition(Option::is_some).filter(|at| at + 1 < s.values.len());
            let title = match last {
                Some(at) => format!("{}, known up to snapshot {}", s.title, at + 1),
                None => s.title.to_owned(),
            };
            Some(Panel {
                title,
                value,
                change: if s.level { difference(value, first) } else { None },
                points: times.iter().copied().zip(s.values.iter().map(|v| v.map(Quantity::as_f64))).collect(),
                // What is measured anew each time knows no reset.
                marks: marks.iter().filter(|m| s.counted || m.kind != MarkKind::Reset).cloned().collect(),
            })
        })
        .collect();
    let title = format!("{} snapshots", times.len());
    (!panels.is_empty()).then_some(Block::Chart(Chart::Multiples { title, panels }))
}

fn values(draft: &mut Draft<'_>, series: &[Series]) -> Block {
    let link = draft.cite(
        "Values per snapshot",
        &["database_sizes", "pg_stat_activity", "pg_stat_user_tables", "pg_stat_database"],
        &["size", "n_live_tup", "n_dead_tup", "xact_commit", "blks_read", "temp_bytes"],
        Some("rate = difference to the snapshot before ÷ seconds between"),
    );
    let mut out = table("values", "Values per snapshot")
        .about(Text::new().t("Levels at the capture; rates over the window before it. ").then(link))
        .name("Snapshot")
        .number("Captured");
    for s in series {
        out = out.number(s.title);
    }
    let n = draft.chain.snapshots.len();
    for (at, snapshot) in draft.chain.snapshots.iter().enumerate().take(MOST_ROWS) {
        let mut cells = vec![
            Cell::text(crate::advisor::label(draft.chain, at)),
            match snapshot.meta.taken_at {
                Some(t) => Cell::text(t.human_seconds()),
                None => Cell::NotAvailable("unknown".to_owned()),
            },
        ];
        for s in series {
            let value = s.values.get(at).copied().flatten();
            let reason = match (s.level, at) {
                (true, _) => "not captured, or the estimates began again at 0 with a reset",
                (false, 0) => "no window before it",
                (false, _) => "counters started again, or the window is under 10 s",
            };
            cells.push(Cell::number_or(value, reason));
        }
        out.push(cells);
    }
    out.rows_in_all(n).block()
}
