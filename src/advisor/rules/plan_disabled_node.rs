//! A node that the planner was told to avoid and could not.

use crate::advisor::plans::{Explained, check_each_given};
use crate::advisor::{Check, Context, Docs, Need, Rule, Threshold};
use crate::finding::{Confidence, Effort, Finding, Fix, Severity};
use crate::text::Text;
use crate::unit::{Quantity, Unit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "plan-disabled-node",
    title: "Plan uses what is switched off",
    needs: &[Need::Plans],
    wants: &[],
    thresholds: &[Threshold {
        name: "disabled_cost",
        default: 1e10,
        unit: Unit::Plain,
        about: "What the planner adds to the cost of a node that is switched off, up to 17.",
    }],
    docs: Docs {
        looks_at: "Nodes marked as disabled (18), or that cost ten thousand millions and more (up to 17).",
        why: "An enable_ setting switches a kind of node off, but the planner found no other way. Its choice among the rest is then \
              distorted by the large cost.",
        decides: "The lowest such node. Also of plans that were not executed, which is less sure.",
        what_to_do: "Look at enable_* of the session, role and database. EXPLAIN (SETTINGS) prints those that differ from their defaults.",
        ignore_when: "The setting was changed for this one EXPLAIN.",
        references: "PostgreSQL manual, \"Planner Method Configuration\"; \"EXPLAIN\" (SETTINGS).",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    check_each_given(ctx, worst)
}

fn worst<'a>(ctx: &Context<'a>, of: &Explained<'a>) -> Option<Finding> {
    let is_off = |at: usize| {
        of.node(at)
            .is_some_and(|n| n.disabled || n.cost.is_some_and(|(_, total)| total >= ctx.threshold("disabled_cost")))
    };
    let at = (0..of.plan.nodes.len()).find(|at| is_off(*at) && !of.plan.below(*at).any(is_off))?;
    let switched: Vec<String> = of
        .plan
        .settings
        .iter()
        .filter(|(name, _)| name.starts_with("enable_"))
        .map(|(name, value)| format!("{name} = {value}"))
        .collect();
    let mut why = Text::new().t("It was the only way left.");
    if !switched.is_empty() {
        why = why.t(" The plan was made with ").code(switched.join(", ")).t(".");
    }
    let cost = of.node(at).and_then(|n| n.cost).and_then(|(_, total)| Quantity::float(total, Unit::Plain));
    let finding = ctx
        .plan_finding(of, Severity::Info, of.at(at).t(" is used although its kind is switched off"))
        .why(why)
        .measure(ctx.plan_measure(of, "Cost", cost, "total cost of the node"))
        .fix(Fix::diagnose(
            "enable_*",
            "SELECT name, setting, source FROM pg_settings WHERE name LIKE 'enable\\_%' AND setting <> boot_val;",
        ))
        .effort(Effort::S);
    Some(if of.plan.is_analyzed() { finding } else { finding.at_most(Confidence::Low) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge_plan, told};
    use crate::snapshot::literal::literal;

    #[test]
    fn finds_the_lowest_by_its_cost_or_by_its_mark() {
        let costly = "Sort  (cost=10000000001.00..10000000002.00 rows=1 width=4)\n  Sort Key: a\n  ->  Seq Scan on t  (cost=10000000000.00..10000000001.00 rows=1 width=4)\nSettings: enable_seqscan = 'off'";
        let marked = "Seq Scan on t  (cost=0.00..1.00 rows=1 width=4) (actual time=0.010..1.000 rows=5.00 loops=1)\n  Disabled: true\nExecution Time: 1.000 ms";
        let title = "queryid 7: Seq Scan on t is used although its kind is switched off";
        assert_eq!(told(&judge_plan_any(costly)), [format!("info, low: {title}")]);
        assert_eq!(told(&judge_plan_any(marked)), [format!("info, medium: {title}")]);
    }

    fn judge_plan_any(plan: &str) -> crate::finding::Outcome {
        judge_plan(&RULE, plan)
    }

    #[test]
    fn stays_quiet_about_what_is_allowed() {
        let plan = "Seq Scan on t  (cost=0.00..9999999999.00 rows=1 width=4)";
        assert_eq!(told(&judge_plan(&RULE, plan)), ["passed: 1 plan"]);
    }

    #[test]
    fn says_that_it_cannot_know() {
        let b = literal("2026-11-22 12:00:00+00").build();
        let told = told(&crate::advisor::testing::judge(&RULE, &[b], ""));
        assert!(told[0].starts_with("skipped: "), "{told:?}");
    }
}
