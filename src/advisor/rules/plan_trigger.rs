//! Triggers that are a large part of the execution.

use crate::advisor::plans::{Explained, check_each, share};
use crate::advisor::{Check, Context, Docs, Need, Rule, Threshold};
use crate::finding::{Effort, Finding, Fix, Severity};
use crate::ident::quote_literal;
use crate::text::Text;
use crate::unit::{Quantity, Unit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "plan-trigger",
    title: "Triggers take the time",
    needs: &[Need::Plans],
    wants: &[],
    thresholds: &[Threshold { name: "min_share", default: 0.2, unit: Unit::Share, about: "A fifth of the execution." }],
    docs: Docs {
        looks_at: "Triggers that ran for an executed statement, those of foreign keys included.",
        why: "Their time stands beside the tree, not in it: the nodes look fast.",
        decides: "Time of all triggers against that of the execution.",
        what_to_do: "For a foreign key: an index on the referencing columns, without which each deleted row is a pass over the other table. Else what the trigger function does: statement level with transition tables is one call instead of one for each row.",
        ignore_when: "The trigger is wanted as it is.",
        references: "PostgreSQL manual, \"Using EXPLAIN\", \"Overview of Trigger Behavior\".",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    check_each(ctx, worst)
}

fn worst<'a>(ctx: &Context<'a>, of: &Explained<'a>) -> Option<Finding> {
    let sum: f64 = of.plan.triggers.iter().filter_map(|t| t.ms).sum();
    let part = of.share(Some(sum)).filter(|p| *p >= ctx.threshold("min_share"))?;
    let longest = of.plan.triggers.iter().max_by(|a, b| a.ms.unwrap_or(0.0).total_cmp(&b.ms.unwrap_or(0.0)))?;
    let name = longest.constraint.as_deref().or(longest.name.as_deref()).unwrap_or_default();
    let title = Text::new().t("Triggers take ").opt(share(Some(part))).t(" of the execution, most of it ").name(name);
    let column = if longest.constraint.is_some() { "conname" } else { "tgname" };
    let sql = if longest.constraint.is_some() {
        format!(
            "SELECT conrelid::regclass, confrelid::regclass, pg_get_constraintdef(oid) FROM pg_constraint WHERE {column} = {};",
            quote_literal(name)
        )
    } else {
        format!(
            "SELECT tgrelid::regclass, tgfoid::regprocedure, pg_get_triggerdef(oid) FROM pg_trigger WHERE {column} = {};",
            quote_literal(name)
        )
    };
    let why = if longest.constraint.is_some() {
        "It enforces a foreign key: without an index on the referencing columns every row is a pass over the referencing table."
    } else {
        "Its function runs for every row or statement."
    };
    Some(
        ctx.plan_finding(of, Severity::Medium, title)
            .why(why)
            .measure(ctx.plan_measure(of, "Time of triggers", Quantity::float(sum, Unit::Ms), "sum over the triggers"))
            .measure(ctx.time_of_execution(of, "Share of the execution", sum, part))
            .measure(ctx.plan_measure(
                of,
                "Calls of the longest",
                crate::advisor::whole(longest.calls, Unit::Count),
                "calls of the trigger",
            ))
            .fix(Fix::diagnose(name, sql))
            .effort(Effort::S)
            .share(Some(part)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{assert_needs_measurements, judge_plan, told};

    #[test]
    fn finds_triggers_that_take_the_time() {
        let plan = |ms: &str| {
            format!(
                "Delete on o  (cost=0.00..1.00 rows=1 width=4) (actual time=0.010..1.000 rows=0 loops=1)\nTrigger for constraint items_fkey: time={ms} calls=16\nExecution Time: 100.000 ms"
            )
        };
        assert_eq!(
            told(&judge_plan(&RULE, &plan("76.000"))),
            ["medium, medium: queryid 7: Triggers take 76% of the execution, most of it items_fkey"]
        );
        assert_eq!(told(&judge_plan(&RULE, &plan("7.000"))), ["passed: 1 plan with measurements"]);
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert_needs_measurements(&RULE);
    }
}
