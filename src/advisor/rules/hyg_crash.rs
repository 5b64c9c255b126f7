//! A server that lost its statistics in a crash.

use crate::advisor::{Check, Checked, Context, Docs, Need, Rule};
use crate::catalog::{VIEWS, View};
use crate::diff::{Certainty, Class, Diff, Event};
use crate::finding::{Confidence, Effort, Evidence, Finding, Fix, Measure, Severity, Subject, SubjectKind};
use crate::snapshot::Snapshot;
use crate::text::{Text, counted};
use crate::time::Timestamp;
use crate::unit::{Quantity, Unit};

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
    let looked_at = format!("{}, no crash seen", counted(ctx.chain.windows.len(), "window", "windows"));
    Ok(Checked { findings, looked_at })
}

fn finding(ctx: &Context<'_>, window: &Diff, crash: &Event) -> Finding {
    let restarted = window.before.meta.postmaster_start != window.after.meta.postmaster_start;
    let kept = statements_kept(window).or_else(|| entries_kept(window, crash));
    let old_standby = window.after.meta.in_recovery == Some(true) && window.after.meta.major().is_some_and(|m| m <= 14);
    let (severity, explained) = match (restarted, kept) {
        _ if old_standby && restarted => {
            (Severity::Info, " A standby of this version loses its statistics at every start.")
        }
        (true, Some(true)) => (
            Severity::Info,
            " The server was started anew and pg_stat_statements survived: it was stopped in mode immediate, not by a crash.",
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
            " Whether it was stopped in mode immediate or crashed cannot be told without pg_stat_statements.",
        ),
    };
    let when = crash.at.map_or_else(|| Text::from("in the window"), |at| Text::new().t("at ").n(Quantity::time(at)));
    let subject = crash.at.map_or_else(|| window.after.meta.label.clone(), Timestamp::human_seconds);
    let cause = if severity == Severity::Info { ", with a known cause" } else { ": crash recovery is likely" };
    let title = Text::new().t("Statistics were lost ").then(when).t(cause);
    let mut finding = ctx
        .finding(severity, Subject::new(SubjectKind::Server, format!("server, {subject}")), title)
        .why(Text::new().t(explained.trim_start()).t(" Shown by: ").then(shown_by(crash)).t("."))
        .measures(began_anew(ctx, window, crash))
        .fix(Fix::diagnose(
            "server",
            "-- in the server's log around that time: \"received immediate shutdown request\", \"was terminated by signal\", \"database system was interrupted\", \"PANIC\"\n\
             SELECT pg_postmaster_start_time();",
        ))
        .verify("The cause is known from the log, and the next window has no crash.")
        .effort(Effort::M);
    if crash.certainty == Certainty::Likely {
        finding = finding.at_most(Confidence::Medium);
    }
    finding
}

/// What an event rests on: with the names that it marks by backticks told as names, its counts as numbers.
fn shown_by(crash: &Event) -> Text {
    let evidence = crash.evidence.join("; ");
    let parts = evidence.split('`').enumerate();
    parts.fold(Text::new(), |text, (i, part)| if i % 2 == 0 { text.then(counts(part)) } else { text.name(part) })
}

/// Words with their whole numbers as numbers, and their times as people read them.
fn counts(words: &str) -> Text {
    let mut out = Text::new();
    let mut said = String::new();
    for word in words.split_inclusive(' ') {
        let bare = word.trim_end();
        let time = bare.trim_end_matches([':', ',']);
        if let Ok(n) = bare.parse() {
            out = out.t(std::mem::take(&mut said)).n(Quantity::int(n, Unit::Count));
            said.push(' ');
        } else if let Some((at, _)) = Timestamp::parse(time).filter(|_| time.contains('T')) {
            said.push_str(&word.replacen(time, &at.human_seconds(), 1));
        } else {
            said.push_str(word);
        }
    }
    out.t(said)
}

/// When statistics began again, by what; and the moments that cluster-wide views give, before and after.
fn began_anew<'a>(ctx: &Context<'a>, window: &'a Diff, crash: &Event) -> Vec<Measure> {
    const SHOWN: usize = 3;
    let moved = |view: &&View| {
        let label = format!("stats_reset of {}", view.name);
        let both = ctx.of_both(&label, [&window.before, &window.after], view.name, "stats_reset");
        both.filter(|m| m.before.is_none() || m.before != m.after)
    };
    let cluster_wide = VIEWS.iter().filter(|v| v.key.is_empty() && !v.per_database);
    let views: Vec<Measure> =
        cluster_wide.filter(|v| v.name != "pg_stat_statements_info").filter_map(moved).take(SHOWN).collect();
    let shown_by = crash.evidence.join("; ").replace('`', "");
    let read = views.first().map(|first| first.evidence.clone()).unwrap_or_default();
    let evidence = Evidence { formula: Some(shown_by), ..read };
    let at = ctx.chain.snapshots.iter().position(|s| std::ptr::eq(s.as_ref(), window.after.as_ref()));
    let again = ctx.seen_in(at, "Statistics began again", crash.at.map(Quantity::time), evidence);
    std::iter::once(again).chain(views).collect()
}

/// Whether pg_stat_statements survived: some entry went on counting. `None` where one of the snapshots does not have it.
fn statements_kept(window: &Diff) -> Option<bool> {
    let both =
        [&window.before, &window.after].iter().all(|s| s.table("pg_stat_statements").is_some_and(|t| t.rows > 0));
    let view = window.views.get("pg_stat_statements").filter(|_| both)?;
    Some(view.iter().any(|r| r.class() == Class::Ok && r.before().is_some() && r.after().is_some()))
}

/// The same by what pg_stat_statements says of itself, where its entries were not exported: lost, it begins at the start.
fn entries_kept(window: &Diff, crash: &Event) -> Option<bool> {
    let reset = |s: &Snapshot| s.table("pg_stat_statements_info")?.iter().next()?.time("stats_reset");
    let (before, after) = (reset(&window.before)?, reset(&window.after)?);
    match crash.at {
        _ if before == after => Some(true),
        Some(recovered) if after <= recovered => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::literal::literal;
    use crate::text::Span;
    use crate::time::Timestamp;
    use std::sync::Arc;

    fn taken(at: &str, started: &str, reset: &str, count: &str, calls: &str) -> Arc<Snapshot> {
        literal(at)
            .meta(|m| m.postmaster_start = Timestamp::parse(started).map(|(t, _)| t))
            .view(
                "pg_stat_database",
                "datid | datname | xact_commit | blks_hit | stats_reset",
                &[&format!("16697 | shop | {count} | {count} |")],
            )
            .view("pg_stat_bgwriter", "buffers_alloc | stats_reset", &[&format!("{count} | {reset}")])
            .view("pg_stat_archiver", "archived_count | stats_reset", &[&format!("0 | {reset}")])
            .view(
                "pg_stat_statements",
                "userid | dbid | queryid | query | calls",
                &[&format!("10 | 16697 | 1 | select 1 | {calls}")],
            )
            .view(
                "pg_stat_statements_info",
                "dealloc | stats_reset",
                &[&format!("0 | {}", if calls == "1" { reset } else { "2026-11-01 00:00:00+00" })],
            )
            .build()
    }

    fn severity(started: &str, calls: &str) -> Vec<String> {
        let a = taken("2026-11-22 11:00:00+00", "2026-11-01 00:00:00+00", "2026-11-01 00:00:00+00", "900", "100");
        let b = taken("2026-11-22 12:00:00+00", started, "2026-11-22 11:30:00+00", "5", calls);
        told(&judge(&RULE, &[a, b], ""))
            .into_iter()
            .map(|l| l.split(',').next().unwrap_or_default().to_owned())
            .collect()
    }

    #[test]
    fn a_backend_crash_is_high_an_immediate_stop_is_information() {
        assert_eq!(severity("2026-11-01 00:00:00+00", "1"), ["high"], "statements lost, server process still the same");
        assert_eq!(severity("2026-11-22 11:29:59+00", "1"), ["high"], "statements lost with the server process");
        assert_eq!(severity("2026-11-22 11:29:59+00", "110"), ["info"], "statements kept");
    }

    /// Marks of the evidence are no text: formats say in their own way what is a name.
    #[test]
    fn names_in_the_evidence_are_names() {
        let a = taken("2026-11-22 11:00:00+00", "2026-11-01 00:00:00+00", "2026-11-01 00:00:00+00", "900", "100");
        let b = taken("2026-11-22 12:00:00+00", "2026-11-22 11:29:59+00", "2026-11-22 11:30:00+00", "5", "110");
        let crate::finding::Outcome::Found { findings, .. } = judge(&RULE, &[a, b], "") else { panic!() };
        let why = &findings[0].why;
        assert!(why.plain().contains("of database shop fell") && !why.plain().contains('`'), "{}", why.plain());
        assert!(why.0.contains(&Span::Name("shop".to_owned())));
    }

    #[test]
    fn stays_quiet_without_one() {
        let a = taken("2026-11-22 11:00:00+00", "2026-11-01 00:00:00+00", "2026-11-01 00:00:00+00", "900", "100");
        let b = taken("2026-11-22 12:00:00+00", "2026-11-01 00:00:00+00", "2026-11-01 00:00:00+00", "950", "110");
        assert_eq!(told(&judge(&RULE, &[a, b], "")), ["passed: 1 window, no crash seen"]);
    }
}
