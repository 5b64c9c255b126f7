//! A statement that writes temporary files.

use crate::advisor::cure::{set_work_mem, set_work_mem_once};
use crate::advisor::since_set::{risen, rows_from, set_anew};
use crate::advisor::statement::Family;
use crate::advisor::workload::{GOOD_WINDOW, MIN_CALLS, MIN_WINDOW, Statement, Workload, part};
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Threshold, ratio, show, show_counted};
use crate::finding::{Effort, Finding, Severity};
use crate::text::Text;
use crate::unit::{Quantity, Unit};

const MB: f64 = 1_048_576.0;

/// The rule.
pub const RULE: Rule = Rule {
    id: "query-temp-spill",
    title: "Statement spills to temporary files",
    needs: &[Need::View("pg_stat_statements", &["queryid", "query", "calls", "temp_blks_written"])],
    wants: &[Need::Setting("work_mem")],
    thresholds: &[
        MIN_WINDOW,
        GOOD_WINDOW,
        MIN_CALLS,
        Threshold {
            name: "min_bytes_per_call",
            default: 10.0 * MB,
            unit: Unit::Bytes,
            about: "Twice the default work_mem and more: one operation did not fit.",
        },
        Threshold {
            name: "min_share",
            default: 0.2,
            unit: Unit::Share,
            about: "A fifth of all temporary blocks, also in small portions.",
        },
        Threshold {
            name: "min_bytes",
            default: 100.0 * MB,
            unit: Unit::Bytes,
            about: "Less than this in the whole window stays in the operating system's cache.",
        },
        Threshold {
            name: "max_work_mem_bytes",
            default: 512.0 * MB,
            unit: Unit::Bytes,
            about: "No larger work_mem is proposed: it holds for each operation of each session.",
        },
        Threshold {
            name: "most_of_the_time",
            default: 0.5,
            unit: Unit::Share,
            about: "A role that runs so much of all is everybody: the one transaction gets the memory.",
        },
    ],
    docs: Docs {
        looks_at: "Temporary blocks written by each statement over the window.",
        why: "A sort or hash that does not fit into work_mem is written to disk and read again.",
        decides: "Bytes written per call, or a fifth of all temporary bytes of the window; small totals are left alone. \
                  Temporary files of CREATE INDEX and other maintenance are limited by maintenance_work_mem and are not \
                  counted here. Where work_mem was changed meanwhile, what was written since counts. A hash may use work_mem × hash_mem_multiplier (1 up to PostgreSQL 14, 2 from 15 on).",
        what_to_do: "First ask whether all those rows are needed and whether an index gives the order. Else a larger \
                     work_mem for the role or the transaction that runs it; never for everybody: the limit holds for each \
                     operation of each session.",
        ignore_when: "A report at night that nobody waits for.",
        references: "PostgreSQL manual, \"Resource Consumption\" (work_mem, hash_mem_multiplier).",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let work = Workload::read(ctx)?;
    let block = ctx.chain.last().meta.block_bytes() as f64;
    let spilled =
        |s: &Statement<'_>| if s.family == Family::Maintenance { 0.0 } else { s.delta("temp_blks_written") * block };
    let total: f64 = work.statements.iter().map(spilled).sum();
    let mut findings = Vec::new();
    for (s, bytes) in work.by(|s| spilled(s)) {
        if bytes < ctx.threshold("min_bytes") {
            break;
        }
        let spill = Spill::of(ctx, s, bytes, block);
        let much = spill.per_call() >= ctx.threshold("min_bytes_per_call");
        if much || (spill.bytes > 0.0 && part(bytes, total) >= ctx.threshold("min_share")) {
            findings.push(finding(ctx, &work, s, &spill, (bytes, total)));
        }
    }
    Ok(Checked {
        findings,
        looked_at: format!(
            "{} statements; {} of temporary files written",
            work.statements.len(),
            show_counted(total, Unit::Bytes, work.is_exact())
        ),
    })
}

/// What a statement wrote, of the windows since work_mem has its present value where it ran in them.
struct Spill {
    bytes: f64,
    calls: f64,
    /// Whether work_mem was another one before.
    anew: bool,
    /// Whether all is counted under its present value.
    pure: bool,
}

impl Spill {
    fn of(ctx: &Context<'_>, s: &Statement<'_>, bytes: f64, block: f64) -> Self {
        let all = Self { bytes, calls: s.delta("calls"), anew: false, pure: true };
        let Some(first) = set_anew(ctx.chain, "work_mem") else { return all };
        let rows = rows_from(ctx, s.change, first);
        let calls = risen(&rows, "calls");
        if calls > 0.0 {
            Self { bytes: risen(&rows, "temp_blks_written") * block, calls, anew: true, pure: true }
        } else {
            Self { anew: true, pure: false, ..all }
        }
    }

    fn per_call(&self) -> f64 {
        part(self.bytes, self.calls)
    }
}

fn finding<'a>(ctx: &Context<'a>, work: &Workload<'a>, s: &Statement<'a>, spill: &Spill, of: (f64, f64)) -> Finding {
    let per_call = spill.per_call();
    let (share, part_of) = ratio((of.0, Unit::Bytes), (of.1, Unit::Bytes), Unit::Share);
    let mut why = Text::new()
        .t("Its sorts and hashes do not fit into memory: ")
        .opt(Quantity::float(per_call, Unit::Bytes))
        .t(" written per call, ")
        .opt(share)
        .t(" of all temporary bytes of the window.");
    let work_mem = ctx.setting("work_mem");
    if let Some(limit) = work_mem.and_then(|w| w.value) {
        why = why.t(" ").code("work_mem").t(" is ").opt(Quantity::float(limit, Unit::Bytes)).t(".");
    }
    if spill.anew {
        why = why.t(if spill.pure {
            " It was another one before: bytes per call are of the time since."
        } else {
            " It was another one when the statement ran: what it would write now is not known."
        });
    }
    let since = if spill.anew && spill.pure { " since work_mem was changed" } else { "" };
    let mut finding = ctx
        .finding(
            Severity::Medium,
            work.subject(s),
            Text::new()
                .code(s.headline())
                .t(" writes ")
                .opt(Quantity::float(per_call, Unit::Bytes))
                .t(" of temporary files per call"),
        )
        .why(work.shared(why))
        .doubts(work.doubts.iter().copied().chain([ctx.class_doubt(s.change), work_mem.and_then(|w| w.doubt())]))
        .measure(ctx.measure("Temporary blocks written", s.change, "temp_blks_written"))
        .measure(ctx.measure("Calls", s.change, "calls"))
        .measure(ctx.over_window(
            "Temporary bytes per call",
            Quantity::float(per_call, Unit::Bytes),
            format!("{} ÷ {} calls{since}", show(spill.bytes, Unit::Bytes), show(spill.calls, Unit::Count)),
            &[(s.row, &["temp_blks_written", "calls"])],
        ))
        .measure(ctx.over_window("Share of all temporary bytes", share, part_of, &[(s.row, &["temp_blks_written"])]))
        .measures(work_mem.and_then(|w| w.value).map(|_| ctx.setting_measure("work_mem")))
        .fix(s.look_up(ctx.major()))
        .verify("Temporary blocks per call fall to 0 or near it in the next window.")
        .effort(Effort::S)
        .share(Some(work.time_share(s)));
    let most = ctx.threshold("max_work_mem_bytes");
    if let Some(size) = proposal(per_call, work_mem.and_then(|w| w.value), most).filter(|_| spill.pure) {
        // Where one role runs most of the work, what it gets everybody gets.
        let of_role = |o: &&Statement<'_>| o.row.int("userid") == s.row.int("userid");
        let role: f64 = work.statements.iter().filter(of_role).map(|o| work.time_share(o)).sum();
        finding = finding.fix(if role >= ctx.threshold("most_of_the_time") {
            set_work_mem_once(ctx, &s.id(), size)
        } else {
            set_work_mem(ctx, work.role(s), size)
        });
    }
    finding
}

/// Megabytes of work_mem with room for what was spilled: temporary files are denser than rows in memory, so twice as much, in the
/// next power of two. `None` where that would be more than is prudent, or no more than there is.
fn proposal(per_call: f64, present: Option<f64>, most: f64) -> Option<f64> {
    let megabytes = (2.0 * per_call / MB).max(1.0).log2().ceil().exp2();
    let bytes = megabytes * MB;
    (bytes <= most && present.is_none_or(|p| bytes > p)).then_some(megabytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::literal::literal;

    #[test]
    fn proposes_room_but_not_any_amount() {
        for (per_call, present, want) in [
            (10.0 * MB, Some(4.0 * MB), Some(32.0)),
            (16.0 * MB, None, Some(32.0)),
            (0.1 * MB, Some(4.0 * MB), None),
            (400.0 * MB, Some(4.0 * MB), None),
        ] {
            assert_eq!(proposal(per_call, present, 512.0 * MB), want, "{per_call}");
        }
    }

    fn over(minutes: &str, header: &str, before: &[&str], after: &[&str]) -> Vec<String> {
        let taken = |at: &str, rows: &[&str]| {
            literal(at)
                .view("pg_stat_database", "datid | datname", &["5 | shop"])
                .view("pg_stat_statements", &format!("userid | dbid | queryid | toplevel | query | {header}"), rows)
                .build()
        };
        let b = format!("2026-11-22 {minutes}:00+00");
        told(&judge(&RULE, &[taken("2026-11-22 10:00:00+00", before), taken(&b, after)], ""))
    }

    #[test]
    fn finds_what_spills_but_not_index_builds() {
        const HEADER: &str = "calls | total_exec_time | temp_blks_written";
        assert_eq!(
            over(
                "11:00",
                HEADER,
                &["10 | 5 | 1 | t | select a | 0 | 0 | 0"],
                &[
                    "10 | 5 | 1 | t | select a | 5000 | 1000 | 0",
                    "10 | 5 | 2 | t | select b from t order by b | 10 | 1000 | 20480",
                    "10 | 5 | 3 | t | create index i on t (b) | 1 | 1000 | 900000",
                ]
            ),
            ["medium, medium: queryid 2 on shop: select b from t order by b writes 16 MB of temporary files per call"]
        );
        assert_eq!(
            over(
                "11:00",
                HEADER,
                &["10 | 5 | 1 | t | select a | 0 | 0 | 0"],
                &["10 | 5 | 1 | t | select a | 5000 | 1000 | 100"]
            ),
            ["passed: 1 statements; 800 kB of temporary files written"]
        );
    }

    /// What was written under a smaller work_mem does not tell what is needed, and a role that runs most is everybody.
    #[test]
    fn counts_since_work_mem_was_changed_and_asks_for_one_transaction_of_everybodys_role() {
        let taken = |hour: u32, kilobytes: u32, calls: u32, blocks: u32, other: u32| {
            literal(&format!("2026-11-22 {hour}:00:00+00"))
                .view("pg_settings", "name | setting | unit", &[&format!("work_mem | {kilobytes} | kB")])
                .view("pg_stat_activity", "pid | usesysid | usename", &["1 | 10 | app", "2 | 11 | reports"])
                .view(
                    "pg_stat_statements",
                    "userid | dbid | queryid | toplevel | query | calls | total_exec_time | temp_blks_written",
                    &[
                        &format!("10 | 5 | 2 | t | select b from t order by b | {calls} | {calls}000 | {blocks}"),
                        &format!("11 | 5 | 3 | t | select a | {}000 | {other} | 0", hour - 9),
                    ],
                )
                .build()
        };
        let of = |other: u32| {
            let chain = [
                taken(10, 4_096, 0, 0, 0),
                taken(11, 4_096, 10, 10 * 20_480, other),
                taken(12, 16_384, 20, 20 * 20_480, other * 2),
                taken(13, 16_384, 30, 20 * 20_480 + 10 * 6_400, other * 3),
            ];
            let crate::finding::Outcome::Found { findings, .. } = judge(&RULE, &chain, "") else { panic!() };
            let finding = &findings[0];
            (finding.title.plain(), finding.fixes[1].sql.lines().last().unwrap().to_owned())
        };
        let title = "select b from t order by b writes 50 MB of temporary files per call".to_owned();
        assert_eq!(of(900_000), (title.clone(), "ALTER ROLE \"app\" SET work_mem = '128MB';".to_owned()));
        assert_eq!(of(0), (title, "SET LOCAL work_mem = '128MB';".to_owned()));
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert_eq!(
            crate::advisor::testing::told_of_nothing(&RULE),
            "skipped, input missing: `pg_stat_statements` is not in the dump"
        );
    }
}
