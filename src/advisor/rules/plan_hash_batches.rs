//! A hash table that did not fit into memory.

use crate::advisor::plans::{Explained, check_each, share};
use crate::advisor::{Check, Context, Docs, Need, Rule, Threshold};
use crate::finding::{Effort, Finding, Fix, Severity};
use crate::text::Text;
use crate::unit::{Quantity, Unit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "plan-hash-batches",
    title: "Hash in several batches",
    needs: &[Need::Plans],
    wants: &[],
    thresholds: &[Threshold {
        name: "min_batches",
        default: 2.0,
        unit: Unit::Count,
        about: "One batch stays in memory.",
    }],
    docs: Docs {
        looks_at: "Hash joins and hash aggregates with more than one batch.",
        why: "A hash table that does not fit into work_mem × hash_mem_multiplier is split into batches that go through temporary files.",
        decides: "Batches above one, or space on disk. Batches that were planned are low; those that came during execution show that the estimate was too small.",
        what_to_do: "Mend the estimate first where more batches came than were planned. Else a larger hash_mem_multiplier or work_mem for the role that needs it.",
        ignore_when: "A report at night that nobody waits for.",
        references: "PostgreSQL manual, \"Resource Consumption\" (work_mem, hash_mem_multiplier).",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    check_each(ctx, worst)
}

fn worst<'a>(ctx: &Context<'a>, of: &Explained<'a>) -> Option<Finding> {
    let (at, batches) = of.largest(|_, n| {
        n.batches.filter(|b| matches!(n.kind.as_str(), "Hash" | "Aggregate") && *b >= ctx.threshold("min_batches"))
    })?;
    let node = of.node(at)?;
    // The text of a hash join says what was planned only where that was other; an aggregate plans partitions.
    let planned = match node.kind.as_str() {
        "Hash" => node.planned_batches.is_none_or(|planned| planned >= batches),
        _ => node.planned_partitions.is_some(),
    };
    let severity = if planned { Severity::Low } else { Severity::Medium };
    let title = of.at(at).t(" took ").opt(crate::advisor::whole(batches, Unit::Count)).t(" batches");
    let why = if planned {
        Text::new().t("The planner knew that it would not fit into memory.")
    } else {
        Text::new().t("More rows came than the planner expected: the number of batches grew during execution.")
    };
    let part = of.own_share(at);
    Some(
        ctx.plan_finding(of, severity, title)
            .why(why.t(" It takes ").opt(share(part)).t(" of the execution."))
            .measure(ctx.plan_measure(
                of,
                "Batches",
                Quantity::float(batches, Unit::Count),
                "batches of the hash table",
            ))
            .measures(part.map(|part| ctx.share_of_execution(of, part)))
            .fix(Fix::diagnose(
                "work_mem",
                "SELECT name, setting, unit FROM pg_settings WHERE name IN ('work_mem', 'hash_mem_multiplier');",
            ))
            .effort(Effort::S)
            .share(part),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{assert_needs_measurements, judge_plan, told};

    #[test]
    fn tells_planned_batches_from_those_that_came() {
        let plan = |batches: &str| {
            format!(
                "Hash Join  (cost=0.00..1.00 rows=1 width=4) (actual time=0.010..1.000 rows=9 loops=1)\n  ->  Hash  (cost=0.00..1.00 rows=1 width=4) (actual time=0.010..0.900 rows=9 loops=1)\n        Buckets: 1024  Batches: {batches}  Memory Usage: 40kB\nExecution Time: 10.000 ms"
            )
        };
        assert_eq!(told(&judge_plan(&RULE, &plan("16"))), ["low, medium: queryid 7: Hash took 16 batches"]);
        assert_eq!(
            told(&judge_plan(&RULE, &plan("16 (originally 4)"))),
            ["medium, medium: queryid 7: Hash took 16 batches"]
        );
        assert_eq!(told(&judge_plan(&RULE, &plan("1"))), ["passed: 1 plan with measurements"]);
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert_needs_measurements(&RULE);
    }
}
