//! Old transactions that hold back cleanup.

use crate::advisor::horizon::follows_another;
use crate::advisor::sessions::{Seen, SessionKey, describe, is_client, is_dump, matching};
use crate::advisor::sighting::Sighting;
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Threshold, show};
use crate::finding::{Effort, Finding, Fix, Severity, Subject, SubjectKind};
use crate::text::{Text, counted};
use crate::unit::{Quantity, Unit};
use std::collections::BTreeMap;

/// The rule.
pub const RULE: Rule = Rule {
    id: "conn-long-transaction",
    title: "Old transaction holds back cleanup",
    needs: &[Need::View("pg_stat_activity", &["pid", "xact_start", "backend_xmin"])],
    wants: &[],
    thresholds: &[
        Threshold {
            name: "medium_s",
            default: 3_600.0,
            unit: Unit::Seconds,
            about: "An hour of rows that vacuum must keep.",
        },
        Threshold { name: "high_s", default: 86_400.0, unit: Unit::Seconds, about: "A day of them." },
        Threshold {
            name: "idle_s",
            default: 300.0,
            unit: Unit::Seconds,
            about: "Sessions idle in transaction for longer than this are the matter of conn-idle-in-transaction.",
        },
    ],
    docs: Docs {
        looks_at: "Client sessions whose transaction began long before the capture and that hold a snapshot (`backend_xmin`).",
        why: "No vacuum in the database can remove rows that died after the oldest snapshot was taken: tables and indexes \
              grow, and index entries of dead rows are visited again and again.",
        decides: "An hour is medium, a day high. Dumps and base backups are left out by their name, vacuum because it does \
                  not hold back others, sessions idle in transaction because another check is about them, and sessions whose oldest \
                  id is that of another running transaction: who waits for one keeps nothing that it would not keep.",
        what_to_do: "Ask the owner. Reports belong on a standby or into shorter transactions.",
        ignore_when: "A migration or a load that has to be one transaction.",
        references: "PostgreSQL manual, \"Routine Vacuuming\".",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let floor = ctx.threshold("medium_s");
    let idle_s = ctx.threshold("idle_s");
    let old = |s: &Seen<'_>| {
        let text = s.row.text("query").unwrap_or_default().trim_start().to_ascii_lowercase();
        let is_idle = s.row.text("state").is_some_and(|t| t.starts_with("idle in transaction"));
        let idle = is_idle && s.seconds_since("state_change").is_some_and(|t| t >= idle_s);
        is_client(s.row)
            && !is_dump(s.row)
            && !text.starts_with("vacuum")
            && s.row.int("backend_xmin").is_some()
            && !idle
            && !follows_another(ctx, s.snapshot, s.row)
    };
    let all = matching(ctx, old);
    let oldest = all.sessions.values().flatten().filter_map(|s| s.seconds_since("xact_start")).max_by(f64::total_cmp);
    let mut groups: BTreeMap<&str, Vec<(SessionKey, Seen<'_>)>> = BTreeMap::new();
    let mut seen_in: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (key, seen) in &all.sessions {
        let mut over = seen.iter().filter(|s| s.seconds_since("xact_start").is_some_and(|t| t >= floor));
        let role = seen.last().and_then(|s| s.row.text("usename")).unwrap_or("unknown role");
        seen_in.entry(role).or_default().extend(over.clone().map(|s| s.snapshot));
        if let Some(last) = over.next_back() {
            groups.entry(role).or_default().push((*key, *last));
        }
    }
    let findings = groups
        .into_iter()
        .filter_map(|(role, group)| {
            let sighting = Sighting::new(seen_in.remove(role).unwrap_or_default(), &all.looked_at);
            finding(ctx, role, &group, &sighting)
        })
        .collect();
    Ok(Checked {
        findings,
        looked_at: format!(
            "{}; {}",
            counted(all.looked_at.len(), "snapshot", "snapshots"),
            oldest.map_or_else(
                || "no transaction had a snapshot".to_owned(),
                |s| format!("oldest transaction with a snapshot {}", show(s, Unit::Seconds))
            )
        ),
    })
}

fn finding<'a>(
    ctx: &Context<'a>,
    role: &str,
    group: &[(SessionKey, Seen<'a>)],
    sighting: &Sighting,
) -> Option<Finding> {
    let age = |s: &Seen<'_>| s.seconds_since("xact_start").unwrap_or(0.0);
    let (_, oldest) = group.iter().max_by(|(ka, a), (kb, b)| age(a).total_cmp(&age(b)).then_with(|| kb.cmp(ka)))?;
    let seconds = age(oldest);
    let severity = if seconds >= ctx.threshold("high_s") { Severity::High } else { Severity::Medium };
    Some(
        ctx.finding(
            severity,
            Subject::new(SubjectKind::Role, role),
            Text::new().t("A transaction of ").name(role).t(" has held back cleanup for ").opt(Quantity::float(seconds, Unit::Seconds)),
        )
        .why(
            Text::new()
                .t("Seen ")
                .then(sighting.text())
                .t(". Rows that died since it began stay in every table of the database that vacuum visits."),
        )
        .doubts([sighting.doubt()])
        .members(group.iter().map(|(_, s)| Subject::new(SubjectKind::Session, describe(s.row))).collect())
        .measure(ctx.computed(
            "Age of the transaction",
            Quantity::float(seconds, Unit::Seconds),
            format!("capture time − xact_start, {}", describe(oldest.row)),
            &[(oldest.row, &["xact_start", "backend_xmin"])],
        ))
        .measures(ctx.sighted(sighting, "pg_stat_activity"))
        .fix(Fix::diagnose(
            role,
            "SELECT pid, usename, application_name, state, now() - xact_start AS age, age(coalesce(backend_xmin, backend_xid)) AS xid_age, query\n\
             FROM pg_stat_activity WHERE coalesce(backend_xmin, backend_xid) IS NOT NULL ORDER BY xact_start;",
        ))
        .verify("No transaction of this role is that old in the next snapshots.")
        .effort(Effort::M),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::literal::literal;

    fn one(row: &str) -> Vec<String> {
        const HEADER: &str = "pid | backend_start | usename | state | xact_start | state_change | backend_xmin | \
                              backend_type | application_name | query";
        told(&judge(&RULE, &[literal("2026-11-22 12:00:00+00").view("pg_stat_activity", HEADER, &[row]).build()], ""))
    }

    #[test]
    fn who_waits_for_a_transaction_is_not_the_one_that_holds_back() {
        const HEADER: &str = "pid | backend_start | usename | state | xact_start | state_change | backend_xid | backend_xmin | \
                              backend_type | application_name | query";
        let began = "2026-11-22 10:00:00+00 | 2026-11-22 10:00:00+00";
        let waits = format!(
            "7 | 2026-11-22 08:00:00+00 | webapp | active | {began} | 905 | 900 | client backend | app | update t"
        );
        for (xid, want) in [(900, "passed"), (901, "medium")] {
            let other = format!(
                "8 | 2026-11-22 08:00:00+00 | billing | idle in transaction | {began} | {xid} | | client backend | cron | update t"
            );
            let taken = literal("2026-11-22 12:00:00+00").view("pg_stat_activity", HEADER, &[&waits, &other]).build();
            let said = told(&judge(&RULE, &[taken], ""));
            assert!(said[0].starts_with(want), "{xid}: {said:?}");
        }
    }

    #[test]
    fn finds_an_old_snapshot() {
        let row = "7 | 2026-11-22 08:00:00+00 | report | active | 2026-11-22 10:00:00+00 | 2026-11-22 10:00:00+00 | 900 | \
                   client backend | psql | select 1";
        assert_eq!(one(row), ["medium, medium: report: A transaction of report has held back cleanup for 2 h 00 m"]);
    }

    #[test]
    fn stays_quiet_about_dumps_vacuum_and_what_holds_nothing() {
        for row in [
            "7 | 2026-11-22 08:00:00+00 | u | active | 2026-11-22 10:00:00+00 | 2026-11-22 10:00:00+00 | 900 | client backend | pg_dump | copy t to stdout",
            "7 | 2026-11-22 08:00:00+00 | u | active | 2026-11-22 10:00:00+00 | 2026-11-22 10:00:00+00 | 900 | client backend | psql | VACUUM t",
            "7 | 2026-11-22 08:00:00+00 | u | active | 2026-11-22 10:00:00+00 | 2026-11-22 10:00:00+00 | | client backend | psql | select 1",
            "7 | 2026-11-22 08:00:00+00 | u | idle in transaction | 2026-11-22 10:00:00+00 | 2026-11-22 10:00:00+00 | 900 | client backend | psql | select 1",
            "7 | 2026-11-22 08:00:00+00 | u | active | 2026-11-22 10:00:00+00 | 2026-11-22 10:00:00+00 | 900 | walsender | s | START_REPLICATION",
        ] {
            assert_eq!(one(row), ["passed: 1 snapshot; no transaction had a snapshot"], "{row}");
        }
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert_eq!(
            crate::advisor::testing::told_of_nothing(&RULE),
            "skipped, input missing: `pg_stat_activity` is not in the dump"
        );
    }
}
