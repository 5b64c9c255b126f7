//! A database as a whole over a history: a few numbers at each snapshot, kept as snapshots come and go.

use super::names::is_system;
use crate::advisor::is_client;
use crate::diff::{Chain, Class, Diff, MIN_WINDOW_S};
use crate::meta::Meta;
use crate::snapshot::{Row, Snapshot};
use crate::time::Timestamp;
use crate::unit::{Quantity, Unit};
use std::collections::BTreeSet;

/// Snapshots whose numbers are kept; of more, every second one, every fourth, and so on.
const MOST: usize = 1_000;
const TABLES: &str = "pg_stat_user_tables";

/// One of the numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Measure {
    pub title: &'static str,
    /// Whether it is a level, which has a change from first to last; else the rate of the window before.
    pub level: bool,
    /// Whether a reset of the statistics makes it begin again.
    pub counted: bool,
}

const fn level(title: &'static str, counted: bool) -> Measure {
    Measure { title, level: true, counted }
}

const fn rate(title: &'static str, counted: bool) -> Measure {
    Measure { title, level: false, counted }
}

/// What is kept of each snapshot.
pub(super) const MEASURES: [Measure; 8] = [
    level("Database size", false),
    level("Sessions of clients", false),
    level("Live rows, all tables", true),
    level("Dead rows, all tables", true),
    rate("Transactions per second", true),
    rate("Blocks read per second", true),
    rate("Bytes of temporary files per second", true),
    rate("WAL per second", false),
];

/// The numbers of one snapshot, in the order of [`MEASURES`].
#[derive(Clone, Debug)]
pub(super) struct Beat {
    /// Position of the snapshot in the history.
    pub position: usize,
    pub at: Option<Timestamp>,
    values: [Option<Quantity>; MEASURES.len()],
}

impl Beat {
    pub fn value(&self, measure: usize) -> Option<Quantity> {
        self.values.get(measure).copied().flatten()
    }
}

/// The numbers of a history's snapshots.
#[derive(Clone, Debug)]
pub struct Pulse {
    beats: Vec<Beat>,
    last: Option<Beat>,
    seen: usize,
    every: usize,
    /// Tables whose estimates began again at 0 and have not been looked at since.
    unsettled: BTreeSet<i64>,
}

impl Default for Pulse {
    fn default() -> Self {
        Self { beats: Vec::new(), last: None, seen: 0, every: 1, unsettled: BTreeSet::new() }
    }
}

impl Pulse {
    /// That of a chain whose snapshots are all kept.
    pub fn of(chain: &Chain) -> Self {
        let mut out = Self::default();
        out.first(chain.first());
        chain.windows.iter().for_each(|window| out.window(window));
        out
    }

    /// The first snapshot.
    pub fn first(&mut self, snapshot: &Snapshot) {
        self.beat(snapshot, [None; 4]);
    }

    /// One more snapshot, with the window before it.
    pub fn window(&mut self, window: &Diff) {
        self.settle(window);
        let database = database_rates(window);
        let [commits, blocks, temporary] = database;
        self.beat(&window.after, [commits, blocks, temporary, wal(window)]);
    }

    fn beat(&mut self, snapshot: &Snapshot, [commits, blocks, temporary, wal]: [Option<Quantity>; 4]) {
        let rows = |column: &str| {
            let table = snapshot.table(TABLES).filter(|_| self.unsettled.is_empty())?;
            super::cells::total(
                table.iter().filter(|r| !is_system(r.text("schemaname"))).map(|r| r.int(column)),
                Unit::Rows,
            )
        };
        let size = snapshot.table("database_sizes").and_then(|t| own_size(t.iter(), &snapshot.meta));
        let sessions = snapshot.table("pg_stat_activity").map(|t| t.iter().filter(|r| is_client(*r)).count());
        let beat = Beat {
            position: self.seen,
            at: snapshot.meta.taken_at,
            values: [
                size.map(|b| Quantity::int(b, Unit::Bytes)),
                sessions.map(Quantity::count),
                rows("n_live_tup"),
                rows("n_dead_tup"),
                commits,
                blocks,
                temporary,
                wal,
            ],
        };
        self.seen += 1;
        if beat.position.is_multiple_of(self.every) {
            self.beats.push(beat.clone());
        }
        self.last = Some(beat);
        if self.beats.len() > MOST {
            self.every *= 2;
            self.beats.retain(|b| b.position.is_multiple_of(self.every));
        }
    }

    /// Which tables' estimates hold: after a reset they begin again at 0, until a vacuum or analyze looks at the table.
    fn settle(&mut self, window: &Diff) {
        let Some(view) = window.views.get(TABLES) else { return };
        let reset = Class::began_again;
        if self.unsettled.is_empty() && !view.verdicts.iter().any(|v| reset(v.class)) {
            return;
        }
        for row in view.iter() {
            let Some(id) = row.latest().and_then(|r| r.int("relid")) else { continue };
            match row.after() {
                Some(after) if is_system(after.text("schemaname")) => {}
                Some(after) if super::cells::looked_at(after) => {
                    self.unsettled.remove(&id);
                }
                Some(_) if reset(row.class()) => {
                    self.unsettled.insert(id);
                }
                Some(_) => {}
                None => {
                    self.unsettled.remove(&id);
                }
            }
        }
    }

    /// Each how many snapshots one is kept.
    pub(super) const fn every(&self) -> usize {
        self.every
    }

    /// The snapshots kept, the last one among them.
    pub(super) fn beats(&self) -> Vec<&Beat> {
        let last = self.last.iter().filter(|l| self.beats.last().is_none_or(|b| b.position < l.position));
        self.beats.iter().chain(last).collect()
    }
}

/// The size of the exporting session's database.
pub(super) fn own_size<'a>(mut rows: impl Iterator<Item = Row<'a>>, meta: &Meta) -> Option<i64> {
    rows.find(|r| is_own(*r, meta))?.int("size")
}

fn is_own(row: Row<'_>, meta: &Meta) -> bool {
    match (meta.database_oid, meta.database.as_deref()) {
        (Some(oid), _) if row.int("datid").is_some() => row.int("datid") == Some(oid),
        (_, name) => name.is_some() && row.text("datname") == name,
    }
}

/// Rates of this database's counters; a reset leaves a gap.
fn database_rates(window: &Diff) -> [Option<Quantity>; 3] {
    let own = || {
        let view = window.views.get("pg_stat_database")?;
        view.iter().find(|row| row.latest().is_some_and(|r| is_own(r, &window.after.meta)))
    };
    let Some(row) = own() else { return [None; 3] };
    let rate = |column: &str, unit| {
        let covered = row.verdict().covered_s.filter(|s| *s >= MIN_WINDOW_S)?;
        let delta = row.delta_of(column).filter(|_| row.class().is_exact())?;
        Quantity::float(delta.as_f64() / covered, unit)
    };
    [rate("xact_commit", Unit::PerSecond), rate("blks_read", Unit::PerSecond), rate("temp_bytes", Unit::BytesPerSecond)]
}

/// WAL written per second, by position.
fn wal(window: &Diff) -> Option<Quantity> {
    let bytes = window.after.meta.wal_lsn?.checked_sub(window.before.meta.wal_lsn?)?;
    let seconds = window.elapsed_s.filter(|s| *s >= MIN_WINDOW_S)?;
    Quantity::float(bytes as f64 / seconds, Unit::BytesPerSecond)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::{Options, chain};
    use crate::snapshot::literal::literal;

    fn pulse(snapshots: usize, estimates: impl Fn(usize) -> String) -> Pulse {
        let at = |minute: usize| Timestamp::from_seconds(1_790_000_000 + 60 * minute as i64).to_string();
        let all: Vec<_> = (0..snapshots)
            .map(|i| {
                literal(&at(i))
                    .view(
                        "pg_stat_database",
                        "datid | datname | xact_commit",
                        &[&format!("16697 | shop | {}", i * 120)],
                    )
                    .view(
                        TABLES,
                        "relid | schemaname | relname | seq_scan | n_live_tup | n_dead_tup | last_vacuum",
                        &[&estimates(i)],
                    )
                    .build()
            })
            .collect();
        let chain = chain(all, &Options::default()).unwrap();
        Pulse::of(&chain)
    }

    #[test]
    fn estimates_are_unknown_from_a_reset_to_the_next_look() {
        let pulse = pulse(5, |i| match i {
            0 | 1 => format!("7 | app | t | {} | 1000 | 10 | ", 50 + i),
            2 => "7 | app | t | 1 | 5 | 2 | ".to_owned(),
            3 => "7 | app | t | 2 | 6 | 3 | ".to_owned(),
            _ => "7 | app | t | 3 | 1000 | 4 | 2026-09-21 13:16:00+00".to_owned(),
        });
        let dead: Vec<Option<f64>> = pulse.beats().iter().map(|b| b.value(3).map(Quantity::as_f64)).collect();
        assert_eq!(dead, [Some(10.0), Some(10.0), None, None, Some(4.0)]);
        let commits: Vec<Option<f64>> = pulse.beats().iter().map(|b| b.value(4).map(Quantity::as_f64)).collect();
        assert_eq!(commits, [None, Some(2.0), Some(2.0), Some(2.0), Some(2.0)]);
    }

    #[test]
    fn long_histories_are_thinned_and_keep_their_last_snapshot() {
        let pulse = pulse(1_003, |_| "7 | app | t | 1 | 5 | 2 | ".to_owned());
        let beats = pulse.beats();
        assert_eq!((pulse.every(), beats.len()), (2, 502));
        assert_eq!(beats.last().map(|b| b.position), Some(1_002));
    }
}
