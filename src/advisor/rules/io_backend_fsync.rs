//! Client sessions that have to call fsync themselves.

use super::mem_shared_buffers::FEW_BYTES;
use crate::advisor::statement::{Family, family};
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Skip, Threshold, show, show_counted};
use crate::diff::Change;
use crate::finding::{Doubt, Effort, Fix, Severity, Subject, SubjectKind};
use crate::text::Text;
use crate::unit::{Quantity, Unit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "io-backend-fsync",
    title: "Sessions call fsync themselves",
    needs: &[Need::View("pg_stat_bgwriter", &["buffers_alloc"])],
    wants: &[
        Need::View("pg_stat_io", &["fsyncs"]),
        Need::View("pg_stat_statements", &["query", "calls"]),
        Need::Setting("shared_buffers"),
    ],
    thresholds: &[
        Threshold { name: "min_window_s", default: 60.0, unit: Unit::Seconds, about: "Rates need a minute." },
        Threshold { name: "min_fsyncs", default: 10.0, unit: Unit::Count, about: "A few belong to a single moment." },
    ],
    docs: Docs {
        looks_at: "fsync calls of client sessions on relations: `buffers_backend_fsync` up to 15, client backends in context \
                   `normal` of pg_stat_io from 16 on.",
        why: "Sessions hand their fsync requests to the checkpointer. Where its queue is full they have to wait for storage \
              themselves.",
        decides: "Any such call, ten at least. From 16 on commands that rewrite a relation count too: where such commands ran \
                  in the window, or where statements are not recorded, nothing is said.",
        what_to_do: "The checkpointer does not keep up: look at the write times of checkpoints, at storage, at shared_buffers \
                     (the queue has as many places as there are buffers).",
        ignore_when: "It happened once, during a bulk load.",
        references: "PostgreSQL manual, \"pg_stat_bgwriter\" (up to 16); \"pg_stat_io\".",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    ctx.window_of("min_window_s")?;
    let mut sources: Vec<(Change<'_>, &str)> = Vec::new();
    if let Some(view) = ctx.changes("pg_stat_io").filter(|v| v.last.is_some()) {
        let client = |c: &Change<'_>| {
            let row = c.last();
            let is = |column, value| row.and_then(|r| r.text(column)) == Some(value);
            is("backend_type", "client backend") && is("object", "relation") && is("context", "normal")
        };
        sources.extend(view.present().filter(client).map(|c| (c, "fsyncs")));
    } else if let Some(view) = ctx.changes("pg_stat_bgwriter") {
        sources.extend(view.present().map(|c| (c, "buffers_backend_fsync")));
    }
    let Some((change, column)) = sources.into_iter().find(|(c, column)| c.delta(column).is_some()) else {
        return Err(Skip("no counter tells fsync calls of client sessions".to_owned()));
    };
    let count = change.delta(column).unwrap_or(0.0);
    let looked_at = format!("{} fsync calls of client sessions", show_counted(count, Unit::Count, change.is_exact()));
    if count < ctx.threshold("min_fsyncs") {
        return Ok(Checked { findings: Vec::new(), looked_at });
    }
    if column == "fsyncs" {
        match rewriting_commands(ctx) {
            Some(0.0) => {}
            Some(n) => {
                return Err(Skip(format!(
                    "{looked_at}, but {} commands that may rewrite a relation ran: they call it too",
                    show(n, Unit::Count)
                )));
            }
            None => {
                return Err(Skip(format!(
                    "{looked_at}; whether commands that rewrite a relation made them is not known"
                )));
            }
        }
    }
    let finding = ctx
        .finding(
            Severity::Medium,
            Subject::new(SubjectKind::Server, "fsync"),
            Text::new().t("Client sessions had to call fsync ").many(Quantity::float(count, Unit::Count), "time", "times"),
        )
        .why(match few_places(ctx) {
            Some(places) => Text::new()
                .t(WHY)
                .t(" It has only ")
                .many(Quantity::float(places, Unit::Count), "place", "places")
                .t(", as many as shared_buffers has pages: raise that first."),
            None => WHY.into(),
        })
        .doubts([ctx.single_doubt(), ctx.class_doubt(change), (column != "fsyncs").then_some(Doubt::C5)])
        .measure(ctx.measure("fsync calls of client sessions", change, column))
        .fix(Fix::diagnose("fsync", "SELECT name, setting, unit FROM pg_settings WHERE name IN ('shared_buffers', 'checkpoint_timeout', 'max_wal_size', 'checkpoint_completion_target');"))
        .measures(few_places(ctx).map(|_| ctx.setting_measure("shared_buffers")))
        .measures(few_places(ctx).zip(ctx.setting_row("shared_buffers")).map(|(places, row)| {
            ctx.computed(
                "Places in the checkpointer's queue",
                Quantity::float(places, Unit::Count),
                "shared_buffers ÷ block size".to_owned(),
                &[(row, &["setting", "unit"])],
            )
        }))
        .verify("The counter does not move in the next window.")
        .effort(Effort::L);
    Ok(Checked { findings: vec![finding], looked_at })
}

const WHY: &str =
    "The queue of the checkpointer was full: sessions waited for storage instead of handing the request over.";

/// Places in the checkpointer's queue, where shared_buffers leaves it few.
///
/// Source: `checkpointer.c` (`CheckpointerShmemSize`: one for each buffer).
fn few_places(ctx: &Context<'_>) -> Option<f64> {
    let buffers = ctx.exported_setting("shared_buffers")?.value.filter(|b| *b > 0.0 && *b < FEW_BYTES)?;
    Some(buffers / ctx.chain.last().meta.block_bytes() as f64)
}

/// Calls of schema changes and maintenance; `None` where statements were not recorded.
fn rewriting_commands(ctx: &Context<'_>) -> Option<f64> {
    let view = ctx.changes("pg_stat_statements").filter(|v| v.last.is_some())?;
    let rewrites = |c: &Change<'_>| {
        let text = c.latest().and_then(|r| r.text("query")).unwrap_or_default();
        matches!(family(text), Family::Definition | Family::Maintenance | Family::Unknown)
    };
    Some(view.iter().filter(rewrites).filter_map(|c| c.delta("calls")).sum())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::literal::literal;

    fn over_an_hour(io: &str, statement: &str) -> Vec<String> {
        let taken = |at: &str, fsyncs: &str, calls: &str| {
            literal(at)
                .view("pg_stat_bgwriter", "buffers_alloc | stats_reset", &["5 | 2026-11-01 00:00:00+00"])
                .view(
                    "pg_stat_io",
                    "backend_type | object | context | fsyncs | stats_reset",
                    &[
                        &format!("client backend | relation | normal | {fsyncs} | 2026-11-01 00:00:00+00"),
                        &format!("checkpointer | relation | normal | {fsyncs} | 2026-11-01 00:00:00+00"),
                    ],
                )
                .view(
                    "pg_stat_statements",
                    "userid | dbid | queryid | query | calls",
                    &[&format!("10 | 5 | 1 | {statement} | {calls}")],
                )
                .build()
        };
        let (a, b) = (taken("2026-11-22 10:00:00+00", "0", "1"), taken("2026-11-22 11:00:00+00", io, "9"));
        told(&judge(&RULE, &[a, b], ""))
    }

    #[test]
    fn blames_the_checkpointer_only_where_no_command_rewrote_a_table() {
        assert_eq!(over_an_hour("50", "select 1"), ["medium, high: fsync: Client sessions had to call fsync 50 times"]);
        assert_eq!(
            over_an_hour("50", "create index i on t (a)"),
            [
                "skipped: 50 fsync calls of client sessions, but 8 commands that may rewrite a relation ran: they call it too"
            ]
        );
        assert_eq!(over_an_hour("0", "select 1"), ["passed: 0 fsync calls of client sessions"]);
    }

    #[test]
    fn names_the_size_of_the_queue_where_there_are_few_buffers() {
        let taken = |at: &str, fsyncs: u32, buffers: u32| {
            literal(at)
                .version(15)
                .view(
                    "pg_stat_bgwriter",
                    "buffers_alloc | buffers_backend_fsync | stats_reset",
                    &[&format!("5 | {fsyncs} | 2026-11-01 00:00:00+00")],
                )
                .view("pg_settings", "name | setting | unit", &[&format!("shared_buffers | {buffers} | 8kB")])
                .build()
        };
        let why = |buffers| {
            let snapshots = [taken("2026-11-22 10:00:00+00", 0, buffers), taken("2026-11-22 11:00:00+00", 50, buffers)];
            let crate::finding::Outcome::Found { findings, .. } = judge(&RULE, &snapshots, "") else { panic!() };
            findings[0].why.plain()
        };
        assert!(why(64).contains("It has only 64 places"), "{}", why(64));
        assert_eq!(why(16_384), WHY);
    }
}
