//! Far more connection slots than anybody uses.

use crate::advisor::sessions::is_client;
use crate::advisor::sighting::Sighting;
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Skip, Threshold, show};
use crate::finding::{Effort, Fix, Severity, Subject, SubjectKind};
use crate::text::Text;
use crate::unit::{Quantity, Unit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "cfg-max-connections-high",
    title: "Far more connection slots than used",
    needs: &[Need::Setting("max_connections"), Need::View("pg_stat_activity", &["backend_type"])],
    wants: &[Need::Snapshots(3)],
    thresholds: &[
        Threshold { name: "min_slots", default: 500.0, unit: Unit::Count, about: "Fewer do no harm, used or not." },
        Threshold {
            name: "max_used",
            default: 0.2,
            unit: Unit::Share,
            about: "At most one slot in five in any snapshot.",
        },
    ],
    docs: Docs {
        looks_at: "max_connections against the client sessions of each snapshot.",
        why: "The limit is the last thing between a storm of connections and the memory of the machine. Set far too high it does not \
              hold. Locks and snapshots also get memory for each slot.",
        decides: "500 slots and more, of which no snapshot shows more than a fifth in use. Three snapshots that agree make it sure.",
        what_to_do: "A limit near to what the machine can serve at a time, at the next restart, and a connection pooler before it.",
        ignore_when: "The peak falls into hours that no snapshot shows.",
        references: "PostgreSQL manual, \"Connections and Authentication\" (max_connections).",
    },
    check,
};

fn check(cx: &Context<'_>) -> Check {
    let slots = cx.setting("max_connections").and_then(|s| s.value);
    let slots = slots.ok_or_else(|| Skip("max_connections is no number".to_owned()))?;
    let (mut looked, mut most) = (Vec::new(), None::<(f64, _)>);
    for (snapshot, table) in cx.samples("pg_stat_activity") {
        looked.push(snapshot);
        let clients = table.iter().filter(|r| is_client(*r)).count() as f64;
        if most.is_none_or(|(n, _)| clients > n) {
            most = Some((clients, snapshot));
        }
    }
    let Some((used, at)) = most else { return Err(Skip("no snapshot has sessions".to_owned())) };
    let looked_at = format!("at most {} of {} slots in use", show(used, Unit::Count), show(slots, Unit::Count));
    let share = used / slots.max(1.0);
    if slots < cx.threshold("min_slots") || share > cx.threshold("max_used") {
        return Ok(Checked { findings: Vec::new(), looked_at });
    }
    let sighting = Sighting::new(looked.iter().copied(), &looked);
    let quantity = Quantity::float(share, Unit::Share);
    let finding = cx
        .finding(
            Severity::Low,
            Subject::new(SubjectKind::Setting, "max_connections"),
            Text::new()
                .code("max_connections")
                .t(" is ")
                .opt(Quantity::float(slots, Unit::Count))
                .t(", at most ")
                .opt(Quantity::float(used, Unit::Count))
                .t(" are in use"),
        )
        .why("A limit so high does not protect the machine's memory against a storm of connections.")
        .doubts([sighting.doubt()])
        .measure(cx.setting_measure("max_connections"))
        .measure(cx.seen_in(
            Some(at),
            "Most slots in use",
            quantity,
            cx.all_rows(
                at,
                "pg_stat_activity",
                &["backend_type"],
                format!("{} client sessions ÷ {}", show(used, Unit::Count), show(slots, Unit::Count)),
            ),
        ))
        .fix(Fix::diagnose(
            "max_connections",
            "SELECT state, count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' GROUP BY state;",
        ))
        .verify("max_connections is nearer to the peak after the next restart.")
        .effort(Effort::M);
    Ok(Checked { findings: vec![finding], looked_at })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::literal::literal;

    fn say(slots: &str, clients: usize, snapshots: usize) -> Vec<String> {
        let rows: Vec<String> = (0..clients).map(|i| format!("{i} | client backend | idle")).collect();
        let taken = |i: usize| {
            literal(&format!("2026-11-22 1{i}:00:00+00"))
                .view(
                    "pg_stat_activity",
                    "pid | backend_type | state",
                    &rows.iter().map(String::as_str).collect::<Vec<_>>(),
                )
                .view("pg_settings", "name | setting", &[&format!("max_connections | {slots}")])
                .build()
        };
        told(&judge(&RULE, &(0..snapshots).map(taken).collect::<Vec<_>>(), ""))
    }

    #[test]
    fn a_limit_nobody_comes_near_is_told() {
        assert_eq!(say("2000", 40, 3), ["low, high: max_connections: max_connections is 2,000, at most 40 are in use"]);
        assert_eq!(
            say("2000", 40, 1),
            ["low, medium: max_connections: max_connections is 2,000, at most 40 are in use"]
        );
        assert_eq!(say("100", 4, 3), ["passed: at most 4 of 100 slots in use"]);
        assert_eq!(say("500", 140, 3), ["passed: at most 140 of 500 slots in use"]);
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert_eq!(
            crate::advisor::testing::told_of_nothing(&RULE),
            "skipped, input missing: needs the setting `max_connections`; `pg_settings` does not have it"
        );
    }
}
