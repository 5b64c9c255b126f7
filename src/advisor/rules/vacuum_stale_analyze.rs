//! Tables changed so much since their last ANALYZE that estimates are off.

use crate::advisor::vacuum_cure::analyze;
use crate::advisor::{
    Check, Checked, Context, Docs, Need, Rule, Skip, TableFact, Threshold, Triggers, counted_anew, show, whole,
};
use crate::diff::Change;
use crate::finding::{Effort, Finding, Severity};
use crate::text::{Text, counted};
use crate::unit::{Quantity, Unit};

const DAY: f64 = 86_400.0;

/// The rule.
pub const RULE: Rule = Rule {
    id: "vacuum-stale-analyze",
    title: "Statistics of a table are old",
    needs: &[
        Need::Primary,
        Need::View("pg_stat_user_tables", &["n_mod_since_analyze"]),
        Need::View("table_sizes", &["reltuples"]),
    ],
    wants: &[Need::View("pg_settings", &["setting"])],
    thresholds: &[
        Threshold {
            name: "min_rows",
            default: 10_000.0,
            unit: Unit::Rows,
            about: "Plans of small tables hardly change.",
        },
        Threshold {
            name: "max_wait",
            default: 7.0 * DAY,
            unit: Unit::Seconds,
            about: "Above its trigger for a week: autoanalyze does not come.",
        },
        Threshold {
            name: "changed_share",
            default: 0.5,
            unit: Unit::Share,
            about: "Half of the rows are not what the planner knows.",
        },
        Threshold {
            name: "min_wait",
            default: 600.0,
            unit: Unit::Seconds,
            about: "Autoanalyze gets this long, or ten naptimes if that is longer, before it counts as late.",
        },
    ],
    docs: Docs {
        looks_at: "`n_mod_since_analyze` against the number of changes at which autoanalyze comes, and when it last came.",
        why: "The planner estimates from the last sample. Where half of the rows have changed since, it may choose a plan \
              for data that is not there any more.",
        decides: "Found on tables of `min_rows` with more changes than the trigger, when nobody analyzed for `max_wait`, or \
                  when `changed_share` of the rows changed and nobody analyzed for `min_wait`, or autovacuum is off: \
                  what it has just visited it visits again. Low.",
        what_to_do: "ANALYZE the table; if it comes back, lower the table's autovacuum_analyze_scale_factor.",
        ignore_when: "The values keep their distribution: a queue that turns over, a log that grows evenly.",
        references: "PostgreSQL manual: Routine Vacuuming (Updating Planner Statistics).",
    },
    check,
};

fn check(cx: &Context<'_>) -> Check {
    let mut checked = Checked::default();
    let (mut looked, mut unknown) = (0, 0);
    for table in &cx.facts.tables {
        let Some(change) = table.change else { continue };
        let (Some(changed), (Some(rows), _)) = (change.last().and_then(|r| r.f64("n_mod_since_analyze")), table.rows())
        else {
            continue;
        };
        if rows < cx.threshold("min_rows") {
            continue;
        }
        looked += 1;
        unknown += usize::from(counted_anew(change, &ANALYZED));
        let triggers = cx.facts.triggers(table);
        let share = changed / rows.max(1.0);
        let waited = since_analyze(cx, change);
        let late = waited.is_some_and(|s| s > cx.threshold("max_wait"));
        let soon = cx.threshold("min_wait").max(10.0 * cx.facts.autovacuum.naptime_s);
        let comes = triggers.enabled && cx.facts.autovacuum.on != Some(false);
        let much = share >= cx.threshold("changed_share") && (!comes || waited.is_none_or(|s| s > soon));
        if changed > triggers.analyze && (late || much) {
            checked.findings.push(report(cx, table, change, &triggers, changed, share));
        }
    }
    if checked.findings.is_empty() && unknown > 0 && unknown == looked {
        return Err(Skip(
            "what changed in large tables since their last ANALYZE is unknown since a crash or reset".to_owned(),
        ));
    }
    checked.looked_at = format!(
        "{} of {} rows or more{}",
        counted(looked, "table", "tables"),
        show(cx.threshold("min_rows"), Unit::Rows),
        if unknown > 0 {
            format!("; what changed in {unknown} is unknown since a crash or reset")
        } else {
            String::new()
        }
    );
    Ok(checked)
}

/// When the counter of changes is set anew.
const ANALYZED: [&str; 2] = ["last_analyze", "last_autoanalyze"];

/// Seconds since the last ANALYZE of any kind; without one the age of the counters, a lower bound.
fn since_analyze(cx: &Context<'_>, change: Change<'_>) -> Option<f64> {
    let row = change.last()?;
    let last = row.time("last_analyze").max(row.time("last_autoanalyze"));
    match last {
        Some(last) => Some(cx.now()?.seconds_since(last)),
        None => cx.counter_age(change).map(|a| a.seconds),
    }
}

fn report<'a>(
    cx: &Context<'a>,
    table: &TableFact<'a>,
    change: Change<'a>,
    triggers: &Triggers,
    changed: f64,
    share: f64,
) -> Finding {
    let share = Quantity::float(share, Unit::Share);
    let trigger = whole(triggers.analyze, Unit::Rows);
    let formula = format!("{} ÷ {}", show(changed, Unit::Rows), show(table.rows().0.unwrap_or(0.0), Unit::Rows));
    let counted = change.last().map(|r| (r, &["n_mod_since_analyze"][..]));
    let sizes = table.sizes.map(|r| (r, &["reltuples", "reloptions"][..]));
    let title = Text::new()
        .t(if counted_anew(change, &ANALYZED) { "At least " } else { "" })
        .opt(whole(changed, Unit::Rows))
        .t(" rows changed since the last ANALYZE, ")
        .opt(share)
        .t(" of its rows");
    let why = Text::new()
        .t("The planner works with numbers from before. Autoanalyze was due at ")
        .opt(trigger)
        .t(" (")
        .code(triggers.analyze_formula())
        .t(").");
    cx.finding(Severity::Low, table.subject(), title)
        .doubts(triggers.doubts.iter().copied().map(Some))
        .doubts([cx.class_doubt(change)])
        .why(why)
        .measure(cx.measure("Changed since ANALYZE", change, "n_mod_since_analyze"))
        .measure(cx.computed("Share changed", share, formula, &[counted.as_slice(), sizes.as_slice()].concat()))
        .measure(cx.computed("Autoanalyze's trigger", trigger, triggers.analyze_formula(), sizes.as_slice()))
        .measure(cx.measure("Last ANALYZE by autovacuum", change, "last_autoanalyze"))
        .measure(cx.measure("Last ANALYZE by hand", change, "last_analyze"))
        .fix(analyze(table))
        .effort(Effort::S)
        .verify("n_mod_since_analyze is below the trigger, and row estimates in EXPLAIN ANALYZE come near the truth.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::literal::literal;

    fn say(changed: u32, analyzed: &str) -> Vec<String> {
        say_with(changed, analyzed, "")
    }

    fn say_with(changed: u32, analyzed: &str, options: &str) -> Vec<String> {
        let b = literal("2026-11-22 12:00:00+00")
            .view(
                "pg_stat_user_tables",
                "relid | schemaname | relname | n_live_tup | n_mod_since_analyze | last_autoanalyze",
                &[&format!("1 | public | t | 100000 | {changed} | {analyzed}")],
            )
            .view(
                "table_sizes",
                "relid | schemaname | relname | relkind | reltuples | relpages | reloptions",
                &[&format!("1 | public | t | r | 100000 | 10 | {options}")],
            );
        told(&judge(&RULE, &[b.build()], ""))
    }

    #[test]
    fn finds_half_of_the_rows_or_a_week() {
        assert_eq!(
            say(60_000, "2026-11-22 11:00:00+00"),
            ["low, medium: public.t: 60,000 rows changed since the last ANALYZE, 60% of its rows"]
        );
        assert!(say(20_000, "2026-11-01 11:00:00+00")[0].starts_with("low"));
        let just_there = "2026-11-22 11:55:00+00";
        assert_eq!(say(60_000, just_there), ["passed: 1 table of 10,000 rows or more"], "it comes again soon");
        assert!(say_with(60_000, just_there, "{autovacuum_enabled=off}")[0].starts_with("low"), "it does not come");
    }

    #[test]
    fn after_a_reset_it_is_known_when_somebody_analyzed() {
        let taken = |hour: u32, changed: u32, analyzed: &str| {
            literal(&format!("2026-11-22 {hour}:00:00+00"))
                .view(
                    "pg_stat_user_tables",
                    "relid | schemaname | relname | n_live_tup | n_tup_upd | n_mod_since_analyze | last_analyze",
                    &[&format!("1 | public | t | 100000 | {changed} | {changed} | {analyzed}")],
                )
                .view(
                    "table_sizes",
                    "relid | schemaname | relname | relkind | reltuples | relpages",
                    &["1 | public | t | r | 100000 | 10"],
                )
                .build()
        };
        let say =
            |changed, analyzed: &str| told(&judge(&RULE, &[taken(10, 90_000, ""), taken(12, changed, analyzed)], ""));
        assert_eq!(
            say(100, ""),
            ["skipped: what changed in large tables since their last ANALYZE is unknown since a crash or reset"]
        );
        assert_eq!(say(100, "2026-11-22 11:00:00+00"), ["passed: 1 table of 10,000 rows or more"]);
        assert!(say(60_000, "")[0].contains("At least 60,000 rows changed"), "{:?}", say(60_000, ""));
    }

    #[test]
    fn stays_quiet_below_and_skips() {
        assert!(say(20_000, "2026-11-22 11:00:00+00")[0].starts_with("passed"));
        assert!(say(9_000, "2026-11-01 11:00:00+00")[0].starts_with("passed"));
        let b = literal("2026-11-22 12:00:00+00").build();
        assert_eq!(told(&judge(&RULE, &[b], "")), ["skipped, input missing: `pg_stat_user_tables` is not in the dump"]);
    }
}
