//! Index builds and vacuum with the memory of a small database.

use crate::advisor::cure::{Effect, set_system};
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Skip, Threshold, show};
use crate::finding::{Effort, Severity, Subject, SubjectKind};
use crate::text::Text;
use crate::unit::{Quantity, Unit};

const NAME: &str = "maintenance_work_mem";

/// The rule.
pub const RULE: Rule = Rule {
    id: "mem-maintenance",
    title: "Default maintenance_work_mem beside a large index",
    needs: &[Need::Setting(NAME), Need::View("index_definitions", &["indexdef"])],
    wants: &[Need::Setting("autovacuum_work_mem"), Need::Setting("autovacuum_max_workers")],
    thresholds: &[
        Threshold {
            name: "max_bytes",
            default: 67_108_864.0,
            unit: Unit::Bytes,
            about: "The built-in value; more was chosen by somebody.",
        },
        Threshold {
            name: "min_index_bytes",
            default: 5_368_709_120.0,
            unit: Unit::Bytes,
            about: "Sorting less than this in pieces takes little longer.",
        },
    ],
    docs: Docs {
        looks_at: "maintenance_work_mem and the size of the largest index.",
        why: "CREATE INDEX and REINDEX sort in pieces of this size and merge them from disk. Up to 16, VACUUM reads every index of a \
              table once for each time that the list of dead rows (6 bytes a row) fills it.",
        decides: "The built-in 64 MB or less, and an index of 5 GB or more. Without sizes of indexes there is no verdict.",
        what_to_do: "Some hundred MB to a GB. Autovacuum's workers take as much each, unless autovacuum_work_mem is set: count them in. \
                     Up to 16, VACUUM uses at most 1 GB whatever is set.",
        ignore_when: "Sessions that build indexes set it for themselves.",
        references: "PostgreSQL manual, \"Resource Consumption\" (maintenance_work_mem, autovacuum_work_mem).",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let setting = ctx.exported_setting(NAME).ok_or_else(|| Skip(format!("{NAME} is not exported")))?;
    let bytes = setting.value.ok_or_else(|| Skip(format!("{NAME} is no number")))?;
    let sized = ctx.facts.indexes.iter().filter_map(|i| Some((i.bytes()? as f64, i)));
    let Some((largest, index)) = sized.max_by(|a, b| a.0.total_cmp(&b.0)) else {
        return Err(Skip("no size of an index was exported".to_owned()));
    };
    let looked_at = format!("{NAME} {}, largest index {}", show(bytes, Unit::Bytes), show(largest, Unit::Bytes));
    if bytes > ctx.threshold("max_bytes") || largest < ctx.threshold("min_index_bytes") {
        return Ok(Checked { findings: Vec::new(), looked_at });
    }
    let workers = ctx.setting("autovacuum_max_workers").and_then(|s| s.value).unwrap_or(3.0);
    let own = ctx.setting("autovacuum_work_mem").and_then(|s| s.value).is_some_and(|v| v > 0.0);
    let shares = if own {
        Text::new().t(" Autovacuum has a limit of its own.")
    } else {
        let each = Text::new();
        let each = if workers > 1.0 {
            each.t(" Each of the ").opt(Quantity::float(workers, Unit::Count)).t(" autovacuum workers")
        } else {
            each.t(" The autovacuum worker")
        };
        each.t(" may take as much: count it in.")
    };
    let finding = ctx
        .finding(
            Severity::Low,
            Subject::new(SubjectKind::Setting, NAME),
            Text::new()
                .code(NAME)
                .t(" is ")
                .opt(Quantity::float(bytes, Unit::Bytes))
                .t(", the largest index ")
                .opt(Quantity::float(largest, Unit::Bytes)),
        )
        .why(
            Text::new()
                .t("Building ")
                .name(index.display())
                .t(" again sorts it in many pieces, merged from disk.")
                .then(shares),
        )
        .doubts([setting.doubt(), ctx.facts.definitions.and_then(|d| d.doubt())])
        .measure(ctx.setting_measure(NAME))
        .measures((!own && workers > 1.0).then(|| ctx.setting_measure("autovacuum_max_workers")))
        .measures(index.definition.map(|row| ctx.read("Largest index", row, "index_size")))
        .fix(set_system(
            NAME,
            "512MB",
            Effect::Reload,
            Some(&format!("{:.0}kB", bytes / 1024.0)),
            "The machine has not this much to spare for each autovacuum worker and each session that builds an index."
                .into(),
        ))
        .verify("The setting is in the next snapshot; the next index build takes less time.")
        .effort(Effort::S);
    Ok(Checked { findings: vec![finding], looked_at })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told, told_of_nothing};
    use crate::snapshot::literal::literal;

    fn with(kb: u64, index: Option<u64>) -> Vec<String> {
        let size = index.map_or_else(String::new, |b| b.to_string());
        let row = format!("1 | 7 | public | t | i | CREATE INDEX i ON public.t USING btree (a) | {size}");
        let b = literal("2026-11-22 12:00:00+00")
            .view("pg_settings", "name | setting | unit", &[&format!("maintenance_work_mem | {kb} | kB")])
            .view(
                "index_definitions",
                "indexrelid | relid | schemaname | relname | indexrelname | indexdef | index_size",
                &[&row],
            );
        told(&judge(&RULE, &[b.build()], ""))
    }

    #[test]
    fn the_default_beside_a_large_index_is_told() {
        assert_eq!(
            with(65_536, Some(8 << 30)),
            ["low, high: maintenance_work_mem: maintenance_work_mem is 64 MB, the largest index 8 GB"]
        );
        assert_eq!(with(65_536, Some(1 << 30)), ["passed: maintenance_work_mem 64 MB, largest index 1 GB"]);
        assert_eq!(with(262_144, Some(8 << 30)), ["passed: maintenance_work_mem 256 MB, largest index 8 GB"]);
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert_eq!(with(65_536, None), ["skipped: no size of an index was exported"]);
        assert!(told_of_nothing(&RULE).starts_with("skipped, input missing: "));
    }
}
