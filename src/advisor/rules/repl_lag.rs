//! A standby that is behind.

use crate::advisor::sighting::Sighting;
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Threshold, show};
use crate::finding::{Effort, Finding, Fix, Severity, Subject, SubjectKind};
use crate::ident::visible;
use crate::snapshot::Row;
use crate::text::{Text, counted};
use crate::unit::{Quantity, Unit, format_lsn};
use std::collections::BTreeMap;

/// The rule.
pub const RULE: Rule = Rule {
    id: "repl-lag",
    title: "Standby is behind",
    needs: &[Need::Snapshots(2), Need::View("pg_stat_replication", &["application_name", "replay_lsn"])],
    wants: &[],
    thresholds: &[
        Threshold {
            name: "min_bytes",
            default: 1_073_741_824.0,
            unit: Unit::Bytes,
            about: "64 WAL segments not yet replayed.",
        },
        Threshold {
            name: "min_lag_s",
            default: 60.0,
            unit: Unit::Seconds,
            about: "A minute: readers of the standby notice.",
        },
        Threshold { name: "high_factor", default: 10.0, unit: Unit::Times, about: "Ten times either limit is high." },
        Threshold { name: "min_samples", default: 2.0, unit: Unit::Count, about: "Once is a moment, twice is behind." },
    ],
    docs: Docs {
        looks_at: "The distance of each standby's replay position from the server's, and `replay_lag`, in every snapshot.",
        why: "Readers of the standby see old data, and a failover would lose or wait for that much.",
        decides: "1 GB or a minute in two snapshots; ten times that is high. `replay_lag` is NULL where nothing is going on: that \
                  is no information, not zero, so bytes decide then.",
        what_to_do: "Compare sent, written, flushed and replayed positions: the first large step is the slow one (network, the \
                     standby's storage, replay). Replay waits for queries on the standby, too (pg_stat_database_conflicts).",
        ignore_when: "The standby is delayed on purpose (recovery_min_apply_delay), or is being built.",
        references: "PostgreSQL manual, \"pg_stat_replication\"; \"Monitoring\" of streaming replication.",
    },
    check,
};

/// A standby in one snapshot: how far behind, in bytes and seconds.
#[derive(Clone, Copy)]
struct Behind<'a> {
    snapshot: usize,
    row: Row<'a>,
    now: u64,
    bytes: f64,
    lag_s: Option<f64>,
}

fn check(ctx: &Context<'_>) -> Check {
    let mut looked_at = Vec::new();
    let mut all: BTreeMap<String, Vec<Behind<'_>>> = BTreeMap::new();
    for (snapshot, table) in ctx.samples("pg_stat_replication") {
        let Some(now) = ctx.chain.snapshots.get(snapshot).and_then(|s| s.meta.wal_lsn) else { continue };
        looked_at.push(snapshot);
        for row in table.iter() {
            let Some(replayed) = row.int("replay_lsn") else { continue };
            let name = match (row.text("application_name").filter(|a| !a.is_empty()), row.text("client_addr")) {
                (Some(app), Some(addr)) => format!("{} at {}", visible(app), visible(addr)),
                (Some(app), None) => visible(app).into_owned(),
                (None, addr) => addr.map_or_else(|| "a standby".to_owned(), |a| visible(a).into_owned()),
            };
            let bytes = now.saturating_sub(replayed as u64) as f64;
            let lag_s = row.int("replay_lag").map(|us| us as f64 / 1e6);
            all.entry(name).or_default().push(Behind { snapshot, row, now, bytes, lag_s });
        }
    }
    let most = all.values().flatten().map(|b| b.bytes).fold(0.0, f64::max);
    let looked = format!(
        "{} in {}, at most {} behind",
        counted(all.len(), "standby", "standbys"),
        counted(looked_at.len(), "snapshot", "snapshots"),
        show(most, Unit::Bytes)
    );
    let findings = all.iter().filter_map(|(name, seen)| finding(ctx, name, seen, &looked_at)).collect();
    Ok(Checked { findings, looked_at: looked })
}

fn finding<'a>(ctx: &Context<'a>, name: &str, seen: &[Behind<'a>], looked_at: &[usize]) -> Option<Finding> {
    let (bytes, lag) = (ctx.threshold("min_bytes"), ctx.threshold("min_lag_s"));
    let over: Vec<&Behind<'_>> =
        seen.iter().filter(|b| b.bytes >= bytes || b.lag_s.is_some_and(|l| l >= lag)).collect();
    let sighting = Sighting::new(over.iter().map(|b| b.snapshot), looked_at);
    if (sighting.seen.len() as f64) < ctx.threshold("min_samples") {
        return None;
    }
    let worst = over.iter().max_by(|a, b| a.bytes.total_cmp(&b.bytes))?;
    let slowest = over.iter().max_by(|a, b| a.lag_s.unwrap_or(0.0).total_cmp(&b.lag_s.unwrap_or(0.0)))?;
    let longest = slowest.lag_s.unwrap_or(0.0);
    let factor = ctx.threshold("high_factor");
    let high = worst.bytes >= bytes * factor || longest >= lag * factor;
    let mut title = Text::new().t("Standby ").name(name).t(" is up to ").opt(Quantity::float(worst.bytes, Unit::Bytes));
    if longest > 0.0 {
        title = title.t(" and ").opt(Quantity::float(longest, Unit::Seconds));
    }
    let replayed = worst.row.int("replay_lsn").unwrap_or_default();
    Some(
        ctx.finding(
            if high { Severity::High } else { Severity::Medium },
            Subject::new(SubjectKind::Replica, name),
            title.t(" behind"),
        )
        .why(
            Text::new()
                .t("Seen ")
                .then(sighting.text())
                .t(". Its readers see data that old; a failover would lose or wait for that much."),
        )
        .doubts([sighting.doubt()])
        .measure(ctx.computed(
            "Bytes behind",
            Quantity::float(worst.bytes, Unit::Bytes),
            format!(
                "{} − {}, snapshot {}",
                format_lsn(worst.now),
                format_lsn(replayed as u64),
                ctx.label(worst.snapshot)
            ),
            &[(worst.row, &["replay_lsn"])],
        ))
        .measure(ctx.read("Replay lag", slowest.row, "replay_lag"))
        .measures(ctx.sighted(&sighting, "pg_stat_replication"))
        .fix(Fix::diagnose(
            name,
            "SELECT application_name, state, pg_wal_lsn_diff(pg_current_wal_lsn(), sent_lsn) AS to_send,\n       \
             pg_wal_lsn_diff(sent_lsn, flush_lsn) AS to_flush, pg_wal_lsn_diff(flush_lsn, replay_lsn) AS to_replay\n\
             FROM pg_stat_replication;",
        ))
        .verify("It is less than 1 GB and less than a minute behind in the next snapshots.")
        .effort(Effort::M),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::Snapshot;
    use crate::snapshot::literal::literal;
    use std::sync::Arc;

    fn taken(at: &str, replayed: &str, lag: &str) -> Arc<Snapshot> {
        literal(at)
            .meta(|m| m.wal_lsn = Some(0x1_0000_0000))
            .view(
                "pg_stat_replication",
                "pid | backend_start | application_name | replay_lsn | replay_lag",
                &[&format!("7 | 2026-11-22 08:00:00+00 | s1 | {replayed} | {lag}")],
            )
            .build()
    }

    #[test]
    fn finds_a_standby_that_is_behind_twice() {
        let (a, b) = (
            taken("2026-11-22 11:00:00+00", "0/80000000", ""),
            taken("2026-11-22 12:00:00+00", "0/90000000", "00:02:00"),
        );
        assert_eq!(
            told(&judge(&RULE, &[a, b], "")),
            ["medium, medium: s1: Standby s1 is up to 2 GB and 2 min 00 s behind"]
        );
    }

    /// No lag in time is no information, not zero: the bytes tell.
    #[test]
    fn an_unknown_lag_is_not_none() {
        let taken = |at| taken(at, "0/80000000", "");
        assert_eq!(
            told(&judge(&RULE, &[taken("2026-11-22 11:00:00+00"), taken("2026-11-22 12:00:00+00")], "")),
            ["medium, medium: s1: Standby s1 is up to 2 GB behind"]
        );
    }

    #[test]
    fn stays_quiet_about_once_and_about_unknown_lag() {
        let (a, b) = (taken("2026-11-22 11:00:00+00", "0/80000000", ""), taken("2026-11-22 12:00:00+00", "1/0", ""));
        assert_eq!(told(&judge(&RULE, &[a, b], "")), ["passed: 1 standby in 2 snapshots, at most 2 GB behind"]);
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert_eq!(
            crate::advisor::testing::told_of_nothing(&RULE),
            "skipped, input missing: `pg_stat_replication` is not in the dump"
        );
    }
}
