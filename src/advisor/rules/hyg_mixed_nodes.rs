//! Snapshots that may be of different servers.

use crate::advisor::{Check, Checked, Context, Docs, Need, Rule};
use crate::diff::Diff;
use crate::finding::{Effort, Evidence, Locator, Measure, Severity, Subject, SubjectKind};
use crate::text::{Text, counted};
use crate::unit::{Quantity, Unit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "hyg-mixed-nodes",
    title: "Snapshots may be of different servers",
    needs: &[Need::Snapshots(2)],
    wants: &[],
    thresholds: &[],
    docs: Docs {
        looks_at: "What the comparison of neighbouring snapshots says about their servers.",
        why: "A difference of two servers' counters means nothing. A standby has its primary's system identifier, so that alone \
              does not tell them apart.",
        decides: "Counters of several independent views went backwards although nothing was reset: two servers, or a restored \
                  copy. Snapshots that are certainly of different servers are refused before any check runs.",
        what_to_do: "Look at the snapshots' origin; give each server's snapshots by themselves.",
        ignore_when: "The server was restored from a backup between them.",
        references: "docs/diff.md.",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let mut findings = Vec::new();
    for window in &ctx.chain.windows {
        for note in window.notes.kept.iter().filter(|n| n.code == "W-NODE") {
            // What is asked needs no full stop.
            let end = if note.message.ends_with('?') { "" } else { "." };
            let pair = format!("{} and {}", window.before.meta.label, window.after.meta.label);
            findings.push(
                ctx.finding(
                    Severity::High,
                    Subject::new(SubjectKind::Data, pair.clone()),
                    Text::new().name(pair).t(" may be of different servers"),
                )
                .why(
                    Text::new().t(note.message.clone()).t(end).t(" Differences of two servers' counters mean nothing."),
                )
                .measures(ctx.of_both(
                    "Start of the server",
                    [&window.before, &window.after],
                    "meta",
                    "pg_postmaster_start_time",
                ))
                .measures(taken(ctx, window))
                .verify("The snapshots of one server are compared with each other only.")
                .effort(Effort::S),
            );
        }
    }
    Ok(Checked {
        findings,
        looked_at: format!("{}, each of one server", counted(ctx.chain.windows.len(), "window", "windows")),
    })
}

/// When both were taken, with a file of each: what there always is.
fn taken(ctx: &Context<'_>, window: &Diff) -> Option<Measure> {
    let (was, is) = (window.before.meta.taken_at?, window.after.meta.taken_at?);
    let files = [&window.before, &window.after].into_iter().filter_map(|s| {
        let at = ctx.chain.snapshots.iter().position(|known| std::ptr::eq(known.as_ref(), s.as_ref()))?;
        let file = s.meta.files.first()?;
        Some(Locator { snapshot: ctx.label(at), file: file.path.clone(), place: "and the files beside it".to_owned() })
    });
    let formula = format!("{} and {}", was.human_seconds(), is.human_seconds());
    let evidence = Evidence { formula: Some(formula), locators: files.collect(), ..Evidence::default() };
    let apart = Quantity::float(is.seconds_since(was), Unit::Seconds);
    Some(Measure::of_window("Taken apart by", apart, evidence))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::literal::literal;

    #[test]
    fn counters_that_go_backwards_everywhere_without_a_reset_are_another_server() {
        let taken = |at: &str, n: &str| {
            const RESET: &str = "2026-11-01 00:00:00+00";
            literal(at)
                .meta(|m| m.node = None)
                .view(
                    "pg_stat_database",
                    "datid | datname | xact_commit | blks_hit | stats_reset",
                    &[&format!("16697 | shop | {n} | {n} | {RESET}")],
                )
                .view("pg_stat_bgwriter", "buffers_alloc | stats_reset", &[&format!("{n} | {RESET}")])
                .view("pg_stat_archiver", "archived_count | stats_reset", &[&format!("{n} | {RESET}")])
                .build()
        };
        let a = taken("2026-11-22 11:00:00+00", "900");
        let lines = told(&judge(&RULE, &[a.clone(), taken("2026-11-22 12:00:00+00", "5")], ""));
        assert!(lines[0].starts_with("high, high: "), "{lines:?}");
        assert_eq!(
            told(&judge(&RULE, &[a, taken("2026-11-22 12:00:00+00", "950")], "")),
            ["passed: 1 window, each of one server"]
        );
    }
}
