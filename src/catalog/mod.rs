//! What PostgreSQL exports, as data: every view and column with its kind, unit, versions and old names.
//!
//! One line a column, one file a view family. To add a column that PostgreSQL added or renamed, open the family's file;
//! the truth test against `fixtures/columns/` lists what is missing.

mod activity;
mod cluster;
mod column;
mod database;
mod definitions;
pub mod export;
mod functions;
mod helpers;
mod indexes;
mod io;
mod listing;
mod lookup;
mod planner;
mod plans;
mod progress;
mod replication;
mod sequences;
mod server;
pub mod settings;
mod statements;
mod tables;
mod view;
pub mod wraparound;

pub use column::{
    Column, Kind, Moved, Type, array, constant, counter, duration, flag, gauge, high_water, id, id_text, label,
    low_water, moment, moved, number, renamed, reset, self_resetting, sum, time,
};
pub use listing::{Listing, list};
pub use lookup::{
    Exported, as_exported, canonical_slru, carrier, exported, feeds, majors_with, pgss_layout, recognise, resolve,
};
pub use view::{Epoch, Origin, Shape, View};

/// Every view the catalog knows, in the order reports list them.
pub static VIEWS: &[&View] = &[
    &tables::PG_STAT_USER_TABLES,
    &tables::PG_STATIO_USER_TABLES,
    &tables::PG_STAT_XACT_USER_TABLES,
    &indexes::PG_STAT_USER_INDEXES,
    &indexes::PG_STATIO_USER_INDEXES,
    &sequences::PG_SEQUENCES,
    &sequences::PG_STATIO_USER_SEQUENCES,
    &database::PG_STAT_DATABASE,
    &database::PG_STAT_DATABASE_CONFLICTS,
    &database::PG_DATABASE,
    &cluster::PG_STAT_BGWRITER,
    &cluster::PG_STAT_CHECKPOINTER,
    &cluster::PG_STAT_ARCHIVER,
    &cluster::PG_STAT_WAL,
    &cluster::PG_STAT_RECOVERY_PREFETCH,
    &io::PG_STAT_IO,
    &io::PG_STAT_SLRU,
    &statements::PG_STAT_STATEMENTS,
    &statements::PG_STAT_STATEMENTS_INFO,
    &activity::PG_STAT_ACTIVITY,
    &activity::PG_LOCKS,
    &activity::PG_STAT_SSL,
    &activity::PG_STAT_GSSAPI,
    &activity::PG_PREPARED_XACTS,
    &activity::PG_AIOS,
    &activity::PG_WAIT_EVENTS,
    &progress::PG_STAT_PROGRESS_VACUUM,
    &progress::PG_STAT_PROGRESS_ANALYZE,
    &progress::PG_STAT_PROGRESS_CLUSTER,
    &progress::PG_STAT_PROGRESS_CREATE_INDEX,
    &progress::PG_STAT_PROGRESS_BASEBACKUP,
    &progress::PG_STAT_PROGRESS_COPY,
    &replication::PG_STAT_REPLICATION,
    &replication::PG_STAT_WAL_RECEIVER,
    &replication::PG_REPLICATION_SLOTS,
    &replication::PG_STAT_REPLICATION_SLOTS,
    &replication::PG_STAT_SUBSCRIPTION,
    &replication::PG_STAT_SUBSCRIPTION_STATS,
    &replication::PG_REPLICATION_ORIGIN_STATUS,
    &functions::PG_STAT_USER_FUNCTIONS,
    &functions::PG_STAT_XACT_USER_FUNCTIONS,
    &planner::PG_STATS,
    &planner::PG_STATS_EXT,
    &planner::PG_STATS_EXT_EXPRS,
    &server::PG_SETTINGS,
    &server::PG_HBA_FILE_RULES,
    &server::PG_ROLES,
    &server::PG_EXTENSION,
    &server::PG_TABLESPACE,
    &server::PG_SHMEM_ALLOCATIONS,
    &server::PG_BACKEND_MEMORY_CONTEXTS,
    &server::PG_TABLES,
    &server::PG_INDEXES,
    &helpers::META,
    &helpers::DATABASE_SIZES,
    &helpers::TABLE_SIZES,
    &helpers::INDEX_DEFINITIONS,
    &helpers::CONSTRAINTS,
    &helpers::PARTITIONS,
    &helpers::BLOCKING_PIDS,
    &definitions::SEQUENCE_COLUMNS,
    &definitions::FUNCTION_DEFINITIONS,
    &definitions::TRIGGERS,
    &definitions::SCHEMAS,
    &definitions::EXTENSION_MEMBERS,
    &definitions::PUBLICATIONS,
    &definitions::PUBLICATION_TABLES,
    &definitions::ROLE_SETTINGS,
    &definitions::ROLE_MEMBERS,
    &plans::PLANS,
];

/// The view with this name, in any case; names that PostgreSQL uses for a wider or narrower set of the same rows count
/// (`pg_stat_all_tables` is `pg_stat_user_tables`).
pub fn view(name: &str) -> Option<&'static View> {
    VIEWS
        .iter()
        .copied()
        .find(|v| v.name.eq_ignore_ascii_case(name) || v.also.iter().any(|a| a.eq_ignore_ascii_case(name)))
}
