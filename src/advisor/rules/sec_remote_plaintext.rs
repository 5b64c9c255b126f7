//! Remote sessions without encryption.

use crate::advisor::sessions::{describe, is_client, is_remote};
use crate::advisor::sighting::Sighting;
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule};
use crate::finding::{Effort, Fix, Severity, Subject, SubjectKind};
use crate::snapshot::Row;
use crate::text::{Text, counted};
use crate::unit::Quantity;
use std::collections::{BTreeMap, BTreeSet};

/// The rule.
pub const RULE: Rule = Rule {
    id: "sec-remote-plaintext",
    title: "Remote sessions without encryption",
    needs: &[Need::View("pg_stat_ssl", &["pid", "ssl"]), Need::View("pg_stat_activity", &["pid", "client_addr"])],
    wants: &[Need::View("pg_stat_gssapi", &["pid", "encrypted"])],
    thresholds: &[],
    docs: Docs {
        looks_at: "Client sessions over a network address that is not the machine's own, and whether TLS or GSSAPI encrypts them.",
        why: "Data, and with some methods passwords, cross the network readable.",
        decides: "Any such session; sessions of one role are one finding. A private network, a tunnel or a proxy that encrypts \
                  is not visible.",
        what_to_do: "TLS on the server and `hostssl` lines instead of `host` in pg_hba.conf.",
        ignore_when: "The network between is private or encrypted by other means.",
        references: "PostgreSQL manual, \"Secure TCP/IP Connections with SSL\"; \"The pg_hba.conf File\".",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let mut looked_at = Vec::new();
    let mut groups: BTreeMap<&str, Vec<(usize, Row<'_>)>> = BTreeMap::new();
    for (i, snapshot) in ctx.chain.snapshots.iter().enumerate() {
        let (Some(ssl), Some(activity)) = (snapshot.table("pg_stat_ssl"), snapshot.table("pg_stat_activity")) else {
            continue;
        };
        looked_at.push(i);
        let plain: BTreeSet<i64> =
            ssl.iter().filter(|r| r.bool("ssl") == Some(false)).filter_map(|r| r.int("pid")).collect();
        let gss: BTreeSet<i64> = snapshot
            .table("pg_stat_gssapi")
            .map(|t| t.iter().filter(|r| r.bool("encrypted") == Some(true)).filter_map(|r| r.int("pid")).collect())
            .unwrap_or_default();
        for row in activity.iter().filter(|r| is_client(*r) && is_remote(*r)) {
            if row.int("pid").is_some_and(|pid| plain.contains(&pid) && !gss.contains(&pid)) {
                groups.entry(row.text("usename").unwrap_or("unknown role")).or_default().push((i, row));
            }
        }
    }
    let mut findings = Vec::new();
    for (role, seen) in groups {
        let sighting = Sighting::new(seen.iter().map(|(i, _)| *i), &looked_at);
        let mut sessions: Vec<String> = seen.iter().map(|(_, r)| describe(*r)).collect();
        sessions.sort_unstable();
        sessions.dedup();
        let Some((_, example)) = seen.last() else { continue };
        let rows: Vec<(Row<'_>, &[&str])> =
            seen.iter().map(|(_, row)| (*row, ["pid", "backend_start"].as_slice())).collect();
        let count = Quantity::count(sessions.len());
        let told = ctx.over_window(
            "Sessions that are not encrypted",
            Some(count),
            format!("distinct ones, in {}", counted(seen.len(), "row", "rows")),
            &rows,
        );
        findings.push(
            ctx.finding(
                Severity::Medium,
                Subject::new(SubjectKind::Role, role),
                Text::new()
                    .many(count, "remote session of ", "remote sessions of ")
                    .name(role)
                    .t(if sessions.len() == 1 { " is not encrypted" } else { " are not encrypted" }),
            )
            .why(Text::new().t("Seen ").then(sighting.text()).t(". What they send and get can be read on the way, unless the network encrypts it."))
            .doubts([sighting.doubt()])
            .members(sessions.into_iter().map(|s| Subject::new(SubjectKind::Session, s)).collect())
            .measure(ctx.read("A session of them", *example, "backend_start"))
            .measure(told)
            .measures(ctx.sighted(&sighting, "pg_stat_ssl"))
            .fix(Fix::diagnose(
                role,
                "SELECT a.usename, a.client_addr, s.ssl, s.version FROM pg_stat_activity a JOIN pg_stat_ssl s USING (pid)\n\
                 WHERE a.client_addr IS NOT NULL;\nSELECT * FROM pg_hba_file_rules WHERE type = 'host';",
            ))
            .verify("pg_stat_ssl shows ssl for every remote session.")
            .effort(Effort::M),
        );
    }
    Ok(Checked {
        findings,
        looked_at: format!("{}, every remote session encrypted", counted(looked_at.len(), "snapshot", "snapshots")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::literal::literal;

    #[test]
    fn finds_remote_plain_sessions_only() {
        let b = literal("2026-11-22 12:00:00+00")
            .view(
                "pg_stat_activity",
                "pid | backend_start | usename | client_addr | backend_type",
                &[
                    "1 | 2026-11-22 08:00:00+00 | app | 10.0.0.7 | client backend",
                    "2 | 2026-11-22 08:00:00+00 | app | 127.0.0.1 | client backend",
                    "3 | 2026-11-22 08:00:00+00 | web | 10.0.0.8/32 | client backend",
                    "4 | 2026-11-22 08:00:00+00 | dba | | client backend",
                    "5 | 2026-11-22 08:00:00+00 | krb | 10.0.0.9 | client backend",
                ],
            )
            .view("pg_stat_ssl", "pid | ssl", &["1 | f", "2 | f", "3 | t", "4 | f", "5 | f"])
            .view("pg_stat_gssapi", "pid | encrypted", &["5 | t"])
            .build();
        assert_eq!(told(&judge(&RULE, &[b], "")), ["medium, medium: app: 1 remote session of app is not encrypted"]);
    }

    #[test]
    fn stays_quiet_when_all_remote_sessions_are_encrypted() {
        let b = literal("2026-11-22 12:00:00+00")
            .view(
                "pg_stat_activity",
                "pid | backend_start | usename | client_addr | backend_type",
                &["1 | 2026-11-22 08:00:00+00 | app | 10.0.0.7 | client backend"],
            )
            .view("pg_stat_ssl", "pid | ssl", &["1 | t"])
            .build();
        assert!(told(&judge(&RULE, &[b], ""))[0].starts_with("passed"));
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert_eq!(
            crate::advisor::testing::told_of_nothing(&RULE),
            "skipped, input missing: `pg_stat_ssl` is not in the dump"
        );
    }
}
