//! WAL buffers too small for the rate of writing.

use crate::advisor::cure::{Effect, set_system};
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Skip, Threshold, show};
use crate::diff::Change;
use crate::finding::{Effort, Severity, Subject, SubjectKind};
use crate::text::Text;
use crate::unit::{Quantity, Unit};

const MB: f64 = 1_048_576.0;

/// The rule.
pub const RULE: Rule = Rule {
    id: "wal-buffers-full",
    title: "WAL buffers overflow",
    needs: &[Need::View("pg_stat_wal", &["wal_buffers_full"])],
    wants: &[Need::Setting("wal_buffers"), Need::Setting("shared_buffers")],
    thresholds: &[
        Threshold { name: "min_window_s", default: 600.0, unit: Unit::Seconds, about: "Less is one moment." },
        Threshold { name: "good_window_s", default: 3_600.0, unit: Unit::Seconds, about: "One bulk load is no habit." },
        Threshold {
            name: "min_per_s",
            default: 1.0,
            unit: Unit::PerSecond,
            about: "Once a second a session writes WAL for the others before it may go on.",
        },
        Threshold {
            name: "min_windows_share",
            default: 1.0 / 3.0,
            unit: Unit::Share,
            about: "Of the windows between the snapshots: what happened in one of many is one bulk load.",
        },
        Threshold {
            name: "enough_bytes",
            default: 64.0 * MB,
            unit: Unit::Bytes,
            about: "More buffers than this hardly help: the disk is too slow.",
        },
    ],
    docs: Docs {
        looks_at: "How often a session had to write WAL because the WAL buffers were full (14 and later), and wal_buffers.",
        why: "The session that finds them full writes them out while it holds a lock that all writing sessions need.",
        decides: "Once a second over the whole window, and in more than `min_windows_share` of the windows between the \
                  snapshots, in two at least where there are three or more. Three events at least.",
        what_to_do: "wal_buffers of 64 MB, but not more than a quarter of shared_buffers; the default is a 32nd of shared_buffers, at most one WAL segment (16 MB). It takes effect \
                     at a restart. Where it is as large already, the disk of pg_wal is the limit.",
        ignore_when: "It happens during bulk loads only and nobody waits for them.",
        references: "PostgreSQL manual, \"Write Ahead Log\" (wal_buffers); \"pg_stat_wal\".",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    ctx.window_of("min_window_s")?;
    let change = ctx.changes_or_skip("pg_stat_wal")?.present().next();
    let Some((change, count, rate)) =
        change.and_then(|c| Some((c, c.delta("wal_buffers_full")?, c.rate("wal_buffers_full")?)))
    else {
        return Err(Skip("the WAL counters of the window are not known".to_owned()));
    };
    let looked_at = format!("WAL buffers full {}", show(rate, Unit::PerSecond));
    if rate < ctx.threshold("min_per_s") || count < 3.0 {
        return Ok(Checked { findings: Vec::new(), looked_at });
    }
    let windows = full_windows(ctx, change);
    if !windows.is_habit(ctx.threshold("min_windows_share")) {
        let looked_at = format!("{looked_at}, but often in {} of {} windows only", windows.full, windows.of);
        return Ok(Checked { findings: Vec::new(), looked_at });
    }
    let setting = ctx.exported_setting("wal_buffers");
    let bytes = setting.and_then(|s| s.value);
    let title = Text::new().t("Sessions found the WAL buffers full ").opt(Quantity::float(rate, Unit::PerSecond));
    let mut finding = ctx
        .finding(Severity::Low, Subject::new(SubjectKind::Setting, "wal_buffers"), title)
        .why("Each time a session has to write WAL before it may go on, and other writing sessions wait for it.")
        .doubts([ctx.single_doubt(), ctx.short_doubt("good_window_s"), ctx.class_doubt(change)])
        .measure(ctx.measure("WAL buffers full", change, "wal_buffers_full"))
        .measures(ctx.per_second("WAL buffers full a second", change, "wal_buffers_full", Unit::PerSecond))
        .verify("The counter moves less than once a second in the next window at the same work.")
        .effort(Effort::S);
    if let Some(bytes) = bytes {
        finding = finding.measure(ctx.setting_measure("wal_buffers"));
        let shared = ctx.exported_setting("shared_buffers").and_then(|s| s.value);
        let enough = ctx.threshold("enough_bytes");
        let wanted = shared.map_or(enough, |shared| enough.min(shared / 4.0));
        if wanted > bytes {
            finding = finding.fix(set_system(
                "wal_buffers",
                &if wanted < MB {
                    format!("{:.0}kB", wanted / 1024.0)
                } else {
                    format!("{:.0}MB", (wanted / MB).floor())
                },
                Effect::Restart,
                Some(&format!("{:.0}kB", bytes / 1024.0)),
                "It happened during a bulk load only: a restart is not worth it.".into(),
            ));
        } else if bytes < enough {
            finding = finding.not("The buffers are a quarter of shared_buffers or more: that is what is too small.");
        } else {
            finding = finding.not("The buffers are large already: the disk of pg_wal does not keep up.");
        }
    }
    Ok(Checked { findings: vec![finding], looked_at })
}

/// In how many windows the buffers were full as often as the rule asks for.
struct Windows {
    full: usize,
    of: usize,
}

impl Windows {
    fn is_habit(&self, share: f64) -> bool {
        self.of < 2 || (self.full as f64 > share * self.of as f64 && (self.of < 3 || self.full >= 2))
    }
}

fn full_windows<'a>(ctx: &Context<'a>, change: Change<'a>) -> Windows {
    let rates = ctx.windows_of(change).into_iter().filter_map(|row| {
        let row = row?;
        Some(row.delta_of("wal_buffers_full")?.as_f64() / row.verdict().covered_s.filter(|s| *s > 0.0)?)
    });
    let rates: Vec<f64> = rates.collect();
    let least = ctx.threshold("min_per_s");
    Windows { full: rates.iter().filter(|r| **r >= least).count(), of: rates.len() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{advise, judge, told};
    use crate::snapshot::Snapshot;
    use crate::snapshot::literal::literal;
    use std::sync::Arc;

    fn over_an_hour(full: &str, buffers: &str) -> [Arc<Snapshot>; 2] {
        let taken = |at: &str, full: &str| {
            literal(at)
                .view("pg_stat_wal", "wal_buffers_full | stats_reset", &[&format!("{full} | 2026-11-01 00:00:00+00")])
                .view("pg_settings", "name | setting | unit", &[&format!("wal_buffers | {buffers} | 8kB")])
                .build()
        };
        [taken("2026-11-22 10:00:00+00", "0"), taken("2026-11-22 11:00:00+00", full)]
    }

    #[test]
    fn once_a_second_is_told() {
        let say = |full, buffers| told(&judge(&RULE, &over_an_hour(full, buffers), ""));
        assert_eq!(say("7200", "2048"), ["low, high: wal_buffers: Sessions found the WAL buffers full 2.00/s"]);
        assert_eq!(say("360", "2048"), ["passed: WAL buffers full 0.10/s"]);
    }

    /// A VACUUM FULL in one of six windows is no reason for a restart.
    #[test]
    fn one_window_of_many_is_no_habit() {
        let say = |counts: &[u64]| {
            let taken = |(hour, full): (usize, &u64)| {
                literal(&format!("2026-11-22 {:02}:00:00+00", 10 + hour))
                    .view(
                        "pg_stat_wal",
                        "wal_buffers_full | stats_reset",
                        &[&format!("{full} | 2026-11-01 00:00:00+00")],
                    )
                    .build()
            };
            let snapshots: Vec<Arc<Snapshot>> = counts.iter().enumerate().map(taken).collect();
            told(&judge(&RULE, &snapshots, ""))[0].clone()
        };
        assert_eq!(
            say(&[0, 0, 107_229, 107_229, 107_229, 107_229, 107_229]),
            "passed: WAL buffers full 4.96/s, but often in 1 of 6 windows only"
        );
        assert!(say(&[0, 20_000, 20_000, 40_000]).starts_with("low"), "two of three");
        assert!(say(&[0, 20_000, 20_000]).starts_with("low"), "one of two");
        assert!(say(&[0, 20_000, 40_000, 40_000, 40_000, 40_000, 40_000]).starts_with("passed"), "a third is not more");
    }

    /// The buffers are a part of shared memory that would be out of proportion.
    #[test]
    fn never_more_than_a_quarter_of_shared_buffers() {
        let fixes = |shared: u32| {
            let more = |s: &Arc<Snapshot>| {
                let mut s = Snapshot::clone(s);
                let rows = ["wal_buffers | 512 | 8kB".to_owned(), format!("shared_buffers | {shared} | 8kB")];
                let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
                let settings = literal("2026-11-22 10:00:00+00").view("pg_settings", "name | setting | unit", &rows);
                s.tables.extend(settings.build().tables.clone());
                Arc::new(s)
            };
            let taken: Vec<Arc<Snapshot>> = over_an_hour("7200", "512").iter().map(more).collect();
            let advice = advise(&[&RULE], &taken, "");
            advice.findings().iter().flat_map(|f| &f.fixes).map(|f| f.sql.clone()).collect::<Vec<_>>()
        };
        assert!(fixes(16_384)[0].starts_with("ALTER SYSTEM SET wal_buffers = '32MB';"), "{:?}", fixes(16_384));
        assert_eq!(fixes(64), [""; 0]);
    }

    #[test]
    fn more_buffers_are_proposed_only_where_there_are_few() {
        let sql = |buffers| {
            let advice = advise(&[&RULE], &over_an_hour("7200", buffers), "");
            advice.findings().iter().flat_map(|f| &f.fixes).map(|f| f.sql.clone()).collect::<Vec<_>>()
        };
        assert!(sql("2048")[0].starts_with("ALTER SYSTEM SET wal_buffers = '64MB';"), "{:?}", sql("2048"));
        assert_eq!(sql("16384"), [""; 0]);
    }

    #[test]
    fn thirteen_does_not_count_it() {
        let b = literal("2026-11-22 12:00:00+00").version(13).build();
        assert_eq!(told(&judge(&RULE, &[b], "")), ["skipped: PostgreSQL 13 does not have `pg_stat_wal`"]);
    }
}
