//! What a failed REINDEX CONCURRENTLY left behind.

use super::index_invalid::undone_without_duplicates;
use crate::advisor::index_cure::drop_index;
use crate::advisor::running_build::{is_running, is_unseen, look_first, unless_running};
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule};
use crate::finding::{Effort, Severity};
use crate::text::{Text, counted};
use crate::unit::{Quantity, Unit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "index-ccnew-leftover",
    title: "Remains of a failed concurrent rebuild",
    needs: &[Need::View("index_definitions", &["indexdef", "indisvalid"])],
    wants: &[Need::View("pg_stat_progress_create_index", &["relid"])],
    thresholds: &[],
    docs: Docs {
        looks_at: "Invalid indexes whose name ends in `_ccnew` or `_ccold`, with or without a number.",
        why: "REINDEX CONCURRENTLY builds a copy under such a name and drops the old index at the end. Where it failed \
              or was cancelled the copy stays: maintained by every write, used by no query.",
        decides: "Found when name and invalidity agree and no index of the table is being built. Low.",
        what_to_do: "Drop it. `_ccnew`: the rebuild failed, the original is still in use. `_ccold`: the rebuild \
                     succeeded, this is the old copy.",
        ignore_when: "A rebuild is known to be running and the dump does not show it.",
        references: "PostgreSQL manual: REINDEX (Rebuilding Indexes Concurrently).",
    },
    check,
};

/// Whether a name is one that REINDEX CONCURRENTLY gives.
pub(super) fn is_leftover(name: &str) -> bool {
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
    stem.ends_with("_ccnew") || stem.ends_with("_ccold")
}

fn check(cx: &Context<'_>) -> Check {
    let state = cx.state_or_skip("index_definitions")?;
    let mut checked = Checked { looked_at: counted(cx.facts.indexes.len(), "index", "indexes"), ..Checked::default() };
    for index in cx.facts.indexes.iter().filter(|i| i.is_valid() == Some(false) && is_leftover(i.name())) {
        if is_running(cx, index.relid()) {
            continue;
        }
        let size = index.bytes().map(|b| Quantity::int(b, Unit::Bytes));
        let title = Text::new().t("Left behind by a failed REINDEX CONCURRENTLY (").opt(size).t(")");
        let mut finding = cx
            .finding(Severity::Low, index.subject(), title)
            .doubts([state.doubt()])
            .why(match index.definition.and_then(|r| r.bool("indisready")) {
                Some(false) => {
                    Text::new().t("Its build failed before it was ready: nothing maintains it, nothing uses it.")
                }
                _ => Text::new().t("Every write to ").name(index.table()).t(" maintains it; no query uses it."),
            })
            .effort(Effort::S)
            .verify("The index is gone.");
        if let Some(row) = index.definition {
            finding = finding.measure(cx.read("Size", row, "index_size"));
        }
        let fix = drop_index(index).map(|f| f.when_not("While a REINDEX CONCURRENTLY of this table is running."));
        let fix = if index.is_unique() == Some(true) { fix.map(undone_without_duplicates) } else { fix };
        if is_unseen(cx) {
            finding = look_first(finding, &index.display());
            checked.findings.push(finding.fixes(fix.map(unless_running)));
        } else {
            checked.findings.push(finding.fixes(fix));
        }
    }
    Ok(checked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::literal::{Literal, literal};

    fn taken(name: &str, valid: &str) -> Literal {
        literal("2026-11-22 12:00:00+00").view(
            "index_definitions",
            "indexrelid | relid | schemaname | relname | indexrelname | indexdef | indisvalid | indisready | index_size",
            &[&format!("7 | 1 | public | t | {name} | CREATE INDEX {name} ON public.t USING btree (a) | {valid} | t | 8192")],
        )
    }

    #[test]
    fn finds_the_copy() {
        let b = taken("t_a_ccnew1", "f").view("pg_stat_progress_create_index", "pid | relid", &[]);
        assert_eq!(
            told(&judge(&RULE, &[b.build()], "")),
            ["low, high: public.t_a_ccnew1: Left behind by a failed REINDEX CONCURRENTLY (8 kB)"]
        );
    }

    /// A REINDEX CONCURRENTLY that runs has such an index too.
    #[test]
    fn is_not_dropped_where_a_running_build_cannot_be_seen() {
        let outcome = judge(&RULE, &[taken("t_a_ccnew1", "f").build()], "");
        assert!(told(&outcome)[0].starts_with("low, medium"), "{outcome:?}");
        let crate::finding::Outcome::Found { findings, .. } = outcome else { panic!() };
        let drop = &findings[0].fixes[1];
        assert!(drop.sql.lines().skip(1).all(|line| line.starts_with("-- ")), "{}", drop.sql);
    }

    /// Where the build itself failed, writes leave it out.
    #[test]
    fn what_was_never_ready_is_not_said_to_be_maintained() {
        let why = |ready: &str| {
            let b = literal("2026-11-22 12:00:00+00").view(
                "index_definitions",
                "indexrelid | relid | schemaname | relname | indexrelname | indexdef | indisvalid | indisready | index_size",
                &[&format!("7 | 1 | public | t | a_ccnew | CREATE INDEX a_ccnew ON public.t USING btree (a) | f | {ready} | 0")],
            );
            let crate::finding::Outcome::Found { findings, .. } = judge(&RULE, &[b.build()], "") else { panic!() };
            findings[0].why.plain()
        };
        assert_eq!(why("t"), "Every write to t maintains it; no query uses it.");
        assert_eq!(why("f"), "Its build failed before it was ready: nothing maintains it, nothing uses it.");
    }

    #[test]
    fn stays_quiet_when_valid_otherwise_named_or_being_built() {
        for (name, valid) in [("t_a_ccnew", "t"), ("t_ccnewx", "f")] {
            assert_eq!(told(&judge(&RULE, &[taken(name, valid).build()], "")), ["passed: 1 index"], "{name}");
        }
        let b = taken("t_a_ccnew", "f").view("pg_stat_progress_create_index", "pid | relid", &["9 | 1"]).build();
        assert_eq!(told(&judge(&RULE, &[b], "")), ["passed: 1 index"]);
    }

    #[test]
    fn skips_without_flags() {
        let b = literal("2026-11-22 12:00:00+00").build();
        assert_eq!(told(&judge(&RULE, &[b], "")), ["skipped, input missing: `index_definitions` is not in the dump"]);
    }
}
