//! Many large tables that reach their forced vacuum together.

use crate::advisor::vacuum_cure::freeze;
use crate::advisor::wrap_rate::{DAY, rate};
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Skip, TableFact, Threshold, show, whole};
use crate::finding::{Effort, Measure, Severity, Subject, SubjectKind};
use crate::text::{Text, counted};
use crate::unit::{Quantity, Unit};

/// Tables that are named.
const MOST: usize = 5;

/// The rule.
pub const RULE: Rule = Rule {
    id: "wrap-freeze-storm",
    title: "Large tables reach their forced vacuum together",
    needs: &[
        Need::Snapshots(2),
        Need::View("table_sizes", &["relid", "relfrozenxid_age", "relation_size"]),
        Need::Primary,
    ],
    wants: &[Need::Setting("autovacuum_freeze_max_age")],
    thresholds: &[
        Threshold { name: "min_window", default: 60.0, unit: Unit::Seconds, about: "A rate needs a minute." },
        Threshold {
            name: "good_window",
            default: 86_400.0,
            unit: Unit::Seconds,
            about: "Below a day the use of ids is that of an hour.",
        },
        Threshold {
            name: "within",
            default: 604_800.0,
            unit: Unit::Seconds,
            about: "A week: time to spread the work.",
        },
        Threshold {
            name: "min_share",
            default: 0.3,
            unit: Unit::Share,
            about: "Nearly a third of the database read and written in one go.",
        },
        Threshold {
            name: "min_bytes",
            default: 107_374_182_400.0,
            unit: Unit::Bytes,
            about: "A hundred gigabytes: below that it is done in a night.",
        },
        Threshold {
            name: "min_xids",
            default: 1_000.0,
            unit: Unit::Xids,
            about: "Fewer ids in the window are no rate.",
        },
    ],
    docs: Docs {
        looks_at: "How far each table is from the age at which autovacuum vacuums it against wraparound, the use of transaction ids, sizes.",
        why: "Tables that were loaded together age together. Then all are vacuumed against wraparound in the same days: each reads all its \
              pages that are not frozen yet, and these vacuums do not give way to others.",
        decides: "Tables that reach autovacuum_freeze_max_age (or their own) within a week at the measured use of ids, together 30 % of \
                  the database and a hundred gigabytes. Those past it are being vacuumed already and are not counted.",
        what_to_do: "VACUUM (FREEZE) the largest ones on several nights before.",
        ignore_when: "The storage has room for it. From 16 on pages are frozen earlier, and less is left to do.",
        references: "PostgreSQL manual, \"Preventing Transaction ID Wraparound Failures\".",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    ctx.window_of("min_window")?;
    let rate = rate(ctx).ok_or_else(|| Skip("the use of transaction ids in the window is not known".to_owned()))?;
    let per_second = rate.per_second();
    if rate.used < ctx.threshold("min_xids") {
        let looked_at = format!("{} transaction ids used in the window", show(rate.used, Unit::Xids));
        return Ok(Checked { findings: Vec::new(), looked_at });
    }
    let mut near: Vec<Near<'_, '_>> = Vec::new();
    for table in &ctx.facts.tables {
        let age = table.sizes.and_then(|r| r.f64("relfrozenxid_age")).filter(|a| *a >= 0.0);
        let (Some(age), Some(bytes)) = (age, table.heap_bytes()) else { continue };
        let own = table.option("autovacuum_freeze_max_age").and_then(|v| v.parse::<f64>().ok());
        // A table's own limit can only be lower.
        let limit = own.map_or(ctx.facts.autovacuum.freeze_max_age, |own| own.min(ctx.facts.autovacuum.freeze_max_age));
        let left = (limit - age) / per_second;
        if (0.0..=ctx.threshold("within")).contains(&left) {
            near.push(Near { table, bytes: bytes as f64, limit, age, left });
        }
    }
    near.sort_by(|a, b| b.bytes.total_cmp(&a.bytes).then_with(|| a.table.display().cmp(&b.table.display())));
    let bytes: f64 = near.iter().map(|n| n.bytes).sum();
    let all = ctx.facts.total_bytes().unwrap_or(0.0);
    let share = bytes / all.max(1.0);
    let looked_at = format!(
        "{} within {} of their forced vacuum, {}",
        counted(near.len(), "table", "tables"),
        show(ctx.threshold("within"), Unit::Seconds),
        show(bytes, Unit::Bytes)
    );
    if near.len() < 2 || share < ctx.threshold("min_share") || bytes < ctx.threshold("min_bytes") {
        return Ok(Checked { findings: Vec::new(), looked_at });
    }
    let Some(first) = near.iter().min_by(|a, b| a.left.total_cmp(&b.left)) else {
        return Ok(Checked { findings: Vec::new(), looked_at });
    };
    let per_day = whole(per_second * DAY, Unit::Xids);
    let database = ctx.chain.last().meta.database.clone().unwrap_or_default();
    let mut finding = ctx
        .finding(
            Severity::Medium,
            Subject::new(SubjectKind::Database, database),
            Text::new()
                .many(Quantity::count(near.len()), "table", "tables")
                .t(" of ")
                .opt(whole(bytes, Unit::Bytes))
                .t(" reach their forced vacuum within ")
                .opt(Quantity::float(ctx.threshold("within"), Unit::Seconds)),
        )
        .why(
            Text::new()
                .t("That is ")
                .opt(Quantity::float(share, Unit::Share))
                .t(" of the database, the first in ")
                .opt(Quantity::float(first.left, Unit::Seconds))
                .t(" at ")
                .opt(per_day)
                .t(" transaction ids a day. Vacuums against wraparound run side by side and do not give way."),
        )
        .doubts([ctx.short_doubt("good_window"), ctx.facts.autovacuum.doubt, ctx.facts.sizes_doubt()])
        .measure(ctx.over_window(
            "Transaction ids a day",
            per_day,
            format!("{} in {}: {}", show(rate.used, Unit::Xids), show(rate.seconds, Unit::Seconds), rate.how),
            &rate.rows(),
        ))
        .measures(measures(ctx, &near, first, per_day, (bytes, all)))
        .verify("Their relfrozenxid ages lie apart in the next snapshots.")
        .effort(Effort::M)
        .share(Some(share));
    for Near { table, .. } in near.iter().take(MOST) {
        if let Some(sizes) = table.sizes {
            finding = finding.measure(ctx.read(&format!("Age of {}", table.display()), sizes, "relfrozenxid_age"));
        }
        finding = finding.fix(freeze(table));
    }
    Ok(Checked { findings: vec![finding], looked_at })
}

/// A table that reaches its forced vacuum soon.
struct Near<'c, 'a> {
    table: &'c TableFact<'a>,
    bytes: f64,
    limit: f64,
    age: f64,
    left: f64,
}

/// How many they are, how large, and when the first of them is due.
fn measures<'a>(
    ctx: &Context<'a>,
    near: &[Near<'_, 'a>],
    first: &Near<'_, 'a>,
    per_day: Option<Quantity>,
    (bytes, all): (f64, f64),
) -> Vec<Measure> {
    let snapshot = first.table.sizes.and_then(|r| ctx.snapshot_of(r));
    let rows = |columns: &[&str], formula| ctx.all_rows(snapshot.unwrap_or(0), "table_sizes", columns, formula);
    let per_day = per_day.map_or_else(|| "n/a".to_owned(), Quantity::human);
    let within = show(ctx.threshold("within"), Unit::Seconds);
    let due = rows(&["relfrozenxid_age", "reloptions"], format!("(limit − age) ÷ {per_day} a day, {within} at most"));
    let size = rows(&["relation_size"], format!("{} ÷ {}", show(bytes, Unit::Bytes), show(all.max(1.0), Unit::Bytes)));
    let share = Quantity::float(bytes / all.max(1.0), Unit::Share);
    let formula = format!("({} − {}) ÷ {per_day} a day", show(first.limit, Unit::Xids), show(first.age, Unit::Xids));
    let row: Vec<_> = first.table.sizes.map(|r| (r, &["relfrozenxid_age"][..])).into_iter().collect();
    let left = Quantity::float(first.left, Unit::Seconds);
    vec![
        ctx.seen_in(snapshot, "Tables near their forced vacuum", Some(Quantity::count(near.len())), due),
        ctx.seen_in(snapshot, "Their share of all tables and indexes", share, size),
        ctx.computed(&format!("Left of {}", first.table.display()), left, formula, &row),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{AUTOVACUUM, judge, told};
    use crate::snapshot::Snapshot;
    use crate::snapshot::literal::literal;
    use std::sync::Arc;

    /// Three tables of 60 GB each, the third young, and 10 million ids a day.
    fn with(ages: [u32; 2], used: i64, gigabytes: u64) -> Vec<String> {
        let taken = |at: &str, xid: i64| -> Arc<Snapshot> {
            let row = |id: u32, age: u32| format!("{id} | app | t{id} | r | {age} | {}", gigabytes << 30);
            literal(at)
                .meta(|m| m.next_xid = Some(1_000_000_000 + xid))
                .view("pg_settings", "name | setting | unit", AUTOVACUUM)
                .view(
                    "table_sizes",
                    "relid | schemaname | relname | relkind | relfrozenxid_age | relation_size",
                    &[&row(1, ages[0]), &row(2, ages[1]), &row(3, 1_000_000)],
                )
                .build()
        };
        told(&judge(&RULE, &[taken("2026-11-20 10:00:00+00", 0), taken("2026-11-21 10:00:00+00", used)], ""))
    }

    #[test]
    fn finds_tables_that_age_together() {
        let found = with([150_000_000, 190_000_000], 10_000_000, 60);
        assert!(
            found[0].starts_with("medium, high: shop: 2 tables of 120 GB reach their forced vacuum within"),
            "{found:?}"
        );
    }

    #[test]
    fn stays_quiet_below_each_floor() {
        for (ages, used, gigabytes) in [
            ([100_000_000, 190_000_000], 10_000_000, 60),
            ([150_000_000, 210_000_000], 10_000_000, 60),
            ([150_000_000, 190_000_000], 10_000_000, 40),
            ([150_000_000, 190_000_000], 900, 60),
        ] {
            assert!(with(ages, used, gigabytes)[0].starts_with("passed: "), "{ages:?} {used} {gigabytes}");
        }
    }

    #[test]
    fn says_that_it_cannot_know() {
        let taken = |at: &str| {
            literal(at)
                .view(
                    "table_sizes",
                    "relid | schemaname | relname | relfrozenxid_age | relation_size",
                    &["1 | a | t | 5 | 8192"],
                )
                .build()
        };
        let told = told(&judge(&RULE, &[taken("2026-11-20 10:00:00+00"), taken("2026-11-21 10:00:00+00")], ""));
        assert_eq!(told, ["skipped: the use of transaction ids in the window is not known"]);
    }
}
