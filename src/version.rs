//! PostgreSQL versions: a server's number and the range of majors a column lived in.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The oldest major version whose statistics views the catalog describes.
pub const OLDEST: u8 = 12;
/// The newest major version whose statistics views the catalog describes.
pub const NEWEST: u8 = 18;

/// A server version as `server_version_num` gives it: `150018` is 15.18.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PgVersion(pub u32);

impl PgVersion {
    /// The first release of a major version.
    pub const fn major_only(major: u8) -> Self {
        Self(major as u32 * 10_000)
    }

    /// The major version: 15 of 15.18.
    pub const fn major(self) -> u8 {
        (self.0 / 10_000) as u8
    }

    /// The minor version: 18 of 15.18.
    pub const fn minor(self) -> u32 {
        self.0 % 10_000
    }

    /// Reads `server_version_num` (`150018`) or `server_version` (`15.18 (Debian 15.18-0+deb12u1)`, `18beta1`).
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().trim_start_matches("PostgreSQL ").trim_start();
        let head: String = text.chars().take_while(char::is_ascii_digit).collect();
        let number: u32 = head.parse().ok()?;
        if number >= 90_000 {
            return (number < 2_560_000).then_some(Self(number));
        }
        if !(10..=255).contains(&number) {
            return None;
        }
        let rest = &text[head.len()..];
        let minor = rest
            .strip_prefix('.')
            .map(|r| r.chars().take_while(char::is_ascii_digit).collect::<String>())
            .and_then(|m| m.parse::<u32>().ok())
            .filter(|m| *m < 10_000)
            .unwrap_or(0);
        Some(Self(number * 10_000 + minor))
    }
}

impl fmt::Display for PgVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major(), self.minor())
    }
}

/// A closed range of major versions; no end means "and later".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Majors {
    /// First major version of the range.
    pub since: u8,
    /// Last major version of the range.
    pub until: Option<u8>,
}

impl Majors {
    /// Every version the catalog knows, and later ones.
    pub const ALL: Self = Self { since: OLDEST, until: None };

    /// Whether `major` lies in the range.
    pub const fn contains(self, major: u8) -> bool {
        major >= self.since
            && match self.until {
                Some(last) => major <= last,
                None => true,
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_spellings() {
        for (text, want) in [
            ("150018", Some("15.18")),
            ("15.18 (Debian 15.18-0+deb12u1)", Some("15.18")),
            ("PostgreSQL 17.4 on x86_64", Some("17.4")),
            ("18beta1", Some("18.0")),
            ("90624", Some("9.624")),
            ("nonsense", None),
            ("", None),
            ("99999999999", None),
        ] {
            assert_eq!(PgVersion::parse(text).map(|v| v.to_string()).as_deref(), want, "{text}");
        }
    }
}
