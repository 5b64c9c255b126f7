//! One statement under many ids.

use crate::advisor::sql::canonical;
use crate::advisor::workload::HIDDEN;
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Threshold, secret, show, statement, whole};
use crate::finding::{Effort, Fix, Severity, Subject, SubjectKind};
use crate::snapshot::Row;
use crate::text::{Text, counted};
use crate::unit::{Quantity, Unit};
use std::collections::{BTreeMap, BTreeSet};

/// Most texts that are looked at.
const MAX_TEXTS: usize = 20_000;
/// Groups that are named.
const NAMED: usize = 5;

/// The rule.
pub const RULE: Rule = Rule {
    id: "query-fragmented",
    title: "One statement under many ids",
    needs: &[Need::View("pg_stat_statements", &["queryid", "query"])],
    wants: &[Need::Setting("pg_stat_statements.max")],
    thresholds: &[
        Threshold {
            name: "min_ids",
            default: 20.0,
            unit: Unit::Count,
            about: "Fewer variants of a statement are everyday.",
        },
        Threshold {
            name: "min_share",
            default: 0.2,
            unit: Unit::Share,
            about: "A fifth of the places is taken by variants.",
        },
    ],
    docs: Docs {
        looks_at: "Texts of pg_stat_statements that differ only in how long their lists of values are (IN, VALUES) or in numbers inside of \
                   names (temp_4711).",
        why: "Each variant has a place and counters of its own: no single one shows what the statement takes, and rare statements are \
              evicted for them.",
        decides: "Twenty ids or more of one text so folded; all such groups together a fifth of pg_stat_statements.max.",
        what_to_do: "= ANY($1) with an array in place of IN with a list; unnest of arrays in place of VALUES; temporary tables under a fixed \
                     name. From 18 on PostgreSQL counts lists of any length as one.",
        ignore_when: "The places suffice: nothing is evicted, and somebody sums the variants up.",
        references: "PostgreSQL manual, \"pg_stat_statements\" (pg_stat_statements.max).",
    },
    check,
};

/// The variants of one statement.
#[derive(Default)]
struct Group<'a> {
    ids: BTreeSet<i64>,
    example: Option<Row<'a>>,
}

fn check(ctx: &Context<'_>) -> Check {
    let state = ctx.state_or_skip("pg_stat_statements")?;
    let places = ctx.setting("pg_stat_statements.max").and_then(|s| s.value).unwrap_or(5_000.0).max(1.0);
    let mut groups: BTreeMap<(Option<i64>, String), Group<'_>> = BTreeMap::new();
    let mut looked = 0;
    for row in state.table.iter().take(MAX_TEXTS) {
        let (Some(id), Some(text)) = (row.int("queryid"), row.text("query").filter(|t| *t != HIDDEN)) else { continue };
        let Ok(form) = canonical(text) else { continue };
        looked += 1;
        let group = groups.entry((row.int("dbid"), fold(&form.folded))).or_default();
        group.ids.insert(id);
        group.example = group.example.or(Some(row));
    }
    groups.retain(|_, g| g.ids.len() as f64 >= ctx.threshold("min_ids"));
    let taken: usize = groups.values().map(|g| g.ids.len()).sum();
    let share = taken as f64 / places;
    let looked_at = format!(
        "{} in {} of {} places",
        counted(looked, "text", "texts"),
        show(share, Unit::Share),
        show(places, Unit::Count)
    );
    if groups.is_empty() || share < ctx.threshold("min_share") {
        return Ok(Checked { findings: Vec::new(), looked_at });
    }
    let mut largest: Vec<Group<'_>> = groups.into_values().collect();
    largest.sort_by_key(|g| (std::cmp::Reverse(g.ids.len()), g.ids.first().copied()));
    let headline = |g: &Group<'_>| {
        let text = g.example.and_then(|r| r.text("query")).filter(|t| secret::find(t).is_none());
        let text = text.map_or_else(|| "(its text is not shown)".to_owned(), |t| statement::one_line(t, 72));
        format!("{text}: {}", counted(g.ids.len(), "id", "ids"))
    };
    let rows: Vec<_> =
        largest.iter().filter_map(|g| Some((g.example?, ["query", "queryid"].as_slice()))).take(NAMED).collect();
    let finding = ctx
        .finding(
            Severity::Low,
            Subject::new(SubjectKind::Data, "pg_stat_statements"),
            Text::new()
                .opt(whole(taken as f64, Unit::Count))
                .t(" places are taken by ")
                .many(Quantity::count(largest.len()), "statement in many variants", "statements in many variants"),
        )
        .why("Variants differ in the length of a list or a number in a name only. No single one shows what the statement takes.")
        .doubts([state.doubt()])
        .members(largest.iter().take(NAMED).map(|g| Subject::new(SubjectKind::Statement, headline(g))).collect())
        .measure(ctx.computed(
            "Share of the places",
            Quantity::float(share, Unit::Share),
            format!(
                "{} places of {} ÷ {}",
                show(taken as f64, Unit::Count),
                counted(largest.len(), "statement", "statements"),
                show(places, Unit::Count)
            ),
            &rows,
        ))
        .fix(Fix::diagnose(
            "pg_stat_statements",
            "SELECT left(regexp_replace(query, '\\$\\d+', '?', 'g'), 60) AS begins, count(*) AS ids, sum(calls) AS calls\n\
             FROM pg_stat_statements GROUP BY 1 ORDER BY 2 DESC LIMIT 20;",
        ))
        .verify("The statements stand under few ids in the next snapshot.")
        .effort(Effort::M);
    Ok(Checked { findings: vec![finding], looked_at })
}

/// Rows of VALUES as one, numbers in names as one.
fn fold(folded: &str) -> String {
    let mut out = folded.to_owned();
    while out.contains("( $ ) , ( $ )") {
        out = out.replace("( $ ) , ( $ )", "( $ )");
    }
    let words = out.split(' ').map(|word| {
        if word.len() < 2 || !word.contains(|c: char| c.is_ascii_digit()) {
            return word.to_owned();
        }
        let mut name = String::with_capacity(word.len());
        for c in word.chars() {
            match c {
                '0'..='9' if name.ends_with('#') => {}
                '0'..='9' => name.push('#'),
                other => name.push(other),
            }
        }
        name
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told, told_of_nothing};
    use crate::snapshot::literal::literal;

    fn with(texts: &[String], places: u32) -> Vec<String> {
        let rows: Vec<String> = texts.iter().enumerate().map(|(i, t)| format!("10 | 5 | {i} | {t} | 1")).collect();
        let b = literal("2026-11-22 12:00:00+00")
            .view("pg_settings", "name | setting", &[&format!("pg_stat_statements.max | {places}")])
            .view(
                "pg_stat_statements",
                "userid | dbid | queryid | query | calls",
                &rows.iter().map(String::as_str).collect::<Vec<_>>(),
            );
        told(&judge(&RULE, &[b.build()], ""))
    }

    fn list(n: usize) -> String {
        (1..=n).map(|i| format!("${i}")).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn finds_lists_rows_and_names_that_only_differ_in_number() {
        let variants: [fn(usize) -> String; 3] = [
            |n| format!("select * from t where a in ({})", list(n + 1)),
            |n| format!("insert into t values {}", vec!["($1, $2)"; n + 1].join(", ")),
            |n| format!("select * from temp_{n}_x where a = $1"),
        ];
        for variant in variants {
            let texts: Vec<String> = (0..30).map(variant).collect();
            let want = "low, high: pg_stat_statements: 30 places are taken by 1 statement in many variants";
            assert_eq!(with(&texts, 100), [want], "{}", texts[2]);
        }
    }

    #[test]
    fn stays_quiet_where_they_are_few_or_places_are_many() {
        let texts =
            |n: usize| (0..n).map(|i| format!("select * from t where a in ({})", list(i + 1))).collect::<Vec<_>>();
        assert!(with(&texts(19), 20)[0].starts_with("passed"));
        assert!(with(&texts(30), 5_000)[0].starts_with("passed"));
        let others: Vec<String> = (0..40).map(|i| format!("select {} from t", "a, ".repeat(i) + "b")).collect();
        assert!(with(&others, 100)[0].starts_with("passed"), "different columns are different statements");
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert_eq!(told_of_nothing(&RULE), "skipped, input missing: `pg_stat_statements` is not in the dump");
    }
}
