//! Events on the time axis: a lane for each kind of thing that happens to a server and its objects.

use crate::diff::Event;
use crate::report::draft::Draft;
use crate::report::{Block, Chart, History, Lane, Mark, MarkKind};
use crate::text::{Text, sentence};
use crate::time::Timestamp;
use crate::trend::Happening;

/// The most marks of a lane; of more, only the number.
const MOST: usize = 200;

/// Kinds of events by lane; those not named here have a lane of their own.
const LANES: &[(&str, &[&str])] = &[
    (
        "Statistics reset",
        &[
            "stats_reset_database",
            "stats_reset_object",
            "stats_reset_shared",
            "stats_reset_statements",
            "stats_reset_statement",
            "stats_reset_minmax",
        ],
    ),
    ("Crash or stop", &["crash"]),
    ("Restart", &["restart"]),
    ("Promotion", &["promoted"]),
    ("Upgrade", &["upgraded"]),
    ("Settings changed", &["settings_changed"]),
    ("Database made anew", &["database_recreated"]),
    ("Renamed", &["renamed"]),
    ("Recreated", &["recreated"]),
    ("Rewritten or emptied", &["rewritten", "vacuum_full", "truncated", "unlogged_emptied"]),
    ("Table created or dropped", &["table_created", "table_dropped"]),
    ("Partition added or removed", &["partition_added", "partition_removed"]),
    ("Index created or dropped", &["index_created", "index_dropped", "index_created_and_dropped"]),
    ("Index rebuilt", &["reindexed"]),
    ("Statements evicted", &["statements_evicted"]),
    ("Vacuumed by hand", &["vacuumed"]),
    ("Archiving failed", &["archive_failed"]),
];

/// The chart; `None` where nothing happened or no time is known.
pub(super) fn block(draft: &mut Draft<'_>) -> Option<Block> {
    let History { follow, .. } = draft.history?;
    let (from, to) = (follow.from?, follow.last()?.meta.taken_at?);
    let mut lanes: Vec<(usize, Lane)> = Vec::new();
    for happening in &follow.events {
        let (rank, label) = lane(&happening.event.kind);
        let Some(at) = when(happening) else { continue };
        let place = lanes.iter().position(|(r, l)| *r == rank && l.label == label);
        let place = place.unwrap_or_else(|| {
            lanes.push((rank, Lane { label, marks: Vec::new(), further: 0 }));
            lanes.len() - 1
        });
        let Some((_, lane)) = lanes.get_mut(place) else { continue };
        if lane.marks.len() < MOST {
            lane.marks.push(Mark { at, kind: kind(&happening.event), label: words(happening) });
        } else {
            lane.further += 1;
        }
    }
    lanes.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.label.cmp(&b.1.label)));
    let lanes: Vec<Lane> = lanes.into_iter().map(|(_, lane)| lane).collect();
    let title = "What happened".to_owned();
    (!lanes.is_empty()).then(|| Block::Chart(Chart::Timeline { title, source: cite(draft), from, to, lanes }))
}

/// Enters what events are seen by.
pub(super) fn cite(draft: &mut Draft<'_>) -> Text {
    draft.cite(
        "Events seen between the snapshots",
        &["meta", "pg_stat_database", "pg_stat_user_tables", "index_definitions", "pg_stat_statements", "pg_settings"],
        &[],
        Some("what two neighbouring snapshots say differently; each event names it"),
    )
}

fn lane(kind: &str) -> (usize, String) {
    match LANES.iter().position(|(_, kinds)| kinds.contains(&kind)) {
        Some(at) => (at, LANES.get(at).map_or_else(String::new, |(label, _)| (*label).to_owned())),
        None => (LANES.len(), sentence(&kind.replace('_', " "))),
    }
}

/// The shape of an event on a time axis.
pub(in crate::report) fn kind(event: &Event) -> MarkKind {
    match event.kind.as_str() {
        "crash" | "restart" => MarkKind::Restart,
        kind if kind.starts_with("stats_reset") => MarkKind::Reset,
        _ => MarkKind::Other,
    }
}

/// When it happened: known, else the end of its window.
fn when(happening: &Happening) -> Option<Timestamp> {
    happening.event.at.or(happening.to)
}

/// `Settings changed cluster, between ... and ...`.
fn words(happening: &Happening) -> String {
    let event = &happening.event;
    let of = event.object.as_deref().or(event.scope.as_deref()).map_or_else(String::new, |o| format!(" {o}"));
    let when = match (event.at, happening.from, happening.to) {
        (Some(at), _, _) => at.human_seconds(),
        (None, Some(from), Some(to)) => format!("between {} and {}", from.human_seconds(), to.human_seconds()),
        _ => "time unknown".to_owned(),
    };
    format!("{}{of}, {when}", sentence(&event.words()))
}
