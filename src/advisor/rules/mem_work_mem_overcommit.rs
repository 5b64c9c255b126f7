//! A work_mem that could use up the machine's memory.

use crate::advisor::sessions::is_client;
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Skip, Threshold, show};
use crate::finding::{Effort, Fix, Risk, Severity, Subject, SubjectKind, Verb};
use crate::text::Text;
use crate::unit::{Quantity, Unit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "mem-work-mem-overcommit",
    title: "work_mem could use up the machine's memory",
    needs: &[
        Need::Setting("work_mem"),
        Need::Setting("shared_buffers"),
        Need::View("pg_stat_activity", &["pid", "state", "backend_type"]),
    ],
    wants: &[],
    thresholds: &[
        Threshold { name: "max_share", default: 0.8, unit: Unit::Share, about: "The operating system needs the rest." },
        Threshold {
            name: "operations",
            default: 2.0,
            unit: Unit::Count,
            about: "Operations with a work_mem of their own in a common statement.",
        },
    ],
    docs: Docs {
        looks_at: "The most sessions active in any snapshot, work_mem, hash_mem_multiplier, shared_buffers, the machine's memory.",
        why: "work_mem holds for each sort and hash of each session and parallel worker. When memory runs out the operating \
              system kills a server process, and the whole server restarts.",
        decides: "Active sessions × operations × work_mem × hash_mem_multiplier + shared_buffers above four fifths of memory. \
                  Without the machine's memory there is no verdict, only the sum. Samples miss peaks, and statements may \
                  have more operations: the sum is no upper bound.",
        what_to_do: "A smaller work_mem for all, a larger one for the roles whose statements need it.",
        ignore_when: "Statements are known to sort little.",
        references: "PostgreSQL manual, \"Resource Consumption\" (work_mem, hash_mem_multiplier).",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let bytes = |name: &str| ctx.setting(name).and_then(|s| s.value);
    let (Some(work_mem), Some(buffers)) = (bytes("work_mem"), bytes("shared_buffers")) else {
        return Err(Skip("work_mem or shared_buffers is not known".to_owned()));
    };
    let multiplier = if ctx.major() >= 13 { bytes("hash_mem_multiplier").unwrap_or(1.0) } else { 1.0 };
    let active =
        |t: &crate::snapshot::Table| t.iter().filter(|r| is_client(*r) && r.text("state") == Some("active")).count();
    let peak = ctx.samples("pg_stat_activity").map(|(at, t)| (active(t), at)).max();
    let (peak, at) = peak.map_or((0.0, None), |(n, at)| (n as f64, Some(at)));
    let operations = ctx.threshold("operations");
    let sum = peak * operations * work_mem * multiplier + buffers;
    let formula = format!(
        "{peak} active sessions × {operations} operations × {} × {multiplier} + {} shared_buffers = {}",
        show(work_mem, Unit::Bytes),
        show(buffers, Unit::Bytes),
        show(sum, Unit::Bytes)
    );
    let Some(ram) = ctx.ram_bytes().map(|r| r as f64).filter(|r| *r > 0.0) else {
        return Err(Skip(format!("the machine's memory is not known; {formula}")));
    };
    if sum <= ram * ctx.threshold("max_share") {
        return Ok(Checked { findings: Vec::new(), looked_at: formula });
    }
    let finding = ctx
        .finding(
            Severity::Medium,
            Subject::new(SubjectKind::Setting, "work_mem"),
            Text::new()
                .t("Active sessions may use ")
                .opt(Quantity::float(sum, Unit::Bytes))
                .t(" of ")
                .opt(Quantity::float(ram, Unit::Bytes))
                .t(" of memory"),
        )
        .why("When memory runs out, the operating system kills a server process and the whole server restarts.")
        .doubts([Some(crate::finding::Doubt::C6), ctx.setting("work_mem").and_then(|s| s.doubt())])
        .measure(ctx.seen_in(
            at,
            "Memory that may be used",
            Quantity::float(sum, Unit::Bytes),
            ctx.all_rows_in(
                at.as_slice(),
                &["pg_stat_activity"],
                &["state"],
                format!("{formula}, of {} (--ram)", show(ram, Unit::Bytes)),
            ),
        ))
        .measure(ctx.setting_measure("work_mem"))
        .measure(ctx.setting_measure("shared_buffers"))
        .fix(cure(work_mem))
        .verify("The sum stays below four fifths of memory, and temporary files do not grow.")
        .effort(Effort::M);
    Ok(Checked { findings: vec![finding], looked_at: formula })
}

/// Where it is at the default or below already, only fewer sessions at a time help.
fn cure(work_mem: f64) -> Fix {
    const SMALL: f64 = 4_194_304.0;
    if work_mem <= SMALL {
        return Fix::diagnose(
            "pg_stat_activity",
            "-- work_mem is small: fewer sessions at a time (a pooler), or less for shared_buffers\n\
             SELECT usename, application_name, count(*) FROM pg_stat_activity WHERE state = 'active' GROUP BY 1, 2 ORDER BY 3 DESC;",
        );
    }
    Fix::new(
        Verb::Set,
        Risk::R1,
        "work_mem",
        "-- smaller for all, larger where it is needed\nALTER SYSTEM SET work_mem = '4MB';\nSELECT pg_reload_conf();\n\
         -- ALTER ROLE <role of the reports> SET work_mem = '…';",
    )
    .lock("no lock")
    .when_not("Statements would spill: look at query-temp-spill after it.")
    .undo(format!("ALTER SYSTEM SET work_mem = '{:.0}kB';\nSELECT pg_reload_conf();", work_mem / 1024.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::literal::literal;

    fn with(work_mem_kb: &str, ram: Option<i64>) -> Vec<String> {
        let rows = ["1 | active | client backend"; 4];
        let b = literal("2026-11-22 12:00:00+00")
            .meta(|m| m.ram_bytes = ram)
            .view("pg_stat_activity", "pid | state | backend_type", &rows)
            .view(
                "pg_settings",
                "name | setting | unit",
                &[
                    &format!("work_mem | {work_mem_kb} | kB"),
                    "shared_buffers | 131072 | 8kB",
                    "hash_mem_multiplier | 2 | ",
                ],
            )
            .build();
        told(&judge(&RULE, &[b], ""))
    }

    #[test]
    fn finds_more_than_the_machine_has() {
        assert_eq!(
            with("1048576", Some(16 << 30)),
            ["medium, medium: work_mem: Active sessions may use 17 GB of 16 GB of memory"]
        );
    }

    #[test]
    fn what_is_small_already_is_not_raised() {
        assert!(cure(64.0 * 1_048_576.0).sql.contains("SET work_mem = '4MB'"));
        assert!(!cure(2.0 * 1_048_576.0).sql.contains("SET work_mem"));
    }

    #[test]
    fn stays_quiet_where_it_fits_and_skips_where_memory_is_unknown() {
        let sum = "4 active sessions × 2 operations × 4 MB × 2 + 1 GB shared_buffers = 1.06 GB";
        assert_eq!(with("4096", Some(16 << 30)), [format!("passed: {sum}")]);
        assert_eq!(with("4096", None), [format!("skipped: the machine's memory is not known; {sum}")]);
    }
}
