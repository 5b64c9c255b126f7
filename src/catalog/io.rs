//! Input and output by kind: pg_stat_io, SLRU caches.

use super::{Epoch, Origin, Shape, Type, View, constant, counter, duration, id_text, reset};
use crate::unit::Unit::{Blocks, Bytes, Count};
use crate::version::Majors;

/// Reads, writes, hits and evictions by backend type, object and context.
pub const PG_STAT_IO: View = View {
    name: "pg_stat_io",
    also: &[],
    origin: Origin::Server,
    shape: Shape::Counters,
    epoch: Epoch::Own,
    per_database: false,
    majors: Majors { since: 16, until: None },
    key: &["backend_type", "object", "context"],
    fallback_key: &[],
    telling: "reads",
    about: "Reads, writes, hits and evictions by backend type, object and context",
    columns: &[
        id_text("backend_type", "Kind of process").since(16),
        id_text("object", "relation, temp relation or (18) wal").since(16),
        id_text("context", "normal, vacuum, bulkread, bulkwrite or (18) init").since(16),
        counter("reads", Count, "Read operations").since(16),
        counter("read_bytes", Bytes, "Bytes read").typed(Type::Numeric).since(18),
        duration("read_time", "Time waiting for reads, with track_io_timing").since(16),
        counter("writes", Count, "Write operations").since(16),
        counter("write_bytes", Bytes, "Bytes written").typed(Type::Numeric).since(18),
        duration("write_time", "Time waiting for writes, with track_io_timing").since(16),
        counter("writebacks", Count, "Blocks the kernel was asked to write out").since(16),
        duration("writeback_time", "Time waiting for that, with track_io_timing").since(16),
        counter("extends", Count, "Operations that extended a relation").since(16),
        counter("extend_bytes", Bytes, "Bytes relations were extended by").typed(Type::Numeric).since(18),
        duration("extend_time", "Time waiting for extensions, with track_io_timing").since(16),
        constant("op_bytes", Bytes, "Bytes of one operation").since(16).until(17),
        counter("hits", Count, "Blocks found in shared buffers").since(16),
        counter("evictions", Count, "Blocks written or dropped from a buffer to make room").since(16),
        counter("reuses", Count, "Buffers of a ring reused").since(16),
        counter("fsyncs", Count, "fsync calls").since(16),
        duration("fsync_time", "Time waiting for fsync, with track_io_timing").since(16),
        reset("stats_reset", "When these statistics were reset").since(16),
    ],
};

/// Caches of the transaction machinery (SLRU).
pub const PG_STAT_SLRU: View = View {
    name: "pg_stat_slru",
    also: &[],
    origin: Origin::Server,
    shape: Shape::Counters,
    epoch: Epoch::Own,
    per_database: false,
    majors: Majors { since: 13, until: None },
    key: &["name"],
    fallback_key: &[],
    telling: "blks_read",
    about: "Caches of the transaction machinery (SLRU)",
    columns: &[
        id_text("name", "Name of the cache (names of 17 and later)").since(13),
        counter("blks_zeroed", Blocks, "Blocks initialized").since(13),
        counter("blks_hit", Blocks, "Blocks found in the cache").since(13),
        counter("blks_read", Blocks, "Blocks read from disk").since(13),
        counter("blks_written", Blocks, "Blocks written to disk").since(13),
        counter("blks_exists", Blocks, "Checks whether a block exists").since(13),
        counter("flushes", Count, "Flushes of dirty data").since(13),
        counter("truncates", Count, "Truncations").since(13),
        reset("stats_reset", "When the cache's statistics were reset").since(13),
    ],
};
