//! Indexes that take writes and serve no query.

use super::index_ccnew_leftover::is_leftover;
use crate::advisor::index_cure::{drop_index, reindex};
use crate::advisor::running_build::{is_running, is_unseen, look_first, unless_running};
use crate::advisor::{Check, Checked, Context, Docs, IndexFact, Need, Rule};
use crate::finding::{Effort, Fix, Severity};
use crate::ident::quote_ident;
use crate::snapshot::{Row, parse_array};
use crate::text::{Text, counted};
use crate::unit::{Quantity, Unit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "index-invalid",
    title: "Invalid index",
    needs: &[Need::View("index_definitions", &["indexdef", "indisvalid"])],
    wants: &[Need::View("pg_stat_progress_create_index", &["relid"])],
    thresholds: &[],
    docs: Docs {
        looks_at: "`indisvalid` and `indisready` of every index, and builds in progress.",
        why: "An index that a failed CREATE INDEX CONCURRENTLY or REINDEX CONCURRENTLY left behind is maintained by \
              every write but used by no query; one whose build broke off early (`indisready` is false) is not even \
              maintained. A unique one does not guarantee uniqueness: rows that were there before were not checked.",
        decides: "Found when an index is not valid or not ready: medium, high where it was to be unique. Only a note \
                  while an index of that table is being built; less sure, and no statement ready to run, where the dump \
                  cannot show that (no `pg_stat_progress_create_index`, or a standby). A partitioned index is invalid until every partition has \
                  its attached part; then the message says so. Remains named `_ccnew` or `_ccold` are \
                  index-ccnew-leftover's.",
        what_to_do: "Rebuild it with REINDEX INDEX CONCURRENTLY, or drop it where another index does the work. Before \
                     rebuilding a unique index look for duplicates: with duplicates the rebuild fails and leaves a \
                     second invalid index; where `pg_stats` knows of some, dropping it comes first.",
        ignore_when: "A build is known to be running and the dump does not show it.",
        references: "PostgreSQL manual: CREATE INDEX (Building Indexes Concurrently), REINDEX. A second invalid index \
                     after a failed rebuild: observed on PostgreSQL 15.",
    },
    check,
};

fn check(cx: &Context<'_>) -> Check {
    let state = cx.state_or_skip("index_definitions")?;
    let looked_at = format!("{}, all valid", counted(cx.facts.indexes.len(), "index", "indexes"));
    let mut findings = Vec::new();
    for index in cx.facts.indexes.iter().filter(|i| i.is_valid() == Some(false) && !is_leftover(i.name())) {
        findings.push(report(cx, index).doubts([state.doubt()]));
    }
    Ok(Checked { findings, looked_at })
}

fn report<'a>(cx: &Context<'a>, index: &IndexFact<'a>) -> crate::finding::Finding {
    let unique = index.is_unique() == Some(true);
    let building = is_running(cx, index.relid());
    let severity = if building {
        Severity::Info
    } else if unique {
        Severity::High
    } else {
        Severity::Medium
    };
    let size = index.bytes().map(|b| Quantity::int(b, Unit::Bytes));
    let what = if unique {
        "Unique index is invalid: no query uses it, uniqueness is not guaranteed"
    } else {
        "Invalid: no query uses it"
    };
    let mut finding = cx
        .finding(severity, index.subject(), Text::new().t(what).t(" (").opt(size).t(")"))
        .why(match index.definition.and_then(|row| row.bool("indisready")) {
            Some(true) => Text::new().t("Every write to ").name(index.table()).t(" still maintains it."),
            Some(false) => Text::new()
                .t("Its build failed before the index was ready: writes to ")
                .name(index.table())
                .t(" do not maintain it. It serves nothing, and updates of its columns still cannot be heap-only."),
            None => Text::new().t("Writes to ").name(index.table()).t(" may still maintain it."),
        })
        .effort(Effort::S)
        .verify("indisvalid is true, or the index is gone.");
    if let Some(row) = index.definition {
        finding = finding.measure(cx.read("Size", row, "index_size"));
    }
    if let Some(change) = index.change {
        finding = finding.measure(cx.measure("Scans", change, "idx_scan"));
    }
    if building {
        return finding.not("An index of this table is being built at the time of the snapshot: this may be it.");
    }
    if index.is_partitioned() {
        return finding.not(
            "A partitioned index is invalid until every partition has its part attached: attach the missing ones.",
        );
    }
    let unseen = is_unseen(cx);
    let settle = |fix: Fix| if unseen { unless_running(fix) } else { fix };
    if unseen {
        finding = look_first(finding, &index.display());
    }
    let mut rebuild = reindex(index);
    if unique {
        rebuild = rebuild.when_not(
            "While rows are equal in its columns: the rebuild then fails on them and leaves a second invalid index. Nor \
             while disk space for a second copy of the index is not free, or while transactions stay open for hours: it \
             waits for them.",
        );
        finding = finding.fixes(duplicates(index).map(|sql| Fix::diagnose(index.display(), sql)));
    }
    let drop = drop_index(index).map(|fix| if unique { undone_without_duplicates(fix) } else { fix });
    let repeats = unique.then(|| repeated(cx, index)).flatten();
    if let (Some(row), Some(drop)) = (repeats, &drop) {
        let drop = drop.clone().when_not("When it is wanted: then the equal rows have to go first, and it is rebuilt.");
        return finding
            .measure(cx.read("Distinct values (planner)", row, "n_distinct"))
            .not("At the last ANALYZE values of its column stood in several rows: while they do, a rebuild fails.")
            .fix(settle(drop))
            .fix(Fix { instead: true, ..settle(rebuild) });
    }
    finding = finding.fix(settle(rebuild));
    let drop = drop.map(|fix| fix.when_not("When it is wanted: then rebuild it instead, above."));
    finding.fixes(drop.map(|fix| Fix { instead: true, ..settle(fix) }))
}

/// The planner's sample of the only column of a unique index, where it has a value that stands in several rows.
fn repeated<'a>(cx: &Context<'a>, index: &IndexFact<'a>) -> Option<Row<'a>> {
    let def = index.def().filter(|d| !d.has_expression() && d.predicate.is_none())?;
    let [key] = def.keys.as_slice() else { return None };
    let row = cx.facts.column(index.schema(), index.table(), &key.text)?;
    // Of what is distinct ANALYZE lists no common values: those it lists it has seen more than once.
    row.text("most_common_freqs").is_some_and(|f| !parse_array(f).is_empty()).then_some(row)
}

/// What stood in the way of the build stands in the way of its undo.
pub(super) fn undone_without_duplicates(fix: Fix) -> Fix {
    let undo =
        fix.undo.as_ref().map(|undo| format!("-- fails while rows are equal in its columns, as its build did\n{undo}"));
    Fix { undo, ..fix }
}

/// A query for the rows that stand in the way of a unique index; only where its keys are plain columns.
fn duplicates(index: &IndexFact<'_>) -> Option<String> {
    let def = index.def().filter(|d| !d.has_expression())?;
    let names: Vec<String> = def.keys.iter().map(|k| quote_ident(&k.text)).collect();
    let columns = names.join(", ");
    let mut conditions: Vec<String> = def.predicate.iter().map(|p| format!("({p})")).collect();
    if !def.nulls_not_distinct {
        conditions.extend(names.iter().map(|name| format!("{name} IS NOT NULL")));
    }
    let condition = if conditions.is_empty() { String::new() } else { format!(" WHERE {}", conditions.join(" AND ")) };
    Some(format!(
        "SELECT {columns}, count(*) FROM {}{condition} GROUP BY {columns} HAVING count(*) > 1;",
        index.table_sql()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::running_build::LOOK;
    use crate::advisor::testing::{judge, told};
    use crate::finding::Verb;
    use crate::snapshot::literal::{Literal, literal};

    /// No build was running.
    fn quiet(dump: Literal) -> Literal {
        dump.view("pg_stat_progress_create_index", "pid | relid", &[])
    }

    fn taken(valid: &str, unique: &str) -> Literal {
        let word = if unique == "t" { "UNIQUE " } else { "" };
        literal("2026-11-22 12:00:00+00").view(
            "index_definitions",
            "indexrelid | relid | schemaname | relname | indexrelname | indexdef | indisunique | indisvalid | indisready | index_size",
            &[&format!("7 | 1 | public | orders | uq_ref | CREATE {word}INDEX uq_ref ON public.orders USING btree (ref) | {unique} | {valid} | t | 8192")],
        )
    }

    #[test]
    fn finds_a_failed_unique_build() {
        let outcome = judge(&RULE, &[quiet(taken("f", "t")).build()], "");
        assert_eq!(
            told(&outcome),
            [
                "high, high: public.uq_ref: Unique index is invalid: no query uses it, uniqueness is not guaranteed (8 kB)"
            ]
        );
        let crate::finding::Outcome::Found { findings, .. } = outcome else { panic!() };
        let undo = findings[0].fixes[2].undo.as_deref().unwrap();
        assert!(undo.starts_with("-- fails while rows are equal in its columns"), "{undo}");
        let sql: Vec<&str> = findings[0].fixes.iter().flat_map(|f| f.sql.lines()).collect();
        assert_eq!(
            sql,
            [
                r#"SELECT "ref", count(*) FROM "public"."orders" WHERE "ref" IS NOT NULL GROUP BY "ref" HAVING count(*) > 1;"#,
                "SET statement_timeout = 0; SET lock_timeout = 0;",
                r#"REINDEX INDEX CONCURRENTLY "public"."uq_ref";"#,
                "SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid;",
                "SET statement_timeout = 0; SET lock_timeout = 0;",
                "-- undo: CREATE UNIQUE INDEX CONCURRENTLY uq_ref ON public.orders USING btree (ref);",
                r#"DROP INDEX CONCURRENTLY "public"."uq_ref";"#,
                "SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid;",
            ]
        );
    }

    /// A rebuild that is known to fail is not what to do first.
    #[test]
    fn known_repeats_are_dropped_first() {
        let first = |common: &str| {
            let columns = "schemaname | tablename | attname | inherited | n_distinct | most_common_freqs";
            let dump = quiet(taken("f", "t")).view(
                "pg_stats",
                columns,
                &[&format!("public | orders | ref | f | -0.3 | {common}")],
            );
            let crate::finding::Outcome::Found { findings, .. } = judge(&RULE, &[dump.build()], "") else { panic!() };
            let of = |instead: bool| {
                findings[0]
                    .fixes
                    .iter()
                    .filter(|f| f.verb != Verb::Diagnose && f.instead == instead)
                    .map(|f| f.verb)
                    .collect::<Vec<_>>()
            };
            (of(false), of(true))
        };
        assert_eq!(first("{0.01,0.01}"), (vec![Verb::Drop], vec![Verb::Maintain]));
        assert_eq!(first(""), (vec![Verb::Maintain], vec![Verb::Drop]));
    }

    #[test]
    fn says_whether_writes_maintain_it() {
        let why = |ready: &str| {
            let b = literal("2026-11-22 12:00:00+00").view(
                "index_definitions",
                "indexrelid | relid | schemaname | relname | indexrelname | indexdef | indisvalid | indisready | index_size",
                &[&format!("7 | 1 | public | orders | i | CREATE INDEX i ON public.orders USING btree (a) | f | {ready} | 0")],
            );
            let crate::finding::Outcome::Found { findings, .. } = judge(&RULE, &[b.build()], "") else { panic!() };
            findings[0].why.plain()
        };
        assert_eq!(why("t"), "Every write to orders still maintains it.");
        assert!(
            why("f").ends_with(
                "do not maintain it. It serves nothing, and updates of its columns still cannot be heap-only."
            )
        );
    }

    #[test]
    fn looks_for_duplicates_as_the_index_would() {
        let query = |definition: &str| {
            let b = literal("2026-11-22 12:00:00+00").view(
                "index_definitions",
                "indexrelid | relid | schemaname | relname | indexrelname | indexdef | indisunique | indisvalid",
                &[&format!(
                    "7 | 1 | public | o | i | CREATE UNIQUE INDEX i ON public.o USING btree {definition} | t | f"
                )],
            );
            let crate::finding::Outcome::Found { findings, .. } = judge(&RULE, &[b.build()], "") else { panic!() };
            findings[0].fixes[1].sql.clone()
        };
        assert_eq!(
            query("(a, b) WHERE (c OR d)"),
            r#"SELECT "a", "b", count(*) FROM "public"."o" WHERE ((c OR d)) AND "a" IS NOT NULL AND "b" IS NOT NULL GROUP BY "a", "b" HAVING count(*) > 1;"#
        );
        assert_eq!(
            query("(a) NULLS NOT DISTINCT"),
            r#"SELECT "a", count(*) FROM "public"."o" GROUP BY "a" HAVING count(*) > 1;"#
        );
    }

    #[test]
    fn a_build_in_progress_is_only_a_note() {
        let b = taken("f", "f").view("pg_stat_progress_create_index", "pid | relid", &["900 | 1"]).build();
        assert_eq!(told(&judge(&RULE, &[b], "")), ["info, high: public.uq_ref: Invalid: no query uses it (8 kB)"]);
    }

    /// A build that runs looks the same, and a rebuild or a drop beside it breaks it off.
    #[test]
    fn nothing_is_ready_to_run_where_a_running_build_cannot_be_seen() {
        let standby = quiet(taken("f", "t").meta(|m| m.in_recovery = Some(true)));
        for dump in [taken("f", "t"), standby] {
            let outcome = judge(&RULE, &[dump.build()], "");
            assert!(told(&outcome)[0].starts_with("high, medium: public.uq_ref"), "{outcome:?}");
            let crate::finding::Outcome::Found { findings, .. } = outcome else { panic!() };
            assert!(findings[0].fixes[0].sql.starts_with(LOOK));
            for fix in findings[0].fixes.iter().filter(|f| f.verb != Verb::Diagnose) {
                assert!(fix.sql.lines().skip(1).all(|line| line.starts_with("-- ")), "{}", fix.sql);
            }
        }
    }

    #[test]
    fn stays_quiet_and_skips() {
        assert_eq!(told(&judge(&RULE, &[taken("t", "t").build()], "")), ["passed: 1 index, all valid"]);
        let b = literal("2026-11-22 12:00:00+00").build();
        assert_eq!(told(&judge(&RULE, &[b], "")), ["skipped, input missing: `index_definitions` is not in the dump"]);
    }
}
