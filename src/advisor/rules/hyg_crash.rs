//! A server that lost its statistics in a crash.

use crate::advisor::{Check, Checked, Context, Docs, Need, Rule};
use crate::diff::{Certainty, Diff, Event};
use crate::finding::{Confidence, Effort, Finding, Fix, Severity, Subject, SubjectKind};
use crate::text::Text;

/// The rule.
pub const RULE: Rule = Rule {
    id: "hyg-crash",
    title: "Server recovered from a crash",
    needs: &[Need::Snapshots(2)],
    wants: &[Need::View("pg_stat_statements", &["queryid"]), Need::View("pg_stat_bgwriter", &["stats_reset"])],
    thresholds: &[],
    docs: Docs {
        looks_at: "Whether all cluster-wide statistics began anew at one moment and the counters of databases fell with them.",
        why: "A crash ends every session and every transaction; the next one may do more.",
        decides: "High, with what else fits said: where the server was started anew and pg_stat_statements survived, it was stopped \
                  in mode `immediate`, which is information. A standby up to 14 loses its statistics at every start. \
                  `stats_reset` of single views is never enough.",
        what_to_do: "The server's log around that time says what happened: a killed process, memory used up, a full disk.",
        ignore_when: "The crash was a test, or is known.",
        references: "Observed on PostgreSQL 12–18; PostgreSQL manual, \"The Cumulative Statistics System\".",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let mut findings = Vec::new();
    for window in &ctx.chain.windows {
        findings.extend(window.events.iter().filter(|e| e.kind == "crash").map(|crash| finding(ctx, window, crash)));
    }
    let looked_at = format!("{} windows, no crash in them", ctx.chain.windows.len());
    Ok(Checked { findings, looked_at })
}

fn finding(ctx: &Context<'_>, window: &Diff, crash: &Event) -> Finding {
    let restarted = window.before.meta.postmaster_start != window.after.meta.postmaster_start;
    let kept = statements_kept(window);
    let old_standby = window.after.meta.in_recovery == Some(true) && window.after.meta.major().is_some_and(|m| m <= 14);
    let (severity, explained) = match (restarted, kept) {
        _ if old_standby && restarted => {
            (Severity::Info, " A standby of this version loses its statistics at every start.")
        }
        (true, Some(true)) => (
            Severity::Info,
            " The server was started anew and pg_stat_statements survived: it was stopped in mode `immediate`, not by a crash.",
        ),
        (false, _) => (
            Severity::High,
            " The server process itself kept running: a session's process died, and all others were restarted with it.",
        ),
        (true, Some(false)) => {
            (Severity::High, " pg_stat_statements was lost too: the server was killed, or the machine stopped.")
        }
        (true, None) => (
            Severity::High,
            " Whether it was stopped in mode `immediate` or crashed cannot be told without pg_stat_statements.",
        ),
    };
    let when = crash.at.map_or_else(|| "in the window".to_owned(), |t| format!("at {}", t.human_seconds()));
    let subject = crash.at.map_or_else(|| window.after.meta.label.clone(), |t| t.to_string());
    let title = if severity == Severity::Info {
        format!("Statistics were lost {when}, with a known cause")
    } else {
        format!("Statistics were lost {when}: crash recovery is likely")
    };
    let mut finding = ctx
        .finding(severity, Subject::new(SubjectKind::Server, format!("server, {subject}")), title)
        .why(Text::new().t(crash.evidence.join(" ")).t(explained))
        .fix(Fix::diagnose(
            "server",
            "-- in the server's log around that time: \"was terminated by signal\", \"database system was interrupted\", \"PANIC\"\n\
             SELECT pg_postmaster_start_time();",
        ))
        .verify("The cause is known from the log, and the next window has no crash.")
        .effort(Effort::M);
    if crash.certainty == Certainty::Likely {
        finding = finding.at_most(Confidence::Medium);
    }
    finding
}

/// Whether pg_stat_statements survived; `None` where one of the snapshots does not have it.
fn statements_kept(window: &Diff) -> Option<bool> {
    let both =
        [&window.before, &window.after].iter().all(|s| s.table("pg_stat_statements").is_some_and(|t| t.rows > 0));
    both.then(|| !window.events.iter().any(|e| e.kind == "stats_reset_statements"))
}
