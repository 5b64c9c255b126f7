//! A statement that has been running for very long.

use crate::advisor::cure::cancel;
use crate::advisor::sessions::{Seen, SessionKey, describe, is_client, is_dump, matching};
use crate::advisor::sighting::Sighting;
use crate::advisor::statement::{family, one_line};
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Threshold, secret, show};
use crate::finding::{Effort, Finding, Severity, Subject, SubjectKind};
use crate::text::{Text, counted};
use crate::unit::{Quantity, Unit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "conn-long-query",
    title: "Statement running very long",
    needs: &[Need::View("pg_stat_activity", &["pid", "state", "query_start"])],
    wants: &[],
    thresholds: &[Threshold {
        name: "min_s",
        default: 1_800.0,
        unit: Unit::Seconds,
        about: "Half an hour: nobody waits for the answer any more.",
    }],
    docs: Docs {
        looks_at: "Client sessions in state `active` and since when their statement runs.",
        why: "A forgotten statement keeps a processor, memory and its snapshot busy.",
        decides: "Half an hour. Maintenance, loads and dumps take their time and are left out.",
        what_to_do: "Ask the owner; cancel it if nobody waits for it.",
        ignore_when: "A report that is known to take this long.",
        references: "PostgreSQL manual, \"Server Signaling Functions\".",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let floor = ctx.threshold("min_s");
    let running = |s: &Seen<'_>| {
        let kind = family(s.row.text("query").unwrap_or_default());
        let everyday = kind.is_workload() || s.row.text("query").is_none_or(|q| q.starts_with('<'));
        s.row.text("state") == Some("active") && is_client(s.row) && !is_dump(s.row) && everyday
    };
    let all = matching(ctx, running);
    let longest = all.sessions.values().flatten().filter_map(|s| s.seconds_since("query_start")).max_by(f64::total_cmp);
    let findings =
        all.sessions.iter().filter_map(|(key, seen)| finding(ctx, *key, seen, &all.looked_at, floor)).collect();
    Ok(Checked {
        findings,
        looked_at: format!(
            "{}; {}",
            counted(all.looked_at.len(), "snapshot", "snapshots"),
            longest.map_or_else(
                || "no statement was running".to_owned(),
                |s| format!("longest running statement {}", show(s, Unit::Seconds))
            )
        ),
    })
}

/// The statement on one line, unless it is hidden or holds a secret.
fn headline(text: Option<&str>) -> String {
    text.filter(|t| secret::find(t).is_none()).map_or_else(|| "a statement".to_owned(), |t| one_line(t, 72))
}

fn finding<'a>(
    ctx: &Context<'a>,
    key: SessionKey,
    seen: &[Seen<'a>],
    looked_at: &[usize],
    floor: f64,
) -> Option<Finding> {
    let over: Vec<_> = seen.iter().filter(|s| s.seconds_since("query_start").is_some_and(|t| t >= floor)).collect();
    let last = over.last()?;
    let seconds = last.seconds_since("query_start");
    let sighting = Sighting::new(over.iter().map(|s| s.snapshot), looked_at);
    let mut finding = ctx
        .finding(
            Severity::Low,
            Subject::new(SubjectKind::Session, describe(last.row)),
            Text::new()
                .code(headline(last.row.text("query")))
                .t(" had been running for ")
                .opt(seconds.and_then(|s| Quantity::float(s, Unit::Seconds))),
        )
        .why(Text::new().t("Seen ").then(sighting.text()).t(". It holds its snapshot and its locks until it ends."))
        .doubts([sighting.doubt()])
        .measure(ctx.computed(
            "Running for",
            seconds.and_then(|s| Quantity::float(s, Unit::Seconds)),
            "capture time − query_start".to_owned(),
            &[(last.row, &["query_start", "state"])],
        ))
        .measures(ctx.sighted(&sighting, "pg_stat_activity"))
        .verify("The statement is gone from the next snapshot.")
        .effort(Effort::S);
    if sighting.in_last {
        let began = last.row.time("query_start");
        finding = finding.fix(cancel(describe(last.row), key.pid, began, "Somebody waits for its result.".into()));
    }
    Some(finding)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::literal::literal;

    fn one(row: &str) -> Vec<String> {
        const HEADER: &str = "pid | backend_start | usename | state | query_start | backend_type | query";
        told(&judge(&RULE, &[literal("2026-11-22 12:00:00+00").view("pg_stat_activity", HEADER, &[row]).build()], ""))
    }

    #[test]
    fn finds_a_forgotten_statement() {
        assert_eq!(
            one(
                "7 | 2026-11-22 08:00:00+00 | app | active | 2026-11-22 10:00:00+00 | client backend | select count(*) from big"
            ),
            ["low, medium: pid 7, app: select count(*) from big had been running for 2 h 00 m"]
        );
    }

    #[test]
    fn stays_quiet_about_maintenance_and_short_ones() {
        for row in [
            "7 | 2026-11-22 08:00:00+00 | app | active | 2026-11-22 10:00:00+00 | client backend | create index i on t (a)",
            "7 | 2026-11-22 08:00:00+00 | app | idle | 2026-11-22 10:00:00+00 | client backend | select 1",
        ] {
            assert_eq!(one(row), ["passed: 1 snapshot; no statement was running"], "{row}");
        }
        assert_eq!(
            one("7 | 2026-11-22 08:00:00+00 | app | active | 2026-11-22 11:59:00+00 | client backend | select 1"),
            ["passed: 1 snapshot; longest running statement 1 min 00 s"]
        );
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert_eq!(
            crate::advisor::testing::told_of_nothing(&RULE),
            "skipped, input missing: `pg_stat_activity` is not in the dump"
        );
    }
}
