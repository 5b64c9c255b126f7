//! A trigger whose function makes each write expensive.

use crate::advisor::span::Span;
use crate::advisor::workload::part;
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Skip, Threshold, is_system_schema};
use crate::diff::ViewChange;
use crate::finding::{Effort, Fix, Severity, Subject, SubjectKind};
use crate::snapshot::Row;
use crate::text::{Text, counted};
use crate::unit::{Quantity, Unit};
use std::collections::{BTreeMap, BTreeSet};

/// The rule.
pub const RULE: Rule = Rule {
    id: "func-trigger-cost",
    title: "Trigger makes writes expensive",
    needs: &[
        Need::View("pg_stat_user_functions", &["funcid", "funcname", "calls", "self_time"]),
        Need::View("triggers", &["relid", "funcid", "tgtype", "tgenabled"]),
        Need::View("pg_stat_user_tables", &["relid", "n_tup_ins", "n_tup_upd", "n_tup_del"]),
    ],
    wants: &[Need::Setting("track_functions")],
    thresholds: &[
        Threshold {
            name: "min_window_s",
            default: 600.0,
            unit: Unit::Seconds,
            about: "Below ten minutes calls and rows, which are booked at different moments, do not fit each other.",
        },
        Threshold {
            name: "good_window_s",
            default: 3_600.0,
            unit: Unit::Seconds,
            about: "Below an hour a single job can dominate.",
        },
        Threshold { name: "min_calls", default: 100.0, unit: Unit::Count, about: "Fewer calls are chance." },
        Threshold {
            name: "min_ms_per_row",
            default: 1.0,
            unit: Unit::Ms,
            about: "Writing a row takes some hundredths of a millisecond; the trigger would be nearly all of it.",
        },
        Threshold {
            name: "medium_load",
            default: 0.05,
            unit: Unit::Sessions,
            about: "A twentieth of a session; below, the writes are slow and few.",
        },
    ],
    docs: Docs {
        looks_at: "Own time of functions that triggers call, over the rows written to the tables of these triggers.",
        why: "A row trigger runs for each row, inside of the transaction that writes it: its time is lock time of the row, too.",
        decides: "A millisecond of own time for each row inserted, updated or deleted, as the triggers ask for, and a hundred calls. A \
                  function of several triggers is judged over all their tables together. Medium from a load of 0.05 sessions.",
        what_to_do: "Move what can wait out of the transaction, or do it once a statement: AFTER … FOR EACH STATEMENT with transition \
                     tables. Look at the statements inside of it first: one of them may lack an index.",
        ignore_when: "An audit that is wanted at this price.",
        references: "PostgreSQL manual, \"Overview of Trigger Behavior\"; \"CREATE TRIGGER\" (transition tables).",
    },
    check,
};

/// Bits of `tgtype`.
const INSERT: i64 = 4;
const DELETE: i64 = 8;
const UPDATE: i64 = 16;

/// The triggers of one function.
#[derive(Default)]
struct Called<'a> {
    /// Rows written for which they fire.
    rows: f64,
    tables: BTreeSet<String>,
    counted: Vec<Row<'a>>,
}

fn check(ctx: &Context<'_>) -> Check {
    let window = ctx.window_of("min_window_s")?;
    let triggers = ctx.state_or_skip("triggers")?;
    let mut called: BTreeMap<i64, Called<'_>> = BTreeMap::new();
    let mut asked: BTreeMap<(i64, i64), i64> = BTreeMap::new();
    for row in triggers.table.iter().filter(|r| r.text("tgenabled") != Some("D")) {
        let (Some(relid), Some(funcid), Some(kind)) = (row.int("relid"), row.int("funcid"), row.int("tgtype")) else {
            continue;
        };
        *asked.entry((funcid, relid)).or_insert(0) |= kind;
    }
    for ((funcid, relid), kind) in asked {
        let Some(table) = ctx.facts.table(relid) else { continue };
        let Some(change) = table.change else { continue };
        let rows: f64 = [(INSERT, "n_tup_ins"), (DELETE, "n_tup_del"), (UPDATE, "n_tup_upd")]
            .iter()
            .filter(|(bit, _)| kind & bit != 0)
            .filter_map(|(_, column)| change.delta(column))
            .sum();
        let of = called.entry(funcid).or_default();
        of.rows += rows;
        of.tables.insert(table.display());
        of.counted.extend(change.last());
    }
    let mut checked = Checked::default();
    let mut looked = 0;
    for change in ctx.changes("pg_stat_user_functions").into_iter().flat_map(ViewChange::present) {
        let Some(row) = change.last() else { continue };
        let Some(of) = row.int("funcid").and_then(|id| called.get(&id)) else { continue };
        let (Some(calls), Some(ms)) = (change.delta("calls"), change.delta("self_time")) else { continue };
        looked += 1;
        let each = part(ms, of.rows);
        if row.text("schemaname").is_some_and(is_system_schema)
            || calls < ctx.threshold("min_calls")
            || each < ctx.threshold("min_ms_per_row")
        {
            continue;
        }
        let span = Span::of(change, window);
        let load = ms / 1e3 / span.seconds;
        let severity = if load >= ctx.threshold("medium_load") { Severity::Medium } else { Severity::Low };
        let subject = Subject::qualified(
            SubjectKind::Function,
            row.text("schemaname").unwrap_or_default(),
            row.text("funcname").unwrap_or_default(),
        );
        let name = subject.name.clone();
        let mut title = Text::new()
            .name(name.clone())
            .t(" takes ")
            .opt(Quantity::float(each, Unit::Ms))
            .t(" of each row written to ");
        for (nr, table) in of.tables.iter().enumerate() {
            title = if nr > 0 { title.t(", ") } else { title }.name(table.clone());
        }
        let mut evidence: Vec<(Row<'_>, &[&str])> = vec![(row, &["self_time", "calls"])];
        evidence.extend(of.counted.iter().map(|r| (*r, &["n_tup_ins", "n_tup_upd", "n_tup_del"][..])));
        let sql = row.int("funcid").map_or_else(
            || "SELECT tgrelid::regclass, tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal;".to_owned(),
            |oid| {
                format!(
                    "SELECT tgrelid::regclass, tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE tgfoid = {oid};\nSELECT pg_get_functiondef({oid});"
                )
            },
        );
        checked.findings.push(
            ctx.finding(severity, subject, title)
                .why(
                    Text::new().t("It kept ").opt(Quantity::float(load, Unit::Sessions)).t(
                        " sessions busy on average, inside of transactions that hold the locks of the rows they write.",
                    ),
                )
                .doubts([
                    ctx.single_doubt(),
                    ctx.short_doubt("good_window_s"),
                    ctx.class_doubt(change),
                    triggers.doubt(),
                ])
                .measure(ctx.measure("Calls", change, "calls"))
                .measure(ctx.measure("Own time", change, "self_time"))
                .measure(ctx.quotient(
                    "Own time for each row written",
                    (ms, Unit::Ms),
                    (of.rows, Unit::Rows),
                    Unit::Ms,
                    &evidence,
                ))
                .measure(span.rate(
                    ctx,
                    "Sessions busy on average",
                    change,
                    (ms, Unit::Ms),
                    Unit::Sessions,
                    &["self_time"],
                ))
                .fix(Fix::diagnose(name, sql))
                .verify("Its own time for each row written falls in the next window.")
                .effort(Effort::M),
        );
    }
    if looked == 0 && ctx.exported_setting("track_functions").is_some_and(|s| s.text == "none") {
        return Err(Skip("track_functions is none".to_owned()));
    }
    checked.looked_at = counted(looked, "function of triggers", "functions of triggers");
    Ok(checked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::Snapshot;
    use crate::snapshot::literal::literal;
    use std::sync::Arc;

    /// Row triggers on t before insert or update, on u after delete.
    const TRIGGERS: &[&str] =
        &["1 | 10 | app | t | a | O | 23 | 5 | audit", "2 | 11 | app | u | b | O | 9 | 5 | audit"];

    fn taken(at: &str, calls: u32, ms: u32, triggers: &[&str]) -> Arc<Snapshot> {
        let rows = |n: u32| format!("10 | app | t | {n} | {n} | {n}");
        let deleted = format!("11 | app | u | {} | 0 | {}", calls * 9, calls / 2);
        literal(at)
            .view("pg_stat_database", "datid | datname | stats_reset", &["16697 | shop | 2026-11-01 00:00:00+00"])
            .view(
                "triggers",
                "oid | relid | schemaname | relname | tgname | tgenabled | tgtype | funcid | funcname",
                triggers,
            )
            .view(
                "pg_stat_user_tables",
                "relid | schemaname | relname | n_tup_ins | n_tup_upd | n_tup_del",
                &[&rows(calls / 4), &deleted],
            )
            .view(
                "pg_stat_user_functions",
                "funcid | schemaname | funcname | calls | total_time | self_time",
                &[&format!("5 | app | audit | {calls} | {ms} | {ms}"), "6 | app | other | 9000 | 90000 | 90000"],
            )
            .build()
    }

    fn with(calls: u32, ms: u32, triggers: &[&str]) -> Vec<String> {
        let a = taken("2026-11-22 10:00:00+00", 0, 0, triggers);
        told(&judge(&RULE, &[a, taken("2026-11-22 11:00:00+00", calls, ms, triggers)], ""))
    }

    #[test]
    fn finds_what_each_row_pays() {
        // 1,000 rows of t, inserted or updated, and 1,000 of u, deleted.
        assert_eq!(
            with(2_000, 4_000, TRIGGERS),
            ["low, high: app.audit: app.audit takes 2.00 ms of each row written to app.t, app.u"]
        );
        assert!(with(200_000, 400_000, TRIGGERS)[0].starts_with("medium, high: app.audit"));
    }

    #[test]
    fn stays_quiet_below_each_floor() {
        let fine = ["passed: 1 function of triggers"];
        assert_eq!(with(2_000, 1_900, TRIGGERS), fine);
        assert_eq!(with(80, 9_000, TRIGGERS), fine);
        assert_eq!(
            with(2_000, 4_000, &["1 | 10 | app | t | a | D | 23 | 5 | audit"]),
            ["passed: 0 functions of triggers"]
        );
    }

    #[test]
    fn says_that_it_cannot_know() {
        let b = literal("2026-11-22 12:00:00+00").view("triggers", "oid | relid | funcid | tgtype | tgenabled", &[]);
        assert_eq!(
            told(&judge(&RULE, &[b.build()], "")),
            ["skipped, input missing: `pg_stat_user_functions` is not in the dump"]
        );
    }
}
