//! Areas of a report's score. A rule's area follows from the first word of its id.

/// An area that gets a score of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Category {
    /// `table-`, `schema-`, `seq-`.
    Tables,
    /// `index-`.
    Indexes,
    /// `query-`, `sql-`, `func-`, `plan-`.
    Queries,
    /// `vacuum-`, `bloat-`.
    Vacuum,
    /// `wrap-`.
    Wraparound,
    /// `conn-`.
    Connections,
    /// `lock-`.
    Locks,
    /// `cache-`, `mem-`.
    Memory,
    /// `io-`, `bgwriter-`, `ckpt-`, `wal-`.
    IoAndWal,
    /// `repl-`, `slot-`.
    Replication,
    /// `cfg-`.
    Settings,
    /// `sec-`.
    Security,
    /// `hyg-`.
    DataQuality,
}

impl Category {
    /// All areas, in the order of a report.
    pub const ALL: [Self; 13] = [
        Self::Tables,
        Self::Indexes,
        Self::Queries,
        Self::Vacuum,
        Self::Wraparound,
        Self::Connections,
        Self::Locks,
        Self::Memory,
        Self::IoAndWal,
        Self::Replication,
        Self::Settings,
        Self::Security,
        Self::DataQuality,
    ];

    /// The name that is printed.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tables => "Tables",
            Self::Indexes => "Indexes",
            Self::Queries => "Queries",
            Self::Vacuum => "Vacuum",
            Self::Wraparound => "Wraparound",
            Self::Connections => "Connections",
            Self::Locks => "Locks",
            Self::Memory => "Memory",
            Self::IoAndWal => "I/O and WAL",
            Self::Replication => "Replication",
            Self::Settings => "Settings",
            Self::Security => "Security",
            Self::DataQuality => "Data quality",
        }
    }

    /// The first words of ids that belong here.
    pub const fn prefixes(self) -> &'static [&'static str] {
        match self {
            Self::Tables => &["table", "schema", "seq"],
            Self::Indexes => &["index"],
            Self::Queries => &["query", "sql", "func", "plan"],
            Self::Vacuum => &["vacuum", "bloat"],
            Self::Wraparound => &["wrap"],
            Self::Connections => &["conn"],
            Self::Locks => &["lock"],
            Self::Memory => &["cache", "mem"],
            Self::IoAndWal => &["io", "bgwriter", "ckpt", "wal"],
            Self::Replication => &["repl", "slot"],
            Self::Settings => &["cfg"],
            Self::Security => &["sec"],
            Self::DataQuality => &["hyg"],
        }
    }

    /// Its weight in the overall score: what loses data or stops the server counts more, the dump's own quality less.
    pub const fn weight(self) -> f64 {
        match self {
            Self::Wraparound | Self::Replication | Self::Settings => 1.5,
            Self::Queries | Self::Vacuum | Self::Indexes => 1.2,
            Self::DataQuality => 0.5,
            Self::Tables | Self::Connections | Self::Locks | Self::Memory | Self::IoAndWal | Self::Security => 1.0,
        }
    }

    /// The area of a rule id.
    pub fn of(rule: &str) -> Option<Self> {
        let word = rule.split('-').next()?;
        Self::ALL.into_iter().find(|c| c.prefixes().contains(&word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_word_decides() {
        for (id, want) in [
            ("index-unused", Some(Category::Indexes)),
            ("seq-exhaustion", Some(Category::Tables)),
            ("sec-trust-hba", Some(Category::Security)),
            ("sequence-x", None),
            ("", None),
        ] {
            assert_eq!(Category::of(id), want, "{id}");
        }
    }

    #[test]
    fn every_rule_has_an_area_and_a_unique_id_in_order() {
        let ids: Vec<&str> = crate::advisor::rules::RULES.iter().map(|r| r.id).collect();
        for id in &ids {
            assert!(Category::of(id).is_some(), "{id} has no area");
        }
        let mut unique = ids.clone();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(unique.len(), ids.len(), "an id is used twice");
    }
}
