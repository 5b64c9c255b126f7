//! Arithmetic of checkpoints.

/// WAL between the start of one checkpoint and the request of the next: `max_wal_size / (1 + completion target)`.
///
/// PostgreSQL source, `CalculateCheckpointSegments`: the WAL of one whole checkpoint cycle plus the part written while
/// the checkpoint itself still runs must fit into `max_wal_size`.
pub fn trigger_distance(max_wal_size: f64, completion_target: f64) -> f64 {
    max_wal_size / (1.0 + completion_target.clamp(0.0, 1.0))
}

/// The `max_wal_size` at which the timeout, not the volume, starts checkpoints, in bytes rounded up to whole GB.
pub fn size_for_timeout(wal_bytes_per_s: f64, timeout_s: f64, completion_target: f64) -> f64 {
    const GB: f64 = 1_073_741_824.0;
    (wal_bytes_per_s * timeout_s * (1.0 + completion_target.clamp(0.0, 1.0)) / GB).ceil().max(1.0) * GB
}

/// Checkpoints that commands asked for, whatever the WAL volume (observed on PostgreSQL 12–18): `CHECKPOINT` and
/// `DROP DATABASE` one each; `CREATE DATABASE` two up to 14 and none from 15 on, where it copies through the WAL.
pub fn requested_by_commands(major: u8, checkpoint: f64, drop_database: f64, create_database: f64) -> f64 {
    checkpoint + drop_database + if major <= 14 { 2.0 * create_database } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn volume_triggers_before_max_wal_size() {
        let mb = 1_048_576.0;
        for (max, target, want) in
            [(1024.0, 0.9, 538.9), (1024.0, 0.5, 682.7), (128.0, 0.9, 67.4), (1024.0, 7.0, 512.0)]
        {
            let got = trigger_distance(max * mb, target) / mb;
            assert!((got - want).abs() < 0.1, "{max} {target}: {got}");
        }
    }

    #[test]
    fn sizes_for_the_timeout_in_whole_gigabytes() {
        let gb = 1_073_741_824.0;
        // 20 MB/s for 5 minutes and 1.9 cycles: 11.1 GB.
        assert_eq!(size_for_timeout(20.0 * 1_048_576.0, 300.0, 0.9) / gb, 12.0);
        assert_eq!(size_for_timeout(0.0, 300.0, 0.9) / gb, 1.0);
    }

    #[test]
    fn counts_what_commands_asked_for() {
        assert_eq!(requested_by_commands(14, 1.0, 1.0, 2.0), 6.0);
        assert_eq!(requested_by_commands(15, 1.0, 1.0, 2.0), 2.0);
    }
}
