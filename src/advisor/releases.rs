//! Minor releases of PostgreSQL that this program knows of.
//!
//! A table like this goes stale: what it says is "at least so many", as of its newest day.

use crate::time::Timestamp;
use crate::version::PgVersion;

/// Days on which releases were announced, with the minor release of each major then (PostgreSQL web site, news). A major
/// that had its last release before is listed with that one.
const RELEASES: [(&str, [(u8, u32); 7]); 3] = [
    ("2025-11-13", [(12, 22), (13, 23), (14, 20), (15, 15), (16, 11), (17, 7), (18, 1)]),
    ("2026-02-26", [(12, 22), (13, 23), (14, 22), (15, 17), (16, 13), (17, 9), (18, 3)]),
    ("2026-05-14", [(12, 22), (13, 23), (14, 23), (15, 18), (16, 14), (17, 10), (18, 4)]),
];

/// The newest release of a major version at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Newest {
    /// The release.
    pub version: PgVersion,
    /// The day up to which this is known.
    pub as_of: Timestamp,
}

/// The newest release of a major version that was out at a time; `None` for majors and times that the table does not know.
pub fn newest(major: u8, at: Timestamp) -> Option<Newest> {
    let days = RELEASES.iter().rev().filter_map(|(day, list)| Some((Timestamp::parse(day)?.0, list)));
    let (as_of, list) = days.into_iter().find(|(day, _)| *day <= at)?;
    let (_, minor) = list.iter().find(|(m, _)| *m == major)?;
    Some(Newest { version: PgVersion(u32::from(major) * 10_000 + minor), as_of })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(day: &str) -> Timestamp {
        Timestamp::parse(day).unwrap().0
    }

    #[test]
    fn a_release_counts_from_its_day_on() {
        let version = |major, day| newest(major, at(day)).map(|n| n.version.to_string());
        assert_eq!(version(15, "2026-05-14").as_deref(), Some("15.18"));
        assert_eq!(version(15, "2026-05-13").as_deref(), Some("15.17"));
        assert_eq!(version(12, "2027-01-01").as_deref(), Some("12.22"));
        assert_eq!((version(15, "2025-11-12"), version(19, "2027-01-01")), (None, None));
    }

    #[test]
    fn later_days_have_no_older_releases() {
        for pair in RELEASES.windows(2) {
            let [(before, old), (after, new)] = pair else { panic!() };
            assert!(at(before) < at(after));
            assert!(old.iter().zip(new).all(|(o, n)| o.0 == n.0 && o.1 <= n.1));
        }
    }
}
