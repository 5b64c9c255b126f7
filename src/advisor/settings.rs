//! Server settings in base units, with the version's default where the dump does not carry them.

use super::Context;
use crate::finding::Doubt;

/// Where a setting's value is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingSource {
    /// `pg_settings` of the dump.
    Exported,
    /// `pg_settings` of an earlier snapshot, from which on it may have changed: costs C4.
    Old,
    /// The version's built-in default: costs C4.
    Default,
}

/// A setting's value in base units: bytes, milliseconds, numbers; switches are 0 and 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Setting<'a> {
    /// The text of `pg_settings.setting`.
    pub text: &'a str,
    /// The number in base units (bytes, ms), where it is one. Special values below zero stay as they are.
    pub value: Option<f64>,
    /// Where it is from.
    pub source: SettingSource,
}

impl Setting<'_> {
    /// Whether a switch is on; `None` where it is no switch.
    pub fn is_on(&self) -> Option<bool> {
        match self.text {
            "on" => Some(true),
            "off" => Some(false),
            _ => None,
        }
    }

    /// What this source takes from confidence.
    pub const fn doubt(&self) -> Option<Doubt> {
        match self.source {
            SettingSource::Exported => None,
            SettingSource::Old | SettingSource::Default => Some(Doubt::C4),
        }
    }
}

impl<'a> Context<'a> {
    /// A setting: exported, else the version's default; `None` where neither is known.
    pub fn setting(&self, name: &str) -> Option<Setting<'a>> {
        self.exported_setting(name).or_else(|| {
            let text = default(name, self.major())?;
            Some(Setting { text, value: base_value(text, default_unit(name)), source: SettingSource::Default })
        })
    }

    /// A setting as the dump states it.
    pub fn exported_setting(&self, name: &str) -> Option<Setting<'a>> {
        let state = self.state("pg_settings")?;
        let row = state.table.iter().find(|r| r.text("name") == Some(name))?;
        let text = row.text("setting").unwrap_or_default();
        let source = if state.stale { SettingSource::Old } else { SettingSource::Exported };
        Some(Setting { text, value: base_value(text, row.text("unit").unwrap_or_default()), source })
    }
}

/// The number in bytes or milliseconds; switches are 1 and 0.
fn base_value(text: &str, unit: &str) -> Option<f64> {
    match text {
        "on" => return Some(1.0),
        "off" => return Some(0.0),
        _ => {}
    }
    let number: f64 = text.parse().ok().filter(|x: &f64| x.is_finite())?;
    if number < 0.0 {
        return Some(number);
    }
    let digits = unit.find(|c: char| !c.is_ascii_digit()).unwrap_or(unit.len());
    let (factor, suffix) = unit.split_at(digits);
    let factor = factor.parse::<f64>().unwrap_or(1.0);
    let scale = match suffix {
        "kB" => 1024.0,
        "MB" => 1_048_576.0,
        "s" => 1_000.0,
        "min" => 60_000.0,
        "h" => 3_600_000.0,
        "d" => 86_400_000.0,
        _ => 1.0,
    };
    Some(number * factor * scale)
}

/// A built-in default: name, first and last major it holds for, value as `pg_settings.setting` writes it, unit.
type Default = (&'static str, u8, u8, &'static str, &'static str);

/// Defaults that rules fall back on; only those that initdb and packagers do not change. Source: `boot_val` of
/// `pg_settings`, PostgreSQL 12 to 18.
const DEFAULTS: &[Default] = &[
    ("autovacuum", 12, 99, "on", ""),
    ("autovacuum_analyze_scale_factor", 12, 99, "0.1", ""),
    ("autovacuum_analyze_threshold", 12, 99, "50", ""),
    ("autovacuum_freeze_max_age", 12, 99, "200000000", ""),
    ("autovacuum_max_workers", 12, 99, "3", ""),
    ("autovacuum_multixact_freeze_max_age", 12, 99, "400000000", ""),
    ("autovacuum_naptime", 12, 99, "60", "s"),
    ("autovacuum_vacuum_cost_delay", 12, 99, "2", "ms"),
    ("autovacuum_vacuum_cost_limit", 12, 99, "-1", ""),
    ("autovacuum_vacuum_insert_scale_factor", 13, 99, "0.2", ""),
    ("autovacuum_vacuum_insert_threshold", 13, 99, "1000", ""),
    ("autovacuum_vacuum_max_threshold", 18, 99, "100000000", ""),
    ("autovacuum_vacuum_scale_factor", 12, 99, "0.2", ""),
    ("autovacuum_vacuum_threshold", 12, 99, "50", ""),
    ("checkpoint_completion_target", 12, 13, "0.5", ""),
    ("checkpoint_completion_target", 14, 99, "0.9", ""),
    ("checkpoint_timeout", 12, 99, "300", "s"),
    ("deadlock_timeout", 12, 99, "1000", "ms"),
    ("full_page_writes", 12, 99, "on", ""),
    ("fsync", 12, 99, "on", ""),
    ("hash_mem_multiplier", 13, 14, "1", ""),
    ("hash_mem_multiplier", 15, 99, "2", ""),
    ("idle_in_transaction_session_timeout", 12, 99, "0", "ms"),
    ("maintenance_work_mem", 12, 99, "65536", "kB"),
    ("max_slot_wal_keep_size", 13, 99, "-1", "MB"),
    ("max_wal_size", 12, 99, "1024", "MB"),
    ("pg_stat_statements.max", 12, 99, "5000", ""),
    ("reserved_connections", 16, 99, "0", ""),
    ("superuser_reserved_connections", 12, 99, "3", ""),
    ("track_counts", 12, 99, "on", ""),
    ("track_functions", 12, 99, "none", ""),
    ("track_io_timing", 12, 99, "off", ""),
    ("vacuum_cost_limit", 12, 99, "200", ""),
    ("vacuum_failsafe_age", 14, 99, "1600000000", ""),
    ("vacuum_multixact_failsafe_age", 14, 99, "1600000000", ""),
    ("work_mem", 12, 99, "4096", "kB"),
];

fn entry(name: &str) -> impl Iterator<Item = &'static Default> {
    DEFAULTS.iter().filter(move |d| d.0 == name)
}

fn default(name: &str, major: u8) -> Option<&'static str> {
    entry(name).find(|d| d.1 <= major && major <= d.2).map(|d| d.3)
}

fn default_unit(name: &str) -> &'static str {
    entry(name).map(|d| d.4).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_units() {
        for (text, unit, want) in [
            ("16384", "8kB", Some(134_217_728.0)),
            ("-1", "kB", Some(-1.0)),
            ("5", "min", Some(300_000.0)),
            ("0.2", "", Some(0.2)),
            ("on", "", Some(1.0)),
            ("replica", "", None),
            ("1e400", "", None),
        ] {
            assert_eq!(base_value(text, unit), want, "{text} {unit}");
        }
    }

    #[test]
    fn defaults_follow_the_version() {
        assert_eq!(default("checkpoint_completion_target", 13), Some("0.5"));
        assert_eq!(default("checkpoint_completion_target", 18), Some("0.9"));
        assert_eq!(default("autovacuum_vacuum_max_threshold", 17), None);
        assert_eq!(default("no_such_setting", 17), None);
    }
}
