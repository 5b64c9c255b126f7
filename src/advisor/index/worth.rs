//! What an index would spare and what it would cost, as lines of evidence.

use super::load::Load;
use super::price::FILLED;
use super::proposal::{Proposal, Served};
use super::seen::Seen;
use super::table::Table;
use super::words::{Relief, statement};
use crate::advisor::context::show;
use crate::advisor::sql::Operand;
use crate::advisor::{Context, whole};
use crate::finding::{Finding, Measure};
use crate::text::counted;
use crate::unit::{Quantity, Unit};

/// Statements whose numbers are shown; the rest is counted.
const SHOWN: usize = 4;

/// Adds them to the finding of a proposal.
pub(super) fn evidence<'a>(
    cx: &Context<'a>,
    load: &Load<'a>,
    table: &Table<'a>,
    proposal: &Proposal,
    shown: Option<Seen<'_, 'a>>,
    relief: Relief,
    mut finding: Finding,
) -> Finding {
    for served in proposal.served.iter().take(SHOWN) {
        finding = of_statement(cx, load, served, finding);
    }
    if let Some(shown) = shown {
        finding = in_plan(cx, shown, finding);
    }
    finding = prices(cx, load, table, proposal, finding);
    finding.measures(relieved(cx, load, proposal, relief))
}

/// The blocks of a statement now, and those that it would be spared.
fn of_statement<'a>(cx: &Context<'a>, load: &Load<'a>, served: &Served, finding: Finding) -> Finding {
    let Some(read) = load.statements.get(served.statement) else { return finding };
    let mut label = statement(read).headline();
    if let Some(owner) = cx.facts.functions.owner_of(read.row) {
        label = format!("{label} (in {})", owner.name);
    }
    let columns = &["query", "calls", "shared_blks_hit", "shared_blks_read"][..];
    let calls = show(read.calls, Unit::Count);
    let now = format!("{} ÷ {calls} calls", show(read.buffers, Unit::Blocks));
    let inner = read.inner_buffers / read.calls.max(1.0);
    let blocks = |n: f64| whole(n, Unit::Blocks).map_or_else(|| "n/a".to_owned(), Quantity::human);
    let then = format!(
        "{} now{}, of which the table {}; with the index about {}",
        show(read.buffers / read.calls.max(1.0), Unit::Blocks),
        if inner >= 0.5 {
            format!(" (checks of foreign keys inside of it about {})", show(inner, Unit::Blocks))
        } else {
            String::new()
        },
        blocks(served.before),
        blocks(served.after.max(1.0))
    );
    let per_call = Quantity::float(read.buffers / read.calls.max(1.0), Unit::Blocks);
    finding
        .measure(cx.over_window(&format!("Blocks per call: {label}"), per_call, now, &[(read.row, columns)]))
        .measure(cx.over_window(
            "  spared per call, estimated",
            whole(served.before - served.after, Unit::Blocks),
            then,
            &[(read.row, columns)],
        ))
}

/// The plan that shows what the index would spare.
fn in_plan<'a>(cx: &Context<'a>, shown: Seen<'_, 'a>, finding: Finding) -> Finding {
    let Some(node) = shown.of.node(shown.at) else { return finding };
    let of = if shown.of_served { "a statement that it serves" } else { "another statement" };
    let label = format!("{} in the plan of {of}", shown.of.at(shown.at).plain());
    let finding = if shown.sorts {
        let rows = shown.of.measured.get(shown.at).and_then(|m| m.rows).or(node.plan_rows);
        finding.measure(cx.plan_measure(
            shown.of,
            &format!("{label}, rows sorted"),
            rows.and_then(|n| whole(n, Unit::Rows)),
            "rows of the sort",
        ))
    } else {
        let removed = node.removed_by_filter * node.loops();
        let removed = node.actual.and_then(|_| whole(removed, Unit::Rows));
        finding.measure(cx.plan_measure(
            shown.of,
            &format!("{label}, rows read and thrown away"),
            removed,
            "rows removed by filter × executions",
        ))
    };
    match shown.of.own_share(shown.at) {
        Some(part) => finding.measure(cx.time_of_execution(
            shown.of,
            "  its share of that execution",
            part * shown.of.plan.total_ms().unwrap_or(0.0),
            part,
        )),
        None => finding,
    }
}

/// What the title and the reason say in sum.
fn relieved<'a>(cx: &Context<'a>, load: &Load<'a>, proposal: &Proposal, relief: Relief) -> [Measure; 2] {
    let read = proposal.served.iter().filter_map(|s| load.statements.get(s.statement)).take(SHOWN);
    let rows: Vec<_> = read.map(|r| (r.row, &["calls", "shared_blks_hit", "shared_blks_read"][..])).collect();
    let statements = counted(proposal.served.len(), "statement", "statements");
    let unusable = match load.tables.get(proposal.table).map_or(0, |table| table.invalid.len()) {
        0 => String::new(),
        n => format!("; {} not counted on", counted(n, "invalid index", "invalid indexes")),
    };
    let alternatives = proposal.alternatives.iter().map(|other| {
        format!(
            "; {} {} of it, {}, {} the size",
            other.shape.words(),
            show(other.gain_share, Unit::Share),
            counted(other.statements, "statement", "statements"),
            show(other.size_share, Unit::Times)
        )
    });
    let blocks = format!(
        "{} ÷ {}, {statements}{}{unusable}",
        show(proposal.gain, Unit::Blocks),
        show(load.buffers, Unit::Blocks),
        alternatives.collect::<String>()
    );
    let time = "time of each statement × the part of its blocks that is spared, ÷ time of all".to_owned();
    [
        cx.over_window("Of all blocks, spared about", Quantity::float(relief.blocks, Unit::Share), blocks, &rows),
        cx.over_window("Of all execution time, about", Quantity::float(relief.time, Unit::Share), time, &rows),
    ]
}

fn prices<'a>(cx: &Context<'a>, load: &Load<'a>, table: &Table<'a>, proposal: &Proposal, finding: Finding) -> Finding {
    let rows: Vec<_> = table
        .fact
        .change
        .and_then(crate::diff::Change::last)
        .map(|r| (r, &["n_tup_ins", "n_tup_upd", "n_tup_hot_upd"][..]))
        .into_iter()
        .collect();
    let sizes: Vec<_> = table.fact.sizes.map(|r| (r, &["reltuples", "relpages"][..])).into_iter().collect();
    let mut statistics: Vec<_> = Vec::new();
    for column in proposal.shape.keys.iter().filter_map(|k| k.operand.as_ref()).map(Operand::column) {
        statistics
            .extend(table.statistics(cx, column).map(|r| (r, &["n_distinct", "null_frac", "most_common_freqs"][..])));
    }
    let twice = proposal.served.iter().map(|s| s.gain).sum::<f64>() > proposal.gain;
    let spared = format!(
        "{} of {} blocks read by all statements{}",
        show(proposal.gain, Unit::Blocks),
        show(load.buffers, Unit::Blocks),
        if twice {
            "; what writes share with the statements that they run (foreign keys, triggers) counts once"
        } else {
            ""
        }
    );
    let cost = format!(
        "about 4 blocks for each of {} inserted and updated rows that reach it",
        show(table.writes.inserted + table.writes.updated - table.writes.hot + proposal.lost_hot, Unit::Rows)
    );
    let size = format!("{} × (width of its columns + 12, aligned) ÷ {FILLED}", show(table.rows, Unit::Rows));
    let mut finding = finding
        .measure(cx.over_window("Blocks spared", whole(proposal.gain, Unit::Blocks), spared, &rows))
        .measure(cx.over_window("Blocks its writes cost", whole(proposal.cost, Unit::Blocks), cost, &rows))
        .measure(cx.computed("Size of the index, about", whole(proposal.bytes, Unit::Bytes), size, &sizes));
    if proposal.worst > 0.0 {
        let formula = "the most common value of its most selective column".to_owned();
        finding = finding.measure(cx.computed(
            "Rows for the worst value",
            Quantity::float(proposal.worst, Unit::Share),
            formula,
            &statistics,
        ));
    }
    if proposal.lost_hot > 0.0 {
        let formula =
            "rows changed by statements that set one of its columns, by the share that is heap-only now".to_owned();
        finding = finding.measure(cx.over_window(
            "Updates no longer heap-only",
            whole(proposal.lost_hot, Unit::Rows),
            formula,
            &rows,
        ));
    }
    finding
}
