//! When autovacuum starts on a table: the one computation that rules and report share.
//!
//! The formula is [`Thresholds`]; here it gets its settings, its words and its doubts.

use super::context::show;
use super::settings::setting;
use super::{Facts, TableFact};
use crate::diff::{Chain, Change};
use crate::finding::Doubt;
use crate::trend::LOOKS;
use crate::trend::threshold::{PARAMETERS, Term, Thresholds, is_true};
use crate::unit::Unit;

/// Autovacuum's settings, in base units.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AutovacuumSettings {
    /// Whether `autovacuum` and `track_counts` are on; `None`: not exported and no default known.
    pub on: Option<bool>,
    /// `autovacuum_naptime` in seconds.
    pub naptime_s: f64,
    /// `autovacuum_max_workers`.
    pub workers: f64,
    /// `autovacuum_freeze_max_age`.
    pub freeze_max_age: f64,
    /// `autovacuum_multixact_freeze_max_age`.
    pub multixact_freeze_max_age: f64,
    /// What their source takes from confidence.
    pub doubt: Option<Doubt>,
    numbers: Vec<(&'static str, f64)>,
}

impl AutovacuumSettings {
    /// Reads them from a chain.
    pub fn of(chain: &Chain) -> Self {
        let mut doubt = None;
        let mut read = |name| {
            let setting = setting(chain, name)?;
            doubt = doubt.or(setting.doubt());
            setting.value
        };
        let on = read("autovacuum").zip(read("track_counts")).map(|(a, t)| a > 0.0 && t > 0.0);
        let naptime_s = read("autovacuum_naptime").unwrap_or(60_000.0) / 1e3;
        let workers = read("autovacuum_max_workers").unwrap_or(3.0);
        let freeze_max_age = read("autovacuum_freeze_max_age").unwrap_or(200e6);
        let multixact_freeze_max_age = read("autovacuum_multixact_freeze_max_age").unwrap_or(400e6);
        let numbers = PARAMETERS.into_iter().filter_map(|name| Some((name, read(name)?))).collect();
        Self { on, naptime_s, workers, freeze_max_age, multixact_freeze_max_age, doubt, numbers }
    }

    fn number(&self, name: &str) -> Option<f64> {
        self.numbers.iter().find(|(n, _)| *n == name).map(|(_, value)| *value)
    }
}

/// What a table's counters are compared with.
#[derive(Clone, Debug, PartialEq)]
pub struct Triggers {
    /// False where `autovacuum_enabled = false` is set on the table.
    pub enabled: bool,
    /// Whether the table sets any of these parameters itself.
    pub overridden: bool,
    /// Dead rows above which it is vacuumed.
    pub vacuum: f64,
    /// Inserted rows above which it is vacuumed; `None`: before 13, or switched off.
    pub insert: Option<f64>,
    /// Changed rows above which it is analyzed.
    pub analyze: f64,
    /// Rows the computation rests on.
    pub rows: f64,
    /// What the inputs take from confidence: C4 for settings not exported, C5 for `n_live_tup` in place of `reltuples`.
    pub doubts: Vec<Doubt>,
    thresholds: Thresholds,
}

impl Triggers {
    /// `50 + 0.2 × 21,480`. Written only for tables that are spoken of: most are not.
    pub fn vacuum_formula(&self) -> String {
        let formula = formula(self.thresholds.dead);
        match self.thresholds.most.filter(|_| self.thresholds.is_capped()) {
            Some(most) => format!("the smaller of {formula} and {}", show(most, Unit::Rows)),
            None => formula,
        }
    }

    /// The same for inserts.
    pub fn insert_formula(&self) -> Option<String> {
        let shown = if self.thresholds.unfrozen < 1.0 { " (rows on pages not all frozen)" } else { "" };
        self.thresholds.inserted.map(|term| format!("{}{shown}", formula(term)))
    }

    /// The same for analyze.
    pub fn analyze_formula(&self) -> String {
        formula(self.thresholds.changed)
    }
}

/// What the dead rows of a TOAST table are compared with.
#[derive(Clone, Debug, PartialEq)]
pub struct ToastTrigger {
    /// False where autovacuum is switched off for it.
    pub enabled: bool,
    /// Dead rows above which it is vacuumed.
    pub dead: f64,
    /// `50 + 0.2 × 21,480`.
    pub formula: String,
}

/// A table's dead rows against its trigger.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DeadRows {
    /// Estimated dead rows; at most these where some were carried over.
    pub dead: f64,
    /// What the counter still has of before a rewrite: gone.
    pub carried: Option<f64>,
    /// Estimated live rows.
    pub live: f64,
    /// dead ÷ (live + dead); `None` for an empty table.
    pub share: Option<f64>,
    /// dead ÷ trigger.
    pub pressure: f64,
    /// False right after a crash or reset, before a vacuum or analyze: the counters began again at 0 although the dead
    /// rows are still there.
    pub known: bool,
}

/// Whether an estimate that began again at 0 in a reset is a lower bound still: what sets it anew has come at none of these
/// times since.
pub fn counted_anew(change: Change<'_>, set_at: &[&str]) -> bool {
    change.class().began_again() && change.last().is_none_or(|row| set_at.iter().all(|c| row.time(c).is_none()))
}

impl<'a> Facts<'a> {
    /// Dead rows that a table's counter still has of before it was written anew: gone.
    pub fn carried(&self, table: &TableFact<'a>) -> Option<f64> {
        self.carried.by(table)
    }

    /// A table's triggers.
    pub fn triggers(&self, table: &TableFact<'a>) -> Triggers {
        let mut overridden = false;
        let parameter = |name: &'static str| {
            let own = table.option(name).and_then(|v| v.parse::<f64>().ok()).filter(|v| v.is_finite());
            overridden |= own.is_some();
            own.or_else(|| self.autovacuum.number(name))
        };
        let mut doubts: Vec<Doubt> = self.autovacuum.doubt.into_iter().collect();
        let never_counted = table.sizes.is_some_and(|r| r.f64("reltuples").is_some_and(|n| n <= 0.0));
        let rows = match table.reltuples() {
            Some(rows) => rows,
            None if never_counted => 0.0,
            None => {
                doubts.push(Doubt::C5);
                table.change.and_then(Change::last).and_then(|r| r.f64("n_live_tup")).unwrap_or(0.0).max(0.0)
            }
        };
        let thresholds = Thresholds::of(parameter, rows, table.sizes);
        Triggers {
            enabled: table.option("autovacuum_enabled").is_none_or(|v| is_true(&v)),
            overridden,
            vacuum: thresholds.vacuum(),
            insert: thresholds.inserted.map(Term::value),
            analyze: thresholds.changed.value(),
            rows,
            doubts,
            thresholds,
        }
    }

    /// The trigger of a table's TOAST table: by its own options, else by those of the table.
    pub fn toast_trigger(&self, table: &TableFact<'a>, live: f64) -> ToastTrigger {
        let own = table.sizes.map(|r| r.array("toast_reloptions")).unwrap_or_default();
        let option = |name: &str| {
            let set = own.iter().find_map(|o| o.split_once('=').filter(|(key, _)| *key == name));
            set.map(|(_, value)| value.to_owned()).or_else(|| table.option(name))
        };
        let parameter = |name: &'static str| {
            let set = option(name).and_then(|v| v.parse::<f64>().ok()).filter(|v| v.is_finite());
            set.or_else(|| self.autovacuum.number(name))
        };
        let rows = table.sizes.and_then(|r| r.f64("toast_reltuples")).filter(|n| *n > 0.0).unwrap_or(live);
        let thresholds = Thresholds::of(parameter, rows, None);
        ToastTrigger {
            enabled: option("autovacuum_enabled").is_none_or(|v| is_true(&v)),
            dead: thresholds.vacuum(),
            formula: formula(thresholds.dead),
        }
    }

    /// A table's dead rows; `None` where they were not exported.
    pub fn dead_rows(&self, table: &TableFact<'a>, triggers: &Triggers) -> Option<DeadRows> {
        let change = table.change?;
        let row = change.last()?;
        let (dead, live) = (row.f64("n_dead_tup")?.max(0.0), row.f64("n_live_tup").unwrap_or(0.0).max(0.0));
        let carried = self.carried(table);
        let dead = dead - carried.unwrap_or(0.0);
        let all = dead + live;
        Some(DeadRows {
            dead,
            carried,
            live,
            share: (all > 0.0).then(|| dead / all),
            pressure: if triggers.vacuum > 0.0 { dead / triggers.vacuum } else { 0.0 },
            known: !counted_anew(change, &LOOKS),
        })
    }
}

/// `50 + 0.2 × 26`.
fn formula(term: Term) -> String {
    let number = |x: f64| show(x, Unit::Plain);
    format!("{} + {} × {}", number(term.base), number(term.factor), show(term.rows, Unit::Rows))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::chain;
    use crate::snapshot::literal::literal;

    fn triggers(major: u8, options: &str, reltuples: &str, frozen: &str, settings: &[&str]) -> Triggers {
        let mut b = literal("2026-11-22 12:00:00+00").version(major).view(
            "table_sizes",
            "relid | schemaname | relname | reltuples | relpages | relallfrozen | reloptions",
            &[&format!("1 | public | t | {reltuples} | 100 | {frozen} | {options}")],
        );
        if !settings.is_empty() {
            b = b.view("pg_settings", "name | setting | unit", settings);
        }
        let chain = chain(&[b.build()]);
        let facts = Facts::new(&chain);
        facts.triggers(&facts.tables[0])
    }

    #[test]
    fn follows_versions_and_options() {
        let near = |a: f64, b: f64| (a - b).abs() < 1e-6;
        let t = triggers(15, "", "26", "", &[]);
        assert!(near(t.vacuum, 55.2) && near(t.analyze, 52.6) && t.enabled && !t.overridden);
        assert_eq!((t.vacuum_formula().as_str(), t.doubts.as_slice()), ("50 + 0.2 × 26", &[Doubt::C4][..]));
        assert_eq!(triggers(12, "", "26", "", &[]).insert, None);
        assert_eq!(triggers(15, "", "-1", "", &[]).vacuum, 50.0);
        assert_eq!(triggers(18, "", "1e9", "", &[]).vacuum, 1e8);
        assert_eq!(triggers(17, "", "1e9", "", &[]).vacuum, 2e8 + 50.0);
        assert_eq!(triggers(18, "", "1000", "25", &[]).insert, Some(1000.0 + 0.2 * 750.0));
        assert_eq!(triggers(15, "{autovacuum_vacuum_insert_threshold=-1}", "10", "", &[]).insert, None);
        let t = triggers(15, "{autovacuum_enabled=false,autovacuum_vacuum_scale_factor=0.01}", "1000", "", &[]);
        assert!(near(t.vacuum, 60.0) && !t.enabled && t.overridden);
        let t = triggers(15, "", "1000", "", &["autovacuum_vacuum_scale_factor | 0.1 | ''"]);
        assert!(near(t.vacuum, 150.0));
    }
}
