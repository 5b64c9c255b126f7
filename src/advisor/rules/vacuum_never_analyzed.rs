//! Tables the planner knows nothing about.

use crate::advisor::vacuum_cure::analyze;
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, TableFact, Threshold, whole};
use crate::diff::Change;
use crate::finding::{Confidence, Effort, Finding, Severity};
use crate::text::{Text, counted};
use crate::time::Timestamp;
use crate::unit::{Quantity, Unit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "vacuum-never-analyzed",
    title: "Table never analyzed",
    needs: &[Need::Primary, Need::View("table_sizes", &["reltuples", "relpages", "relkind"])],
    wants: &[Need::View("pg_stats", &["tablename"]), Need::View("pg_stat_user_tables", &["n_live_tup"])],
    thresholds: &[Threshold {
        name: "min_rows",
        default: 10_000.0,
        unit: Unit::Rows,
        about: "Plans of small tables hardly suffer.",
    }],
    docs: Docs {
        looks_at: "`reltuples` of each table (-1 on 14+, 0 with pages on 12 and 13: never counted), and whether `pg_stats` \
                   has any column of it.",
        why: "Without a sample the planner guesses from the file's size and fixed shares; joins and sorts of such a table \
              are planned blindly.",
        decides: "Found on tables with an estimate of `min_rows` rows that were never counted; or counted, but without a \
                  row in an exported `pg_stats` that has rows of other tables (one step less sure: the exporter may not be \
                  allowed to see them). Medium. Never from `last_analyze` being NULL: a reset or crash clears that, \
                  while the sample stays; nor where `pg_stats` has columns of a table that was never counted: a TRUNCATE or \
                  REFRESH MATERIALIZED VIEW since its ANALYZE (vacuum-stale-analyze judges that). Partitioned tables are left out: autovacuum never analyzes them.",
        what_to_do: "ANALYZE the table.",
        ignore_when: "A staging table that is filled, read once and emptied.",
        references: "PostgreSQL manual: ANALYZE, pg_class, pg_stats. What a reset, a TRUNCATE and a \
                     REFRESH clear: observed on PostgreSQL 15.",
    },
    check,
};

fn check(cx: &Context<'_>) -> Check {
    let mut checked = Checked::default();
    let mut looked = 0;
    for table in cx.facts.tables.iter().filter(|t| t.is_kind("rm") == Some(true)) {
        let Some(sizes) = table.sizes else { continue };
        looked += 1;
        let sampled = !cx.facts.columns(table.schema(), table.name()).is_empty();
        // A TRUNCATE or REFRESH MATERIALIZED VIEW clears the count with the file; the sample stays.
        let never = !sampled && table.reltuples().is_none() && sizes.f64("reltuples").is_some();
        let unseen = !never && !sampled && cx.facts.planner.is_some_and(|p| p.table.rows > 0);
        let rows = rows(table);
        if (never || unseen) && rows.is_some_and(|r| r >= cx.threshold("min_rows")) {
            checked.findings.push(report(cx, table, never, rows.unwrap_or(0.0)));
        }
    }
    checked.looked_at = format!("{}, none large and never analyzed", counted(looked, "table", "tables"));
    Ok(checked)
}

/// Rows by what counts without a sample: live rows of the counters, else what was counted.
fn rows(table: &TableFact<'_>) -> Option<f64> {
    table
        .change
        .and_then(Change::last)
        .and_then(|r| r.f64("n_live_tup"))
        .filter(|r| *r > 0.0)
        .or_else(|| table.reltuples())
}

fn report<'a>(cx: &Context<'a>, table: &TableFact<'a>, never: bool, rows: f64) -> Finding {
    let about = Text::new().opt(whole(rows, Unit::Rows)).t(" rows");
    let empty = analyzed_empty(table);
    let title = match &empty {
        Some(when) => {
            let text = Text::new().t("Analyzed when it was empty");
            let text = match when {
                Empty::At(at, _) => text.t(" (").n(Quantity::time(*at)).t(")"),
                Empty::Once => text,
            };
            text.t("; about ").then(about).t(" since")
        }
        None => Text::new().t("Never analyzed, about ").then(about),
    };
    let mut finding = cx
        .finding(Severity::Medium, table.subject(), title)
        .doubts([cx.facts.sizes_doubt(), cx.facts.planner.filter(|_| !never).and_then(|p| p.doubt())])
        .why(if table.reltuples().is_some_and(|rows| rows > 0.0) {
            "Its rows were counted, by a VACUUM or the build of an index; of its columns nothing is known, and the planner \
             guesses every condition from fixed shares."
        } else {
            "The planner guesses its rows from the file's size and every condition from fixed shares."
        });
    if !never {
        finding = finding
            .at_most(Confidence::Medium)
            .not("pg_stats has no column of it; the exporting role may not be allowed to read the table.");
    }
    if let Some(sizes) = table.sizes {
        let label = if table.reltuples().is_some() { "Rows as counted" } else { "Its reltuples" };
        finding = finding.measure(cx.read(label, sizes, "reltuples")).measure(cx.read("Pages", sizes, "relpages"));
    }
    if let Some(change) = table.change {
        finding = finding.measure(cx.measure("Live rows (est.)", change, "n_live_tup"));
        if let (Some(Empty::At(_, column)), Some(row)) = (&empty, change.last()) {
            finding = finding.measure(cx.read("Last ANALYZE", row, column));
        }
    }
    let counted = empty.is_some() || table.reltuples().is_some();
    let verify =
        if counted { "pg_stats has its columns." } else { "reltuples is 0 or above and pg_stats has its columns." };
    finding.fix(analyze(table)).effort(Effort::S).verify(verify)
}

/// When an ANALYZE found no row, which leaves no sample.
enum Empty {
    /// Then, by this column.
    At(Timestamp, &'static str),
    /// At a time that is not known.
    Once,
}

/// Whether an ANALYZE found no row.
fn analyzed_empty(table: &TableFact<'_>) -> Option<Empty> {
    let row = table.change.and_then(Change::last)?;
    let at = ["last_analyze", "last_autoanalyze"].into_iter().filter_map(|c| Some((row.time(c)?, c))).max();
    let counted = ["analyze_count", "autoanalyze_count"].iter().any(|c| row.int(c).is_some_and(|n| n > 0));
    let none = table.sizes.and_then(|s| s.f64("reltuples")).is_some_and(|n| n == 0.0);
    (none && (counted || at.is_some())).then(|| at.map_or(Empty::Once, |(at, column)| Empty::At(at, column)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::literal::{Literal, literal};

    fn taken(major: u8, reltuples: &str) -> Literal {
        literal("2026-11-22 12:00:00+00")
            .version(major)
            .view("pg_stat_user_tables", "relid | schemaname | relname | n_live_tup", &["1 | public | t | 50000"])
            .view(
                "table_sizes",
                "relid | schemaname | relname | relkind | reltuples | relpages",
                &[&format!("1 | public | t | r | {reltuples} | 100")],
            )
    }

    #[test]
    fn finds_both_spellings_of_never() {
        let want = ["medium, high: public.t: Never analyzed, about 50,000 rows"];
        assert_eq!(told(&judge(&RULE, &[taken(15, "-1").build()], "")), want);
        assert_eq!(told(&judge(&RULE, &[taken(13, "0").build()], "")), want);
        let stats = taken(15, "50000").view("pg_stats", "schemaname | tablename | attname", &["public | other | a"]);
        assert!(told(&judge(&RULE, &[stats.build()], ""))[0].starts_with("medium, medium"));
    }

    /// A reset or a crash empties the times; what the planner knows stays.
    #[test]
    fn no_time_of_an_analyze_is_no_missing_analyze() {
        let b = literal("2026-11-22 12:00:00+00")
            .version(15)
            .view(
                "pg_stat_user_tables",
                "relid | schemaname | relname | n_live_tup | last_analyze | last_autoanalyze | analyze_count | autoanalyze_count",
                &["1 | public | t | 50000 | | | 0 | 0"],
            )
            .view(
                "table_sizes",
                "relid | schemaname | relname | relkind | reltuples | relpages",
                &["1 | public | t | r | 50000 | 100"],
            );
        assert!(told(&judge(&RULE, &[b.build()], ""))[0].starts_with("passed"));
    }

    /// Analyzed it was, only too early: no row, no sample.
    #[test]
    fn an_analyze_of_an_empty_table_is_told_as_such() {
        let b = literal("2026-11-22 12:30:00+00")
            .version(15)
            .view(
                "pg_stat_user_tables",
                "relid | schemaname | relname | n_live_tup | last_analyze | analyze_count",
                &["1 | public | t | 63840 | 2026-11-22 12:19:00+00 | 1"],
            )
            .view(
                "table_sizes",
                "relid | schemaname | relname | relkind | reltuples | relpages",
                &["1 | public | t | r | 0 | 0"],
            )
            .view("pg_stats", "schemaname | tablename | attname", &["public | other | a"]);
        let crate::finding::Outcome::Found { findings, .. } = judge(&RULE, &[b.build()], "") else { panic!() };
        let title = findings[0].title.plain();
        assert!(title.starts_with("Analyzed when it was empty (22 Nov 2026 12:19"), "{title}");
        assert!(title.ends_with("; about 63,840 rows since"), "{title}");
        assert_eq!(findings[0].verify.plain(), "pg_stats has its columns.");
    }

    /// As REFRESH MATERIALIZED VIEW leaves it: a new file that nobody counted, and the sample of the ANALYZE before.
    #[test]
    fn a_new_file_with_a_sample_was_analyzed() {
        let of = |table: &str| {
            let row = format!("public | {table} | a");
            told(&judge(
                &RULE,
                &[taken(15, "-1").view("pg_stats", "schemaname | tablename | attname", &[&row]).build()],
                "",
            ))
        };
        assert_eq!(of("t"), ["passed: 1 table, none large and never analyzed"]);
        assert_eq!(of("other"), ["medium, high: public.t: Never analyzed, about 50,000 rows"]);
    }

    #[test]
    fn stays_quiet_and_skips() {
        let stats = taken(15, "50000").view("pg_stats", "schemaname | tablename | attname", &["public | t | a"]);
        assert!(told(&judge(&RULE, &[stats.build()], ""))[0].starts_with("passed"));
        assert!(told(&judge(&RULE, &[taken(15, "50000").build()], ""))[0].starts_with("passed"));
        let b = literal("2026-11-22 12:00:00+00").build();
        assert_eq!(told(&judge(&RULE, &[b], "")), ["skipped, input missing: `table_sizes` is not in the dump"]);
    }
}
