//! Sessions that end without saying goodbye.

use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Threshold, show_counted};
use crate::diff::{Change, ViewChange};
use crate::finding::{Effort, Finding, Fix, Severity, Subject, SubjectKind};
use crate::text::{Text, counted};
use crate::unit::{Quantity, Unit};

/// Counters of sessions that did not end by themselves, with what each means.
const ENDS: [(&str, &str); 3] = [
    ("sessions_abandoned", "whose client vanished"),
    ("sessions_fatal", "ended by a fatal error"),
    ("sessions_killed", "ended by an operator"),
];

/// The rule.
pub const RULE: Rule = Rule {
    id: "conn-abnormal-end",
    title: "Sessions end abnormally",
    needs: &[Need::View(
        "pg_stat_database",
        &["datname", "sessions", "sessions_abandoned", "sessions_fatal", "sessions_killed"],
    )],
    wants: &[],
    thresholds: &[
        Threshold { name: "min_window_s", default: 600.0, unit: Unit::Seconds, about: "Less is one moment." },
        Threshold {
            name: "good_window_s",
            default: 3_600.0,
            unit: Unit::Seconds,
            about: "A deployment ends within an hour.",
        },
        Threshold {
            name: "min_ends",
            default: 20.0,
            unit: Unit::Count,
            about: "Fewer may be one client that was switched off.",
        },
        Threshold { name: "low_share", default: 0.05, unit: Unit::Share, about: "One session in twenty." },
        Threshold {
            name: "medium_share",
            default: 0.25,
            unit: Unit::Share,
            about: "One in four: a pool, a timeout or a network drops them as a habit.",
        },
    ],
    docs: Docs {
        looks_at: "Sessions of each database that ended because the client vanished, by a fatal error or by an operator, against \
                   all sessions opened in the window (14 and later).",
        why: "What such a session had open is rolled back; its client sees an error, or waits for an answer that never comes.",
        decides: "Twenty such ends and one session in twenty; one in four is medium. Where the server was restarted in the window \
                  nothing is said: a shutdown ends all sessions.",
        what_to_do: "The kind tells where to look: vanished clients are crashes, timeouts of pools and load balancers, or a \
                     network that drops idle connections (tcp_keepalives_idle); fatal errors stand in the server's log.",
        ignore_when: "A deployment or a test ended them.",
        references: "PostgreSQL manual, \"pg_stat_database\".",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    ctx.window_of("min_window_s")?;
    let ended = |e: &crate::diff::Event| e.kind == "restart" || e.kind == "crash";
    if ctx.chain.windows.iter().any(|w| w.events.iter().any(ended)) {
        return Err(crate::advisor::Skip("the server was stopped in the window, which ends all sessions".to_owned()));
    }
    let mut findings = Vec::new();
    let (mut databases, mut all, mut exact) = (0, 0.0, true);
    for change in ctx.changes("pg_stat_database").into_iter().flat_map(ViewChange::present) {
        let Some(name) = change.last().and_then(|r| r.text("datname")) else { continue };
        let (Some(opened), ends) = (change.delta("sessions"), ends(change)) else { continue };
        databases += 1;
        all += ends;
        exact &= change.is_exact();
        // Sessions that were open before may end in the window.
        let share = ends / opened.max(ends).max(1.0);
        if ends >= ctx.threshold("min_ends") && share >= ctx.threshold("low_share") {
            findings.push(finding(ctx, change, name, ends, opened, share));
        }
    }
    let looked_at = format!(
        "{}; {} sessions ended abnormally",
        counted(databases, "database", "databases"),
        show_counted(all, Unit::Count, exact)
    );
    Ok(Checked { findings, looked_at })
}

fn ends(change: Change<'_>) -> f64 {
    ENDS.iter().filter_map(|(column, _)| change.delta(column)).sum()
}

fn finding<'a>(ctx: &Context<'a>, change: Change<'a>, name: &str, ends: f64, opened: f64, share: f64) -> Finding {
    let severity = if share >= ctx.threshold("medium_share") { Severity::Medium } else { Severity::Low };
    let kinds = ENDS.iter().filter_map(|(column, meaning)| {
        let n = change.delta(column).filter(|n| *n > 0.0)?;
        Some(Text::new().opt(Quantity::float(n, Unit::Count)).t(format!(" {meaning}")))
    });
    let title = Text::new()
        .opt(Quantity::float(ends, Unit::Count))
        .t(" sessions of ")
        .name(name)
        .t(" ended abnormally, ")
        .opt(Quantity::float(share, Unit::Share))
        .t(" of those opened");
    let mut finding = ctx
        .finding(severity, Subject::new(SubjectKind::Database, name), title)
        .why(Text::joined(kinds, ", ").t(". What they had open was rolled back."))
        .doubts([ctx.single_doubt(), ctx.short_doubt("good_window_s"), ctx.class_doubt(change)])
        .measure(ctx.measure("Sessions opened", change, "sessions"));
    for (column, meaning) in ENDS {
        finding = finding.measure(ctx.measure(&format!("Sessions {meaning}"), change, column));
    }
    let columns = ENDS.map(|(column, _)| column);
    finding = finding.measure(ctx.sum("Sessions ended abnormally", change, &columns, Unit::Count));
    if let Some(row) = change.last() {
        finding = finding.measure(ctx.quotient(
            "Share that ended abnormally",
            (ends, Unit::Count),
            (opened.max(ends), Unit::Count),
            Unit::Share,
            &[(row, &["sessions", "sessions_abandoned", "sessions_fatal", "sessions_killed"])],
        ));
    }
    finding
        .fix(Fix::diagnose(
            name,
            "SELECT name, setting, unit FROM pg_settings\nWHERE name IN ('log_disconnections', 'idle_session_timeout', \
             'idle_in_transaction_session_timeout', 'client_connection_check_interval', 'tcp_keepalives_idle');",
        ))
        .verify("The three counters hardly move in the next window.")
        .effort(Effort::M)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{database_over_an_hour, judge, told};
    use crate::snapshot::literal::literal;

    const HEADER: &str = "sessions | sessions_abandoned | sessions_fatal | sessions_killed";

    fn say(after: &str) -> Vec<String> {
        told(&judge(&RULE, &database_over_an_hour(HEADER, "0 | 0 | 0 | 0", after), ""))
    }

    #[test]
    fn many_of_all_sessions_are_told_few_are_not() {
        assert_eq!(
            say("400 | 25 | 5 | 0"),
            ["low, high: shop: 30 sessions of shop ended abnormally, 7.5% of those opened"]
        );
        assert_eq!(
            say("100 | 0 | 40 | 0"),
            ["medium, high: shop: 40 sessions of shop ended abnormally, 40% of those opened"]
        );
        // Opened before the window, ended in it.
        assert_eq!(
            say("10 | 40 | 0 | 0"),
            ["medium, high: shop: 40 sessions of shop ended abnormally, 100% of those opened"]
        );
        assert_eq!(say("5000 | 25 | 5 | 0"), ["passed: 1 database; 30 sessions ended abnormally"]);
        assert_eq!(say("20 | 10 | 5 | 0"), ["passed: 1 database; 15 sessions ended abnormally"]);
    }

    #[test]
    fn a_restart_ends_sessions_and_13_does_not_count_them() {
        let taken = |at: &str, started: &str, killed: &str| {
            literal(at)
                .meta(|m| m.postmaster_start = crate::time::Timestamp::parse(started).map(|(t, _)| t))
                .view(
                    "pg_stat_database",
                    &format!("datid | datname | {HEADER}"),
                    &[&format!("5 | shop | 90 | 0 | 0 | {killed}")],
                )
                .build()
        };
        let a = taken("2026-11-22 10:00:00+00", "2026-11-01 00:00:00+00", "0");
        let b = taken("2026-11-22 11:00:00+00", "2026-11-22 10:30:00+00", "60");
        assert_eq!(
            told(&judge(&RULE, &[a, b], "")),
            ["skipped: the server was stopped in the window, which ends all sessions"]
        );
        let old =
            literal("2026-11-22 10:00:00+00").version(13).view("pg_stat_database", "datid | datname", &["5 | shop"]);
        assert_eq!(
            told(&judge(&RULE, &[old.build()], "")),
            ["skipped: PostgreSQL 13 does not have `pg_stat_database.sessions`"]
        );
    }
}
