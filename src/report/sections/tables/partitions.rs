//! Partitioned tables, rolled up.

use super::totals;
use crate::advisor::TableFact;
use crate::error::Result;
use crate::report::cells::total;
use crate::report::draft::Draft;
use crate::report::names::{is_system, qualified};
use crate::report::table::{ranked, table};
use crate::report::{Block, Cell};
use crate::text::Text;
use crate::unit::{Quantity, Unit};
use std::collections::BTreeMap;

/// Partitioned tables with the sums of their leaves.
pub(super) fn roll_up(draft: &mut Draft<'_>) -> Result<Vec<Block>> {
    let Some(state) = draft.state("partitions") else { return Ok(Vec::new()) };
    let parents: BTreeMap<i64, String> = state
        .table
        .iter()
        .filter_map(|r| {
            let name = qualified(r.text("parent_schema"), r.text("parent"), "?");
            (!is_system(r.text("parent_schema"))).then_some((r.int("parent_relid")?, name))
        })
        .collect();
    let mut leaves: BTreeMap<i64, Vec<&TableFact<'_>>> = BTreeMap::new();
    for child in state.table.iter().filter_map(|r| r.int("child_relid")).filter(|c| !parents.contains_key(c)) {
        if let Some(fact) = draft.facts.table(child) {
            leaves.entry(draft.facts.root(child)).or_default().push(fact);
        }
    }
    if leaves.is_empty() {
        return Ok(Vec::new());
    }
    let mut rows = Vec::new();
    for (root, facts) in &leaves {
        let name = parents.get(root).cloned().unwrap_or_else(|| format!("oid {root}"));
        let size = total(facts.iter().map(|f| f.total_bytes()), Unit::Bytes);
        let mut cells = totals(draft, facts, true, false);
        cells.truncate(9);
        cells.remove(5);
        cells.remove(0);
        let mut all = vec![Cell::name(name.clone()), Cell::number(Quantity::count(facts.len()))];
        all.extend(cells);
        rows.push((size.map(Quantity::as_f64), name, all));
    }
    let order =
        ranked(&rows.iter().map(|r| r.0).collect::<Vec<_>>(), &rows.iter().map(|r| r.1.clone()).collect::<Vec<_>>())?;
    let link = draft.cite(
        "Partitioned tables",
        &["partitions", "pg_stat_user_tables", "table_sizes"],
        &[],
        Some("sums over the leaves"),
    );
    let mut out = table("partitioned", "Partitioned tables")
        .about(Text::new().t("Sums over the leaf partitions. ").then(link))
        .name("Table")
        .number("Partitions")
        .number("Size with indexes")
        .largest_first()
        .number("Live rows")
        .number("Dead rows")
        .number("Dead rows, % of all")
        .number("Seq scans")
        .number("Index scans")
        .number("Rows written");
    for at in order {
        if let Some(row) = rows.get(at) {
            out.push(row.2.clone());
        }
    }
    Ok(vec![out.block()])
}
