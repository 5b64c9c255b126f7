//! Prepared transactions that nobody finished.

use crate::advisor::prepared::{look, roll_back};
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Threshold};
use crate::finding::{Doubt, Effort, Finding, Severity, Subject, SubjectKind};
use crate::snapshot::Row;
use crate::text::{Text, counted};
use crate::unit::{Quantity, Unit};
use std::collections::BTreeMap;

/// The rule.
pub const RULE: Rule = Rule {
    id: "wrap-prepared-xact",
    title: "Prepared transaction left behind",
    needs: &[Need::View("pg_prepared_xacts", &["gid", "prepared"])],
    wants: &[],
    thresholds: &[
        Threshold {
            name: "min_age",
            default: 3_600.0,
            unit: Unit::Seconds,
            about: "A transaction manager finishes a prepared transaction within seconds.",
        },
        Threshold {
            name: "high_age",
            default: 86_400.0,
            unit: Unit::Seconds,
            about: "After a day nobody will come back for it.",
        },
    ],
    docs: Docs {
        looks_at: "Rows of `pg_prepared_xacts` in every snapshot, and since when they have been prepared.",
        why: "A prepared transaction keeps its locks and holds back cleanup until somebody commits or rolls it back, across \
              restarts. VACUUM cannot remove any row of its database deleted since, and in the whole cluster the age of \
              the oldest transaction id grows with every transaction.",
        decides: "Found from `min_age` on, medium; high from `high_age` on. The age is the time of the snapshot minus \
                  `prepared`, so a transaction prepared just before the export is not reported. One that was that old \
                  in an earlier snapshot and is finished by the last one is only a note.",
        what_to_do: "Ask the owner of the transaction manager for the outcome of this identifier, then commit or roll \
                     back. Where nobody uses two-phase commit, `max_prepared_transactions = 0` prevents the next one.",
        ignore_when: "A transaction manager is known to be recovering and will finish it.",
        references: "PostgreSQL manual: PREPARE TRANSACTION, ROLLBACK PREPARED, view pg_prepared_xacts.",
    },
    check,
};

fn check(cx: &Context<'_>) -> Check {
    let state = cx.state_or_skip("pg_prepared_xacts")?;
    let mut checked = Checked {
        looked_at: counted(state.table.rows, "prepared transaction", "prepared transactions"),
        ..Checked::default()
    };
    for row in state.table.iter() {
        let (Some(gid), Some(prepared), Some(now)) = (row.text("gid"), row.time("prepared"), state.at) else {
            continue;
        };
        let age = now.seconds_since(prepared);
        if age < cx.threshold("min_age") {
            continue;
        }
        let severity = if age >= cx.threshold("high_age") { Severity::High } else { Severity::Medium };
        let age = Quantity::float(age, Unit::Seconds);
        let title = Text::new().t("Prepared ").opt(age).t(" ago and neither committed nor rolled back");
        let formula = format!("{} − {}", now.human_seconds(), prepared.human_seconds());
        checked.findings.push(
            cx.finding(severity, Subject::new(SubjectKind::PreparedTransaction, gid), title)
                .doubts([state.doubt()])
                .why("Until it is finished it keeps its locks, the dead rows of its database, and the transaction ids of all databases.")
                .measure(cx.computed("Age", age, formula, &[(row, &["prepared"])]))
                .fix(look(gid))
                .fix(roll_back(gid))
                .verify("pg_prepared_xacts has no row older than an hour.")
                .effort(Effort::S),
        );
    }
    checked.findings.extend(finished(cx));
    Ok(checked)
}

/// Those that were old in an earlier snapshot and are finished by the last one: by gid, the oldest sighting.
fn finished(cx: &Context<'_>) -> Vec<Finding> {
    let newest = cx.chain.snapshots.len().saturating_sub(1);
    let mut oldest: BTreeMap<&str, (f64, usize, Row<'_>)> = BTreeMap::new();
    for (at, table) in cx.samples("pg_prepared_xacts") {
        let now = cx.chain.snapshots.get(at).and_then(|s| s.meta.taken_at);
        for row in table.iter() {
            let (Some(gid), Some(age)) =
                (row.text("gid"), now.zip(row.time("prepared")).map(|(n, p)| n.seconds_since(p)))
            else {
                continue;
            };
            let known = oldest.entry(gid).or_insert((age, at, row));
            if at == newest || age >= known.0 {
                *known = (age, at, row);
            }
        }
    }
    oldest.retain(|_, (age, at, _)| *at != newest && *age >= cx.threshold("min_age"));
    let report = |(gid, (age, at, row)): (&str, (f64, usize, Row<'_>))| {
        let age = Quantity::float(age, Unit::Seconds);
        let title = Text::new()
            .t("Was left prepared for ")
            .opt(age)
            .t(format!(" in snapshot {}; finished by the last one", cx.label(at)));
        let subject = Subject::new(SubjectKind::PreparedTransaction, gid);
        cx.finding(Severity::Info, subject, title)
            .doubts([Some(Doubt::C6)])
            .why("While it was prepared it kept its locks and held back the cleanup of dead rows.")
            .measure(cx.computed(
                "Age",
                age,
                format!("time of snapshot {} − prepared", cx.label(at)),
                &[(row, &["prepared"])],
            ))
            .verify("pg_prepared_xacts has no row older than an hour.")
    };
    oldest.into_iter().map(report).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::literal::literal;

    fn taken(at: &str, rows: &[&str]) -> std::sync::Arc<crate::snapshot::Snapshot> {
        literal(at).view("pg_prepared_xacts", "transaction | gid | prepared | owner | database", rows).build()
    }

    #[test]
    fn finds_one_left_behind() {
        let b = taken("2026-11-22 12:00:00+00", &["900 | it's | 2026-11-20 12:00:00+00 | app | shop"]);
        let outcome = judge(&RULE, &[b], "");
        assert_eq!(told(&outcome), ["high, high: it's: Prepared 48 h 00 m ago and neither committed nor rolled back"]);
        let crate::finding::Outcome::Found { findings, .. } = outcome else { panic!() };
        assert_eq!(findings[0].fixes[1].sql, "ROLLBACK PREPARED 'it''s';");
    }

    #[test]
    fn stays_quiet_while_it_is_young() {
        let b = taken("2026-11-22 12:00:00+00", &["900 | g | 2026-11-22 11:59:00+00 | app | shop"]);
        assert_eq!(told(&judge(&RULE, std::slice::from_ref(&b), "")), ["passed: 1 prepared transaction"]);
        assert_eq!(
            told(&judge(&RULE, &[b], "[rules.wrap-prepared-xact]\nmin_age = \"30 s\"")),
            ["medium, high: g: Prepared 1 min 00 s ago and neither committed nor rolled back"]
        );
    }

    #[test]
    fn skips_without_the_view() {
        let b = literal("2026-11-22 12:00:00+00").build();
        assert_eq!(told(&judge(&RULE, &[b], "")), ["skipped, input missing: `pg_prepared_xacts` is not in the dump"]);
    }
}
