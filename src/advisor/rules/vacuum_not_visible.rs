//! A large table that index-only scans have to visit.

use crate::advisor::vacuum_cure::vacuum;
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Threshold};
use crate::finding::{Effort, Severity};
use crate::text::{Text, counted};
use crate::unit::{Quantity, Unit};
use std::collections::BTreeMap;

/// The rule.
pub const RULE: Rule = Rule {
    id: "vacuum-not-visible",
    title: "Index-only scans of pages that are not marked visible",
    needs: &[Need::Plans, Need::View("table_sizes", &["relid", "relpages", "relallvisible"]), Need::Primary],
    wants: &[],
    thresholds: &[
        Threshold {
            name: "min_bytes",
            default: 1_073_741_824.0,
            unit: Unit::Bytes,
            about: "A smaller table is in memory, and a visit costs little.",
        },
        Threshold {
            name: "max_visible",
            default: 0.5,
            unit: Unit::Share,
            about: "Half of the pages: every second entry costs a visit.",
        },
    ],
    docs: Docs {
        looks_at: "The share of pages that the visibility map marks, of tables that a plan in the dump reads by an index-only scan.",
        why: "An index-only scan spares the table only where the page is marked as visible to all. Vacuum sets the marks, each write takes \
              its page's mark away.",
        decides: "A gigabyte, fewer than half of the pages marked, and an index-only scan of it in a plan. Without a plan that uses it, \
                  the marks matter to vacuum alone, and nothing is said.",
        what_to_do: "VACUUM; where the table is only inserted into, let autovacuum come by inserts (autovacuum_vacuum_insert_scale_factor, \
                     13 and later).",
        ignore_when: "The table is written all over all the time.",
        references: "PostgreSQL manual, \"Index-Only Scans and Covering Indexes\"; \"Visibility Map\".",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    // The plan that reads each table by an index-only scan: the slowest.
    let mut scanned = BTreeMap::new();
    for of in &ctx.facts.plans.all {
        for node in of.plan.nodes.iter().filter(|n| n.kind == "Index Only Scan") {
            // The table is not printed in every plan: its index tells.
            let by_index = || {
                let name = node.index.as_deref()?;
                let mut named = ctx.facts.indexes.iter().filter(|i| i.name() == name);
                let relid = named.next()?.relid()?;
                named.next().is_none().then(|| ctx.facts.table(relid)).flatten()
            };
            let Some(table) = ctx.table_of(node).or_else(by_index) else { continue };
            if let Some(relid) = table.relid() {
                scanned.entry(relid).or_insert((table, of));
            }
        }
    }
    let mut checked = Checked::default();
    for (table, of) in scanned.values() {
        let Some(sizes) = table.sizes else { continue };
        let (Some(pages), Some(visible)) = (sizes.f64("relpages"), sizes.f64("relallvisible")) else { continue };
        let share = visible / pages.max(1.0);
        let large = table.heap_bytes().is_some_and(|b| b as f64 >= ctx.threshold("min_bytes"));
        if !large || share >= ctx.threshold("max_visible") {
            continue;
        }
        let quantity = Quantity::float(share, Unit::Share);
        checked.findings.push(
            ctx.finding(
                Severity::Low,
                table.subject(),
                Text::new().opt(quantity).t(" of the pages are marked visible, and an index-only scan reads the table"),
            )
            .why("For every other page the scan visits the table as if it were an ordinary index scan.")
            .doubts([ctx.facts.sizes_doubt()])
            .measure(ctx.computed(
                "Pages marked visible",
                quantity,
                format!("{visible:.0} ÷ {pages:.0}"),
                &[(sizes, &["relallvisible", "relpages"])],
            ))
            .measure(ctx.plan_measure(
                of,
                "Plan with an index-only scan",
                None,
                "the plan names the table or its index",
            ))
            .fix(vacuum(table))
            .verify("relallvisible is near relpages in the next snapshot; Heap Fetches of the plan fall.")
            .effort(Effort::S),
        );
    }
    checked.looked_at = format!("{} read by index-only scans", counted(scanned.len(), "table", "tables"));
    Ok(checked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, judge_plan_beside, told};
    use crate::snapshot::literal::literal;

    const PLAN: &str = "Index Only Scan using i on public.t  (cost=0.00..1.00 rows=1 width=4)";

    fn with(plan: &str, visible: u32, bytes: u64) -> Vec<String> {
        let row = format!("1 | public | t | r | 200000 | {visible} | {bytes}");
        let header = "relid | schemaname | relname | relkind | relpages | relallvisible | relation_size";
        told(&judge_plan_beside(&RULE, plan, &[("table_sizes", header, &[&row])]))
    }

    #[test]
    fn finds_pages_that_a_scan_has_to_visit() {
        assert_eq!(
            with(PLAN, 50_000, 1_638_400_000),
            ["low, high: public.t: 25% of the pages are marked visible, and an index-only scan reads the table"]
        );
    }

    #[test]
    fn stays_quiet_below_each_floor() {
        assert_eq!(with(PLAN, 100_000, 1_638_400_000), ["passed: 1 table read by index-only scans"]);
        assert_eq!(with(PLAN, 50_000, 1_000_000_000), ["passed: 1 table read by index-only scans"]);
        let other = "Index Scan using i on public.t  (cost=0.00..1.00 rows=1 width=4)";
        assert_eq!(with(other, 50_000, 1_638_400_000), ["passed: 0 tables read by index-only scans"]);
    }

    #[test]
    fn says_that_it_cannot_know() {
        let b = literal("2026-11-22 12:00:00+00").build();
        assert!(told(&judge(&RULE, &[b], ""))[0].starts_with("skipped"));
    }
}
