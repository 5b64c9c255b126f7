//! When autovacuum starts on a table, snapshot by snapshot: settings and storage parameters as they were then.
//! The formula is [`Thresholds`].

use super::threshold::{PARAMETERS, Term, Thresholds, is_true};
use crate::catalog::settings;
use crate::snapshot::{Row, Snapshot, Table};
use crate::version::NEWEST;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

const NAPTIME: &str = "autovacuum_naptime";

/// What forecasts need beside [`PARAMETERS`].
const SETTINGS: [&str; 7] = [
    NAPTIME,
    "autovacuum",
    "track_counts",
    "autovacuum_freeze_max_age",
    "autovacuum_multixact_freeze_max_age",
    "vacuum_failsafe_age",
    "vacuum_multixact_failsafe_age",
];

fn names() -> impl Iterator<Item = &'static str> {
    PARAMETERS.into_iter().chain(SETTINGS)
}

/// The server's settings and the tables' own parameters as last seen.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    numbers: BTreeMap<&'static str, f64>,
    /// Whether `pg_settings` was ever seen; else the numbers are the version's defaults.
    pub exported: bool,
    sizes: Option<Arc<Table>>,
    by_relid: HashMap<i64, usize>,
    by_name: HashMap<(String, String), usize>,
    /// Tables whose file is another one than in the snapshot before.
    rewritten: HashSet<i64>,
}

/// What a table's counters are compared with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trigger {
    /// Dead rows above which autovacuum comes.
    pub dead: f64,
    /// Inserted rows above which it comes; `None` before 13 or switched off.
    pub inserts: Option<f64>,
    /// Whether autovacuum looks at the table at all.
    pub enabled: bool,
    /// Whether `n_live_tup` stood in for `reltuples`.
    pub estimated: bool,
}

impl Surroundings {
    /// Takes in what a snapshot says; what it does not carry stays as it was.
    pub fn see(&mut self, snapshot: &Snapshot) {
        let major = snapshot.meta.major().unwrap_or(NEWEST);
        if let Some(table) = snapshot.table("pg_settings") {
            self.exported = true;
            for row in table.iter() {
                let known = row.text("name").and_then(|n| names().find(|s| *s == n));
                let amount = row.text("setting").map(|t| settings::parse(t, row.text("unit")));
                if let (Some(name), Some(value)) = (known, amount.and_then(|a| base(&a))) {
                    self.numbers.insert(name, value);
                }
            }
        }
        for name in names() {
            let default = || settings::default_amount(name, major).and_then(|a| base(&a));
            if !self.numbers.contains_key(name)
                && let Some(value) = default()
            {
                self.numbers.insert(name, value);
            }
        }
        self.rewritten.clear();
        if let Some(table) = snapshot.table("table_sizes") {
            if let Some(before) = &self.sizes {
                let file = |t: &Table, at: usize| t.row(at).int("relfilenode");
                let replaced = |row: Row<'_>| {
                    let relid = row.int("relid")?;
                    let was = file(before, *self.by_relid.get(&relid)?)?;
                    (row.int("relfilenode")? != was).then_some(relid)
                };
                self.rewritten = table.iter().filter_map(replaced).collect();
            }
            self.sizes = Some(Arc::clone(table));
            self.by_relid = table.iter().filter_map(|r| Some((r.int("relid")?, r.index()))).collect();
            self.by_name = if table.has("relid") {
                HashMap::new()
            } else {
                table
                    .iter()
                    .filter_map(|r| {
                        Some(((r.text("schemaname")?.to_owned(), r.text("relname")?.to_owned()), r.index()))
                    })
                    .collect()
            };
        }
    }

    /// A setting in base units: milliseconds, numbers, 1 and 0 for switches.
    pub fn setting(&self, name: &str) -> Option<f64> {
        self.numbers.get(name).copied()
    }

    /// Seconds between two looks of autovacuum at a database.
    pub fn naptime_s(&self) -> f64 {
        self.setting(NAPTIME).map_or(60.0, |ms| ms / 1e3)
    }

    /// Whether the file of a table was replaced since the snapshot before: TRUNCATE, VACUUM FULL, CLUSTER, ALTER TABLE.
    pub fn is_rewritten(&self, table: Row<'_>) -> bool {
        !self.rewritten.is_empty() && table.int("relid").is_some_and(|id| self.rewritten.contains(&id))
    }

    /// The row of `table_sizes` of a table.
    fn sizes(&self, table: Row<'_>) -> Option<Row<'_>> {
        let sizes = self.sizes.as_deref()?;
        let at = table.int("relid").and_then(|id| self.by_relid.get(&id)).or_else(|| {
            let name = (table.text("schemaname")?.to_owned(), table.text("relname")?.to_owned());
            self.by_name.get(&name)
        })?;
        (*at < sizes.rows).then(|| sizes.row(*at))
    }

    /// The trigger of a table, given its row of `pg_stat_user_tables`.
    pub fn trigger(&self, table: Row<'_>) -> Trigger {
        let sizes = self.sizes(table);
        let options = sizes.map(|r| r.array("reloptions")).unwrap_or_default();
        let own = |name: &str| options.iter().find_map(|o| o.strip_prefix(name)?.strip_prefix('=')).map(str::to_owned);
        let parameter = |name: &str| {
            own(name).and_then(|t| t.parse::<f64>().ok()).filter(|v| v.is_finite()).or_else(|| self.setting(name))
        };
        let counted = sizes.and_then(|r| r.f64("reltuples"));
        let rows = counted.unwrap_or_else(|| table.f64("n_live_tup").unwrap_or(0.0)).max(0.0);
        let thresholds = Thresholds::of(parameter, rows, sizes);
        let on = |name: &str| self.setting(name).is_none_or(|v| v > 0.0);
        let enabled = on("autovacuum") && on("track_counts") && own("autovacuum_enabled").is_none_or(|t| is_true(&t));
        Trigger {
            dead: thresholds.vacuum(),
            inserts: thresholds.inserted.map(Term::value),
            enabled,
            estimated: counted.is_none(),
        }
    }
}

fn base(amount: &settings::Amount) -> Option<f64> {
    match amount {
        settings::Amount::Switch(on) => Some(f64::from(u8::from(*on))),
        amount => amount.number(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::literal::literal;

    fn trigger(major: u8, options: &str, reltuples: &str, frozen: &str, settings: &[&str]) -> Trigger {
        let mut snapshot = literal("2026-11-22 12:00:00+00")
            .version(major)
            .view("pg_stat_user_tables", "relid | schemaname | relname | n_live_tup", &["1 | public | t | 500"])
            .view(
                "table_sizes",
                "relid | schemaname | relname | reltuples | relpages | relallfrozen | reloptions",
                &[&format!("1 | public | t | {reltuples} | 100 | {frozen} | {options}")],
            );
        if !settings.is_empty() {
            snapshot = snapshot.view("pg_settings", "name | setting | unit", settings);
        }
        let snapshot = snapshot.build();
        let mut seen = Surroundings::default();
        seen.see(&snapshot);
        seen.trigger(snapshot.tables["pg_stat_user_tables"].row(0))
    }

    #[test]
    fn follows_versions_settings_and_parameters() {
        let near = |a: f64, b: f64| (a - b).abs() < 1e-6;
        let t = trigger(15, "", "26", "", &[]);
        assert!(near(t.dead, 55.2) && near(t.inserts.unwrap(), 1_005.2) && t.enabled && !t.estimated);
        assert_eq!(trigger(12, "", "26", "", &[]).inserts, None);
        assert_eq!(trigger(15, "", "-1", "", &[]).dead, 50.0);
        assert_eq!(
            trigger(15, "", "", "", &[]),
            Trigger { dead: 150.0, inserts: Some(1_100.0), enabled: true, estimated: true }
        );
        assert_eq!(trigger(18, "", "1e9", "", &[]).dead, 1e8);
        assert_eq!(trigger(17, "", "1e9", "", &[]).dead, 2e8 + 50.0);
        assert_eq!(trigger(18, "", "1000", "25", &[]).inserts, Some(1_150.0));
        assert_eq!(trigger(15, "{autovacuum_vacuum_insert_threshold=-1}", "10", "", &[]).inserts, None);
        let t = trigger(15, "{autovacuum_enabled=false,autovacuum_vacuum_scale_factor=0.01}", "1000", "", &[]);
        assert!(near(t.dead, 60.0) && !t.enabled);
        assert!(near(trigger(15, "", "1000", "", &["autovacuum_vacuum_scale_factor | 0.1 | ''"]).dead, 150.0));
        assert!(!trigger(15, "", "1000", "", &["autovacuum | off | ''"]).enabled);
    }
}
