//! The decision: which class a row has, what its deltas are and how much time they cover. First match wins.
//!
//! | # | condition | class |
//! |---|---|---|
//! | 1 | only after | `new` |
//! | 2 | only before | `gone` |
//! | 3 | own reset time changed | `reset` |
//! | 3a | statement whose `stats_since` did not change | `ok`, proven |
//! | 4 | crash recovery | `reset` |
//! | 5 | the database's own counters fell | `reset` |
//! | 6 | the database's reset time moved and the entry was lost | `reset`, time unknown |
//! | 7a | it moved, but the entry kept a time that a reset clears | `ok`, proven |
//! | 7 | it moved and nothing fell | `ok?` |
//! | 7p | statements may have been evicted or reset unseen | `ok?` |
//! | 8 | a counter fell, or the moments contradict | `reset?` |
//! | 9 | otherwise | `ok` |

use super::entry::{KEPT, LOST};
use super::evidence::{Database, Evidence};
use super::shared::SharedRelations;
use super::{Class, RowDiff, Verdict};
use crate::catalog::{Epoch, Origin, View};
use crate::snapshot::{Table, Value};
use crate::time::Timestamp;
use std::collections::HashMap;

/// What is known about a view's rows as a whole.
#[derive(Clone, Debug, Default)]
pub(super) struct Circumstances {
    /// The earlier table is a filtered export: absence from it means nothing.
    pub before_filtered: bool,
    /// pg_stat_statements without an info view looks as if it had been reset as a whole.
    pub statements_reset_likely: bool,
    /// Seconds between the two tables, by their own times where they have them.
    pub elapsed_s: Option<f64>,
}

/// Verdicts, each kept once.
#[derive(Debug, Default)]
pub(super) struct Verdicts {
    list: Vec<Verdict>,
    known: HashMap<Key, u32>,
    /// The last one asked for: most rows have that of the row before.
    last: Option<(Key, u32)>,
}

/// What makes a verdict the same as another: the row of the decision table and the reset's time.
type Key = (Decision, Option<Timestamp>);

/// A row of the decision table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Decision {
    New,
    NewSinceReset,
    NewMaybeEvicted,
    NewFiltered,
    NewOldEntry,
    NewCluster,
    Gone,
    Withheld,
    OwnReset,
    SinceChanged,
    SinceSame,
    Crash,
    DatabaseReset,
    EntryReset,
    KeptTime,
    DatabaseMoved,
    CrashUnsure,
    MaybeEvicted,
    MaybeReset,
    Fell,
    Ok,
}

impl Verdicts {
    /// All verdicts.
    pub fn into_list(self) -> Vec<Verdict> {
        self.list
    }

    fn keep(&mut self, key: Key, make: impl FnOnce() -> Verdict) -> u32 {
        if let Some((last, at)) = self.last
            && last == key
        {
            return at;
        }
        let list = &mut self.list;
        let at = *self.known.entry(key).or_insert_with(|| {
            list.push(make());
            u32::try_from(list.len() - 1).unwrap_or(u32::MAX)
        });
        self.last = Some((key, at));
        at
    }
}

/// Decides the rows of one view.
pub(super) struct Decider<'a> {
    pub view: &'static View,
    pub before: &'a Table,
    pub after: &'a Table,
    pub evidence: &'a Evidence,
    pub circumstances: &'a Circumstances,
    pub verdicts: Verdicts,
    stats_reset: Option<usize>,
    since: Option<usize>,
    datid: Option<usize>,
    datname: Option<usize>,
    shared: Option<SharedRelations>,
}

impl<'a> Decider<'a> {
    pub fn new(
        view: &'static View,
        before: &'a Table,
        after: &'a Table,
        evidence: &'a Evidence,
        circumstances: &'a Circumstances,
    ) -> Self {
        let exported = |name: &str| view.column(name).map(|(i, _)| i).filter(|_| before.has(name) && after.has(name));
        Self {
            view,
            before,
            after,
            evidence,
            circumstances,
            verdicts: Verdicts::default(),
            stats_reset: exported("stats_reset").filter(|_| view.name != "pg_stat_database"),
            since: exported("stats_since"),
            datid: exported("datid").filter(|_| !view.per_database),
            datname: exported("datname").filter(|_| !view.per_database),
            shared: SharedRelations::of(view, after),
        }
    }

    /// The verdict on a pair of rows, given what its entry shows.
    pub fn decide(&mut self, pair: (u32, u32), flags: u8) -> u32 {
        let (decision, at) = self.decision(pair, flags);
        let (evidence, circumstances) = (self.evidence, self.circumstances);
        self.verdicts.keep((decision, at), || verdict(decision, at, evidence, circumstances))
    }

    fn decision(&self, (i, j): (u32, u32), flags: u8) -> Key {
        let e = self.evidence;
        if e.withheld.is_some() {
            return (Decision::Withheld, None);
        }
        if j == RowDiff::NONE {
            return (Decision::Gone, None);
        }
        if e.starts_anew(self.view) {
            return (Decision::NewCluster, None);
        }
        if i == RowDiff::NONE {
            return self.decide_new(j);
        }
        if self.view.epoch == Epoch::None {
            return (Decision::Ok, None);
        }
        if self.view.epoch == Epoch::Statements {
            return self.decide_statement((i, j), flags);
        }
        if self.has_own_reset((i, j)) {
            return (Decision::OwnReset, self.stats_reset.and_then(|c| time(self.after.value(j as usize, c))));
        }
        // An immediate stop leaves pg_stat_statements alone; what does not have moved its own time.
        let outlives = self.view.origin == Origin::Statements && self.stats_reset.is_some();
        if let Some(crash) = e.crash.as_ref().filter(|_| !outlives) {
            return (Decision::Crash, Some(crash.at));
        }
        if self.view.epoch == Epoch::Own {
            return (if flags & LOST != 0 { Decision::Fell } else { Decision::Ok }, None);
        }
        let database = self.database(j);
        match database {
            Some(d) if d.fell > 0 => (Decision::DatabaseReset, d.reset_at.filter(|_| d.moved)),
            Some(d) if d.moved && flags & LOST != 0 => (Decision::EntryReset, d.reset_at),
            Some(d) if d.moved && flags & KEPT != 0 => (Decision::KeptTime, None),
            Some(d) if d.moved => (Decision::DatabaseMoved, d.reset_at),
            _ if flags & LOST != 0 => (Decision::Fell, None),
            _ if e.crash_unsure => (Decision::CrashUnsure, None),
            _ => (Decision::Ok, None),
        }
    }

    fn decide_new(&self, j: u32) -> Key {
        let e = self.evidence;
        if self.circumstances.before_filtered {
            return (Decision::NewFiltered, None);
        }
        match self.view.epoch {
            Epoch::None => (Decision::New, None),
            Epoch::Statements => {
                let since = self.since.map(|c| self.after.value(j as usize, c));
                if let (Some(Value::Time(since)), Some(before), true) = (since, e.before_at, e.server_time)
                    && since < before
                {
                    (Decision::NewOldEntry, None)
                } else if e.statements.reset_at.is_some() {
                    (Decision::NewSinceReset, e.statements.reset_at)
                } else if e.statements.evictions > 0 || self.circumstances.statements_reset_likely {
                    (Decision::NewMaybeEvicted, None)
                } else {
                    (Decision::New, None)
                }
            }
            Epoch::Own | Epoch::Database => {
                if let Some(crash) = &e.crash {
                    return (Decision::NewSinceReset, Some(crash.at));
                }
                match self.database(j).filter(|_| self.view.epoch == Epoch::Database) {
                    Some(d) if d.fell > 0 => (Decision::NewSinceReset, d.reset_at.filter(|_| d.moved)),
                    _ => (Decision::New, None),
                }
            }
        }
    }

    fn decide_statement(&self, (i, j): (u32, u32), flags: u8) -> Key {
        let e = self.evidence;
        let full = e.statements.reset_at;
        if let Some(column) = self.since {
            let (was, is) = (self.before.value(i as usize, column), self.after.value(j as usize, column));
            if was == is && is != Value::Null {
                return (Decision::SinceSame, None);
            }
            if was != is {
                return (Decision::SinceChanged, full);
            }
        }
        if full.is_some() {
            return (Decision::OwnReset, full);
        }
        if flags & LOST != 0 {
            return (Decision::Fell, None);
        }
        if e.statements.evictions > 0 {
            return (Decision::MaybeEvicted, None);
        }
        if self.circumstances.statements_reset_likely {
            return (Decision::MaybeReset, None);
        }
        (Decision::Ok, None)
    }

    /// Whether the row (or its view) has a new `stats_reset`. A set time that became NULL is a new entry under the old
    /// name.
    fn has_own_reset(&self, (i, j): (u32, u32)) -> bool {
        self.stats_reset.is_some_and(|c| {
            let (was, is) = (self.before.value(i as usize, c), self.after.value(j as usize, c));
            was != is && (was != Value::Null || is != Value::Null)
        })
    }

    fn database(&self, j: u32) -> Option<&Database> {
        if self.view.per_database {
            return if self.shared.is_some_and(|s| s.has(self.after, j)) {
                self.evidence.databases.get(&0)
            } else {
                Some(&self.evidence.own)
            };
        }
        let cell = |column: Option<usize>| column.map_or(Value::Null, |c| self.after.value(j as usize, c));
        match (cell(self.datid), cell(self.datname)) {
            (Value::Int(datid), _) => self.evidence.databases.get(&datid),
            (_, Value::Text(name)) => self.evidence.databases.values().find(|d| d.name.as_deref() == Some(name)),
            _ => None,
        }
    }
}

const fn time(value: Value<'_>) -> Option<Timestamp> {
    match value {
        Value::Time(t) => Some(t),
        _ => None,
    }
}

fn verdict(decision: Decision, at: Option<Timestamp>, e: &Evidence, c: &Circumstances) -> Verdict {
    let elapsed = c.elapsed_s;
    let since = at.and_then(|at| e.since(at));
    let note = |text: &str| vec![text.to_owned()];
    match decision {
        Decision::New => Verdict::of(Class::New, elapsed),
        Decision::NewSinceReset => Verdict {
            reset_at: at,
            exact: false,
            notes: note("lower bound: statistics were reset in the window"),
            ..Verdict::of(Class::New, since)
        },
        Decision::NewMaybeEvicted => Verdict {
            exact: false,
            notes: note("lower bound: entries were evicted or reset in the window"),
            ..Verdict::of(Class::New, elapsed)
        },
        Decision::NewFiltered => Verdict {
            exact: false,
            withheld: Some("at most the value after: the earlier export was filtered"),
            ..Verdict::of(Class::New, None)
        },
        Decision::NewOldEntry => Verdict {
            exact: false,
            withheld: Some("at most the value after: the entry is older than the earlier export, which lacks it"),
            ..Verdict::of(Class::New, None)
        },
        Decision::NewCluster => Verdict {
            exact: false,
            notes: note("lower bound: the statistics are those of a new cluster or database"),
            ..Verdict::of(Class::New, None)
        },
        Decision::Gone => Verdict::of(Class::Gone, None),
        Decision::Withheld => Verdict { exact: false, withheld: e.withheld, ..Verdict::of(Class::OkUnsure, None) },
        Decision::OwnReset | Decision::DatabaseReset => {
            Verdict { reset_at: at, resets_sums: true, ..Verdict::of(Class::Reset, since) }
        }
        Decision::SinceChanged => Verdict {
            reset_at: at,
            notes: if at.is_some() { Vec::new() } else { note("the entry was reset or evicted, and came again") },
            ..Verdict::of(Class::Reset, since)
        },
        Decision::SinceSame | Decision::Ok | Decision::KeptTime => Verdict::of(Class::Ok, elapsed),
        Decision::Crash => Verdict {
            reset_at: at,
            resets_sums: true,
            notes: note("crash: all cumulative statistics were lost"),
            ..Verdict::of(Class::Reset, since)
        },
        Decision::EntryReset => Verdict {
            notes: at.map(|at| format!("reset not later than {at}")).into_iter().collect(),
            ..Verdict::of(Class::Reset, None)
        },
        Decision::DatabaseMoved => Verdict {
            notes: note("an object of this database was reset: most likely another one"),
            ..Verdict::of(Class::OkUnsure, elapsed)
        },
        Decision::CrashUnsure => Verdict {
            notes: note("all cluster-wide statistics were reset: most likely these were not"),
            ..Verdict::of(Class::OkUnsure, elapsed)
        },
        Decision::MaybeEvicted => Verdict {
            notes: note("entries were evicted in the window: this one may have been, and come again"),
            ..Verdict::of(Class::OkUnsure, elapsed)
        },
        Decision::MaybeReset => Verdict {
            notes: note("all statements were most likely reset in the window"),
            ..Verdict::of(Class::OkUnsure, elapsed)
        },
        Decision::Fell => Verdict {
            notes: note("counters fell and nothing says when they were reset"),
            ..Verdict::of(Class::ResetUnsure, None)
        },
    }
}
