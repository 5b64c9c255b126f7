//! Parallel workers that were planned and did not come.

use crate::advisor::plans::{Explained, check_each};
use crate::advisor::{Check, Context, Docs, Need, Rule, Threshold, whole};
use crate::finding::{Effort, Finding, Fix, Severity};
use crate::text::Text;
use crate::unit::Unit;

/// The rule.
pub const RULE: Rule = Rule {
    id: "plan-parallel-launch",
    title: "Fewer parallel workers than planned",
    needs: &[Need::Plans],
    wants: &[],
    thresholds: &[Threshold {
        name: "min_missing",
        default: 1.0,
        unit: Unit::Count,
        about: "One that did not come makes the statement slower than it was planned to be.",
    }],
    docs: Docs {
        looks_at: "Workers planned and launched by each Gather.",
        why: "The plan was chosen because the work would be shared; with fewer workers another plan might have been faster.",
        decides: "One worker missing. It is one execution: how often that happens is seen in pg_stat_statements of 18, rule \
                  query-parallel-starved.",
        what_to_do: "If it happens often: more max_parallel_workers (and max_worker_processes, with a restart), or fewer statements that \
                     ask for them (max_parallel_workers_per_gather for the roles that need none).",
        ignore_when: "It was one busy moment.",
        references: "PostgreSQL manual, \"When Can Parallel Query Be Used?\"; \"Asynchronous Behavior\".",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    check_each(ctx, worst)
}

fn worst<'a>(ctx: &Context<'a>, of: &Explained<'a>) -> Option<Finding> {
    let (at, missing) = of.largest(|_, n| {
        let missing = n.workers_planned? - n.workers_launched?;
        (missing >= ctx.threshold("min_missing")).then_some(missing)
    })?;
    let node = of.node(at)?;
    let planned = node.workers_planned.and_then(|n| whole(n, Unit::Count));
    let launched = node.workers_launched.and_then(|n| whole(n, Unit::Count));
    Some(
        ctx.plan_finding(
            of,
            Severity::Low,
            of.at(at).t(" got ").opt(launched).t(" of ").opt(planned).t(" parallel workers"),
        )
        .why(Text::new().opt(whole(missing, Unit::Count)).t(" were in use elsewhere, or the limits of the server leave none."))
        .measure(ctx.plan_measure(of, "Workers planned", planned, "workers planned of the Gather"))
        .measure(ctx.plan_measure(of, "Workers launched", launched, "workers launched of the Gather"))
        .measure(ctx.plan_measure(of, "Workers that did not come", whole(missing, Unit::Count), "planned − launched"))
        .fix(Fix::diagnose(
            "max_parallel_workers",
            "SELECT name, setting FROM pg_settings\nWHERE name IN ('max_parallel_workers', 'max_worker_processes', 'max_parallel_workers_per_gather');",
        ))
        .effort(Effort::S)
        .share(of.wall_share(at)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{assert_needs_measurements, judge_plan, told};

    fn with(launched: u32) -> Vec<String> {
        told(&judge_plan(
            &RULE,
            &format!(
                "Gather  (cost=0.00..1.00 rows=1 width=4) (actual time=0.010..9.000 rows=5 loops=1)\n  Workers Planned: 4\n  Workers Launched: {launched}\n  ->  Parallel Seq Scan on t  (cost=0.00..1.00 rows=1 width=4) (actual time=0.010..8.000 rows=1 loops=5)\nExecution Time: 10.000 ms"
            ),
        ))
    }

    #[test]
    fn finds_workers_that_did_not_come() {
        assert_eq!(with(1), ["low, medium: queryid 7: Gather got 1 of 4 parallel workers"]);
    }

    #[test]
    fn stays_quiet_where_all_came() {
        assert_eq!(with(4), ["passed: 1 plan with measurements"]);
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert_needs_measurements(&RULE);
    }
}
