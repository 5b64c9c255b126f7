//! A major version that gets no fixes any more.

use crate::advisor::lifetime::final_release;
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Skip, Threshold, show};
use crate::finding::{Effort, Severity, Subject, SubjectKind};
use crate::text::Text;
use crate::unit::{Quantity, Unit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "cfg-version-eol",
    title: "Major version out of support",
    needs: &[],
    wants: &[Need::View("meta", &["server_version_num"])],
    thresholds: &[Threshold {
        name: "ahead_s",
        default: 15_552_000.0,
        unit: Unit::Seconds,
        about: "Half a year to plan and test a major upgrade.",
    }],
    docs: Docs {
        looks_at: "The server's major version and the day of its final release, at the time of the snapshot.",
        why: "After that day the PostgreSQL project publishes no fixes for it, neither of security holes nor of data loss.",
        decides: "Past is high, within 180 days low. The version has to be stated: one concluded from columns costs confidence.",
        what_to_do: "Upgrade to a supported major version.",
        ignore_when: "A vendor supports it longer.",
        references: "PostgreSQL web site, \"Versioning Policy\".",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let meta = &ctx.chain.last().meta;
    let (Some(version), Some(now)) = (meta.version, meta.taken_at) else {
        return Err(Skip("the server's version or the time of the snapshot is not known".to_owned()));
    };
    let major = version.major();
    let Some(end) = final_release(major) else {
        return Err(Skip(format!("the end of support of PostgreSQL {major} is not known to this program")));
    };
    let left = end.seconds_since(now);
    let looked_at = format!("PostgreSQL {version}, supported until {}", end.human_date());
    if left > ctx.threshold("ahead_s") && meta.version_inferred {
        return Err(Skip(format!(
            "the server's version is not stated; by its columns it is PostgreSQL {major} or older"
        )));
    }
    if left > ctx.threshold("ahead_s") {
        return Ok(Checked { findings: Vec::new(), looked_at });
    }
    let past = left < 0.0;
    let title = Text::new().t(format!(
        "PostgreSQL {major} {} final release on {}",
        if past { "had its" } else { "has its" },
        end.human_date()
    ));
    let finding = ctx
        .finding(
            if past { Severity::High } else { Severity::Low },
            Subject::new(SubjectKind::Server, format!("PostgreSQL {major}")),
            title,
        )
        .why(if past {
            "No fixes are published for it since, neither of security holes nor of data loss."
        } else {
            "After that no fixes are published for it. An upgrade of a major version needs a plan and a test."
        })
        .doubts([meta.version_inferred.then_some(crate::finding::Doubt::C5)])
        .measure(ctx.computed(
            if past { "Time since its final release" } else { "Time until its final release" },
            Quantity::float(left.abs(), Unit::Seconds),
            format!("{} against {}, {}", end.human_date(), now.human_date(), show(left.abs(), Unit::Seconds)),
            &ctx.meta_rows(&["server_version_num", "captured_at"]),
        ))
        .deadline((!past).then_some(end))
        .verify("The next snapshot is of a supported major version.")
        .effort(Effort::L);
    Ok(Checked { findings: vec![finding], looked_at })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::literal::literal;

    #[test]
    fn tells_past_near_and_far() {
        let with = |major| told(&judge(&RULE, &[literal("2026-11-22 12:00:00+00").version(major).build()], ""));
        assert_eq!(with(13), ["high, high: PostgreSQL 13: PostgreSQL 13 had its final release on 13 Nov 2025"]);
        assert_eq!(with(15), ["passed: PostgreSQL 15.0, supported until 11 Nov 2027"]);
        let near = literal("2027-10-01 12:00:00+00").version(15).build();
        assert_eq!(
            told(&judge(&RULE, &[near], "")),
            ["low, high: PostgreSQL 15: PostgreSQL 15 has its final release on 11 Nov 2027"]
        );
    }

    #[test]
    fn skips_what_it_does_not_know() {
        for (major, want) in [(15, "skipped: the server's version is not stated"), (13, "high, medium: PostgreSQL 13")]
        {
            let read = literal("2026-11-22 12:00:00+00").version(major).meta(|m| m.version_inferred = true).build();
            let said = told(&judge(&RULE, &[read], ""));
            assert!(said[0].starts_with(want), "{said:?}");
        }
        let unknown = literal("2026-11-22 12:00:00+00").version(30).build();
        assert_eq!(
            told(&judge(&RULE, &[unknown], "")),
            ["skipped: the end of support of PostgreSQL 30 is not known to this program"]
        );
    }
}
