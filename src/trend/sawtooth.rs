//! Dead rows of a table over a history: they pile up, a vacuum takes them away, they pile up again. Does it keep up?
//!
//! Each window is of one class, and only some say how fast dead rows pile up. `n_dead_tup` falls without a vacuum, too
//! (page pruning, the estimate of an ANALYZE, TRUNCATE), so vacuums are told by their counts, never by a fall.

use super::math::quantile::weighted_quantile;
use super::math::thin::Thinned;
use super::trigger::Trigger;
use super::{Fit, fit};
use crate::diff::{Class, DiffRow, Exact, MIN_WINDOW_S};
use crate::snapshot::Row;
use crate::time::Timestamp;

/// Rows, live and dead, below which a table refills between two snapshots whatever anybody does: no verdict.
pub const SMALL: f64 = 1_000.0;
/// Windows of accumulation that a net rate rests on at least.
const WINDOWS: u64 = 3;
/// Snapshots that a verdict rests on at least.
const SNAPSHOTS: u64 = 5;
/// A rising floor is said of each of many tables: chance has to be rarer than for one.
const FLOOR_P: f64 = 0.01;

/// What a window was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interval {
    /// Nobody cleaned: dead rows piled up.
    Accumulate,
    /// Nobody vacuumed, and dead rows grew fewer: page pruning.
    Prune,
    /// A vacuum ran.
    Vacuum,
    /// An analyze ran and estimated anew.
    Reestimate,
    /// Reset, truncated, rewritten, missing.
    Break,
}

/// A table's dead rows in the making.
#[derive(Clone, Debug, Default)]
pub struct Sawtooth {
    /// Windows of each class, in the order of [`Interval`].
    pub intervals: [u64; 5],
    /// Vacuums counted in all windows; fewer than there were where counters began again.
    pub counted_vacuums: f64,
    /// Whether there were more.
    pub there_were_more: bool,
    /// Net rate and length of windows without a vacuum.
    net: Thinned<(f64, f64)>,
    /// Dead rows right after vacuums.
    floors: Thinned<f64>,
    /// How many of them were above half the trigger and above what the window produced.
    high_floors: u64,
    /// Rows updated and deleted, an upper bound of dead rows made.
    gross: f64,
    inserted: f64,
    /// Seconds that is of.
    seconds: f64,
    /// Vacuums counted.
    pub vacuums: f64,
    /// Windows with more than one vacuum.
    crowded: u64,
    /// Dead rows taken away by windows with one vacuum.
    pub removed: f64,
    /// Snapshots compared with the trigger, and those above it.
    pub judged: u64,
    /// Snapshots above the trigger.
    pub over: u64,
    /// The largest multiple of the trigger.
    pub worst: f64,
    largest: f64,
    /// The newest snapshot's numbers.
    pub last: Option<Last>,
    unknown: bool,
}

/// The newest snapshot's numbers of a table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Last {
    /// When.
    pub at: Option<Timestamp>,
    /// Estimated dead rows.
    pub dead: f64,
    /// Estimated live rows.
    pub live: f64,
    /// Rows inserted since the last vacuum.
    pub inserted: Option<f64>,
    /// What they are compared with.
    pub trigger: Trigger,
    /// When autovacuum last vacuumed it.
    pub autovacuum: Option<Timestamp>,
    /// False right after a reset, before a vacuum or analyze: the dead rows from before are not counted.
    pub known: bool,
}

/// Dead rows in a second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// The time-weighted median over windows without a vacuum.
    pub median: f64,
    /// Its lower quartile.
    pub low: f64,
    /// Its upper quartile.
    pub high: f64,
}

/// Whether vacuum keeps up with a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Hardly ever above the trigger, and never far.
    KeepsUp,
    /// Often or far above it.
    Lags,
    /// Vacuums leave dead rows behind.
    CannotClean,
    /// Too little is known, or it lies in between.
    CannotTell,
}

impl Verdict {
    /// The words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::KeepsUp => "keeps up",
            Self::Lags => "lags",
            Self::CannotClean => "cannot clean",
            Self::CannotTell => "cannot tell",
        }
    }
}

impl Sawtooth {
    /// The first snapshot that has the table.
    pub fn start(&mut self, row: Row<'_>, at: Option<Timestamp>, trigger: Trigger) {
        self.see(row, at, trigger);
    }

    /// One more window.
    pub fn step(&mut self, row: DiffRow<'_>, at: Option<Timestamp>, trigger: Trigger, broken: bool) {
        let Some(after) = row.after() else { return };
        let delta = |name: &str| row.delta_of(name).map(Exact::as_f64);
        let vacuums = sum([delta("vacuum_count"), delta("autovacuum_count")]);
        let analyzes = sum([delta("analyze_count"), delta("autoanalyze_count")]);
        let gross = sum([delta("n_tup_upd"), delta("n_tup_del")]);
        let covered = row.verdict().covered_s.filter(|s| *s >= MIN_WINDOW_S);
        let before = row.before();
        let was = before.and_then(dead);
        let interval = classify(row, broken, vacuums, analyzes);
        self.counted_vacuums += vacuums.unwrap_or(0.0);
        self.there_were_more |= !row.is_exact();
        if let Some(count) = self.intervals.get_mut(interval as usize) {
            *count += 1;
        }
        if interval == Interval::Break {
            self.unknown = row.class().began_again() || self.unknown;
        } else if let (Some(gross), Some(covered)) = (gross, covered) {
            self.gross += gross;
            self.inserted += delta("n_tup_ins").unwrap_or(0.0);
            self.seconds += covered;
        }
        if vacuums.is_some_and(|v| v > 0.0) || analyzes.is_some_and(|n| n > 0.0) {
            self.unknown = false;
        }
        match interval {
            Interval::Accumulate | Interval::Prune => {
                if let (Some(was), Some(is), Some(covered), Some(at)) = (was, dead(after), covered, at) {
                    self.net.push(at, ((is - was) / covered, covered));
                }
            }
            Interval::Vacuum => self.vacuumed(vacuums.unwrap_or(1.0), (was, dead(after)), gross, at, after, trigger),
            Interval::Reestimate | Interval::Break => {}
        }
        self.see(after, at, trigger);
    }

    fn vacuumed(
        &mut self,
        vacuums: f64,
        (was, is): (Option<f64>, Option<f64>),
        gross: Option<f64>,
        at: Option<Timestamp>,
        after: Row<'_>,
        trigger: Trigger,
    ) {
        self.vacuums += vacuums;
        if vacuums > 1.0 {
            // What is there after several vacuums has piled up since the last of them.
            self.crowded += 1;
            return;
        }
        if let (Some(was), Some(is), Some(gross)) = (was, is, gross) {
            self.removed += (was + gross - is).max(0.0);
        }
        let Some(floor) = is else { return };
        if let Some(at) = at {
            self.floors.push(at, floor);
        }
        let rows = floor + after.f64("n_live_tup").unwrap_or(0.0);
        let high = floor > 0.5 * trigger.dead && gross.is_some_and(|g| floor > g) && rows >= SMALL;
        self.high_floors += u64::from(high);
    }

    fn see(&mut self, row: Row<'_>, at: Option<Timestamp>, trigger: Trigger) {
        let Some(dead) = dead(row) else { return };
        let live = row.f64("n_live_tup").unwrap_or(0.0).max(0.0);
        self.largest = self.largest.max(dead + live);
        if !self.unknown {
            self.judged += 1;
            self.over += u64::from(dead > trigger.dead);
            if trigger.dead > 0.0 {
                self.worst = self.worst.max(dead / trigger.dead);
            }
        }
        self.last = Some(Last {
            at,
            dead,
            live,
            inserted: row.f64("n_ins_since_vacuum"),
            trigger,
            autovacuum: row.time("last_autovacuum"),
            known: !self.unknown,
        });
    }

    /// How fast dead rows pile up, net of pruning; `None` under three windows without a vacuum.
    pub fn pace(&self) -> Option<Pace> {
        if self.net.seen() < WINDOWS {
            return None;
        }
        let mut pairs: Vec<(f64, f64)> = self.net.iter().map(|(_, pair)| pair).collect();
        let mut at = |q| weighted_quantile(&mut pairs, q);
        Some(Pace { low: at(0.25)?, median: at(0.5)?, high: at(0.75)? })
    }

    /// Rows updated and deleted in a second: dead rows come no faster, rolled back inserts apart.
    pub fn gross_per_s(&self) -> Option<f64> {
        (self.seconds >= MIN_WINDOW_S).then(|| self.gross / self.seconds)
    }

    /// The same as an upper bound of dead rows made, over all windows: nothing where one is not counted.
    pub fn at_most_per_s(&self) -> Option<f64> {
        self.gross_per_s().filter(|_| self.intervals[Interval::Break as usize] == 0)
    }

    /// Rows inserted in a second.
    pub fn inserted_per_s(&self) -> Option<f64> {
        (self.seconds >= MIN_WINDOW_S).then(|| self.inserted / self.seconds)
    }

    /// The share of snapshots above the trigger.
    pub fn share_over(&self) -> Option<f64> {
        (self.judged > 0).then(|| self.over as f64 / self.judged as f64)
    }

    /// Mean seconds between vacuums.
    pub fn between_vacuums_s(&self) -> Option<f64> {
        (self.vacuums >= 1.0 && self.seconds > 0.0).then(|| self.seconds / self.vacuums)
    }

    /// The course of what vacuums leave behind.
    pub fn floor_trend(&self) -> Option<Fit> {
        fit::fit(self.floors.iter())
    }

    /// Whether vacuum keeps up, and why that is said.
    pub fn verdict(&self) -> (Verdict, String) {
        let told = |verdict, why: &str| (verdict, why.to_owned());
        if self.judged < SNAPSHOTS {
            return told(Verdict::CannotTell, "fewer than 5 snapshots with known dead rows");
        }
        if self.largest < SMALL {
            return told(Verdict::CannotTell, "under 1,000 rows: it refills between two snapshots");
        }
        let vacuum_windows = self.intervals.get(Interval::Vacuum as usize).copied().unwrap_or(0);
        let rising = self.floor_trend().is_some_and(|f| f.p < FLOOR_P && f.slope > 0.0 && f.low > 0.0)
            && self.floors.last().is_some_and(|f| f.1 > 0.1 * self.last.map_or(0.0, |l| l.trigger.dead));
        if rising {
            return told(Verdict::CannotClean, "each vacuum leaves more dead rows behind than the one before");
        }
        if self.high_floors >= 2 {
            return told(Verdict::CannotClean, "vacuums left more than half the trigger behind");
        }
        if self.crowded > 0 && self.crowded == vacuum_windows && self.net.seen() < WINDOWS {
            return told(Verdict::CannotTell, "several vacuums in every window: snapshots are too far apart");
        }
        let off = self.last.is_some_and(|l| !l.trigger.enabled);
        let over = self.share_over().unwrap_or(0.0);
        let (verdict, why) = if over > 0.25 {
            (Verdict::Lags, "above its trigger in more than a quarter of the snapshots")
        } else if self.worst > 2.0 {
            (Verdict::Lags, "once more than twice its trigger")
        } else if over <= 0.1 && self.worst <= 1.5 {
            (Verdict::KeepsUp, "hardly ever above its trigger")
        } else {
            (Verdict::CannotTell, "above its trigger now and then, never far")
        };
        if off {
            return (verdict, format!("{why}; autovacuum is off for it"));
        }
        told(verdict, why)
    }
}

fn dead(row: Row<'_>) -> Option<f64> {
    row.f64("n_dead_tup").map(|d| d.max(0.0))
}

fn sum(parts: [Option<f64>; 2]) -> Option<f64> {
    match parts {
        [None, None] => None,
        [a, b] => Some(a.unwrap_or(0.0) + b.unwrap_or(0.0)),
    }
}

fn classify(row: DiffRow<'_>, broken: bool, vacuums: Option<f64>, analyzes: Option<f64>) -> Interval {
    let (Some(before), Some(after)) = (row.before(), row.after()) else { return Interval::Break };
    if broken || !matches!(row.class(), Class::Ok | Class::OkUnsure) || row.verdict().withheld.is_some() {
        return Interval::Break;
    }
    if vacuums.is_some_and(|v| v > 0.0) {
        return Interval::Vacuum;
    }
    if analyzes.is_some_and(|n| n > 0.0) {
        return Interval::Reestimate;
    }
    let live = |r: Row<'_>| r.f64("n_live_tup").unwrap_or(0.0);
    // TRUNCATE sets both estimates to 0.
    if live(before) > 0.0 && live(after) == 0.0 && dead(after) == Some(0.0) {
        return Interval::Break;
    }
    if dead(before).zip(dead(after)).is_some_and(|(a, b)| b < a) { Interval::Prune } else { Interval::Accumulate }
}
