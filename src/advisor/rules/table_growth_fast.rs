//! Tables that grow beyond what was planned.

use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, TableFact, Threshold, show};
use crate::finding::{Confidence, Doubt, Effort, Finding, Fix, Measure, Severity};
use crate::snapshot::{Row, Table};
use crate::text::{Text, counted};
use crate::time::Timestamp;
use crate::trend::{self, Fit, fit};
use crate::unit::{Quantity, Unit};
use std::collections::BTreeMap;

const DAY: f64 = 86_400.0;

/// The rule.
pub const RULE: Rule = Rule {
    id: "table-growth-fast",
    title: "Table grows fast",
    needs: &[Need::Snapshots(fit::LEAST), Need::View("table_sizes", &["relid", "total_relation_size"])],
    wants: &[
        Need::View("table_sizes", &["relfilenode"]),
        Need::View("partitions", &["parent_relid"]),
        Need::View("database_sizes", &["size"]),
    ],
    thresholds: &[
        Threshold {
            name: "max_doubling",
            default: 90.0 * DAY,
            unit: Unit::Seconds,
            about: "A table that doubles in less needs a plan within the quarter.",
        },
        Threshold {
            name: "month_share",
            default: 0.2,
            unit: Unit::Share,
            about: "Of all tables and indexes, grown in 30 days at this pace.",
        },
        Threshold {
            name: "full_within",
            default: 30.0 * DAY,
            unit: Unit::Seconds,
            about: "Time to order and move to a larger disk; needs the option capacity.",
        },
        Threshold {
            name: "min_bytes",
            default: 104_857_600.0,
            unit: Unit::Bytes,
            about: "With indexes and TOAST; small tables double all the time.",
        },
        Threshold {
            name: "min_window",
            default: DAY,
            unit: Unit::Seconds,
            about: "Within a day growth and a load cannot be told apart.",
        },
        Threshold {
            name: "sure_window",
            default: 7.0 * DAY,
            unit: Unit::Seconds,
            about: "Below a week one step less sure: weekdays differ.",
        },
    ],
    docs: Docs {
        looks_at: "The size of each table with its indexes and TOAST in all snapshots; partitions under their root, those \
                   included that are gone by now.",
        why: "What doubles every few weeks outgrows memory, the maintenance window and at last the disk.",
        decides: "The median of the slopes between all pairs of snapshots (Theil-Sen), where a Mann-Kendall test leaves \
                  less than 5 % to chance; five snapshots at least. Only points since the table's last rewrite count. \
                  Found from `min_bytes` on when it doubles within `max_doubling`, or grows by `month_share` of the database in \
                  30 days. Medium; high where the option `capacity` is given and the disk is full within `full_within` by this \
                  table alone. Where more than half of the rise came between two snapshots it was one load, and nothing is found.",
        what_to_do: "Decide how long rows are kept; partition by time so that old ones can be dropped; look whether it is \
                     rows or indexes that grow (index-unused, bloat-heap-estimate).",
        ignore_when: "A table is being filled for the first time, or the growth was planned for.",
        references: "Sen 1968, Theil 1950 (slope); Mann 1945, Kendall 1975 (test). PostgreSQL manual: Table Partitioning.",
    },
    check,
};

/// A table's sizes over time, each with the number of its file; of partitioned tables the sum, without such a number.
type Sizes = Vec<(Timestamp, f64, Option<i64>)>;

fn check(cx: &Context<'_>) -> Check {
    cx.window_of("min_window")?;
    let parents = parents(cx);
    let all = cx.facts.total_bytes().unwrap_or(0.0);
    let mut checked = Checked::default();
    let mut looked = 0;
    for (root, sizes) in histories(cx, &parents) {
        let Some(table) = cx.facts.table(root) else { continue };
        let points = since_rewrite(&sizes);
        let Some(now) = points.last().map(|p| p.1) else { continue };
        looked += 1;
        let Some(fit) = fit::fit(points.iter().copied()).filter(|f| f.slope > 0.0) else { continue };
        if fit.confidence == trend::Confidence::Insufficient || is_one_load(&points) {
            continue;
        }
        let doubles = now / fit.slope <= cx.threshold("max_doubling");
        let fills = fit.slope * 30.0 * DAY >= cx.threshold("month_share") * all;
        if doubles || fills {
            checked.findings.push(report(cx, table, &fit, &points, now));
        }
    }
    checked.looked_at = format!(
        "{} of {} or more in {} snapshots",
        counted(looked, "table", "tables"),
        show(cx.threshold("min_bytes"), Unit::Bytes),
        cx.chain.snapshots.len()
    );
    Ok(checked)
}

/// Children and their parents, of all snapshots: a partition that was dropped since was a part then.
fn parents(cx: &Context<'_>) -> BTreeMap<i64, i64> {
    let rows = cx.chain.snapshots.iter().filter_map(|s| s.table("partitions")).flat_map(|t| t.iter());
    rows.filter_map(|r| Some((r.int("child_relid")?, r.int("parent_relid")?))).collect()
}

fn root_of(parents: &BTreeMap<i64, i64>, relid: i64) -> i64 {
    let mut root = relid;
    // A damaged export could name a cycle.
    for _ in 0..64 {
        match parents.get(&root) {
            Some(parent) => root = *parent,
            None => break,
        }
    }
    root
}

/// Sizes of the tables that are large enough now, by OID of the root.
fn histories(cx: &Context<'_>, parents: &BTreeMap<i64, i64>) -> BTreeMap<i64, Sizes> {
    let mut now: BTreeMap<i64, f64> = BTreeMap::new();
    for table in &cx.facts.tables {
        if let (Some(relid), Some(bytes)) = (table.relid(), table.total_bytes()) {
            *now.entry(root_of(parents, relid)).or_default() += bytes as f64;
        }
    }
    let least = cx.threshold("min_bytes");
    now.retain(|_, bytes| *bytes >= least);
    let mut out: BTreeMap<i64, Sizes> = BTreeMap::new();
    if now.is_empty() {
        return out;
    }
    for snapshot in &cx.chain.snapshots {
        let (Some(at), Some(sizes)) = (snapshot.meta.taken_at, snapshot.table("table_sizes")) else { continue };
        for (root, (bytes, file)) in at_once(sizes, parents, &now) {
            out.entry(root).or_default().push((at, bytes, file));
        }
    }
    out
}

/// Sizes in one snapshot; not a number where one of the parts was locked and not measured.
fn at_once(
    sizes: &Table,
    parents: &BTreeMap<i64, i64>,
    wanted: &BTreeMap<i64, f64>,
) -> BTreeMap<i64, (f64, Option<i64>)> {
    let mut out: BTreeMap<i64, (f64, Option<i64>)> = BTreeMap::new();
    for row in sizes.iter() {
        let Some(relid) = row.int("relid") else { continue };
        let root = root_of(parents, relid);
        if !wanted.contains_key(&root) {
            continue;
        }
        let part = out.entry(root).or_insert((0.0, None));
        part.0 += row.f64("total_relation_size").unwrap_or(f64::NAN);
        part.1 = row.int("relfilenode").filter(|_| relid == root);
    }
    out
}

/// The points since the file last changed.
fn since_rewrite(sizes: &Sizes) -> Vec<(Timestamp, f64)> {
    let last = sizes.last().and_then(|p| p.2);
    let same = sizes.iter().rev().take_while(|p| p.2 == last).filter(|p| p.1.is_finite()).map(|p| (p.0, p.1));
    let mut points: Vec<_> = same.collect();
    points.reverse();
    points
}

/// More than half of the rise came at once.
fn is_one_load(points: &[(Timestamp, f64)]) -> bool {
    let steps = points.iter().zip(points.iter().skip(1)).map(|(a, b)| (b.1 - a.1).max(0.0));
    let rise: f64 = steps.clone().sum();
    steps.fold(0.0, f64::max) > 0.5 * rise
}

fn report<'a>(cx: &Context<'a>, table: &TableFact<'a>, fit: &Fit, points: &[(Timestamp, f64)], now: f64) -> Finding {
    let all = cx.facts.total_bytes().unwrap_or(0.0).max(1.0);
    let per_day = Quantity::float(fit.slope * DAY, Unit::Bytes);
    let (full, full_measure) = full_in(cx, fit).unzip();
    let soon = full.filter(|s| *s < cx.threshold("full_within"));
    let severity = if soon.is_some() { Severity::High } else { Severity::Medium };
    let double = Quantity::float(now / fit.slope, Unit::Seconds);
    let title = Text::new().t("Grows by ").opt(per_day).t(" a day, doubles in ").opt(double).t(" at this pace");
    let month = Quantity::float(fit.slope * 30.0 * DAY / all, Unit::Share);
    let mut why = Text::new().t("In 30 days that is ").opt(month).t(" of all tables and indexes of the database");
    if let Some(seconds) = full {
        why = why.t("; alone it fills the disk in ").opt(Quantity::float(seconds, Unit::Seconds));
    }
    let rows: Vec<(Row<'a>, &[&str])> = table.sizes.into_iter().map(|r| (r, &["total_relation_size"][..])).collect();
    let span = show(fit.span_s, Unit::Seconds);
    let formula = format!("median of the slopes of {} in {span}", counted(points.len(), "snapshot", "snapshots"));
    let pace = format!("{} a day", show(fit.slope * DAY, Unit::Bytes));
    let bound = match fit.confidence {
        trend::Confidence::High => Confidence::High,
        trend::Confidence::Medium => Confidence::Medium,
        trend::Confidence::Low | trend::Confidence::Insufficient => Confidence::Low,
    };
    let reach = trend::Confidence::reach(fit.p) * fit.span_s;
    let date = soon.filter(|s| *s <= reach).zip(cx.now());
    let mut finding = cx
        .finding(severity, table.subject(), title)
        .at_most(bound)
        .doubts([(fit.span_s < cx.threshold("sure_window")).then_some(Doubt::C2)])
        .why(why.t("."))
        .measure(cx.over_window("Growth a day", per_day, formula, &rows))
        .measure(cx.over_window("Time to double", double, format!("{} ÷ {pace}", show(now, Unit::Bytes)), &rows))
        .measure(cx.over_window(
            "Share of the database in 30 days",
            month,
            format!("30 × {pace} ÷ {}", show(all, Unit::Bytes)),
            &rows,
        ))
        .measures(full_measure)
        .share(Some(now / all))
        .deadline(date.and_then(|(left, now)| Some(Timestamp(now.0.checked_add((left * 1e6) as i64)?))))
        .effort(Effort::L)
        .verify("The slope over the next snapshots is flatter.");
    if let Some(sizes) = table.sizes {
        finding = finding.measure(cx.read("Size with indexes", sizes, "total_relation_size"));
    }
    finding.fix(Fix::diagnose(table.display(), parts(table)))
}

/// Seconds until this table alone has filled the disk, and how they follow; `None` without the option or the size of the
/// databases.
fn full_in(cx: &Context<'_>, fit: &Fit) -> Option<(f64, Measure)> {
    let capacity = cx.options().capacity_bytes? as f64;
    let state = cx.state("database_sizes")?;
    let used: f64 = state.table.iter().map(|r| r.f64("size")).sum::<Option<f64>>()?;
    let seconds = (capacity - used).max(0.0) / fit.slope;
    let [capacity, used, pace] = [capacity, used, fit.slope * DAY].map(|bytes| show(bytes, Unit::Bytes));
    let formula = format!("({capacity} − {used}) ÷ {pace} a day");
    let evidence = cx.all_rows(state.snapshot, "database_sizes", &["size"], formula);
    let left = Quantity::float(seconds, Unit::Seconds);
    Some((seconds, Measure::of_window("Time to fill the disk", left, evidence)))
}

/// What of a table is large.
fn parts(table: &TableFact<'_>) -> String {
    let class = format!("{}::regclass", table.class_literal());
    format!(
        "SELECT relid, pg_size_pretty(pg_relation_size(relid)) AS heap, pg_size_pretty(pg_indexes_size(relid)) AS indexes,\n\
         pg_size_pretty(pg_total_relation_size(relid) - pg_relation_size(relid) - pg_indexes_size(relid)) AS toast_and_maps\n\
         FROM (SELECT relid FROM pg_partition_tree({class}) UNION SELECT {class}) AS t (relid) ORDER BY 1;"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::Snapshot;
    use crate::snapshot::literal::literal;
    use std::sync::Arc;

    /// A snapshot a day, at noon; each with these rows (relid, kind, GB, number of the file).
    fn days(sizes: &[Vec<(i64, &str, f64, i64)>]) -> Vec<Arc<Snapshot>> {
        let of = |(day, rows): (usize, &Vec<(i64, &str, f64, i64)>)| {
            let row = |(relid, kind, gb, file): &(i64, &str, f64, i64)| {
                format!("{relid} | public | t{relid} | {kind} | {} | {file}", (gb * 1_073_741_824.0) as i64)
            };
            let lines: Vec<String> = rows.iter().map(row).collect();
            let children: Vec<String> = rows.iter().filter(|r| r.0 > 10).map(|r| format!("10 | {}", r.0)).collect();
            literal(&format!("2026-11-{:02} 12:00:00+00", day + 1))
                .view(
                    "table_sizes",
                    "relid | schemaname | relname | relkind | total_relation_size | relfilenode",
                    &lines.iter().map(String::as_str).collect::<Vec<_>>(),
                )
                .view(
                    "partitions",
                    "parent_relid | child_relid",
                    &children.iter().map(String::as_str).collect::<Vec<_>>(),
                )
                .view("database_sizes", "datid | datname | size", &["16697 | shop | 107374182400"])
                .build()
        };
        sizes.iter().enumerate().map(of).collect()
    }

    /// One table of 100 GB beside one of these sizes.
    fn say(gb: &[f64], file: fn(usize) -> i64, config: &str) -> Vec<String> {
        let rows: Vec<_> =
            gb.iter().enumerate().map(|(day, gb)| vec![(1, "r", *gb, file(day)), (2, "r", 100.0, 7)]).collect();
        told(&judge(&RULE, &days(&rows), config))
    }

    fn growing(n: usize, each: f64) -> Vec<f64> {
        (0..n).map(|day| 10.0 + each * day as f64 + if day % 2 == 0 { 0.01 } else { 0.0 }).collect()
    }

    #[test]
    fn a_table_that_doubles_in_weeks() {
        assert_eq!(
            say(&growing(14, 0.5), |_| 1, ""),
            ["medium, high: public.t1: Grows by 512 MB a day, doubles in 33 d 00 h at this pace"]
        );
        assert!(say(&growing(6, 0.5), |_| 1, "")[0].starts_with("medium, low"), "six points say little");
        let disk = "[options]\ncapacity = \"110GB\"";
        assert!(say(&growing(14, 0.5), |_| 1, disk)[0].starts_with("high, high"), "full in 20 days");
    }

    #[test]
    fn stays_quiet_about_slow_growth_one_load_and_rewrites() {
        assert!(say(&growing(14, 0.02), |_| 1, "")[0].starts_with("passed: 2 tables"));
        let mut load = vec![10.0; 14];
        load[9..].fill(40.0);
        assert!(say(&load, |_| 1, "")[0].starts_with("passed"), "one day of loading");
        load[7..].fill(40.0);
        assert!(say(&load, |_| 1, "")[0].starts_with("passed"), "in the middle");
        assert!(say(&growing(14, 0.5), |day| i64::from(day > 10), "")[0].starts_with("passed"), "rewritten");
    }

    #[test]
    fn partitions_that_come_and_go_are_one_table() {
        let rows: Vec<_> = (0..14_i64)
            .map(|day| vec![(10, "p", 0.0, 0), (20 + day, "r", 5.0, day), (21 + day, "r", 5.0, day)])
            .collect();
        assert!(told(&judge(&RULE, &days(&rows), ""))[0].starts_with("passed: 1 table of"));
        let kept: Vec<_> = (0..14_i64)
            .map(|day| (0..=day).map(|d| (20 + d, "r", 5.0, d)).chain([(10, "p", 0.0, 0)]).collect())
            .collect();
        assert!(told(&judge(&RULE, &days(&kept), ""))[0].contains("public.t10: Grows by 5 GB a day"));
    }

    #[test]
    fn skips_short_histories() {
        assert_eq!(say(&growing(4, 1.0), |_| 1, ""), ["skipped, input missing: needs 5 snapshots, here 4 are given"]);
    }
}
