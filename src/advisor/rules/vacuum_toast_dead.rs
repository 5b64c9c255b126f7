//! Dead rows in a TOAST table.

use crate::advisor::overdue::{being_vacuumed, lasting};
use crate::advisor::vacuum_cure::{set_options, vacuum};
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Skip, TableFact, Threshold, show, whole};
use crate::diff::{Change, ViewChange};
use crate::finding::{Effort, Finding, Severity};
use crate::text::{Text, counted};
use crate::unit::{Quantity, Unit};
use std::collections::HashMap;

/// The rule.
pub const RULE: Rule = Rule {
    id: "vacuum-toast-dead",
    title: "Dead rows in a TOAST table",
    needs: &[
        Need::View("pg_stat_user_tables", &["relid", "n_live_tup", "n_dead_tup"]),
        Need::View("table_sizes", &["relid", "reltoastrelid", "toast_size"]),
        Need::Primary,
    ],
    wants: &[Need::Setting("autovacuum_vacuum_scale_factor"), Need::Setting("autovacuum_vacuum_threshold")],
    thresholds: &[
        Threshold {
            name: "min_rows",
            default: 10_000.0,
            unit: Unit::Rows,
            about: "Live and dead; a TOAST row is about 2 kB.",
        },
        Threshold {
            name: "min_bytes",
            default: 10.0 * 1_048_576.0,
            unit: Unit::Bytes,
            about: "A smaller one is not worth a thought.",
        },
        Threshold {
            name: "min_wait",
            default: 600.0,
            unit: Unit::Seconds,
            about: "Autovacuum may take that long to come; ten naptimes where that is longer.",
        },
        Threshold { name: "high_pressure", default: 2.0, unit: Unit::Times, about: "Twice the trigger." },
        Threshold { name: "high_bytes", default: 1_073_741_824.0, unit: Unit::Bytes, about: "A gigabyte." },
        Threshold { name: "high_share", default: 0.2, unit: Unit::Share, about: "A fifth of its rows." },
    ],
    docs: Docs {
        looks_at: "Dead rows of TOAST tables, where the export has them (`pg_stat_all_tables`, or `pg_stat_user_tables` of an exporter \
                   that joins them), against their trigger. Options of the TOAST table count, else those of its table.",
        why: "Large values are stored apart, cut into pieces of 2 kB. They die with their row, are vacuumed by a trigger of their own, and \
              no counter of the table itself shows them.",
        decides: "Dead pieces above the trigger in all snapshots of the last `min_wait`, or for that long by even growth since the last autovacuum; ten \
                  thousand pieces, ten megabytes. Low; medium above twice the trigger or from a gigabyte on; high with both and a fifth \
                  of the pieces dead.",
        what_to_do: "VACUUM the table, which vacuums its TOAST table too; a smaller toast.autovacuum_vacuum_scale_factor for it.",
        ignore_when: "A bulk job is running that will end.",
        references: "PostgreSQL manual, \"CREATE TABLE\" (Storage Parameters); \"TOAST\".",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let by_toast: HashMap<i64, &TableFact<'_>> = ctx
        .facts
        .tables
        .iter()
        .filter_map(|t| Some((t.sizes?.int("reltoastrelid").filter(|id| *id > 0)?, t)))
        .collect();
    let running = being_vacuumed(ctx);
    let mut checked = Checked::default();
    let (mut looked, mut most) = (0, 0.0_f64);
    for change in ctx.changes("pg_stat_user_tables").into_iter().flat_map(ViewChange::present) {
        let Some(row) = change.last().filter(|r| r.text("schemaname") == Some("pg_toast")) else { continue };
        let (Some(relid), Some(dead), Some(live)) = (row.int("relid"), row.f64("n_dead_tup"), row.f64("n_live_tup"))
        else {
            continue;
        };
        let Some(table) = by_toast.get(&relid) else { continue };
        looked += 1;
        let trigger = ctx.facts.toast_trigger(table, live);
        let pressure = dead / trigger.dead.max(1.0);
        most = most.max(pressure);
        let bytes = table.sizes.and_then(|r| r.f64("toast_size")).unwrap_or(0.0);
        if live + dead < ctx.threshold("min_rows")
            || bytes < ctx.threshold("min_bytes")
            || pressure <= 1.0
            || !trigger.enabled
            || running.contains(&relid)
            || !lasting(ctx, change, "n_dead_tup", trigger.dead, ctx.threshold("min_wait"))
        {
            continue;
        }
        let share = dead / (live + dead).max(1.0);
        checked.findings.push(report(ctx, table, change, pressure, (bytes, share), &trigger.formula));
    }
    if looked == 0 {
        return Err(Skip("the export has no TOAST tables: export pg_stat_all_tables".to_owned()));
    }
    checked.looked_at = format!(
        "{}, the fullest at {} of its trigger",
        counted(looked, "TOAST table", "TOAST tables"),
        show(most, Unit::Times)
    );
    Ok(checked)
}

fn report<'a>(
    ctx: &Context<'a>,
    table: &TableFact<'a>,
    change: Change<'a>,
    pressure: f64,
    (bytes, share): (f64, f64),
    formula: &str,
) -> Finding {
    let (pressed, large) = (pressure > ctx.threshold("high_pressure"), bytes >= ctx.threshold("high_bytes"));
    let severity = match (pressed, large, share >= ctx.threshold("high_share")) {
        (true, true, true) => Severity::High,
        (true, ..) | (_, true, _) => Severity::Medium,
        _ => Severity::Low,
    };
    let dead = change.last().and_then(|r| r.quantity("n_dead_tup"));
    let times = Quantity::float(pressure, Unit::Times);
    let count = |column| change.last().and_then(|r| r.f64(column)).unwrap_or(0.0);
    let [pieces, live] = ["n_dead_tup", "n_live_tup"].map(|column| show(count(column), Unit::Rows));
    let rows: Vec<_> = change.last().map(|r| (r, &["n_dead_tup", "n_live_tup"][..])).into_iter().collect();
    let mut finding = ctx
        .finding(
            severity,
            table.subject(),
            Text::new().t("The TOAST table has ").opt(dead).t(" dead pieces, ").opt(times).t(" its autovacuum trigger"),
        )
        .why(
            Text::new()
                .t("Large values that were replaced or deleted stay until a vacuum: ")
                .opt(Quantity::float(share, Unit::Share))
                .t(" of its pieces, of ")
                .opt(whole(bytes, Unit::Bytes))
                .t(" in all. Autovacuum was due at ")
                .code(formula)
                .t("."),
        )
        .doubts([ctx.class_doubt(change), ctx.facts.sizes_doubt(), ctx.facts.autovacuum.doubt])
        .measure(ctx.measure("Dead pieces (est.)", change, "n_dead_tup"))
        .measure(ctx.measure("Live pieces (est.)", change, "n_live_tup"))
        .measure(ctx.computed("Dead pieces ÷ trigger", times, format!("{pieces} ÷ ({formula})"), &rows))
        .measure(ctx.computed(
            "Share of dead pieces",
            Quantity::float(share, Unit::Share),
            format!("{pieces} ÷ ({pieces} + {live})"),
            &rows,
        ))
        .measure(ctx.measure("Autovacuums", change, "autovacuum_count"));
    if let Some(sizes) = table.sizes {
        finding = finding.measure(ctx.read("Size with its index", sizes, "toast_size"));
    }
    finding
        .fix(vacuum(table))
        .fix(set_options(
            table,
            &[("toast.autovacuum_vacuum_scale_factor", "0.05".to_owned())],
            "While something keeps the dead rows (vacuum-blocked-horizon): then it vacuums more often and in vain.",
        ))
        .verify("Dead pieces of its TOAST table are below the trigger in the next snapshot.")
        .effort(Effort::S)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{AUTOVACUUM, judge, told};
    use crate::snapshot::Snapshot;
    use crate::snapshot::literal::literal;
    use std::sync::Arc;

    fn taken(at: &str, toast: &str, live: u32, dead: u32, options: &str, bytes: u64) -> Arc<Snapshot> {
        literal(at)
            .view("pg_stat_database", "datid | datname | stats_reset", &["16697 | shop | 2026-11-01 00:00:00+00"])
            .view("pg_settings", "name | setting | unit", AUTOVACUUM)
            .view(
                "pg_stat_user_tables",
                "relid | schemaname | relname | n_live_tup | n_dead_tup | autovacuum_count",
                &["1 | app | docs | 100 | 0 | 0", &format!("9 | {toast} | pg_toast_1 | {live} | {dead} | 0")],
            )
            .view(
                "table_sizes",
                "relid | schemaname | relname | relkind | reltoastrelid | toast_size | toast_reltuples | toast_reloptions",
                &[&format!("1 | app | docs | r | 9 | {bytes} | {live} | {options}")],
            )
            .build()
    }

    fn with(toast: &str, live: u32, dead: u32, options: &str, bytes: u64) -> Vec<String> {
        let at = |at| taken(at, toast, live, dead, options, bytes);
        told(&judge(&RULE, &[at("2026-11-22 10:00:00+00"), at("2026-11-22 11:00:00+00")], ""))
    }

    #[test]
    fn finds_pieces_that_autovacuum_left() {
        // 50 + 0.2 × 100,000 = 20,050.
        assert_eq!(
            with("pg_toast", 100_000, 30_000, "", 300_000_000),
            ["low, high: app.docs: The TOAST table has 30,000 dead pieces, 1.50× its autovacuum trigger"]
        );
        assert!(with("pg_toast", 100_000, 50_000, "", 2_000_000_000)[0].starts_with("high, high: app.docs"));
        let own = "{autovacuum_vacuum_scale_factor=0.05}";
        assert!(with("pg_toast", 100_000, 10_000, own, 300_000_000)[0].starts_with("low, high: app.docs"));
    }

    #[test]
    fn stays_quiet_below_each_floor() {
        for (live, dead, options, bytes) in [
            (100_000, 20_000, "", 300_000_000),
            (4_000, 3_000, "", 300_000_000),
            (100_000, 30_000, "", 1_000_000),
            (100_000, 30_000, "{autovacuum_enabled=false}", 300_000_000),
        ] {
            assert!(
                with("pg_toast", live, dead, options, bytes)[0].starts_with("passed: 1 TOAST table"),
                "{live} {dead} {options}"
            );
        }
    }

    #[test]
    fn says_that_it_cannot_know() {
        let none = "skipped: the export has no TOAST tables: export pg_stat_all_tables";
        assert_eq!(with("app", 100_000, 30_000, "", 300_000_000), [none]);
    }
}
