//! Connections that are opened and closed too often.

use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Threshold, ratio, show};
use crate::diff::ViewChange;
use crate::finding::{Effort, Severity, Subject, SubjectKind};
use crate::text::Text;
use crate::unit::{Quantity, Unit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "conn-churn",
    title: "Connections opened and closed too often",
    needs: &[Need::View("pg_stat_database", &["datname", "sessions", "session_time"])],
    wants: &[],
    thresholds: &[
        Threshold { name: "min_window_s", default: 60.0, unit: Unit::Seconds, about: "Rates need a minute." },
        Threshold {
            name: "good_window_s",
            default: 3_600.0,
            unit: Unit::Seconds,
            about: "A burst of a minute is no habit.",
        },
        Threshold {
            name: "low_per_s",
            default: 10.0,
            unit: Unit::PerSecond,
            about: "Ten new server processes every second.",
        },
        Threshold {
            name: "medium_per_s",
            default: 50.0,
            unit: Unit::PerSecond,
            about: "A processor busy with starting them.",
        },
        Threshold {
            name: "short_s",
            default: 5.0,
            unit: Unit::Seconds,
            about: "Sessions that last longer are worth their start.",
        },
    ],
    docs: Docs {
        looks_at: "Sessions opened per second in each database, and how long they last on average (14 and later).",
        why: "Each connection is a new process, an authentication, and empty caches of its own.",
        decides: "Ten new sessions a second that last less than five seconds on average; fifty are medium.",
        what_to_do: "A connection pooler between application and server, or connections kept by the application.",
        ignore_when: "A health check or a monitoring probe is the cause and cannot be changed.",
        references: "PostgreSQL manual, \"pg_stat_database\".",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    ctx.window_of("min_window_s")?;
    let mut findings = Vec::new();
    let mut most = 0.0_f64;
    for change in ctx.changes("pg_stat_database").into_iter().flat_map(ViewChange::present) {
        let (Some(row), Some(per_s)) = (change.last(), change.rate("sessions")) else { continue };
        let (Some(name), Some(sessions), Some(time)) =
            (row.text("datname"), change.delta("sessions"), change.delta("session_time"))
        else {
            continue;
        };
        most = most.max(per_s);
        let mean_s = time / 1e3 / sessions.max(1.0);
        if per_s < ctx.threshold("low_per_s") || mean_s >= ctx.threshold("short_s") {
            continue;
        }
        let severity = if per_s >= ctx.threshold("medium_per_s") { Severity::Medium } else { Severity::Low };
        let (mean, formula) = ratio((time, Unit::Ms), (sessions, Unit::Count), Unit::Ms);
        findings.push(
            ctx.finding(
                severity,
                Subject::new(SubjectKind::Database, name),
                Text::new()
                    .opt(Quantity::float(per_s, Unit::PerSecond))
                    .t(" sessions are opened in ")
                    .name(name)
                    .t(", each for ")
                    .opt(mean),
            )
            .why("Each is a new server process with an authentication and empty caches.")
            .doubts([ctx.single_doubt(), ctx.short_doubt("good_window_s"), ctx.class_doubt(change)])
            .measure(ctx.measure("Sessions opened", change, "sessions"))
            .measures(ctx.per_second("Sessions opened a second", change, "sessions", Unit::PerSecond))
            .measure(ctx.over_window(
                "Mean length of a session",
                mean,
                formula,
                &ctx.ends(change, &["session_time", "sessions"]),
            ))
            .verify("Sessions opened per second fall in the next window.")
            .effort(Effort::M),
        );
    }
    Ok(Checked { findings, looked_at: format!("at most {} new sessions", show(most, Unit::PerSecond)) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{database_over_an_hour, judge, told};

    fn say(header: &str, before: &str, after: &str) -> Vec<String> {
        told(&judge(&RULE, &database_over_an_hour(header, before, after), ""))
    }

    #[test]
    fn many_short_sessions_are_churn_few_or_long_ones_are_not() {
        const HEADER: &str = "sessions | session_time";
        assert_eq!(
            say(HEADER, "0 | 0", "72000 | 7200000"),
            ["low, high: shop: 20.0/s sessions are opened in shop, each for 100 ms"]
        );
        assert_eq!(
            say(HEADER, "0 | 0", "360000 | 7200000"),
            ["medium, high: shop: 100/s sessions are opened in shop, each for 20.0 ms"]
        );
        assert_eq!(say(HEADER, "0 | 0", "72000 | 720000000"), ["passed: at most 20.0/s new sessions"]);
        assert_eq!(say(HEADER, "0 | 0", "3600 | 3600"), ["passed: at most 1.00/s new sessions"]);
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert_eq!(
            crate::advisor::testing::told_of_nothing(&RULE),
            "skipped, input missing: `pg_stat_database` is not in the dump"
        );
    }
}
