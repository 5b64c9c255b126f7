//! Views that the export does not have.

use crate::advisor::{Category, Check, Checked, Context, Docs, Need, Rule, rules::RULES};
use crate::catalog;
use crate::finding::{Effort, Severity, Subject, SubjectKind};
use crate::text::{Text, counted};
use crate::unit::Quantity;
use std::collections::{BTreeMap, BTreeSet};

/// The rule.
pub const RULE: Rule = Rule {
    id: "hyg-partial-inputs",
    title: "Inputs missing",
    needs: &[],
    wants: &[],
    thresholds: &[],
    docs: Docs {
        looks_at: "The views that checks need, and whether any snapshot has them.",
        why: "A check without its input has not passed: its area may have problems that nobody looked for.",
        decides: "Each view that the server's version has, that a check needs and no snapshot carries. pg_stat_statements has a \
                  check of its own.",
        what_to_do: "`pgretro export-sql` prints a script that exports everything that is looked at.",
        ignore_when: "The export was made small on purpose.",
        references: "`pgretro inspect` lists what a dump has.",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let major = ctx.major();
    let mut missing: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut needed: BTreeSet<&str> = BTreeSet::new();
    for rule in RULES {
        for need in rule.needs {
            let Need::View(name, _) = *need else { continue };
            let has = catalog::view(name).is_some_and(|v| v.majors.contains(major));
            if !has || name.starts_with("pg_stat_statements") {
                continue;
            }
            needed.insert(name);
            if ctx.chain.snapshots.iter().all(|s| s.table(name).is_none()) {
                missing.entry(name).or_default().insert(rule.id);
            }
        }
    }
    let looked_at = format!("{} that checks need, all there", counted(needed.len(), "view", "views"));
    if missing.is_empty() {
        return Ok(Checked { findings: Vec::new(), looked_at });
    }
    let blind: BTreeSet<&str> = missing.values().flatten().copied().collect();
    let mut areas: Vec<&str> = blind.iter().filter_map(|id| Category::of(id)).map(Category::name).collect();
    areas.sort_unstable();
    areas.dedup();
    let finding = ctx
        .finding(
            Severity::Info,
            Subject::new(SubjectKind::Data, "export"),
            Text::new()
                .n(Quantity::count(missing.len()))
                .t(if missing.len() == 1 {
                    " view that checks need is not in the export; "
                } else {
                    " views that checks need are not in the export; "
                })
                .n(Quantity::count(blind.len()))
                .t(if blind.len() == 1 { " check cannot run" } else { " checks cannot run" }),
        )
        .why(Text::new().t(format!("Areas looked at in part or not at all: {}.", areas.join(", "))))
        .members(missing.keys().map(|v| Subject::new(SubjectKind::Data, *v)).collect())
        .measure(ctx.computed(
            "Views missing",
            Some(Quantity::count(missing.len())),
            format!("of {} that checks need", needed.len()),
            &[],
        ))
        .measure(ctx.computed(
            "Checks that cannot run",
            Some(Quantity::count(blind.len())),
            format!("of {} checks, those that need one of these views", RULES.len()),
            &[],
        ))
        .verify(Text::new().code("pgretro inspect").t(" of the next dump finds them."))
        .effort(Effort::S);
    Ok(Checked { findings: vec![finding], looked_at })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::literal::literal;

    #[test]
    fn lists_views_nobody_exported_but_not_those_the_version_lacks() {
        let b = literal("2026-11-22 12:00:00+00").version(12).view("pg_locks", "pid", &[]).build();
        let outcome = judge(&RULE, &[b], "");
        let crate::finding::Outcome::Found { findings, .. } = outcome else { panic!("{outcome:?}") };
        let names: Vec<&str> = findings[0].members.iter().map(|m| m.name.as_str()).collect();
        assert!(names.contains(&"pg_stat_activity"), "{names:?}");
        assert!(!names.contains(&"pg_locks") && !names.contains(&"pg_stat_subscription_stats"), "{names:?}");
    }

    #[test]
    fn stays_quiet_where_every_view_was_exported() {
        let mut b = literal("2026-11-22 12:00:00+00");
        for need in RULES.iter().flat_map(|r| r.needs) {
            let Need::View(name, _) = *need else { continue };
            b = b.view(name, catalog::view(name).unwrap().columns[0].name, &[]);
        }
        assert!(told(&judge(&RULE, &[b.build()], ""))[0].starts_with("passed"));
    }
}
