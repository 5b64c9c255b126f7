//! When transaction ids run out, at the rate of the window.

use crate::advisor::wrap_rate::{DAY, Rate, rate};
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Skip, Threshold, show, whole};
use crate::catalog::wraparound::Limits;
use crate::finding::{Effort, Finding, Fix, Severity, Subject, SubjectKind};
use crate::snapshot::Row;
use crate::text::Text;
use crate::time::Timestamp;
use crate::unit::{Quantity, Unit};

/// A date is given only within so many times the observed span.
const HORIZON: f64 = 3.0;

/// The rule.
pub const RULE: Rule = Rule {
    id: "wrap-xid-forecast",
    title: "Transaction ids run out at this rate",
    needs: &[Need::Primary, Need::Snapshots(2), Need::View("database_sizes", &["datname", "datfrozenxid_age"])],
    wants: &[Need::View("meta", &["next_xid"]), Need::View("pg_settings", &["setting"])],
    thresholds: &[
        Threshold {
            name: "late_factor",
            default: 1.2,
            unit: Unit::Times,
            about: "Of autovacuum_freeze_max_age: the vacuum against wraparound should be done by now.",
        },
        Threshold {
            name: "critical_left",
            default: 30.0 * DAY,
            unit: Unit::Seconds,
            about: "Freezing tables that large may take weeks.",
        },
        Threshold { name: "high_left", default: 180.0 * DAY, unit: Unit::Seconds, about: "Time to plan it." },
        Threshold {
            name: "note_left",
            default: 30.0 * DAY,
            unit: Unit::Seconds,
            about: "A routine vacuum against wraparound that comes within a month is worth a note.",
        },
        Threshold {
            name: "min_xids",
            default: 1_000.0,
            unit: Unit::Xids,
            about: "Ids used in the window: a rate does not rest on a few.",
        },
        Threshold {
            name: "min_window",
            default: 3_600.0,
            unit: Unit::Seconds,
            about: "An hour of load is the least to speak of days.",
        },
        Threshold {
            name: "sure_window",
            default: DAY,
            unit: Unit::Seconds,
            about: "Below a day one step less sure: load has a daily course.",
        },
    ],
    docs: Docs {
        looks_at: "Transaction ids used per second (the id counter of the export; else how much the databases aged), the \
                   age of the oldest database, and what is left until the limits.",
        why: "At the limit every write is refused. The vacuum that prevents it must finish before, and on large tables it \
              takes days.",
        decides: "Left = (limit − age) ÷ rate, the limit being where new ids are refused (2^31 − 3 million from 14 on, 2^31 − 1 \
                  million before). It counts once the age is above `late_factor` times autovacuum_freeze_max_age, when the \
                  routine vacuum should have finished: high below `high_left`, critical below `critical_left`. Before \
                  that a busy server only has its routine ahead: a note when that begins within `note_left`. A date is \
                  given within three times the observed span, beyond it only the division. Never from xact_commit: \
                  transactions that only read use no id.",
        what_to_do: "Remove what holds back old ids (vacuum-blocked-horizon), then VACUUM (FREEZE) on the oldest tables \
                     (wrap-xid-age lists them).",
        ignore_when: "The window was a load of a few hours that does not come back.",
        references: "PostgreSQL manual: Routine Vacuuming (Preventing Transaction ID Wraparound Failures). Limits: \
                     varsup.c, PostgreSQL 12 to 18. That xact_commit counts transactions without an id: observed on \
                     PostgreSQL 12 to 18.",
    },
    check,
};

fn check(cx: &Context<'_>) -> Check {
    cx.window_of("min_window")?;
    let rate = rate(cx).ok_or_else(|| Skip("the use of transaction ids in the window is not known".to_owned()))?;
    if rate.used < cx.threshold("min_xids") {
        let looked_at = format!("{} transaction ids used in the window", show(rate.used, Unit::Xids));
        return Ok(Checked { findings: Vec::new(), looked_at });
    }
    let state = cx.state_or_skip("database_sizes")?;
    let ages = state.table.iter().filter_map(|r| Some((r.f64("datfrozenxid_age").filter(|a| *a >= 0.0)?, r)));
    let oldest = ages.reduce(|a, b| if b.0 > a.0 { b } else { a });
    let (age, row) = oldest.ok_or_else(|| Skip("no database's age is known".to_owned()))?;
    let routine = cx.facts.autovacuum.freeze_max_age;
    let left = |limit: f64| (limit - age).max(0.0) / rate.per_second();
    let to_refusal = left(Limits::xid(cx.major()).refusal);
    let looked_at = format!(
        "{} transaction ids a day; the routine vacuum against wraparound in {}, refused writes in {}",
        show(rate.per_second() * DAY, Unit::Xids),
        show(left(routine), Unit::Seconds),
        show(to_refusal, Unit::Seconds)
    );
    let late = age > cx.threshold("late_factor") * routine;
    let severity = if late && to_refusal < cx.threshold("critical_left") {
        Severity::Critical
    } else if late && to_refusal < cx.threshold("high_left") {
        Severity::High
    } else if age < routine && left(routine) < cx.threshold("note_left") {
        Severity::Info
    } else {
        return Ok(Checked { findings: Vec::new(), looked_at });
    };
    Ok(Checked { findings: vec![report(cx, severity, &rate, age, row)], looked_at })
}

/// From the id counter of the export; else from the database that aged most: one whose oldest id did not move aged by
/// exactly what was used.
fn report<'a>(cx: &Context<'a>, severity: Severity, rate: &Rate<'a>, age: f64, row: Row<'a>) -> Finding {
    let note = severity == Severity::Info;
    let routine = cx.facts.autovacuum.freeze_max_age;
    let limit = if note { routine } else { Limits::xid(cx.major()).refusal };
    let left = (limit - age).max(0.0) / rate.per_second();
    let at = date(cx, rate.seconds, left);
    let name = row.text("datname").unwrap_or_default();
    let per_day = whole(rate.per_second() * DAY, Unit::Xids);
    let what = if note { "The routine vacuum against wraparound begins" } else { "Writes are refused" };
    let mut title = Text::new().t(what).t(" in ").opt(Quantity::float(left, Unit::Seconds)).t(" at ").opt(per_day);
    title = title.t(" transaction ids a day");
    let mut why = Text::new()
        .t("The oldest id of ")
        .name(name)
        .t(" is ")
        .opt(whole(age, Unit::Xids))
        .t(" old; ")
        .t(if note { "autovacuum_freeze_max_age is " } else { "new ids are refused at " })
        .opt(whole(limit, Unit::Xids));
    why = match at {
        Some(at) => why.t(". If the load stays as it was, that is ").n(Quantity::time(at)).t("."),
        None => why.t(". This is a division by the measured rate, not a forecast: the window is too short for a date."),
    };
    let seconds = show(rate.seconds, Unit::Seconds);
    let used = whole(rate.used, Unit::Xids);
    let left_formula = format!(
        "({} − {}) ÷ {} a day",
        show(limit, Unit::Xids),
        show(age, Unit::Xids),
        per_day.map_or_else(|| "n/a".to_owned(), Quantity::human)
    );
    let columns: &[&str] = &["datfrozenxid_age"];
    let finding = cx
        .finding(severity, Subject::new(SubjectKind::Database, name), title)
        .doubts([cx.short_doubt("sure_window"), cx.facts.autovacuum.doubt])
        .why(why)
        .measure(cx.read("Age", row, "datfrozenxid_age"))
        .measure(cx.over_window("Transaction ids used", used, format!("{}, {seconds} apart", rate.how), &rate.rows()))
        .measure(cx.over_window("Left", Quantity::float(left, Unit::Seconds), left_formula, &[(row, columns)]))
        .measures(at.zip(cx.now()).map(|(at, now)| {
            let formula = format!("{} + {}", now.human_seconds(), show(left, Unit::Seconds));
            cx.over_window("Date at this pace", Some(Quantity::time(at)), formula, &[(row, columns)])
        }))
        .effort(Effort::M)
        .verify("age(datfrozenxid) falls, and what is left grows.");
    if note {
        return finding.not("No emergency: the routine vacuum reads large tables completely; plan it for quiet hours.");
    }
    finding.deadline(at).share(Some(age / limit)).fix(Fix::diagnose(
        name,
        "SELECT c.oid::regclass, age(c.relfrozenxid), pg_size_pretty(pg_table_size(c.oid)) FROM pg_class c WHERE c.relkind \
         IN ('r', 'm', 't') ORDER BY 2 DESC LIMIT 20;",
    ))
}

/// When that is; `None` beyond what the window can tell.
fn date(cx: &Context<'_>, observed_s: f64, left_s: f64) -> Option<Timestamp> {
    let within = left_s <= HORIZON * observed_s;
    cx.now().filter(|_| within).and_then(|now| Some(Timestamp(now.0.checked_add((left_s * 1e6) as i64)?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{AUTOVACUUM, judge, told};
    use crate::snapshot::Snapshot;
    use crate::snapshot::literal::literal;
    use std::sync::Arc;

    fn taken(at: &str, next_xid: Option<i64>, ages: [i64; 2]) -> Arc<Snapshot> {
        literal(at)
            .meta(|m| m.next_xid = next_xid)
            .view(
                "database_sizes",
                "datid | datname | datfrozenxid_age",
                &[&format!("1 | shop | {}", ages[0]), &format!("2 | other | {}", ages[1])],
            )
            .view("pg_settings", "name | setting | unit", AUTOVACUUM)
            .build()
    }

    /// Over two days, by the id counter.
    fn say(used: i64, age: i64) -> Vec<String> {
        let before = taken("2026-11-20 12:00:00+00", Some(5_000_000_000), [age - used, 1_000]);
        let after = taken("2026-11-22 12:00:00+00", Some(5_000_000_000 + used), [age, 1_000]);
        told(&judge(&RULE, &[before, after], ""))
    }

    #[test]
    fn an_old_database_at_a_high_rate_has_a_date() {
        assert_eq!(
            say(600_000_000, 900_000_000),
            ["critical, high: shop: Writes are refused in 4 d 03 h at 300,000,000 transaction ids a day"]
        );
        assert!(say(20_000_000, 900_000_000)[0].starts_with("high, high: shop: Writes are refused in 124 d"));
        assert!(say(2_000_000, 900_000_000)[0].starts_with("passed"), "years from now");
    }

    #[test]
    fn a_busy_server_before_its_routine_vacuum_gets_a_note() {
        assert_eq!(
            say(40_000_000, 100_000_000),
            [
                "info, high: shop: The routine vacuum against wraparound begins in 5 d 00 h at 20,000,000 transaction ids a day"
            ]
        );
        assert!(say(2_000, 100_000_000)[0].starts_with("passed"));
        assert_eq!(say(10, 900_000_000), ["passed: 10 transaction ids used in the window"]);
    }

    #[test]
    fn without_the_counter_the_database_that_aged_most_tells() {
        let series = [
            taken("2026-11-20 12:00:00+00", None, [300_000_000, 1_000]),
            taken("2026-11-22 12:00:00+00", None, [900_000_000, 500]),
        ];
        assert!(told(&judge(&RULE, &series, ""))[0].contains("at 300,000,000 transaction ids a day"));
    }

    /// Transactions that only read use no id: commits say nothing about the date.
    #[test]
    fn commits_do_not_count() {
        let with_commits = |at: &str, commits: i64, next: i64, age: i64| {
            literal(at)
                .meta(|m| m.next_xid = Some(next))
                .view("database_sizes", "datid | datname | datfrozenxid_age", &[&format!("1 | shop | {age}")])
                .view("pg_stat_database", "datid | datname | xact_commit", &[&format!("1 | shop | {commits}")])
                .view("pg_settings", "name | setting | unit", AUTOVACUUM)
                .build()
        };
        let series = [
            with_commits("2026-11-20 12:00:00+00", 0, 5_000_000_000, 900_000_000),
            with_commits("2026-11-22 12:00:00+00", 2_000_000_000, 5_000_000_010, 900_000_010),
        ];
        assert_eq!(told(&judge(&RULE, &series, "")), ["passed: 10 transaction ids used in the window"]);
    }

    #[test]
    fn skips_single_snapshots_and_short_windows() {
        let one = taken("2026-11-22 12:00:00+00", Some(1), [1, 1]);
        assert_eq!(
            told(&judge(&RULE, &[Arc::clone(&one)], "")),
            ["skipped, input missing: needs 2 snapshots, here 1 is given"]
        );
        let before = taken("2026-11-22 11:50:00+00", Some(1), [1, 1]);
        assert!(told(&judge(&RULE, &[before, one], ""))[0].starts_with("skipped: the window of 10 min"));
    }
}
