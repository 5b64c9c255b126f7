//! Settings: what each version assumes where nobody set anything, and what a setting's text amounts to.

mod amount;
mod defaults;

pub use amount::{Amount, parse};
pub use defaults::SETTINGS;

/// Limits that have to be at least as high on a standby as on its primary: where one is lower it stops replaying as soon
/// as the primary's value is in the WAL (PostgreSQL manual, "Hot Standby", administrator's overview).
pub const STANDBY_LIMITS: [&str; 5] = [
    "max_connections",
    "max_worker_processes",
    "max_wal_senders",
    "max_prepared_transactions",
    "max_locks_per_transaction",
];

/// A setting and its built-in values through the versions.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Its name.
    pub name: &'static str,
    /// The base unit of its values, as `pg_settings.unit`; empty where it has none.
    pub unit: &'static str,
    /// The built-in value from each major on, ascending. The first entry is the version that brought the setting.
    pub defaults: &'static [(u8, &'static str)],
    /// The last major that has the setting.
    pub until: Option<u8>,
}

impl Setting {
    /// The built-in value in `major`, in base units; `None` where that version has no such setting.
    pub fn default(&self, major: u8) -> Option<&'static str> {
        if self.until.is_some_and(|last| major > last) {
            return None;
        }
        self.defaults.iter().rev().find(|(since, _)| *since <= major).map(|(_, value)| *value)
    }
}

/// The description of a setting.
pub fn setting(name: &str) -> Option<&'static Setting> {
    SETTINGS.binary_search_by(|s| s.name.cmp(name)).ok().and_then(|at| SETTINGS.get(at))
}

/// The built-in value of a setting in `major`, in base units; [`setting`] tells the unit, [`default_amount`] both at
/// once.
pub fn default(name: &str, major: u8) -> Option<&'static str> {
    setting(name)?.default(major)
}

/// The built-in value of a setting in `major`, as an amount.
pub fn default_amount(name: &str, major: u8) -> Option<Amount> {
    let setting = setting(name)?;
    Some(parse(setting.default(major)?, Some(setting.unit)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_is_sorted() {
        assert!(SETTINGS.is_sorted_by(|a, b| a.name < b.name), "look-ups search by halves");
        for s in SETTINGS {
            assert!(s.defaults.is_sorted_by(|a, b| a.0 < b.0), "{}", s.name);
        }
    }

    #[test]
    fn defaults_follow_the_version() {
        for (name, major, want) in [
            ("log_checkpoints", 14, Some("off")),
            ("log_checkpoints", 15, Some("on")),
            ("hash_mem_multiplier", 12, None),
            ("wal_keep_segments", 13, None),
            ("work_mem", 18, Some("4096")),
            ("nonsense", 18, None),
        ] {
            assert_eq!(default(name, major), want, "{name} in {major}");
        }
        assert_eq!(default_amount("max_wal_size", 16), Some(Amount::Bytes(1 << 30)));
    }
}
