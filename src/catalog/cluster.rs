//! Cluster-wide counters: background writer, checkpointer, archiver, WAL.

use super::{Epoch, Origin, Shape, Type, View, counter, duration, gauge, label, moved, reset, time};
use crate::unit::Unit::{Blocks, Bytes, Count};
use crate::version::Majors;

/// Background writer (up to 16 checkpoints, too; these are read as pg_stat_checkpointer).
pub const PG_STAT_BGWRITER: View = View {
    name: "pg_stat_bgwriter",
    also: &[],
    origin: Origin::Server,
    shape: Shape::Counters,
    epoch: Epoch::Own,
    per_database: false,
    majors: Majors::ALL,
    key: &[],
    fallback_key: &[],
    telling: "buffers_alloc",
    about: "Background writer (up to 16 checkpoints, too; these are read as pg_stat_checkpointer)",
    columns: &[
        counter("buffers_clean", Blocks, "Buffers the background writer wrote"),
        counter("maxwritten_clean", Count, "Rounds the background writer broke off because it had written enough"),
        counter("buffers_backend", Blocks, "Buffers that sessions wrote themselves, relation extension included")
            .until(16),
        counter("buffers_backend_fsync", Count, "fsync calls that sessions made themselves").until(16),
        counter("buffers_alloc", Blocks, "Buffers allocated"),
        reset("stats_reset", "When these statistics were reset"),
    ],
};

/// Checkpoints and restartpoints.
pub const PG_STAT_CHECKPOINTER: View = View {
    name: "pg_stat_checkpointer",
    also: &[],
    origin: Origin::Server,
    shape: Shape::Counters,
    epoch: Epoch::Own,
    per_database: false,
    majors: Majors { since: 17, until: None },
    key: &[],
    fallback_key: &[],
    telling: "buffers_written",
    about: "Checkpoints and restartpoints",
    columns: &[
        counter("num_timed", Count, "Checkpoints due by time, skipped idle ones included").was(&[moved(
            "pg_stat_bgwriter",
            "checkpoints_timed",
            12,
            16,
        )]),
        counter("num_requested", Count, "Checkpoints requested: by WAL volume, CHECKPOINT, backups").was(&[moved(
            "pg_stat_bgwriter",
            "checkpoints_req",
            12,
            16,
        )]),
        counter("num_done", Count, "Checkpoints carried out").since(18),
        counter("restartpoints_timed", Count, "Restartpoints due by time").since(17),
        counter("restartpoints_req", Count, "Restartpoints requested").since(17),
        counter("restartpoints_done", Count, "Restartpoints carried out").since(17),
        duration("write_time", "Time checkpoints spent writing").was(&[moved(
            "pg_stat_bgwriter",
            "checkpoint_write_time",
            12,
            16,
        )]),
        duration("sync_time", "Time checkpoints spent in fsync").was(&[moved(
            "pg_stat_bgwriter",
            "checkpoint_sync_time",
            12,
            16,
        )]),
        counter("buffers_written", Blocks, "Buffers written by checkpoints").was(&[moved(
            "pg_stat_bgwriter",
            "buffers_checkpoint",
            12,
            16,
        )]),
        counter("slru_written", Blocks, "SLRU buffers written by checkpoints").since(18),
        reset("stats_reset", "When these statistics were reset").was(&[moved(
            "pg_stat_bgwriter",
            "stats_reset",
            12,
            16,
        )]),
    ],
};

/// WAL archiver.
pub const PG_STAT_ARCHIVER: View = View {
    name: "pg_stat_archiver",
    also: &[],
    origin: Origin::Server,
    shape: Shape::Counters,
    epoch: Epoch::Own,
    per_database: false,
    majors: Majors::ALL,
    key: &[],
    fallback_key: &[],
    telling: "archived_count",
    about: "WAL archiver",
    columns: &[
        counter("archived_count", Count, "WAL files archived"),
        label("last_archived_wal", "WAL file archived last"),
        time("last_archived_time", "When a file was last archived"),
        counter("failed_count", Count, "Failed attempts to archive"),
        label("last_failed_wal", "WAL file of the last failed attempt"),
        time("last_failed_time", "When an attempt last failed"),
        reset("stats_reset", "When these statistics were reset"),
    ],
};

/// Write-ahead log generated and written.
pub const PG_STAT_WAL: View = View {
    name: "pg_stat_wal",
    also: &[],
    origin: Origin::Server,
    shape: Shape::Counters,
    epoch: Epoch::Own,
    per_database: false,
    majors: Majors { since: 14, until: None },
    key: &[],
    fallback_key: &[],
    telling: "wal_bytes",
    about: "Write-ahead log generated and written",
    columns: &[
        counter("wal_records", Count, "WAL records generated").since(14),
        counter("wal_fpi", Count, "Full page images generated").since(14),
        counter("wal_bytes", Bytes, "WAL generated").typed(Type::Numeric).since(14),
        counter("wal_buffers_full", Count, "Writes forced because the WAL buffers were full").since(14),
        counter("wal_write", Count, "Writes of WAL buffers to disk (from 18 in pg_stat_io)").since(14).until(17),
        counter("wal_sync", Count, "fsync calls on WAL files (from 18 in pg_stat_io)").since(14).until(17),
        duration("wal_write_time", "Time writing WAL, with track_wal_io_timing").since(14).until(17),
        duration("wal_sync_time", "Time in fsync of WAL, with track_wal_io_timing").since(14).until(17),
        reset("stats_reset", "When these statistics were reset").since(14),
    ],
};

/// Blocks prefetched during recovery.
pub const PG_STAT_RECOVERY_PREFETCH: View = View {
    name: "pg_stat_recovery_prefetch",
    also: &[],
    origin: Origin::Server,
    shape: Shape::Counters,
    epoch: Epoch::Own,
    per_database: false,
    majors: Majors { since: 15, until: None },
    key: &[],
    fallback_key: &[],
    telling: "prefetch",
    about: "Blocks prefetched during recovery",
    columns: &[
        reset("stats_reset", "When these statistics were reset").since(15),
        counter("prefetch", Blocks, "Blocks prefetched").since(15),
        counter("hit", Blocks, "Blocks already in the buffer pool").since(15),
        counter("skip_init", Blocks, "Blocks that would be zero-initialized").since(15),
        counter("skip_new", Blocks, "Blocks that did not exist yet").since(15),
        counter("skip_fpw", Blocks, "Blocks with a full page image in the WAL").since(15),
        counter("skip_rep", Blocks, "Blocks prefetched a moment before").since(15),
        gauge("wal_distance", Bytes, "How far ahead of replay the prefetcher reads").since(15),
        gauge("block_distance", Blocks, "Prefetches ahead of replay").since(15),
        gauge("io_depth", Count, "Prefetches begun and not known to have ended").since(15),
    ],
};
