//! shared_buffers at its default, or out of proportion to the machine.

use crate::advisor::cure::{Effect, set_system};
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Skip, Threshold, show};
use crate::finding::{Effort, Measure, Severity, Subject, SubjectKind};
use crate::text::Text;
use crate::unit::{Quantity, Unit};

const GB: f64 = 1_073_741_824.0;
const DEFAULT: f64 = 134_217_728.0;
/// Below this shared_buffers is too small for any server in use.
pub(super) const FEW_BYTES: f64 = 33_554_432.0;

/// The rule.
pub const RULE: Rule = Rule {
    id: "mem-shared-buffers",
    title: "shared_buffers at its default or out of proportion",
    needs: &[Need::Setting("shared_buffers")],
    wants: &[Need::View("database_sizes", &["size"])],
    thresholds: &[
        Threshold {
            name: "low_share",
            default: 0.1,
            unit: Unit::Share,
            about: "Below a tenth of memory most of it serves twice.",
        },
        Threshold {
            name: "high_share",
            default: 0.4,
            unit: Unit::Share,
            about: "Above, little is left for work_mem and the OS cache.",
        },
        Threshold {
            name: "few_bytes",
            default: FEW_BYTES,
            unit: Unit::Bytes,
            about: "A quarter of the built-in 128 MB, on whatever machine.",
        },
        Threshold {
            name: "min_database_bytes",
            default: 10.0 * GB,
            unit: Unit::Bytes,
            about: "Smaller data does not need more.",
        },
    ],
    docs: Docs {
        looks_at: "shared_buffers against the memory of the machine where it is known; else whether it is still the built-in \
                   128 MB beside a large database.",
        why: "128 MB is a value that starts everywhere, not one that fits a large database.",
        decides: "Medium below `few_bytes` in any case. Memory known: below a tenth or above four tenths. Memory unknown: only \
                  the default beside 10 GB of data, and no verdict on what would be right; otherwise none at all.",
        what_to_do: "A quarter of memory is a start, not a goal; then look at reads per second.",
        ignore_when: "The machine is shared, or it was measured.",
        references: "PostgreSQL manual, \"Resource Consumption\" (shared_buffers).",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let setting =
        ctx.exported_setting("shared_buffers").ok_or_else(|| Skip("shared_buffers is not known".to_owned()))?;
    let buffers = setting.value.ok_or_else(|| Skip("shared_buffers is no number".to_owned()))?;
    let size: Option<f64> = ctx.state("database_sizes").map(|s| s.table.iter().filter_map(|r| r.f64("size")).sum());
    let large = size.is_some_and(|s| s >= ctx.threshold("min_database_bytes"));
    let quantity = Quantity::float(buffers, Unit::Bytes);
    let looked_at = format!("shared_buffers {}", show(buffers, Unit::Bytes));
    let few = buffers < ctx.threshold("few_bytes");
    let ram = ctx.ram_bytes().map(|r| r as f64).filter(|r| *r > 0.0);
    let (title, why, value) = match ram {
        _ if few => {
            let title = Text::new()
                .code("shared_buffers")
                .t(" is ")
                .opt(quantity)
                .t(", far below the built-in ")
                .opt(Quantity::float(DEFAULT, Unit::Bytes));
            // A quarter of the machine where there is the data for it; at least what every server begins with.
            let quarter = ram.map(|r| (r / 4.0 / 1_048_576.0).floor().max(1.0));
            let built_in = DEFAULT / 1_048_576.0;
            let value = quarter.map_or(built_in, |q| if large { q } else { q.min(built_in) });
            (
                title,
                "Pages in use are read again and again, sessions write dirty pages themselves, and the checkpointer's queue of \
                 fsync requests, which has as many places as there are buffers, is soon full.",
                Some(format!("{value:.0}MB")),
            )
        }
        Some(ram) => {
            let share = buffers / ram;
            let too_small = share < ctx.threshold("low_share") && large;
            if !too_small && share <= ctx.threshold("high_share") {
                return Ok(Checked { findings: Vec::new(), looked_at });
            }
            let title = Text::new()
                .code("shared_buffers")
                .t(" is ")
                .opt(quantity)
                .t(", ")
                .opt(Quantity::float(share, Unit::Share))
                .t(" of the machine's memory");
            let why = if too_small {
                "Most of the data in use has to be copied from the operating system's cache again and again."
            } else {
                "What sessions need for sorts and hashes, and the operating system's cache, have to share the rest."
            };
            (title, why, Some(format!("{:.0}MB", (ram / 4.0 / 1_048_576.0).floor())))
        }
        None if buffers == DEFAULT && large => {
            let title = Text::new()
                .code("shared_buffers")
                .t(" is the built-in ")
                .opt(quantity)
                .t(" beside ")
                .opt(size.and_then(|s| Quantity::float(s, Unit::Bytes)))
                .t(" of databases");
            (
                title,
                "Nobody seems to have chosen it. What fits depends on the machine's memory, which the export does not tell.",
                None,
            )
        }
        None => return Err(Skip(format!("{looked_at}; the machine's memory is not stated (--ram)"))),
    };
    let mut finding = ctx
        .finding(
            if few { Severity::Medium } else { Severity::Low },
            Subject::new(SubjectKind::Setting, "shared_buffers"),
            title,
        )
        .why(why)
        .doubts([setting.doubt()])
        .measure(ctx.setting_measure("shared_buffers"))
        .measures(beside(ctx, buffers, few.then_some(DEFAULT), ram, size))
        .verify("Blocks read per second fall in the next window at the same work.")
        .effort(Effort::M);
    if let Some(value) = value {
        finding = finding.fix(set_system(
            "shared_buffers",
            &value,
            Effect::Restart,
            Some(&format!("{:.0}kB", buffers / 1024.0)),
            "Other programs need the machine's memory.".into(),
        ));
    }
    Ok(Checked { findings: vec![finding], looked_at })
}

/// What the size is held against: the built-in one, the machine's memory, the databases.
fn beside(
    ctx: &Context<'_>,
    buffers: f64,
    built_in: Option<f64>,
    ram: Option<f64>,
    databases: Option<f64>,
) -> Option<Measure> {
    let against = |label: &str, of: f64, what: &str| {
        let formula = format!("{} ÷ {} {what}", show(buffers, Unit::Bytes), show(of, Unit::Bytes));
        ctx.computed(label, Quantity::float(buffers / of, Unit::Share), formula, &ctx.setting_rows("shared_buffers"))
    };
    match (built_in, ram, databases) {
        (Some(built_in), ..) => Some(against("Part of the built-in size", built_in, "built in")),
        (_, Some(ram), _) => Some(against("Part of the machine's memory", ram, "(--ram)")),
        (_, _, Some(bytes)) if bytes > 0.0 => Some(against("Part of the databases", bytes, "of databases")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::literal::literal;

    fn with(blocks: u64, size: &str, ram: Option<i64>) -> Vec<String> {
        let b = literal("2026-11-22 12:00:00+00")
            .meta(|m| m.ram_bytes = ram)
            .view("pg_settings", "name | setting | unit", &[&format!("shared_buffers | {blocks} | 8kB")])
            .view("database_sizes", "datid | datname | size", &[&format!("5 | shop | {size}")])
            .build();
        told(&judge(&RULE, &[b], ""))
    }

    #[test]
    fn judges_by_the_machine_where_it_is_known() {
        assert_eq!(
            with(16_384, "99000000000", Some(64 << 30)),
            ["low, high: shared_buffers: shared_buffers is 128 MB, 0.2% of the machine's memory"]
        );
        assert_eq!(with(16_384, "1000000", Some(64 << 30)), ["passed: shared_buffers 128 MB"]);
        assert_eq!(
            with(1_000_000, "1000000", Some(16 << 30)),
            ["low, high: shared_buffers: shared_buffers is 7.63 GB, 47.7% of the machine's memory"]
        );
    }

    #[test]
    fn says_no_more_than_default_where_it_is_not() {
        assert_eq!(
            with(16_384, "99000000000", None),
            ["low, high: shared_buffers: shared_buffers is the built-in 128 MB beside 92.2 GB of databases"]
        );
        assert_eq!(
            with(8_192, "99000000000", None),
            ["skipped: shared_buffers 64 MB; the machine's memory is not stated (--ram)"]
        );
        let b = literal("2026-11-22 12:00:00+00")
            .view("pg_settings", "name | setting | unit", &["shared_buffers | 16384 | 8kB"])
            .view("database_sizes", "datid | datname | size", &["5 | shop | 99000000000"]);
        let crate::finding::Outcome::Found { findings, .. } = judge(&RULE, &[b.build()], "") else { panic!() };
        assert!(findings[0].fixes.is_empty(), "no value without the machine's memory");
    }

    #[test]
    fn far_below_the_built_in_value_it_is_too_small_on_any_machine() {
        let tiny = "medium, high: shared_buffers: shared_buffers is 512 kB, far below the built-in 128 MB";
        assert_eq!(with(64, "1000000", None), [tiny]);
        assert_eq!(with(64, "1000000", Some(64 << 30)), [tiny]);
        let b = literal("2026-11-22 12:00:00+00").view(
            "pg_settings",
            "name | setting | unit",
            &["shared_buffers | 64 | 8kB"],
        );
        let crate::finding::Outcome::Found { findings, .. } = judge(&RULE, &[b.build()], "") else { panic!() };
        assert!(findings[0].fixes[0].sql.starts_with("ALTER SYSTEM SET shared_buffers = '128MB';"));
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert_eq!(
            crate::advisor::testing::told_of_nothing(&RULE),
            "skipped, input missing: needs the setting `shared_buffers`; `pg_settings` does not have it"
        );
    }
}
