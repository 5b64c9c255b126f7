//! Where a node keeps what it says: one place for both notations, under the names of FORMAT JSON.

use super::model::{Actual, Buffers, Node, Plan, Sort};

/// Labels whose texts are conditions.
pub(super) const CONDITIONS: &[&str] = &[
    "Filter",
    "Index Cond",
    "Recheck Cond",
    "Join Filter",
    "Hash Cond",
    "Merge Cond",
    "One-Time Filter",
    "TID Cond",
    "Order By",
    "Run Condition",
    "Conflict Filter",
];

/// Labels whose texts are lists.
pub(super) const KEYS: &[&str] = &[
    "Output",
    "Sort Key",
    "Presorted Key",
    "Group Key",
    "Hash Key",
    "Cache Key",
    "Function Call",
    "Conflict Arbiter Indexes",
    "Params Evaluated",
    "Grouping Sets",
];

/// What the two notations say in different ways, or only one says: left out so that both give one tree. Parents are
/// told by the tree; `Alias`, `Schema` and names of relations are taken before.
const UNTOLD: &[&str] =
    &["Parent Relationship", "Subplan Name", "Node Type", "Inner Unique", "Original Hash Buckets", "Hash Buckets"];

/// A value of a property.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    /// A number as it stands, with its value.
    Number(f64, String),
    /// A text.
    Text(String),
    /// Yes or no.
    Bool(bool),
}

impl Value {
    /// A text, told from a number by its look.
    pub fn of(text: &str) -> Self {
        match text.parse::<f64>() {
            _ if text == "true" => Self::Bool(true),
            Ok(n) if n.is_finite() && text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-')) => {
                Self::Number(n, text.to_owned())
            }
            _ => Self::Text(text.to_owned()),
        }
    }

    pub const fn number(&self) -> Option<f64> {
        match self {
            Self::Number(n, _) => Some(*n),
            Self::Text(_) | Self::Bool(_) => None,
        }
    }

    fn is_nothing(&self) -> bool {
        match self {
            Self::Number(n, _) => *n == 0.0,
            Self::Text(text) => text.is_empty(),
            Self::Bool(yes) => !yes,
        }
    }

    pub fn into_text(self) -> String {
        match self {
            Self::Number(_, text) | Self::Text(text) => text,
            Self::Bool(yes) => yes.to_string(),
        }
    }
}

/// Sets a property of a node by its name in FORMAT JSON.
pub(super) fn set(node: &mut Node, key: &str, value: Value) {
    if CONDITIONS.contains(&key) {
        // A node may have several of one label (`Hash Key` of grouping sets has; conditions do not), the text keeps all.
        node.conditions.push((key.to_owned(), value.into_text()));
        return;
    }
    if KEYS.contains(&key) {
        node.keys.push((key.to_owned(), value.into_text()));
        return;
    }
    if let Some(n) = value.number()
        && (buffers(&mut node.buffers, key, n) || numbers(node, key, n))
    {
        return;
    }
    match (key, value) {
        ("Strategy", Value::Text(text)) => node.strategy = if text == "Plain" { String::new() } else { text },
        ("Partial Mode", Value::Text(text)) => node.partial = if text == "Simple" { String::new() } else { text },
        ("Join Type", Value::Text(text)) => node.join = if text == "Inner" { String::new() } else { text },
        ("Operation", Value::Text(text)) => node.operation = text,
        ("Command", Value::Text(text)) => node.command = text,
        ("Parallel Aware", Value::Bool(yes)) => node.parallel_aware = yes,
        ("Async Capable", Value::Bool(yes)) => node.async_capable = yes,
        ("Disabled", Value::Bool(yes)) => node.disabled = yes,
        ("Scan Direction", Value::Text(text)) => node.backward = text == "Backward",
        ("Schema", Value::Text(text)) => node.schema = Some(text),
        (
            "Relation Name" | "Function Name" | "CTE Name" | "Tuplestore Name" | "Table Function Name",
            Value::Text(text),
        ) => {
            node.relation = Some(text);
        }
        ("Alias", Value::Text(text)) => node.alias = Some(text),
        ("Index Name", Value::Text(text)) => node.index = Some(text),
        ("Sort Method", Value::Text(text)) => sort(node).method = text,
        ("Sort Space Type", Value::Text(text)) => sort(node).disk = text == "Disk",
        (key, _) if UNTOLD.contains(&key) => {}
        (_, value) if value.is_nothing() => {}
        (key, value) => node.other.push((key.to_owned(), value.into_text())),
    }
}

fn sort(node: &mut Node) -> &mut Sort {
    node.sort.get_or_insert_with(Sort::default)
}

/// Blocks by their names in FORMAT JSON; whether it was one of them.
pub(super) fn buffers(to: &mut Buffers, key: &str, n: f64) -> bool {
    let place = match key {
        "Shared Hit Blocks" => &mut to.shared_hit,
        "Shared Read Blocks" => &mut to.shared_read,
        "Shared Dirtied Blocks" => &mut to.shared_dirtied,
        "Shared Written Blocks" => &mut to.shared_written,
        "Local Hit Blocks" => &mut to.local_hit,
        "Local Read Blocks" => &mut to.local_read,
        "Local Dirtied Blocks" => &mut to.local_dirtied,
        "Local Written Blocks" => &mut to.local_written,
        "Temp Read Blocks" => &mut to.temp_read,
        "Temp Written Blocks" => &mut to.temp_written,
        _ => return false,
    };
    *place = n.max(0.0) as u64;
    true
}

/// Other numbers; whether it was one that has a field.
fn numbers(node: &mut Node, key: &str, n: f64) -> bool {
    match key {
        "Startup Cost" => node.cost.get_or_insert_default().0 = n,
        "Total Cost" => node.cost.get_or_insert_default().1 = n,
        "Plan Rows" => node.plan_rows = Some(n),
        "Plan Width" => node.plan_width = Some(n),
        "Actual Startup Time" => node.actual.get_or_insert_default().startup_ms = Some(n),
        "Actual Total Time" => node.actual.get_or_insert_default().total_ms = Some(n),
        "Actual Rows" => node.actual.get_or_insert_default().rows = n,
        "Actual Loops" => node.actual.get_or_insert_default().loops = n,
        "Rows Removed by Filter" => node.removed_by_filter = n,
        "Rows Removed by Join Filter" => node.removed_by_join_filter = n,
        "Rows Removed by Index Recheck" => node.removed_by_recheck = n,
        "Sort Space Used" => sort(node).kilobytes = n,
        "Hash Batches" | "HashAgg Batches" => node.batches = Some(n),
        "Original Hash Batches" => node.planned_batches = Some(n),
        "Planned Partitions" => node.planned_partitions = Some(n),
        "Peak Memory Usage" => node.memory_kb = Some(n),
        "Disk Usage" => node.disk_kb = Some(n).filter(|n| *n > 0.0),
        "Heap Fetches" => node.heap_fetches = Some(n),
        "Exact Heap Blocks" => node.exact_blocks = n,
        "Lossy Heap Blocks" => node.lossy_blocks = n,
        "Workers Planned" => node.workers_planned = Some(n),
        "Workers Launched" => node.workers_launched = Some(n),
        "Subplans Removed" => node.subplans_removed = n,
        // `I/O Read Time` up to 16; local tables' time is that of relations, too.
        "I/O Read Time" | "Shared I/O Read Time" | "Local I/O Read Time" => node.io.read_ms += n,
        "I/O Write Time" | "Shared I/O Write Time" | "Local I/O Write Time" => node.io.write_ms += n,
        "Temp I/O Read Time" => node.io.temp_read_ms = n,
        "Temp I/O Write Time" => node.io.temp_write_ms = n,
        _ => return false,
    }
    true
}

/// Brings a plan of either notation to its final form: lists in one order, what says nothing left out.
pub(super) fn settle(plan: &mut Plan) {
    for node in &mut plan.nodes {
        if node.relation.is_none() {
            node.relation = node.alias.take();
        }
        if node.actual.is_some_and(|a| a.loops == 0.0) {
            node.actual = Some(Actual::default());
        }
        // An alias that is the relation's own name is none.
        if node.alias == node.relation {
            node.alias = None;
        }
        // The text says planned partitions, and what a hash was planned with, only where there is something to say.
        node.planned_partitions = node.planned_partitions.filter(|n| *n > 0.0);
        if node.planned_batches == node.batches {
            node.planned_batches = None;
        }
        let rank = |of: &[&str], label: &str| of.iter().position(|l| *l == label);
        node.conditions.sort_by_key(|(label, _)| rank(CONDITIONS, label));
        node.keys.sort_by_key(|(label, _)| rank(KEYS, label));
        node.other.sort();
    }
    plan.settings.sort();
    plan.other.sort();
}
