//! pg_stat_statements; its columns follow the extension's version, not the server's.

use super::{
    Epoch, Origin, Shape, Type, View, counter, duration, high_water, id, label, low_water, moment, renamed, reset,
};
use crate::unit::Unit::{Blocks, Bytes, Count, Rows};
use crate::version::Majors;

/// Planning and execution of each normalized statement.
pub const PG_STAT_STATEMENTS: View = View {
    name: "pg_stat_statements",
    also: &[],
    origin: Origin::Statements,
    shape: Shape::Counters,
    epoch: Epoch::Statements,
    per_database: false,
    majors: Majors::ALL,
    key: &["userid", "dbid", "queryid", "toplevel"],
    fallback_key: &["dbid", "queryid"],
    telling: "total_exec_time",
    about: "Planning and execution of each normalized statement",
    columns: &[
        id("userid", "OID of the role that ran it"),
        id("dbid", "OID of the database it ran in"),
        id("toplevel", "Sent by a client, not run inside a function; before 14 not told apart")
            .typed(Type::Bool)
            .since(14),
        id("queryid", "Fingerprint of the statement, 64 bits with sign"),
        label("query", "Text of the first call, constants replaced"),
        counter("plans", Count, "Times planned, with track_planning").since(13),
        duration("total_plan_time", "Time planning, with track_planning").since(13),
        low_water("min_plan_time", "Shortest planning since minmax_stats_since").since(13),
        high_water("max_plan_time", "Longest planning since minmax_stats_since").since(13),
        moment("mean_plan_time", "Mean planning time").since(13),
        moment("stddev_plan_time", "Standard deviation (population) of the planning time").since(13),
        counter("calls", Count, "Times executed; statements that failed are not counted"),
        duration("total_exec_time", "Time executing").was(&[renamed("total_time", 12, 12)]),
        low_water("min_exec_time", "Shortest execution since minmax_stats_since").was(&[renamed("min_time", 12, 12)]),
        high_water("max_exec_time", "Longest execution since minmax_stats_since").was(&[renamed("max_time", 12, 12)]),
        moment("mean_exec_time", "Mean execution time").was(&[renamed("mean_time", 12, 12)]),
        moment("stddev_exec_time", "Standard deviation (population) of the execution time").was(&[renamed(
            "stddev_time",
            12,
            12,
        )]),
        counter("rows", Rows, "Rows returned or changed"),
        counter("shared_blks_hit", Blocks, "Shared blocks found in the buffer cache"),
        counter("shared_blks_read", Blocks, "Shared blocks not found in the buffer cache"),
        counter("shared_blks_dirtied", Blocks, "Shared blocks dirtied"),
        counter("shared_blks_written", Blocks, "Shared blocks the statement itself had to write"),
        counter("local_blks_hit", Blocks, "Blocks of temporary tables found in the session's cache"),
        counter("local_blks_read", Blocks, "Blocks of temporary tables read"),
        counter("local_blks_dirtied", Blocks, "Blocks of temporary tables dirtied"),
        counter("local_blks_written", Blocks, "Blocks of temporary tables written"),
        counter("temp_blks_read", Blocks, "Blocks of temporary files read (sorts, hashes)"),
        counter("temp_blks_written", Blocks, "Blocks of temporary files written (sorts, hashes)"),
        duration("shared_blk_read_time", "Time reading shared blocks (up to 16 local ones, too), with track_io_timing")
            .was(&[renamed("blk_read_time", 12, 16)]),
        duration(
            "shared_blk_write_time",
            "Time writing shared blocks (up to 16 local ones, too), with track_io_timing",
        )
        .was(&[renamed("blk_write_time", 12, 16)]),
        duration("local_blk_read_time", "Time reading local blocks, with track_io_timing").since(17),
        duration("local_blk_write_time", "Time writing local blocks, with track_io_timing").since(17),
        duration("temp_blk_read_time", "Time reading temporary files, with track_io_timing").since(15),
        duration("temp_blk_write_time", "Time writing temporary files, with track_io_timing").since(15),
        counter("wal_records", Count, "WAL records generated").since(13),
        counter("wal_fpi", Count, "Full page images generated").since(13),
        counter("wal_bytes", Bytes, "WAL generated").typed(Type::Numeric).since(13),
        counter("wal_buffers_full", Count, "Writes forced because the WAL buffers were full").since(18),
        counter("jit_functions", Count, "Functions compiled just in time").since(15),
        duration("jit_generation_time", "Time generating code").since(15),
        counter("jit_inlining_count", Count, "Times functions were inlined").since(15),
        duration("jit_inlining_time", "Time inlining").since(15),
        counter("jit_optimization_count", Count, "Times code was optimized").since(15),
        duration("jit_optimization_time", "Time optimizing").since(15),
        counter("jit_emission_count", Count, "Times code was emitted").since(15),
        duration("jit_emission_time", "Time emitting code").since(15),
        counter("jit_deform_count", Count, "Tuple deforming functions compiled").since(17),
        duration("jit_deform_time", "Time compiling them").since(17),
        counter("parallel_workers_to_launch", Count, "Parallel workers the plans asked for").since(18),
        counter("parallel_workers_launched", Count, "Parallel workers that were started").since(18),
        reset("stats_since", "Since when the entry counts").since(17),
        reset("minmax_stats_since", "Since when its minimum and maximum count").since(17),
    ],
};

/// Evictions and the last full reset of pg_stat_statements.
pub const PG_STAT_STATEMENTS_INFO: View = View {
    name: "pg_stat_statements_info",
    also: &[],
    origin: Origin::Statements,
    shape: Shape::Counters,
    epoch: Epoch::Own,
    per_database: false,
    majors: Majors { since: 14, until: None },
    key: &[],
    fallback_key: &[],
    telling: "dealloc",
    about: "Evictions and the last full reset of pg_stat_statements",
    columns: &[
        counter("dealloc", Count, "Times the least executed entries were evicted (each pass drops 5 %, at least 10)")
            .since(14),
        reset("stats_reset", "When all entries were last reset together").since(14),
    ],
};
