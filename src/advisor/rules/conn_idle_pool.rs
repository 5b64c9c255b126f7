//! Many sessions that do nothing.

use crate::advisor::sessions::{is_client, is_exporter};
use crate::advisor::sighting::Sighting;
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Skip, Threshold, show};
use crate::finding::{Confidence, Effort, Fix, Severity, Subject, SubjectKind};
use crate::text::Text;
use crate::unit::{Quantity, Unit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "conn-idle-pool",
    title: "Nearly all of many sessions are idle",
    needs: &[Need::View("pg_stat_activity", &["pid", "state"])],
    wants: &[Need::Snapshots(3)],
    thresholds: &[
        Threshold {
            name: "min_idle",
            default: 100.0,
            unit: Unit::Count,
            about: "Fewer idle sessions are what a pool is for.",
        },
        Threshold { name: "min_share", default: 0.8, unit: Unit::Share, about: "Four of five sessions do nothing." },
    ],
    docs: Docs {
        looks_at: "Client sessions by their state in each snapshot; sessions idle inside a transaction are another check's.",
        why: "Idle sessions of a pool are no leak. But each is a process with its own memory and catalog cache, and all of them can \
              become active at once: more work at a time than the machine can do.",
        decides: "A hundred idle sessions and four fifths of all, in each snapshot. Memory of sessions is in no view, so none is named.",
        what_to_do: "Smaller pools in the applications, or one pooler in transaction mode before the server.",
        ignore_when: "Many applications keep one session each.",
        references: "PostgreSQL manual, \"pg_stat_activity\" (state).",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let (mut seen, mut looked) = (Vec::new(), Vec::new());
    // Of the snapshots, the one with the fewest idle sessions.
    let mut least: Option<(usize, f64, f64)> = None;
    let mut most = (0.0, 0.0);
    for (snapshot, table) in ctx.samples("pg_stat_activity") {
        let at = ctx.chain.snapshots.get(snapshot).and_then(|s| s.meta.taken_at);
        let exporter = |r| at.is_some_and(|at| is_exporter(r, at));
        let clients: Vec<_> = table.iter().filter(|r| is_client(*r) && !exporter(*r)).collect();
        // Of a session of others, an exporter without rights sees no state.
        if clients.iter().any(|r| r.text("state").is_none()) {
            return Err(Skip("the states of some sessions are hidden from the exporting role".to_owned()));
        }
        looked.push(snapshot);
        let idle = clients.iter().filter(|r| r.text("state") == Some("idle")).count() as f64;
        let all = clients.len() as f64;
        if idle >= ctx.threshold("min_idle") && idle >= ctx.threshold("min_share") * all {
            seen.push(snapshot);
        }
        if idle > most.0 || looked.len() == 1 {
            most = (idle, all);
        }
        if least.is_none_or(|(_, n, _)| idle < n) {
            least = Some((snapshot, idle, all));
        }
    }
    let Some((at, idle, all)) = least else { return Err(Skip("no snapshot has sessions".to_owned())) };
    let [least, most] =
        [(idle, all), most].map(|(n, of)| format!("{} of {}", show(n, Unit::Count), show(of, Unit::Count)));
    let looked_at =
        if least == most { format!("{least} sessions idle") } else { format!("from {least} to {most} sessions idle") };
    if seen.len() < looked.len() {
        return Ok(Checked { findings: Vec::new(), looked_at });
    }
    let sighting = Sighting::new(seen, &looked);
    let finding = ctx
        .finding(
            Severity::Low,
            Subject::new(SubjectKind::Server, "idle sessions"),
            Text::new()
                .t("At least ")
                .opt(Quantity::float(idle, Unit::Count))
                .t(" of ")
                .opt(Quantity::float(all, Unit::Count))
                .t(" sessions were idle"),
        )
        .why(
            Text::new()
                .t("It was so ")
                .then(sighting.text())
                .t(". They are no leak, but processes that can all become active at once."),
        )
        .doubts([sighting.doubt()])
        .at_most(Confidence::Medium)
        .measure(ctx.seen_in(
            Some(at),
            "Idle sessions",
            Quantity::float(idle, Unit::Count),
            ctx.all_rows(
                at,
                "pg_stat_activity",
                &["backend_type", "state"],
                format!("of {}, in the snapshot with the fewest", show(all, Unit::Count)),
            ),
        ))
        .measures(ctx.sighted(&sighting, "pg_stat_activity"))
        .fix(Fix::diagnose(
            "pg_stat_activity",
            "SELECT usename, application_name, client_addr, count(*), min(state_change) AS idle_since\nFROM pg_stat_activity \
             WHERE state = 'idle' GROUP BY 1, 2, 3 ORDER BY 4 DESC;",
        ))
        .verify("Fewer sessions are idle in the next snapshots, at the same work.")
        .effort(Effort::M);
    Ok(Checked { findings: vec![finding], looked_at })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told, told_of_nothing};
    use crate::snapshot::literal::literal;

    fn with(counts: &[(usize, usize)]) -> Vec<String> {
        let taken: Vec<_> = counts
            .iter()
            .enumerate()
            .map(|(i, (idle, active))| {
                let row = |n: usize, state: &str| format!("{n} | client backend | {state}");
                let mut rows: Vec<String> = (0..*idle).map(|n| row(n, "idle")).collect();
                rows.extend((0..*active).map(|n| row(1_000 + n, "active")));
                rows.push("9999 | checkpointer | ".to_owned());
                let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
                literal(&format!("2026-11-22 1{i}:00:00+00"))
                    .view("pg_stat_activity", "pid | backend_type | state", &rows)
                    .build()
            })
            .collect();
        told(&judge(&RULE, &taken, ""))
    }

    #[test]
    fn finds_what_is_so_in_every_snapshot() {
        assert_eq!(
            with(&[(180, 20), (150, 20), (160, 10)]),
            ["low, medium: idle sessions: At least 150 of 170 sessions were idle"]
        );
        assert_eq!(with(&[(180, 20), (90, 20), (160, 10)]), ["passed: from 90 of 110 to 180 of 200 sessions idle"]);
        assert_eq!(with(&[(150, 60)]), ["passed: 150 of 210 sessions idle"]);
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert_eq!(told_of_nothing(&RULE), "skipped, input missing: `pg_stat_activity` is not in the dump");
        let hidden = literal("2026-11-22 12:00:00+00")
            .view("pg_stat_activity", "pid | backend_type | state", &["1 | client backend | "])
            .build();
        assert_eq!(
            told(&judge(&RULE, &[hidden], "")),
            ["skipped: the states of some sessions are hidden from the exporting role"]
        );
    }
}
