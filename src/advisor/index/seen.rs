//! Plans of the dump that show what a proposed index would spare: the scan that filters, the sort that orders.

use super::load::Load;
use super::proposal::Proposal;
use super::table::Table;
use crate::advisor::plans::Explained;
use crate::advisor::sql::{Operand, canonical};
use crate::advisor::{Context, TableFact};
use crate::explain::Node;
use std::collections::BTreeSet;

/// A node of a plan that the index would spare.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'c, 'a> {
    /// The plan.
    pub of: &'c Explained<'a>,
    /// Position of the node.
    pub at: usize,
    /// Whether it is a sort, not a scan.
    pub sorts: bool,
    /// Whether the plan is of one of the statements that the proposal serves, by query id or text.
    pub of_served: bool,
}

/// The most telling node: of a statement that is served first, then of the longest execution.
pub fn seen<'c, 'a>(cx: &Context<'a>, load: &Load<'_>, table: &Table<'_>, proposal: &Proposal) -> Option<Seen<'c, 'a>>
where
    'a: 'c,
{
    let columns: BTreeSet<&str> =
        proposal.shape.keys.iter().filter_map(|k| k.operand.as_ref()).map(Operand::column).collect();
    let first = proposal.shape.keys.first().and_then(|k| k.operand.as_ref()).map(Operand::column)?;
    let (ids, texts) = served(load, proposal);
    let mut best: Option<Seen<'_, '_>> = None;
    // The slowest plans come first.
    for of in &cx.facts.plans.all {
        let of_served = of.row.int("queryid").is_some_and(|id| ids.contains(&id))
            || of.row.text("query").and_then(|q| canonical(q).ok()).is_some_and(|form| texts.contains(&form.folded));
        if best.is_some_and(|b| b.of_served || !of_served) {
            continue;
        }
        let scans = |node: &Node| {
            matches!(node.kind.as_str(), "Seq Scan")
                && cx.table_of(node).and_then(TableFact::relid) == Some(table.relid)
        };
        let filters = |node: &Node| {
            scans(node) && node.condition("Filter").is_some_and(|f| cx.columns_of(node, f).iter().any(|c| c == first))
        };
        let sorts = |at: usize, node: &Node| {
            let key = node.keys.iter().find(|(label, _)| label == "Sort Key").map(|(_, key)| key.as_str());
            key.and_then(first_column).is_some_and(|c| columns.contains(c.as_str()))
                && of.plan.below(at).filter_map(|i| of.node(i)).any(scans)
        };
        let node = of.plan.nodes.iter().enumerate().find_map(|(at, node)| {
            let sorted = sorts(at, node);
            (sorted || filters(node)).then_some((at, sorted))
        });
        if let Some((at, sorts)) = node {
            best = Some(Seen { of, at, sorts, of_served });
        }
    }
    best
}

/// Query ids and texts of the statements that a proposal serves.
fn served(load: &Load<'_>, proposal: &Proposal) -> (BTreeSet<i64>, BTreeSet<String>) {
    let rows = || proposal.served.iter().filter_map(|s| load.statements.get(s.statement)).map(|read| read.row);
    let ids = rows().filter_map(|r| r.int("queryid")).collect();
    let texts = rows().filter_map(|r| Some(canonical(r.text("query")?).ok()?.folded)).collect();
    (ids, texts)
}

/// The column that a sort begins with: `orders.placed_at DESC, id` sorts by placed_at.
fn first_column(key: &str) -> Option<String> {
    let first = key.split(',').next()?.split_whitespace().next()?;
    let column = first.rsplit('.').next()?;
    (!column.contains('(')).then(|| column.trim_matches('"').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sort_begins_with_a_column() {
        for (key, want) in [
            ("orders.placed_at DESC, orders.id", Some("placed_at")),
            ("\"At\"", Some("At")),
            ("(lower(email))", None),
            ("", None),
        ] {
            assert_eq!(first_column(key).as_deref(), want, "{key}");
        }
    }
}
