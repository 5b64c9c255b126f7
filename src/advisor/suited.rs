//! What printed statements have to mind of the server they are for, whichever rule prints them.

use super::index_cure::NO_LIMIT;
use super::run::Advice;
use super::slots::{is_lost, look_at_consumer, slots};
use super::{Context, cure};
use crate::catalog::settings::STANDBY_LIMITS;
use crate::finding::{Fix, Outcome, Risk, Verb};
use crate::text::Text;

/// The check whose finding says that the snapshots may be of several servers.
const MIXED: &str = "hyg-mixed-nodes";

/// Suits a statement to the server of the dump.
pub(super) fn suit(context: &Context<'_>, fix: &mut Fix) {
    cure::undo_by_reset(context, fix);
    mind_damage(context, fix);
    mind_statements(context, fix);
    mind_standbys(context, fix);
    mind_timeouts(context, fix);
    mind_consumers(context, fix);
}

/// Whoever reads all pages of a table meets the damaged ones; an ANALYZE may, and does where the table is small.
fn mind_damage(context: &Context<'_>, fix: &mut Fix) {
    let reads =
        fix.verb == Verb::Maintain && ["VACUUM", "REINDEX", "ANALYZE"].iter().any(|word| fix.sql.contains(word));
    if !reads {
        return;
    }
    let mut said = Text::new();
    if context.setting("zero_damaged_pages").is_some_and(|s| s.is_on() == Some(true)) {
        said = said.t(" While zero_damaged_pages is on: rows of damaged pages are lost for good.");
    }
    if context
        .last("pg_stat_database")
        .is_some_and(|t| t.iter().any(|r| r.int("checksum_failures").is_some_and(|n| n > 0)))
    {
        said = said.t(" Before the damaged pages are restored: it fails at the first one it reads.");
    }
    if said != Text::new() {
        fix.when_not = Some(fix.when_not.take().unwrap_or_default().then(said));
    }
}

/// A look at statement statistics fails where there are none.
fn mind_statements(context: &Context<'_>, fix: &mut Fix) {
    let there = context.chain.snapshots.iter().any(|s| s.table("pg_stat_statements").is_some());
    if fix.verb == Verb::Diagnose && !there && fix.sql.contains("FROM pg_stat_statements") {
        fix.sql =
            format!("-- once pg_stat_statements is there, and has seen such a time:\n{}", cure::commented(&fix.sql));
    }
}

/// What reads or writes a whole table takes longer than the server lets a statement run: the forms that build indexes set
/// the limit themselves.
fn mind_timeouts(context: &Context<'_>, fix: &mut Fix) {
    let limited = context.setting("statement_timeout").and_then(|s| s.value).is_some_and(|ms| ms > 0.0);
    let words = ["VACUUM", "ANALYZE", "VALIDATE CONSTRAINT", "ADD PRIMARY KEY", " TYPE "];
    let free = |sql: &mut String| {
        if words.iter().any(|word| sql.contains(word)) && !sql.contains("statement_timeout") {
            *sql = format!("{NO_LIMIT}\n{sql}");
        }
    };
    if limited && matches!(fix.verb, Verb::Maintain | Verb::Alter) {
        free(&mut fix.sql);
        fix.undo.iter_mut().for_each(free);
    }
}

/// A slot whose consumer reads is not dropped for what it holds back.
fn mind_consumers(context: &Context<'_>, fix: &mut Fix) {
    let drops = fix.verb == Verb::Drop && fix.sql.contains("pg_drop_replication_slot(");
    if drops && slots(context).iter().any(|s| s.name == fix.object && s.moved && !is_lost(s.last)) {
        *fix = look_at_consumer(&fix.object);
    }
}

/// A limit that standbys have to have as well is not raised on the primary first. Whether it has any an export without
/// `pg_stat_replication` does not tell, and one that is down for a moment is in none.
fn mind_standbys(context: &Context<'_>, fix: &mut Fix) {
    if fix.verb == Verb::Set && STANDBY_LIMITS.contains(&fix.object.as_str()) && context.is_standby() != Some(true) {
        fix.sql = format!(
            "-- where it has standbys: raise it on each of them first, and lower it there last; one with less than its\n\
             -- primary stops replaying\n{}",
            fix.sql
        );
    }
}

/// Where snapshots may be of different servers, what destroys says so wherever it is printed.
pub(super) fn mind_servers(advice: &mut Advice) {
    if !advice.findings().iter().any(|f| f.rule == MIXED) {
        return;
    }
    for judged in &mut advice.judged {
        let Outcome::Found { findings, .. } = &mut judged.outcome else { continue };
        for fix in findings.iter_mut().flat_map(|f| &mut f.fixes).filter(|f| f.risk == Risk::R3) {
            fix.sql = format!(
                "-- the snapshots may be of different servers: first make sure that it is of this one\n{}",
                fix.sql
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::advisor::rules::RULES;
    use crate::advisor::testing::{advise, judge};
    use crate::finding::{Finding, Outcome, Risk};
    use crate::snapshot::literal::{Literal, literal};

    fn found(rule: &str, dumps: Vec<Literal>) -> Vec<Finding> {
        let rule = RULES.iter().find(|r| r.id == rule).unwrap();
        let taken: Vec<_> = dumps.into_iter().map(Literal::build).collect();
        let Outcome::Found { findings, .. } = judge(rule, &taken, "") else { panic!("{}", rule.id) };
        findings
    }

    #[test]
    fn long_statements_are_not_cut_off_by_the_limit_of_all() {
        let said = |limit: &str| {
            let dump = literal("2026-11-22 12:00:00+00")
                .view("pg_settings", "name | setting | unit", &[&format!("statement_timeout | {limit} | ms")])
                .view("pg_stat_user_tables", "relid | schemaname | relname | n_live_tup", &["1 | public | t | 50000"])
                .view(
                    "table_sizes",
                    "relid | schemaname | relname | relkind | reltuples | relpages",
                    &["1 | public | t | r | -1 | 100"],
                );
            found("vacuum-never-analyzed", vec![dump])[0].fixes[0].sql.clone()
        };
        assert_eq!(said("60000"), "SET statement_timeout = 0;\nANALYZE \"public\".\"t\";");
        assert_eq!(said("0"), "ANALYZE \"public\".\"t\";");
    }

    #[test]
    fn a_rebuild_minds_damaged_pages() {
        let said = |zero: &str, failures: u32| {
            let dump = literal("2026-11-22 12:00:00+00")
                .view("pg_stat_progress_create_index", "pid | relid", &[])
                .view("pg_settings", "name | setting", &[&format!("zero_damaged_pages | {zero}")])
                .view("pg_stat_database", "datid | datname | checksum_failures", &[&format!("5 | shop | {failures}")])
                .view(
                    "index_definitions",
                    "indexrelid | relid | schemaname | relname | indexrelname | indexdef | indisvalid",
                    &["7 | 1 | public | o | i | CREATE INDEX i ON public.o USING btree (a) | f"],
                );
            let when_not = found("index-invalid", vec![dump])[0].fixes[0].when_not.clone().unwrap().plain();
            (
                when_not.contains("zero_damaged_pages is on"),
                when_not.contains("before the damaged pages") || when_not.contains("Before the damaged pages"),
            )
        };
        assert_eq!(said("on", 0), (true, false));
        assert_eq!(said("off", 3), (false, true));
        assert_eq!(said("off", 0), (false, false));
    }

    #[test]
    fn what_destroys_is_first_made_sure_to_be_of_the_server_that_is_meant() {
        let rules: Vec<_> =
            ["hyg-mixed-nodes", "slot-inactive"].map(|id| RULES.iter().find(|r| r.id == id).copied().unwrap()).into();
        let warned = |count: u32| {
            let taken = |at: &str, n: u32| {
                const RESET: &str = "2026-11-01 00:00:00+00";
                literal(at)
                    .meta(|m| (m.node, m.wal_lsn) = (None, Some(0x2000_0000)))
                    .view(
                        "pg_stat_database",
                        "datid | datname | xact_commit | blks_hit | stats_reset",
                        &[&format!("16697 | shop | {n} | {n} | {RESET}")],
                    )
                    .view("pg_stat_bgwriter", "buffers_alloc | stats_reset", &[&format!("{n} | {RESET}")])
                    .view("pg_stat_archiver", "archived_count | stats_reset", &[&format!("{n} | {RESET}")])
                    .view(
                        "pg_replication_slots",
                        "slot_name | slot_type | active | restart_lsn | wal_status",
                        &["s | physical | f | 0/10000000 | extended"],
                    )
                    .build()
            };
            let chain = [taken("2026-11-22 11:00:00+00", 900), taken("2026-11-22 12:00:00+00", count)];
            let advice = advise(&rules, &chain, "");
            let printed = advice
                .findings()
                .into_iter()
                .flat_map(|f| &f.fixes)
                .chain(advice.actions.iter().flat_map(|a| &a.fixes));
            let drops: Vec<_> = printed.filter(|f| f.risk == Risk::R3).collect();
            assert_eq!(drops.len(), 2, "of the finding and of the plan");
            drops.iter().filter(|f| f.sql.starts_with("-- the snapshots may be of different servers")).count()
        };
        assert_eq!((warned(950), warned(5)), (0, 2));
    }

    #[test]
    fn a_limit_of_standbys_is_not_raised_on_the_primary_first() {
        let sql = |standby: bool| {
            let locks: Vec<String> = (0..80).map(|i| format!("relation | {i} | 7 | AccessShareLock | t | f")).collect();
            let locks: Vec<&str> = locks.iter().map(String::as_str).collect();
            let dump = literal("2026-11-22 12:00:00+00")
                .meta(|m| m.in_recovery = Some(standby))
                .view("pg_locks", "locktype | relation | pid | mode | granted | fastpath", &locks)
                .view("pg_settings", "name | setting", &["max_locks_per_transaction | 4", "max_connections | 10"]);
            found("lock-table-near-full", vec![dump])[0].fixes.last().unwrap().sql.clone()
        };
        let set = "ALTER SYSTEM SET max_locks_per_transaction = '64';\n";
        assert!(sql(false).starts_with("-- where it has standbys: raise it on each of them first"), "{}", sql(false));
        assert!(sql(false).contains(set) && sql(true).starts_with(set), "{}", sql(true));
    }

    #[test]
    fn nothing_is_asked_of_statement_statistics_that_are_not_there() {
        let taken = |hour: u32, files: u64| {
            literal(&format!("2026-11-22 {hour}:00:00+00")).view(
                "pg_stat_database",
                "datid | datname | stats_reset | temp_files | temp_bytes",
                &[&format!("5 | shop | 2026-11-01 00:00:00+00 | {files} | {}", files * 10_000_000)],
            )
        };
        let look = |dumps| found("mem-temp-files", dumps)[0].fixes[0].sql.clone();
        let without = look(vec![taken(10, 0), taken(11, 90_000)]);
        assert!(without.lines().all(|line| line.starts_with("-- ")), "{without}");
        let there = |dump: Literal| dump.view("pg_stat_statements", "queryid | calls", &["1 | 5"]);
        let with = look(vec![there(taken(10, 0)), there(taken(11, 90_000))]);
        assert!(with.starts_with("SELECT "), "{with}");
    }
}
