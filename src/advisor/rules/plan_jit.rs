//! Compilation that is a large part of the execution.

use crate::advisor::cure::set_role;
use crate::advisor::plans::{Explained, check_each, share};
use crate::advisor::server_settings::server_value;
use crate::advisor::{Check, Context, Docs, Need, Rule, Threshold, show};
use crate::catalog::settings::parse;
use crate::finding::{Effort, Finding, Fix, Severity};
use crate::text::Text;
use crate::unit::{Quantity, Unit};

const LIMIT: &str = "jit_above_cost";

/// The rule.
pub const RULE: Rule = Rule {
    id: "plan-jit",
    title: "Compilation costs more than it spares",
    needs: &[Need::Plans],
    wants: &[Need::Setting(LIMIT)],
    thresholds: &[Threshold { name: "min_share", default: 0.2, unit: Unit::Share, about: "A fifth of the execution." }],
    docs: Docs {
        looks_at: "Just-in-time compilation of executed statements.",
        why: "Compiling takes time before the first row; short statements do not earn it back.",
        decides: "Time of compilation against that of the execution. Low where the plan's cost is below the server's jit_above_cost: \
                  then who ran it had set a value of their own.",
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
    let title = Text::new().t("Compilation takes ").opt(share(Some(part))).t(" of the execution");
    let functions = crate::advisor::whole(jit.functions, Unit::Count);
    let mut why = Text::new().opt(Quantity::float(ms, Unit::Ms)).t(" to compile ").opt(functions).t(" functions.");
    let own = own_limit(ctx, of);
    // The server's value compiles nothing as cheap: taking it from the role would change nothing here.
    let (severity, fix) = if let Some((cost, limit)) = own {
        why = why
            .t(" Its cost, ")
            .opt(Quantity::float(cost, Unit::Plain))
            .t(", is below the server's ")
            .code(LIMIT)
            .t(" of ")
            .opt(Quantity::float(limit, Unit::Plain))
            .t(": who ran it had a value of their own (session, role, database, options of the client). Take that away.");
        (Severity::Low, look_for_own_values())
    } else {
        let when_not = "The role also runs long analytical statements that compilation makes faster.";
        (Severity::Medium, set_role(None, "jit", "off", when_not.into()))
    };
    let finding = ctx
        .plan_finding(of, severity, title)
        .why(why)
        .measure(ctx.plan_measure(of, "Time of compilation", Quantity::float(ms, Unit::Ms), "JIT timing, total"))
        .measure(ctx.time_of_execution(of, "Share of the execution", ms, part))
        .measure(ctx.plan_measure(of, "Functions compiled", functions, "JIT functions"))
        .fix(fix)
        .effort(Effort::S)
        .share(own.is_none().then_some(part));
    let Some((cost, limit)) = own else { return Some(finding) };
    let formula = format!("total cost of the root, below the server's {}", show(limit, Unit::Plain));
    let cost = ctx.plan_measure(of, "Cost of the plan", Quantity::float(cost, Unit::Plain), formula);
    Some(finding.measure(cost).measure(ctx.setting_measure(LIMIT)))
}

/// The plan's cost and the server's limit, where the server itself would not have compiled it.
fn own_limit(ctx: &Context<'_>, of: &Explained<'_>) -> Option<(f64, f64)> {
    let limit = parse(server_value(ctx.setting_row(LIMIT)?)?, None).number()?;
    let (_, cost) = of.plan.nodes.first()?.cost?;
    (limit >= 0.0 && cost < limit).then_some((cost, limit))
}

fn look_for_own_values() -> Fix {
    Fix::diagnose(
        LIMIT,
        "SELECT setdatabase, setrole::regrole, setconfig FROM pg_db_role_setting WHERE setconfig::text LIKE '%jit%';",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{assert_needs_measurements, judge_plan, judge_plan_beside, told};
    use crate::finding::{Outcome, Verb};

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

    /// PostgreSQL compiles nothing that is cheaper than the limit.
    #[test]
    fn what_the_server_would_not_compile_was_asked_for() {
        let plan = "Seq Scan on o  (cost=0.00..12.60 rows=1 width=4) (actual time=0.010..99.000 rows=9 loops=1)\nJIT:\n  Functions: 6\n  Timing: Generation 0.500 ms, Inlining 0.000 ms, Optimization 0.300 ms, Emission 3.000 ms, Total 40.000 ms\nExecution Time: 100.000 ms";
        let said = |limit: &str| {
            let settings = [format!("jit_above_cost | {limit} | default")];
            let rows: Vec<&str> = settings.iter().map(String::as_str).collect();
            let outcome = judge_plan_beside(&RULE, plan, &[("pg_settings", "name | setting | source", &rows)]);
            let Outcome::Found { findings, .. } = outcome else { panic!() };
            (findings[0].severity, findings[0].fixes[0].verb)
        };
        assert_eq!(said("100000"), (Severity::Low, Verb::Diagnose));
        assert_eq!(said("10"), (Severity::Medium, Verb::Set));
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert_needs_measurements(&RULE);
    }
}
