//! An index whose keys are the first keys of another one.

use crate::advisor::index_cure::{drop_index, order_to_keep};
use crate::advisor::indexdef::IndexDef;
use crate::advisor::{Check, Checked, Context, Docs, IndexFact, Need, Rule, Threshold};
use crate::finding::{Doubt, Effort, Severity};
use crate::text::{Text, counted};
use crate::unit::{Quantity, Unit};
use std::collections::BTreeMap;

/// The rule.
pub const RULE: Rule = Rule {
    id: "index-redundant-prefix",
    title: "Index is the beginning of a longer one",
    needs: &[Need::View("index_definitions", &["indexdef"])],
    wants: &[Need::View("pg_stat_user_indexes", &["idx_scan"])],
    thresholds: &[
        Threshold {
            name: "medium_bytes",
            default: 1_073_741_824.0,
            unit: Unit::Bytes,
            about: "From here on the shorter index is a measurable part of disk and cache.",
        },
        Threshold {
            name: "narrow_factor",
            default: 4.0,
            unit: Unit::Times,
            about: "A longer index this many times larger is dearer to read and cache than the short one.",
        },
    ],
    docs: Docs {
        looks_at: "Pairs of valid B-trees of one table, where the keys of one are the first keys of the other with the \
                   same collation, operator class and order, the same condition, and everything it includes.",
        why: "The longer index can do every search of the shorter one, so the shorter one mostly costs: each insert and \
              each update that is not heap-only writes both.",
        decides: "Found for a shorter index that is not unique and bound to no constraint. Low, medium from \
                  `medium_bytes` on. Only a note where the longer index is more than `narrow_factor` times larger and \
                  the shorter one is scanned more often: then the narrow index earns its place. Never the other way \
                  round: an index on (b, a) does not replace one on (a), also not with the skip scan of PostgreSQL 18.",
        what_to_do: "Drop the shorter index with CONCURRENTLY, and watch the statements on the table. The longer one \
                     must stay: do not drop both. Of equal indexes only the one that index-duplicate keeps is looked at.",
        ignore_when: "The shorter index is there to be small: index-only scans or a hot lookup that must stay in cache.",
        references: "PostgreSQL manual: Multicolumn Indexes, B-Tree deduplication, DROP INDEX.",
    },
    check,
};

fn check(cx: &Context<'_>) -> Check {
    let state = cx.state_or_skip("index_definitions")?;
    let mut tables: BTreeMap<(&str, &str), Vec<(&IndexFact<'_>, IndexDef)>> = BTreeMap::new();
    for index in cx.facts.indexes.iter().filter(|i| i.is_valid() != Some(false) && i.parent().is_none()) {
        if let Some(def) = index.def() {
            tables.entry((index.schema(), index.table())).or_default().push((index, def));
        }
    }
    let mut checked = Checked {
        looked_at: format!("indexes of {} compared", counted(tables.len(), "table", "tables")),
        ..Checked::default()
    };
    for indexes in tables.values() {
        for (short, def) in indexes {
            // A unique index is a promise about the rows, not only a way to find them.
            if def.unique || short.bound_to().is_some() {
                continue;
            }
            // Of equal ones, that which stays: the others are index-duplicate's.
            let better = |(i, d): &(&IndexFact<'_>, IndexDef)| {
                i.indexrelid() != short.indexrelid() && d.same_content(def) && order_to_keep(i, short).is_lt()
            };
            if indexes.iter().any(better) {
                continue;
            }
            let longer = indexes.iter().filter(|(_, other)| def.is_prefix_of(other));
            // The smallest replacement is the cheapest to read instead.
            let Some((long, long_def)) =
                longer.min_by_key(|(i, d)| (i.bytes().unwrap_or(i64::MAX), d.keys.len(), i.name()))
            else {
                continue;
            };
            checked.findings.push(report(cx, short, def, long, long_def, state.doubt()));
        }
    }
    Ok(checked)
}

fn report<'a>(
    cx: &Context<'a>,
    short: &IndexFact<'a>,
    def: &IndexDef,
    long: &IndexFact<'a>,
    long_def: &IndexDef,
    doubt: Option<Doubt>,
) -> crate::finding::Finding {
    let bytes = short.bytes();
    let much_larger = bytes.zip(long.bytes()).is_some_and(|(s, l)| l as f64 > cx.threshold("narrow_factor") * s as f64);
    let busier = short.scans().unwrap_or(0) > long.scans().unwrap_or(0);
    let severity = match bytes {
        _ if much_larger && busier => Severity::Info,
        Some(b) if b as f64 >= cx.threshold("medium_bytes") => Severity::Medium,
        _ => Severity::Low,
    };
    let size = bytes.map(|b| Quantity::int(b, Unit::Bytes));
    let title =
        Text::new().code(def.keys_for_people()).t(" is the beginning of ").name(long.display()).t(", ").opt(size);
    let why = Text::new()
        .name(long.display())
        .t(" on ")
        .code(long_def.keys_for_people())
        .t(" can do every search of this one, and every write maintains both.");
    let share = bytes.zip(cx.facts.total_bytes()).map(|(b, all)| b as f64 / all.max(1.0));
    let mut finding = cx
        .finding(severity, short.subject(), title)
        .doubts([doubt])
        .why(why)
        .share(share)
        .effort(Effort::S)
        .verify("Scans move to the longer index: its idx_scan rises by what this one had, and mean times on the table stay.");
    for one in [short, long] {
        if let Some(row) = one.definition {
            finding = finding.measure(cx.read(&format!("Size of {}", one.display()), row, "index_size"));
        }
        if let Some(change) = one.change {
            finding = finding.measure(cx.measure(&format!("Scans of {}", one.display()), change, "idx_scan"));
        }
    }
    if severity == Severity::Info {
        return finding
            .not("The longer index is much larger and this one is scanned more: the narrow index earns its place.");
    }
    finding.fixes(drop_index(short).map(|fix| {
        fix.keeps(long.display()).when_not(
            Text::new()
                .t("When ")
                .name(long.display())
                .t(" is about to go, or lookups need the narrow index in cache."),
        )
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{advise, judge, told};
    use crate::snapshot::literal::literal;
    use std::sync::Arc;

    fn taken(rows: &[&str]) -> Arc<crate::snapshot::Snapshot> {
        const COLUMNS: &str = "indexrelid | relid | schemaname | relname | indexrelname | indexdef | indisunique | indisvalid | indisready | index_size";
        let rows: Vec<String> = rows
            .iter()
            .map(|r| {
                let (oid, rest) = r.split_once(' ').unwrap();
                let (flags, keys) = rest.split_once(' ').unwrap();
                let unique = if flags == "u" { "UNIQUE " } else { "" };
                format!("{oid} | 1 | public | t | i{oid} | CREATE {unique}INDEX i{oid} ON public.t USING btree {keys} | {} | t | t | 16384", if flags == "u" { "t" } else { "f" })
            })
            .collect();
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        literal("2026-11-22 12:00:00+00").view("index_definitions", COLUMNS, &rows).build()
    }

    #[test]
    fn finds_the_beginning_of_another() {
        let b = taken(&["1 - (a)", "2 - (a, b)", "3 - (b)"]);
        assert_eq!(told(&judge(&RULE, &[b], "")), ["low, high: public.i1: (a) is the beginning of public.i2, 16 kB"]);
    }

    #[test]
    fn a_copy_is_told_once_by_the_check_of_copies() {
        let b = taken(&["1 - (a)", "2 - (a, b)", "3 - (a)"]);
        assert_eq!(told(&judge(&RULE, &[b], "")), ["low, high: public.i1: (a) is the beginning of public.i2, 16 kB"]);
    }

    #[test]
    fn leaves_unique_indexes_and_the_other_way_round() {
        let b = taken(&["1 u (a)", "2 - (a, b)", "3 - (b, a, c)"]);
        assert_eq!(told(&judge(&RULE, &[b], "")), ["passed: indexes of 1 table compared"]);
    }

    #[test]
    fn a_chain_of_three_never_drops_what_replaces_another() {
        let b = taken(&["1 - (a)", "2 - (a, b)", "3 - (a, b, c)"]);
        let advice = advise(&[&RULE], &[b], "");
        let dropped: Vec<&str> = advice.actions.iter().flat_map(|a| &a.fixes).map(|f| f.object.as_str()).collect();
        assert_eq!(advice.findings().len(), 2);
        assert_eq!(dropped, ["public.i1"], "i1 rests on i2, so i2 is not dropped in the same plan");
    }

    #[test]
    fn skips_without_definitions() {
        let b = literal("2026-11-22 12:00:00+00").build();
        assert_eq!(told(&judge(&RULE, &[b], "")), ["skipped, input missing: `index_definitions` is not in the dump"]);
    }
}
