//! A plan as plain data.

/// The most nodes of one plan that are kept.
pub const MOST_NODES: usize = 5_000;

/// EXPLAIN output of one statement.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// The statement, where the output has it (auto_explain).
    pub query: Option<String>,
    /// Its parameters, as auto_explain writes them.
    pub parameters: Option<String>,
    /// `Query Identifier` (VERBOSE, `compute_query_id`).
    pub query_id: Option<i64>,
    /// The nodes in the order of printing: each parent before its children.
    pub nodes: Vec<Node>,
    /// `Planning Time` in milliseconds.
    pub planning_ms: Option<f64>,
    /// `Execution Time` in milliseconds.
    pub execution_ms: Option<f64>,
    /// Buffers that planning used.
    pub planning_buffers: Buffers,
    /// Triggers that ran.
    pub triggers: Vec<Trigger>,
    /// Just-in-time compilation, where it happened.
    pub jit: Option<Jit>,
    /// Settings of the planner that differ from their defaults (SETTINGS).
    pub settings: Vec<(String, String)>,
    /// Anything else that stands beside the tree, as it stands there.
    pub other: Vec<(String, String)>,
    /// Whether the text ends within the tree.
    pub cut: bool,
}

/// How a node hangs on its parent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Link {
    /// An input: outer or inner side, member of an Append, subquery.
    #[default]
    Input,
    /// Runs once at most, when its value is first asked for: `InitPlan 1`.
    InitPlan(String),
    /// A WITH query: `CTE x`.
    Cte(String),
    /// May run for each row: `SubPlan 1`.
    SubPlan(String),
}

impl Link {
    /// The label that the text has above the node; empty for an input.
    pub fn label(&self) -> &str {
        match self {
            Self::Input => "",
            Self::InitPlan(name) | Self::Cte(name) | Self::SubPlan(name) => name,
        }
    }
}

/// What was measured at a node: averages of one execution of it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Actual {
    /// Milliseconds until the first row; `None` with TIMING OFF.
    pub startup_ms: Option<f64>,
    /// Milliseconds until the last row; `None` with TIMING OFF.
    pub total_ms: Option<f64>,
    /// Rows; up to 17 rounded to whole ones.
    pub rows: f64,
    /// Executions: rescans, and below a Gather those of every process. 0 is never.
    pub loops: f64,
}

/// Blocks touched by a node and everything below it, over all executions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Buffers {
    /// Found in shared buffers.
    pub shared_hit: u64,
    /// Read into shared buffers.
    pub shared_read: u64,
    /// Made dirty.
    pub shared_dirtied: u64,
    /// Written by the backend itself.
    pub shared_written: u64,
    /// Of temporary tables: found.
    pub local_hit: u64,
    /// Of temporary tables: read.
    pub local_read: u64,
    /// Of temporary tables: made dirty.
    pub local_dirtied: u64,
    /// Of temporary tables: written.
    pub local_written: u64,
    /// Of temporary files: read.
    pub temp_read: u64,
    /// Of temporary files: written.
    pub temp_written: u64,
}

impl Buffers {
    /// Whether nothing was counted, or not asked for.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Milliseconds of input and output, over all executions; `track_io_timing`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Io {
    /// Reading blocks of relations.
    pub read_ms: f64,
    /// Writing them.
    pub write_ms: f64,
    /// Reading temporary files.
    pub temp_read_ms: f64,
    /// Writing them.
    pub temp_write_ms: f64,
}

/// How a sort was done.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sort {
    /// `quicksort`, `external merge`, `top-N heapsort`.
    pub method: String,
    /// Kilobytes used.
    pub kilobytes: f64,
    /// Whether on disk.
    pub disk: bool,
}

/// A node.
#[expect(clippy::struct_excessive_bools, reason = "each is a mark that a node has or has not")]
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Node {
    /// Position of its parent.
    pub parent: Option<usize>,
    /// Steps from the root.
    pub depth: usize,
    /// How it hangs on its parent.
    pub link: Link,
    /// `Node Type` as FORMAT JSON has it: `Seq Scan`, `Aggregate`, `ModifyTable`.
    pub kind: String,
    /// Of an aggregate or set operation: `Sorted`, `Hashed`, `Mixed`, `Plain`.
    pub strategy: String,
    /// Of an aggregate: `Partial`, `Finalize`; empty for a simple one.
    pub partial: String,
    /// Of a join: `Left`, `Semi`, ...; empty for an inner join.
    pub join: String,
    /// Of a ModifyTable: `Insert`, `Update`, `Delete`, `Merge`.
    pub operation: String,
    /// Of a set operation: `Except`, `Intersect All`.
    pub command: String,
    /// Whether several processes share the work.
    pub parallel_aware: bool,
    /// Whether it runs asynchronously.
    pub async_capable: bool,
    /// Whether the index is read from its end.
    pub backward: bool,
    /// Schema of the relation or function (VERBOSE).
    pub schema: Option<String>,
    /// Relation, function or WITH query that it reads.
    pub relation: Option<String>,
    /// The name the statement gives it, where it differs.
    pub alias: Option<String>,
    /// The index.
    pub index: Option<String>,
    /// Estimated cost until the first and the last row.
    pub cost: Option<(f64, f64)>,
    /// Estimated rows of one execution.
    pub plan_rows: Option<f64>,
    /// Estimated width of a row in bytes.
    pub plan_width: Option<f64>,
    /// What was measured; `None` without ANALYZE.
    pub actual: Option<Actual>,
    /// Conditions with their labels: `Filter`, `Index Cond`, `Join Filter`, ...
    pub conditions: Vec<(String, String)>,
    /// Lists with their labels: `Sort Key`, `Group Key`, `Output`, ...
    pub keys: Vec<(String, String)>,
    /// Rows of one execution that the filter removed.
    pub removed_by_filter: f64,
    /// Rows of one execution that the join filter removed.
    pub removed_by_join_filter: f64,
    /// Rows of one execution that the recheck of an index condition removed.
    pub removed_by_recheck: f64,
    /// How it sorted.
    pub sort: Option<Sort>,
    /// Batches of a hash join or hash aggregate.
    pub batches: Option<f64>,
    /// Batches of a hash join that were planned.
    pub planned_batches: Option<f64>,
    /// Partitions of a hash aggregate that were planned.
    pub planned_partitions: Option<f64>,
    /// Kilobytes of memory that its hash table or store took at most.
    pub memory_kb: Option<f64>,
    /// Kilobytes of temporary files of a hash aggregate.
    pub disk_kb: Option<f64>,
    /// Rows that an index-only scan looked up in the table, over all executions.
    pub heap_fetches: Option<f64>,
    /// Pages of which a bitmap knew each row.
    pub exact_blocks: f64,
    /// Pages of which a bitmap only knew that there are some.
    pub lossy_blocks: f64,
    /// Workers planned.
    pub workers_planned: Option<f64>,
    /// Workers that came.
    pub workers_launched: Option<f64>,
    /// Members left out before or at the start of execution.
    pub subplans_removed: f64,
    /// 18: the planner was told not to use such a node and had no other way.
    pub disabled: bool,
    /// Blocks.
    pub buffers: Buffers,
    /// Milliseconds of input and output.
    pub io: Io,
    /// Anything else it says, with its label, as it stands there; zeros left out.
    pub other: Vec<(String, String)>,
}

/// A trigger that ran.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trigger {
    /// Its name, where it is no constraint's or VERBOSE was asked for.
    pub name: Option<String>,
    /// The constraint it enforces.
    pub constraint: Option<String>,
    /// The table, where the statement touched several.
    pub relation: Option<String>,
    /// Milliseconds in all.
    pub ms: Option<f64>,
    /// Calls.
    pub calls: f64,
}

/// Just-in-time compilation of a statement.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Jit {
    /// Functions compiled.
    pub functions: f64,
    /// Milliseconds of each step that is told: generation, inlining, optimization, emission.
    pub steps: Vec<(String, f64)>,
    /// Milliseconds in all.
    pub total_ms: Option<f64>,
    /// Which steps were done: `Inlining false, Optimization false`.
    pub options: String,
}

impl Node {
    /// A condition by its label.
    pub fn condition(&self, label: &str) -> Option<&str> {
        self.conditions.iter().find(|(l, _)| l == label).map(|(_, text)| text.as_str())
    }

    /// Anything else it says, by its label.
    pub fn said(&self, label: &str) -> Option<&str> {
        self.other.iter().find(|(l, _)| l == label).map(|(_, text)| text.as_str())
    }

    /// Whether it ran at least once.
    pub fn ran(&self) -> bool {
        self.actual.is_some_and(|a| a.loops > 0.0)
    }

    /// Executions.
    pub fn loops(&self) -> f64 {
        self.actual.map_or(0.0, |a| a.loops)
    }

    /// The words of its headline in FORMAT TEXT, without what it reads: `Parallel Hash Left Join`.
    pub fn title(&self) -> String {
        let mut words = String::new();
        if self.async_capable {
            words.push_str("Async ");
        }
        if self.parallel_aware {
            words.push_str("Parallel ");
        }
        if !self.partial.is_empty() {
            words.push_str(&self.partial);
            words.push(' ');
        }
        match (self.kind.as_str(), self.strategy.as_str()) {
            ("Aggregate", "Sorted") => words.push_str("GroupAggregate"),
            ("Aggregate", "Hashed") => words.push_str("HashAggregate"),
            ("Aggregate", "Mixed") => words.push_str("MixedAggregate"),
            ("SetOp", "Hashed") => words.push_str("HashSetOp"),
            ("ModifyTable", _) if !self.operation.is_empty() => words.push_str(&self.operation),
            ("Hash Join" | "Merge Join", _) if !self.join.is_empty() => {
                words.push_str(self.kind.trim_end_matches("Join"));
                words.push_str(&self.join);
                words.push_str(" Join");
            }
            ("Nested Loop", _) if !self.join.is_empty() => {
                words.push_str("Nested Loop ");
                words.push_str(&self.join);
                words.push_str(" Join");
            }
            (kind, _) => words.push_str(kind),
        }
        if !self.command.is_empty() {
            words.push(' ');
            words.push_str(&self.command);
        }
        if self.backward {
            words.push_str(" Backward");
        }
        words
    }

    /// The relation with its schema, where that is told.
    pub fn qualified(&self) -> Option<String> {
        let relation = self.relation.as_deref()?;
        Some(match self.schema.as_deref() {
            Some(schema) => crate::ident::display_qualified(schema, relation),
            None => relation.to_owned(),
        })
    }
}
