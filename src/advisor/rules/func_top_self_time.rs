//! A function that dominates the time spent in functions.

use crate::advisor::workload::part;
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Skip, Threshold, is_system_schema, show};
use crate::diff::ViewChange;
use crate::finding::{Effort, Fix, Severity, Subject, SubjectKind};
use crate::text::{Text, counted};
use crate::unit::{Quantity, Unit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "func-top-self-time",
    title: "Function dominates the time in functions",
    needs: &[Need::View("pg_stat_user_functions", &["funcid", "funcname", "calls", "self_time"])],
    wants: &[Need::Setting("track_functions")],
    thresholds: &[
        Threshold {
            name: "min_window_s",
            default: 600.0,
            unit: Unit::Seconds,
            about: "Below ten minutes a share shows one moment.",
        },
        Threshold {
            name: "good_window_s",
            default: 3_600.0,
            unit: Unit::Seconds,
            about: "Below an hour a single job can dominate.",
        },
        Threshold { name: "min_share", default: 0.2, unit: Unit::Share, about: "A fifth of the time in functions." },
        Threshold {
            name: "low_load",
            default: 0.05,
            unit: Unit::Sessions,
            about: "A twentieth of a session, else nobody pays.",
        },
        Threshold {
            name: "medium_load",
            default: 0.5,
            unit: Unit::Sessions,
            about: "Half a session busy in one function.",
        },
    ],
    docs: Docs {
        looks_at: "Time in each function itself, without what it calls, over the window (needs track_functions).",
        why: "Time in a function's own statements and loops is invisible in a statement's plan.",
        decides: "A fifth of the time in all functions and a load of 0.05; 0.5 is medium. Inlined SQL functions are never counted, \
                  functions in C only with track_functions = all.",
        what_to_do: "Look at its body; pg_stat_statements.track = all shows the statements inside it.",
        ignore_when: "It is the application's main entry, and its statements are known.",
        references: "PostgreSQL manual, \"pg_stat_user_functions\"; \"Run-time Statistics\" (track_functions).",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let window = ctx.window_of("min_window_s")?;
    let changes = || ctx.changes("pg_stat_user_functions").into_iter().flat_map(ViewChange::present);
    let own = |c: &crate::diff::Change<'_>| !c.last().and_then(|r| r.text("schemaname")).is_some_and(is_system_schema);
    let total: f64 = changes().filter(own).filter_map(|c| c.delta("self_time")).sum();
    if total == 0.0 {
        let off = ctx.exported_setting("track_functions").is_some_and(|s| s.text == "none");
        return Err(Skip(if off { "track_functions is none" } else { "no time in functions was recorded" }.to_owned()));
    }
    let mut findings = Vec::new();
    let mut looked = 0;
    for change in changes().filter(own) {
        let (Some(row), Some(ms)) = (change.last(), change.delta("self_time")) else { continue };
        looked += 1;
        let load = part(ms / 1e3, change.covered_s().unwrap_or(window));
        let share = part(ms, total);
        if share < ctx.threshold("min_share") || load < ctx.threshold("low_load") {
            continue;
        }
        let severity = if load >= ctx.threshold("medium_load") { Severity::Medium } else { Severity::Low };
        let subject = Subject::qualified(
            SubjectKind::Function,
            row.text("schemaname").unwrap_or_default(),
            row.text("funcname").unwrap_or_default(),
        );
        let calls = change.delta("calls").unwrap_or(0.0);
        let name = subject.name.clone();
        findings.push(
            ctx.finding(
                severity,
                subject,
                Text::new()
                    .name(name.clone())
                    .t(" takes ")
                    .opt(Quantity::float(share, Unit::Share))
                    .t(" of the time in functions"),
            )
            .why(
                Text::new()
                    .t("It kept ")
                    .opt(Quantity::float(load, Unit::Sessions))
                    .t(" sessions busy on average, without what it calls; ")
                    .opt(Quantity::float(part(ms, calls), Unit::Ms))
                    .t(" per call."),
            )
            .doubts([ctx.single_doubt(), ctx.short_doubt("good_window_s"), ctx.class_doubt(change)])
            .measure(ctx.measure("Calls", change, "calls"))
            .measure(ctx.measure("Own time", change, "self_time"))
            .measure(ctx.over_window(
                "Share of the time in functions",
                Quantity::float(share, Unit::Share),
                format!("{} ÷ {}", show(ms, Unit::Ms), show(total, Unit::Ms)),
                &[(row, &["self_time"])],
            ))
            .fix(Fix::diagnose(
                name,
                match row.int("funcid") {
                    Some(oid) => format!("SELECT pg_get_functiondef({oid});"),
                    None => "SELECT * FROM pg_stat_user_functions ORDER BY self_time DESC LIMIT 20;".to_owned(),
                },
            ))
            .verify("Its own time per call falls in the next window.")
            .effort(Effort::M)
            .share(Some(share)),
        );
    }
    Ok(Checked {
        findings,
        looked_at: format!("{}, {} in them", counted(looked, "function", "functions"), show(total, Unit::Ms)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::literal::literal;

    fn with(self_ms: &str) -> Vec<String> {
        let taken = |at: &str, rows: &[&str]| {
            literal(at)
                .view("pg_stat_database", "datid | datname | stats_reset", &["16697 | shop | 2026-11-01 00:00:00+00"])
                .view("pg_stat_user_functions", "funcid | schemaname | funcname | calls | total_time | self_time", rows)
                .build()
        };
        let a =
            taken("2026-11-22 10:00:00+00", &["1 | app | claim | 10 | 100 | 100", "2 | app | other | 10 | 100 | 100"]);
        let b = taken(
            "2026-11-22 11:00:00+00",
            &[&format!("1 | app | claim | 1010 | {self_ms} | {self_ms}"), "2 | app | other | 20 | 50100 | 50100"],
        );
        told(&judge(&RULE, &[a, b], ""))
    }

    #[test]
    fn finds_the_function_that_keeps_a_session_busy() {
        assert_eq!(with("400100"), ["low, high: app.claim: app.claim takes 88.9% of the time in functions"]);
        assert_eq!(with("20100"), ["passed: 2 functions, 1 min 10 s in them"]);
    }
}
