//! What the numbers of a plan mean: averages of one execution become times and rows of the whole.
//!
//! A node's time includes what is below it, and is the average of its executions; below a Gather these are those of all
//! processes, which ran side by side. An InitPlan or WITH query is paid for by the node that asks for it first, though it
//! is printed elsewhere.

use super::model::{Link, Node, Plan};

/// What one node took, over all executions.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Measured {
    /// Milliseconds of the clock with everything below; `None` without ANALYZE or with TIMING OFF.
    pub wall_ms: Option<f64>,
    /// The same without what is below.
    pub own_ms: Option<f64>,
    /// Rows that came out, over all executions; `None` without ANALYZE.
    pub rows: Option<f64>,
    /// Whether it is below a Gather.
    pub in_parallel: bool,
    /// Estimated against measured rows; `None` where they cannot be compared.
    pub estimate: Option<Estimate>,
}

/// Estimated against measured rows of one execution.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// What the planner expected, of all processes together where they share the work.
    pub expected: f64,
    /// What came.
    pub actual: f64,
    /// Executions that are averaged.
    pub executions: f64,
}

impl Estimate {
    /// How far off: 1 and more, whichever is the larger. Less than one row is one: no plan depends on it.
    pub fn ratio(&self) -> f64 {
        let (a, b) = (self.expected.max(1.0), self.actual.max(1.0));
        a.max(b) / a.min(b)
    }

    /// Whether more was expected than came.
    pub fn is_over(&self) -> bool {
        self.expected > self.actual
    }

    /// The larger of the two, over all executions.
    pub fn rows(&self) -> f64 {
        self.expected.max(self.actual) * self.executions
    }
}

impl Plan {
    /// Milliseconds of the execution: as printed, else those of the root.
    pub fn total_ms(&self) -> Option<f64> {
        self.execution_ms.or_else(|| {
            let root = self.nodes.first()?.actual?;
            Some(root.total_ms? * root.loops.max(1.0))
        })
    }

    /// Whether it was executed.
    pub fn is_analyzed(&self) -> bool {
        self.nodes.iter().any(|n| n.actual.is_some())
    }

    /// Positions of a node's children, subplans included.
    pub fn children(&self, at: usize) -> impl Iterator<Item = usize> + '_ {
        let depth = self.nodes.get(at).map_or(0, |n| n.depth);
        let below = self.nodes.iter().enumerate().skip(at + 1).take_while(move |(_, n)| n.depth > depth);
        below.filter(move |(_, n)| n.parent == Some(at)).map(|(i, _)| i)
    }

    /// Positions of a node's inputs: subplans left out.
    pub fn inputs(&self, at: usize) -> impl Iterator<Item = usize> + '_ {
        self.children(at).filter(|i| self.nodes.get(*i).is_some_and(|n| n.link == Link::Input))
    }

    /// Positions of everything below a node.
    pub fn below(&self, at: usize) -> impl Iterator<Item = usize> + '_ {
        let depth = self.nodes.get(at).map_or(0, |n| n.depth);
        self.nodes.iter().enumerate().skip(at + 1).take_while(move |(_, n)| n.depth > depth).map(|(i, _)| i)
    }

    /// Positions of a node's ancestors, the nearest first.
    pub fn above(&self, at: usize) -> impl Iterator<Item = usize> + '_ {
        std::iter::successors(self.nodes.get(at).and_then(|n| n.parent), |i| self.nodes.get(*i).and_then(|n| n.parent))
    }

    /// What each node took, in the order of the nodes.
    pub fn measure(&self) -> Vec<Measured> {
        let mut all: Vec<Measured> = Vec::with_capacity(self.nodes.len());
        // The Gather above each node.
        let mut gathers: Vec<Option<usize>> = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            let above = node.parent.and_then(|p| {
                let is_gather = self.nodes.get(p).is_some_and(|n| matches!(n.kind.as_str(), "Gather" | "Gather Merge"));
                if is_gather { Some(p) } else { gathers.get(p).copied().flatten() }
            });
            // An InitPlan below a Gather is the leader's.
            let gather = above.filter(|_| !matches!(node.link, Link::InitPlan(_)));
            gathers.push(gather);
            let processes = gather
                .and_then(|g| self.nodes.get(g))
                .map_or(1.0, |g| 1.0 + g.workers_launched.or(g.workers_planned).unwrap_or(0.0));
            let (mut wall, mut rows) = (None, None);
            if let Some(actual) = node.actual {
                let side_by_side = processes.min(actual.loops).max(1.0);
                wall = if actual.loops > 0.0 {
                    actual.total_ms.map(|ms| ms * actual.loops / side_by_side)
                } else {
                    Some(0.0)
                };
                rows = Some(actual.rows * actual.loops);
            }
            all.push(Measured { wall_ms: wall, own_ms: wall, rows, in_parallel: gather.is_some(), estimate: None });
        }
        self.take_children(&mut all);
        let shares = self.shares();
        for at in 0..self.nodes.len() {
            let gather = gathers.get(at).copied().flatten().and_then(|g| self.nodes.get(g));
            let estimate = self.estimate(at, gather, shares.get(at).copied().unwrap_or(false));
            if let Some(one) = all.get_mut(at) {
                one.estimate = estimate;
            }
        }
        all
    }

    /// Takes what is below a node from its own time.
    fn take_children(&self, all: &mut [Measured]) {
        for (at, node) in self.nodes.iter().enumerate() {
            let Some(parent) = node.parent else { continue };
            let Some(mut wall) = all.get(at).and_then(|m| m.wall_ms) else { continue };
            let mut take = |from: usize, most: f64| -> f64 {
                let Some(own) = all.get_mut(from).and_then(|m| m.own_ms.as_mut()) else { return 0.0 };
                let taken = own.max(0.0).min(most);
                *own -= taken;
                taken
            };
            match &node.link {
                Link::Input | Link::SubPlan(_) => drop(take(parent, wall)),
                Link::Cte(name) => {
                    let name = name.strip_prefix("CTE ").unwrap_or(name);
                    let reads = |n: &&(usize, &Node)| n.1.kind == "CTE Scan" && n.1.relation.as_deref() == Some(name);
                    let scans: Vec<(usize, &Node)> = self.nodes.iter().enumerate().collect();
                    for (scan, _) in scans.iter().filter(reads) {
                        wall -= take(*scan, wall);
                    }
                }
                Link::InitPlan(name) => {
                    let asks = self.below(parent).find(|i| {
                        let inside = *i == at || self.above(*i).any(|a| a == at);
                        !inside && self.nodes.get(*i).is_some_and(|n| refers(n, name))
                    });
                    take(asks.unwrap_or(parent), wall);
                }
            }
        }
    }

    /// Whether processes share a node's rows: it is parallel aware, or a node that is lies below it.
    fn shares(&self) -> Vec<bool> {
        let mut shares: Vec<bool> = self.nodes.iter().map(|n| n.parallel_aware).collect();
        for at in (0..self.nodes.len()).rev() {
            let Some(node) = self.nodes.get(at) else { continue };
            if shares.get(at) == Some(&true)
                && node.link == Link::Input
                && let Some(above) = node.parent.and_then(|p| shares.get_mut(p))
            {
                *above = true;
            }
        }
        shares
    }

    fn estimate(&self, at: usize, gather: Option<&Node>, shared: bool) -> Option<Estimate> {
        let node = self.nodes.get(at)?;
        let (actual, planned) = (node.actual.filter(|a| a.loops > 0.0)?, node.plan_rows?);
        if matches!(node.kind.as_str(), "BitmapAnd" | "BitmapOr") || node.kind == "ModifyTable" {
            // Their rows are always 0, a ModifyTable's are those of RETURNING.
            return None;
        }
        let estimate = match gather.filter(|_| shared) {
            Some(gather) => {
                let workers = gather.workers_planned.unwrap_or(0.0);
                // The planner's share of one process: the leader works less the more workers there are.
                let divisor = workers + (1.0 - 0.3 * workers).max(0.0);
                let executions = gather.loops().max(1.0);
                Estimate {
                    expected: planned * divisor.max(1.0),
                    actual: actual.rows * actual.loops / executions,
                    executions,
                }
            }
            None => Estimate { expected: planned, actual: actual.rows, executions: actual.loops },
        };
        let (early, again) = self.stopped(at);
        let unfair = (early && estimate.is_over()) || (again && !estimate.is_over());
        (!unfair).then_some(estimate)
    }

    /// Whether a node may have been stopped before its last row, and whether rows may have been read more than once.
    fn stopped(&self, at: usize) -> (bool, bool) {
        let mut below = at;
        let mut again = false;
        for above in self.above(at) {
            let (Some(node), Some(child)) = (self.nodes.get(above), self.nodes.get(below)) else { break };
            if child.link != Link::Input {
                // EXISTS asks for one row, a scalar for one or two.
                return (matches!(child.link, Link::SubPlan(_) | Link::Cte(_)), again);
            }
            let inner = self.inputs(above).nth(1) == Some(below);
            match node.kind.as_str() {
                "Limit" => return (true, again),
                "Merge Join" => {
                    // A merge ends with the shorter side, and goes back in the inner one for equal keys.
                    again |= inner;
                    return (true, again);
                }
                "Nested Loop" | "Hash Join" if inner && matches!(node.join.as_str(), "Semi" | "Anti") => {
                    return (true, again);
                }
                "Sort" | "Hash" | "ModifyTable" => return (false, again),
                "Aggregate" if node.strategy != "Sorted" => return (false, again),
                _ => {}
            }
            below = above;
        }
        (false, again)
    }
}

/// Whether a node asks for the value of an InitPlan: `$0` up to 16, `(InitPlan 1).col1` from 17 on.
fn refers(node: &Node, name: &str) -> bool {
    let texts = || node.conditions.iter().chain(&node.keys).map(|(_, text)| text.as_str());
    match name.split_once(" (returns ").and_then(|(_, rest)| rest.split([',', ')']).next()) {
        Some(parameter) => texts().any(|text| {
            text.match_indices(parameter).any(|(at, _)| {
                !text.get(at + parameter.len()..).unwrap_or_default().starts_with(|c: char| c.is_ascii_digit())
            })
        }),
        None => texts().any(|text| text.contains(&format!("({name})."))),
    }
}
