//! Until when a major version gets fixes from the PostgreSQL project.

use crate::time::Timestamp;

/// Day of each major version's final release (PostgreSQL web site, "Versioning Policy").
const FINAL_RELEASES: [(u8, &str); 8] = [
    (11, "2023-11-09"),
    (12, "2024-11-21"),
    (13, "2025-11-13"),
    (14, "2026-11-12"),
    (15, "2027-11-11"),
    (16, "2028-11-09"),
    (17, "2029-11-08"),
    (18, "2030-11-14"),
];

/// The day of a major version's final release; `None` for versions this table does not know.
pub fn final_release(major: u8) -> Option<Timestamp> {
    let (_, day) = FINAL_RELEASES.iter().find(|(m, _)| *m == major)?;
    Timestamp::parse(day).map(|(t, _)| t)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::version::{NEWEST, OLDEST};

    #[test]
    fn every_known_version_has_a_day_later_than_the_one_before() {
        let days: Vec<_> = (OLDEST..=NEWEST).map(|m| final_release(m).map(Timestamp::human_date)).collect();
        assert!(days.iter().all(Option::is_some), "{days:?}");
        assert!((OLDEST..NEWEST).all(|m| final_release(m) < final_release(m + 1)));
        assert_eq!(final_release(14).map(Timestamp::human_date).as_deref(), Some("12 Nov 2026"));
        assert_eq!(final_release(9), None);
    }
}
