//! A waiting schema change that blocks everybody behind it.

use crate::advisor::contention::{Contention, Seen, WHO_WAITS, activity, contentions, is_ddl_queue, measures, members};
use crate::advisor::cure::cancel;
use crate::advisor::index_cure::LOCK_TIMEOUT;
use crate::advisor::{Check, Checked, Context, Docs, LockMode, Need, Rule, Threshold};
use crate::finding::{Effort, Finding, Fix, Severity, Subject, SubjectKind};
use crate::text::{Text, counted};
use crate::unit::{Quantity, Unit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "lock-ddl-queue",
    title: "Waiting schema change blocks everybody behind it",
    needs: &[Need::View("pg_locks", &["pid", "mode", "granted", "relation"])],
    wants: &[Need::View("blocking_pids", &["pid", "blocked_by"])],
    thresholds: &[
        Threshold {
            name: "min_wait_s",
            default: 5.0,
            unit: Unit::Seconds,
            about: "The lock_timeout that careful schema changes are run with.",
        },
        Threshold {
            name: "habit_wait_s",
            default: 1.0,
            unit: Unit::Seconds,
            about: "deadlock_timeout, worth a log line.",
        },
        Threshold {
            name: "habit_samples",
            default: 3.0,
            unit: Unit::Count,
            about: "Short queues on the same table in this many snapshots are a habit.",
        },
    ],
    docs: Docs {
        looks_at: "ACCESS EXCLUSIVE requests (ALTER TABLE, DROP, TRUNCATE, VACUUM FULL) that wait, with other requests behind \
                   them, in any snapshot.",
        why: "Locks are granted in the order asked for. While the schema change waits for one reader, everybody who comes \
              later waits behind it, also those who only want to read.",
        decides: "A queue of five seconds is high; queues of a second in three snapshots are medium.",
        what_to_do: "Cancel the schema change and run it again with a lock_timeout, repeated until it gets its lock in a \
                     quiet moment.",
        ignore_when: "A maintenance window in which nobody else is meant to work.",
        references: "PostgreSQL manual, \"Explicit Locking\"; \"Client Connection Defaults\" (lock_timeout).",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let (all, samples) = contentions(ctx, is_ddl_queue)?;
    let limits = (ctx.threshold("min_wait_s"), ctx.threshold("habit_wait_s"), ctx.threshold("habit_samples"));
    let findings = all
        .iter()
        .filter(|c| c.counts(limits.0, limits.1, limits.2))
        .filter_map(|c| finding(ctx, c, c.worst()?))
        .collect();
    Ok(Checked {
        findings,
        looked_at: format!(
            "{} behind a schema change in {}",
            counted(all.len(), "queue", "queues"),
            counted(samples, "snapshot", "snapshots")
        ),
    })
}

fn finding(ctx: &Context<'_>, contention: &Contention, worst: &Seen) -> Option<Finding> {
    let ddl = |s: &Seen| s.tree.waiters.iter().find(|w| w.mode == Some(LockMode::AccessExclusive)).map(|w| w.pid);
    let behind = worst.tree.waiters.iter().filter(|w| Some(w.pid) != ddl(worst)).count();
    let longest = contention.longest();
    let severity = if longest >= ctx.threshold("min_wait_s") { Severity::High } else { Severity::Medium };
    let title = Text::new()
        .t("A schema change of ")
        .name(&contention.name)
        .t(" waited with ")
        .many(Quantity::count(behind), "session behind it, for up to ", "sessions behind it, for up to ")
        .opt(Quantity::float(longest, Unit::Seconds));
    let mut finding = ctx
        .finding(severity, Subject::new(SubjectKind::Table, &contention.name), title)
        .why(
            Text::new()
                .t("Seen ")
                .then(contention.sighting.text())
                .t(". Whoever comes after it waits too, also for locks that the present holders would allow."),
        )
        .doubts([contention.sighting.doubt()])
        .members(members(ctx, worst))
        .fix(Fix::diagnose(&contention.name, WHO_WAITS))
        .verify("No schema change waits with others behind it in the next snapshots.")
        .effort(Effort::S);
    finding.measures = measures(ctx, contention, worst);
    finding.measures.push(ctx.seen_in(
        Some(worst.snapshot),
        "Sessions behind it",
        Some(Quantity::count(behind)),
        ctx.all_rows(
            worst.snapshot,
            "pg_locks",
            &["pid", "mode", "granted"],
            "waiting, not for ACCESS EXCLUSIVE".to_owned(),
        ),
    ));
    let last = contention.seen.iter().rfind(|_| contention.sighting.in_last);
    if let Some((now, pid)) = last.and_then(|now| Some((now, ddl(now)?))) {
        let began = activity(ctx, now.snapshot, pid).and_then(|row| row.time("query_start"));
        let mut fix =
            cancel(format!("pid {pid}"), pid, began, "It is about to get its lock, and the others can wait.".into());
        fix.sql = format!("{}\n-- then again, in a quiet moment: {LOCK_TIMEOUT} <the schema change>", fix.sql);
        finding = finding.fix(fix.lock("no lock; the schema change fails and can be repeated"));
    }
    Some(finding)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::literal::literal;

    fn at(seconds: &str) -> Vec<String> {
        const LOCKS: &str = "locktype | database | relation | virtualtransaction | pid | mode | granted | waitstart";
        let b = literal(&format!("2026-11-22 12:00:{seconds}+00"))
            .view(
                "pg_locks",
                LOCKS,
                &[
                    "relation | 16697 | 70 | 3/1 | 10 | AccessShareLock | t |",
                    "relation | 16697 | 70 | 4/1 | 20 | AccessExclusiveLock | f | 2026-11-22 12:00:00+00",
                    "relation | 16697 | 70 | 5/1 | 30 | AccessShareLock | f | 2026-11-22 12:00:01+00",
                    "relation | 16697 | 70 | 6/1 | 31 | RowExclusiveLock | f | 2026-11-22 12:00:01+00",
                ],
            )
            .view("pg_stat_user_tables", "relid | schemaname | relname", &["70 | public | orders"])
            .build();
        told(&judge(&RULE, &[b], ""))
    }

    #[test]
    fn finds_the_queue() {
        assert_eq!(
            at("20"),
            [
                "high, medium: public.orders: A schema change of public.orders waited with 2 sessions behind it, for up to 20.0 s"
            ]
        );
    }

    /// Numbers of relations are each database's own: 70 is another table there.
    #[test]
    fn a_relation_of_another_database_is_told_by_both() {
        let rows = [
            "relation | 5 | 70 | 3/1 | 10 | AccessShareLock | t |",
            "relation | 5 | 70 | 4/1 | 20 | AccessExclusiveLock | f | 2026-11-22 12:00:00+00",
            "relation | 5 | 70 | 5/1 | 30 | AccessShareLock | f | 2026-11-22 12:00:01+00",
        ];
        let b = literal("2026-11-22 12:00:20+00")
            .view(
                "pg_locks",
                "locktype | database | relation | virtualtransaction | pid | mode | granted | waitstart",
                &rows,
            )
            .view("pg_stat_user_tables", "relid | schemaname | relname", &["70 | public | orders"])
            .view("pg_database", "oid | datname", &["5 | shop two"])
            .build();
        assert_eq!(
            told(&judge(&RULE, &[b], "")),
            [
                "high, medium: relation 70 of database shop two: A schema change of relation 70 of database shop two waited with 1 session behind it, for up to 20.0 s"
            ]
        );
    }

    #[test]
    fn stays_quiet_about_a_moment() {
        assert_eq!(at("03"), ["passed: 1 queue behind a schema change in 1 snapshot"]);
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert_eq!(
            crate::advisor::testing::told_of_nothing(&RULE),
            "skipped, input missing: `pg_locks` is not in the dump"
        );
    }
}
