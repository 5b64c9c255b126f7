//! Sequences wider than the column they feed.

use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Threshold, show};
use crate::finding::{Effort, Fix, Severity, Subject, SubjectKind};
use crate::snapshot::Row;
use crate::text::{Text, counted};
use crate::unit::{Quantity, Unit};
use std::collections::HashMap;

/// The rule.
pub const RULE: Rule = Rule {
    id: "seq-type-mismatch",
    title: "Sequence wider than its column",
    needs: &[
        Need::View("pg_sequences", &["sequencename", "data_type", "max_value"]),
        Need::View("sequence_columns", &["column_type"]),
    ],
    wants: &[],
    thresholds: &[Threshold {
        name: "max_used",
        default: 0.5,
        unit: Unit::Share,
        about: "From half of the column's range on seq-exhaustion says it.",
    }],
    docs: Docs {
        looks_at: "The largest value of each sequence against the largest value of the column it feeds.",
        why: "The sequence looks as if it lasted for ever, also to monitoring that looks at its own limit; the column overflows long \
              before.",
        decides: "The sequence may go beyond its column's type (smallint or integer). From half of the column's range on seq-exhaustion \
                  reports it instead.",
        what_to_do: "Widen the column to bigint while the table is small, with the foreign keys that point to it; or give the sequence \
                     the column's limit, so that what watches sequences sees the true end.",
        ignore_when: "The table will never hold so many rows.",
        references: "PostgreSQL manual, \"Numeric Types\"; \"ALTER SEQUENCE\".",
    },
    check,
};

fn largest(column_type: &str) -> Option<i64> {
    match column_type {
        "smallint" | "int2" => Some(i64::from(i16::MAX)),
        "integer" | "int4" | "int" => Some(i64::from(i32::MAX)),
        _ => None,
    }
}

fn check(cx: &Context<'_>) -> Check {
    fn key<'a>(row: &Row<'a>) -> (&'a str, &'a str) {
        (row.text("schemaname").unwrap_or_default(), row.text("sequencename").unwrap_or_default())
    }
    let sequences = cx.state_or_skip("pg_sequences")?;
    let columns = cx.state_or_skip("sequence_columns")?;
    let fed: HashMap<_, _> = columns.table.iter().map(|r| (key(&r), r)).collect();
    let mut checked = Checked::default();
    for row in sequences.table.iter() {
        let (schema, name) = key(&row);
        let Some(column) = fed.get(&(schema, name)) else { continue };
        let kind = column.text("column_type").unwrap_or_default();
        let (Some(limit), Some(most)) = (largest(kind), row.int("max_value")) else { continue };
        let used = row.f64("last_value").unwrap_or(0.0).max(0.0) / limit as f64;
        if most <= limit || row.int("increment_by").is_some_and(|n| n < 0) || used >= cx.threshold("max_used") {
            continue;
        }
        let of = |c: &str| column.text(c).unwrap_or_default();
        let table = crate::ident::display_qualified(of("table_schemaname"), of("table_relname"));
        checked.findings.push(
            cx.finding(
                Severity::Low,
                Subject::qualified(SubjectKind::Sequence, schema, name),
                Text::new()
                    .t("Feeds ")
                    .name(format!("{table}.{}", crate::ident::visible(of("column_name"))))
                    .t(format!(", of type {kind}, which ends at "))
                    .n(Quantity::int(limit, Unit::Count)),
            )
            .why("The sequence itself lasts for ever; the column overflows first, and what watches the sequence does not see it.")
            .doubts([sequences.doubt().or(columns.doubt())])
            .measure(cx.read("Largest value of the sequence", row, "max_value"))
            .measure(cx.computed(
                "Used of the column's range",
                Quantity::float(used, Unit::Share),
                format!("{} ÷ {}", show(used * limit as f64, Unit::Count), show(limit as f64, Unit::Count)),
                &[(row, &["last_value"])],
            ))
            .fix(Fix::diagnose(
                table,
                format!(
                    "SELECT conrelid::regclass, conname, pg_get_constraintdef(oid) FROM pg_constraint\nWHERE contype = 'f' AND confrelid = {}::regclass;",
                    crate::ident::quote_regclass(of("table_schemaname"), of("table_relname"))
                ),
            ))
            .verify("The column is of type bigint, or the sequence ends where the column does.")
            .effort(Effort::L),
        );
    }
    checked.looked_at = counted(fed.len(), "sequence that feeds a column", "sequences that feed columns");
    Ok(checked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::literal::literal;

    fn say(sequence: &str, column: &str) -> Vec<String> {
        let b = literal("2026-11-22 12:00:00+00")
            .view(
                "pg_sequences",
                "schemaname | sequencename | data_type | min_value | max_value | increment_by | last_value",
                &[&format!("public | s | {sequence}")],
            )
            .view(
                "sequence_columns",
                "relid | schemaname | sequencename | table_schemaname | table_relname | column_name | column_type",
                &[&format!("1 | public | s | public | t | id | {column}")],
            )
            .build();
        told(&judge(&RULE, &[b], ""))
    }

    const WIDE: &str = "bigint | 1 | 9223372036854775807 | 1 |";

    #[test]
    fn a_wide_sequence_of_a_narrow_column_is_told() {
        assert_eq!(
            say(&format!("{WIDE} 900"), "integer"),
            ["low, high: public.s: Feeds public.t.id, of type integer, which ends at 2,147,483,647"]
        );
    }

    #[test]
    fn matching_types_and_those_that_run_out_are_left_alone() {
        let quiet = ["passed: 1 sequence that feeds a column"];
        assert_eq!(say(&format!("{WIDE} 900"), "bigint"), quiet);
        assert_eq!(say("integer | 1 | 2147483647 | 1 | 900", "integer"), quiet);
        assert_eq!(say(&format!("{WIDE} 2000000000"), "integer"), quiet);
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert_eq!(
            crate::advisor::testing::told_of_nothing(&RULE),
            "skipped, input missing: `pg_sequences` is not in the dump"
        );
    }
}
