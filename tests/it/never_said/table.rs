//! The list, in the order of the catalogue of rules.

use super::Kept::{By, Finding, Statement, Unread, Word};
use super::Wrong;
use pgretro::finding::{Confidence, Doubt, Verb};

const fn wrong(nr: usize, claim: &'static str, right: &'static str, kept: &'static [super::Kept]) -> Wrong {
    Wrong { nr, claim, right, kept }
}

/// A statement without a quoted, qualified name behind these words.
fn unqualified(statement: &str, words: &str) -> bool {
    statement.split_once(words).is_some_and(|(_, name)| !(name.starts_with('"') && name.contains("\".\"")))
}

/// A statement that sets this to anything.
fn sets(statement: &str, name: &str) -> bool {
    let at = |verb: &str| {
        statement.contains(&format!("{verb} {name} =")) || statement.contains(&format!("{verb} {name} TO"))
    };
    at("SET") || statement.contains(&format!("SET ({name} =")) || statement.contains(&format!(", {name} ="))
}

/// `5 indexes not scanned`, `; 3 more like it`: the number at the begin of the title, where it counts members.
fn miscounts(f: &pgretro::finding::Finding) -> bool {
    let title = f.title.plain();
    let more = title.rsplit_once("; ").and_then(|(_, rest)| rest.strip_suffix(" more like it"));
    if let Some(more) = more {
        return more.replace(',', "").parse::<usize>() != Ok(f.members.len() - 1);
    }
    let counted = title.contains("too early to judge").then(|| title.split(' ').next().unwrap_or_default().to_owned());
    counted.is_some_and(|n| n.replace(',', "").parse() != Ok(f.members.len().max(1)))
}

#[rustfmt::skip]
pub const WRONG: &[Wrong] = &[
    wrong(1, "~50 claims/s from 0.12 ms per query", "what was observed is calls over the window", &[
        By("advisor/rules/query_chatty.rs", "a_row_at_a_time_many_times_is_told"),
    ]),
    wrong(2, "P95 from pg_stat_statements", "there is no histogram: a bound from mean, deviation and maximum", &[
        By("advisor/rules/query_variable_latency.rs", "a_bound_is_given_and_never_a_percentile"),
        By("diff/moments.rs", "percentile_bounds_hold"),
        Word("p95", &[]), Word("p99", &[]),
    ]),
    wrong(3, "drop the index on (a), and elsewhere create (a, b)", "one action that creates first", &[
        By("advisor/consistency.rs", "an_index_is_replaced_in_one_action_the_new_one_first"),
    ]),
    wrong(4, "NOWAIT waits less", "NOWAIT is an error at once, SKIP LOCKED leaves locked rows out", &[
        By("advisor/rules/sql_poll_lock.rs", "finds_workers_that_wait_for_each_other"),
        Word("nowait", &["sql-poll-lock"]),
    ]),
    wrong(5, "6 unused indexes, and a list of 7", "the number is that of the list", &[Finding(miscounts)]),
    wrong(6, "dead ratio of 48 % here and 112 % there", "one measure: dead rows against the trigger", &[
        By("advisor/rules/vacuum_dead_tuples.rs", "pressure_and_size_decide"),
        Word("dead ratio", &[]), Word("dead tuple ratio", &[]), Word("dead row ratio", &[]),
    ]),
    wrong(7, "DROP INDEX name;", "qualified, concurrently, with what brings it back", &[
        Statement(|_, s| unqualified(&s.replace("CONCURRENTLY ", ""), "DROP INDEX "), "DROP INDEX CONCURRENTLY i;"),
        Finding(|f| f.fixes.iter().any(|x| x.sql.contains("DROP INDEX \"") && !x.lock.contains("cannot be dropped concurrently"))),
        Finding(|f| f.fixes.iter().any(|x| x.verb == Verb::Drop && x.sql.contains("DROP INDEX") && x.undo.is_none())),
        By("advisor/rules/index_unused.rs", "finds_one_that_was_not_scanned_for_months"),
    ]),
    wrong(8, "high for 26 rows that are all dead", "a table of one page is below its trigger", &[
        By("advisor/rules/vacuum_dead_tuples.rs", "stays_quiet_below_the_trigger_on_small_tables_and_where_switched_off"),
    ]),
    wrong(9, "effective_cache_size is adequate, without the memory of the machine", "not known", &[
        By("advisor/rules/cfg_effective_cache.rs", "judges_by_the_machine_or_not_at_all"),
        Word("adequate", &[]),
    ]),
    wrong(10, "few index scans against sequential ones: an index is missing", "what is read decides, not scans begun", &[
        By("advisor/rules/table_seq_scan_heavy.rs", "the_number_of_scans_says_nothing"),
        By("advisor/rules/table_seq_scan_heavy.rs", "stays_quiet_for_small_tables_and_few_passes"),
    ]),
    wrong(11, "idx_scan = 0, so drop it", "constraints, foreign keys, statistics, standbys, age", &[
        By("advisor/rules/index_unused.rs", "never_condemns_what_has_another_task"),
        By("advisor/rules/index_unused.rs", "a_week_and_a_month_decide"),
        By("advisor/rules/index_unused.rs", "scans_are_summed_over_all_servers"),
        By("advisor/rules/index_unused.rs", "where_a_standby_is_read_only_its_counters_can_condemn"),
    ]),
    wrong(12, "99 % cache hits are healthy, 95 % are bad", "reads per second and their time", &[
        By("advisor/rules/cache_hit_low.rs", "a_low_share_counts_only_with_volume"),
        Word("healthy", &[]), Word("hit ratio", &[]),
    ]),
    wrong(13, "tup_fetched ÷ tup_returned is the use of indexes", "two things that have nothing to do with each other", &[
        Unread(&["tup_returned", "tup_fetched"]),
    ]),
    wrong(14, "last_vacuum is NULL: never vacuumed", "a reset empties it; reltuples and pg_stats stay", &[
        By("advisor/rules/vacuum_never_analyzed.rs", "no_time_of_an_analyze_is_no_missing_analyze"),
        By("advisor/rules/vacuum_stats_lost.rs", "large_tables_without_their_past_after_a_reset"),
    ]),
    wrong(15, "n_dead_tup = 0: no bloat", "vacuum frees space inside, not to the operating system", &[
        By("advisor/rules/bloat_heap_estimate.rs", "four_times_the_pages_are_too_many"),
    ]),
    wrong(16, "VACUUM FULL for dead rows", "plain VACUUM; a rewrite for large waste only, in a window", &[
        Statement(|rule, s| rule != "bloat-heap-estimate" && (s.contains("VACUUM FULL") || s.contains("VACUUM (FULL")), "VACUUM (FULL) t;"),
        By("advisor/score_tests.rs", "a_setting_gets_one_value_and_a_table_one_kind_of_vacuum"),
    ]),
    wrong(17, "more autovacuum workers are faster", "they share one cost budget", &[
        By("advisor/rules/vacuum_autovacuum_behind.rs", "late_tables_and_busy_workers_are_behind"),
        Statement(|_, s| sets(s, "autovacuum_max_workers"), "ALTER SYSTEM SET autovacuum_max_workers = '10';"),
    ]),
    wrong(18, "disable autovacuum on the busy table", "tune it", &[
        Statement(|_, s| sets(s, "autovacuum_enabled") || s.contains("autovacuum = 'off'"), "ALTER TABLE t SET (autovacuum_enabled = false);"),
    ]),
    wrong(19, "transaction ids are used at the rate of commits", "transactions that only read use none", &[
        By("advisor/rules/wrap_xid_forecast.rs", "commits_do_not_count"),
    ]),
    wrong(20, "an age of more than 200 million is an emergency", "it begins the routine vacuum", &[
        By("advisor/rules/wrap_xid_age.rs", "the_age_decides"),
        By("advisor/rules/wrap_xid_forecast.rs", "a_busy_server_before_its_routine_vacuum_gets_a_note"),
    ]),
    wrong(21, "at the limit, start in single-user mode", "plain VACUUM works", &[
        Word("single-user", &["wrap-xid-age"]),
        Statement(|_, s| s.contains("--single"), "postgres --single"),
    ]),
    wrong(22, "statistics were reset on stats_reset, for all tables", "a single reset moves it, a crash empties it", &[
        By("advisor/age.rs", "a_reset_of_one_object_leaves_the_others_their_age"),
    ]),
    wrong(23, "the server's uptime is the age of the statistics", "they survive clean restarts", &[
        By("advisor/age.rs", "the_start_of_the_server_is_not_the_start_of_its_counters"),
    ]),
    wrong(24, "many requested checkpoints: raise max_wal_size", "commands request some; WAL between two decides", &[
        By("advisor/rules/ckpt_requested.rs", "commands_and_small_volumes_are_not_blamed_on_it"),
    ]),
    wrong(25, "a high buffers_backend: the background writer is too small", "it counts extension and bulk loads", &[
        By("advisor/rules/io_backend_writes.rs", "older_servers_do_not_tell_it_apart"),
        By("advisor/rules/io_backend_writes.rs", "evictions_by_sessions_are_told_bulk_writes_are_not"),
    ]),
    wrong(26, "a larger work_mem for the server", "for the role; it holds per node and process", &[
        Statement(|rule, s| rule != "mem-work-mem-overcommit" && s.contains("ALTER SYSTEM SET work_mem"), "ALTER SYSTEM SET work_mem = '1GB';"),
        By("advisor/rules/query_temp_spill.rs", "proposes_room_but_not_any_amount"),
        By("advisor/rules/mem_work_mem_overcommit.rs", "what_is_small_already_is_not_raised"),
    ]),
    wrong(27, "shared_buffers must be a quarter of memory", "a start; no value without the memory", &[
        By("advisor/rules/mem_shared_buffers.rs", "says_no_more_than_default_where_it_is_not"),
    ]),
    wrong(28, "random_page_cost = 1.1 for everyone", "the storage is not known", &[
        By("advisor/rules/cfg_random_page_cost.rs", "only_a_stated_storage_makes_it_a_finding"),
        Statement(|_, s| s.contains("ALTER SYSTEM SET random_page_cost"), "ALTER SYSTEM SET random_page_cost = '1.1';"),
    ]),
    wrong(29, "connections run out: raise max_connections", "a pooler", &[
        Statement(|_, s| sets(s, "max_connections"), "ALTER SYSTEM SET max_connections = '1000';"),
    ]),
    wrong(30, "idle connections are leaks", "those of a pool are not; idle inside a transaction is what hurts", &[
        By("advisor/rules/conn_idle_in_transaction.rs", "sessions_that_wait_for_work_are_left_alone"),
        By("advisor/rules/conn_idle_pool.rs", "finds_what_is_so_in_every_snapshot"),
        Finding(|f| f.rule == "conn-idle-pool" && f.fixes.iter().any(|x| x.verb == Verb::End)),
    ]),
    wrong(31, "the mean of ratios, the average of averages", "sums first", &[
        By("diff/moments.rs", "windows_merge_to_the_whole"),
    ]),
    wrong(32, "subtracting means, deviations and maxima", "moments", &[
        By("diff/moments.rs", "a_window_is_what_its_calls_were"),
        By("diff/moments.rs", "maxima_say_what_they_know"),
    ]),
    wrong(33, "top statements by what two years added up to", "the window", &[
        By("advisor/rules/query_top_time.rs", "the_past_does_not_count"),
    ]),
    wrong(34, "REINDEX or VACUUM FULL every night", "where something shows waste", &[
        Word("nightly", &[]), Word("every night", &[]),
        By("advisor/rules/index_bloat_estimate.rs", "stays_quiet_about_fresh_ones_small_ones_and_what_it_cannot_know"),
    ]),
    wrong(35, "every foreign key needs an index", "where rows are deleted, keys change or queries join", &[
        By("advisor/rules/index_missing_fk.rs", "what_it_costs_decides"),
    ]),
    wrong(36, "an index for each column in WHERE", "one that serves several statements, against what writes cost", &[
        By("advisor/rules/index_missing_predicate.rs", "one_index_serves_several_statements"),
        By("advisor/rules/index_missing_predicate.rs", "what_it_relieves_decides"),
    ]),
    wrong(37, "the most selective column first", "equality first, then one range or the order", &[
        By("advisor/rules/index_missing_predicate.rs", "equality_first_then_order_or_range"),
    ]),
    wrong(38, "the table is 60 % bloated", "an estimate, and it says so", &[
        By("advisor/rules/bloat_heap_estimate.rs", "four_times_the_pages_are_too_many"),
        By("advisor/rules/index_bloat_estimate.rs", "four_times_the_pages_are_too_many"),
        Finding(|f| matches!(f.rule.as_str(), "bloat-heap-estimate" | "index-bloat-estimate")
            && !(f.doubts.contains(&Doubt::C5) && f.confidence() < Confidence::High && f.title.plain().contains("estimate"))),
    ]),
    wrong(39, "pg_stat_reset() before measuring", "two snapshots", &[
        Word("pg_stat_reset", &["vacuum-stats-lost"]),
        Statement(|_, s| s.contains("pg_stat_reset"), "SELECT pg_stat_reset();"),
    ]),
    wrong(40, "UPDATE pg_index SET indisvalid = false to try a drop", "no statement touches a catalog", &[
        Statement(|_, s| ["UPDATE pg_", "DELETE FROM pg_", "INSERT INTO pg_"].iter().any(|w| s.contains(w)), "UPDATE pg_index SET indisvalid = false;"),
    ]),
    wrong(41, "0 ms of planning", "it is not recorded unless track_planning is on", &[
        By("advisor/rules/query_planning_time.rs", "planning_that_is_not_recorded_is_not_zero"),
    ]),
    wrong(42, "6,945 rows expected, 16,667 came, of one of three processes", "what all of them did", &[
        By("advisor/rules/plan_misestimate.rs", "a_process_is_not_the_node"),
        By("advisor/rules/plan_misestimate.rs", "below_a_gather_processes_are_added_up"),
    ]),
    wrong(43, "no replay_lag is no lag", "idle or not known: bytes tell", &[
        By("advisor/rules/repl_lag.rs", "an_unknown_lag_is_not_none"),
    ]),
    wrong(44, "no failures in pg_stat_statements, so no timeouts", "failed statements are not recorded", &[
        By("advisor/rules/hyg_timeouts_invisible.rs", "says_what_the_sums_leave_out"),
    ]),
    wrong(45, "hash indexes are not WAL-logged; a column with a default rewrites the table; int to bigint does not", "since 10; since 11 not; it does", &[
        By("advisor/rules/seq_exhaustion.rs", "the_columns_type_may_be_the_nearer_end"),
        Word("not wal-logged", &[]), Word("add column", &["query-top-time"]), // in a statement that it shows
    ]),
];
