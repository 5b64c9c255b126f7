//! What was set up, what it should trigger, and where that is shown.

use super::Present::{self, Apart, Done, Held, Scenario};
use super::Trap;
use pgretro::finding::Severity;

const SHOP: Present = Scenario("pgbench-shop");
const QUEUE: Present = Scenario("mission-queue");

/// Something the subtraction names.
pub struct Named {
    pub what: &'static str,
    pub present: Present,
    pub kind: &'static str,
    pub shown: &'static [&'static str],
}

/// Something that looks like a trap and is none: the rules that must not warn of it, scaled to minutes or not.
pub struct Quiet {
    pub what: &'static str,
    pub present: Present,
    pub about: &'static str,
    pub rules: &'static [&'static str],
}

const fn trap(
    what: &'static str,
    present: Present,
    rule: &'static str,
    about: &'static str,
    shown: &'static [&'static str],
    default: Option<Severity>,
    scaled: Severity,
) -> Trap {
    Trap { what, present, rule, about, shown, default, scaled }
}

const AB_SHOP: &[&str] = &["shop/before", "shop/after"];
const AB_QUEUE: &[&str] = &["pg15-queue/before", "pg15-queue/after"];
const AB_CRASH: &[&str] = &["pg15-crash/before", "pg15-crash/after"];
const AB_ARCHIVE: &[&str] = &["pg15-archive-fails/before", "pg15-archive-fails/after"];
const FUNCTIONS: &[&str] = &["pg15-functions/before", "pg15-functions/middle", "pg15-functions/after"];
const NEGLECTED: &[&str] = &["pg15-neglected/before", "pg15-neglected/middle", "pg15-neglected/after"];
const HELD: &[&str] = &["pg16-held"];
const CRITICAL: Option<Severity> = Some(Severity::Critical);
const INFO: Option<Severity> = Some(Severity::Info);
const HIGH: Option<Severity> = Some(Severity::High);
const LOW: Option<Severity> = Some(Severity::Low);
const MEDIUM: Option<Severity> = Some(Severity::Medium);

#[rustfmt::skip]
pub const TRAPS: &[Trap] = &[
    trap("index that no query uses", SHOP, "index-unused", "public.idx_customers_wide_never_used", AB_SHOP, INFO, Severity::Low),
    trap("the same, on a table with an odd name", SHOP, "index-unused", "idx|odd", AB_SHOP, INFO, Severity::Medium),
    trap("index defined twice", SHOP, "index-duplicate", "public.idx_orders_customer_dup", AB_SHOP, LOW, Severity::Low),
    trap("index that is the beginning of another", SHOP, "index-redundant-prefix", "public.idx_orders_customer", AB_SHOP, LOW, Severity::Low),
    trap("unique index left invalid", SHOP, "index-invalid", "public.uq_orders_ref", AB_SHOP, HIGH, Severity::High),
    trap("foreign key without an index, parents deleted", SHOP, "index-missing-fk", "public.order_items order_items_order_id_fkey", AB_SHOP, LOW, Severity::Medium),
    trap("autovacuum off on a table with many updates", SHOP, "vacuum-disabled-table", "public.cart_sessions", AB_SHOP, MEDIUM, Severity::Medium),
    trap("large table read by sequential scans", SHOP, "table-seq-scan-heavy", "public.event_log_big", AB_SHOP, None, Severity::Medium),
    trap("the index those scans want", SHOP, "index-missing-predicate", "public.event_log_big", AB_SHOP, None, Severity::Medium),
    trap("sort that does not fit into work_mem", SHOP, "query-temp-spill", "from event_log_big order by body desc", AB_SHOP, None, Severity::Medium),
    trap("pages counted off with OFFSET", SHOP, "sql-offset-deep", "from event_log_big order by body desc", AB_SHOP, None, Severity::Medium),
    trap("table without a primary key", SHOP, "schema-no-pk", "public.pgbench_history", AB_SHOP, LOW, Severity::Low),
    trap("partitioned table never analyzed as a whole", SHOP, "vacuum-partition-root-stale", "public.metrics", AB_SHOP, LOW, Severity::Low),
    trap("partitions that end in the past, nothing inserted", SHOP, "schema-future-partition", "public.metrics", AB_SHOP, INFO, Severity::Info),
    trap("integer sequence nearly used up", SHOP, "seq-exhaustion", "public.tickets_id_seq", AB_SHOP, Some(Severity::Critical), Severity::Critical),
    trap("smallint sequence nearly used up", SHOP, "seq-exhaustion", "public.tiny_seq", AB_SHOP, HIGH, Severity::High),
    trap("logical slot that nobody reads", SHOP, "slot-inactive", "cdc_never_read", AB_SHOP, None, Severity::High),
    trap("slot of a standby that left", SHOP, "slot-inactive", "standby_that_left", AB_SHOP, None, Severity::High),
    trap("WAL that slots may hold without limit", SHOP, "slot-unbounded", "max_slot_wal_keep_size", AB_SHOP, LOW, Severity::Low),
    trap("session idle in a transaction", Held("idle_in_transaction"), "conn-idle-in-transaction", "forgot to | commit", AB_SHOP, None, Severity::Medium),
    trap("session idle in a failed transaction", Held("idle_in_transaction_aborted"), "conn-idle-in-transaction", "idle-aborted", AB_SHOP, None, Severity::High),
    trap("transaction that holds back vacuum", Held("holds_xmin"), "conn-long-transaction", "held back cleanup", HELD, None, Severity::Medium),
    trap("prepared transaction left behind", Held("prepared_xact"), "wrap-prepared-xact", "forgotten 'gid'", HELD, None, Severity::Medium),
    trap("three sessions in a chain of row locks", Held("lock_chain"), "lock-blocked-chain", "inventory.locations", AB_SHOP, None, Severity::Medium),
    trap("ALTER TABLE that waits, readers behind it", Held("relation_lock_chain"), "lock-ddl-queue", "public.never_touched", HELD, None, Severity::High),
    trap("deadlock", Done("deadlock"), "lock-deadlocks", "deadlock in", AB_QUEUE, LOW, Severity::Low),
    trap("archive_command that fails", Done("archive_command_breaks"), "wal-archive-failing", "WAL archive", AB_ARCHIVE, HIGH, Severity::High),
    trap("setting that waits for a restart", Done("settings_changed"), "cfg-pending-restart", "max_connections", AB_SHOP, LOW, Severity::Low),
    trap("server stopped in mode immediate, statements not exported", Scenario("pg15-crash"), "hyg-crash", "server", AB_CRASH, INFO, Severity::Info),
    trap("server stopped in mode immediate: counters lost", Done("crash_and_restart"), "hyg-reset-in-window", "the server: crash or immediate stop", AB_CRASH, LOW, Severity::Low),
    trap("pg_stat_reset()", Done("pg_stat_reset"), "hyg-reset-in-window", "database ", &["pg13-stats-reset/before", "pg13-stats-reset/after"], LOW, Severity::Low),
    trap("counters of one table reset", Done("pg_stat_reset_single_table_counters"), "hyg-reset-in-window", "public.", &["pg18-table-reset/before", "pg18-table-reset/after"], INFO, Severity::Info),
    trap("pg_stat_statements_reset()", Done("pg_stat_statements_reset"), "hyg-reset-in-window", "pg_stat_statements: reset", &["pg15-pgss-reset/before", "pg15-pgss-reset/after"], LOW, Severity::Low),
    trap("tables that nobody uses", QUEUE, "table-unused", "public.agent_heartbeats", AB_QUEUE, None, Severity::Low),
    trap("the same, with indexes", QUEUE, "table-unused", "public.task_queue", AB_QUEUE, None, Severity::Low),
    trap("function that takes most of the time", QUEUE, "func-top-self-time", "check_quota", AB_QUEUE, None, Severity::Low),
    trap("function whose query no index serves", Apart, "func-top-self-time", "public.events_of", FUNCTIONS, None, Severity::Low),
    trap("row trigger that sleeps a millisecond", Apart, "func-trigger-cost", "App 2.Touch", FUNCTIONS, None, Severity::Medium),
    trap("function replaced by a slower one", Apart, "func-mean-regression", "public.norm_kind", FUNCTIONS, LOW, Severity::Low),
    trap("queue polled with FOR UPDATE alone", Apart, "sql-poll-lock", "in public.claim_in_order", FUNCTIONS, None, Severity::Low),
    trap("crash safety switched off", Apart, "cfg-durability-off", "fsync", NEGLECTED, CRITICAL, Severity::Critical),
    trap("autovacuum switched off while transaction ids run", Apart, "cfg-autovacuum-off", "autovacuum", NEGLECTED, CRITICAL, Severity::Critical),
    trap("option that hides damage", Apart, "cfg-dev-options", "zero_damaged_pages", NEGLECTED, HIGH, Severity::High),
    trap("planner method switched off", Apart, "cfg-planner-off", "enable_bitmapscan", NEGLECTED, MEDIUM, Severity::Medium),
    trap("a thousand connections for a dozen sessions", Apart, "cfg-max-connections-high", "max_connections", NEGLECTED, LOW, Severity::Low),
    trap("synchronous standby that does not exist", Apart, "repl-sync-missing", "synchronous_standby_names", NEGLECTED, CRITICAL, Severity::Critical),
    trap("network let in without a password", Apart, "sec-trust-hba", "192.0.2.0/24", NEGLECTED, CRITICAL, Severity::Critical),
    trap("superuser over the network, from an application", Apart, "sec-superuser-app", "postgres", NEGLECTED, HIGH, Severity::High),
    trap("remote sessions without encryption", Apart, "sec-remote-plaintext", "app", NEGLECTED, MEDIUM, Severity::Medium),
    trap("password in a statement", Apart, "sec-secret-in-text", "password in texts", NEGLECTED, HIGH, Severity::High),
    trap("everybody may create in public", Apart, "sec-public-create", "schema public", NEGLECTED, MEDIUM, Severity::Medium),
    trap("definer's function in the caller's search_path", Apart, "sec-definer-search-path", "public.reset_customer", NEGLECTED, HIGH, Severity::High),
    trap("page overwritten on disk", Apart, "io-checksum-failure", "shop", NEGLECTED, CRITICAL, Severity::Critical),
    trap("rebuild that failed", Apart, "index-ccnew-leftover", "public.twice_id_ccnew", NEGLECTED, LOW, Severity::Low),
    trap("unique index that could not be built", Apart, "index-invalid", "public.twice_id", NEGLECTED, HIGH, Severity::High),
    trap("constraint never validated", Apart, "schema-not-validated", "orders_total_positive", NEGLECTED, LOW, Severity::Low),
    trap("trigger left disabled", Apart, "schema-trigger-disabled", "customers_journal", NEGLECTED, MEDIUM, Severity::Medium),
    trap("unlogged table", Apart, "schema-unlogged", "public.page_cache", NEGLECTED, INFO, Severity::Info),
    trap("default partition that fills", Apart, "schema-default-partition", "public.metrics_rest", NEGLECTED, MEDIUM, Severity::Medium),
    trap("bigint sequence in an integer column", Apart, "seq-type-mismatch", "public.tickets_id", NEGLECTED, LOW, Severity::Low),
    trap("table published without a key", Apart, "repl-no-identity", "public.clicks", NEGLECTED, HIGH, Severity::High),
    trap("slot whose WAL is gone", Apart, "slot-lost", "standby_that_left", NEGLECTED, HIGH, Severity::High),
    trap("a million transaction ids behind a prepared transaction", Apart, "wrap-xid-age", "shop", NEGLECTED, HIGH, Severity::High),
    trap("the same, as what holds back cleanup", Apart, "vacuum-blocked-horizon", "cleanup", NEGLECTED, HIGH, Severity::High),
    trap("MultiXacts behind it", Apart, "wrap-multixact-age", "shop", NEGLECTED, MEDIUM, Severity::Medium),
    trap("WAL for two seconds between checkpoints", Apart, "ckpt-requested", "max_wal_size", NEGLECTED, MEDIUM, Severity::Medium),
    trap("a session for each transaction", Apart, "conn-churn", "shop", NEGLECTED, MEDIUM, Severity::Medium),
    trap("sessions ended by hand", Apart, "conn-abnormal-end", "reports", NEGLECTED, None, Severity::Medium),
    trap("more statements than pg_stat_statements keeps", Apart, "hyg-pgss-evicting", "pg_stat_statements.max", NEGLECTED, MEDIUM, Severity::Medium),
    trap("one statement with lists of every length", Apart, "query-fragmented", "pg_stat_statements", NEGLECTED, LOW, Severity::Low),
    trap("extension older than the server", Apart, "hyg-pgss-old-extension", "pg_stat_statements", NEGLECTED, LOW, Severity::Low),
    trap("one row at a time, thousands of times a second", Apart, "query-chatty", "select total from orders", NEGLECTED, None, Severity::Low),
    trap("a quarter of the table returned again and again", Apart, "query-rows-excess", "select id, total from orders", NEGLECTED, None, Severity::Low),
    trap("function around an indexed column", Apart, "sql-function-on-column", "lower(email)", NEGLECTED, None, Severity::Medium),
    trap("NOT IN with a subquery", Apart, "sql-not-in-subquery", "select count(*) from customers", NEGLECTED, None, Severity::Low),
    trap("rows in random order", Apart, "sql-order-by-random", "random()", NEGLECTED, None, Severity::Low),
    trap("UPDATE without WHERE, once a second", Apart, "sql-unbounded-write", "update counters", NEGLECTED, None, Severity::Medium),
    trap("number compared with another type", Apart, "sql-implicit-cast", "orders_pkey", NEGLECTED, MEDIUM, Severity::Medium),
    trap("pattern that begins with a wildcard", Apart, "sql-leading-wildcard", "orders", NEGLECTED, MEDIUM, Severity::Medium),
    trap("function volatile without a reason", Apart, "func-volatile-default", "public.plain_email", NEGLECTED, None, Severity::Info),
    trap("advisory lock of an idle session", Apart, "lock-advisory-idle", "leader", NEGLECTED, None, Severity::Low),
    trap("queue that is never vacuumed", Apart, "table-queue-churn", "public.queue", NEGLECTED, None, Severity::Medium),
];

#[rustfmt::skip]
pub const EVENTS: &[Named] = &[
    Named { what: "table renamed", present: Done("rename_table"), kind: "renamed", shown: &["pg15-rename/before", "pg15-rename/after"] },
    Named { what: "table dropped and made again under its name", present: Done("drop_and_create_same_name"), kind: "recreated", shown: &["pg16-recreate/before", "pg16-recreate/after"] },
    Named { what: "clean restart", present: Done("clean_restart"), kind: "restart", shown: &["pg13-clean-restart/before", "pg13-clean-restart/after"] },
    Named { what: "server stopped in mode immediate", present: Done("crash_and_restart"), kind: "crash", shown: AB_CRASH },
    Named { what: "setting changed", present: Done("settings_changed"), kind: "settings_changed", shown: AB_SHOP },
    Named { what: "pg_stat_reset()", present: Done("pg_stat_reset"), kind: "stats_reset_database", shown: &["pg13-stats-reset/before", "pg13-stats-reset/after"] },
    Named { what: "counters of one table reset", present: Done("pg_stat_reset_single_table_counters"), kind: "stats_reset_object", shown: &["pg18-table-reset/before", "pg18-table-reset/after"] },
    Named { what: "pg_stat_statements_reset()", present: Done("pg_stat_statements_reset"), kind: "stats_reset_statements", shown: &["pg15-pgss-reset/before", "pg15-pgss-reset/after"] },
];

#[rustfmt::skip]
pub const QUIET: &[Quiet] = &[
    Quiet { what: "sequence that starts again at its end", present: SHOP, about: "public.cyclic_seq", rules: &["seq-exhaustion", "seq-type-mismatch"] },
    Quiet { what: "sequence that counts down", present: SHOP, about: "public.down_seq", rules: &["seq-exhaustion"] },
    Quiet { what: "unique index without scans", present: SHOP, about: "public.uq_customers_wide_email", rules: &["index-unused", "index-duplicate"] },
    Quiet { what: "longest of three indexes that begin alike", present: SHOP, about: "public.idx_orders_customer_created", rules: &["index-unused", "index-duplicate", "index-redundant-prefix"] },
    Quiet { what: "queue polled with SKIP LOCKED", present: QUEUE, about: "ops_mission_steps", rules: &["sql-poll-lock"] },
];

/// Series that cannot show a trap: rule, about, beginning of the series' name, why.
#[rustfmt::skip]
pub const CANNOT: &[(&str, &str, &str, &str)] = &[
    ("cfg-pending-restart", "max_connections", "pgbench-shop-pg16", "restarted after the change"),
    ("index-missing-fk", "public.order_items order_items_order_id_fkey", "pgbench-shop-pg18-json", "no order was deleted in its 16 seconds"),
    ("table-seq-scan-heavy", "public.event_log_big", "pgbench-shop-pg18-json", "16 seconds"),
    ("index-missing-predicate", "public.event_log_big", "pgbench-shop-pg18-json", "16 seconds"),
    ("query-temp-spill", "from event_log_big order by body desc", "pgbench-shop-pg18-json", "16 seconds"),
    ("sql-offset-deep", "from event_log_big order by body desc", "pgbench-shop-pg18-json", "16 seconds"),
];

pub const HEAD: &str = "\
# Traps

Made by a test from what the program says of the fixtures (`tests/it/traps`). The recorded series that the fixtures are cut
from hold problems that were set up on purpose. Here stands what each should trigger, and does: with the defaults, which are
made for days and real loads, and with `fixtures/config/minutes.toml`, which scales windows and floors down to series of
minutes. – means that the defaults say nothing: a few seconds, a few megabytes or a few minutes are no problem.

| What was set up | Check | About | Defaults | Minutes | Fixture |
|:--|:--|:--|:--|:--|:--|
";
pub const MIDDLE: &str = "
## What happened

Named by the subtraction between the two snapshots around it, whatever the checks say.

| What was done | Event | Fixture |
|:--|:--|:--|
";
pub const QUIET_HEAD: &str = "
## What is no trap

Looks like one and must not be warned of, with the defaults or with minutes.

| What it is | About | Checks that must be quiet |
|:--|:--|:--|
";
