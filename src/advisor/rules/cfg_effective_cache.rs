//! What the planner is told about the cache, against the machine's memory.

use crate::advisor::cure::{Effect, set_system};
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Skip, Threshold, show};
use crate::finding::{Effort, Severity, Subject, SubjectKind};
use crate::text::Text;
use crate::unit::{Quantity, Unit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "cfg-effective-cache",
    title: "Planner told of less cache than there is",
    needs: &[Need::Setting(NAME)],
    wants: &[],
    thresholds: &[Threshold {
        name: "low_share",
        default: 0.5,
        unit: Unit::Share,
        about: "On a machine for the database alone the operating system caches with most of the rest.",
    }],
    docs: Docs {
        looks_at: "`effective_cache_size` and the machine's memory, from the dump or the configuration (`ram`).",
        why: "It allocates nothing: it tells the planner how much of a table may be in PostgreSQL's or the operating system's \
              cache when an index is read again and again.",
        decides: "A note where the memory is known and the setting is below `low_share` of it. Without the memory there is no verdict.",
        what_to_do: "Set it to what the machine has left for caching, shared_buffers included.",
        ignore_when: "Other programs use the machine's memory.",
        references: "PostgreSQL manual, \"Query Planning\" (effective_cache_size).",
    },
    check,
};

const NAME: &str = "effective_cache_size";

fn check(ctx: &Context<'_>) -> Check {
    let setting = ctx.exported_setting(NAME).ok_or_else(|| Skip(format!("{NAME} is not known")))?;
    let cache = setting.value.ok_or_else(|| Skip(format!("{NAME} is no number")))?;
    let looked_at = format!("{NAME} {}", show(cache, Unit::Bytes));
    let Some(ram) = ctx.ram_bytes().map(|r| r as f64).filter(|r| *r > 0.0) else {
        return Err(Skip(format!("{looked_at}; the machine's memory is not stated (--ram)")));
    };
    let share = cache / ram;
    if share >= ctx.threshold("low_share") {
        return Ok(Checked { findings: Vec::new(), looked_at });
    }
    let value = format!("{:.0}MB", (ram * 0.75 / 1_048_576.0).floor());
    let title = Text::new()
        .code(NAME)
        .t(" is ")
        .opt(Quantity::float(cache, Unit::Bytes))
        .t(", ")
        .opt(Quantity::float(share, Unit::Share))
        .t(" of the machine's memory");
    let finding = ctx
        .finding(Severity::Info, Subject::new(SubjectKind::Setting, NAME), title)
        .why("The planner takes repeated index scans for dearer than they are. The setting allocates no memory.")
        .doubts([setting.doubt()])
        .measure(ctx.setting_measure(NAME))
        .measure(ctx.computed(
            "Part of the machine's memory",
            Quantity::float(share, Unit::Share),
            format!("{} ÷ {} (--ram)", show(cache, Unit::Bytes), show(ram, Unit::Bytes)),
            &ctx.setting_rows(NAME),
        ))
        .fix(set_system(
            NAME,
            &value,
            Effect::Reload,
            Some(&format!("{:.0}kB", cache / 1024.0)),
            "Other programs need the machine's memory.".into(),
        ))
        .verify("The setting is in the next snapshot; no statement that matters got slower.")
        .effort(Effort::S);
    Ok(Checked { findings: vec![finding], looked_at })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::finding::Outcome;
    use crate::snapshot::literal::literal;

    fn with(blocks: u64, ram: &str) -> Outcome {
        let b = literal("2026-11-22 12:00:00+00").view(
            "pg_settings",
            "name | setting | unit",
            &[&format!("effective_cache_size | {blocks} | 8kB")],
        );
        let config = if ram.is_empty() { String::new() } else { format!("[options]\nram = '{ram}'\n") };
        judge(&RULE, &[b.build()], &config)
    }

    #[test]
    fn judges_by_the_machine_or_not_at_all() {
        // 524,288 blocks are the built-in 4 GB.
        assert_eq!(
            told(&with(524_288, "64GB")),
            ["info, high: effective_cache_size: effective_cache_size is 4 GB, 6.2% of the machine's memory"]
        );
        assert_eq!(told(&with(524_288, "8GB")), ["passed: effective_cache_size 4 GB"]);
        assert_eq!(
            told(&with(524_288, "")),
            ["skipped: effective_cache_size 4 GB; the machine's memory is not stated (--ram)"]
        );
        let Outcome::Found { findings, .. } = with(524_288, "64GB") else { panic!() };
        assert!(findings[0].fixes[0].sql.contains("effective_cache_size = '49152MB'"), "{}", findings[0].fixes[0].sql);
    }
}
