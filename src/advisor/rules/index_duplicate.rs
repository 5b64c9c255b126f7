//! Two indexes with the same definition.

use crate::advisor::index_cure::{drop_index, order_to_keep};
use crate::advisor::indexdef::IndexDef;
use crate::advisor::{Check, Checked, Context, Docs, IndexFact, Need, Rule, Threshold};
use crate::finding::{Doubt, Effort, Severity};
use crate::text::Text;
use crate::unit::{Quantity, Unit};
use std::collections::BTreeMap;

/// The rule.
pub const RULE: Rule = Rule {
    id: "index-duplicate",
    title: "Index exists twice",
    needs: &[Need::View("index_definitions", &["indexdef"])],
    wants: &[Need::View("pg_stat_user_indexes", &["idx_scan"]), Need::View("constraints", &["conindid"])],
    thresholds: &[Threshold {
        name: "medium_bytes",
        default: 104_857_600.0,
        unit: Unit::Bytes,
        about: "From here on the second copy is a measurable part of disk, cache and WAL.",
    }],
    docs: Docs {
        looks_at: "The definitions of all valid indexes of each table: keys with collation, operator class and order, \
                   included columns, condition, access method, NULLS NOT DISTINCT; and the constraints.",
        why: "Every write to the table maintains both; only one of them is needed to find rows. The second costs disk, \
              cache, WAL and vacuum time and gives nothing.",
        decides: "Found when all of that is equal, or equal once the order of all keys is turned round: a B-tree is read \
                  in both directions. The one to keep is chosen in this order: bound to a constraint, unique, most scans, \
                  oldest. Low, medium from `medium_bytes` on. A unique index goes where the one that stays is unique too, \
                  checks at once, and no foreign key rests on the one that goes. Where that is not so, or not known, and \
                  for two constraints, both are only mentioned. Invalid indexes are left to index-invalid, remains of a \
                  rebuild to index-ccnew-leftover.",
        what_to_do: "Drop the copy with CONCURRENTLY; the definition stands beside it as undo.",
        ignore_when: "One of the two is being built to replace the other.",
        references: "PostgreSQL manual: CREATE INDEX, DROP INDEX.",
    },
    check,
};

fn check(cx: &Context<'_>) -> Check {
    let state = cx.state_or_skip("index_definitions")?;
    let mut groups: BTreeMap<String, Vec<(&IndexFact<'_>, IndexDef)>> = BTreeMap::new();
    let mut looked = 0;
    for index in &cx.facts.indexes {
        // A partitioned index stands for its partitions' indexes; those are dropped with it.
        if index.is_valid() == Some(false) || index.parent().is_some() {
            continue;
        }
        let Some(def) = index.def() else { continue };
        looked += 1;
        // Copies have the same keys: on a table of many indexes not each is held against all others.
        let content = format!("{:?}.{:?} {:?}", index.schema(), index.table(), def.ascending());
        groups.entry(content).or_default().push((index, def));
    }
    let mut findings = Vec::new();
    for mut group in groups.into_values().filter(|g| g.len() > 1) {
        group.sort_by(|a, b| order_to_keep(a.0, b.0));
        let mut kept: Vec<(&IndexFact<'_>, IndexDef)> = Vec::new();
        for (index, def) in group {
            let Some(twin) = kept.iter().find(|(_, k)| k.same_content(&def)).map(|(i, _)| *i) else {
                kept.push((index, def));
                continue;
            };
            findings.push(report(cx, index, twin, &def, state.doubt()));
        }
    }
    Ok(Checked { findings, looked_at: format!("{looked} index definitions compared") })
}

fn report<'a>(
    cx: &Context<'a>,
    index: &IndexFact<'a>,
    twin: &IndexFact<'a>,
    def: &IndexDef,
    doubt: Option<Doubt>,
) -> crate::finding::Finding {
    let promise = promise(cx, index, twin);
    let enforces = promise.is_some();
    let bytes = index.bytes();
    let severity = match bytes {
        _ if enforces => Severity::Info,
        Some(b) if b as f64 >= cx.threshold("medium_bytes") => Severity::Medium,
        _ => Severity::Low,
    };
    let size = bytes.map(|b| Quantity::int(b, Unit::Bytes));
    let title =
        Text::new().t("The same index as ").name(twin.display()).t(" on ").name(index.table()).t(", ").opt(size);
    let turned = twin.def().is_some_and(|kept| kept.keys != def.keys);
    let why = Text::new()
        .t("Both index ")
        .code(def.keys_for_people())
        .t(" of the same rows")
        .t(if turned { ", one in the direction opposite to the other, and a B-tree is read both ways" } else { "" })
        .t(". Every write maintains both, and a search needs one.");
    let share = bytes.zip(cx.facts.total_bytes()).map(|(b, all)| b as f64 / all.max(1.0));
    let mut finding =
        cx.finding(severity, index.subject(), title).doubts([doubt]).why(why).share(share).effort(Effort::S).verify(
            "The kept index serves the scans: its idx_scan goes on rising, and no statement on the table got slower.",
        );
    for one in [index, twin] {
        if let Some(row) = one.definition {
            finding = finding.measure(cx.read(&format!("Size of {}", one.display()), row, "index_size"));
        }
        if let Some(change) = one.change {
            finding = finding.measure(cx.measure(&format!("Scans of {}", one.display()), change, "idx_scan"));
        }
    }
    if let Some(promise) = promise {
        return finding.not(promise);
    }
    finding.fixes(drop_index(index).map(|fix| {
        fix.keeps(twin.display())
            .when_not(Text::new().t("While ").name(twin.display()).t(" is itself being rebuilt or dropped."))
    }))
}

/// What would go with the copy that its twin does not promise as well.
fn promise(cx: &Context<'_>, index: &IndexFact<'_>, twin: &IndexFact<'_>) -> Option<&'static str> {
    if index.bound_to().is_some() {
        return Some("Both enforce uniqueness or a constraint: which one is not needed, only its owner can say.");
    }
    if index.is_unique() != Some(true) {
        return None;
    }
    let at_once = twin.definition.and_then(|d| d.bool("indimmediate"));
    if at_once == Some(false) {
        return Some(
            "They do not promise the same: the constraint of the other one may wait until the end of a transaction, \
             this one is checked with each row.",
        );
    }
    let known = at_once.and(cx.state("constraints")).map(|s| s.table).filter(|t| t.has("conindid"));
    let Some((constraints, oid)) = known.zip(index.indexrelid()) else {
        return Some("Both enforce uniqueness: whether a foreign key rests on this one, the dump does not say.");
    };
    constraints
        .iter()
        .any(|c| c.text("contype") == Some("f") && c.int("conindid") == Some(oid))
        .then_some("A foreign key rests on this one: it would have to be made anew first, on the other.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::literal::literal;
    use std::sync::Arc;

    const COLUMNS: &str = "indexrelid | relid | schemaname | relname | indexrelname | indexdef | indisunique | indisprimary | indisvalid | indisready | constraint_name | index_size";

    fn taken(rows: &[&str]) -> Arc<crate::snapshot::Snapshot> {
        literal("2026-11-22 12:00:00+00").view("index_definitions", COLUMNS, rows).build()
    }

    #[test]
    fn finds_the_younger_copy() {
        let b = taken(&[
            "11 | 1 | public | t | b_dup | CREATE INDEX b_dup ON public.t USING btree (a, b DESC) | f | f | t | t |  | 16384",
            "10 | 1 | public | t | a_old | CREATE INDEX a_old ON public.t USING btree (a, b DESC) | f | f | t | t |  | 16384",
        ]);
        let outcome = judge(&RULE, &[b], "");
        assert_eq!(told(&outcome), ["low, high: public.b_dup: The same index as public.a_old on t, 16 kB"]);
        let crate::finding::Outcome::Found { findings, .. } = outcome else { panic!() };
        assert_eq!(findings[0].fixes[0].sql.lines().nth(2), Some(r#"DROP INDEX CONCURRENTLY "public"."b_dup";"#));
        assert_eq!(findings[0].fixes[0].keeps, ["public.a_old"]);
    }

    #[test]
    fn never_proposes_to_drop_what_enforces_something() {
        let b = taken(&[
            "10 | 1 | public | t | t_pkey | CREATE UNIQUE INDEX t_pkey ON public.t USING btree (a) | t | t | t | t | t_pkey | 16384",
            "11 | 1 | public | t | t_a_key | CREATE UNIQUE INDEX t_a_key ON public.t USING btree (a) | t | f | t | t | t_a_key | 16384",
            "12 | 1 | public | t | t_a | CREATE INDEX t_a ON public.t USING btree (a) | f | f | t | t |  | 209715200",
        ]);
        assert_eq!(
            told(&judge(&RULE, &[b], "")),
            [
                "medium, high: public.t_a: The same index as public.t_pkey on t, 200 MB",
                "info, high: public.t_a_key: The same index as public.t_pkey on t, 16 kB",
            ]
        );
    }

    #[test]
    fn a_plain_unique_index_goes_where_a_constraint_promises_the_same() {
        let of = |immediate: &str, constraints: Option<&str>| {
            let index = |oid: u32, name: &str, constraint: &str, immediate: &str| {
                format!(
                    "{oid} | 1 | public | t | {name} | CREATE UNIQUE INDEX {name} ON public.t USING btree (a) | t | f | t | t | {constraint} | 16384 | {immediate}"
                )
            };
            let rows = [index(10, "t_a_key", "t_a_key", immediate), index(11, "t_a", "", "t")];
            let columns = format!("{COLUMNS} | indimmediate");
            let b = literal("2026-11-22 12:00:00+00").view("index_definitions", &columns, &[&rows[0], &rows[1]]);
            let b = match constraints {
                Some(row) => b.view("constraints", "oid | relid | contype | conindid", &["7 | 1 | u | 10", row]),
                None => b,
            };
            let crate::finding::Outcome::Found { findings, .. } = judge(&RULE, &[b.build()], "") else { panic!() };
            let not = findings[0].not.as_ref().map(Text::plain).unwrap_or_default();
            (findings[0].severity, findings[0].fixes.len(), not)
        };
        assert_eq!(of("t", Some("8 | 2 | f | 10")), (Severity::Low, 1, String::new()));
        for (immediate, constraints, reason) in [
            ("t", Some("8 | 2 | f | 11"), "A foreign key rests on this one"),
            ("f", Some("8 | 2 | f | 10"), "They do not promise the same"),
            ("t", None, "the dump does not say"),
        ] {
            let (severity, fixes, not) = of(immediate, constraints);
            assert_eq!((severity, fixes), (Severity::Info, 0), "{reason}");
            assert!(not.contains(reason), "{not}");
        }
    }

    #[test]
    fn a_b_tree_turned_round_is_a_copy() {
        let b = taken(&[
            "10 | 1 | public | t | up | CREATE INDEX up ON public.t USING btree (a, b DESC) | f | f | t | t |  | 16384",
            "11 | 1 | public | t | down | CREATE INDEX down ON public.t USING btree (a DESC, b) | f | f | t | t |  | 16384",
        ]);
        assert_eq!(told(&judge(&RULE, &[b], "")), ["low, high: public.down: The same index as public.up on t, 16 kB"]);
    }

    #[test]
    fn stays_quiet_where_anything_differs() {
        let def = |oid: u32, rest: &str| {
            format!(
                "{oid} | 1 | public | t | i{oid} | CREATE INDEX i{oid} ON public.t USING {rest} | f | f | t | t |  | 16384"
            )
        };
        let rows = [
            def(1, "btree (a)"),
            def(2, "btree (a DESC NULLS LAST)"),
            def(3, "btree (a text_pattern_ops)"),
            def(4, "btree (a) INCLUDE (b)"),
            def(5, "btree (a) WHERE (b IS NULL)"),
            def(6, "hash (a)"),
            def(7, "btree (a) NULLS NOT DISTINCT"),
            "8 | 1 | public | t | i8 | CREATE INDEX i8 ON public.t USING btree (a) | f | f | f | t |  | 16384"
                .to_owned(),
        ];
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        assert_eq!(told(&judge(&RULE, &[taken(&rows)], "")), ["passed: 7 index definitions compared"]);
    }

    #[test]
    fn skips_without_definitions() {
        let b = literal("2026-11-22 12:00:00+00").build();
        assert_eq!(told(&judge(&RULE, &[b], "")), ["skipped, input missing: `index_definitions` is not in the dump"]);
    }
}
