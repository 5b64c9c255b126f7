//! A function that became slower.

use crate::advisor::then_now::{last_and_before, last_window_or_skip};
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Threshold, is_system_schema, show};
use crate::diff::{Change, Class, DiffRow};
use crate::finding::{Confidence, Doubt, Effort, Fix, Severity, Subject, SubjectKind};
use crate::text::{Text, counted};
use crate::unit::{Quantity, Unit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "func-mean-regression",
    title: "Function slower than before",
    needs: &[Need::Snapshots(2), Need::View("pg_stat_user_functions", &["funcid", "funcname", "calls", "self_time"])],
    wants: &[Need::View("function_definitions", &["funcid", "source_hash"])],
    thresholds: &[
        Threshold { name: "min_window_s", default: 60.0, unit: Unit::Seconds, about: "Rates need a minute." },
        Threshold {
            name: "good_window_s",
            default: 3_600.0,
            unit: Unit::Seconds,
            about: "Below an hour a passing disturbance is likely.",
        },
        Threshold {
            name: "min_calls",
            default: 100.0,
            unit: Unit::Count,
            about: "Calls on each side, else a mean rests on chance.",
        },
        Threshold {
            name: "min_factor",
            default: 2.0,
            unit: Unit::Times,
            about: "Twice: no deviation is kept that would make less than that sure.",
        },
        Threshold {
            name: "min_added_load",
            default: 0.02,
            unit: Unit::Sessions,
            about: "A fiftieth of a session more, else nobody pays.",
        },
    ],
    docs: Docs {
        looks_at: "Own time per call of each function in the last window against the windows before it; with two snapshots against \
                   everything counted up to the first one.",
        why: "A function that was fast has a cause for being slow that can be found: another body, another plan inside, more data.",
        decides: "Twice the own time per call, a hundred calls on each side, an added load of 0.02 sessions. The server keeps no \
                  deviation of functions: never surer than medium. Where the definitions of two snapshots differ, that is said.",
        what_to_do: "Compare the bodies where they changed; else look at the statements inside (pg_stat_statements.track = all).",
        ignore_when: "Its arguments ask for more than before.",
        references: "PostgreSQL manual, \"pg_stat_user_functions\".",
    },
    check,
};

/// Calls and milliseconds of own time.
type Sums = (f64, f64);

fn check(ctx: &Context<'_>) -> Check {
    let last = last_window_or_skip(ctx)?;
    let mut checked = Checked::default();
    let mut compared = 0;
    for change in ctx.changes_or_skip("pg_stat_user_functions")?.present() {
        let Some(row) = change.last() else { continue };
        let Some((then, now, doubt)) = split(ctx, change) else { continue };
        let enough = ctx.threshold("min_calls");
        if row.text("schemaname").is_some_and(is_system_schema) || then.0 < enough || now.0 < enough || then.1 <= 0.0 {
            continue;
        }
        compared += 1;
        let (before, after) = (then.1 / then.0, now.1 / now.0);
        let added = (after - before) * now.0 / 1e3 / last;
        if after / before < ctx.threshold("min_factor") || added < ctx.threshold("min_added_load") {
            continue;
        }
        let subject = Subject::qualified(
            SubjectKind::Function,
            row.text("schemaname").unwrap_or_default(),
            row.text("funcname").unwrap_or_default(),
        );
        let ms = |x| Quantity::float(x, Unit::Ms);
        let title = Text::new()
            .name(subject.name.clone())
            .t(" is ")
            .opt(Quantity::float(after / before, Unit::Times))
            .t(" slower: ")
            .opt(ms(before))
            .t(" → ")
            .opt(ms(after))
            .t(" a call");
        let changed = body_changed(ctx, row.int("funcid"));
        let why =
            Text::new().t("In the last window it kept ").opt(Quantity::float(added, Unit::Sessions)).t(match changed {
                Some(true) => " sessions busy beyond what it took before. Its body changed meanwhile.",
                Some(false) => {
                    " sessions busy beyond what it took before. Its body is the same: a plan, the data, or a wait."
                }
                None => " sessions busy beyond what it took before. Whether its body changed is not in the dump.",
            });
        let short = (last < ctx.threshold("good_window_s")).then_some(Doubt::C2);
        let look = row
            .int("funcid")
            .map(|oid| Fix::diagnose(subject.name.clone(), format!("SELECT pg_get_functiondef({oid});")));
        checked.findings.push(
            ctx.finding(Severity::Low, subject, title)
                .why(why)
                .doubts([doubt, short, ctx.class_doubt(change)])
                .at_most(Confidence::Medium)
                .measure(ctx.measure("Calls", change, "calls"))
                .measure(ctx.over_window(
                    "Own time a call, in the last window",
                    ms(after),
                    format!("{} ÷ {}", show(now.1, Unit::Ms), show(now.0, Unit::Count)),
                    &ctx.ends(change, &["self_time", "calls"]),
                ))
                .measure(ctx.over_window(
                    "Own time a call, before",
                    ms(before),
                    format!("{} ÷ {}", show(then.1, Unit::Ms), show(then.0, Unit::Count)),
                    &ctx.ends(change, &["self_time", "calls"]),
                ))
                .measure(ctx.quotient(
                    "Times slower",
                    (after, Unit::Ms),
                    (before, Unit::Ms),
                    Unit::Times,
                    &ctx.ends(change, &["self_time", "calls"]),
                ))
                .measure(ctx.over_window(
                    "Sessions busy with the difference",
                    Quantity::float(added, Unit::Sessions),
                    format!(
                        "({} − {}) × {} calls ÷ {}",
                        show(after, Unit::Ms),
                        show(before, Unit::Ms),
                        show(now.0, Unit::Count),
                        show(last, Unit::Seconds)
                    ),
                    &ctx.ends(change, &["self_time", "calls"]),
                ))
                .fixes(look)
                .verify("Its own time a call falls in the next window.")
                .effort(Effort::M),
        );
    }
    checked.looked_at =
        format!("{} with enough calls then and now, none clearly slower", counted(compared, "function", "functions"));
    Ok(checked)
}

/// Before and in the last window.
fn split(ctx: &Context<'_>, change: Change<'_>) -> Option<(Sums, Sums, Option<Doubt>)> {
    let (last, before) = last_and_before(ctx.chain, change, "pg_stat_user_functions")?;
    if !matches!(last.class(), Class::Ok | Class::OkUnsure) {
        return None;
    }
    let now = sums(last)?;
    let Some(before) = before else {
        let row = last.before()?;
        return Some(((row.f64("calls")?, row.f64("self_time")?), now, Some(Doubt::C1)));
    };
    let parts = before.into_iter().map(|row| sums(row).unwrap_or_default());
    Some((parts.fold((0.0, 0.0), |all, one| (all.0 + one.0, all.1 + one.1)), now, None))
}

fn sums(row: DiffRow<'_>) -> Option<Sums> {
    Some((row.delta_of("calls")?.as_f64(), row.delta_of("self_time")?.as_f64()))
}

/// Whether the body is another one in the last snapshot than in an earlier one; `None` where that is not known.
fn body_changed(ctx: &Context<'_>, funcid: Option<i64>) -> Option<bool> {
    let funcid = funcid?;
    let mut hashes: Vec<&str> = ctx
        .samples("function_definitions")
        .filter_map(|(_, t)| t.iter().find(|r| r.int("funcid") == Some(funcid))?.text("source_hash"))
        .collect();
    let seen = hashes.len();
    hashes.dedup();
    (seen > 1).then_some(hashes.len() > 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::Snapshot;
    use crate::snapshot::literal::literal;
    use std::sync::Arc;

    fn taken(at: &str, calls: u32, ms: u32, hash: &str) -> Arc<Snapshot> {
        literal(at)
            .view("pg_stat_database", "datid | datname | stats_reset", &["16697 | shop | 2026-11-01 00:00:00+00"])
            .view(
                "function_definitions",
                "funcid | schemaname | funcname | source_hash",
                &[&format!("1 | app | f | {hash}")],
            )
            .view(
                "pg_stat_user_functions",
                "funcid | schemaname | funcname | calls | total_time | self_time",
                &[&format!("1 | app | f | {calls} | {ms} | {ms}")],
            )
            .build()
    }

    fn over(last_calls: u32, last_ms: u32, hash: &str) -> Vec<Arc<Snapshot>> {
        vec![
            taken("2026-11-22 10:00:00+00", 1_000, 1_000, "aa"),
            taken("2026-11-22 11:00:00+00", 11_000, 101_000, "aa"),
            taken("2026-11-22 12:00:00+00", 11_000 + last_calls, 101_000 + last_ms, hash),
        ]
    }

    #[test]
    fn finds_the_function_that_takes_twice_as_long() {
        let outcome = judge(&RULE, &over(10_000, 300_000, "bb"), "");
        assert_eq!(told(&outcome), ["low, medium: app.f: app.f is 3.00× slower: 10.0 ms → 30.0 ms a call"]);
        let crate::finding::Outcome::Found { findings, .. } = outcome else { panic!() };
        assert!(findings[0].why.plain().ends_with("Its body changed meanwhile."), "{}", findings[0].why.plain());
    }

    #[test]
    fn stays_quiet_below_each_floor() {
        let fine = ["passed: 1 function with enough calls then and now, none clearly slower"];
        // Not twice as slow; nobody pays.
        assert_eq!(told(&judge(&RULE, &over(10_000, 190_000, "aa"), "")), fine);
        assert_eq!(told(&judge(&RULE, &over(1_000, 30_000, "aa"), "")), fine);
        let none = ["passed: 0 functions with enough calls then and now, none clearly slower"];
        assert_eq!(told(&judge(&RULE, &over(99, 300_000, "aa"), "")), none);
    }

    #[test]
    fn says_that_it_cannot_know() {
        let short = [taken("2026-11-22 10:00:00+00", 1, 1, "a"), taken("2026-11-22 10:00:30+00", 900, 9_000, "a")];
        assert_eq!(
            told(&judge(&RULE, &short, "")),
            ["skipped: the last window of 30.0 s is shorter than the 1 min 00 s this check needs"]
        );
        let empty = |at: &str| literal(at).build();
        let without = [empty("2026-11-22 10:00:00+00"), empty("2026-11-22 12:00:00+00")];
        assert_eq!(
            told(&judge(&RULE, &without, "")),
            ["skipped, input missing: `pg_stat_user_functions` is not in the dump"]
        );
    }
}
