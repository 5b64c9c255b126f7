//! What the script exports, in which order, and what it keeps to itself.

/// One view of the script.
pub(super) struct Step {
    /// Its name in the catalog.
    pub view: &'static str,
    /// Which rows; empty for all.
    pub filter: &'static str,
    /// Columns that are exported as another expression, so that no content and no secret leaves the server.
    /// Where there are any, the columns are named one by one.
    pub masked: &'static [(&'static str, &'static str)],
    /// The variable of psql without which it is not tried: what hardly any role may read is no remark.
    pub allowed: &'static str,
}

const fn whole(view: &'static str) -> Step {
    Step { view, filter: "", masked: &[], allowed: "" }
}

const fn some(view: &'static str, filter: &'static str) -> Step {
    Step { view, filter, masked: &[], allowed: "" }
}

const fn masked(view: &'static str, masked: &'static [(&'static str, &'static str)]) -> Step {
    Step { view, filter: "", masked, allowed: "" }
}

/// Of the options only whether a certificate is asked for: the others hold passwords of directories.
const OPTIONS: &str = "(select array_agg(o) from unnest(v.options) o where o like 'clientcert=%')";

/// Connection strings may carry passwords; what the script itself set is shown as the session found it.
const SETTING: &str = "regexp_replace(case when v.source = 'session' then v.reset_val else v.setting end,
         '(password\\s*=\\s*)(''[^'']*''|\\S+)', '\\1***', 'gi')";
const RESET_VAL: &str = "regexp_replace(v.reset_val, '(password\\s*=\\s*)(''[^'']*''|\\S+)', '\\1***', 'gi')";

/// Values of the user's columns.
const VALUES: &[(&str, &str)] = &[
    ("most_common_vals", "null::text[]"),
    ("histogram_bounds", "null::text[]"),
    ("most_common_elems", "null::text[]"),
    ("range_length_histogram", "null::text[]"),
    ("range_bounds_histogram", "null::text[]"),
];

/// The views, in the order of export: what is true for an instant first, then the counters, what does not change last.
pub(super) const STEPS: &[Step] = &[
    // The script's own session and locks say nothing about the server.
    some("pg_stat_activity", "v.pid <> pg_backend_pid()"),
    some("pg_locks", "v.pid is distinct from pg_backend_pid()"),
    whole("blocking_pids"),
    whole("pg_prepared_xacts"),
    some("pg_stat_ssl", "v.pid <> pg_backend_pid()"),
    whole("pg_stat_replication"),
    whole("pg_stat_wal_receiver"),
    whole("pg_replication_slots"),
    whole("pg_stat_subscription"),
    whole("pg_stat_progress_vacuum"),
    whole("pg_stat_progress_analyze"),
    whole("pg_stat_progress_cluster"),
    whole("pg_stat_progress_create_index"),
    whole("pg_stat_progress_basebackup"),
    some("pg_stat_progress_copy", "v.pid <> pg_backend_pid()"),
    whole("pg_stat_statements"),
    whole("pg_stat_statements_info"),
    whole("pg_stat_database"),
    whole("pg_stat_database_conflicts"),
    whole("pg_stat_bgwriter"),
    whole("pg_stat_checkpointer"),
    whole("pg_stat_archiver"),
    whole("pg_stat_wal"),
    whole("pg_stat_recovery_prefetch"),
    whole("pg_stat_io"),
    whole("pg_stat_slru"),
    whole("pg_stat_replication_slots"),
    whole("pg_stat_subscription_stats"),
    whole("pg_replication_origin_status"),
    whole("pg_stat_user_tables"),
    whole("pg_statio_user_tables"),
    whole("pg_stat_user_indexes"),
    whole("pg_statio_user_indexes"),
    whole("pg_statio_user_sequences"),
    whole("pg_stat_user_functions"),
    masked("pg_settings", &[("setting", SETTING), ("reset_val", RESET_VAL)]),
    Step { allowed: "may_read_hba", ..masked("pg_hba_file_rules", &[("options", OPTIONS)]) },
    whole("pg_database"),
    whole("pg_tablespace"),
    whole("pg_extension"),
    masked("pg_roles", &[("rolpassword", "null::text")]),
    whole("role_settings"),
    whole("role_members"),
    whole("database_sizes"),
    whole("table_sizes"),
    whole("index_definitions"),
    whole("constraints"),
    whole("partitions"),
    whole("pg_sequences"),
    whole("sequence_columns"),
    whole("function_definitions"),
    whole("triggers"),
    whole("schemas"),
    whole("extension_members"),
    whole("publications"),
    whole("publication_tables"),
    Step { view: "pg_stats", filter: "v.schemaname not in ('pg_catalog', 'information_schema')", ..masked("", VALUES) },
    // The last one: it carries what was remarked on the way.
    whole("meta"),
];

/// Views that the script does not export, and why.
pub const LEFT_OUT: &[(&str, &str)] = &[
    ("pg_stat_xact_user_tables", "it shows the script's own transaction"),
    ("pg_stat_xact_user_functions", "it shows the script's own transaction"),
    ("pg_stat_gssapi", "no rule reads it"),
    ("pg_aios", "it shows single operations of one instant"),
    ("pg_wait_events", "it describes the server's program, not this server"),
    ("pg_stats_ext", "it holds values of the user's columns"),
    ("pg_stats_ext_exprs", "it holds values of the user's columns"),
    ("pg_shmem_allocations", "no rule reads it"),
    ("pg_backend_memory_contexts", "it shows the script's own session"),
    ("pg_tables", "table_sizes says more"),
    ("pg_indexes", "index_definitions says more"),
    ("plans", "EXPLAIN output is put beside the exports by hand"),
];
