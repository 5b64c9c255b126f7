//! For tests of rules: literal snapshots in, one rule's outcome out, as a few readable lines.

use super::run::{judge as run_rules, judge_among as judge_rules_among};
use super::{Advice, Config, Peer, Rule};
use crate::diff::{self, Chain};
use crate::finding::Outcome;
use crate::snapshot::Snapshot;
use crate::snapshot::literal::literal;
use std::sync::Arc;

/// The chain of some snapshots.
///
/// # Panics
/// When they do not belong together.
pub fn chain(snapshots: &[Arc<Snapshot>]) -> Chain {
    diff::chain(snapshots.to_vec(), &diff::Options::default()).unwrap()
}

/// What one rule says about snapshots, under a configuration given as TOML.
pub fn judge(rule: &'static Rule, snapshots: &[Arc<Snapshot>], config: &str) -> Outcome {
    let mut advice = advise(&[rule], snapshots, config);
    advice.judged.remove(0).outcome
}

/// What one rule says about a server beside others of its cluster, given by name.
///
/// # Panics
/// When the configuration cannot be read.
pub fn judge_among(
    rule: &'static Rule,
    snapshots: &[Arc<Snapshot>],
    others: &[(&str, Vec<Arc<Snapshot>>)],
    config: &str,
) -> Outcome {
    let config = Config::parse(config, "test.toml").unwrap();
    let chains: Vec<(&str, Chain)> = others.iter().map(|(name, taken)| (*name, chain(taken))).collect();
    let peers: Vec<Peer<'_>> = chains.iter().map(|(name, chain)| Peer { name, chain }).collect();
    let mut advice = judge_rules_among(&chain(snapshots), &peers, &config, &[rule]);
    assert_evidence(&advice);
    advice.judged.remove(0).outcome
}

/// What some rules say.
///
/// # Panics
/// When the configuration cannot be read.
pub fn advise(rules: &[&'static Rule], snapshots: &[Arc<Snapshot>], config: &str) -> Advice {
    let config = Config::parse(config, "test.toml").unwrap();
    let advice = run_rules(&chain(snapshots), &config, rules);
    assert_evidence(&advice);
    advice
}

/// Every number that a finding says stands behind it: a measure has it, or the formula of one.
fn assert_evidence(advice: &Advice) {
    for f in advice.judged.iter().flat_map(|j| match &j.outcome {
        Outcome::Found { findings, .. } => findings.as_slice(),
        _ => &[],
    }) {
        for text in [Some(&f.title), Some(&f.why), f.not.as_ref()].into_iter().flatten() {
            for number in text.numbers() {
                let measures = &f.measures;
                assert!(
                    measures.iter().any(|m| m.says(number)),
                    "{}: no measure says {} of \"{}\": {measures:#?}",
                    f.rule,
                    number.human(),
                    text.plain()
                );
            }
        }
    }
}

/// An outcome in lines: `severity, confidence: object: title`, or `passed: …`, `skipped: …`.
pub fn told(outcome: &Outcome) -> Vec<String> {
    match outcome {
        Outcome::Found { findings, .. } => findings
            .iter()
            .map(|f| {
                let (severity, confidence) = (f.severity.word(), f.confidence().word());
                format!("{severity}, {confidence}: {}: {}", f.subject.name, f.title.plain())
            })
            .collect(),
        Outcome::Passed { checked } => vec![format!("passed: {checked}")],
        Outcome::Skipped { reason, missing_input: true } => vec![format!("skipped, input missing: {reason}")],
        Outcome::Skipped { reason, .. } => vec![format!("skipped: {reason}")],
        Outcome::Failed { message } => vec![format!("failed: {message}")],
    }
}

/// What one rule says of two snapshots a day apart that hold nothing: in one line.
pub fn told_of_nothing(rule: &'static Rule) -> String {
    let taken = |at| literal(at).build();
    told(&judge(rule, &[taken("2026-11-21 12:00:00+00"), taken("2026-11-22 12:00:00+00")], "")).join("; ")
}

/// Two snapshots an hour apart: counters of checkpoints and WAL from 0 to these, 20 calls of one statement, one
/// checkpoint due every five minutes or after a `max_wal_size` of 1 GB.
pub fn checkpoints_over_an_hour(checkpoints: &str, wal: &str, statement: &str) -> [Arc<Snapshot>; 2] {
    const RESET: &str = "2026-11-01 00:00:00+00";
    let taken = |at: &str, checkpoints: &str, wal: &str, calls: &str| {
        let checkpoints = format!("{checkpoints} | {RESET}");
        literal(at)
            .view("pg_stat_checkpointer", "num_timed | num_requested | stats_reset", &[&checkpoints])
            .view("pg_stat_wal", "wal_bytes | wal_fpi | stats_reset", &[&format!("{wal} | {RESET}")])
            .view(
                "pg_stat_statements",
                "userid | dbid | queryid | query | calls",
                &[&format!("10 | 5 | 1 | {statement} | {calls}")],
            )
            .view(
                "pg_settings",
                "name | setting | unit",
                &["max_wal_size | 1024 | MB", "checkpoint_timeout | 300 | s", "checkpoint_completion_target | 0.9 |"],
            )
            .build()
    };
    let before = taken("2026-11-22 10:00:00+00", "0 | 0", "0 | 0", "0");
    [before, taken("2026-11-22 11:00:00+00", checkpoints, wal, "20")]
}

/// Two snapshots an hour apart with one row of `pg_stat_database`, of the columns named.
pub fn database_over_an_hour(header: &str, before: &str, after: &str) -> [Arc<Snapshot>; 2] {
    let taken = |at: &str, row: &str| {
        let header = format!("datid | datname | stats_reset | {header}");
        let row = format!("5 | shop | 2026-11-01 00:00:00+00 | {row}");
        literal(at).view("pg_stat_database", &header, &[&row]).build()
    };
    [taken("2026-11-22 10:00:00+00", before), taken("2026-11-22 11:00:00+00", after)]
}

/// Table `public.cart` at an hour of a day, with autovacuum switched off: its file, how often it was vacuumed in full, and
/// its row of `pg_stat_user_tables`.
pub fn cart(hour: u32, file: u32, fully: u32, header: &str, row: &str) -> Arc<Snapshot> {
    literal(&format!("2026-11-22 {hour}:00:00+00"))
        .view(
            "pg_stat_user_tables",
            &format!("relid | schemaname | relname | {header}"),
            &[&format!("1 | public | cart | {row}")],
        )
        .view(
            "table_sizes",
            "relid | schemaname | relname | relkind | reltuples | relpages | relfilenode | reloptions",
            &[&format!("1 | public | cart | r | 1000 | 10 | {file} | {{autovacuum_enabled=false}}")],
        )
        .view(
            "pg_stat_statements",
            "userid | dbid | queryid | toplevel | query | calls",
            &[&format!("10 | 16697 | 1 | t | vacuum full cart | {fully}")],
        )
        .build()
}

/// Autovacuum's settings at their defaults, as rows `name | setting | unit`.
pub const AUTOVACUUM: &[&str] = &[
    "autovacuum | on | ''",
    "track_counts | on | ''",
    "autovacuum_naptime | 60 | s",
    "autovacuum_max_workers | 3 | ''",
    "autovacuum_freeze_max_age | 200000000 | ''",
    "autovacuum_multixact_freeze_max_age | 400000000 | ''",
    "autovacuum_vacuum_threshold | 50 | ''",
    "autovacuum_vacuum_scale_factor | 0.2 | ''",
    "autovacuum_vacuum_max_threshold | 100000000 | ''",
    "autovacuum_vacuum_insert_threshold | 1000 | ''",
    "autovacuum_vacuum_insert_scale_factor | 0.2 | ''",
    "autovacuum_analyze_threshold | 50 | ''",
    "autovacuum_analyze_scale_factor | 0.1 | ''",
];

/// Two snapshots an hour apart: statements of database `shop` with no calls before, with these rows
/// (`queryid | query | …`, then the columns of the header) after.
pub fn statements_over_an_hour(header: &str, after: &[&str]) -> [Arc<Snapshot>; 2] {
    let header = format!("userid | dbid | toplevel | queryid | query | {header}");
    let taken = |at: &str, zero: bool| {
        let row = |row: &&str| {
            let cells: Vec<&str> = row.split('|').collect();
            let shown = cells.iter().enumerate().map(|(i, cell)| if zero && i >= 2 { "0" } else { cell });
            format!("10 | 5 | t | {}", shown.collect::<Vec<_>>().join("|"))
        };
        let rows: Vec<String> = after.iter().map(row).collect();
        literal(at)
            .view("pg_stat_database", "datid | datname", &["5 | shop"])
            .view("pg_stat_statements", &header, &rows.iter().map(String::as_str).collect::<Vec<_>>())
            .build()
    };
    [taken("2026-11-22 10:00:00+00", true), taken("2026-11-22 11:00:00+00", false)]
}

/// What one rule says about a plan as text, of query id 7, beside nothing else.
///
/// # Panics
/// When the plan cannot be read.
pub fn judge_plan(rule: &'static Rule, plan: &str) -> Outcome {
    judge_plan_beside(rule, plan, &[])
}

/// The same beside views, each with its header and rows.
///
/// # Panics
/// When the plan cannot be read.
pub fn judge_plan_beside(rule: &'static Rule, plan: &str, views: &[(&'static str, &str, &[&str])]) -> Outcome {
    assert!(crate::explain::read(plan).is_ok(), "{plan}");
    let mut given = literal("2026-11-22 10:00:00+00");
    for (view, header, rows) in views {
        given = given.view(view, header, rows);
    }
    let mut snapshot = Snapshot::clone(&given.build());
    snapshot.tables.insert("plans", Arc::new(plan_table(plan)));
    judge(rule, &[Arc::new(snapshot)], "")
}

/// The view of plans with one of them, of query id 7.
///
/// # Panics
/// When the catalog has no column for it.
pub fn plan_table(plan: &str) -> crate::snapshot::Table {
    let mut table = crate::snapshot::literal::table("plans", "source | nr | plan | queryid", &["a.txt | 1 | x | 7"]);
    let (at, _) = table.view.and_then(|v| v.column("plan")).expect("a column plan");
    let mut text = crate::snapshot::TextData::new();
    text.push(Some(plan));
    table.columns[at] = Some(crate::snapshot::Data::Text(text));
    let query = crate::explain::read(plan).ok().and_then(|plan| plan.query);
    if let (Some(query), Some((at, _))) = (query, table.view.and_then(|v| v.column("query"))) {
        let mut text = crate::snapshot::TextData::new();
        text.push(Some(&query));
        table.columns[at] = Some(crate::snapshot::Data::Text(text));
    }
    table
}

/// Holds a rule to saying that it cannot judge a plan that was not executed.
///
/// # Panics
/// When it judges.
pub fn assert_needs_measurements(rule: &'static Rule) {
    let estimated = "Seq Scan on t  (cost=0.00..1.00 rows=1 width=4)";
    let told = told(&judge_plan(rule, estimated));
    assert_eq!(told, ["skipped: no plan has measurements: run EXPLAIN (ANALYZE, BUFFERS)"], "{}", rule.id);
}
