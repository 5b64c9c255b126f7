//! A background writer that stops before it is done.

use crate::advisor::cure::{Effect, set_system};
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Skip, Threshold, show_counted};
use crate::finding::{Effort, Severity, Subject, SubjectKind};
use crate::text::Text;
use crate::unit::{Quantity, Unit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "bgwriter-limit",
    title: "Background writer stops at its page limit",
    needs: &[Need::View("pg_stat_bgwriter", &["maxwritten_clean"])],
    wants: &[Need::Setting("bgwriter_lru_maxpages"), Need::Setting("bgwriter_delay")],
    thresholds: &[
        Threshold { name: "min_window_s", default: 600.0, unit: Unit::Seconds, about: "Less is one moment." },
        Threshold { name: "good_window_s", default: 3_600.0, unit: Unit::Seconds, about: "One bulk load is no habit." },
        Threshold {
            name: "min_per_s",
            default: 0.1,
            unit: Unit::PerSecond,
            about: "Every ten seconds: at the default delay one round in fifty.",
        },
        Threshold {
            name: "enough_pages",
            default: 1_000.0,
            unit: Unit::Count,
            about: "At the default delay 40 MB/s: a larger limit is no cure.",
        },
    ],
    docs: Docs {
        looks_at: "Rounds that the background writer broke off because it had written bgwriter_lru_maxpages pages.",
        why: "What it leaves, sessions have to write themselves before they can use a buffer.",
        decides: "Every ten seconds over ten minutes at least.",
        what_to_do: "A larger bgwriter_lru_maxpages. Where it is large already, the working set does not fit into shared_buffers, or \
                     storage is too slow.",
        ignore_when: "Bulk loads cause it and nobody waits for them.",
        references: "PostgreSQL manual, \"Background Writer\"; \"pg_stat_bgwriter\".",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    ctx.window_of("min_window_s")?;
    let change = ctx.changes_or_skip("pg_stat_bgwriter")?.present().next();
    let Some((change, count, rate)) =
        change.and_then(|c| Some((c, c.delta("maxwritten_clean")?, c.rate("maxwritten_clean")?)))
    else {
        return Err(Skip("the counters of the window are not known".to_owned()));
    };
    let looked_at = format!("{} rounds broken off", show_counted(count, Unit::Count, change.is_exact()));
    if rate < ctx.threshold("min_per_s") || count < 3.0 {
        return Ok(Checked { findings: Vec::new(), looked_at });
    }
    let title = Text::new()
        .t("The background writer broke off ")
        .opt(Quantity::float(count, Unit::Count))
        .t(" rounds, ")
        .opt(Quantity::float(rate, Unit::PerSecond));
    let mut finding = ctx
        .finding(Severity::Low, Subject::new(SubjectKind::Setting, "bgwriter_lru_maxpages"), title)
        .why("What it did not write, sessions write themselves before they can use a buffer.")
        .doubts([ctx.single_doubt(), ctx.short_doubt("good_window_s"), ctx.class_doubt(change)])
        .measure(ctx.measure("Rounds broken off", change, "maxwritten_clean"))
        .measure(ctx.measure("Buffers it wrote", change, "buffers_clean"))
        .measures(ctx.per_second("Rounds broken off a second", change, "maxwritten_clean", Unit::PerSecond))
        .verify("The counter hardly moves in the next window at the same work.")
        .effort(Effort::S);
    if let Some(pages) = ctx.exported_setting("bgwriter_lru_maxpages").and_then(|s| s.value) {
        finding = finding.measure(ctx.setting_measure("bgwriter_lru_maxpages"));
        if pages > 0.0 && pages < ctx.threshold("enough_pages") {
            let wanted = (pages * 4.0).min(ctx.threshold("enough_pages"));
            finding = finding.fix(set_system(
                "bgwriter_lru_maxpages",
                &format!("{wanted:.0}"),
                Effect::Reload,
                Some(&format!("{pages:.0}")),
                "Storage is at its limit: it would write the same page more often.".into(),
            ));
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

    fn over_an_hour(rounds: &str, pages: &str) -> [Arc<Snapshot>; 2] {
        let taken = |at: &str, rounds: &str| {
            literal(at)
                .view(
                    "pg_stat_bgwriter",
                    "maxwritten_clean | buffers_clean | stats_reset",
                    &[&format!("{rounds} | {rounds} | 2026-11-01 00:00:00+00")],
                )
                .view("pg_settings", "name | setting", &[&format!("bgwriter_lru_maxpages | {pages}")])
                .build()
        };
        [taken("2026-11-22 10:00:00+00", "0"), taken("2026-11-22 11:00:00+00", rounds)]
    }

    #[test]
    fn a_habit_is_told_with_a_larger_limit_where_there_is_room() {
        let advice = advise(&[&RULE], &over_an_hour("720", "100"), "");
        let finding = advice.findings()[0];
        assert_eq!(
            told(&judge(&RULE, &over_an_hour("720", "100"), "")),
            ["low, high: bgwriter_lru_maxpages: The background writer broke off 720 rounds, 0.20/s"]
        );
        assert!(finding.fixes[0].sql.starts_with("ALTER SYSTEM SET bgwriter_lru_maxpages = '400';"));
        assert_eq!(advise(&[&RULE], &over_an_hour("720", "1000"), "").findings()[0].fixes, []);
        assert_eq!(told(&judge(&RULE, &over_an_hour("72", "100"), "")), ["passed: 72 rounds broken off"]);
    }

    #[test]
    fn says_where_it_cannot_know() {
        let b = literal("2026-11-22 12:00:00+00").build();
        assert_eq!(told(&judge(&RULE, &[b], "")), ["skipped, input missing: `pg_stat_bgwriter` is not in the dump"]);
    }
}
