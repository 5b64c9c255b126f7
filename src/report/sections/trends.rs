//! Trends: values per snapshot; small multiples where there are enough points. Two points are a change, not a trend.

use crate::error::Result;
use crate::report::cells::{difference, prose};
use crate::report::draft::{Body, Draft};
use crate::report::pulse::{Beat, MEASURES, Pulse};
use crate::report::table::table;
use crate::report::{Block, Cell, Chart, Mark, MarkKind, Panel};
use crate::text::Text;
use crate::unit::Quantity;
use std::borrow::Cow;

/// Points from which on a course is drawn.
const LEAST_POINTS: usize = 5;
/// The most rows of the table of values.
const MOST_ROWS: usize = 500;
/// The most events drawn in a panel.
const MOST_MARKS: usize = 40;

/// Writes the section.
#[expect(clippy::unnecessary_wraps, reason = "the signature of every section")]
pub(super) fn write(draft: &mut Draft<'_>) -> Result<Body> {
    if draft.single() {
        return Ok(Body::absent(vec![prose(
            Text::new()
                .t("Not applicable: one snapshot has no course. Take another later and run ")
                .code("pgretro report FIRST SECOND")
                .t("."),
        )]));
    }
    let pulse: Cow<'_, Pulse> = match draft.history {
        Some(history) => Cow::Borrowed(&history.pulse),
        None => Cow::Owned(Pulse::of(draft.chain)),
    };
    let beats = pulse.beats();
    // What was not captured at least twice has no course.
    let shown: Vec<usize> =
        (0..MEASURES.len()).filter(|m| beats.iter().filter(|b| b.value(*m).is_some()).count() > 1).collect();
    let points = draft.chain.count();
    let link = draft.cite(
        "Values per snapshot",
        &["database_sizes", "pg_stat_activity", "pg_stat_user_tables", "pg_stat_database"],
        &["size", "n_live_tup", "n_dead_tup", "xact_commit", "blks_read", "temp_bytes"],
        Some("rate = difference to the snapshot before ÷ seconds between"),
    );
    let mut blocks = Vec::new();
    if points >= LEAST_POINTS {
        let mut note = Text::new().n(Quantity::count(points)).t(
            " snapshots. Dotted line: statistics reset. Triangle: restart, crash or immediate stop. Points are samples: no value between \
             them is known, and no line is drawn across a reset.",
        );
        if pulse.every() > 1 {
            note = note.t(" One snapshot of ").n(Quantity::count(pulse.every())).t(" is drawn.");
        }
        blocks.push(prose(note.t(" ").then(link.clone())));
        blocks.extend(multiples(draft, &beats, &shown, link.clone()));
        blocks.extend(super::timeline::block(draft));
        blocks.extend(super::heat::block(draft));
        blocks.extend(super::outlook::blocks(draft));
    } else {
        blocks.push(prose(
            Text::new()
                .n(Quantity::count(points))
                .t(" snapshots: what changed can be said, a trend cannot; that takes at least ")
                .n(Quantity::count(LEAST_POINTS))
                .t(". ")
                .then(link.clone()),
        ));
    }
    blocks.push(values(draft, &beats, &shown, link));
    Ok(Body::filled(blocks))
}

fn multiples(draft: &Draft<'_>, beats: &[&Beat], shown: &[usize], source: Text) -> Option<Block> {
    let times: Option<Vec<_>> = beats.iter().map(|b| b.at).collect();
    let times = times?;
    let marks = marks(draft);
    let panels: Vec<Panel> = shown
        .iter()
        .filter_map(|m| {
            let measure = MEASURES.get(*m)?;
            let values: Vec<Option<Quantity>> = beats.iter().map(|b| b.value(*m)).collect();
            let value = values.iter().rev().find_map(|v| *v)?;
            let first = values.iter().find_map(|v| *v)?;
            // A value that is not of the last snapshot says of which it is.
            let last = values.iter().rposition(Option::is_some).filter(|at| at + 1 < values.len());
            Some(Panel {
                title: measure.title.to_owned(),
                value,
                known_up_to: last.and_then(|at| beats.get(at)).map(|beat| beat.position + 1),
                change: if measure.level { difference(value, first) } else { None },
                points: times.iter().copied().zip(values.iter().map(|v| v.map(Quantity::as_f64))).collect(),
                // What is measured anew each time knows no reset.
                marks: marks.iter().filter(|m| measure.counted || m.kind != MarkKind::Reset).cloned().collect(),
            })
        })
        .collect();
    let title = "The database over time".to_owned();
    (!panels.is_empty()).then_some(Block::Chart(Chart::Multiples { title, source, panels }))
}

fn values(draft: &Draft<'_>, beats: &[&Beat], shown: &[usize], link: Text) -> Block {
    let mut out = table("values", "Values per snapshot")
        .about(Text::new().t("Levels at the capture; rates over the window before it. ").then(link))
        .name("Snapshot")
        .number("Captured");
    let measures = || shown.iter().filter_map(|m| Some((*m, MEASURES.get(*m)?)));
    for (_, measure) in measures() {
        out = out.number(measure.title);
    }
    let chain = draft.chain;
    let of_a_day = match (beats.first().and_then(|b| b.at), beats.last().and_then(|b| b.at)) {
        (Some(from), Some(to)) => Some(from.human_date()).filter(|day| *day == to.human_date()),
        _ => None,
    };
    for beat in thinned(beats) {
        let label = match chain.positions.binary_search(&beat.position) {
            Ok(kept) => crate::advisor::label(chain, kept),
            Err(_) => (beat.position + 1).to_string(),
        };
        let mut cells = vec![
            Cell::text(label),
            match beat.at {
                Some(t) => {
                    let time = t.human_seconds();
                    let time = of_a_day.as_deref().and_then(|day| time.strip_prefix(day)).unwrap_or(&time);
                    Cell::text(time.trim().replace(' ', "\u{a0}"))
                }
                None => Cell::NotAvailable("unknown".to_owned()),
            },
        ];
        for (m, measure) in measures() {
            let reason = match (measure.level, beat.position) {
                (true, _) => "not captured, or the estimates began again at 0 with a reset",
                (false, 0) => "no window before it",
                (false, _) => "counters started again, or may have, or the window is under 10 s",
            };
            cells.push(Cell::number_or(beat.value(m), reason));
        }
        out.push(cells);
    }
    out.rows_in_all(chain.count()).block()
}

/// What happened to the whole database, for the panels.
fn marks(draft: &Draft<'_>) -> Vec<Mark> {
    const OF_ALL: [&str; 6] =
        ["stats_reset_database", "crash", "restart", "promoted", "upgraded", "database_recreated"];
    let events = draft.history.map_or(&[][..], |h| &h.follow.events);
    events
        .iter()
        .filter(|h| OF_ALL.contains(&h.event.kind.as_str()))
        .filter_map(|happening| {
            let at = happening.event.at.or(happening.to)?;
            let label = format!("{}, {}", happening.event.words(), at.human());
            Some(Mark { at, kind: super::timeline::kind(&happening.event), label })
        })
        .take(MOST_MARKS)
        .collect()
}

/// At most [`MOST_ROWS`] of the snapshots, spread over the history, the first and the last among them.
fn thinned<'a>(beats: &'a [&'a Beat]) -> impl Iterator<Item = &'a Beat> {
    let step = beats.len().div_ceil(MOST_ROWS).max(1);
    let last = beats.len().saturating_sub(1);
    beats.iter().enumerate().filter(move |(at, _)| at % step == 0 || *at == last).map(|(_, beat)| *beat)
}
