//! A server that runs an older minor release than there is.

use crate::advisor::lifetime::final_release;
use crate::advisor::releases::newest;
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Skip, Threshold};
use crate::finding::{Effort, Fix, Severity, Subject, SubjectKind};
use crate::text::Text;
use crate::unit::{Quantity, Unit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "cfg-version-minor",
    title: "Minor release behind",
    needs: &[],
    wants: &[Need::View("meta", &["server_version_num"])],
    thresholds: &[
        Threshold {
            name: "min_behind",
            default: 1.0,
            unit: Unit::Count,
            about: "Each minor release mends errors; most close security holes too.",
        },
        Threshold { name: "medium_behind", default: 4.0, unit: Unit::Count, about: "There are about four a year." },
    ],
    docs: Docs {
        looks_at: "The server's minor release, against those that were out when the snapshot was taken.",
        why: "Minor releases hold nothing but repairs: security holes, crashes, wrong results, lost data.",
        decides: "At least one behind is low, four are medium. The program has a table of releases that ends on 14 May 2026: what came \
                  later it does not know, so a server that is said to be up to date may not be. Snapshots from before 13 November 2025 \
                  are not judged.",
        what_to_do: "Install the newest minor release and restart; read its notes first, some ask for a REINDEX. Standbys first.",
        ignore_when: "A vendor carries the repairs under another number.",
        references: "PostgreSQL web site, \"Versioning Policy\"; release notes.",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let meta = &ctx.chain.last().meta;
    let (Some(version), Some(now)) = (meta.version.filter(|_| !meta.version_inferred), meta.taken_at) else {
        return Err(Skip("the server's minor release or the time of the snapshot is not known".to_owned()));
    };
    let Some(newest) = newest(version.major(), now) else {
        return Err(Skip(format!(
            "the releases of PostgreSQL {} at that time are not known to this program",
            version.major()
        )));
    };
    let as_of = newest.as_of.human_date();
    let end = final_release(version.major()).filter(|end| *end <= newest.as_of);
    let looked_at = match end {
        Some(_) => format!("PostgreSQL {version}; {} is the last of it", newest.version),
        None => format!("PostgreSQL {version}; {} was the newest on {as_of}, later ones are not known", newest.version),
    };
    let behind = f64::from(newest.version.minor().saturating_sub(version.minor()));
    if behind < ctx.threshold("min_behind") {
        return Ok(Checked { findings: Vec::new(), looked_at });
    }
    let severity = if behind >= ctx.threshold("medium_behind") { Severity::Medium } else { Severity::Low };
    let count = Quantity::float(behind, Unit::Count);
    let finding = ctx
        .finding(
            severity,
            Subject::new(SubjectKind::Server, format!("PostgreSQL {}", version.major())),
            Text::new()
                .t(format!("PostgreSQL {version} is {}", if end.is_some() { "" } else { "at least " }))
                .opt(count)
                .t(" minor releases behind"),
        )
        .why(match end {
            Some(end) => format!(
                "{} of {} is the last of PostgreSQL {}, which gets no repairs any more: take it until the upgrade. Minor \
                 releases hold nothing but repairs.",
                newest.version,
                end.human_date(),
                version.major()
            ),
            None => format!(
                "{} was out on {as_of}, as far as this program knows; newer ones may be. They hold nothing but repairs.",
                newest.version
            ),
        })
        .measure(
            ctx.computed(
                if end.is_some() { "Minor releases behind" } else { "Minor releases behind, at least" },
                count,
                format!("{} − {}", newest.version.minor(), version.minor()),
                &ctx.meta_rows(&["server_version_num"]),
            ),
        )
        .fix(Fix::diagnose("server", "SELECT version();"))
        .verify("The next snapshot states the newest minor release.")
        .effort(Effort::M);
    Ok(Checked { findings: vec![finding], looked_at })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::literal::literal;
    use crate::version::PgVersion;

    fn with(at: &str, number: u32) -> Vec<String> {
        let b = literal(at).meta(|m| m.version = Some(PgVersion(number))).build();
        told(&judge(&RULE, &[b], ""))
    }

    #[test]
    fn counts_what_is_missing() {
        assert_eq!(
            with("2026-11-22 12:00:00+00", 170_008),
            ["low, high: PostgreSQL 17: PostgreSQL 17.8 is at least 2 minor releases behind"]
        );
        assert_eq!(
            with("2026-11-22 12:00:00+00", 140_019),
            ["medium, high: PostgreSQL 14: PostgreSQL 14.19 is at least 4 minor releases behind"]
        );
    }

    #[test]
    fn a_major_that_has_ended_has_a_last_release() {
        let (at, title) = ("2026-11-22 12:00:00+00", "PostgreSQL 13.16 is 7 minor releases behind");
        assert_eq!(with(at, 130_016), [format!("medium, high: PostgreSQL 13: {title}")]);
        assert_eq!(with(at, 130_023), ["passed: PostgreSQL 13.23; 13.23 is the last of it"]);
    }

    #[test]
    fn stays_quiet_about_the_newest_it_knows_and_newer_ones() {
        let quiet = "passed: PostgreSQL 15.18; 15.18 was the newest on 14 May 2026, later ones are not known";
        assert_eq!(with("2026-11-22 12:00:00+00", 150_018), [quiet]);
        assert!(with("2026-11-22 12:00:00+00", 150_020)[0].starts_with("passed: PostgreSQL 15.20"));
        // What was the newest then is not behind.
        assert!(with("2026-03-01 12:00:00+00", 150_017)[0].starts_with("passed: "));
    }

    #[test]
    fn says_that_it_cannot_know() {
        let unknown = "skipped: the releases of PostgreSQL 15 at that time are not known to this program";
        assert_eq!(with("2024-11-22 12:00:00+00", 150_003), [unknown]);
        let b = literal("2026-11-22 12:00:00+00").meta(|m| m.version_inferred = true).build();
        assert!(told(&judge(&RULE, &[b], ""))[0].starts_with("skipped: the server's minor release"));
    }
}
