//! Autovacuum slowed down by its own settings.

use crate::advisor::vacuum_cost::CostSettings;
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Skip, Threshold, show};
use crate::finding::{Effort, Severity, Subject, SubjectKind};
use crate::text::Text;
use crate::unit::{Quantity, Unit};

const GB: f64 = 1_073_741_824.0;
const BLOCK: f64 = 8_192.0;
/// Ten times as fast: as long as most vacuums of a night may take.
const TIMES: f64 = 10.0;
/// The largest value that the setting takes.
const MOST_COST_LIMIT: f64 = 10_000.0;

/// The rule.
pub const RULE: Rule = Rule {
    id: "vacuum-cost-throttled",
    title: "Autovacuum slowed down by its cost settings",
    needs: &[
        Need::Primary,
        Need::Setting("autovacuum_vacuum_cost_delay"),
        Need::View("table_sizes", &["relation_size"]),
    ],
    wants: &[Need::Setting("autovacuum_vacuum_cost_limit"), Need::Setting("vacuum_cost_limit")],
    thresholds: &[
        Threshold {
            name: "max_hours",
            default: 8.0,
            unit: Unit::Count,
            about: "A vacuum of the largest table has to end within a night.",
        },
        Threshold {
            name: "min_heap_bytes",
            default: 50.0 * GB,
            unit: Unit::Bytes,
            about: "Smaller heaps are done soon, however slow.",
        },
    ],
    docs: Docs {
        looks_at: "autovacuum_vacuum_cost_delay and the cost limit, and how long they let autovacuum take to read the largest heap once.",
        why: "Autovacuum sleeps whenever it has spent its budget, and all its workers share one. A vacuum that takes days holds back \
              the removal of dead rows and the freezing of old ones.",
        decides: "The largest heap of 50 GB or more needs more than eight hours at limit ÷ (cost of a page not in cache) ÷ delay pages a \
                  second, counted as if no other worker ran, nothing had to be written and no page were skipped. A page read costs \
                  vacuum_cost_page_miss (10 up to 13, 2 from 14 on).",
        what_to_do: "A delay far above the built-in 2 ms goes back to it first; else a higher autovacuum_vacuum_cost_limit; more workers alone share the same budget.",
        ignore_when: "Storage is at its limit already, or most pages of the table are frozen and skipped.",
        references: "PostgreSQL manual, \"Cost-based Vacuum Delay\"; \"Automatic Vacuuming\".",
    },
    check,
};

fn check(cx: &Context<'_>) -> Check {
    let number = |name: &str| cx.setting(name).and_then(|s| s.value);
    let miss = number("vacuum_cost_page_miss").unwrap_or(if cx.major() < 14 { 10.0 } else { 2.0 }).max(1.0);
    let cost = CostSettings::read(cx).ok_or_else(|| Skip("the cost settings of vacuum are not known".to_owned()))?;
    let (delay_ms, limit) = (cost.delay_ms, cost.limit);
    if delay_ms <= 0.0 {
        return Ok(Checked { findings: Vec::new(), looked_at: "autovacuum does not sleep".to_owned() });
    }
    let per_s = cost.per_second() / miss * BLOCK;
    let largest = cx
        .facts
        .large(cx.threshold("min_heap_bytes"))
        .filter_map(|t| Some((t.heap_bytes()?, t)))
        .max_by(|(a, x), (b, y)| a.cmp(b).then_with(|| y.display().cmp(&x.display())));
    let looked_at = format!("at most {} read by all workers", show(per_s, Unit::BytesPerSecond));
    let Some((bytes, table)) = largest else { return Ok(Checked { findings: Vec::new(), looked_at }) };
    let hours = bytes as f64 / per_s / 3_600.0;
    if hours <= cx.threshold("max_hours") {
        return Ok(Checked { findings: Vec::new(), looked_at });
    }
    let duration = Quantity::float(hours * 3_600.0, Unit::Seconds);
    let title = Text::new()
        .t("A vacuum of ")
        .name(table.display())
        .t(" takes at least ")
        .opt(duration)
        .t(" at ")
        .opt(Quantity::float(per_s, Unit::BytesPerSecond));
    let rows: Vec<_> = table.sizes.map(|r| (r, ["relation_size"].as_slice())).into_iter().collect();
    let finding = cx
        .finding(Severity::Medium, Subject::new(SubjectKind::Setting, "autovacuum_vacuum_cost_limit"), title)
        .why("All workers share this budget: while one reads the largest table, the others get less.")
        .doubts([cx.facts.sizes_doubt(), cx.facts.autovacuum.doubt])
        .measure(cx.setting_measure("autovacuum_vacuum_cost_delay"))
        .measure(cx.setting_measure("autovacuum_vacuum_cost_limit"))
        .measure(cx.computed(
            "Time to read its heap once",
            duration,
            format!(
                "{} ÷ {} ({limit:.0} ÷ {miss:.0} pages every {delay_ms} ms)",
                show(bytes as f64, Unit::Bytes),
                show(per_s, Unit::BytesPerSecond)
            ),
            &rows,
        ))
        .fixes(cost.faster(TIMES, MOST_COST_LIMIT).fixes(&cost))
        .verify("A vacuum of the table ends within a night.")
        .effort(Effort::S);
    Ok(Checked { findings: vec![finding], looked_at })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::literal::literal;

    fn say(heap: &str, delay: &str, limit: &str) -> Vec<String> {
        told(&judged(heap, delay, limit))
    }

    fn judged(heap: &str, delay: &str, limit: &str) -> crate::finding::Outcome {
        let b = literal("2026-11-22 12:00:00+00")
            .view(
                "table_sizes",
                "relid | schemaname | relname | relation_size",
                &[&format!("1 | public | log | {heap}")],
            )
            .view(
                "pg_settings",
                "name | setting | unit",
                &[
                    &format!("autovacuum_vacuum_cost_delay | {delay} | ms"),
                    &format!("autovacuum_vacuum_cost_limit | {limit} |"),
                    "vacuum_cost_limit | 200 |",
                    "vacuum_cost_page_miss | 2 |",
                ],
            )
            .build();
        judge(&RULE, &[b], "")
    }

    #[test]
    fn a_vacuum_of_many_hours_is_told() {
        // 2 TB at 100 pages every 20 ms: 15 hours.
        assert_eq!(
            say("2199023255552", "20", "-1")[0].split(" takes").next(),
            Some("medium, medium: autovacuum_vacuum_cost_limit: A vacuum of public.log")
        );
        assert_eq!(say("1099511627776", "2", "-1"), ["passed: at most 391 MB/s read by all workers"]);
        assert_eq!(say("1099511627776", "0", "-1"), ["passed: autovacuum does not sleep"]);
        assert_eq!(say("1073741824", "20", "-1"), ["passed: at most 39.1 MB/s read by all workers"]);
    }

    /// With a delay of 100 ms a limit of 200 would still be fifty times slower than the built-in settings.
    #[test]
    fn a_long_delay_goes_back_before_the_limit_is_raised() {
        let sql = |delay, limit| {
            let crate::finding::Outcome::Found { findings, .. } = judged("2199023255552", delay, limit) else {
                panic!()
            };
            let first = |f: &crate::finding::Fix| f.sql.lines().next().unwrap_or_default().to_owned();
            findings[0].fixes.iter().map(first).collect::<Vec<_>>()
        };
        let delay = "ALTER SYSTEM SET autovacuum_vacuum_cost_delay = '2ms';";
        assert_eq!(sql("20", "-1"), [delay]);
        assert_eq!(sql("100", "20"), [delay, "ALTER SYSTEM SET autovacuum_vacuum_cost_limit = '200';"]);
        assert_eq!(sql("2", "20"), ["ALTER SYSTEM SET autovacuum_vacuum_cost_limit = '200';"]);
    }

    #[test]
    fn says_where_it_cannot_know() {
        let b = literal("2026-11-22 12:00:00+00").build();
        assert_eq!(
            told(&judge(&RULE, &[b], "")),
            [
                "skipped, input missing: needs the setting `autovacuum_vacuum_cost_delay`; `pg_settings` does not have it"
            ]
        );
    }
}
