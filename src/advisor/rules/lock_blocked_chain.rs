//! Sessions that wait behind one that holds a lock.

use crate::advisor::contention::{
    Contention, Seen, WHO_WAITS, activity, contentions, holder, is_ddl_queue, measures, members,
};
use crate::advisor::cure::terminate;
use crate::advisor::prepared::{gid, look, roll_back};
use crate::advisor::sessions::SessionKey;
use crate::advisor::{Check, Checked, Context, Docs, Holder, Need, Rule, Threshold, show};
use crate::finding::{Effort, Finding, Fix, Severity, Subject, SubjectKind};
use crate::text::{Text, counted};
use crate::unit::{Quantity, Unit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "lock-blocked-chain",
    title: "Sessions wait behind a blocker",
    needs: &[Need::View("pg_locks", &["pid", "mode", "granted"])],
    wants: &[
        Need::View("blocking_pids", &["pid", "blocked_by"]),
        Need::View("pg_stat_activity", &["pid", "state", "query"]),
    ],
    thresholds: &[
        Threshold {
            name: "min_wait_s",
            default: 5.0,
            unit: Unit::Seconds,
            about: "A wait that a user notices. Shorter ones are everyday work of a busy database.",
        },
        Threshold {
            name: "habit_wait_s",
            default: 1.0,
            unit: Unit::Seconds,
            about: "deadlock_timeout: PostgreSQL itself finds a wait worth a log line from here on.",
        },
        Threshold {
            name: "habit_samples",
            default: 3.0,
            unit: Unit::Count,
            about: "Short waits for the same object in this many snapshots are a habit.",
        },
        Threshold { name: "high_wait_s", default: 60.0, unit: Unit::Seconds, about: "Clients give up after a minute." },
        Threshold {
            name: "high_waiters",
            default: 5.0,
            unit: Unit::Count,
            about: "A queue that uses up a connection pool.",
        },
    ],
    docs: Docs {
        looks_at: "Requests for locks that were not granted in any snapshot, who holds or queues before them \
                   (`pg_blocking_pids()` where exported, else the conflict table and the queue of `pg_locks`), and since when \
                   they wait (`waitstart`, 14 and later; before that the start of the statement, an upper bound).",
        why: "Everybody behind the first holder stands still until it ends its transaction.",
        decides: "A wait of five seconds, or waits of a second for the same object in three snapshots. Five waiters or a \
                  minute are high. Trees of one table are one finding, told by the worst. Queues behind a waiting schema \
                  change are the matter of `lock-ddl-queue`. The two views are not taken at one instant: a process that one \
                  of them lacks is tolerated.",
        what_to_do: "Look at the session at the root: what it holds, and why its transaction stays open. Ending it frees the \
                     others; the cure is a shorter transaction or another order of access. Of a prepared transaction its manager knows \
                     whether it is to be committed.",
        ignore_when: "A maintenance window in which others are meant to wait.",
        references: "PostgreSQL manual, \"Explicit Locking\"; \"pg_locks\"; \"System Information Functions\" (pg_blocking_pids).",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let (all, samples) = contentions(ctx, |tree| !is_ddl_queue(tree))?;
    let limits = (ctx.threshold("min_wait_s"), ctx.threshold("habit_wait_s"), ctx.threshold("habit_samples"));
    let findings = all
        .iter()
        .filter(|c| c.counts(limits.0, limits.1, limits.2))
        .filter_map(|c| finding(ctx, c, c.worst()?))
        .collect();
    let longest = all.iter().map(Contention::longest).fold(0.0, f64::max);
    Ok(Checked {
        findings,
        looked_at: if all.is_empty() {
            format!(
                "nobody waited for a lock, schema changes and who stands behind them apart, in {}",
                counted(samples, "snapshot", "snapshots")
            )
        } else {
            format!(
                "{} in {}, longest wait {}",
                counted(all.len(), "contended object", "contended objects"),
                counted(samples, "snapshot", "snapshots"),
                show(longest, Unit::Seconds)
            )
        },
    })
}

fn finding(ctx: &Context<'_>, contention: &Contention, worst: &Seen) -> Option<Finding> {
    let waiters = contention.seen.iter().map(|s| s.tree.waiters.len()).max()?;
    let longest = contention.longest();
    let high = longest >= ctx.threshold("high_wait_s") || waiters as f64 >= ctx.threshold("high_waiters");
    let root = holder(ctx, worst.snapshot, &worst.tree.root);
    let mut why =
        Text::new().t("Seen ").then(contention.sighting.text()).t(". In snapshot ").t(ctx.label(worst.snapshot)).t(" ");
    why = why.name(&root).t(" stood at the head of the queue");
    let row = match worst.tree.root {
        Holder::Session(pid) => activity(ctx, worst.snapshot, pid),
        Holder::Prepared(_) => None,
    };
    if let Some(state) = row.and_then(|r| r.text("state")) {
        why = why.t(", in state ").code(state);
    }
    why = why.t(if worst.tree.circle {
        ", itself part of a circle that PostgreSQL resolves as a deadlock."
    } else {
        "."
    });
    let last = contention.seen.iter().rfind(|_| contention.sighting.in_last);
    if let Some(now) = last.filter(|now| now.tree.root != worst.tree.root) {
        let head = holder(ctx, now.snapshot, &now.tree.root);
        why = why.t(" In the last snapshot it is ").name(&head).t(".");
    }
    let up_to = if contention.seen.iter().any(Seen::bound_only) { ", at most " } else { ", for up to " };
    let title = Text::new()
        .many(Quantity::count(waiters), "session waited for ", "sessions waited for ")
        .name(&contention.name)
        .t(up_to)
        .opt(Quantity::float(longest, Unit::Seconds));
    let mut finding = ctx
        .finding(
            if high { Severity::High } else { Severity::Medium },
            Subject::new(SubjectKind::Table, &contention.name),
            title,
        )
        .why(why)
        .doubts([contention.sighting.doubt()])
        .members(members(ctx, worst))
        .fix(Fix::diagnose(&contention.name, WHO_WAITS))
        .verify("No session waits that long for it in the next snapshots.")
        .effort(Effort::M);
    finding.measures = measures(ctx, contention, worst);
    // Everyday waits are over before anybody reads this.
    let long = last.filter(|now| now.longest() >= ctx.threshold("min_wait_s"));
    match long.map(|s| (s, &s.tree.root)) {
        Some((seen, Holder::Session(pid))) => {
            let known = activity(ctx, seen.snapshot, *pid).and_then(SessionKey::of);
            finding = finding.fix(terminate(
                &known.unwrap_or(SessionKey { pid: *pid, started: None }),
                "Its work is worth more than the wait of the others: its transaction is rolled back.".into(),
            ));
        }
        Some((seen, Holder::Prepared(xid))) => {
            let named = xid.and_then(|xid| gid(ctx.chain.snapshots.get(seen.snapshot)?, xid));
            finding = finding.fix(look(&contention.name)).fixes(named.map(roll_back));
        }
        None => {}
    }
    Some(finding)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::finding::Verb;
    use crate::snapshot::Snapshot;
    use crate::snapshot::literal::literal;
    use std::sync::Arc;

    /// 20 and 30 wait for the row that 10 changed.
    fn taken(at: &str) -> Arc<Snapshot> {
        const LOCKS: &str = "locktype | database | relation | page | tuple | transactionid | virtualtransaction | pid | mode | granted | waitstart";
        literal(at)
            .view(
                "pg_locks",
                LOCKS,
                &[
                    "transactionid | | | | | 100 | 3/1 | 10 | ExclusiveLock | t |",
                    "tuple | 16697 | 70 | 0 | 1 | | 4/1 | 20 | ExclusiveLock | t |",
                    "transactionid | | | | | 100 | 4/1 | 20 | ShareLock | f | 2026-11-22 12:00:00+00",
                    "tuple | 16697 | 70 | 0 | 1 | | 5/1 | 30 | ExclusiveLock | f | 2026-11-22 12:00:01+00",
                ],
            )
            .view("pg_stat_user_tables", "relid | schemaname | relname", &["70 | public | orders"])
            .view(
                "pg_stat_activity",
                "pid | usename | datname | state | backend_start",
                &[
                    "10 | app | shop | idle in transaction | 2026-11-22 08:00:00+00",
                    "20 | app | shop | active | 2026-11-22 08:00:00+00",
                ],
            )
            .build()
    }

    #[test]
    fn finds_a_long_wait_and_names_table_and_blocker() {
        let outcome = judge(&RULE, &[taken("2026-11-22 12:00:10+00")], "");
        assert_eq!(
            told(&outcome),
            ["medium, medium: public.orders: 2 sessions waited for public.orders, for up to 10.0 s"]
        );
        let crate::finding::Outcome::Found { findings, .. } = outcome else { panic!() };
        assert_eq!(
            findings[0].why.plain(),
            "Seen in the only snapshot that could show it. In snapshot A pid 10, app on shop stood at the head of the queue, in state idle in transaction."
        );
        let members: Vec<_> = findings[0].members.iter().map(|m| m.name.as_str()).collect();
        assert_eq!(
            members,
            ["blocks: pid 10, app on shop", "waits: pid 20, app on shop", "waits behind a waiter: pid 30"]
        );
        assert!(findings[0].fixes.iter().any(|f| f.sql.contains("WHERE pid = 10 AND backend_start = '")));
        assert_eq!(
            told(&judge(&RULE, &[taken("2026-11-22 12:02:00+00")], "")),
            ["high, medium: public.orders: 2 sessions waited for public.orders, for up to 2 min 00 s"]
        );
    }

    #[test]
    fn stays_quiet_about_a_short_wait_unless_it_is_a_habit() {
        let [a, b, c] = ["02", "03", "04"].map(|s| taken(&format!("2026-11-22 12:00:{s}+00")));
        assert_eq!(
            told(&judge(&RULE, std::slice::from_ref(&a), "")),
            ["passed: 1 contended object in 1 snapshot, longest wait 2.00 s"]
        );
        let habit = judge(&RULE, &[a, b, c], "");
        assert_eq!(
            told(&habit),
            ["medium, high: public.orders: 2 sessions waited for public.orders, for up to 4.00 s"]
        );
        let crate::finding::Outcome::Found { findings, .. } = habit else { panic!() };
        assert!(findings[0].fixes.iter().all(|f| f.verb == Verb::Diagnose), "nobody is ended for four seconds");
    }

    #[test]
    fn what_an_earlier_capture_saw_is_not_said_of_the_last() {
        let quiet = literal("2026-11-22 12:03:00+00").view("pg_locks", "locktype | pid | mode | granted", &[]).build();
        let found = |chain: &[Arc<Snapshot>]| match judge(&RULE, chain, "") {
            crate::finding::Outcome::Found { mut findings, .. } => findings.remove(0),
            other => panic!("{other:?}"),
        };
        let values = |f: Finding| {
            f.measures.iter().take(2).map(|m| [m.before, m.after, m.window].map(|q| q.is_some())).collect::<Vec<_>>()
        };
        let [early, late] = ["2026-11-22 12:00:10+00", "2026-11-22 12:02:00+00"].map(taken);
        assert_eq!(values(found(&[Arc::clone(&early), Arc::clone(&late)])), [[false, true, false]; 2]);
        assert_eq!(values(found(&[early, late, quiet])), [[false, false, true]; 2]);
    }

    /// As PostgreSQL 15 shows it: no process, and the virtual transaction of the session that prepared it.
    #[test]
    fn a_prepared_transaction_at_the_head_is_named_and_can_be_ended() {
        let b = literal("2026-11-22 12:02:00+00")
            .view(
                "pg_locks",
                "locktype | transactionid | virtualtransaction | pid | mode | granted | waitstart",
                &[
                    "transactionid | 827 | 4/35 | | ExclusiveLock | t |",
                    "transactionid | 827 | 4/920 | 18076 | ShareLock | f | 2026-11-22 12:00:00+00",
                ],
            )
            .view("blocking_pids", "pid | blocked_by", &["18076 | {0}"])
            .view("pg_prepared_xacts", "transaction | gid | database", &["826 | other | crm", "827 | it's | crm"]);
        let crate::finding::Outcome::Found { findings, .. } = judge(&RULE, &[b.build()], "") else { panic!() };
        assert!(findings[0].why.plain().contains("prepared transaction it's stood at the head of the queue"));
        let sql: Vec<_> = findings[0].fixes.iter().map(|f| (f.verb, f.sql.as_str())).collect();
        assert_eq!((sql.len(), sql[2]), (3, (Verb::End, "ROLLBACK PREPARED 'it''s';")));
        assert!(sql[1].1.contains("FROM pg_prepared_xacts"));
    }

    #[test]
    fn skips_without_locks() {
        let b = literal("2026-11-22 12:00:00+00").build();
        assert_eq!(told(&judge(&RULE, &[b], "")), ["skipped, input missing: `pg_locks` is not in the dump"]);
    }
}
