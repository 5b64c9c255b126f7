//! Tables that a crash empties.

use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Threshold, whole};
use crate::finding::{Effort, Fix, Severity};
use crate::snapshot::Row;
use crate::text::{Text, counted};
use crate::unit::Unit;
use std::collections::HashMap;

/// The rule.
pub const RULE: Rule = Rule {
    id: "schema-unlogged",
    title: "Unlogged table",
    needs: &[Need::View("table_sizes", &["relid", "relpersistence", "relation_size"])],
    wants: &[],
    thresholds: &[Threshold {
        name: "min_bytes",
        default: 10.0 * 1_048_576.0,
        unit: Unit::Bytes,
        about: "A smaller one is filled again at once.",
    }],
    docs: Docs {
        looks_at: "Tables whose changes are not written to the WAL.",
        why: "After a crash such a table is empty, on a standby it cannot be read, and a base backup has it empty.",
        decides: "Each of ten megabytes, at the end of the window or at its beginning: a crash empties it. Information: caches and staging tables are meant that way.",
        what_to_do: "Make sure that what is in it can be made again. ALTER TABLE … SET LOGGED writes it to the WAL once, whole, under the \
                     strongest lock.",
        ignore_when: "It is a cache, or is filled by a job that runs again.",
        references: "PostgreSQL manual, \"CREATE TABLE\" (UNLOGGED).",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let state = ctx.state_or_skip("table_sizes")?;
    let mut checked = Checked::default();
    let (mut unlogged, held) = (0, held_first(ctx));
    for table in &ctx.facts.tables {
        let Some(sizes) = table.sizes.filter(|r| r.text("relpersistence") == Some("u")) else { continue };
        unlogged += 1;
        // A crash in the window has emptied it: what it held before counts.
        let now = table.heap_bytes().unwrap_or(0) as f64;
        let first = table.relid().and_then(|relid| held.get(&relid)).copied();
        let before = first.and_then(|r| r.f64("relation_size")).filter(|bytes| *bytes > now);
        let bytes = before.unwrap_or(now);
        if bytes < ctx.threshold("min_bytes") {
            continue;
        }
        checked.findings.push(
            ctx.finding(
                Severity::Info,
                table.subject(),
                Text::new().name(table.display()).t(" is unlogged, ").opt(whole(bytes, Unit::Bytes)),
            )
            .why("A crash empties it, and a standby or a restored backup does not have its rows.")
            .doubts([state.doubt()])
            .measure(ctx.read("Persistence", sizes, "relpersistence"))
            .measure(ctx.read("Heap", sizes, "relation_size"))
            .measures(before.and(first).map(|row| ctx.read("Heap before", row, "relation_size")))
            .fix(Fix::diagnose(
                table.display(),
                format!(
                    "SELECT relpersistence, pg_size_pretty(pg_table_size(oid)) FROM pg_class WHERE oid = {}::regclass;",
                    table.class_literal()
                ),
            ))
            .verify("It is known who fills it again after a crash.")
            .effort(Effort::S),
        );
    }
    checked.looked_at = counted(unlogged, "unlogged table", "unlogged tables");
    Ok(checked)
}

/// Unlogged tables of the first snapshot, by OID.
fn held_first<'a>(ctx: &Context<'a>) -> HashMap<i64, Row<'a>> {
    let sizes = ctx.chain.first().table("table_sizes").into_iter().flat_map(|t| t.iter());
    let unlogged = sizes.filter(|r| r.text("relpersistence") == Some("u"));
    unlogged.filter_map(|r| Some((r.int("relid")?, r))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::literal::literal;

    fn with(row: &str) -> Vec<String> {
        let b = literal("2026-11-22 12:00:00+00").view(
            "table_sizes",
            "relid | schemaname | relname | relkind | relpersistence | relation_size",
            &[row],
        );
        told(&judge(&RULE, &[b.build()], ""))
    }

    #[test]
    fn finds_what_a_crash_would_empty() {
        assert_eq!(with("1 | app | cache | r | u | 20971520"), ["info, high: app.cache: app.cache is unlogged, 20 MB"]);
    }

    #[test]
    fn what_a_crash_has_emptied_counts_as_it_was() {
        let taken = |at: &str, bytes: u64| {
            let row = format!("1 | app | cache | r | u | {bytes}");
            literal(at)
                .view("table_sizes", "relid | schemaname | relname | relkind | relpersistence | relation_size", &[&row])
                .build()
        };
        let over = [taken("2026-11-22 11:00:00+00", 20_971_520), taken("2026-11-22 12:00:00+00", 0)];
        assert_eq!(told(&judge(&RULE, &over, "")), ["info, high: app.cache: app.cache is unlogged, 20 MB"]);
    }

    #[test]
    fn stays_quiet_about_small_and_logged_ones() {
        assert_eq!(with("1 | app | cache | r | u | 8192"), ["passed: 1 unlogged table"]);
        assert_eq!(with("1 | app | cache | r | p | 20971520"), ["passed: 0 unlogged tables"]);
    }

    #[test]
    fn says_that_it_cannot_know() {
        let b = literal("2026-11-22 12:00:00+00").build();
        assert_eq!(told(&judge(&RULE, &[b], "")), ["skipped, input missing: `table_sizes` is not in the dump"]);
    }
}
