//! Words that are nobody's secret: those of the program's own sentences, and those that PostgreSQL ships.

use crate::advisor::rules::RULES;
use std::collections::HashSet;
use std::sync::LazyLock;

/// Words of string literals of the program, in lower case.
static OWN: LazyLock<HashSet<&str>> =
    LazyLock::new(|| include_str!(concat!(env!("OUT_DIR"), "/words.txt")).lines().collect());

/// What stands between backticks in them.
static PHRASES: LazyLock<HashSet<&str>> =
    LazyLock::new(|| include_str!(concat!(env!("OUT_DIR"), "/phrases.txt")).lines().collect());

/// Keywords, functions, types, access methods, settings, system relations, wait events of PostgreSQL 13 to 18.
static POSTGRES: LazyLock<HashSet<&str>> = LazyLock::new(|| include_str!("postgres.txt").lines().collect());

/// Months and days, which are printed by format and stand in no literal.
const CALENDAR: [&str; 19] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec", "mon", "tue", "wed", "thu",
    "fri", "sat", "sun",
];

/// Letters that stand right behind digits in what the program prints: units, ordinals, times.
const UNITS: [&str; 24] = [
    "b", "kb", "mb", "gb", "tb", "k", "m", "g", "t", "ms", "us", "µs", "ns", "s", "min", "h", "d", "x", "z", "th",
    "st", "nd", "rd", "e",
];

/// Whether a word is one of the program's own or PostgreSQL's.
pub(super) fn own(word: &str) -> bool {
    let lower = word.to_lowercase();
    OWN.contains(lower.as_str()) || CALENDAR.contains(&lower.as_str()) || postgres(&lower)
}

/// Whether the program itself says a text between backticks.
pub(super) fn phrase(text: &str) -> bool {
    PHRASES.contains(text)
}

/// Whether a text is the id of a rule.
pub(super) fn rule(text: &str) -> bool {
    RULES.iter().any(|rule| rule.id == text)
}

/// Whether PostgreSQL ships a word.
pub(super) fn postgres(word: &str) -> bool {
    POSTGRES.contains(word.to_ascii_lowercase().as_str()) || system(word)
}

/// Whether a name is one that every server has: system schemas and relations, `public`.
pub(super) fn system(name: &str) -> bool {
    let number = |rest: &str| {
        let rest = rest.strip_suffix("_index").unwrap_or(rest);
        !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit())
    };
    let shipped = name.starts_with("pg_") && (POSTGRES.contains(name) || OWN.contains(name));
    shipped
        || matches!(name, "public" | "information_schema" | "pg_catalog" | "pg_toast" | "$user")
        || name.strip_prefix("pg_toast_").is_some_and(number)
        || name.strip_prefix("pg_temp_").is_some_and(number)
}

/// The same, less the schema that everybody's tables are in.
pub(super) fn system_but_public(name: &str) -> bool {
    name != "public" && system(name)
}

/// Whether a word is a number, perhaps with its unit: `7`, `64kB`, `14Z`, `22T14`.
pub(super) fn numeric(word: &str) -> bool {
    let letters = word.trim_start_matches(|c: char| c.is_ascii_digit());
    if letters.len() == word.len() {
        return false;
    }
    letters.is_empty()
        || UNITS.contains(&letters.to_lowercase().as_str())
        || letters.strip_prefix('T').is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_its_own_words_and_no_names() {
        for word in ["Findings", "n_dead_tup", "pg_stat_user_tables", "autovacuum", "Nov", "int4", "work_mem", "VACUUM"]
        {
            assert!(own(word), "{word}");
        }
        for word in ["orders", "pgbench_accounts", "hunter2", "qxzvjk", "customer_id"] {
            assert!(!own(word), "{word}");
        }
    }

    #[test]
    fn system_names() {
        for name in ["pg_class", "public", "pg_toast_16384", "pg_toast_16384_index", "pg_stat_statements"] {
            assert!(system(name), "{name}");
        }
        for name in ["pg_secret", "orders", "publicly"] {
            assert!(!system(name), "{name}");
        }
    }

    #[test]
    fn numbers() {
        for word in ["7", "64kB", "14Z", "22T14", "10th"] {
            assert!(numeric(word), "{word}");
        }
        for word in ["", "kB", "7qx", "2024orders"] {
            assert!(!numeric(word), "{word}");
        }
    }
}
