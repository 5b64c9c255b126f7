//! Updates that rarely stay within their page.

use crate::advisor::index::{Load, Shape};
use crate::advisor::index_cure::with_timeout;
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, TableFact, Threshold, show, whole};
use crate::diff::Change;
use crate::finding::{Doubt, Effort, Finding, Fix, Risk, Severity, Verb};
use crate::text::{Text, counted};
use crate::unit::{Quantity, Unit};
use std::collections::{BTreeMap, BTreeSet};

/// Columns that statements of the window set, by table.
type Assigned = BTreeMap<i64, BTreeSet<String>>;

/// The rule.
pub const RULE: Rule = Rule {
    id: "table-hot-update-low",
    title: "Updates rarely heap-only",
    needs: &[Need::Primary, Need::View("pg_stat_user_tables", &["n_tup_upd", "n_tup_hot_upd"])],
    wants: &[
        Need::View("pg_stat_user_tables", &["n_tup_newpage_upd"]),
        Need::View("index_definitions", &["indexdef"]),
        Need::View("table_sizes", &["reloptions"]),
        Need::View("pg_stat_statements", &["query", "calls"]),
    ],
    thresholds: &[
        Threshold {
            name: "min_updates",
            default: 10_000.0,
            unit: Unit::Rows,
            about: "Fewer updates cost little either way.",
        },
        Threshold { name: "min_rate", default: 1.0, unit: Unit::PerSecond, about: "A steady load, not one job." },
        Threshold { name: "max_hot", default: 0.5, unit: Unit::Share, about: "Half of the updates write every index." },
        Threshold {
            name: "medium_hot",
            default: 0.2,
            unit: Unit::Share,
            about: "Four of five updates write every index.",
        },
        Threshold {
            name: "medium_rate",
            default: 50.0,
            unit: Unit::PerSecond,
            about: "With that share: a measurable part of WAL.",
        },
        Threshold {
            name: "full_pages",
            default: 0.5,
            unit: Unit::Share,
            about: "Of the other updates: then full pages are the cause, not an index.",
        },
        Threshold {
            name: "min_window",
            default: 600.0,
            unit: Unit::Seconds,
            about: "Below ten minutes a share shows one moment, not the workload.",
        },
        Threshold {
            name: "sure_window",
            default: 3_600.0,
            unit: Unit::Seconds,
            about: "Below an hour a single job can dominate; costs one step of confidence.",
        },
    ],
    docs: Docs {
        looks_at: "Updates and heap-only updates of each table in the window; from 16 on also those that went to another page.",
        why: "An update that stays within its page and changes no indexed column touches no index (heap-only). Any other one \
              writes every index of the table, and leaves more for vacuum.",
        decides: "Found with `min_updates` at `min_rate` and less than `max_hot` heap-only. Medium below `medium_hot` at \
                  `medium_rate`, else low. Cause on 16+: when `full_pages` of the others went to another page, pages \
                  are too full; otherwise an indexed column changes. Which columns statements set is read from their texts, and \
                  the indexes that hold one of them are named. Where neither tells the cause, that costs one step of confidence.",
        what_to_do: "Full pages: lower the fillfactor (new pages only; old ones at their next rewrite). A changed column: \
                     see whether the index on it is needed.",
        ignore_when: "The table is mostly read by large scans: a lower fillfactor makes it larger. The changed column must be indexed.",
        references: "PostgreSQL manual: Heap-Only Tuples. From 16 on columns indexed only by BRIN do not prevent them: observed.",
    },
    check,
};

fn check(cx: &Context<'_>) -> Check {
    let window = cx.window_of("min_window")?;
    let mut checked = Checked::default();
    let mut looked = 0;
    let mut assigned = None;
    let min_updates = cx.threshold("min_updates");
    for table in &cx.facts.tables {
        let Some(change) = table.change else { continue };
        let Some(updates) = change.delta("n_tup_upd").filter(|n| *n >= min_updates) else { continue };
        let Some(hot) = change.delta("n_tup_hot_upd") else { continue };
        // Where a reset at an unknown time hides how long was counted, the whole window gives a lower bound.
        let rate = updates / change.covered_s().filter(|s| *s >= 10.0).unwrap_or(window);
        if rate < cx.threshold("min_rate") {
            continue;
        }
        looked += 1;
        if hot / updates < cx.threshold("max_hot") {
            // Statements are read once, and only where there is something to explain.
            let assigned = assigned.get_or_insert_with(|| set_columns(cx));
            checked.findings.push(report(cx, table, change, (updates, hot, rate), assigned));
        }
    }
    checked.looked_at = format!(
        "{} with {} updates or more, {} or more",
        counted(looked, "table", "tables"),
        show(cx.threshold("min_updates"), Unit::Rows),
        cx.threshold_quantity("min_rate").map_or_else(|| "n/a".to_owned(), Quantity::human)
    );
    Ok(checked)
}

fn set_columns(cx: &Context<'_>) -> Assigned {
    let mut out = Assigned::new();
    for update in Load::read(cx).updates {
        out.entry(update.relid).or_default().extend(update.columns);
    }
    out
}

/// The indexes that hold a column which statements set, with those columns: `idx (status)`.
fn touched(cx: &Context<'_>, table: &TableFact<'_>, assigned: &Assigned) -> Vec<String> {
    let Some(relid) = table.relid() else { return Vec::new() };
    let Some(set) = assigned.get(&relid).or_else(|| assigned.get(&cx.facts.root(relid))) else { return Vec::new() };
    let mut out = Vec::new();
    for index in cx.facts.indexes_of(relid) {
        let Some(def) = index.def() else { continue };
        // From 16 on a changed column that only BRIN holds does not prevent a heap-only update.
        if def.method == "brin" && cx.major() >= 16 {
            continue;
        }
        let shape = Shape::of(&def, false, false);
        let columns: BTreeSet<&str> = shape.columns().filter(|c| set.contains(*c)).collect();
        if !columns.is_empty() {
            let columns: Vec<_> = columns.into_iter().map(crate::ident::visible).collect();
            out.push(format!("{} ({})", index.display(), columns.join(", ")));
        }
    }
    out.sort();
    out
}

fn report<'a>(
    cx: &Context<'a>,
    table: &TableFact<'a>,
    change: Change<'a>,
    (updates, hot, rate): (f64, f64, f64),
    assigned: &Assigned,
) -> Finding {
    let share = hot / updates;
    let severity = if share < cx.threshold("medium_hot") && rate >= cx.threshold("medium_rate") {
        Severity::Medium
    } else {
        Severity::Low
    };
    let moved = change.delta("n_tup_newpage_upd").map(|n| n / (updates - hot).max(1.0));
    let full = moved.is_some_and(|m| m >= cx.threshold("full_pages"));
    let indexes = table.relid().map_or(0, |r| cx.facts.indexes_of(r).count());
    let part = Quantity::float(share, Unit::Share);
    let title = if share > 0.0 { Text::new().t("Only ").opt(part) } else { Text::from("None") };
    let title = title.t(" of ").opt(whole(updates, Unit::Rows)).t(" updates were heap-only");
    let touched = touched(cx, table, assigned);
    let cause = match moved {
        Some(_) if full => "most of the others went to another page: pages are full",
        _ if !touched.is_empty() => "statements set columns that indexes hold",
        None => {
            "whether full pages or changed indexed columns are the cause, statistics before PostgreSQL 16 do not tell"
        }
        Some(_) if indexes == 0 => "they stayed within their page, and no index that could be the cause is in the dump",
        Some(_) => "the others stayed within their page: an indexed column changes",
    };
    let why = Text::new();
    let why = match indexes {
        0 => why.t("The others leave more for vacuum"),
        1 => why.t("Each of the others writes the table's only index"),
        n => why.t("Each of the others writes all ").opt(whole(n as f64, Unit::Count)).t(" indexes of the table"),
    };
    let why = why.t(format!("; {cause}"));
    let why = if full || touched.is_empty() {
        why.t(".")
    } else {
        touched
            .iter()
            .enumerate()
            .fold(why, |why, (i, index)| why.t(if i == 0 { ": " } else { ", " }).name(index))
            .t(".")
    };
    let formula = format!("{} ÷ {}", show(hot, Unit::Rows), show(updates, Unit::Rows));
    let rows: Vec<_> = cx.ends(change, &["n_tup_hot_upd", "n_tup_upd"]);
    let mut finding = cx
        .finding(severity, table.subject(), title)
        .doubts([
            cx.single_doubt(),
            cx.class_doubt(change),
            cx.short_doubt("sure_window"),
            (touched.is_empty() && (moved.is_none() || (indexes == 0 && !full))).then_some(Doubt::C4),
        ])
        .why(why)
        .measure(cx.measure("Rows updated", change, "n_tup_upd"))
        .measure(cx.measure("Heap-only", change, "n_tup_hot_upd"))
        .measure(cx.over_window("Heap-only share", Quantity::float(share, Unit::Share), formula, &rows))
        .effort(Effort::S)
        .verify("n_tup_hot_upd ÷ n_tup_upd of the next window is higher.");
    if indexes > 1 {
        let of_table = cx.facts.indexes_of(table.relid().unwrap_or_default());
        let counted: Vec<_> = of_table
            .filter_map(|i| i.described_by().or_else(|| i.change?.last()))
            .map(|r| (r, &["indexrelname"][..]))
            .collect();
        let count = Some(Quantity::count(indexes));
        finding = finding.measure(cx.computed("Indexes", count, "each is written".to_owned(), &counted));
    }
    if moved.is_some() {
        finding = finding.measure(cx.measure("To another page", change, "n_tup_newpage_upd"));
    }
    let before = table.option("fillfactor");
    if full && before.as_deref().is_none_or(|f| f == "100") {
        let fix = Fix::new(
            Verb::Set,
            Risk::R1,
            format!("fillfactor of {}", table.display()),
            with_timeout(&format!("ALTER TABLE {} SET (fillfactor = 90);", table.sql())),
        )
        .lock("SHARE UPDATE EXCLUSIVE for a moment; holds for new pages only")
        .when_not("When the table is mostly inserted or read by large scans: it gets larger.")
        .undo(with_timeout(&format!("ALTER TABLE {} RESET (fillfactor);", table.sql())));
        return finding.fix(fix);
    }
    let sql = format!(
        "SELECT indexrelid::regclass, idx_scan FROM pg_stat_user_indexes WHERE relid = {}::regclass ORDER BY idx_scan;",
        table.class_literal()
    );
    finding.fix(Fix::diagnose(table.display(), sql))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::literal::{Literal, literal};

    fn taken(at: &str, updates: u32, hot: u32, moved: &str) -> Literal {
        literal(at).view(
            "pg_stat_user_tables",
            "relid | schemaname | relname | n_tup_upd | n_tup_hot_upd | n_tup_newpage_upd",
            &[&format!("1 | public | t | {updates} | {hot} | {moved}")],
        )
    }

    fn outcome(updates: u32, hot: u32, moved: [&str; 2]) -> crate::finding::Outcome {
        judge(
            &RULE,
            &[
                taken("2026-11-22 12:00:00+00", 0, 0, moved[0]).build(),
                taken("2026-11-22 13:00:00+00", updates, hot, moved[1]).build(),
            ],
            "",
        )
    }

    #[test]
    fn finds_it_and_names_the_cause() {
        let found = outcome(360_000, 36_000, ["0", "300000"]);
        assert_eq!(told(&found), ["medium, high: public.t: Only 10% of 360,000 updates were heap-only"]);
        let crate::finding::Outcome::Found { findings, .. } = found else { panic!() };
        assert_eq!(findings[0].fixes[0].sql.lines().nth(1), Some(r#"ALTER TABLE "public"."t" SET (fillfactor = 90);"#));
        let found = outcome(360_000, 36_000, ["0", "0"]);
        let crate::finding::Outcome::Found { findings, .. } = found else { panic!() };
        assert_eq!(findings[0].fixes[0].verb, Verb::Diagnose);
        assert_eq!(
            findings[0].why.plain(),
            "The others leave more for vacuum; they stayed within their page, and no index that could be the cause is in \
             the dump."
        );
        assert_eq!(
            told(&outcome(36_000, 3_600, ["", ""])),
            ["low, medium: public.t: Only 10% of 36,000 updates were heap-only"]
        );
    }

    #[test]
    fn a_reset_at_an_unknown_time_hides_no_table() {
        let chain = [
            taken("2026-11-22 12:00:00+00", 500_000, 400_000, "0").build(),
            taken("2026-11-22 13:00:00+00", 36_000, 3_600, "0").build(),
        ];
        let said = told(&judge(&RULE, &chain, ""));
        assert!(said[0].ends_with("public.t: Only 10% of ≥ 36,000 updates were heap-only"), "{said:?}");
    }

    #[test]
    fn stays_quiet_and_skips() {
        assert!(told(&outcome(360_000, 300_000, ["0", "0"]))[0].starts_with("passed"));
        assert!(told(&outcome(9_000, 0, ["0", "0"]))[0].starts_with("passed"));
        let b = literal("2026-11-22 12:00:00+00").build();
        assert_eq!(told(&judge(&RULE, &[b], "")), ["skipped, input missing: `pg_stat_user_tables` is not in the dump"]);
    }

    #[test]
    fn names_the_indexes_whose_columns_are_set() {
        let taken = |at: &str, calls: u32, updates: u32| {
            literal(at)
                .version(15)
                .view(
                    "pg_stat_user_tables",
                    "relid | schemaname | relname | n_tup_upd | n_tup_hot_upd",
                    &[&format!("1 | public | jobs | {updates} | 0")],
                )
                .view(
                    "index_definitions",
                    "indexrelid | relid | schemaname | relname | indexrelname | indexdef",
                    &[
                        "7 | 1 | public | jobs | by_state | CREATE INDEX by_state ON public.jobs USING btree (state, id)",
                        "8 | 1 | public | jobs | by_kind | CREATE INDEX by_kind ON public.jobs USING btree (kind)",
                    ],
                )
                .view(
                    "table_sizes",
                    "relid | schemaname | relname | relkind | reltuples | relpages | relation_size",
                    &["1 | public | jobs | r | 5000 | 90 | 737280"],
                )
                .view(
                    "pg_stat_statements",
                    "userid | dbid | queryid | toplevel | query | calls | rows",
                    &[&format!("10 | 16697 | 1 | t | update jobs set state = $1 where id = $2 | {calls} | {calls}")],
                )
                .build()
        };
        let chain = [taken("2026-11-22 12:00:00+00", 0, 0), taken("2026-11-22 13:00:00+00", 36_000, 36_000)];
        let found = judge(&RULE, &chain, "");
        assert_eq!(told(&found), ["low, high: public.jobs: None of 36,000 updates were heap-only"]);
        let crate::finding::Outcome::Found { findings, .. } = found else { panic!() };
        assert_eq!(
            findings[0].why.plain(),
            "Each of the others writes all 2 indexes of the table; statements set columns that indexes hold: \
             public.by_state (state)."
        );
    }

    #[test]
    fn minutes_say_nothing() {
        let chain = [
            taken("2026-11-22 12:00:00+00", 0, 0, "0").build(),
            taken("2026-11-22 12:02:00+00", 36_000, 0, "0").build(),
        ];
        assert_eq!(
            told(&judge(&RULE, &chain, "")),
            ["skipped: the window of 2 min 00 s is shorter than the 10 min 00 s this check needs"]
        );
    }
}
