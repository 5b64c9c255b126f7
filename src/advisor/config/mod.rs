//! What the user decides: thresholds, severities, exceptions with a reason, facts the dump cannot know.

mod read;
mod value;

use super::Rule;
use crate::finding::{Finding, Severity};
use crate::time::Timestamp;
use std::collections::BTreeMap;

/// The whole configuration. [`Config::default`] is every rule with its own numbers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    /// Facts about the server that no export states, and floors that hold for all rules.
    pub options: Options,
    /// Settings of single rules, by id.
    pub rules: BTreeMap<&'static str, RuleConfig>,
    /// Findings that somebody decided to accept, in the order of the file.
    pub ignores: Vec<Ignore>,
}

/// Facts about the server that no export states, and floors that hold for all rules.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// False: no standby is read by anybody, so an index unused here is unused everywhere. True: a standby is read, so
    /// only its own counters can say that an index is unused. `None`: not known.
    pub standby_reads: Option<bool>,
    /// Memory of the machine in bytes, where the dump does not say it.
    pub ram_bytes: Option<i64>,
    /// Processors of the machine.
    pub cpus: Option<i64>,
    /// What the data directory is on.
    pub storage: Option<Storage>,
    /// Disk space for the data directory in bytes; only with it is a date of "full" computed.
    pub capacity_bytes: Option<i64>,
    /// Tables and indexes below this many bytes are at most worth a note.
    pub min_bytes: i64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            standby_reads: None,
            ram_bytes: None,
            cpus: None,
            storage: None,
            capacity_bytes: None,
            min_bytes: 10 << 20,
        }
    }
}

/// What the data directory is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storage {
    /// Flash: a page anywhere costs about what the next one costs.
    Ssd,
    /// Rotating disks: a page elsewhere costs a seek.
    Hdd,
}

impl Storage {
    /// Every kind, by the word that names it.
    pub const ALL: [(&'static str, Self); 2] = [("ssd", Self::Ssd), ("hdd", Self::Hdd)];

    /// The kind of this name, in whatever case.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(word.trim())).map(|(_, kind)| kind)
    }
}

/// Settings of one rule.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RuleConfig {
    /// What its findings weigh, instead of what the rule says; off: the rule does not run.
    pub level: Option<Level>,
    /// Values of named thresholds, in their unit.
    pub thresholds: BTreeMap<&'static str, f64>,
}

/// A configured severity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// The rule does not run.
    Off,
    /// All its findings have this severity.
    Fixed(Severity),
}

/// An exception: findings that are known and accepted, until a date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ignore {
    /// Rule id; `*` stands for any text.
    pub rule: String,
    /// Name of the object as findings print it; `*` stands for any text. `None`: every object.
    pub object: Option<String>,
    /// Why.
    pub reason: String,
    /// From when on it no longer holds.
    pub until: Option<Timestamp>,
    /// Line in the configuration file.
    pub line: usize,
}

/// Whether an exception holds for a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Match {
    /// It does not concern it.
    No,
    /// It concerns it, but its time is over.
    Expired,
    /// It holds.
    Yes,
}

impl Config {
    /// The value of a rule's threshold: configured, else the rule's default. NaN for a name the rule does not declare
    /// (comparisons with it are false, so the rule stays quiet; tests catch the name).
    pub fn threshold(&self, rule: &Rule, name: &str) -> f64 {
        let configured = self.rules.get(rule.id).and_then(|r| r.thresholds.get(name)).copied();
        let declared = rule.thresholds.iter().find(|t| t.name == name).map(|t| t.default);
        debug_assert!(declared.is_some(), "{} has no threshold `{name}`", rule.id);
        configured.or(declared).unwrap_or(f64::NAN)
    }

    /// The configured severity of a rule.
    pub fn level(&self, rule: &str) -> Option<Level> {
        self.rules.get(rule).and_then(|r| r.level)
    }
}

impl Ignore {
    /// Whether it holds for a finding of a snapshot taken `now`. Without a capture time nothing expires.
    pub(super) fn matches(&self, finding: &Finding, now: Option<Timestamp>) -> Match {
        let object_fits = self.object.as_deref().is_none_or(|pattern| fits(pattern, &finding.subject.name));
        if !fits(&self.rule, &finding.rule) || !object_fits {
            Match::No
        } else if self.until.zip(now).is_some_and(|(until, now)| now >= until) {
            Match::Expired
        } else {
            Match::Yes
        }
    }
}

/// A length of time as people write it, in seconds: `10 min`, `24 h`, `30 d`.
pub fn seconds(text: &str) -> Option<f64> {
    value::number(text, crate::unit::Unit::Seconds).ok()
}

/// Whether a text fits a pattern in which `*` stands for any text.
pub fn fits(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(head) = parts.next() else { return text.is_empty() };
    let Some(mut rest) = text.strip_prefix(head) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(tail) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = rest.get(at + part.len()..).unwrap_or_default();
    }
    rest.ends_with(tail)
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn star_stands_for_any_text() {
        for (pattern, text, want) in [
            ("public.orders", "public.orders", true),
            ("public.orders", "public.orders2", false),
            ("public.*", "public.orders", true),
            ("*", "", true),
            ("*_old", "public.t_old", true),
            ("*_old", "public.t_old2", false),
            ("a*b*c", "aXbYc", true),
            ("a*b*c", "aXc", false),
            ("ab*b", "ab", false),
            ("ä*", "ärger", true),
        ] {
            assert_eq!(fits(pattern, text), want, "{pattern} {text}");
        }
    }
}
