//! Tables × time: the share of dead rows of each table at a dozen moments, worst first.

use crate::diff::Event;
use crate::report::draft::Draft;
use crate::report::sparks::Axis;
use crate::report::{Block, Chart, Heat, HeatRow, History};
use crate::time::Timestamp;
use crate::trend::{Object, Objects, Series};
use crate::unit::Quantity;
use std::collections::BTreeSet;

/// Columns; with more snapshots the last one of each stretch of time.
const COLUMNS: usize = 12;
/// Rows.
const ROWS: usize = 30;
/// Tables that never had so many dead rows are not worth a row.
const DEAD: f64 = 1_000.0;
/// From which share on a cell is of the next step.
const STEPS: [f64; 5] = [0.05, 0.1, 0.2, 0.4, 0.6];

/// The heatmap; `None` where no table ever had dead rows worth a look.
pub(super) fn block(draft: &mut Draft<'_>) -> Option<Block> {
    let History { follow, .. } = draft.history?;
    let times: Vec<Option<Timestamp>> = draft.chain.all.iter().map(|g| g.taken_at).collect();
    let axis = Axis::of(&times, COLUMNS)?;
    let view = follow.views().iter().find(|v| v.followed.view.name == "pg_stat_user_tables")?;
    let mut rows: Vec<(f64, HeatRow)> = view
        .list
        .iter()
        .filter(|o| !o.gone && !o.is_system(view.followed.view))
        .filter_map(|object| row(view, object, &axis))
        .collect();
    rows.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.name.cmp(&b.1.name)));
    rows.truncate(ROWS);
    if rows.is_empty() {
        return None;
    }
    let ends = axis.ends(&times);
    // Snapshots are not spread evenly: a stretch without any has no column.
    let filled: Vec<usize> = (0..ends.len()).filter(|i| ends.get(*i).is_some_and(Option::is_some)).collect();
    for (_, row) in &mut rows {
        row.cells = filled.iter().filter_map(|i| row.cells.get(*i).copied()).collect();
        row.steps = filled.iter().filter_map(|i| row.steps.get(*i).copied()).collect();
    }
    let is_reset = |e: &Event| matches!(e.kind.as_str(), "crash" | "stats_reset_database" | "promoted");
    let column = |at: Timestamp| filled.iter().position(|slot| *slot == axis.slot(at));
    let breaks: BTreeSet<usize> =
        follow.events.iter().filter(|h| is_reset(&h.event)).filter_map(|h| column(h.to?)).collect();
    let source = draft.cite(
        "Dead rows over time",
        &["pg_stat_user_tables"],
        &["n_dead_tup", "n_live_tup"],
        Some("n_dead_tup ÷ (n_dead_tup + n_live_tup), of each snapshot"),
    );
    Some(Block::Chart(Chart::Heatmap(Heat {
        title: "Dead rows, % of all".to_owned(),
        about: "The tables with at least 1,000 dead rows in some snapshot, highest peak first.".to_owned(),
        source,
        columns: labels(&filled.iter().filter_map(|i| ends.get(*i).copied()).collect::<Vec<_>>()),
        breaks: breaks.into_iter().collect(),
        rows: rows.into_iter().map(|(_, row)| row).collect(),
    })))
}

/// A table's shares, with the largest.
fn row(view: &Objects, object: &Object, axis: &Axis) -> Option<(f64, HeatRow)> {
    let dead = axis.last_of_each(series(view, object, "n_dead_tup")?.points());
    let live = axis.last_of_each(series(view, object, "n_live_tup")?.points());
    if series(view, object, "n_dead_tup")?.max? < DEAD {
        return None;
    }
    let share = |(dead, live): (&Option<f64>, &Option<f64>)| {
        let (dead, live) = ((*dead)?, (*live)?);
        Quantity::share(dead, dead + live)
    };
    let cells: Vec<Option<Quantity>> = dead.iter().zip(&live).map(share).collect();
    let peak =
        cells.iter().flatten().map(|q| q.as_f64()).fold(None, |a: Option<f64>, b| Some(a.map_or(b, |a| a.max(b))))?;
    let steps = cells.iter().map(|c| c.map(|q| STEPS.iter().filter(|s| q.as_f64() >= **s).count() as u8)).collect();
    Some((peak, HeatRow { name: object.name(view.followed.view), cells, steps }))
}

fn series<'a>(view: &Objects, object: &'a Object, column: &str) -> Option<&'a Series> {
    let (at, _) = view.followed.view.column(column)?;
    object.series.get(view.followed.columns.iter().position(|(c, _)| *c == at)?)
}

/// Times above the columns: of one day without the date, of more than four without the time.
fn labels(times: &[Option<Timestamp>]) -> Vec<String> {
    const FOUR_DAYS_S: f64 = 4.0 * 86_400.0;
    let known: Vec<Timestamp> = times.iter().flatten().copied().collect();
    let (Some(first), Some(last)) = (known.first(), known.last()) else { return Vec::new() };
    let one_day = first.human_date() == last.human_date();
    let minutes = last.seconds_since(*first) > 1_200.0;
    let day = |t: Timestamp| {
        let date = t.human_date();
        date.rsplit_once(' ').map_or_else(|| date.clone(), |(day, _)| day.to_owned())
    };
    let time = |t: Timestamp| {
        let text = if minutes { t.human() } else { t.human_seconds() };
        text.strip_prefix(&t.human_date()).map_or(text.clone(), |rest| rest.trim().trim_end_matches(" UTC").to_owned())
    };
    let label = |t: Timestamp| {
        if one_day {
            time(t)
        } else if last.seconds_since(*first) > FOUR_DAYS_S {
            day(t)
        } else {
            format!("{} {}", day(t), time(t))
        }
    };
    times.iter().map(|t| t.map_or_else(|| "–".to_owned(), label)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_say_what_differs() {
        let at = |hour: i64| Some(Timestamp::from_seconds(1_790_000_000 + hour * 3_600));
        assert_eq!(labels(&[at(0), at(2)]), ["14:13", "16:13"]);
        assert_eq!(labels(&[at(0), at(20)]), ["21 Sep 14:13", "22 Sep 10:13"]);
        assert_eq!(labels(&[at(0), None, at(200)]), ["21 Sep", "–", "29 Sep"]);
    }
}
