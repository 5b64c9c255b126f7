//! What active sessions wait for.

use crate::advisor::sessions::{is_client, is_exporter};
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Skip, Threshold, show};
use crate::finding::{Doubt, Effort, Fix, Measure, Severity, Subject, SubjectKind};
use crate::snapshot::Row;
use crate::text::{Text, counted};
use crate::unit::{Quantity, Unit};
use std::collections::{BTreeMap, BTreeSet};

/// The rule.
pub const RULE: Rule = Rule {
    id: "conn-wait-profile",
    title: "Active sessions wait for one thing",
    needs: &[Need::View("pg_stat_activity", &["pid", "state", "wait_event_type", "wait_event"])],
    wants: &[],
    thresholds: &[
        Threshold {
            name: "min_snapshots",
            default: 10.0,
            unit: Unit::Count,
            about: "Each is one look; fewer show a moment.",
        },
        Threshold {
            name: "min_sessions",
            default: 30.0,
            unit: Unit::Count,
            about: "Active sessions seen in all looks together: below, a share is off by more than ± 9 %.",
        },
        Threshold { name: "min_share", default: 0.4, unit: Unit::Share, about: "Two of five." },
    ],
    docs: Docs {
        looks_at: "Active client sessions in all snapshots, and what they were waiting for. Waits for the client are left out: then the \
                   server is not what is slow.",
        why: "If most of those that work wait for one thing, that is where the time goes.",
        decides: "Ten snapshots with activity, thirty active sessions in them, two of five waiting for one class of events. Information, \
                  a pointer: sampling is off by ± √(p(1−p)/n), which is printed, and ten looks in an hour do not see what happens \
                  between. Seen in fewer than half of the snapshots it is less sure: one chain of locks is one event.",
        what_to_do: "Lock: who blocks whom (lock-blocked-chain). IO: which statements read (query-io-heavy). LWLock: which event it is; WAL \
                     and buffer locks are load, lock manager is many relations per statement.",
        ignore_when: "The snapshots were taken because there was trouble.",
        references: "PostgreSQL manual, \"Wait Events\".",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let mut classes: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
    // In how many snapshots a class was seen: a chain of locks in one of them is one event, however many wait in it.
    let mut seen_in: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut snapshots, mut active) = (0_usize, 0_usize);
    for (at, table) in ctx.samples("pg_stat_activity") {
        snapshots += 1;
        let taken = ctx.chain.snapshots.get(at).and_then(|s| s.meta.taken_at);
        let works = |r: &Row<'_>| {
            r.text("state") == Some("active") && is_client(*r) && !taken.is_some_and(|t| is_exporter(*r, t))
        };
        let mut here: BTreeSet<&str> = BTreeSet::new();
        for row in table.iter().filter(works) {
            let class = row.text("wait_event_type").filter(|c| !c.is_empty());
            if class == Some("Client") {
                continue;
            }
            active += 1;
            if let Some(class) = class {
                *classes.entry(class).or_default().entry(row.text("wait_event").unwrap_or_default()).or_insert(0) += 1;
                here.insert(class);
            }
        }
        for class in here {
            *seen_in.entry(class).or_insert(0) += 1;
        }
    }
    for (seen, name, one, more) in [
        (snapshots, "min_snapshots", "snapshot has activity", "snapshots have activity"),
        (active, "min_sessions", "active session was seen", "active sessions were seen"),
    ] {
        if (seen as f64) < ctx.threshold(name) {
            let wanted = show(ctx.threshold(name), Unit::Count);
            return Err(Skip(format!("{}, this check needs {wanted}", counted(seen, one, more))));
        }
    }
    let n = active as f64;
    let share = |events: &BTreeMap<&str, usize>| events.values().sum::<usize>() as f64 / n;
    let most = classes.iter().max_by(|a, b| share(a.1).total_cmp(&share(b.1)).then(b.0.cmp(a.0)));
    let looked_at = format!(
        "{} in {}",
        counted(active, "active session", "active sessions"),
        counted(snapshots, "snapshot", "snapshots")
    );
    let Some((class, events)) = most.filter(|(_, events)| share(events) >= ctx.threshold("min_share")) else {
        return Ok(Checked { findings: Vec::new(), looked_at });
    };
    let p = share(events);
    let error = (p * (1.0 - p) / n).sqrt();
    let quantity = Quantity::float(p, Unit::Share);
    let often = seen_in.get(*class).copied().unwrap_or(0);
    let mut named: Vec<(&&str, &usize)> = events.iter().collect();
    named.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    let mut why = Text::new().t("Most often ");
    for (nr, (event, count)) in named.iter().take(3).enumerate() {
        why = if nr > 0 { why.t(", ") } else { why }.name(**event).t(" (").n(Quantity::count(**count)).t(" times)");
    }
    let why = why
        .t(". It was seen in ")
        .n(Quantity::count(often))
        .t(" of ")
        .n(Quantity::count(snapshots))
        .t(" snapshots. Sampling is off by about ± ")
        .opt(Quantity::float(error, Unit::Share))
        .t(".");
    let finding = ctx
        .finding(
            Severity::Info,
            Subject::new(SubjectKind::Server, format!("waits of class {class}")),
            Text::new().opt(quantity).t(" of the active sessions wait for ").name(*class),
        )
        .why(why)
        .doubts([(often * 2 < snapshots).then_some(Doubt::C6)])
        .measure(Measure::of_window(
            "Share of the active sessions",
            quantity,
            ctx.all_rows_in(&looked(ctx), &["pg_stat_activity"], &["state", "wait_event_type", "wait_event"], format!(
                "({}) ÷ {active} sessions, in {often} of {snapshots} snapshots; ± {} is √(p (1 − p) ÷ n)",
                named.iter().map(|(event, count)| format!("{count} {event}")).collect::<Vec<_>>().join(" + "),
                show(error, Unit::Share)
            )),
        ))
        .fix(Fix::diagnose(
            "pg_stat_activity",
            "SELECT wait_event_type, wait_event, count(*) FROM pg_stat_activity\nWHERE state = 'active' AND backend_type = 'client backend' GROUP BY 1, 2 ORDER BY 3 DESC;",
        ))
        .verify("Its share is lower in the next snapshots.")
        .effort(Effort::M);
    Ok(Checked { findings: vec![finding], looked_at })
}

/// The snapshots that have activity.
fn looked(ctx: &Context<'_>) -> Vec<usize> {
    ctx.samples("pg_stat_activity").map(|(at, _)| at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::Snapshot;
    use crate::snapshot::literal::literal;
    use std::sync::Arc;

    fn with(snapshots: u32, waits: &[&str]) -> Vec<String> {
        let taken = |minute: u32| -> Arc<Snapshot> {
            let rows: Vec<String> = waits
                .iter()
                .enumerate()
                .map(|(i, wait)| format!("{} | client backend | active | {wait}", minute * 100 + i as u32))
                .collect();
            let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
            literal(&format!("2026-11-22 10:{minute:02}:00+00"))
                .view("pg_stat_activity", "pid | backend_type | state | wait_event_type | wait_event", &rows)
                .build()
        };
        told(&judge(&RULE, &(0..snapshots).map(taken).collect::<Vec<_>>(), ""))
    }

    #[test]
    fn finds_what_most_wait_for() {
        assert_eq!(
            with(20, &["LWLock | WALWrite", "LWLock | WALInsert", "IO | DataFileRead", " | ", " | "]),
            ["info, high: waits of class LWLock: 40% of the active sessions wait for LWLock"]
        );
        // Waits for the client do not count.
        assert!(
            with(20, &["Lock | tuple", "IO | DataFileRead", "Client | ClientRead", "Client | ClientRead"])[0]
                .contains("50%")
        );
    }

    #[test]
    fn stays_quiet_where_nothing_prevails() {
        assert_eq!(
            with(20, &["LWLock | WALWrite", "Lock | tuple", "IO | DataFileRead", " | "]),
            ["passed: 80 active sessions in 20 snapshots"]
        );
    }

    #[test]
    fn says_that_it_cannot_know() {
        let five = ["Lock | tuple"; 5];
        assert_eq!(with(9, &five), ["skipped: 9 snapshots have activity, this check needs 10"]);
        assert_eq!(with(12, &five[..2]), ["skipped: 24 active sessions were seen, this check needs 30"]);
    }
}
