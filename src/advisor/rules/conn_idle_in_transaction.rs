//! Sessions that sit idle inside a transaction.

use crate::advisor::cure::{set_role, terminate};
use crate::advisor::sessions::{Seen, SessionKey, describe, is_client, matching};
use crate::advisor::sighting::Sighting;
use crate::advisor::{Check, Checked, Context, Docs, Holder, Need, Rule, Threshold, show, wait_trees};
use crate::finding::{Effort, Finding, Fix, Severity, Subject, SubjectKind};
use crate::text::{Text, counted};
use crate::unit::{Quantity, Unit};
use std::collections::{BTreeMap, BTreeSet};

/// The rule.
pub const RULE: Rule = Rule {
    id: "conn-idle-in-transaction",
    title: "Sessions idle inside a transaction",
    needs: &[Need::View("pg_stat_activity", &["pid", "state", "state_change"])],
    wants: &[Need::View("pg_locks", &["pid", "granted"])],
    thresholds: &[
        Threshold {
            name: "medium_s",
            default: 300.0,
            unit: Unit::Seconds,
            about: "No interactive step inside a transaction should take five minutes.",
        },
        Threshold {
            name: "high_s",
            default: 3_600.0,
            unit: Unit::Seconds,
            about: "An hour of dead rows kept, of locks held.",
        },
    ],
    docs: Docs {
        looks_at: "Sessions in state `idle in transaction` or `idle in transaction (aborted)` in every snapshot's activity, and \
                   for how long, by the server's clock.",
        why: "Such a session keeps its locks; while it holds a transaction id or a snapshot, no vacuum anywhere in the \
              database removes rows that died since.",
        decides: "Idle for five minutes is medium, for an hour high; one level more where the session holds back vacuum or \
                  blocks others. Sessions of one role are one finding. What happened between snapshots is not seen.",
        what_to_do: "Find the place in the application that leaves the transaction open; a limit for the role \
                     (idle_in_transaction_session_timeout) bounds the harm meanwhile.",
        ignore_when: "Somebody works by hand in a session and knows what it holds.",
        references: "PostgreSQL manual, \"Client Connection Defaults\" (idle_in_transaction_session_timeout).",
    },
    check,
};

/// Sessions of one role, longest idle first.
type Group<'a> = Vec<(SessionKey, Vec<Seen<'a>>)>;

fn check(ctx: &Context<'_>) -> Check {
    let floor = ctx.threshold("medium_s");
    let idle =
        |s: &Seen<'_>| s.row.text("state").is_some_and(|t| t.starts_with("idle in transaction")) && is_client(s.row);
    let all = matching(ctx, idle);
    let longest = all.sessions.values().flatten().filter_map(idle_s).max_by(f64::total_cmp);
    let mut groups: BTreeMap<String, Group<'_>> = BTreeMap::new();
    for (key, seen) in all.sessions.iter().filter(|(_, seen)| worst(seen) >= floor) {
        let role = seen.last().and_then(|s| s.row.text("usename")).unwrap_or("unknown role");
        groups.entry(role.to_owned()).or_default().push((*key, seen.clone()));
    }
    let blockers = blockers(ctx);
    let mut findings = Vec::new();
    for (role, mut group) in groups {
        group.sort_by(|(ka, a), (kb, b)| worst(b).total_cmp(&worst(a)).then_with(|| ka.cmp(kb)));
        findings.extend(finding(ctx, &role, &group, &all.looked_at, &blockers));
    }
    Ok(Checked {
        findings,
        looked_at: format!(
            "{} in {}; {}",
            count(all.sessions.len(), "session idle in transaction", "sessions idle in transaction"),
            counted(all.looked_at.len(), "snapshot", "snapshots"),
            longest.map_or_else(|| "none was".to_owned(), |s| format!("longest {}", show(s, Unit::Seconds)))
        ),
    })
}

fn finding<'a>(
    ctx: &Context<'a>,
    role: &str,
    group: &Group<'a>,
    looked_at: &[usize],
    blockers: &BTreeSet<(usize, i64)>,
) -> Option<Finding> {
    let floor = ctx.threshold("medium_s");
    let over = |s: &&Seen<'a>| idle_s(s).is_some_and(|idle| idle >= floor);
    let longest =
        *group.first()?.1.iter().max_by(|a, b| idle_s(a).unwrap_or(0.0).total_cmp(&idle_s(b).unwrap_or(0.0)))?;
    let idle = idle_s(&longest)?;
    let seen = || group.iter().flat_map(|(_, seen)| seen.iter()).filter(over);
    let sighting = Sighting::new(seen().map(|s| s.snapshot), looked_at);
    let does_hold = |s: &&Seen<'a>| s.row.int("backend_xmin").or(s.row.int("backend_xid")).is_some();
    let does_block = |s: &&Seen<'a>| s.row.int("pid").is_some_and(|pid| blockers.contains(&(s.snapshot, pid)));
    let (holds, blocks) = (seen().any(|s| does_hold(&s)), seen().any(|s| does_block(&s)));
    let severity = match (idle >= ctx.threshold("high_s"), holds || blocks) {
        (true, true) => Severity::Critical,
        (true, false) | (false, true) => Severity::High,
        (false, false) => Severity::Medium,
    };
    let mut why = Text::new().t("Seen ").then(sighting.text()).t(". ");
    why = why.t(match (holds, blocks) {
        (true, true) => {
            "Meanwhile vacuum cannot remove rows that died since, and other sessions waited for their locks."
        }
        (true, false) => "Meanwhile vacuum cannot remove rows that died since such a transaction began.",
        (false, true) => "Other sessions waited for their locks.",
        (false, false) => "Each keeps a connection and whatever locks it holds.",
    });
    if group.len() > 1 && (holds || blocks) {
        let who = |does: &dyn Fn(&&Seen<'a>) -> bool| pids(seen().filter(|s| does(s)).filter_map(|s| s.row.int("pid")));
        why = why.t(match (holds, blocks) {
            (true, true) => {
                format!(" Vacuum is held back by {}; others waited for {}.", who(&does_hold), who(&does_block))
            }
            (true, false) => format!(" Vacuum is held back by {}.", who(&does_hold)),
            _ => format!(" Others waited for {}.", who(&does_block)),
        });
    }
    let aborted = longest.row.text("state").is_some_and(|s| s.contains("aborted"));
    if aborted {
        why = why.t(" The longest has a failed transaction: it can only be rolled back.");
    }
    let mut finding = ctx
        .finding(
            severity,
            Subject::new(SubjectKind::Role, role),
            Text::new()
                .t(count(group.len(), "session", "sessions"))
                .t(" of ")
                .name(role)
                .t(if group.len() == 1 {
                    " was idle inside a transaction for "
                } else {
                    " were idle inside a transaction, for up to "
                })
                .opt(Quantity::float(idle, Unit::Seconds)),
        )
        .why(why)
        .doubts([sighting.doubt()])
        .members(
            group
                .iter()
                .filter_map(|(_, seen)| seen.last())
                .map(|s| Subject::new(SubjectKind::Session, describe(s.row)))
                .collect(),
        )
        .measure(ctx.computed(
            "Longest time idle in transaction",
            Quantity::float(idle, Unit::Seconds),
            format!("capture time − state_change, {}", describe(longest.row)),
            &[(longest.row, &["state_change", "state"])],
        ))
        .measure(ctx.read("Its transaction began", longest.row, "xact_start"))
        .measures(ctx.sighted(&sighting, "pg_stat_activity"))
        .verify("No session is idle in transaction that long in the next snapshots.")
        .effort(Effort::M);
    finding = finding.fix(Fix::diagnose(
        role,
        "SELECT pid, usename, application_name, now() - state_change AS idle, backend_xid, backend_xmin, query AS last_statement,\n\
         \x20      (SELECT array_agg(w.pid) FROM pg_stat_activity w\n\
         \x20       WHERE w.wait_event_type = 'Lock' AND a.pid = ANY (pg_blocking_pids(w.pid))) AS blocks\n\
         FROM pg_stat_activity a WHERE state LIKE 'idle in transaction%' ORDER BY state_change;",
    ));
    let known = longest.row.text("usename");
    finding = finding.fix(set_role(
        known,
        "idle_in_transaction_session_timeout",
        "5min",
        "Its sessions pause inside transactions for longer on purpose: they would be ended.".into(),
    ));
    // Who is ended has to be in the way: one that others wait for, else one that holds back vacuum.
    let last = looked_at.iter().max().copied();
    let there = || seen().filter(|s| Some(s.snapshot) == last);
    let in_the_way = there().find(does_block).or_else(|| there().find(does_hold));
    if let Some(session) = in_the_way.and_then(|s| SessionKey::of(s.row)) {
        finding = finding
            .fix(terminate(&session, "Its owner still needs the open transaction: what it did is rolled back.".into()));
    }
    Some(finding)
}

fn idle_s(seen: &Seen<'_>) -> Option<f64> {
    seen.seconds_since("state_change")
}

fn worst(seen: &[Seen<'_>]) -> f64 {
    seen.iter().filter_map(idle_s).fold(0.0, f64::max)
}

/// Sessions at the root of a wait tree, by snapshot.
fn blockers(ctx: &Context<'_>) -> BTreeSet<(usize, i64)> {
    let trees = |(i, s)| wait_trees(s).into_iter().flatten().map(move |t| (i, t.root));
    let all = ctx.chain.snapshots.iter().enumerate().flat_map(|(i, s)| trees((i, s.as_ref())));
    all.filter_map(|(i, root)| if let Holder::Session(pid) = root { Some((i, pid)) } else { None }).collect()
}

/// `pid 7`, `pids 7, 8 and 3 more`.
fn pids(all: impl Iterator<Item = i64>) -> String {
    const NAMED: usize = 3;
    let all: BTreeSet<i64> = all.collect();
    let named: Vec<String> = all.iter().take(NAMED).map(ToString::to_string).collect();
    let more = if all.len() > NAMED { format!(" and {} more", all.len() - NAMED) } else { String::new() };
    format!("{} {}{more}", if all.len() == 1 { "pid" } else { "pids" }, named.join(", "))
}

fn count(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::Snapshot;
    use crate::snapshot::literal::literal;
    use std::sync::Arc;

    fn taken(at: &str, rows: &[&str]) -> Arc<Snapshot> {
        const HEADER: &str =
            "pid | backend_start | usename | datname | state | state_change | backend_xmin | backend_type | query";
        literal(at).view("pg_stat_activity", HEADER, rows).build()
    }

    const FORGOTTEN: &str = "72 | 2026-11-22 08:00:00+00 | app | shop | idle in transaction | 2026-11-22 11:50:00+00 | | client backend | select 1";

    #[test]
    fn finds_a_session_idle_for_minutes_and_raises_it_where_it_holds_back_vacuum() {
        let b = taken("2026-11-22 12:00:00+00", &[FORGOTTEN]);
        assert_eq!(
            told(&judge(&RULE, &[b], "")),
            ["medium, medium: app: 1 session of app was idle inside a transaction for 10 min 00 s"]
        );
        let holds = FORGOTTEN.replace("| | client", "| 900 | client");
        let b = taken("2026-11-22 12:00:00+00", &[&holds]);
        assert_eq!(
            told(&judge(&RULE, &[b], "")),
            ["high, medium: app: 1 session of app was idle inside a transaction for 10 min 00 s"]
        );
    }

    #[test]
    fn three_samples_that_agree_are_sure_and_only_a_present_session_is_ended() {
        let holds = FORGOTTEN.replace("| | client", "| 900 | client");
        let [a, b, c] = ["11:56", "11:58", "12:00"].map(|t| taken(&format!("2026-11-22 {t}:00+00"), &[&holds]));
        let d = taken("2026-11-22 12:01:00+00", &[]);
        let outcome = judge(&RULE, &[a.clone(), b.clone(), c.clone()], "");
        let crate::finding::Outcome::Found { findings, .. } = &outcome else { panic!("{outcome:?}") };
        assert_eq!(findings[0].confidence(), crate::finding::Confidence::High);
        assert!(findings[0].fixes.iter().any(|f| f.sql.contains("WHERE pid = 72 AND backend_start = '")));
        let outcome = judge(&RULE, &[a, b, c, d], "");
        let crate::finding::Outcome::Found { findings, .. } = &outcome else { panic!("{outcome:?}") };
        assert!(
            findings[0].why.plain().starts_with("Seen in 3 of 4 snapshots, not in the last one."),
            "{:?}",
            findings[0].why
        );
        assert!(!findings[0].fixes.iter().any(|f| f.sql.contains("pg_terminate_backend")));
    }

    /// The one that is idle longest may hold nothing at all.
    #[test]
    fn who_is_ended_is_in_the_way() {
        const HEADER: &str = "pid | backend_start | usename | datname | state | state_change | backend_xid | backend_type | wait_event_type";
        let began = "2026-11-22 08:00:00+00 | app | shop";
        let reads = format!("71 | {began} | idle in transaction | 2026-11-22 11:40:00+00 | | client backend | Client");
        let wrote =
            format!("72 | {began} | idle in transaction | 2026-11-22 11:50:00+00 | 900 | client backend | Client");
        let waits = format!("73 | {began} | active | 2026-11-22 11:55:00+00 | 901 | client backend | Lock");
        let said = |rows: &[&str], blocked: &[&str]| {
            let b = literal("2026-11-22 12:00:00+00")
                .view("pg_stat_activity", HEADER, rows)
                .view("blocking_pids", "pid | blocked_by", blocked)
                .build();
            let crate::finding::Outcome::Found { findings, .. } = judge(&RULE, &[b], "") else { panic!("found") };
            let ended = findings[0].fixes.iter().find_map(|f| f.sql.split("WHERE pid = ").nth(1)).unwrap_or_default();
            (ended.chars().take(2).collect::<String>(), findings[0].why.plain())
        };
        let (ended, why) = said(&[&reads, &wrote, &waits], &["73 | {72}"]);
        assert_eq!(ended, "72");
        assert!(why.ends_with("Vacuum is held back by pid 72; others waited for pid 72."), "{why}");
        assert_eq!(said(&[&reads, &wrote], &[]).0, "72");
        assert_eq!(said(&[&reads], &[]).0, "", "it is in nobody's way");
    }

    /// Sessions of a pool wait for work outside of any transaction: that is no leak.
    #[test]
    fn sessions_that_wait_for_work_are_left_alone() {
        let idle = FORGOTTEN.replace("idle in transaction", "idle").replace("11:50", "04:00");
        let b = taken("2026-11-22 12:00:00+00", &[&idle]);
        assert!(told(&judge(&RULE, &[b], ""))[0].starts_with("passed"));
    }

    #[test]
    fn stays_quiet_about_seconds() {
        let b = taken("2026-11-22 11:50:04+00", &[FORGOTTEN]);
        assert_eq!(
            told(&judge(&RULE, std::slice::from_ref(&b), "")),
            ["passed: 1 session idle in transaction in 1 snapshot; longest 4.00 s"]
        );
        assert_eq!(
            told(&judge(&RULE, &[b], "[rules.conn-idle-in-transaction]\nmedium_s = 1")),
            ["medium, medium: app: 1 session of app was idle inside a transaction for 4.00 s"]
        );
    }

    #[test]
    fn skips_without_activity() {
        let b = literal("2026-11-22 12:00:00+00").build();
        assert_eq!(told(&judge(&RULE, &[b], "")), ["skipped, input missing: `pg_stat_activity` is not in the dump"]);
    }
}
