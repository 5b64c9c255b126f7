//! Tables that are read completely much more often than before.

use crate::advisor::context::label;
use crate::advisor::index_cure::{CONCURRENT_LOCK, concurrently};
use crate::advisor::indexdef::{IndexDef, Key};
use crate::advisor::then_now::{last_and_before, last_window_or_skip};
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, TableFact, Threshold, show};
use crate::diff::{Change, Class, DiffRow};
use crate::finding::{Doubt, Effort, Finding, Fix, Leads, Risk, Severity, Verb};
use crate::ident::{display_qualified, quote_ident};
use crate::snapshot::Row;
use crate::text::{Text, counted};
use crate::unit::{Quantity, Unit};
use std::collections::{BTreeMap, BTreeSet};

const DAY: f64 = 86_400.0;
const VIEW: &str = "pg_stat_user_tables";

/// The rule.
pub const RULE: Rule = Rule {
    id: "table-seq-scan-regression",
    title: "Table read completely much more often than before",
    needs: &[
        Need::Snapshots(3),
        Need::View(VIEW, &["seq_tup_read"]),
        Need::View("table_sizes", &["reltuples", "relation_size"]),
    ],
    wants: &[Need::View("index_definitions", &["indexdef", "indisvalid"])],
    thresholds: &[
        Threshold {
            name: "min_factor",
            default: 5.0,
            unit: Unit::Times,
            about: "Load doubles in a day; five times as many passes have a cause.",
        },
        Threshold {
            name: "min_heap_bytes",
            default: 10_485_760.0,
            unit: Unit::Bytes,
            about: "Below about a thousand pages a sequential scan is normally the right plan.",
        },
        Threshold { name: "min_passes", default: 10.0, unit: Unit::Count, about: "One dump is not a habit." },
        Threshold {
            name: "min_passes_per_day",
            default: 10.0,
            unit: Unit::PerDay,
            about: "Above a nightly dump and an index build.",
        },
        Threshold {
            name: "min_window_s",
            default: 600.0,
            unit: Unit::Seconds,
            about: "A rate of passes needs ten minutes of load.",
        },
        Threshold {
            name: "good_window_s",
            default: 3_600.0,
            unit: Unit::Seconds,
            about: "Below an hour a single job can dominate.",
        },
    ],
    docs: Docs {
        looks_at: "Complete passes over each table a day (rows read by sequential scans, divided by its rows) in the last window, against \
                   the windows before it; and the indexes that a snapshot before had and the last one has not.",
        why: "Statements that found their rows by an index read everything now: an index went, or the planner no longer takes it.",
        decides: "Five times as many passes as before, ten in the last window and ten a day, on a heap of 10 MB. The rows are divided out, \
                  so growth alone is none. Counters that started again in between are not compared. High where an index of the table \
                  went or became invalid meanwhile, else medium.",
        what_to_do: "Create the index that went again, with CONCURRENTLY; else ANALYZE the table and compare the plans.",
        ignore_when: "A report or an export came that is meant to read everything.",
        references: "PostgreSQL manual, \"pg_stat_all_tables\".",
    },
    check,
};

/// Passes a day, in the last window and before.
struct Pace<'a> {
    passes: f64,
    now: f64,
    before: f64,
    /// Rows of the table; those read and the seconds, in the last window and before.
    rows: f64,
    read: [f64; 2],
    seconds: [f64; 2],
    /// The table's row at the ends of the two times.
    ends: Vec<Row<'a>>,
}

fn check(cx: &Context<'_>) -> Check {
    last_window_or_skip(cx)?;
    let mut checked = Checked::default();
    let (mut compared, mut found) = (0, Vec::new());
    for table in cx.facts.large(cx.threshold("min_heap_bytes")) {
        let Some(change) = table.change else { continue };
        let Some(pace) = pace(cx, table, change) else { continue };
        compared += 1;
        let many = pace.passes >= cx.threshold("min_passes") && pace.now >= cx.threshold("min_passes_per_day");
        if many && pace.now >= cx.threshold("min_factor") * pace.before {
            found.push((table, change, pace));
        }
    }
    let lost = lost(cx, &found.iter().filter_map(|(table, ..)| table.relid()).collect());
    for (table, change, pace) in &found {
        let lost = table.relid().and_then(|relid| lost.get(&relid)).copied();
        checked.findings.push(report(cx, table, *change, pace, lost));
    }
    checked.looked_at = format!("{} compared with before", counted(compared, "large table", "large tables"));
    Ok(checked)
}

fn pace<'a>(cx: &Context<'a>, table: &TableFact<'a>, change: Change<'a>) -> Option<Pace<'a>> {
    let (last, before) = last_and_before(cx.chain, change, VIEW)?;
    let before: Vec<DiffRow<'a>> = before?.into_iter().take_while(|r| r.class() == Class::Ok).collect();
    let rows = table.rows().0.filter(|r| *r >= 1.0)?;
    let sum = |of: &[DiffRow<'_>]| {
        let read = of.iter().filter_map(|r| r.delta_of("seq_tup_read")).map(crate::diff::Exact::as_f64).sum::<f64>();
        let seconds = of.iter().filter_map(|r| r.verdict().covered_s).sum::<f64>();
        (read, seconds)
    };
    let ((read, now_s), (earlier, before_s)) = (sum(&[last]), sum(&before));
    let enough = last.class() == Class::Ok && now_s >= 60.0 && before_s >= 60.0;
    let passes = read / rows;
    enough.then(|| Pace {
        passes,
        now: passes * DAY / now_s,
        before: earlier / rows * DAY / before_s,
        rows,
        read: [read, earlier],
        seconds: [now_s, before_s],
        ends: before.last().and_then(|r| r.before()).into_iter().chain(last.before()).chain(last.after()).collect(),
    })
}

/// Indexes that earlier snapshots had and the last one has not, or not usable: one for each of some tables, the newest.
fn lost<'a>(cx: &Context<'a>, tables: &BTreeSet<i64>) -> BTreeMap<i64, (Row<'a>, usize)> {
    const DEFINITIONS: &str = "index_definitions";
    let usable = |r: &Row<'_>| {
        r.int("relid").is_some_and(|id| tables.contains(&id))
            && r.bool("indisvalid") != Some(false)
            && r.bool("indisready") != Some(false)
    };
    let mut out = BTreeMap::new();
    let Some(now) = cx.last(DEFINITIONS).filter(|_| !tables.is_empty()) else { return out };
    let (mut ids, mut keys) = (BTreeSet::new(), BTreeSet::new());
    for row in now.iter().filter(usable) {
        ids.extend(row.int("indexrelid"));
        keys.extend(row.int("relid").zip(row.text("indexdef").map(keys_of)));
    }
    let earlier: Vec<_> = cx.samples(DEFINITIONS).filter(|(at, _)| at + 1 < cx.chain.snapshots.len()).collect();
    for (at, table) in earlier.into_iter().rev() {
        for row in table.iter().filter(usable) {
            let there = row.int("indexrelid").is_some_and(|id| ids.contains(&id))
                || row.int("relid").zip(row.text("indexdef").map(keys_of)).is_none_or(|k| keys.contains(&k));
            if let (false, Some(relid)) = (there, row.int("relid")) {
                out.entry(relid).or_insert((row, at));
            }
        }
    }
    out
}

/// What follows the name of an index: built again under another one, it is not lost.
fn keys_of(definition: &str) -> &str {
    definition.split_once(" USING ").map_or(definition, |(_, keys)| keys)
}

fn report<'a>(
    cx: &Context<'a>,
    table: &TableFact<'a>,
    change: Change<'a>,
    pace: &Pace<'a>,
    lost: Option<(Row<'a>, usize)>,
) -> Finding {
    let per_day = |x| Quantity::float(x, Unit::PerDay);
    let title = Text::new()
        .t("Read completely ")
        .opt(per_day(pace.now))
        .t(" in the last window, before ")
        .opt(per_day(pace.before));
    let short = cx.chain.windows.last().and_then(|w| w.elapsed_s).is_none_or(|s| s < cx.threshold("good_window_s"));
    let mut rows: Vec<_> = pace.ends.iter().map(|r| (*r, &["seq_tup_read"][..])).collect();
    rows.extend(table.sizes.map(|r| (r, &["reltuples"][..])));
    let [formula, earlier] = [0, 1].map(|at| {
        let of = |side: &[f64; 2], unit| show(side.get(at).copied().unwrap_or(f64::NAN), unit);
        let (read, seconds) = (of(&pace.read, Unit::Rows), of(&pace.seconds, Unit::Seconds));
        format!("{read} ÷ {} in {seconds}", show(pace.rows, Unit::Rows))
    });
    let severity = if lost.is_some() { Severity::High } else { Severity::Medium };
    let mut finding = cx
        .finding(severity, table.subject(), title)
        .doubts([short.then_some(Doubt::C2), cx.facts.sizes_doubt(), table.rows().1])
        .measure(cx.measure("Rows read by sequential scans", change, "seq_tup_read"))
        .measure(cx.over_window(
            "Complete passes in the last window",
            Quantity::float(pace.passes, Unit::Count),
            formula.clone(),
            &rows,
        ))
        .measure(cx.over_window("Passes a day in the last window", per_day(pace.now), formula, &rows))
        .measure(cx.over_window("Passes a day before", per_day(pace.before), earlier, &rows))
        .verify("Passes a day fall to what they were, idx_scan of the table rises.")
        .effort(Effort::S);
    if let Some((row, at)) = lost {
        let name =
            display_qualified(row.text("schemaname").unwrap_or_default(), row.text("indexrelname").unwrap_or_default());
        finding = finding
            .why(
                Text::new()
                    .name(&name)
                    .t(format!(" was there in snapshot {} and is not any more, or is invalid.", label(cx.chain, at))),
            )
            .measure(cx.read("Size of the index that went", row, "index_size"));
        if let Some((head, rest)) = row.text("indexdef").and_then(|d| d.split_once("INDEX ")) {
            let sql = concurrently(&format!("{head}INDEX CONCURRENTLY {rest};"));
            let leads = IndexDef::parse(row.text("indexdef").unwrap_or_default()).and_then(|d| leads(&d, table));
            finding = finding.fix(
                Fix { leads, ..Fix::new(Verb::Create, Risk::R1, &name, sql) }
                    .lock(CONCURRENT_LOCK)
                    .when_not("It was dropped on purpose, and its statements are known not to need it; or an invalid one of this name is still there: drop that first.")
                    .undo(concurrently(&format!(
                        "DROP INDEX CONCURRENTLY {};",
                        crate::ident::quote_qualified(
                            row.text("schemaname").unwrap_or_default(),
                            row.text("indexrelname").unwrap_or_default()
                        )
                    ))),
            );
        }
        return finding;
    }
    finding.why("No index of it went: the planner takes another plan, or a statement came that reads everything.").fix(
        Fix::new(Verb::Maintain, Risk::R1, table.display(), format!("ANALYZE {};", table.sql()))
            .lock("SHARE UPDATE EXCLUSIVE: reads and writes go on")
            .when_not("While a bulk load is still running: the numbers are old again at once."),
    )
}

/// What it is sorted by, spelled as for a new index; `None` where it is more than plain columns.
fn leads(def: &IndexDef, table: &TableFact<'_>) -> Option<Leads> {
    let plain =
        |k: &Key| !(k.expression || k.descending || k.nulls_first) && k.collation.is_none() && k.opclass.is_none();
    if def.method != "btree" || def.unique || def.predicate.is_some() || !def.keys.iter().all(plain) {
        return None;
    }
    let names = |of: &mut dyn Iterator<Item = &str>| of.map(quote_ident).collect::<Vec<_>>().join(", ");
    let include = names(&mut def.include.iter().map(String::as_str));
    Some(Leads {
        table: table.sql(),
        first: def.keys.first()?.text.clone(),
        keys: names(&mut def.keys.iter().map(|k| k.text.as_str())),
        more: if include.is_empty() { String::new() } else { format!(" INCLUDE ({include})") },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::Snapshot;
    use crate::snapshot::literal::literal;
    use std::sync::Arc;

    /// Snapshots an hour apart: rows read so far, and the names of the indexes.
    fn series(read: &[u64], bytes: u64, indexes: &[&[&str]]) -> Vec<Arc<Snapshot>> {
        let taken = |(i, read): (usize, &u64)| {
            let defs: Vec<String> = indexes
                .get(i)
                .into_iter()
                .flat_map(|names| names.iter())
                .map(|n| {
                    format!(
                        "{}1 | 7 | app | t | {n} | CREATE INDEX {n} ON app.t USING btree ({n}) | t | t | 8192",
                        n.len()
                    )
                })
                .collect();
            literal(&format!("2026-11-22 1{i}:00:00+00"))
                .view(VIEW, "relid | schemaname | relname | seq_scan | seq_tup_read", &[&format!("7 | app | t | {i} | {read}")])
                .view(
                    "table_sizes",
                    "relid | schemaname | relname | relkind | reltuples | relpages | relation_size",
                    &[&format!("7 | app | t | r | 1000000 | 10 | {bytes}")],
                )
                .view(
                    "index_definitions",
                    "indexrelid | relid | schemaname | relname | indexrelname | indexdef | indisvalid | indisready | index_size",
                    &defs.iter().map(String::as_str).collect::<Vec<_>>(),
                )
                .build()
        };
        read.iter().enumerate().map(taken).collect()
    }

    const LARGE: u64 = 1 << 30;
    const M: u64 = 1_000_000;

    #[test]
    fn finds_a_table_read_more_often_and_the_index_that_went() {
        let read = [0, 2 * M, 4 * M, 44 * M];
        let both: &[&str] = &["a", "bb"];
        let outcome = judge(&RULE, &series(&read, LARGE, &[both, both, both, &["a"]]), "");
        assert_eq!(told(&outcome), ["high, high: app.t: Read completely 960/day in the last window, before 48.0/day"]);
        let crate::finding::Outcome::Found { findings, .. } = outcome else { panic!() };
        let sql = &findings[0].fixes[0].sql;
        assert!(sql.contains("\nCREATE INDEX CONCURRENTLY bb ON app.t USING btree (bb);\n"), "{sql}");
        assert_eq!(
            told(&judge(&RULE, &series(&read, LARGE, &[both, both, both, both]), "")),
            ["medium, high: app.t: Read completely 960/day in the last window, before 48.0/day"]
        );
    }

    #[test]
    fn stays_quiet_below_each_floor() {
        for (read, bytes, why) in [
            ([0, 20 * M, 40 * M, 80 * M], LARGE, "twice as often"),
            ([0, 0, 0, 9 * M], LARGE, "nine passes"),
            ([0, 2 * M, 4 * M, 44 * M], 1 << 20, "small"),
            ([0, 2 * M, 9 * M, 4 * M], LARGE, "started again"),
        ] {
            assert!(told(&judge(&RULE, &series(&read, bytes, &[]), ""))[0].starts_with("passed"), "{why}");
        }
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert_eq!(
            told(&judge(&RULE, &series(&[0, M], LARGE, &[]), "")),
            ["skipped, input missing: needs 3 snapshots, here 2 are given"]
        );
    }
}
