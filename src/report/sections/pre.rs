//! Before a stress test: what to do before, during and after, from the findings and settings of this report.

use super::plan::horizon;
use crate::error::Result;
use crate::finding::Verb;
use crate::report::cells::links;
use crate::report::draft::{Body, Draft};
use crate::report::{Action, Block, Bound, ChecklistGroup, Horizon};
use crate::text::Text;
use crate::unit::{Quantity, Unit};

/// How many steps of the plan are listed.
const MOST: usize = 8;
/// Tables this near to their vacuum trigger are worth watching.
const NEAR: f64 = 0.5;

/// Writes the section.
#[expect(clippy::unnecessary_wraps, reason = "the signature of every section")]
pub(super) fn write(draft: &mut Draft<'_>) -> Result<Body> {
    let groups = vec![before(draft), during(draft), after()];
    let n = groups.iter().map(|g| g.items.len()).sum();
    Ok(Body::filled(vec![Block::Checklist { groups }]).count(n))
}

fn group(title: &str, items: Vec<Text>) -> ChecklistGroup {
    ChecklistGroup { title: title.to_owned(), items }
}

fn before(draft: &Draft<'_>) -> ChecklistGroup {
    let mut items = Vec::new();
    // Whoever is in the way now is not there during the test.
    let ends = |a: &&Action| a.fixes.iter().find(|f| f.verb != Verb::Diagnose).is_some_and(|f| f.verb == Verb::End);
    let soon = draft.actions.iter().filter(|a| a.horizon != Horizon::LongTerm && !ends(a));
    for action in soon.take(MOST) {
        let mut item = action.title.clone().t(format!(" ({})", horizon(action.horizon)));
        if let Some(links) = links(action.findings.iter().map(String::as_str)) {
            item = item.t(" ").then(links);
        }
        items.push(item);
    }
    for (name, wanted, why) in [
        ("track_io_timing", "on", "else waiting for the disk cannot be told from computing (run pg_test_timing first)"),
        ("log_lock_waits", "on", "else waits for locks between two captures leave no trace"),
        ("track_functions", "pl", "else time inside functions is not counted"),
    ] {
        if draft.setting(name).and_then(|r| r.text("setting")).is_some_and(|v| v == "off" || v == "none") {
            items.push(Text::new().t("Set ").code(format!("{name} = {wanted}")).t(": ").t(why).t("."));
        }
    }
    if draft.chain.last().table("pg_stat_statements").is_none() {
        let is_there = draft.chain.last().table("pg_stat_statements_info").is_some_and(|t| t.rows > 0);
        items.push(
            Text::new()
                .t(if is_there { "Export " } else { "Install " })
                .code("pg_stat_statements")
                .t(if is_there { " too" } else { "" })
                .t(": without it no statement of the test can be named."),
        );
    }
    items.push(Text::from(
        "Fill the tables to the size of production: at a handful of rows no plan and no index result carries over.",
    ));
    items.push(
        Text::new()
            .t("Take a dump right before the test (")
            .code("pgretro export-sql")
            .t("), and do not reset the statistics."),
    );
    group("Before", items)
}

fn during(draft: &mut Draft<'_>) -> ChecklistGroup {
    let mut items = Vec::new();
    let near = draft.facts.tables.iter().filter_map(|t| {
        let (pressure, bound) = draft.pressure_of(t)?;
        (pressure.as_f64() >= NEAR && bound != Some(Bound::AtMost)).then(|| (pressure, bound, t.display()))
    });
    let mut near: Vec<(Quantity, Option<Bound>, String)> = near.collect();
    near.sort_by(|a, b| b.0.as_f64().total_cmp(&a.0.as_f64()).then_with(|| a.2.cmp(&b.2)));
    if !near.is_empty() {
        let mut text = Text::new().t("Watch the dead rows of ");
        for (i, (pressure, bound, name)) in near.iter().take(MOST).enumerate() {
            text = if i > 0 { text.t(", ") } else { text }.name(name.clone()).t(" (");
            let at_least = *bound == Some(Bound::AtLeast);
            text = if at_least { text.at_least(*pressure) } else { text.n(*pressure) }.t(" of its trigger)");
        }
        let link = draft.cite(
            "Dead rows beside the trigger",
            &["pg_stat_user_tables", "table_sizes", "pg_settings"],
            &["n_dead_tup", "reltuples", "setting"],
            Some("n_dead_tup ÷ autovacuum's trigger"),
        );
        items.push(text.t(". ").then(link));
    }
    if let Some(limit) = draft.setting_number("max_connections") {
        let link = draft.cite("Connections at most", &["pg_settings"], &["setting"], None);
        items.push(
            Text::new()
                .t("Stay below ")
                .n(Quantity::int(limit, Unit::Count))
                .t(" connections (")
                .code("max_connections")
                .t("), the reserved ones included, or put a pooler in front. ")
                .then(link),
        );
    }
    items.push(Text::from(
        "Take a dump every few minutes: with five or more the course is seen, and waits for locks are caught.",
    ));
    group("During", items)
}

fn after() -> ChecklistGroup {
    group(
        "After",
        vec![
            Text::from("Take a dump right after the test, and one when the server is quiet again."),
            Text::new().t("Compare: ").code("pgretro report BEFORE AFTER -o report.html").t("."),
        ],
    )
}
