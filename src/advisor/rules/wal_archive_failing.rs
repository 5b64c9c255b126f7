//! WAL archiving that fails.

use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Skip, Threshold, show};
use crate::finding::{Effort, Finding, Fix, Severity, Subject, SubjectKind};
use crate::snapshot::Row;
use crate::text::Text;
use crate::time::Timestamp;
use crate::unit::{Quantity, Unit, format_lsn};

/// The rule.
pub const RULE: Rule = Rule {
    id: "wal-archive-failing",
    title: "WAL archiving fails",
    needs: &[
        Need::View("pg_stat_archiver", &["failed_count", "last_archived_time", "last_failed_time"]),
        Need::Primary,
    ],
    wants: &[Need::Setting("archive_mode")],
    thresholds: &[
        Threshold {
            name: "critical_s",
            default: 86_400.0,
            unit: Unit::Seconds,
            about: "A day without a new file in the archive.",
        },
        Threshold {
            name: "stalled_s",
            default: 3_600.0,
            unit: Unit::Seconds,
            about: "An hour of WAL without a file archived, although nothing failed: the archiver hangs.",
        },
        Threshold {
            name: "stalled_bytes",
            default: 67_108_864.0,
            unit: Unit::Bytes,
            about: "Four segments written: at least three were ready for the archive.",
        },
    ],
    docs: Docs {
        looks_at: "Attempts to archive WAL files: how many failed in the window, and whether the last one failed or succeeded.",
        why: "Files that are not archived stay in pg_wal until the disk is full. Until they are in the archive, a restore to a \
              point in time ends before them.",
        decides: "The last attempt failed: high, critical from a day on. Failures in the window that ended before its end are \
                  low. No file for an hour although WAL was written is high. With archive_mode off, or on a standby that does \
                  not archive, nothing is said.",
        what_to_do: "The server's log has the command's own message. Repair the command or its target; the archiver repeats by \
                     itself.",
        ignore_when: "The archive is being moved, and somebody watches the disk.",
        references: "PostgreSQL manual, \"Continuous Archiving\"; \"pg_stat_archiver\".",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    if let Some(mode) = ctx.exported_setting("archive_mode").filter(|m| m.text == "off") {
        return Err(Skip(format!("archive_mode is {}", mode.text)));
    }
    let row = ctx.last("pg_stat_archiver").and_then(|t| t.iter().next());
    let (Some(row), Some(now)) = (row, ctx.now()) else {
        return Err(Skip("the last snapshot has no archiver row or no capture time".to_owned()));
    };
    let (archived, failed) = (row.time("last_archived_time"), row.time("last_failed_time"));
    if archived.is_none() && failed.is_none() && ctx.exported_setting("archive_mode").is_none() {
        return Err(Skip("no attempt to archive is recorded, and archive_mode is not known".to_owned()));
    }
    let change = ctx.changes("pg_stat_archiver").and_then(|v| v.present().next());
    let failures = change.and_then(|c| c.delta("failed_count"));
    let mut findings = Vec::new();
    if let Some(failed) = failed.filter(|f| archived.is_none_or(|a| *f > a)) {
        findings.push(failing(ctx, row, now, archived, failed));
    } else if let (Some(n), Some(failed)) = (failures.filter(|n| *n > 0.0 && !ctx.chain.is_single()), failed) {
        findings.push(repaired(ctx, row, n, failed));
    } else if let Some(written) = written_since_archived(ctx, archived) {
        findings.push(stalled(ctx, row, now, archived, written));
    }
    if let Some(change) = change {
        let lines = [
            ctx.measure("Failed attempts", change, "failed_count"),
            ctx.measure("Files archived", change, "archived_count"),
        ];
        for finding in &mut findings {
            finding.measures.extend(lines.clone());
            finding.doubts.extend(ctx.class_doubt(change));
        }
    }
    Ok(Checked {
        findings,
        looked_at: archived.map_or_else(
            || "no file has been archived".to_owned(),
            |a| format!("last file archived {} before the capture", show(now.seconds_since(a), Unit::Seconds)),
        ),
    })
}

fn failing<'a>(
    ctx: &Context<'a>,
    row: Row<'a>,
    now: Timestamp,
    archived: Option<Timestamp>,
    failed: Timestamp,
) -> Finding {
    // Since the last success; where there was none, since the statistics began.
    let since = archived.or_else(|| row.time("stats_reset"));
    let seconds = since.map(|s| now.seconds_since(s));
    let severity =
        if seconds.is_some_and(|s| s >= ctx.threshold("critical_s")) { Severity::Critical } else { Severity::High };
    let lasting = seconds.and_then(|s| Quantity::float(s, Unit::Seconds));
    base(ctx, severity, Text::new().t("WAL archiving fails: no file archived for ").opt(lasting))
        .why(
            Text::new()
                .t("The last attempt failed at ")
                .n(Quantity::time(failed))
                .t(match archived {
                    Some(_) => ", after the last success. ",
                    None => "; no attempt has succeeded since the statistics began. ",
                })
                .t("Files stay in pg_wal until they are archived, and a restore ends where the archive ends."),
        )
        .measure(ctx.computed(
            "Time without a file archived",
            lasting,
            format!("{} − {}", now.human_seconds(), since.map_or_else(|| "n/a".to_owned(), Timestamp::human_seconds)),
            &[(row, &["last_archived_time", "last_failed_time"])],
        ))
        .measure(ctx.read("Last failure", row, "last_failed_time"))
        .verify("last_archived_time is later than last_failed_time, and failed_count stands still.")
}

fn repaired<'a>(ctx: &Context<'a>, row: Row<'a>, failures: f64, failed: Timestamp) -> Finding {
    let title = Text::new().t("WAL archiving failed ").many(
        Quantity::float(failures, Unit::Count),
        "time in the window and works again",
        "times in the window and works again",
    );
    base(ctx, Severity::Low, title)
        .why(Text::new().t("The last failure was at ").n(Quantity::time(failed)).t(", files have been archived since."))
        .measure(ctx.read("Last failure", row, "last_failed_time"))
        .measure(ctx.read("Last success", row, "last_archived_time"))
        .verify("failed_count stands still in the next window.")
}

fn stalled<'a>(ctx: &Context<'a>, row: Row<'a>, now: Timestamp, archived: Option<Timestamp>, written: f64) -> Finding {
    let seconds = archived.map(|a| now.seconds_since(a));
    let lasting = seconds.and_then(|s| Quantity::float(s, Unit::Seconds));
    let since = archived.map_or_else(|| "n/a".to_owned(), Timestamp::human_seconds);
    let since = format!("{} − {since}", now.human_seconds());
    let ends = [ctx.chain.last(), ctx.chain.first()];
    let [to, from] = ends.map(|s| s.meta.wal_lsn.map_or_else(|| "n/a".to_owned(), format_lsn));
    let formula = format!("{to} − {from}");
    let rows: Vec<(Row<'a>, &[&str])> =
        ends.iter().filter_map(|s| Some((s.table("meta")?.iter().next()?, &["wal_lsn"][..]))).collect();
    base(ctx, Severity::High, Text::new().t("No WAL file archived for ").opt(lasting).t(" although WAL was written"))
        .why(
            Text::new()
                .t("No attempt failed, but ")
                .opt(Quantity::float(written, Unit::Bytes))
                .t(" of WAL were written in the window: the archiver or its command hangs."),
        )
        .measure(ctx.computed("Time without a file archived", lasting, since, &[(row, &["last_archived_time"])]))
        .measure(ctx.over_window("WAL written", Quantity::float(written, Unit::Bytes), formula, &rows))
        .verify("archived_count grows in the next window.")
}

fn base(ctx: &Context<'_>, severity: Severity, title: Text) -> Finding {
    ctx.finding(severity, Subject::new(SubjectKind::Server, "WAL archive"), title).effort(Effort::S).fix(Fix::diagnose(
        "WAL archive",
        "SELECT * FROM pg_stat_archiver;\nSELECT count(*) AS waiting FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready';",
    ))
}

/// WAL written in the window, where no file was archived in it nor for the configured time before its end.
fn written_since_archived(ctx: &Context<'_>, archived: Option<Timestamp>) -> Option<f64> {
    let now = ctx.now()?;
    let first = ctx.chain.first();
    let quiet = now.seconds_since(archived?) >= ctx.threshold("stalled_s") && archived? <= first.meta.taken_at?;
    let written = ctx.chain.last().meta.wal_lsn?.checked_sub(first.meta.wal_lsn?)? as f64;
    (quiet && !ctx.chain.is_single() && written >= ctx.threshold("stalled_bytes")).then_some(written)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::Snapshot;
    use crate::snapshot::literal::literal;
    use std::sync::Arc;

    fn taken(at: &str, mode: &str, row: &str) -> Arc<Snapshot> {
        const HEADER: &str = "archived_count | last_archived_time | failed_count | last_failed_time | stats_reset";
        literal(at)
            .view("pg_stat_archiver", HEADER, &[row])
            .view("pg_settings", "name | setting", &[&format!("archive_mode | {mode}")])
            .build()
    }

    #[test]
    fn finds_an_archive_that_fails_now() {
        let row = "5 | 2026-11-22 11:00:00+00 | 9 | 2026-11-22 11:59:00+00 | 2026-11-01 00:00:00+00";
        assert_eq!(
            told(&judge(&RULE, &[taken("2026-11-22 12:00:00+00", "on", row)], "")),
            ["high, high: WAL archive: WAL archiving fails: no file archived for 1 h 00 m"]
        );
        assert_eq!(
            told(&judge(&RULE, &[taken("2026-11-24 12:00:00+00", "on", row)], "")),
            ["critical, high: WAL archive: WAL archiving fails: no file archived for 49 h 00 m"]
        );
        let never = "0 | | 9 | 2026-11-22 11:59:00+00 | 2026-11-22 11:30:00+00";
        assert_eq!(
            told(&judge(&RULE, &[taken("2026-11-22 12:00:00+00", "on", never)], "")),
            ["high, high: WAL archive: WAL archiving fails: no file archived for 30 min 00 s"]
        );
    }

    #[test]
    fn stays_quiet_where_it_works_or_is_off() {
        let works = "5 | 2026-11-22 11:59:30+00 | 9 | 2026-11-22 11:00:00+00 | 2026-11-01 00:00:00+00";
        assert_eq!(
            told(&judge(&RULE, &[taken("2026-11-22 12:00:00+00", "on", works)], "")),
            ["passed: last file archived 30.0 s before the capture"]
        );
        let off = "0 | | 0 | | 2026-11-01 00:00:00+00";
        assert_eq!(
            told(&judge(&RULE, &[taken("2026-11-22 12:00:00+00", "off", off)], "")),
            ["skipped: archive_mode is off"]
        );
    }
}
