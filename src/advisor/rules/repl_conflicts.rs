//! Queries of a standby that recovery cancels.

use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Skip, Threshold, show_counted};
use crate::diff::Change;
use crate::finding::{Effort, Finding, Fix, Severity, Subject, SubjectKind};
use crate::text::Text;
use crate::unit::{Quantity, Unit};

/// Counters of `pg_stat_database_conflicts`, and what each is about.
const KINDS: [(&str, &str); 6] = [
    ("confl_snapshot", "for rows that vacuum removed on the primary"),
    ("confl_lock", "for a lock that the primary took"),
    ("confl_bufferpin", "for a page they held"),
    ("confl_deadlock", "for a deadlock with recovery"),
    ("confl_tablespace", "for a dropped tablespace"),
    ("confl_active_logicalslot", "logical slots that were invalidated"),
];

/// The rule.
pub const RULE: Rule = Rule {
    id: "repl-conflicts",
    title: "Recovery cancels queries of the standby",
    needs: &[Need::View("pg_stat_database_conflicts", &["datname", "confl_snapshot", "confl_lock"])],
    wants: &[Need::Setting("max_standby_streaming_delay"), Need::Setting("hot_standby_feedback")],
    thresholds: &[
        Threshold { name: "min_count", default: 3.0, unit: Unit::Count, about: "A rate does not rest on one event." },
        Threshold { name: "low_per_hour", default: 1.0, unit: Unit::Count, about: "One an hour is a pattern." },
        Threshold {
            name: "medium_per_hour",
            default: 10.0,
            unit: Unit::Count,
            about: "Users meet it every few minutes.",
        },
    ],
    docs: Docs {
        looks_at: "Statements that recovery cancelled on a standby, by reason, over the window.",
        why: "Each is an error in the middle of somebody's query.",
        decides: "On a standby only. Three and more, at least one an hour; ten an hour are medium.",
        what_to_do: "For removed rows: hot_standby_feedback, which keeps dead rows on the primary as long as the standby's queries \
                     run; or a longer max_standby_streaming_delay, which lets the standby fall behind meanwhile. For locks: schema \
                     changes at quiet hours. A standby cannot be always current, never cancel, and cost the primary nothing.",
        ignore_when: "The reports are repeated, and the standby must be current for a failover.",
        references: "PostgreSQL manual, \"Hot Standby\" (Handling Query Conflicts); \"pg_stat_database_conflicts\".",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    if ctx.is_standby() != Some(true) {
        return Err(Skip("only a standby has conflicts with recovery".to_owned()));
    }
    let mut findings = Vec::new();
    let (mut all, mut exact) = (0.0, true);
    for change in ctx.changes_or_skip("pg_stat_database_conflicts")?.present() {
        let Some(name) = change.last().and_then(|r| r.text("datname")) else { continue };
        let count: f64 = KINDS.iter().filter_map(|(column, _)| change.delta(column)).sum();
        all += count;
        exact &= change.is_exact();
        let window = change.covered_s().or_else(|| ctx.window_s()).filter(|w| *w > 0.0);
        let Some(per_hour) = window.map(|w| count * 3_600.0 / w) else { continue };
        if count >= ctx.threshold("min_count") && per_hour >= ctx.threshold("low_per_hour") {
            findings.push(finding(ctx, change, name, count, per_hour));
        }
    }
    Ok(Checked { findings, looked_at: format!("{} conflicts in all databases", show_counted(all, Unit::Count, exact)) })
}

fn finding<'a>(ctx: &Context<'a>, change: Change<'a>, name: &str, count: f64, per_hour: f64) -> Finding {
    let often = per_hour >= ctx.threshold("medium_per_hour");
    let kinds = KINDS.iter().filter_map(|(column, meaning)| {
        let n = change.delta(column).filter(|n| *n > 0.0)?;
        Some(Text::new().opt(Quantity::float(n, Unit::Count)).t(format!(" {meaning}")))
    });
    let title =
        Text::new().t("Recovery cancelled ").opt(Quantity::float(count, Unit::Count)).t(" statements in ").name(name);
    let mut finding = ctx
        .finding(if often { Severity::Medium } else { Severity::Low }, Subject::new(SubjectKind::Database, name), title)
        .why(
            Text::new()
                .t("Cancelled ")
                .then(Text::joined(kinds, ", "))
                .t(". Each was an error in the middle of a query."),
        )
        .doubts([ctx.single_doubt(), ctx.class_doubt(change)]);
    for (column, meaning) in KINDS {
        if change.delta(column).is_some_and(|n| n > 0.0) {
            finding = finding.measure(ctx.measure(&format!("Cancelled {meaning}"), change, column));
        }
    }
    // With one kind alone its own line says it.
    let columns = KINDS.map(|(column, _)| column);
    let parts: Vec<&str> = columns.into_iter().filter(|c| change.delta(c).is_some_and(|n| n > 0.0)).collect();
    if parts.len() > 1 {
        finding = finding.measure(ctx.sum("Cancelled in all", change, &parts, Unit::Count));
    }
    for setting in ["max_standby_streaming_delay", "hot_standby_feedback"] {
        if ctx.exported_setting(setting).is_some() {
            finding = finding.measure(ctx.setting_measure(setting));
        }
    }
    finding
        .fix(Fix::diagnose(
            name,
            "SELECT * FROM pg_stat_database_conflicts;\nSELECT name, setting, unit FROM pg_settings\nWHERE name IN \
             ('max_standby_streaming_delay', 'max_standby_archive_delay', 'hot_standby_feedback');",
        ))
        .verify("The counters move less than once an hour in the next window.")
        .effort(Effort::M)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::literal::literal;

    fn over_an_hour(standby: bool, snapshots: &str, locks: &str) -> Vec<String> {
        let taken = |at: &str, row: &str| {
            literal(at)
                .meta(|m| m.in_recovery = Some(standby))
                .view("pg_stat_database", "datid | datname | stats_reset", &["5 | shop | 2026-11-01 00:00:00+00"])
                .view(
                    "pg_stat_database_conflicts",
                    "datid | datname | confl_snapshot | confl_lock",
                    &[&format!("5 | shop | {row}")],
                )
                .build()
        };
        let b = format!("{snapshots} | {locks}");
        told(&judge(&RULE, &[taken("2026-11-22 10:00:00+00", "0 | 0"), taken("2026-11-22 11:00:00+00", &b)], ""))
    }

    #[test]
    fn a_pattern_on_a_standby_is_told() {
        assert_eq!(over_an_hour(true, "3", "2"), ["low, high: shop: Recovery cancelled 5 statements in shop"]);
        assert_eq!(over_an_hour(true, "30", "0"), ["medium, high: shop: Recovery cancelled 30 statements in shop"]);
        assert_eq!(over_an_hour(true, "1", "1"), ["passed: 2 conflicts in all databases"]);
        assert_eq!(over_an_hour(false, "0", "0"), ["skipped: only a standby has conflicts with recovery"]);
    }
}
