//! The rules, one file each. To add one: its file, its module line, its line in the list.
#![allow(clippy::unnecessary_wraps, reason = "every check has one signature, also one that never skips")]

use super::Rule;

mod conn_churn;
mod conn_idle_in_transaction;
mod conn_long_query;
mod conn_long_transaction;
mod conn_saturation;
mod lock_deadlocks;
mod query_buffer_heavy;
mod query_io_heavy;
mod query_temp_spill;
mod query_top_time;
mod query_wal_heavy;
mod wrap_prepared_xact;

/// Every rule, in the order of the documentation.
pub const RULES: &[&Rule] = &[
    &conn_churn::RULE,
    &conn_idle_in_transaction::RULE,
    &conn_long_query::RULE,
    &conn_long_transaction::RULE,
    &conn_saturation::RULE,
    &lock_deadlocks::RULE,
    &query_buffer_heavy::RULE,
    &query_io_heavy::RULE,
    &query_temp_spill::RULE,
    &query_top_time::RULE,
    &query_wal_heavy::RULE,
    // Wraparound
    &wrap_prepared_xact::RULE,
];
