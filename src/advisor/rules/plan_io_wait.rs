//! A plan that waits for input.

use crate::advisor::plans::{Explained, check_each, share};
use crate::advisor::{Check, Context, Docs, Need, Rule, Threshold};
use crate::finding::{Effort, Finding, Fix, Severity};
use crate::text::Text;
use crate::unit::{Quantity, Unit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "plan-io-wait",
    title: "Execution waits for reads",
    needs: &[Need::Plans],
    wants: &[],
    thresholds: &[
        Threshold { name: "min_share", default: 0.5, unit: Unit::Share, about: "Half of the execution." },
        Threshold {
            name: "min_ms",
            default: 100.0,
            unit: Unit::Ms,
            about: "Reading for so long; what is done sooner waits for nothing that matters.",
        },
    ],
    docs: Docs {
        looks_at: "Time of reading blocks, measured with track_io_timing.",
        why: "What is not in shared buffers has to be read; the statement waits meanwhile.",
        decides: "Reading time at the root, which includes everything below, against that of the execution, a tenth of a second at least; below a Gather processes wait side by side, and the plan is left alone.",
        what_to_do: "Explain it again: a second execution shows whether the first one only warmed the cache. Then fewer blocks: an index, fewer columns, fewer rows.",
        ignore_when: "The first execution after a restart.",
        references: "PostgreSQL manual, \"Run-time Statistics\" (track_io_timing).",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    check_each(ctx, worst)
}

fn worst<'a>(ctx: &Context<'a>, of: &Explained<'a>) -> Option<Finding> {
    if of.measured.iter().any(|m| m.in_parallel) {
        // Their waits overlap: the sum says nothing about the clock.
        return None;
    }
    let root = of.node(0)?;
    let ms = root.io.read_ms + root.io.temp_read_ms;
    if ms < ctx.threshold("min_ms") {
        return None;
    }
    let part = of.share(Some(ms)).filter(|p| *p >= ctx.threshold("min_share"))?;
    let blocks = (root.buffers.shared_read + root.buffers.local_read + root.buffers.temp_read) as f64;
    Some(
        ctx.plan_finding(
            of,
            Severity::Medium,
            Text::new().t("Reading blocks takes ").opt(share(Some(part))).t(" of the execution"),
        )
        .why(
            Text::new()
                .opt(crate::advisor::whole(blocks, Unit::Blocks))
                .t(" blocks were not in shared buffers. One execution: the next may find them there."),
        )
        .measure(ctx.plan_measure(of, "Time reading", Quantity::float(ms, Unit::Ms), "reading time of the root"))
        .measure(ctx.plan_measure(
            of,
            "Blocks read",
            crate::advisor::whole(blocks, Unit::Blocks),
            "blocks read of the root",
        ))
        .measure(ctx.time_of_execution(of, "Share of the execution", ms, part))
        .fix(Fix::diagnose(
            "shared_buffers",
            "SELECT name, setting, unit FROM pg_settings WHERE name IN ('shared_buffers', 'track_io_timing');",
        ))
        .effort(Effort::M)
        .share(Some(part)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{assert_needs_measurements, judge_plan, told};

    #[test]
    fn finds_plans_that_wait_for_reads() {
        let plan = |ms: &str, all: &str| {
            format!(
                "Seq Scan on o  (cost=0.00..1.00 rows=1 width=4) (actual time=0.010..999.000 rows=9 loops=1)\n  Buffers: shared read=500\n  I/O Timings: shared read={ms}\nExecution Time: {all} ms"
            )
        };
        assert_eq!(
            told(&judge_plan(&RULE, &plan("600.000", "1000.000"))),
            ["medium, medium: queryid 7: Reading blocks takes 60% of the execution"]
        );
        assert_eq!(told(&judge_plan(&RULE, &plan("60.000", "1000.000"))), ["passed: 1 plan with measurements"]);
        assert_eq!(
            told(&judge_plan(&RULE, &plan("60.000", "100.000"))),
            ["passed: 1 plan with measurements"],
            "done in a tenth of a second"
        );
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert_needs_measurements(&RULE);
    }
}
