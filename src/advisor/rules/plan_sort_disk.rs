//! A sort that went to disk.

use crate::advisor::cure::set_work_mem;
use crate::advisor::plans::{Explained, check_each, share};
use crate::advisor::{Check, Context, Docs, Need, Rule, Threshold};
use crate::catalog::settings::parse;
use crate::finding::{Effort, Finding, Severity};
use crate::text::Text;
use crate::unit::{Quantity, Unit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "plan-sort-disk",
    title: "Sort on disk",
    needs: &[Need::Plans],
    wants: &[Need::Setting("work_mem")],
    thresholds: &[
        Threshold { name: "min_kilobytes", default: 1.0, unit: Unit::Count, about: "Any sort on disk is told." },
        Threshold {
            name: "medium_kilobytes",
            default: 102_400.0,
            unit: Unit::Count,
            about: "100 MB in temporary files.",
        },
        Threshold { name: "medium_share", default: 0.2, unit: Unit::Share, about: "A fifth of the execution." },
    ],
    docs: Docs {
        looks_at: "Sorts and how they were done.",
        why: "A sort that does not fit into work_mem is written to temporary files and merged.",
        decides: "Sorts whose space is on disk. Medium from 100 MB on, or where the sort itself takes a fifth of the execution; else low.",
        what_to_do: "An index that gives the order spares the sort. Else two or three times the size on disk as work_mem, for the role or transaction that needs it: rows take more room in memory than on disk.",
        ignore_when: "A report at night that nobody waits for.",
        references: "PostgreSQL manual, \"Resource Consumption\" (work_mem).",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    check_each(ctx, worst)
}

fn worst<'a>(ctx: &Context<'a>, of: &Explained<'a>) -> Option<Finding> {
    let (at, kilobytes) = of.largest(|_, n| {
        let kilobytes = n.sort.as_ref().filter(|s| s.disk)?.kilobytes;
        (kilobytes >= ctx.threshold("min_kilobytes")).then_some(kilobytes)
    })?;
    let part = of.own_share(at);
    let is_large =
        kilobytes >= ctx.threshold("medium_kilobytes") || part.is_some_and(|p| p >= ctx.threshold("medium_share"));
    let severity = if is_large { Severity::Medium } else { Severity::Low };
    let bytes = Quantity::float(kilobytes * 1024.0, Unit::Bytes);
    let node = of.node(at)?;
    let keys = node.keys.iter().find(|(label, _)| label == "Sort Key").map_or("", |(_, keys)| keys.as_str());
    // Two and a half times, but never what is there already: in memory a sort takes more than on disk.
    let megabytes = (2.5 * kilobytes / 1024.0).max(2.0 * work_mem(ctx, of)).max(1.0).log2().ceil().exp2();
    let cure = (megabytes <= 512.0).then(|| set_work_mem(ctx, None, megabytes));
    Some(
        ctx.plan_finding(of, severity, Text::new().t("Sort by ").code(keys).t(" takes ").opt(bytes).t(" on disk"))
            .why(Text::new().t("It takes ").opt(share(part)).t(" of the execution."))
            .measure(ctx.plan_measure(of, "Space on disk", bytes, "space of the sort".to_owned()))
            .measures(part.map(|part| ctx.share_of_execution(of, part)))
            .fixes(cure)
            .effort(Effort::S)
            .share(part),
    )
}

/// Megabytes of work_mem: the larger of what the plan says (SETTINGS) and what the server gives, by default 4.
fn work_mem(ctx: &Context<'_>, of: &Explained<'_>) -> f64 {
    const MB: f64 = 1_048_576.0;
    let said = of.plan.settings.iter().find(|(name, _)| name == "work_mem");
    let said = said.and_then(|(_, text)| parse(text.trim_matches('\''), Some("kB")).number());
    let server = ctx.setting("work_mem").and_then(|s| s.value);
    said.unwrap_or(0.0).max(server.unwrap_or(4.0 * MB)) / MB
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{assert_needs_measurements, judge_plan, judge_plan_beside, told};
    use crate::finding::Outcome;

    #[test]
    fn finds_sorts_on_disk_and_leaves_those_in_memory() {
        let plan = |space: &str| {
            format!(
                "Sort  (cost=0.00..1.00 rows=1 width=4) (actual time=0.010..1.000 rows=9 loops=1)\n  Sort Key: a\n  Sort Method: {space}\n  ->  Seq Scan on t  (cost=0.00..1.00 rows=1 width=4) (actual time=0.010..0.900 rows=9 loops=1)\nExecution Time: 10.000 ms"
            )
        };
        assert_eq!(
            told(&judge_plan(&RULE, &plan("external merge  Disk: 640kB"))),
            ["low, medium: queryid 7: Sort by a takes 640 kB on disk"]
        );
        assert_eq!(
            told(&judge_plan(&RULE, &plan("external merge  Disk: 204800kB"))),
            ["medium, medium: queryid 7: Sort by a takes 200 MB on disk"]
        );
        assert_eq!(told(&judge_plan(&RULE, &plan("quicksort  Memory: 640kB"))), ["passed: 1 plan with measurements"]);
    }

    /// A hash may take a multiple of it, by default two from 15 on.
    #[test]
    fn says_what_a_hash_may_take() {
        let plan = "Sort  (cost=0.00..1.00 rows=1 width=4) (actual time=0.010..9.000 rows=9 loops=1)\n  Sort Key: a\n  Sort Method: external merge  Disk: 640kB\n  ->  Seq Scan on t  (cost=0.00..1.00 rows=1 width=4) (actual time=0.010..0.900 rows=9 loops=1)\nExecution Time: 10.000 ms";
        let said = |views: &[(&'static str, &str, &[&str])]| {
            let Outcome::Found { findings, .. } = judge_plan_beside(&RULE, plan, views) else { panic!() };
            findings[0].fixes[0].when_not.as_ref().unwrap().plain()
        };
        let settings = |row| said(&[("pg_settings", "name | setting", &[row])]);
        assert!(settings("hash_mem_multiplier | 4").contains(", each hash 4 times as much"));
        assert!(!settings("hash_mem_multiplier | 1").contains("each hash"));
    }

    #[test]
    fn never_proposes_what_is_there_already() {
        let told = |disk: &str, tail: &str, views: &[(&'static str, &str, &[&str])]| {
            let plan = format!(
                "Sort  (cost=0.00..1.00 rows=1 width=4) (actual time=0.010..9.000 rows=9 loops=1)\n  Sort Key: a\n  Sort Method: external merge  Disk: {disk}\n  ->  Seq Scan on t  (cost=0.00..1.00 rows=1 width=4) (actual time=0.010..0.900 rows=9 loops=1)\n{tail}Execution Time: 10.000 ms"
            );
            let Outcome::Found { findings, .. } = judge_plan_beside(&RULE, &plan, views) else { panic!("{disk}") };
            let sql = findings[0].fixes.first().map(|f| f.sql.clone());
            sql.map(|s| s.rsplit_once("work_mem = ").map_or_else(String::new, |(_, value)| value.to_owned()))
        };
        let proposed = |disk: &str, views: &[(&'static str, &str, &[&str])]| told(disk, "", views);
        assert_eq!(told("640kB", "Settings: work_mem = '32MB'\n", &[]).as_deref(), Some("'64MB';"), "as the plan says");
        let server: &[(&'static str, &str, &[&str])] =
            &[("pg_settings", "name | setting | unit", &["work_mem | 262144 | kB"])];
        assert_eq!(proposed("640kB", &[]).as_deref(), Some("'8MB';"), "4 MB is the default");
        assert_eq!(proposed("16384kB", &[]).as_deref(), Some("'64MB';"));
        assert_eq!(proposed("16384kB", server).as_deref(), Some("'512MB';"), "256 MB are there");
        assert_eq!(proposed("1048576kB", server), None, "too much for one operation");
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert_needs_measurements(&RULE);
    }
}
