//! Sequences: state, and blocks read.

use super::{Epoch, Origin, Shape, View, constant, counter, flag, gauge, id, id_text, label};
use crate::unit::Unit::{Blocks, Plain};
use crate::version::Majors;

/// Limits and position of each sequence.
pub const PG_SEQUENCES: View = View {
    name: "pg_sequences",
    also: &[],
    origin: Origin::Server,
    shape: Shape::State,
    epoch: Epoch::None,
    per_database: true,
    majors: Majors::ALL,
    key: &["schemaname", "sequencename"],
    fallback_key: &[],
    telling: "last_value",
    about: "Limits and position of each sequence",
    columns: &[
        id_text("schemaname", "Schema"),
        id_text("sequencename", "Sequence name"),
        label("sequenceowner", "Owner"),
        label("data_type", "Type of the sequence"),
        constant("start_value", Plain, "First value"),
        constant("min_value", Plain, "Smallest value"),
        constant("max_value", Plain, "Largest value"),
        constant("increment_by", Plain, "Step"),
        flag("cycle", "Starts again after the last value"),
        constant("cache_size", Plain, "Values handed to a session at once"),
        gauge("last_value", Plain, "Last value handed out, cached ones included; NULL where unused or not permitted"),
    ],
};

/// Blocks of each sequence, read or found in shared buffers.
pub const PG_STATIO_USER_SEQUENCES: View = View {
    name: "pg_statio_user_sequences",
    also: &["pg_statio_all_sequences", "pg_statio_sys_sequences"],
    origin: Origin::Server,
    shape: Shape::Counters,
    epoch: Epoch::Database,
    per_database: true,
    majors: Majors::ALL,
    key: &["relid"],
    fallback_key: &["schemaname", "relname"],
    telling: "blks_read",
    about: "Blocks of each sequence, read or found in shared buffers",
    columns: &[
        id("relid", "OID of the sequence"),
        label("schemaname", "Schema"),
        label("relname", "Sequence name"),
        counter("blks_read", Blocks, "Blocks not found in shared buffers"),
        counter("blks_hit", Blocks, "Blocks found in shared buffers"),
    ],
};
