//! An index on a column that is nearly always the same.

use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Threshold, whole};
use crate::finding::{Doubt, Effort, Fix, Severity};
use crate::snapshot::parse_array;
use crate::text::{Text, counted};
use crate::unit::{Quantity, Unit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "index-low-cardinality",
    title: "Index on a column that is nearly always the same",
    needs: &[
        Need::View("index_definitions", &["indexrelid", "indexdef"]),
        Need::View("pg_stats", &["attname", "n_distinct", "most_common_freqs"]),
    ],
    wants: &[],
    thresholds: &[
        Threshold { name: "max_distinct", default: 10.0, unit: Unit::Count, about: "A flag, a state." },
        Threshold {
            name: "min_frequency",
            default: 0.9,
            unit: Unit::Share,
            about: "Searched for the common value, the table is read anyway.",
        },
        Threshold {
            name: "min_bytes",
            default: 10.0 * 1_048_576.0,
            unit: Unit::Bytes,
            about: "A smaller index is not worth a thought.",
        },
    ],
    docs: Docs {
        looks_at: "B-trees on one column alone, and how its values are spread (pg_stats).",
        why: "Nine of ten entries are of one value, which no statement is served by; they are written and kept all the same.",
        decides: "Ten different values at most, the most common one in nine of ten rows, ten megabytes. Not of indexes that enforce \
                  something, nor of partial ones. Which value is searched for is not known: rare values are found well by such an \
                  index, so it is information, and no reason to drop it.",
        what_to_do: "Where only a rare value is ever searched for, a partial index on it does the same and is a fraction of the size.",
        ignore_when: "The rare values are searched for, and its size does not matter.",
        references: "PostgreSQL manual, \"Partial Indexes\".",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let mut checked = Checked::default();
    let mut looked = 0;
    for index in &ctx.facts.indexes {
        let Some(def) = index.def().filter(|d| d.method == "btree" && d.predicate.is_none()) else { continue };
        let [key] = def.keys.as_slice() else { continue };
        let bytes = index.bytes().unwrap_or(0) as f64;
        if key.expression
            || index.bound_to().is_some()
            || index.is_unique() == Some(true)
            || bytes < ctx.threshold("min_bytes")
        {
            continue;
        }
        let column = key.text.trim_matches('"');
        let Some(row) = ctx.facts.column(index.schema(), index.table(), column) else { continue };
        looked += 1;
        let distinct = row.f64("n_distinct").unwrap_or(0.0);
        let top =
            row.text("most_common_freqs").map(parse_array).and_then(|f| f.first()?.parse::<f64>().ok()).unwrap_or(0.0);
        if !(distinct > 0.0 && distinct <= ctx.threshold("max_distinct")) || top < ctx.threshold("min_frequency") {
            continue;
        }
        let share = Quantity::float(top, Unit::Share);
        let mut finding = ctx
            .finding(
                Severity::Info,
                index.subject(),
                Text::new().opt(share).t(" of the entries of ").name(index.display()).t(" are one value"),
            )
            .why(
                Text::new()
                    .t("Of its ")
                    .opt(whole(bytes, Unit::Bytes))
                    .t(" only the rest can help a statement. Which values are searched for is not in the dump."),
            )
            .doubts([ctx.facts.planner.and_then(|s| s.doubt()), Some(Doubt::C5)])
            .measure(ctx.read("Different values", row, "n_distinct"))
            .measure(ctx.computed(
                "Most common value",
                share,
                "the first of most_common_freqs".to_owned(),
                &[(row, &["most_common_freqs"])],
            ));
        finding = finding.measures(index.definition.map(|row| ctx.read("Size", row, "index_size")));
        if let Some(change) = index.change {
            finding = finding.measure(ctx.measure("Scans", change, "idx_scan"));
        }
        checked.findings.push(
            finding
                .fix(Fix::diagnose(
                    index.display(),
                    format!(
                        "SELECT {column}, count(*) FROM {} GROUP BY 1 ORDER BY 2 DESC;",
                        index.table_sql(),
                        column = crate::ident::quote_ident(column)
                    ),
                ))
                .verify("A partial index on the rare values is used by the statements that search for them.")
                .effort(Effort::M),
        );
    }
    checked.looked_at = format!("{} on one column, with statistics", counted(looked, "index", "indexes"));
    Ok(checked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::literal::literal;

    fn with(on: &str, bytes: u32, distinct: &str, freqs: &str) -> Vec<String> {
        let b = literal("2026-11-22 12:00:00+00")
            .view(
                "index_definitions",
                "indexrelid | relid | schemaname | relname | indexrelname | indexdef | indisvalid | index_size",
                &[&format!("2 | 1 | app | t | i | CREATE INDEX i ON app.t USING {on} | t | {bytes}")],
            )
            .view(
                "pg_stats",
                "schemaname | tablename | attname | n_distinct | most_common_freqs",
                &[&format!("app | t | done | {distinct} | {freqs}")],
            );
        told(&judge(&RULE, &[b.build()], ""))
    }

    #[test]
    fn finds_what_is_nearly_one_value() {
        assert_eq!(
            with("btree (done)", 20_971_520, "2", "{0.97,0.03}"),
            ["info, medium: app.i: 97% of the entries of app.i are one value"]
        );
    }

    #[test]
    fn stays_quiet_below_each_floor() {
        for (on, bytes, distinct, freqs) in [
            ("btree (done)", 8_192, "2", "{0.97,0.03}"),
            ("btree (done)", 20_971_520, "11", "{0.97,0.03}"),
            ("btree (done)", 20_971_520, "-0.5", "{0.97}"),
            ("btree (done)", 20_971_520, "2", "{0.89,0.11}"),
            ("btree (done) WHERE done", 20_971_520, "2", "{0.97,0.03}"),
            ("btree (done, at)", 20_971_520, "2", "{0.97,0.03}"),
            ("gin (done)", 20_971_520, "2", "{0.97,0.03}"),
        ] {
            assert!(with(on, bytes, distinct, freqs)[0].starts_with("passed: "), "{on} {bytes} {distinct} {freqs}");
        }
    }

    #[test]
    fn says_that_it_cannot_know() {
        let b = literal("2026-11-22 12:00:00+00").build();
        assert_eq!(told(&judge(&RULE, &[b], "")), ["skipped, input missing: `index_definitions` is not in the dump"]);
    }
}
