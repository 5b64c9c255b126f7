//! A database whose statements spill to temporary files.

use crate::advisor::cure::{Effect, set_system};
use crate::advisor::server_settings::server_value;
use crate::advisor::since_set::{risen, rows_from, set_anew};
use crate::advisor::span::Span;
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Threshold, show, show_counted};
use crate::diff::ViewChange;
use crate::finding::{Effort, Fix, Severity, Subject, SubjectKind};
use crate::text::Text;
use crate::unit::{Quantity, Unit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "mem-temp-files",
    title: "Statements spill to temporary files",
    needs: &[Need::View("pg_stat_database", &["datname", "temp_files", "temp_bytes"])],
    wants: &[],
    thresholds: &[
        Threshold { name: "min_window_s", default: 60.0, unit: Unit::Seconds, about: "Rates need a minute." },
        Threshold { name: "good_window_s", default: 3_600.0, unit: Unit::Seconds, about: "One report is no habit." },
        Threshold { name: "min_files", default: 3.0, unit: Unit::Count, about: "A rate does not rest on one file." },
        Threshold {
            name: "min_bytes_per_s",
            default: 5_242_880.0,
            unit: Unit::BytesPerSecond,
            about: "430 GB a day, written and read again.",
        },
        Threshold {
            name: "min_files_per_min",
            default: 20.0,
            unit: Unit::Count,
            about: "A statement spills every three seconds.",
        },
    ],
    docs: Docs {
        looks_at: "Temporary files and their bytes in each database over the window.",
        why: "Sorts and hashes that do not fit into work_mem are written to disk and read again.",
        decides: "5 MB/s or 20 files a minute, at least three files.",
        what_to_do: "`query-temp-spill` names the statements, where statement statistics are there; log_temp_files does from \
                     now on.",
        ignore_when: "Reports at night, index builds.",
        references: "PostgreSQL manual, \"pg_stat_database\"; \"Resource Consumption\" (work_mem).",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let window = ctx.window_of("min_window_s")?;
    let mut findings = Vec::new();
    let (mut total, mut exact) = (0.0, true);
    let anew = set_anew(ctx.chain, "work_mem");
    for change in ctx.changes("pg_stat_database").into_iter().flat_map(ViewChange::present) {
        let (Some(row), Some(mut files), Some(mut bytes)) =
            (change.last(), change.delta("temp_files"), change.delta("temp_bytes"))
        else {
            continue;
        };
        total += bytes;
        exact &= change.is_exact();
        let (Some(name), Some(mut per_s), Some(mut files_per_s)) =
            (row.text("datname"), change.rate("temp_bytes"), change.rate("temp_files"))
        else {
            continue;
        };
        // What was written under another work_mem says nothing of this one.
        let rows = anew.map(|first| rows_from(ctx, change, first)).unwrap_or_default();
        let seconds = rows.iter().filter_map(|row| row.verdict().covered_s).sum::<f64>();
        let since = !rows.is_empty() && seconds >= ctx.threshold("min_window_s");
        if since {
            (files, bytes) = (risen(&rows, "temp_files"), risen(&rows, "temp_bytes"));
            (per_s, files_per_s) = (bytes / seconds, files / seconds);
        }
        let span = Span::of(change, window);
        let span = if since { Span { seconds, whole: rows.iter().all(|r| r.is_whole()) } } else { span };
        let files_per_min = files_per_s * 60.0;
        let many = per_s >= ctx.threshold("min_bytes_per_s") || files_per_min >= ctx.threshold("min_files_per_min");
        if files < ctx.threshold("min_files") || !many {
            continue;
        }
        let mut finding = ctx
            .finding(
                Severity::Medium,
                Subject::new(SubjectKind::Database, name),
                Text::new()
                    .t("Statements in ")
                    .name(name)
                    .t(" write ")
                    .opt(Quantity::float(per_s, Unit::BytesPerSecond))
                    .t(" of temporary files, ")
                    .many(Quantity::float(files_per_min, Unit::Count), "file a minute", "files a minute"),
            )
            .why(
                Text::new()
                    .t("Sorts and hashes do not fit into work_mem; on average a file holds ")
                    .opt(Quantity::float(bytes / files, Unit::Bytes))
                    .t(if since { ". Counted since work_mem was changed." } else { "." }),
            )
            .doubts([ctx.single_doubt(), ctx.short_doubt("good_window_s"), ctx.class_doubt(change)])
            .measure(ctx.measure("Temporary files", change, "temp_files"))
            .measure(ctx.measure("Temporary bytes", change, "temp_bytes"))
            .measure(span.rate(
                ctx,
                "Written of temporary files",
                change,
                (bytes, Unit::Bytes),
                Unit::BytesPerSecond,
                &["temp_bytes"],
            ))
            .measure(
                ctx.over_window(
                    "Temporary files a minute",
                    Quantity::float(files_per_min, Unit::Count),
                    format!("{} ÷ {} × 60 s", show(files, Unit::Count), show(span.seconds, Unit::Seconds)),
                    &ctx.ends(change, &["temp_files"]),
                )
                .bounded(span.whole),
            )
            .measure(ctx.quotient(
                "Mean size of a file",
                (bytes, Unit::Bytes),
                (files, Unit::Count),
                Unit::Bytes,
                &ctx.ends(change, &["temp_bytes", "temp_files"]),
            ))
            .measure(ctx.setting_measure("work_mem"))
            .fix(Fix::diagnose(
                name,
                "SELECT queryid, calls, temp_blks_written, query\nFROM pg_stat_statements WHERE temp_blks_written > 0 \
                 ORDER BY temp_blks_written DESC LIMIT 20;",
            ))
            .verify("Temporary bytes per second fall in the next window.")
            .effort(Effort::M);
        if let Some(value) = ctx.setting_row("log_temp_files").and_then(server_value).filter(|v| *v == "-1") {
            let when_not = Text::new()
                .t("Every spill is known already: statement statistics name them. Each file makes a line of the log, of those now about ")
                .many(Quantity::float(files_per_min, Unit::Count), "a minute.", "a minute.");
            let from = logged_from(bytes / files);
            finding = finding.fix(set_system("log_temp_files", from, Effect::Reload, Some(value), when_not));
        }
        findings.push(finding);
    }
    Ok(Checked {
        findings,
        looked_at: format!("{} of temporary files in all databases", show_counted(total, Unit::Bytes, exact)),
    })
}

/// From which size on files are to be logged, so that those of this mean are among them.
fn logged_from(mean: f64) -> &'static str {
    match mean / 1_048_576.0 {
        megabytes if megabytes >= 10.0 => "10MB",
        megabytes if megabytes >= 1.0 => "1MB",
        _ => "64kB",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{database_over_an_hour, judge, told};

    fn say(header: &str, before: &str, after: &str) -> Vec<String> {
        told(&judge(&RULE, &database_over_an_hour(header, before, after), ""))
    }

    #[test]
    fn counts_volume_and_files_but_no_single_file() {
        const HEADER: &str = "temp_files | temp_bytes";
        assert_eq!(
            say(HEADER, "0 | 0", "60 | 37748736000"),
            ["medium, high: shop: Statements in shop write 10 MB/s of temporary files, 1 file a minute"]
        );
        assert_eq!(say(HEADER, "0 | 0", "2 | 37748736000"), ["passed: 35.2 GB of temporary files in all databases"]);
        assert_eq!(say(HEADER, "0 | 0", "60 | 1048576"), ["passed: 1 MB of temporary files in all databases"]);
    }

    /// A limit above the files that were written would log none of them.
    #[test]
    fn what_was_written_would_be_logged() {
        let set = |files: &str| {
            let mut snapshots = database_over_an_hour("temp_files | temp_bytes", "0 | 0", files);
            let settings = crate::snapshot::literal::literal("2026-11-22 11:00:00+00")
                .view("pg_settings", "name | setting", &["log_temp_files | -1"])
                .build();
            let mut last = crate::snapshot::Snapshot::clone(&snapshots[1]);
            last.tables.extend(settings.tables.clone());
            snapshots[1] = std::sync::Arc::new(last);
            let crate::finding::Outcome::Found { findings, .. } = judge(&RULE, &snapshots, "") else { panic!() };
            findings[0].fixes.last().unwrap().sql.lines().next().unwrap().to_owned()
        };
        assert_eq!(set("900 | 37748736000"), "ALTER SYSTEM SET log_temp_files = '10MB';");
        assert_eq!(set("9000 | 37748736000"), "ALTER SYSTEM SET log_temp_files = '1MB';");
        assert_eq!(set("90000 | 37748736000"), "ALTER SYSTEM SET log_temp_files = '64kB';");
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert_eq!(
            crate::advisor::testing::told_of_nothing(&RULE),
            "skipped, input missing: `pg_stat_database` is not in the dump"
        );
    }
}
