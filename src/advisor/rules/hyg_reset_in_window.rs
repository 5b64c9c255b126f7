//! Counters that started again inside the window.

use crate::advisor::restarted::Restarted;
use crate::advisor::workload::part;
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Threshold, show};
use crate::diff::Event;
use crate::finding::{Effort, Measure, Severity, Subject, SubjectKind};
use crate::ident::visible;
use crate::text::Text;
use crate::unit::{Quantity, Unit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "hyg-reset-in-window",
    title: "Counters started again in the window",
    needs: &[Need::Snapshots(2)],
    wants: &[],
    thresholds: &[Threshold {
        name: "low_share",
        default: 0.1,
        unit: Unit::Share,
        about: "From a tenth of all rows on, sums over the window are clearly too low.",
    }],
    docs: Docs {
        looks_at: "The class of every row of every cumulative view over the window, and the resets that the snapshots prove.",
        why: "What was counted between the first snapshot and the reset is lost: such values are lower bounds, and ratios with \
              them are of a shorter time.",
        decides: "Any row that was reset, or that fell without other evidence, and statements that a reset took away. Information; low from a tenth of all rows on. \
                  Rows of which a reset cannot be ruled out are counted apart: their differences are lower bounds, too.",
        what_to_do: "Nothing, unless somebody resets on a schedule: two snapshots make resets unnecessary, and a reset takes \
                     from autovacuum what it decides by.",
        ignore_when: "The reset was meant.",
        references: "PostgreSQL manual, \"Statistics Functions\"; docs/diff.md.",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let Restarted { all, again: reset, unsure, views } = Restarted::of(ctx.chain);
    let looked_at = format!("{} rows of counters, none started again", show(all as f64, Unit::Count));
    if reset == 0 {
        return Ok(Checked { findings: Vec::new(), looked_at });
    }
    let share = part(reset as f64, all as f64);
    let of_all = |n: usize| {
        let (n, all) = (n as f64, all as f64);
        format!("{} of {} rows, {}", show(n, Unit::Count), show(all, Unit::Count), show(part(n, all), Unit::Share))
    };
    let ends = [0, ctx.chain.snapshots.len().saturating_sub(1)];
    let counted = |label: &str, n: usize| {
        Measure::of_window(label, Some(Quantity::count(n)), ctx.all_rows_in(&ends, &views, &[], of_all(n)))
    };
    let events: Vec<String> = ctx
        .chain
        .windows
        .iter()
        .flat_map(|w| &w.events)
        .filter(|e| e.kind.starts_with("stats_reset") || e.kind == "crash")
        .map(told_of)
        .collect();
    let mut why = Text::new().t("Their values cover only the time since then: they are lower bounds. ");
    if unsure > 0 {
        why = why
            .t("Of ")
            .many(Quantity::count(unsure), "further row", "further rows")
            .t(" a reset cannot be ruled out. ");
    }
    let severity = if share > ctx.threshold("low_share") { Severity::Low } else { Severity::Info };
    let finding = ctx
        .finding(
            severity,
            Subject::new(SubjectKind::Data, "counters"),
            Text::new()
                .n(Quantity::count(reset))
                .t(" of ")
                .n(Quantity::count(all))
                .t(" rows of counters started again in the window, ")
                .opt(Quantity::float(share, Unit::Share)),
        )
        .why(why.t(format!("Views concerned: {}.", views.join(", "))))
        .members(events.into_iter().map(|e| Subject::new(SubjectKind::Data, e)).collect())
        .measure(counted("Rows reset", reset))
        .measures((unsure > 0).then(|| counted("Rows of which a reset cannot be ruled out", unsure)))
        .verify("No counter starts again in the next window.")
        .effort(Effort::S);
    Ok(Checked { findings: vec![finding], looked_at })
}

/// What an event reset, and when.
fn told_of(event: &Event) -> String {
    let scope = event.scope.as_deref().unwrap_or("statistics");
    let what = match (event.kind.as_str(), &event.object) {
        ("crash", _) => format!("the server: {}", event.words()),
        ("stats_reset_database", _) => format!("database {scope}: reset"),
        ("stats_reset_object", Some(object)) => format!("{object} in {scope}: reset"),
        ("stats_reset_object", None) => format!("an object in {scope}: reset"),
        ("stats_reset_statement", _) => format!("single entries of {scope}: reset"),
        ("stats_reset_minmax", _) => format!("lowest and highest times in {scope}: reset"),
        _ => format!("{scope}: reset"),
    };
    let at = event.at.map_or_else(String::new, |t| format!(" at {}", t.human_seconds()));
    visible(&format!("{what}{at}")).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::literal::literal;

    #[test]
    fn statements_that_a_reset_took_are_not_kept_ones() {
        let taken = |at: &str, reset: &str, ids: &[u8]| {
            let rows: Vec<String> = ids.iter().map(|id| format!("10 | 5 | t | {id} | 3")).collect();
            let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
            literal(at)
                .view("pg_stat_statements", "userid | dbid | toplevel | queryid | calls", &rows)
                .view("pg_stat_statements_info", "dealloc | stats_reset", &[&format!("0 | {reset}")])
                .build()
        };
        let a = taken("2026-11-22 11:00:00+00", "2026-11-01 00:00:00+00", &[1, 2, 3, 4]);
        let b = taken("2026-11-22 12:00:00+00", "2026-11-22 11:30:00+00", &[7, 8]);
        let said = told(&judge(&RULE, &[a, b], ""));
        assert_eq!(said, ["low, high: counters: 5 of 7 rows of counters started again in the window, 71.4%"]);
    }

    #[test]
    fn counts_rows_that_started_again() {
        let taken = |at: &str, reset: &str, scans: &str| {
            literal(at)
                .view(
                    "pg_stat_database",
                    "datid | datname | xact_commit | stats_reset",
                    &[&format!("16697 | shop | {scans} | {reset}")],
                )
                .view(
                    "pg_stat_user_tables",
                    "relid | schemaname | relname | seq_scan",
                    &[&format!("1 | public | t | {scans}")],
                )
                .build()
        };
        let a = taken("2026-11-22 11:00:00+00", "2026-11-01 00:00:00+00", "100");
        let b = taken("2026-11-22 12:00:00+00", "2026-11-22 11:30:00+00", "5");
        let lines = told(&judge(&RULE, &[a.clone(), b], ""));
        assert_eq!(lines, ["low, high: counters: 2 of 2 rows of counters started again in the window, 100%"]);
        let quiet = taken("2026-11-22 12:00:00+00", "2026-11-01 00:00:00+00", "105");
        assert_eq!(told(&judge(&RULE, &[a, quiet], "")), ["passed: 2 rows of counters, none started again"]);
    }
}
