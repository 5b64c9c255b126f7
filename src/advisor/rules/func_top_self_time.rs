//! A function that dominates the time spent in functions.

use crate::advisor::functions::{lookups, read_bodies};
use crate::advisor::span::Span;
use crate::advisor::workload::part;
use crate::advisor::{
    Check, Checked, Context, Docs, Need, Rule, Skip, Threshold, is_system_schema, show, show_counted,
};
use crate::diff::{Change, ViewChange};
use crate::finding::{Effort, Fix, Measure, Severity, Subject, SubjectKind};
use crate::snapshot::Row;
use crate::text::{Text, counted};
use crate::unit::{Quantity, Unit};

/// Statements of one body that are named.
const MOST_LOOKUPS: usize = 3;

/// The rule.
pub const RULE: Rule = Rule {
    id: "func-top-self-time",
    title: "Function dominates the time in functions",
    needs: &[Need::View("pg_stat_user_functions", &["funcid", "funcname", "calls", "self_time"])],
    wants: &[
        Need::Setting("track_functions"),
        Need::View("function_definitions", &["funcid", "source"]),
        Need::View("pg_stat_statements", &["toplevel"]),
    ],
    thresholds: &[
        Threshold {
            name: "min_window_s",
            default: 600.0,
            unit: Unit::Seconds,
            about: "Below ten minutes a share shows one moment.",
        },
        Threshold {
            name: "good_window_s",
            default: 3_600.0,
            unit: Unit::Seconds,
            about: "Below an hour a single job can dominate.",
        },
        Threshold { name: "min_share", default: 0.2, unit: Unit::Share, about: "A fifth of the time in functions." },
        Threshold {
            name: "low_load",
            default: 0.05,
            unit: Unit::Sessions,
            about: "A twentieth of a session, else nobody pays.",
        },
        Threshold {
            name: "medium_load",
            default: 0.5,
            unit: Unit::Sessions,
            about: "Half a session busy in one function.",
        },
        Threshold {
            name: "min_rows",
            default: 10_000.0,
            unit: Unit::Rows,
            about: "A table of fewer rows is read whole in a few milliseconds, with an index or without.",
        },
    ],
    docs: Docs {
        looks_at: "Time in each function itself, without what it calls, over the window (needs track_functions).",
        why: "Time in a function's own statements and loops is invisible in a statement's plan.",
        decides: "A fifth of the time in all functions and a load of 0.05; 0.5 is medium. Inlined SQL functions are never counted, \
                  functions in C only with track_functions = all. Which statement inside takes the time is said where the server \
                  recorded it and its text stands in this body alone, or a logged plan tells. Where none was recorded, the body is \
                  read: a statement that looks for rows of a table of `min_rows` by columns of which none begins an index is named.",
        what_to_do: "Look at the statement that takes its time; pg_stat_statements.track = all records the statements inside of functions.",
        ignore_when: "It is the application's main entry, and its statements are known.",
        references: "PostgreSQL manual, \"pg_stat_user_functions\"; \"Run-time Statistics\" (track_functions).",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let window = ctx.window_of("min_window_s")?;
    let changes = || ctx.changes("pg_stat_user_functions").into_iter().flat_map(ViewChange::present);
    let own = |c: &Change<'_>| !c.last().and_then(|r| r.text("schemaname")).is_some_and(is_system_schema);
    let total: f64 = changes().filter(own).filter_map(|c| c.delta("self_time")).sum();
    if total == 0.0 {
        let off = ctx.exported_setting("track_functions").is_some_and(|s| s.text == "none");
        return Err(Skip(if off { "track_functions is none" } else { "no time in functions was recorded" }.to_owned()));
    }
    let mut findings = Vec::new();
    let mut looked = 0;
    for change in changes().filter(own) {
        let (Some(row), Some(ms)) = (change.last(), change.delta("self_time")) else { continue };
        looked += 1;
        let span = Span::of(change, window);
        let load = ms / 1e3 / span.seconds;
        let share = part(ms, total);
        if share < ctx.threshold("min_share") || load < ctx.threshold("low_load") {
            continue;
        }
        let severity = if load >= ctx.threshold("medium_load") { Severity::Medium } else { Severity::Low };
        let subject = Subject::qualified(
            SubjectKind::Function,
            row.text("schemaname").unwrap_or_default(),
            row.text("funcname").unwrap_or_default(),
        );
        let calls = change.delta("calls").unwrap_or(0.0);
        let name = subject.name.clone();
        findings.push(
            ctx.finding(
                severity,
                subject,
                Text::new()
                    .name(name.clone())
                    .t(" takes ")
                    .opt(Quantity::float(share, Unit::Share))
                    .t(" of the time in functions"),
            )
            .why(
                Text::new()
                    .t("It kept ")
                    .opt(Quantity::float(load, Unit::Sessions))
                    .t(" sessions busy on average, without what it calls; ")
                    .opt(Quantity::float(part(ms, calls), Unit::Ms))
                    .t(" per call.")
                    .then(inside(ctx, change, row)),
            )
            .doubts([ctx.single_doubt(), ctx.short_doubt("good_window_s"), ctx.class_doubt(change)])
            .measure(ctx.measure("Calls", change, "calls"))
            .measure(ctx.measure("Own time", change, "self_time"))
            .measure(ctx.quotient(
                "Share of the time in functions",
                (ms, Unit::Ms),
                (total, Unit::Ms),
                Unit::Share,
                &ctx.ends(change, &["self_time"]),
            ))
            .measure(span.rate(ctx, "Sessions busy on average", change, (ms, Unit::Ms), Unit::Sessions, &["self_time"]))
            .measure(ctx.over_window(
                "Own time per call",
                Quantity::float(part(ms, calls), Unit::Ms),
                format!("{} ÷ {} calls", show(ms, Unit::Ms), show(calls, Unit::Count)),
                &ctx.ends(change, &["self_time", "calls"]),
            ))
            .measures(of_a_statement(ctx, change, row))
            .fix(Fix::diagnose(
                name,
                match row.int("funcid") {
                    Some(oid) => format!("SELECT pg_get_functiondef({oid});"),
                    None => "SELECT * FROM pg_stat_user_functions ORDER BY self_time DESC LIMIT 20;".to_owned(),
                },
            ))
            .verify("Its own time per call falls in the next window.")
            .effort(Effort::M)
            .share(Some(share)),
        );
    }
    Ok(Checked {
        findings,
        looked_at: format!(
            "{}, {} in them",
            counted(looked, "function", "functions"),
            show_counted(total, Unit::Ms, changes().filter(own).all(Change::is_exact))
        ),
    })
}

/// What its statements say: the one that takes its time, else what its body shows.
fn inside(ctx: &Context<'_>, change: Change<'_>, row: Row<'_>) -> Text {
    let functions = &ctx.facts.functions;
    let Some(first) = functions.ran_in(row).next() else { return unindexed(ctx, row) };
    let total = change.delta("total_time").unwrap_or(0.0);
    let lines = first.owners.iter().flat_map(|o| &o.lines).map(ToString::to_string).collect::<Vec<_>>();
    let mut text =
        Text::new().t(" Of its time, ").opt(Quantity::float(part(first.time_ms, total).min(1.0), Unit::Share));
    text = text.t(" is the statement ").code(first.headline());
    if !lines.is_empty() {
        text = text.t(format!(" (line {} of its body)", lines.join(", ")));
    }
    text.t(".")
}

/// The part of the statement that [`inside`] names.
fn of_a_statement<'a>(ctx: &Context<'a>, change: Change<'a>, row: Row<'a>) -> Option<Measure> {
    let first = ctx.facts.functions.ran_in(row).next()?;
    let total = change.delta("total_time").unwrap_or(0.0);
    Some(ctx.over_window(
        "The statement's part of its time",
        Quantity::float(part(first.time_ms, total).min(1.0), Unit::Share),
        format!("{} ÷ {}", show(first.time_ms, Unit::Ms), show(total, Unit::Ms)),
        &ctx.ends(change, &["total_time"]),
    ))
}

/// Statements of a body whose conditions no index begins with, where none of them was recorded.
fn unindexed(ctx: &Context<'_>, row: Row<'_>) -> Text {
    let mut text = Text::new();
    let Some(function) = row.int("funcid").and_then(|id| ctx.facts.functions.by_oid(id)) else { return text };
    let read = read_bodies(ctx.facts, &[function]);
    for lookup in read.iter().flat_map(|read| lookups(function, read)).take(MOST_LOOKUPS) {
        let Some(table) = ctx.facts.table(lookup.relid) else { continue };
        let large = table.rows().0.is_some_and(|rows| rows >= ctx.threshold("min_rows"));
        let indexed = ctx.facts.indexes_of(lookup.relid).any(|index| {
            // An index whose definition is not known may be the one.
            let first = index.def().and_then(|def| def.keys.into_iter().next());
            first.is_none_or(|key| key.expression || lookup.columns.contains(key.text.trim_matches('"')))
        });
        if large && !indexed && ctx.facts.definitions.is_some() {
            text =
                text.t(format!(" Line {} of its body looks for rows of ", lookup.line)).name(table.display()).t(" by ");
            for (nr, column) in lookup.columns.iter().enumerate() {
                text = if nr > 0 { text.t(", ") } else { text }.name(column.clone());
            }
            text = text.t(", and no index begins with any of these.");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::literal::literal;

    fn with(self_ms: &str) -> Vec<String> {
        let taken = |at: &str, rows: &[&str]| {
            literal(at)
                .view("pg_stat_database", "datid | datname | stats_reset", &["16697 | shop | 2026-11-01 00:00:00+00"])
                .view("pg_stat_user_functions", "funcid | schemaname | funcname | calls | total_time | self_time", rows)
                .build()
        };
        let a =
            taken("2026-11-22 10:00:00+00", &["1 | app | claim | 10 | 100 | 100", "2 | app | other | 10 | 100 | 100"]);
        let b = taken(
            "2026-11-22 11:00:00+00",
            &[&format!("1 | app | claim | 1010 | {self_ms} | {self_ms}"), "2 | app | other | 20 | 50100 | 50100"],
        );
        told(&judge(&RULE, &[a, b], ""))
    }

    #[test]
    fn finds_the_function_that_keeps_a_session_busy() {
        assert_eq!(with("400100"), ["low, high: app.claim: app.claim takes 88.9% of the time in functions"]);
        assert_eq!(with("20100"), ["passed: 2 functions, 1 min 10 s in them"]);
    }
    /// An hour in which app.claim took 400 s, with its body and one statement inside of it.
    fn why(statement: Option<&str>, index: &str, rows: &str) -> String {
        let taken = |at: &str, ms: &str| {
            let statement = statement.map(|text| format!("10 | 16697 | f | 1 | {text} | {ms} | {ms}"));
            literal(at)
                .view("pg_stat_database", "datid | datname | stats_reset", &["16697 | shop | 2026-11-01 00:00:00+00"])
                .view(
                    "function_definitions",
                    "funcid | schemaname | funcname | identity_args | argnames | language | source",
                    &["1 | app | claim | p_kind text | {p_kind} | plpgsql | begin return (select count(*) from app.q where kind = p_kind and s > 5); end"],
                )
                .view("table_sizes", "relid | schemaname | relname | reltuples | relpages", &[&format!("9 | app | q | {rows} | 900")])
                .view("pg_stats", "schemaname | tablename | attname", &["app | q | kind", "app | q | s"])
                .view(
                    "index_definitions",
                    "indexrelid | relid | schemaname | relname | indexrelname | indexdef | indisvalid",
                    &[&format!("8 | 9 | app | q | i | CREATE INDEX i ON app.q USING btree ({index}) | t")],
                )
                .view(
                    "pg_stat_statements",
                    "userid | dbid | toplevel | queryid | query | calls | total_exec_time",
                    &statement.iter().map(String::as_str).collect::<Vec<_>>(),
                )
                .view(
                    "pg_stat_user_functions",
                    "funcid | schemaname | funcname | calls | total_time | self_time",
                    &[&format!("1 | app | claim | {ms} | {ms} | {ms}")],
                )
                .build()
        };
        let outcome =
            judge(&RULE, &[taken("2026-11-22 10:00:00+00", "0"), taken("2026-11-22 11:00:00+00", "400000")], "");
        let crate::finding::Outcome::Found { findings, .. } = outcome else { panic!("{outcome:?}") };
        let why = findings[0].why.plain();
        why.split_once(" per call.").map(|(_, rest)| rest.trim().to_owned()).unwrap()
    }

    #[test]
    fn names_the_statement_that_takes_its_time() {
        let text = "(select count(*) from app.q where kind = p_kind and s > $2)";
        assert_eq!(
            why(Some(text), "s", "50000"),
            format!("Of its time, 100% is the statement {text} (line 1 of its body).")
        );
    }

    #[test]
    fn reads_the_body_where_no_statement_was_recorded() {
        let missing = "Line 1 of its body looks for rows of app.q by kind, s, and no index begins with any of these.";
        assert_eq!(why(None, "id", "50000"), missing);
        for (index, rows) in [("kind, id", "50000"), ("s", "50000"), ("id", "5000"), ("lower(kind)", "50000")] {
            assert_eq!(why(None, index, rows), "", "{index} {rows}");
        }
    }

    #[test]
    fn says_that_it_cannot_know() {
        let empty = |at: &str| literal(at).build();
        let b = [empty("2026-11-22 10:00:00+00"), empty("2026-11-22 11:00:00+00")];
        assert_eq!(
            told(&judge(&RULE, &b, "")),
            ["skipped, input missing: `pg_stat_user_functions` is not in the dump"]
        );
    }
}
