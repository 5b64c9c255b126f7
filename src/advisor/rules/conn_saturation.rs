//! Connection slots that are nearly used up.

use crate::advisor::sessions::is_client;
use crate::advisor::sighting::Sighting;
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Skip, Threshold, show};
use crate::finding::{Effort, Fix, Severity, Subject, SubjectKind};
use crate::text::{Text, counted};
use crate::unit::{Quantity, Unit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "conn-saturation",
    title: "Connection slots nearly used up",
    needs: &[Need::View("pg_stat_activity", &["pid", "backend_type"]), Need::Setting("max_connections")],
    wants: &[],
    thresholds: &[
        Threshold { name: "medium_share", default: 0.8, unit: Unit::Share, about: "A fifth left for the next peak." },
        Threshold { name: "high_share", default: 0.95, unit: Unit::Share, about: "The next few clients are refused." },
    ],
    docs: Docs {
        looks_at: "Client sessions in each snapshot against the slots that ordinary roles may use: max_connections less the \
                   slots reserved for superusers and (16 and later) for other privileged roles.",
        why: "When the slots are used up, new clients are refused.",
        decides: "The highest share of any snapshot: 80 % medium, 95 % high. Background processes and senders of WAL have \
                  slots of their own and do not count.",
        what_to_do: "A connection pooler, or fewer connections per application server. More slots only move the queue to the \
                     processors and need a restart and more memory.",
        ignore_when: "The pools are sized so that they can never ask for more.",
        references: "PostgreSQL manual, \"Connections and Authentication\".",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let number = |name: &str| ctx.setting(name).and_then(|s| s.value);
    let most = number("max_connections").ok_or_else(|| Skip("max_connections is not known".to_owned()))?;
    let reserved = number("superuser_reserved_connections").unwrap_or(3.0)
        + if ctx.major() >= 16 { number("reserved_connections").unwrap_or(0.0) } else { 0.0 };
    let usable = (most - reserved).max(1.0);
    let used: Vec<(usize, usize)> =
        ctx.samples("pg_stat_activity").map(|(i, t)| (i, t.iter().filter(|r| is_client(*r)).count())).collect();
    let Some((worst_at, worst)) = used.iter().copied().max_by_key(|(i, n)| (*n, *i)) else {
        return Err(Skip("no snapshot has activity".to_owned()));
    };
    let share = worst as f64 / usable;
    let severity = if share >= ctx.threshold("high_share") { Severity::High } else { Severity::Medium };
    let looked_at: Vec<usize> = used.iter().map(|(i, _)| *i).collect();
    let over = used.iter().filter(|(_, n)| *n as f64 / usable >= ctx.threshold("medium_share")).map(|(i, _)| *i);
    let sighting = Sighting::new(over, &looked_at);
    let mut findings = Vec::new();
    if share >= ctx.threshold("medium_share") {
        let quantity = Quantity::float(share, Unit::Share);
        findings.push(
            ctx.finding(
                severity,
                Subject::new(SubjectKind::Server, "connections"),
                Text::new().opt(quantity).t(" of the connection slots were in use"),
            )
            .why(Text::new().t("Seen ").then(sighting.text()).t(". When none is left, new clients are refused."))
            .doubts([sighting.doubt(), ctx.setting("max_connections").and_then(|s| s.doubt())])
            .measure(ctx.seen_in(
                Some(worst_at),
                "Slots in use",
                quantity,
                ctx.all_rows(
                    worst_at,
                    "pg_stat_activity",
                    &["backend_type"],
                    format!("{worst} client sessions ÷ ({most} − {reserved} reserved)"),
                ),
            ))
            .measures(ctx.sighted(&sighting, "pg_stat_activity"))
            .fix(Fix::diagnose(
                "connections",
                "SELECT usename, application_name, client_addr, state, count(*)\nFROM pg_stat_activity \
                 WHERE backend_type = 'client backend'\nGROUP BY 1, 2, 3, 4 ORDER BY 5 DESC;",
            ))
            .verify(
                Text::new()
                    .t("The share of used slots stays below ")
                    .opt(ctx.threshold_quantity("medium_share"))
                    .t(" at peak time."),
            )
            .effort(Effort::M)
            .share(Some(share)),
        );
    }
    Ok(Checked {
        findings,
        looked_at: format!(
            "at most {worst} of {usable} usable slots in {}, {}",
            counted(used.len(), "snapshot", "snapshots"),
            show(share, Unit::Share)
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::literal::literal;

    fn with(sessions: usize, major: u8) -> Vec<String> {
        let rows: Vec<String> = (0..sessions).map(|i| format!("{i} | client backend")).collect();
        let mut rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        rows.extend(["900 | walsender", "901 | autovacuum launcher"]);
        let b = literal("2026-11-22 12:00:00+00")
            .version(major)
            .view("pg_stat_activity", "pid | backend_type", &rows)
            .view(
                "pg_settings",
                "name | setting | unit",
                &["max_connections | 25 | ", "superuser_reserved_connections | 3 | ", "reserved_connections | 2 | "],
            )
            .build();
        told(&judge(&RULE, &[b], ""))
    }

    #[test]
    fn counts_what_ordinary_roles_may_use() {
        assert_eq!(with(18, 15), ["medium, medium: connections: 81.8% of the connection slots were in use"]);
        assert_eq!(with(19, 16), ["high, medium: connections: 95% of the connection slots were in use"]);
        assert_eq!(with(10, 16), ["passed: at most 10 of 20 usable slots in 1 snapshot, 50%"]);
    }

    #[test]
    fn skips_without_the_limit() {
        let b = literal("2026-11-22 12:00:00+00").view("pg_stat_activity", "pid | backend_type", &[]).build();
        assert_eq!(
            told(&judge(&RULE, &[b], "")),
            ["skipped, input missing: needs the setting `max_connections`; `pg_settings` does not have it"]
        );
    }
}
