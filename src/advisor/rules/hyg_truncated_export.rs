//! An export that a LIMIT cut.

use crate::advisor::{Check, Checked, Context, Docs, Rule};
use crate::diff::cut_by;
use crate::finding::{Confidence, Effort, Severity, Subject, SubjectKind};
use crate::text::{Text, counted};
use crate::unit::{Quantity, Unit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "hyg-truncated-export",
    title: "Export seems to be cut off",
    needs: &[],
    wants: &[],
    thresholds: &[],
    docs: Docs {
        looks_at: "Cumulative views with exactly 10, 20, 25, 50, 100, 200, 500 or 1,000 rows, sorted downwards by one column.",
        why: "What was cut off is missing from every sum: shares are of the exported rows only, and a row that is absent may \
              well exist.",
        decides: "Both signs together. It may be chance: confidence is medium at most.",
        what_to_do: "Export whole views, without LIMIT. `pgretro export-sql` prints the script.",
        ignore_when: "The view really has that many rows.",
        references: "docs/diff.md.",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let mut findings = Vec::new();
    let (last, at) = (ctx.chain.last(), ctx.chain.snapshots.len().saturating_sub(1));
    for (name, table) in &last.tables {
        let Some(column) = table.view.and_then(|view| cut_by(view, table)) else { continue };
        let rows = Quantity::int(i64::try_from(table.rows).unwrap_or(i64::MAX), Unit::Rows);
        findings.push(
            ctx.finding(
                Severity::Info,
                Subject::new(SubjectKind::Data, *name),
                Text::new()
                    .name(*name)
                    .t(" has exactly ")
                    .n(rows)
                    .t(" rows, sorted by ")
                    .code(column)
                    .t(": it seems to be cut off"),
            )
            .why("Sums and shares are of the exported rows only; a row that is absent may exist.")
            .at_most(Confidence::Medium)
            .measure(ctx.seen_in(
                Some(at),
                "Rows",
                Some(rows),
                ctx.all_rows(at, name, &[column], format!("sorted downwards by {column}")),
            ))
            .verify("The next export has the whole view.")
            .effort(Effort::S),
        );
    }
    Ok(Checked { findings, looked_at: format!("{}, none cut off", counted(last.tables.len(), "view", "views")) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::literal::literal;

    #[test]
    fn sees_a_limit() {
        let with = |n: i64| {
            let rows: Vec<String> = (0..n).map(|i| format!("{i} | 5 | {}", 1_000 - i * 7)).collect();
            let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
            let b =
                literal("2026-11-22 12:00:00+00").view("pg_stat_statements", "queryid | dbid | calls", &rows).build();
            told(&judge(&RULE, &[b], ""))
        };
        assert_eq!(
            with(20),
            [
                "info, medium: pg_stat_statements: pg_stat_statements has exactly 20 rows, sorted by calls: it seems to be cut off"
            ]
        );
        assert_eq!(with(21), ["passed: 1 view, none cut off"]);
    }
}
