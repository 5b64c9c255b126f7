//! When autovacuum starts on a table: the one computation that rules and report share.
//!
//! ```text
//! vacuum   dead rows > vt + vsf · reltuples               (18+: at most autovacuum_vacuum_max_threshold)
//! insert   rows inserted since vacuum > vit + visf · reltuples · unfrozen share     (13+; unfrozen share: 18+, else 1)
//! analyze  rows changed since analyze > at + asf · reltuples
//! ```
//!
//! The comparison is strict, `reltuples` below 0 counts as 0, a storage parameter of the table goes before the setting.
//! Source: `autovacuum.c` (`relation_needs_vacanalyze`); thresholds observed on PostgreSQL 12 to 18.

use super::context::show;
use super::facts::{Facts, TableFact};
use super::settings::setting;
use crate::diff::{Chain, Change, Class};
use crate::finding::Doubt;
use crate::snapshot::Row;
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

/// The settings a table may override.
const PER_TABLE: &[&str] = &[
    "autovacuum_vacuum_threshold",
    "autovacuum_vacuum_scale_factor",
    "autovacuum_vacuum_max_threshold",
    "autovacuum_vacuum_insert_threshold",
    "autovacuum_vacuum_insert_scale_factor",
    "autovacuum_analyze_threshold",
    "autovacuum_analyze_scale_factor",
];

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
        let numbers = PER_TABLE.iter().filter_map(|name| Some((*name, read(name)?))).collect();
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
    /// `50 + 0.2 × 21,480`.
    pub vacuum_formula: String,
    /// The same for inserts.
    pub insert_formula: Option<String>,
    /// The same for analyze.
    pub analyze_formula: String,
}

/// A table's dead rows against its trigger.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DeadRows {
    /// Estimated dead rows.
    pub dead: f64,
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

impl<'a> Facts<'a> {
    /// A table's triggers.
    pub fn triggers(&self, table: &TableFact<'a>) -> Triggers {
        let mut overridden = false;
        let mut parameter = |name: &str| {
            let own = table.option(name).and_then(|v| v.parse::<f64>().ok()).filter(|v| v.is_finite());
            overridden |= own.is_some();
            own.or_else(|| self.autovacuum.number(name))
        };
        let [vt, vsf, max, vit, visf, at, asf] =
            [0, 1, 2, 3, 4, 5, 6].map(|i| PER_TABLE.get(i).and_then(|n| parameter(n)));
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
        let number = |x: f64| show(x, Unit::Plain);
        let of = |base: f64, factor: f64, rows: f64| {
            (base + factor * rows, format!("{} + {} × {}", number(base), number(factor), show(rows, Unit::Rows)))
        };
        let (mut vacuum, mut vacuum_formula) = of(vt.unwrap_or(50.0), vsf.unwrap_or(0.2), rows);
        if let Some(max) = max.filter(|m| *m >= 0.0 && *m < vacuum) {
            vacuum_formula = format!("the smaller of {vacuum_formula} and {}", show(max, Unit::Rows));
            vacuum = max;
        }
        let insert = vit.filter(|base| *base >= 0.0).map(|base| {
            let (unfrozen, shown) = unfrozen_share(table.sizes);
            let (value, formula) = of(base, visf.unwrap_or(0.2), rows * unfrozen);
            (value, format!("{formula}{shown}"))
        });
        let (analyze, analyze_formula) = of(at.unwrap_or(50.0), asf.unwrap_or(0.1), rows);
        Triggers {
            enabled: table.option("autovacuum_enabled").is_none_or(|v| is_true(&v)),
            overridden,
            vacuum,
            insert: insert.as_ref().map(|(value, _)| *value),
            analyze,
            rows,
            doubts,
            vacuum_formula,
            insert_formula: insert.map(|(_, formula)| formula),
            analyze_formula,
        }
    }

    /// A table's dead rows; `None` where they were not exported.
    pub fn dead_rows(&self, table: &TableFact<'a>, triggers: &Triggers) -> Option<DeadRows> {
        let change = table.change?;
        let row = change.last()?;
        let (dead, live) = (row.f64("n_dead_tup")?.max(0.0), row.f64("n_live_tup").unwrap_or(0.0).max(0.0));
        let all = dead + live;
        let seen_since = ["last_vacuum", "last_autovacuum", "last_analyze", "last_autoanalyze"];
        let restarted = matches!(change.class(), Class::Reset | Class::ResetUnsure);
        Some(DeadRows {
            dead,
            live,
            share: (all > 0.0).then(|| dead / all),
            pressure: if triggers.vacuum > 0.0 { dead / triggers.vacuum } else { 0.0 },
            known: !restarted || seen_since.iter().any(|c| row.time(c).is_some()),
        })
    }
}

/// The share of pages that inserts can still fill with rows to freeze (18+).
fn unfrozen_share(sizes: Option<Row<'_>>) -> (f64, &'static str) {
    let pages = sizes.and_then(|r| r.f64("relpages")).unwrap_or(0.0);
    let frozen = sizes.and_then(|r| r.f64("relallfrozen")).unwrap_or(0.0);
    if pages > 0.0 && frozen > 0.0 {
        (1.0 - frozen.min(pages) / pages, " (rows on pages not all frozen)")
    } else {
        (1.0, "")
    }
}

/// A boolean storage parameter, as PostgreSQL accepts it.
fn is_true(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    !(text == "0"
        || text == "of"
        || text == "off"
        || (!text.is_empty() && ("false".starts_with(&text) || "no".starts_with(&text))))
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
        assert_eq!((t.vacuum_formula.as_str(), t.doubts.as_slice()), ("50 + 0.2 × 26", &[Doubt::C4][..]));
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

    #[test]
    fn booleans_as_postgres_reads_them() {
        for (text, want) in [
            ("true", true),
            ("on", true),
            ("1", true),
            ("off", false),
            ("FALSE", false),
            ("f", false),
            ("no", false),
            ("0", false),
        ] {
            assert_eq!(is_true(text), want, "{text}");
        }
    }
}
