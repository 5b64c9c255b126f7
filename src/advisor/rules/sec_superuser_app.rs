//! Applications that connect as superuser.

use crate::advisor::sessions::{Seen, describe, is_client, is_dump, is_remote, matching};
use crate::advisor::sighting::Sighting;
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule};
use crate::finding::{Effort, Fix, Severity, Subject, SubjectKind};
use crate::text::{Text, counted};
use std::collections::{BTreeMap, BTreeSet};

/// The rule.
pub const RULE: Rule = Rule {
    id: "sec-superuser-app",
    title: "Application connects as superuser",
    needs: &[
        Need::View("pg_roles", &["rolname", "rolsuper"]),
        Need::View("pg_stat_activity", &["pid", "usename", "client_addr"]),
    ],
    wants: &[],
    thresholds: &[],
    docs: Docs {
        looks_at: "Client sessions from other machines whose role is a superuser.",
        why: "A hole in the application is then a hole in the whole server, and in the machine: superusers run programs on it.",
        decides: "Sessions over the network whose application name is not that of a tool for people or for maintenance (psql, \
                  pgAdmin, DBeaver, pg_dump and its kin). Sessions of one role are one finding.",
        what_to_do: "A role of its own with the rights it needs; for monitoring, pg_monitor.",
        ignore_when: "A migration is running.",
        references: "PostgreSQL manual, \"Role Attributes\"; \"Predefined Roles\".",
    },
    check,
};

const TOOLS: [&str; 6] = ["psql", "pgadmin", "dbeaver", "datagrip", "vacuumdb", "reindexdb"];

fn check(ctx: &Context<'_>) -> Check {
    let roles = ctx.state_or_skip("pg_roles")?;
    let supers: BTreeSet<&str> =
        roles.table.iter().filter(|r| r.bool("rolsuper") == Some(true)).filter_map(|r| r.text("rolname")).collect();
    let application = |s: &Seen<'_>| {
        let name = s.row.text("application_name").unwrap_or_default().to_ascii_lowercase();
        is_client(s.row)
            && is_remote(s.row)
            && !is_dump(s.row)
            && !TOOLS.iter().any(|t| name.starts_with(t))
            && s.row.text("usename").is_some_and(|u| supers.contains(u))
    };
    let all = matching(ctx, application);
    let mut groups: BTreeMap<&str, Vec<&Seen<'_>>> = BTreeMap::new();
    for seen in all.sessions.values() {
        if let Some(last) = seen.last() {
            groups.entry(last.row.text("usename").unwrap_or_default()).or_default().extend(seen);
        }
    }
    let mut findings = Vec::new();
    for (role, seen) in groups {
        let sighting = Sighting::new(seen.iter().map(|s| s.snapshot), &all.looked_at);
        let mut sessions: Vec<String> = seen.iter().map(|s| describe(s.row)).collect();
        sessions.sort_unstable();
        sessions.dedup();
        findings.push(
            ctx.finding(
                Severity::High,
                Subject::new(SubjectKind::Role, role),
                Text::new().t("An application connects as superuser ").name(role),
            )
            .why(Text::new().t("Seen ").then(sighting.text()).t(". A hole in it is a hole in the whole server, and in the machine."))
            .doubts([sighting.doubt(), roles.doubt()])
            .members(sessions.into_iter().map(|s| Subject::new(SubjectKind::Session, s)).collect())
            .measure(ctx.read("A session of it", seen[0].row, "backend_start"))
            .measures(ctx.sighted(&sighting, "pg_stat_activity"))
            .fix(Fix::diagnose(
                role,
                "SELECT usename, application_name, client_addr, count(*) FROM pg_stat_activity JOIN pg_roles ON rolname = usename\n\
                 WHERE rolsuper AND client_addr IS NOT NULL GROUP BY 1, 2, 3;",
            ))
            .verify("No session of an application has a superuser's role in the next snapshots.")
            .effort(Effort::M),
        );
    }
    Ok(Checked {
        findings,
        looked_at: format!("{}, none used by a remote application", counted(supers.len(), "superuser", "superusers")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::literal::literal;

    #[test]
    fn finds_applications_not_people() {
        let b = literal("2026-11-22 12:00:00+00")
            .view("pg_roles", "oid | rolname | rolsuper", &["10 | postgres | t", "11 | app | f"])
            .view(
                "pg_stat_activity",
                "pid | backend_start | usename | client_addr | backend_type | application_name",
                &[
                    "1 | 2026-11-22 08:00:00+00 | postgres | 10.0.0.7 | client backend | shop-api",
                    "2 | 2026-11-22 08:00:00+00 | postgres | 10.0.0.7 | client backend | psql",
                    "3 | 2026-11-22 08:00:00+00 | postgres | | client backend | cron",
                    "4 | 2026-11-22 08:00:00+00 | app | 10.0.0.7 | client backend | shop-api",
                ],
            )
            .build();
        assert_eq!(
            told(&judge(&RULE, &[b], "")),
            ["high, medium: postgres: An application connects as superuser postgres"]
        );
    }

    #[test]
    fn stays_quiet_about_ordinary_roles() {
        let b = literal("2026-11-22 12:00:00+00")
            .view("pg_roles", "oid | rolname | rolsuper", &["10 | postgres | t", "11 | app | f"])
            .view(
                "pg_stat_activity",
                "pid | backend_start | usename | client_addr | backend_type | application_name",
                &["4 | 2026-11-22 08:00:00+00 | app | 10.0.0.7 | client backend | shop-api"],
            )
            .build();
        assert!(told(&judge(&RULE, &[b], ""))[0].starts_with("passed"));
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert_eq!(
            crate::advisor::testing::told_of_nothing(&RULE),
            "skipped, input missing: `pg_roles` is not in the dump"
        );
    }
}
