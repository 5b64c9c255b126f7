//! A window too short for some verdicts.

use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Skip, Threshold, rules::RULES, show};
use crate::finding::{Effort, Severity, Subject, SubjectKind};
use crate::snapshot::Row;
use crate::text::Text;
use crate::unit::{Quantity, Unit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "hyg-window-short",
    title: "Window too short for some verdicts",
    needs: &[Need::Snapshots(2)],
    wants: &[],
    thresholds: &[Threshold {
        name: "usual_s",
        default: 86_400.0,
        unit: Unit::Seconds,
        about: "A day has a night, a peak and the daily jobs.",
    }],
    docs: Docs {
        looks_at: "The time between the first and the last snapshot, and the shortest window that each check asks for.",
        why: "What a server does in minutes is not what it does in a day: a check that would guess is left out.",
        decides: "A window below a day; the checks that it is too short for are listed.",
        what_to_do: "Take a second snapshot a day or a week later; peaks and daily jobs should lie between.",
        ignore_when: "The window was chosen on purpose, around an incident or a test.",
        references: "The thresholds of each check: `pgretro rules`.",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let window = ctx.chain.elapsed_s.ok_or_else(|| Skip("the time between the snapshots is not known".to_owned()))?;
    let looked_at = format!("the window is {}", show(window, Unit::Seconds));
    if window >= ctx.threshold("usual_s") {
        return Ok(Checked { findings: Vec::new(), looked_at });
    }
    let mut late: Vec<&str> = RULES
        .iter()
        .filter(|rule| {
            rule.thresholds.iter().any(|t| t.is_shortest_window() && ctx.config.threshold(rule, t.name) > window)
        })
        .map(|rule| rule.id)
        .collect();
    late.sort_unstable();
    let duration = Quantity::float(window, Unit::Seconds);
    let title = Text::new().t("The window is ").opt(duration);
    let title = if late.is_empty() {
        title.t(": short of a day")
    } else {
        title.t(": too short for ").many(Quantity::count(late.len()), "check", "checks")
    };
    let checks = (!late.is_empty()).then(|| {
        let formula = "checks whose shortest window is longer".to_owned();
        ctx.over_window("Checks it is too short for", Some(Quantity::count(late.len())), formula, &[])
    });
    let meta = [ctx.chain.first(), ctx.chain.last()].into_iter().filter_map(|s| s.table("meta")?.iter().next());
    let ends: Vec<(Row<'_>, &[&str])> = meta.map(|row| (row, &["captured_at"][..])).collect();
    let finding = ctx
        .finding(Severity::Info, Subject::new(SubjectKind::Data, "window"), title)
        .why("What is found is true for this time. Peaks, nights and daily jobs outside it are not seen.")
        .members(late.into_iter().map(|id| Subject::new(SubjectKind::Data, id)).collect())
        .measure(ctx.over_window("Window", duration, "last capture − first capture".to_owned(), &ends))
        .measures(checks)
        .verify("A report over a day or more has these checks.")
        .effort(Effort::S);
    Ok(Checked { findings: vec![finding], looked_at })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::literal::literal;

    #[test]
    fn tells_what_a_short_window_leaves_out() {
        let taken = |at: &str| literal(at).view("pg_stat_database", "datid | datname", &["5 | shop"]).build();
        let a = taken("2026-11-22 12:00:00+00");
        let outcome = judge(&RULE, &[a.clone(), taken("2026-11-22 12:05:00+00")], "");
        let crate::finding::Outcome::Found { findings, .. } = outcome else { panic!("{outcome:?}") };
        assert!(findings[0].members.iter().any(|m| m.name == "query-top-time"), "{:?}", findings[0].members);
        assert!(findings[0].members.iter().all(|m| m.name != "cache-hit-low"), "a minute is enough for it");
        assert_eq!(told(&judge(&RULE, &[a, taken("2026-11-29 12:00:00+00")], "")), ["passed: the window is 7 d 00 h"]);
    }
}
