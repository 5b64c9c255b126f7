//! WAL buffers too small for the rate of writing.

use crate::advisor::cure::{Effect, set_system};
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Skip, Threshold, show};
use crate::finding::{Effort, Severity, Subject, SubjectKind};
use crate::text::Text;
use crate::unit::{Quantity, Unit};

const MB: f64 = 1_048_576.0;

/// The rule.
pub const RULE: Rule = Rule {
    id: "wal-buffers-full",
    title: "WAL buffers overflow",
    needs: &[Need::View("pg_stat_wal", &["wal_buffers_full"])],
    wants: &[Need::Setting("wal_buffers")],
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
            name: "enough_bytes",
            default: 64.0 * MB,
            unit: Unit::Bytes,
            about: "More buffers than this hardly help: the disk is too slow.",
        },
    ],
    docs: Docs {
        looks_at: "How often a session had to write WAL because the WAL buffers were full (14 and later), and wal_buffers.",
        why: "The session that finds them full writes them out while it holds a lock that all writing sessions need.",
        decides: "Once a second over the window. Three events at least.",
        what_to_do: "wal_buffers of 64 MB; the default is a 32nd of shared_buffers, at most one WAL segment (16 MB). It takes effect \
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
    let setting = ctx.exported_setting("wal_buffers");
    let bytes = setting.and_then(|s| s.value);
    let title = Text::new().t("Sessions found the WAL buffers full ").opt(Quantity::float(rate, Unit::PerSecond));
    let mut finding = ctx
        .finding(Severity::Low, Subject::new(SubjectKind::Setting, "wal_buffers"), title)
        .why("Each time a session has to write WAL before it may go on, and other writing sessions wait for it.")
        .doubts([ctx.single_doubt(), ctx.short_doubt("good_window_s"), ctx.class_doubt(change)])
        .measure(ctx.measure("WAL buffers full", change, "wal_buffers_full"))
        .verify("The counter moves less than once a second in the next window at the same work.")
        .effort(Effort::S);
    if let Some(bytes) = bytes {
        finding = finding.measure(ctx.setting_measure("wal_buffers"));
        if bytes < ctx.threshold("enough_bytes") {
            finding = finding.fix(set_system(
                "wal_buffers",
                "64MB",
                Effect::Restart,
                Some(&format!("{:.0}kB", bytes / 1024.0)),
                "It happened during a bulk load only: a restart is not worth it.".into(),
            ));
        } else {
            finding = finding.not("The buffers are large already: the disk of pg_wal does not keep up.");
        }
    }
    Ok(Checked { findings: vec![finding], looked_at })
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
