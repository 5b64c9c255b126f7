//! Compilation that is a large part of the execution.

use crate::advisor::cure::set_role;
use crate::advisor::plans::{Explained, check_each, share};
use crate::advisor::{Check, Context, Docs, Need, Rule, Threshold};
use crate::finding::{Effort, Finding, Severity};
use crate::text::Text;
use crate::unit::{Quantity, Unit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "plan-jit",
    title: "Compilation costs more than it spares",
    needs: &[Need::Plans],
    wants: &[],
    thresholds: &[Threshold { name: "min_share", default: 0.2, unit: Unit::Share, about: "A fifth of the execution." }],
    docs: Docs {
        looks_at: "Just-in-time compilation of executed statements.",
        why: "Compiling takes time before the first row; short statements do not earn it back.",
        decides: "Time of compilation against that of the execution.",
        what_to_do: "Raise jit_above_cost for the role or the database, or set jit to off there.",
        ignore_when: "The statement runs for minutes and the share comes from one short execution.",
        references: "PostgreSQL manual, \"Just-in-Time Compilation\".",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    check_each(ctx, worst)
}

fn worst<'a>(ctx: &Context<'a>, of: &Explained<'a>) -> Option<Finding> {
    let jit = of.plan.jit.as_ref()?;
    let ms = jit.total_ms.unwrap_or_else(|| jit.steps.iter().map(|(_, ms)| ms).sum());
    let part = of.share(Some(ms)).filter(|p| *p >= ctx.threshold("min_share"))?;
    let when_not: Text = "The role also runs long analytical statements that compilation makes faster.".into();
    Some(
        ctx.plan_finding(
            of,
            Severity::Medium,
            Text::new().t("Compilation takes ").opt(share(Some(part))).t(" of the execution"),
        )
        .why(
            Text::new()
                .opt(Quantity::float(ms, Unit::Ms))
                .t(" to compile ")
                .opt(crate::advisor::whole(jit.functions, Unit::Count))
                .t(" functions."),
        )
        .measure(ctx.plan_measure(of, "Time of compilation", Quantity::float(ms, Unit::Ms), "JIT timing, total"))
        .fix(set_role(None, "jit", "off", when_not))
        .effort(Effort::S)
        .share(Some(part)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{assert_needs_measurements, judge_plan, told};

    #[test]
    fn finds_compilation_that_takes_long() {
        let plan = |ms: &str| {
            format!(
                "Seq Scan on o  (cost=0.00..1.00 rows=1 width=4) (actual time=0.010..99.000 rows=9 loops=1)\nJIT:\n  Functions: 6\n  Options: Inlining false, Optimization false, Expressions true, Deforming true\n  Timing: Generation 0.500 ms, Inlining 0.000 ms, Optimization 0.300 ms, Emission 3.000 ms, Total {ms} ms\nExecution Time: 100.000 ms"
            )
        };
        assert_eq!(
            told(&judge_plan(&RULE, &plan("40.000"))),
            ["medium, medium: queryid 7: Compilation takes 40% of the execution"]
        );
        assert_eq!(told(&judge_plan(&RULE, &plan("4.000"))), ["passed: 1 plan with measurements"]);
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert_needs_measurements(&RULE);
    }
}
