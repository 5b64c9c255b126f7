//! The rules, one file each. To add one: its file, its module line, its line in the list.
#![expect(clippy::unnecessary_wraps, reason = "every check has one signature, also one that never skips")]

use super::Rule;

mod bgwriter_limit;
mod bloat_heap_estimate;
mod cache_hit_low;
mod cache_table_cold;
mod cfg_autovacuum_off;
mod cfg_dev_options;
mod cfg_durability_off;
mod cfg_effective_cache;
mod cfg_logging;
mod cfg_max_connections_high;
mod cfg_pending_restart;
mod cfg_planner_off;
mod cfg_random_page_cost;
mod cfg_sync_commit_off;
mod cfg_timeouts;
mod cfg_version_eol;
mod cfg_version_minor;
mod ckpt_requested;
mod ckpt_sync_slow;
mod ckpt_target_low;
mod ckpt_too_frequent;
mod conn_abnormal_end;
mod conn_churn;
mod conn_idle_in_transaction;
mod conn_idle_pool;
mod conn_long_query;
mod conn_long_transaction;
mod conn_rollback_share;
mod conn_saturation;
mod conn_wait_profile;
mod func_mean_regression;
mod func_top_self_time;
mod func_trigger_cost;
mod func_volatile_default;
mod hyg_clock;
mod hyg_crash;
mod hyg_mixed_nodes;
mod hyg_partial_inputs;
mod hyg_pgss_evicting;
mod hyg_pgss_missing;
mod hyg_pgss_old_extension;
mod hyg_redacted;
mod hyg_reset_in_window;
mod hyg_timeouts_invisible;
mod hyg_tracking_off;
mod hyg_truncated_export;
mod hyg_window_short;
mod index_bloat_estimate;
mod index_ccnew_leftover;
mod index_duplicate;
mod index_inefficient_scan;
mod index_invalid;
mod index_low_cardinality;
mod index_missing_fk;
mod index_missing_predicate;
mod index_redundant_prefix;
mod index_unused;
mod index_write_amplification;
mod io_backend_fsync;
mod io_backend_writes;
mod io_checksum_failure;
mod io_read_latency;
mod io_timing_off;
mod lock_advisory_idle;
mod lock_blocked_chain;
mod lock_ddl_queue;
mod lock_deadlocks;
mod lock_table_near_full;
mod mem_huge_pages;
mod mem_maintenance;
mod mem_shared_buffers;
mod mem_temp_files;
mod mem_work_mem_overcommit;
mod plan_bitmap_lossy;
mod plan_correlated_subplan;
mod plan_deep_offset;
mod plan_disabled_node;
mod plan_func_default_rows;
mod plan_hash_batches;
mod plan_heap_fetches;
mod plan_index_filter;
mod plan_io_wait;
mod plan_jit;
mod plan_misestimate;
mod plan_nestloop_rescan;
mod plan_parallel_launch;
mod plan_partition_noprune;
mod plan_planning;
mod plan_seq_filter;
mod plan_sort_disk;
mod plan_trigger;
mod query_buffer_heavy;
mod query_chatty;
mod query_fragmented;
mod query_io_heavy;
mod query_jit_overhead;
mod query_mean_regression;
mod query_new_heavy;
mod query_parallel_starved;
mod query_planning_time;
mod query_rows_excess;
mod query_temp_spill;
mod query_top_time;
mod query_variable_latency;
mod query_wal_heavy;
mod repl_conflicts;
mod repl_lag;
mod repl_no_identity;
mod repl_settings_differ;
mod repl_slot_spill;
mod repl_sub_errors;
mod repl_sync_missing;
mod repl_version_differs;
mod schema_default_partition;
mod schema_future_partition;
mod schema_no_pk;
mod schema_not_validated;
mod schema_stats_target;
mod schema_trigger_disabled;
mod schema_unlogged;
mod sec_audit_logging;
mod sec_definer_search_path;
mod sec_no_checksums;
mod sec_password_md5;
mod sec_public_create;
mod sec_remote_plaintext;
mod sec_secret_in_text;
mod sec_superuser_app;
mod sec_trust_hba;
mod seq_exhaustion;
mod seq_type_mismatch;
mod slot_inactive;
mod slot_lost;
mod slot_unbounded;
mod slot_xmin_old;
mod sql_function_on_column;
mod sql_implicit_cast;
mod sql_leading_wildcard;
mod sql_not_in_subquery;
mod sql_offset_deep;
mod sql_order_by_random;
mod sql_poll_lock;
mod sql_unbounded_write;
mod table_growth_fast;
mod table_hot_update_low;
mod table_large_unpartitioned;
mod table_queue_churn;
mod table_seq_scan_heavy;
mod table_seq_scan_regression;
mod table_unused;
mod vacuum_autovacuum_behind;
mod vacuum_blocked_horizon;
mod vacuum_cost_throttled;
mod vacuum_dead_tuples;
mod vacuum_disabled_table;
mod vacuum_insert_only;
mod vacuum_never_analyzed;
mod vacuum_not_visible;
mod vacuum_partition_root_stale;
mod vacuum_stale_analyze;
mod vacuum_stats_lost;
mod vacuum_threshold_too_high;
mod vacuum_toast_dead;
mod vacuum_too_frequent;
mod wal_archive_failing;
mod wal_buffers_full;
mod wal_fpi_share;
mod wrap_freeze_storm;
mod wrap_multixact_age;
mod wrap_prepared_xact;
mod wrap_xid_age;
mod wrap_xid_forecast;

/// Every rule, in the order of the documentation.
pub const RULES: &[&Rule] = &[
    &bgwriter_limit::RULE,
    &bloat_heap_estimate::RULE,
    &cache_hit_low::RULE,
    &cache_table_cold::RULE,
    &cfg_autovacuum_off::RULE,
    &cfg_dev_options::RULE,
    &cfg_durability_off::RULE,
    &cfg_effective_cache::RULE,
    &cfg_logging::RULE,
    &cfg_max_connections_high::RULE,
    &cfg_pending_restart::RULE,
    &cfg_planner_off::RULE,
    &cfg_random_page_cost::RULE,
    &cfg_sync_commit_off::RULE,
    &cfg_timeouts::RULE,
    &cfg_version_eol::RULE,
    &cfg_version_minor::RULE,
    &ckpt_requested::RULE,
    &ckpt_sync_slow::RULE,
    &ckpt_target_low::RULE,
    &ckpt_too_frequent::RULE,
    &conn_abnormal_end::RULE,
    &conn_churn::RULE,
    &conn_idle_in_transaction::RULE,
    &conn_idle_pool::RULE,
    &conn_long_query::RULE,
    &conn_long_transaction::RULE,
    &conn_rollback_share::RULE,
    &conn_saturation::RULE,
    &conn_wait_profile::RULE,
    &func_mean_regression::RULE,
    &func_top_self_time::RULE,
    &func_trigger_cost::RULE,
    &func_volatile_default::RULE,
    &hyg_clock::RULE,
    &hyg_crash::RULE,
    &hyg_mixed_nodes::RULE,
    &hyg_partial_inputs::RULE,
    &hyg_pgss_evicting::RULE,
    &hyg_pgss_missing::RULE,
    &hyg_pgss_old_extension::RULE,
    &hyg_redacted::RULE,
    &hyg_reset_in_window::RULE,
    &hyg_timeouts_invisible::RULE,
    &hyg_tracking_off::RULE,
    &hyg_truncated_export::RULE,
    &hyg_window_short::RULE,
    &index_bloat_estimate::RULE,
    &index_ccnew_leftover::RULE,
    &index_duplicate::RULE,
    &index_inefficient_scan::RULE,
    &index_invalid::RULE,
    &index_low_cardinality::RULE,
    &index_missing_fk::RULE,
    &index_missing_predicate::RULE,
    &index_redundant_prefix::RULE,
    &index_unused::RULE,
    &index_write_amplification::RULE,
    &io_backend_fsync::RULE,
    &io_backend_writes::RULE,
    &io_checksum_failure::RULE,
    &io_read_latency::RULE,
    &io_timing_off::RULE,
    &lock_advisory_idle::RULE,
    &lock_blocked_chain::RULE,
    &lock_ddl_queue::RULE,
    &lock_deadlocks::RULE,
    &lock_table_near_full::RULE,
    &mem_huge_pages::RULE,
    &mem_maintenance::RULE,
    &mem_shared_buffers::RULE,
    &mem_temp_files::RULE,
    &mem_work_mem_overcommit::RULE,
    &plan_bitmap_lossy::RULE,
    &plan_correlated_subplan::RULE,
    &plan_deep_offset::RULE,
    &plan_disabled_node::RULE,
    &plan_func_default_rows::RULE,
    &plan_hash_batches::RULE,
    &plan_heap_fetches::RULE,
    &plan_index_filter::RULE,
    &plan_io_wait::RULE,
    &plan_jit::RULE,
    &plan_misestimate::RULE,
    &plan_nestloop_rescan::RULE,
    &plan_parallel_launch::RULE,
    &plan_partition_noprune::RULE,
    &plan_planning::RULE,
    &plan_seq_filter::RULE,
    &plan_sort_disk::RULE,
    &plan_trigger::RULE,
    &query_buffer_heavy::RULE,
    &query_chatty::RULE,
    &query_fragmented::RULE,
    &query_io_heavy::RULE,
    &query_jit_overhead::RULE,
    &query_mean_regression::RULE,
    &query_new_heavy::RULE,
    &query_parallel_starved::RULE,
    &query_planning_time::RULE,
    &query_rows_excess::RULE,
    &query_temp_spill::RULE,
    &query_top_time::RULE,
    &query_variable_latency::RULE,
    &query_wal_heavy::RULE,
    &repl_conflicts::RULE,
    &repl_lag::RULE,
    &repl_no_identity::RULE,
    &repl_settings_differ::RULE,
    &repl_slot_spill::RULE,
    &repl_sub_errors::RULE,
    &repl_sync_missing::RULE,
    &repl_version_differs::RULE,
    &schema_default_partition::RULE,
    &schema_future_partition::RULE,
    &schema_no_pk::RULE,
    &schema_not_validated::RULE,
    &schema_stats_target::RULE,
    &schema_trigger_disabled::RULE,
    &schema_unlogged::RULE,
    &sec_audit_logging::RULE,
    &sec_definer_search_path::RULE,
    &sec_no_checksums::RULE,
    &sec_password_md5::RULE,
    &sec_public_create::RULE,
    &sec_remote_plaintext::RULE,
    &sec_secret_in_text::RULE,
    &sec_superuser_app::RULE,
    &sec_trust_hba::RULE,
    &seq_exhaustion::RULE,
    &seq_type_mismatch::RULE,
    &slot_inactive::RULE,
    &slot_lost::RULE,
    &slot_unbounded::RULE,
    &slot_xmin_old::RULE,
    &sql_function_on_column::RULE,
    &sql_implicit_cast::RULE,
    &sql_leading_wildcard::RULE,
    &sql_not_in_subquery::RULE,
    &sql_offset_deep::RULE,
    &sql_order_by_random::RULE,
    &sql_poll_lock::RULE,
    &sql_unbounded_write::RULE,
    &table_growth_fast::RULE,
    &table_hot_update_low::RULE,
    &table_large_unpartitioned::RULE,
    &table_queue_churn::RULE,
    &table_seq_scan_heavy::RULE,
    &table_seq_scan_regression::RULE,
    &table_unused::RULE,
    &vacuum_autovacuum_behind::RULE,
    &vacuum_blocked_horizon::RULE,
    &vacuum_cost_throttled::RULE,
    &vacuum_dead_tuples::RULE,
    &vacuum_disabled_table::RULE,
    &vacuum_insert_only::RULE,
    &vacuum_never_analyzed::RULE,
    &vacuum_not_visible::RULE,
    &vacuum_partition_root_stale::RULE,
    &vacuum_stale_analyze::RULE,
    &vacuum_stats_lost::RULE,
    &vacuum_threshold_too_high::RULE,
    &vacuum_toast_dead::RULE,
    &vacuum_too_frequent::RULE,
    &wal_archive_failing::RULE,
    &wal_buffers_full::RULE,
    &wal_fpi_share::RULE,
    &wrap_freeze_storm::RULE,
    &wrap_multixact_age::RULE,
    &wrap_prepared_xact::RULE,
    &wrap_xid_age::RULE,
    &wrap_xid_forecast::RULE,
];
