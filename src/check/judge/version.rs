//! The server's version against releases and the end of support.

use super::{Node, Verdict};
use crate::advisor::lifetime::final_release;
use crate::unit::{Quantity, Unit};
use crate::version::PgVersion;

/// Columns of `meta` that say the version.
const COLUMNS: &[&str] = &["server_version_num", "server_version"];

/// The version, where it was stated; else why nothing can be said.
fn stated(node: &Node<'_>) -> Result<PgVersion, String> {
    let meta = &node.chain.last().meta;
    match meta.version {
        Some(version) if !meta.version_inferred => Ok(version),
        Some(version) => {
            Err(format!("the dump does not state it; its columns are those of PostgreSQL {}", version.major()))
        }
        None => Err("the dump does not say which version the server is".to_owned()),
    }
}

/// One of these majors, and at least that release of it.
pub(super) fn at_least(node: &Node<'_>, releases: &[PgVersion], expected: String) -> Verdict {
    match stated(node) {
        Err(why) => Verdict::unknown(expected, why),
        Ok(version) => {
            let met = releases.iter().any(|r| r.major() == version.major() && version >= *r);
            Verdict::met(expected, met, format!("PostgreSQL {version}")).read_from(node.meta(COLUMNS))
        }
    }
}

/// Fixes for so many seconds more.
pub(super) fn supported(node: &Node<'_>, seconds: f64, expected: String) -> Verdict {
    // The columns tell the major version, which is all that counts here.
    let Some(version) = node.chain.last().meta.version else {
        return Verdict::unknown(expected, "the dump does not say which version the server is");
    };
    let Some(end) = final_release(version.major()) else {
        let why = format!("the end of support of PostgreSQL {} is not known to this program", version.major());
        return Verdict::unknown(expected, why);
    };
    let Some(now) = node.chain.last().meta.taken_at else {
        return Verdict::unknown(expected, "the time of the snapshot is not known");
    };
    let left = end.seconds_since(now);
    let shown = Quantity::float(left.abs(), Unit::Seconds).map_or_else(String::new, Quantity::human);
    let found = if left < 0.0 {
        format!("PostgreSQL {}, final release on {}, {shown} ago", version.major(), end.human_date())
    } else {
        format!("PostgreSQL {}, supported until {}, {shown} more", version.major(), end.human_date())
    };
    Verdict::met(expected, left >= seconds.max(0.0), found).read_from(node.meta(COLUMNS))
}

#[cfg(test)]
mod tests {
    use crate::check::judge::testing::{node, said};
    use crate::snapshot::literal::literal;
    use crate::version::PgVersion;

    fn of(version: Option<u32>, inferred: bool, expect: &str) -> String {
        let b = literal("2026-11-22 12:00:00+00").meta(|m| {
            m.version = version.map(PgVersion);
            m.version_inferred = inferred;
        });
        said(&node(&[b.build()]), &format!("[[version]]\n{expect}"))
    }

    #[test]
    fn major_and_minor_decide() {
        let list = "at_least = ['15.12', '17.4', '18']";
        for (version, want) in [
            (150_018, "pass: PostgreSQL 15.18"),
            (150_011, "fail: PostgreSQL 15.11"),
            (160_009, "fail: PostgreSQL 16.9"),
            (180_000, "pass: PostgreSQL 18.0"),
        ] {
            assert_eq!(of(Some(version), false, list), want);
        }
        assert_eq!(of(None, false, list), "not assessable: the dump does not say which version the server is");
        assert_eq!(
            of(Some(150_000), true, list),
            "not assessable: the dump does not state it; its columns are those of PostgreSQL 15"
        );
    }

    #[test]
    fn support_ends() {
        assert!(
            of(Some(130_023), false, "supported_for = '0 d'")
                .starts_with("fail: PostgreSQL 13, final release on 13 Nov 2025")
        );
        assert!(
            of(Some(150_018), true, "supported_for = '90 d'")
                .starts_with("pass: PostgreSQL 15, supported until 11 Nov 2027")
        );
        assert!(of(Some(150_018), false, "supported_for = '400 d'").starts_with("fail"));
        assert!(of(Some(300_000), false, "supported_for = '1 d'").starts_with("not assessable"));
    }
}
