//! Plans whose parallel workers cannot be started.

use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Threshold, ratio, show_counted};
use crate::diff::ViewChange;
use crate::finding::{Effort, Fix, Severity, Subject, SubjectKind};
use crate::text::Text;
use crate::unit::Unit;

/// The rule.
pub const RULE: Rule = Rule {
    id: "query-parallel-starved",
    title: "Planned parallel workers are not available",
    needs: &[Need::View("pg_stat_database", &["datname", "parallel_workers_to_launch", "parallel_workers_launched"])],
    wants: &[Need::Setting("max_parallel_workers"), Need::Setting("max_worker_processes")],
    thresholds: &[
        Threshold { name: "min_window_s", default: 600.0, unit: Unit::Seconds, about: "Less is one moment." },
        Threshold {
            name: "min_planned",
            default: 100.0,
            unit: Unit::Count,
            about: "Fewer are a handful of statements.",
        },
        Threshold {
            name: "max_launched",
            default: 0.8,
            unit: Unit::Share,
            about: "One planned worker in five does not come.",
        },
    ],
    docs: Docs {
        looks_at: "Parallel workers that plans asked for and those that were started, per database (18 and later).",
        why: "The planner chose the plan for its workers. Without them the session does their work alone, with a plan that may be worse \
              than the one it would have chosen.",
        decides: "A hundred workers planned and less than four of five started.",
        what_to_do: "More max_parallel_workers (and max_worker_processes, at a restart) where processors are free; else a smaller \
                     max_parallel_workers_per_gather, so that plans ask for what there is.",
        ignore_when: "Only reports at night are concerned, and nobody waits for them.",
        references: "PostgreSQL manual, \"How Parallel Query Works\"; \"pg_stat_database\".",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    ctx.window_of("min_window_s")?;
    let mut findings = Vec::new();
    let (mut wanted, mut came, mut exact) = (0.0, 0.0, true);
    for change in ctx.changes("pg_stat_database").into_iter().flat_map(ViewChange::present) {
        let Some(row) = change.last() else { continue };
        let (Some(name), Some(planned), Some(launched)) = (
            row.text("datname"),
            change.delta("parallel_workers_to_launch"),
            change.delta("parallel_workers_launched"),
        ) else {
            continue;
        };
        (wanted, came) = (wanted + planned, came + launched);
        exact &= change.is_exact();
        let (share, formula) = ratio((launched, Unit::Count), (planned, Unit::Count), Unit::Share);
        if planned < ctx.threshold("min_planned") || share.is_none_or(|q| q.as_f64() >= ctx.threshold("max_launched")) {
            continue;
        }
        let title =
            Text::new().t("Only ").opt(share).t(" of the parallel workers planned in ").name(name).t(" were started");
        let mut finding = ctx
            .finding(Severity::Low, Subject::new(SubjectKind::Database, name), title)
            .why("Without its workers a session does their work alone, with a plan made for several.")
            .doubts([ctx.single_doubt(), ctx.class_doubt(change)])
            .measure(ctx.measure("Workers planned", change, "parallel_workers_to_launch"))
            .measure(ctx.measure("Workers started", change, "parallel_workers_launched"))
            .measure(ctx.over_window(
                "Share started",
                share,
                formula,
                &[(row, &["parallel_workers_launched", "parallel_workers_to_launch"])],
            ));
        for setting in ["max_parallel_workers", "max_worker_processes", "max_parallel_workers_per_gather"] {
            if ctx.exported_setting(setting).is_some() {
                finding = finding.measure(ctx.setting_measure(setting));
            }
        }
        findings.push(
            finding
                .fix(Fix::diagnose(
                    name,
                    "SELECT queryid, calls, parallel_workers_to_launch, parallel_workers_launched\nFROM pg_stat_statements\n\
                     ORDER BY parallel_workers_to_launch - parallel_workers_launched DESC LIMIT 10;",
                ))
                .verify("The share started rises in the next window.")
                .effort(Effort::M),
        );
    }
    Ok(Checked {
        findings,
        looked_at: format!(
            "{} of {} planned workers started",
            show_counted(came, Unit::Count, exact),
            show_counted(wanted, Unit::Count, exact)
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{database_over_an_hour, judge, told};
    use crate::snapshot::literal::literal;

    const HEADER: &str = "parallel_workers_to_launch | parallel_workers_launched";

    fn say(after: &str) -> Vec<String> {
        told(&judge(&RULE, &database_over_an_hour(HEADER, "0 | 0", after), ""))
    }

    #[test]
    fn workers_that_do_not_come_are_told() {
        assert_eq!(
            say("400 | 100"),
            ["low, high: shop: Only 25% of the parallel workers planned in shop were started"]
        );
        assert_eq!(say("400 | 390"), ["passed: 390 of 400 planned workers started"]);
        assert_eq!(say("40 | 1"), ["passed: 1 of 40 planned workers started"]);
    }

    #[test]
    fn seventeen_does_not_count_them() {
        let b =
            literal("2026-11-22 12:00:00+00").version(17).view("pg_stat_database", "datid | datname", &["5 | shop"]);
        assert_eq!(
            told(&judge(&RULE, &[b.build()], "")),
            ["skipped: PostgreSQL 17 does not have `pg_stat_database.parallel_workers_to_launch`"]
        );
    }
}
