//! Planning that takes longer than the execution.

use crate::advisor::plans::{Explained, check_each};
use crate::advisor::{Check, Context, Docs, Need, Rule, Threshold, show};
use crate::finding::{Effort, Finding, Severity};
use crate::text::Text;
use crate::unit::{Quantity, Unit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "plan-planning",
    title: "Planning takes longer than the execution",
    needs: &[Need::Plans],
    wants: &[],
    thresholds: &[
        Threshold { name: "min_ms", default: 10.0, unit: Unit::Ms, about: "Less is seldom felt." },
        Threshold {
            name: "min_ratio",
            default: 1.0,
            unit: Unit::Times,
            about: "As long as the execution: half of the wait is planning.",
        },
    ],
    docs: Docs {
        looks_at: "Planning time against execution time.",
        why: "A statement with many joins or many partitions can take longer to plan than to run, each time it is sent.",
        decides: "Planning at least as long as the execution, and ten milliseconds. The first statement of a session reads the catalogs \
                  into its cache, too: one plan is one sample.",
        what_to_do: "Prepare the statement (a generic plan is planned once), have the pooler keep sessions, use fewer partitions or name \
                     the partition key, join fewer tables.",
        ignore_when: "It was the first statement of its session; run it twice.",
        references: "PostgreSQL manual, \"PREPARE\"; \"Best Practices for Declarative Partitioning\".",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    check_each(ctx, worst)
}

fn worst<'a>(ctx: &Context<'a>, of: &Explained<'a>) -> Option<Finding> {
    let (planning, execution) = (of.plan.planning_ms?, of.plan.execution_ms?);
    if planning < ctx.threshold("min_ms") || planning < execution * ctx.threshold("min_ratio") {
        return None;
    }
    let ms = |ms| Quantity::float(ms, Unit::Ms);
    let part = planning / (planning + execution).max(f64::MIN_POSITIVE);
    Some(
        ctx.plan_finding(
            of,
            Severity::Low,
            Text::new().t("Planned for ").opt(ms(planning)).t(", executed for ").opt(ms(execution)),
        )
        .why("If it was not the first statement of its session, each call pays for that.")
        .measure(ctx.plan_measure(of, "Planning time", ms(planning), "as printed"))
        .measure(ctx.plan_measure(
            of,
            "Share of the whole",
            Quantity::float(part, Unit::Share),
            format!("{} ÷ ({} + {})", show(planning, Unit::Ms), show(planning, Unit::Ms), show(execution, Unit::Ms)),
        ))
        .effort(Effort::M)
        .share(Some(part)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{assert_needs_measurements, judge_plan, told};

    fn with(planning: &str, execution: &str) -> Vec<String> {
        told(&judge_plan(
            &RULE,
            &format!(
                "Seq Scan on t  (cost=0.00..1.00 rows=1 width=4) (actual time=0.010..1.000 rows=5 loops=1)\nPlanning Time: {planning} ms\nExecution Time: {execution} ms"
            ),
        ))
    }

    #[test]
    fn finds_what_is_planned_longer_than_it_runs() {
        assert_eq!(with("12.000", "3.000"), ["low, medium: queryid 7: Planned for 12.0 ms, executed for 3.00 ms"]);
    }

    #[test]
    fn stays_quiet_below_each_floor() {
        assert_eq!(with("9.900", "3.000"), ["passed: 1 plan with measurements"]);
        assert_eq!(with("12.000", "13.000"), ["passed: 1 plan with measurements"]);
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert_needs_measurements(&RULE);
    }
}
