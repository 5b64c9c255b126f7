//! The query plans of the dump, read once for all rules, with what their findings have in common.

use super::Context;
use super::TableFact;
use super::context::show;
use super::index_cure::{NewIndex, create_index};
use super::rule::{Check, Checked, Skip};
use super::sql::{Block, Names, Operand, Source, Test, Text as Sql, read_all};
use crate::diff::Chain;
use crate::explain::{self, Estimate, Measured, Node, Plan};
use crate::finding::{Doubt, Evidence, Finding, Fix, Measure, Severity, Subject, SubjectKind};
use crate::ident::{quote_ident, quote_literal, visible};
use crate::snapshot::Row;
use crate::text::{Text, counted};
use crate::unit::{Quantity, Unit};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// The most plans that are judged and shown: the slowest.
const MOST: usize = 500;
/// From so many executions on a plan is no single sample.
const SEVERAL: usize = 3;
/// Rows of a set-returning function that was created without ROWS (and 1 of one that returns no set).
const DEFAULT_ROWS: f64 = 1_000.0;

/// The plans of all snapshots, the slowest first.
#[derive(Debug, Default)]
pub struct Plans<'a> {
    /// Each shape of each statement once, its slowest execution.
    pub all: Vec<Explained<'a>>,
    /// Plans in the dump.
    pub given: usize,
}

/// A plan.
#[derive(Debug)]
pub struct Explained<'a> {
    /// Its row of `plans`.
    pub row: Row<'a>,
    /// What it is told by: its query id, else a hash of statement and shape.
    pub name: String,
    /// The tree.
    pub plan: Plan,
    /// What each node took.
    pub measured: Vec<Measured>,
    /// How many plans of this shape and statement are in the dump.
    pub executions: usize,
}

impl<'a> Plans<'a> {
    /// Reads them.
    pub fn of(chain: &'a Chain) -> Self {
        let mut given = 0;
        let mut texts: BTreeSet<(&str, Option<i64>, Option<&str>)> = BTreeSet::new();
        let mut groups: BTreeMap<String, Explained<'a>> = BTreeMap::new();
        for table in chain.snapshots.iter().rev().filter_map(|s| s.table("plans")) {
            for row in table.iter() {
                let Some(text) = row.text("plan") else { continue };
                // The same log may stand beside several snapshots.
                if !texts.insert((text, row.int("executed_at"), row.text("query"))) {
                    continue;
                }
                let Ok(plan) = explain::read(text) else { continue };
                given += 1;
                let mut one = Explained { row, name: String::new(), measured: plan.measure(), plan, executions: 1 };
                let shape = one.shape();
                one.name = name(row, &shape);
                match groups.entry(shape) {
                    std::collections::btree_map::Entry::Vacant(free) => drop(free.insert(one)),
                    std::collections::btree_map::Entry::Occupied(mut known) => {
                        let known = known.get_mut();
                        let executions = known.executions + 1;
                        if one.plan.total_ms().unwrap_or(0.0) > known.plan.total_ms().unwrap_or(0.0) {
                            *known = one;
                        }
                        known.executions = executions;
                    }
                }
            }
        }
        let mut all: Vec<Explained<'a>> = groups.into_values().collect();
        let total = |e: &Explained<'_>| e.plan.total_ms().unwrap_or(0.0);
        all.sort_by(|a, b| total(b).total_cmp(&total(a)).then_with(|| a.name.cmp(&b.name)));
        all.truncate(MOST);
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        for one in &mut all {
            let times = seen.entry(one.name.clone()).or_insert(0);
            *times += 1;
            if *times > 1 {
                one.name = format!("{} (plan {times})", one.name);
            }
        }
        Self { all, given }
    }
}

/// What a plan is told by: files are called anything, and their names are private.
fn name(row: Row<'_>, shape: &str) -> String {
    row.int("queryid").map_or_else(
        || {
            let hash = Sha256::digest(shape.as_bytes());
            let word = hash.iter().take(4).fold(String::new(), |mut word, byte| {
                let _ = write!(word, "{byte:02x}");
                word
            });
            format!("plan {word}")
        },
        |id| format!("queryid {id}"),
    )
}

impl Explained<'_> {
    /// What makes two plans one: the statement and its nodes.
    fn shape(&self) -> String {
        let mut shape = match self.row.int("queryid") {
            Some(id) => format!("{id}"),
            None => self.row.text("query").unwrap_or_default().to_owned(),
        };
        for node in &self.plan.nodes {
            let _ = write!(shape, "\n{} {} {:?} {:?}", node.depth, node.title(), node.relation, node.index);
        }
        shape
    }

    /// A node by its position.
    pub fn node(&self, at: usize) -> Option<&Node> {
        self.plan.nodes.get(at)
    }

    /// The share of the execution that a time is; `None` where nothing was measured.
    pub fn share(&self, ms: Option<f64>) -> Option<f64> {
        let total = self.plan.total_ms().filter(|t| *t > 0.0)?;
        Some((ms?.max(0.0) / total).min(1.0))
    }

    /// Share of the execution that a node took, what is below it left out.
    pub fn own_share(&self, at: usize) -> Option<f64> {
        self.share(self.measured.get(at).and_then(|m| m.own_ms))
    }

    /// The same with what is below.
    pub fn wall_share(&self, at: usize) -> Option<f64> {
        self.share(self.measured.get(at).and_then(|m| m.wall_ms))
    }

    /// The positions of nodes that ran.
    pub fn ran(&self) -> impl Iterator<Item = (usize, &Node)> {
        self.plan.nodes.iter().enumerate().filter(|(_, n)| n.ran())
    }

    /// The node that ran and of which something is largest, with that.
    pub fn largest(&self, measure: impl Fn(usize, &Node) -> Option<f64>) -> Option<(usize, f64)> {
        let all = self.ran().filter_map(|(at, node)| Some((at, measure(at, node)?)));
        all.max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)))
    }

    /// Where plan and node stand, for a title: `Seq Scan on orders`.
    pub fn at(&self, at: usize) -> Text {
        let Some(node) = self.node(at) else { return Text::new() };
        let mut text = Text::new().t(node.title());
        if let Some(index) = &node.index {
            text = text.t(if node.relation.is_some() { " using " } else { " on " }).name(visible(index));
        }
        match node.qualified() {
            Some(name) => text.t(" on ").name(visible(&name)),
            None => text,
        }
    }
}

/// A rule's look at one plan: the worst of what it finds there.
pub type Worst<'a> = fn(&Context<'a>, &Explained<'a>) -> Option<Finding>;

/// The check of a rule that looks at each plan that was executed.
pub fn check_each<'a>(ctx: &Context<'a>, worst: Worst<'a>) -> Check {
    let plans = ctx.analyzed()?;
    let findings = plans.iter().filter_map(|of| worst(ctx, of)).collect();
    Ok(Checked { findings, looked_at: format!("{} with measurements", counted(plans.len(), "plan", "plans")) })
}

/// The check of a rule that looks at each plan, executed or not.
pub fn check_each_given<'a>(ctx: &Context<'a>, worst: Worst<'a>) -> Check {
    let plans = &ctx.facts.plans.all;
    let findings = plans.iter().filter_map(|of| worst(ctx, of)).collect();
    Ok(Checked { findings, looked_at: counted(plans.len(), "plan", "plans") })
}

/// Whether a node's rows are those that the planner takes for a function of which it knows nothing.
pub fn is_default_rows(node: &Node) -> bool {
    matches!(node.kind.as_str(), "Function Scan" | "ProjectSet") && node.plan_rows == Some(DEFAULT_ROWS)
}

impl<'a> Context<'a> {
    /// The plans that were executed, the slowest first.
    pub fn analyzed(&self) -> Result<Vec<&Explained<'a>>, Skip> {
        let all: Vec<&Explained<'a>> = self.facts.plans.all.iter().filter(|e| e.plan.is_analyzed()).collect();
        if all.is_empty() {
            return Err(Skip("no plan has measurements: run EXPLAIN (ANALYZE, BUFFERS)".to_owned()));
        }
        Ok(all)
    }

    /// Begins a finding about a plan. What part of the server's time such plans are, one execution does not tell.
    pub fn plan_finding(&self, of: &Explained<'a>, severity: Severity, title: Text) -> Finding {
        let total = of.plan.total_ms().and_then(|ms| Quantity::float(ms, Unit::Ms));
        let sample = (of.executions < SEVERAL).then_some(Doubt::C6);
        let finding = self.finding(severity, Subject::new(SubjectKind::Statement, of.name.clone()), title);
        Finding { of_one_execution: true, ..finding }
            .doubts([sample])
            .measure(self.plan_measure(of, "Execution time of the plan", total, "as printed"))
            .verify("The same statement, explained again with ANALYZE and BUFFERS, no longer shows it.")
    }

    /// A number read from a plan.
    pub fn plan_measure(
        &self,
        of: &Explained<'a>,
        label: &str,
        value: Option<Quantity>,
        formula: impl Into<String>,
    ) -> Measure {
        let evidence = Evidence { object: of.name.clone(), ..self.formula(formula.into(), &[(of.row, &["plan"])]) };
        self.seen_in(self.snapshot_of(of.row), label, value, evidence)
    }

    /// A node's share of the execution of its plan.
    pub fn share_of_execution(&self, of: &Explained<'a>, part: f64) -> Measure {
        self.time_of_execution(of, "Share of the execution", part * of.plan.total_ms().unwrap_or(0.0), part)
    }

    /// A time as a share of the execution of its plan.
    pub fn time_of_execution(&self, of: &Explained<'a>, label: &str, ms: f64, part: f64) -> Measure {
        let all = of.plan.total_ms().unwrap_or(0.0);
        let formula = format!("{} ÷ {}", show(ms, Unit::Ms), show(all, Unit::Ms));
        self.plan_measure(of, label, Quantity::float(part, Unit::Share), formula)
    }

    /// How many rows came out of one execution of a node, and how far off its estimate was.
    pub fn off_by(&self, of: &Explained<'a>, estimate: Estimate) -> [Measure; 2] {
        let (expected, actual) = (estimate.expected, estimate.actual);
        let least = if expected.min(actual) < 1.0 { ", less than one counted as one" } else { "" };
        let formula =
            format!("{} against {} rows of an execution{least}", show(expected, Unit::Rows), show(actual, Unit::Rows));
        [
            self.plan_measure(of, "Rows that came", rows(actual), "rows of one execution"),
            self.plan_measure(of, "Estimate off by", Quantity::float(estimate.ratio(), Unit::Times), formula),
        ]
    }

    /// Rows that a node's filter threw away.
    pub fn removed_by_filter(&self, of: &Explained<'a>, removed: Option<Quantity>) -> Measure {
        self.plan_measure(of, "Rows removed by the filter", removed, "rows removed by filter × executions")
    }

    /// The table that a node reads: by its schema and name, or by its name where only one table has it.
    pub fn table_of(&self, node: &Node) -> Option<&'a TableFact<'a>> {
        let name = node.relation.as_deref()?;
        if let Some(schema) = node.schema.as_deref() {
            return self.facts.table_named(schema, name);
        }
        let mut found = self.facts.tables.iter().filter(|t| t.name() == name);
        let only = found.next()?;
        found.next().is_none().then_some(only)
    }

    /// A condition of a node, read as that of a query of the node's table alone.
    pub fn block_of(&self, node: &Node, condition: &str) -> Option<Block> {
        let table = self.table_of(node)?;
        let relid = table.relid()?;
        let columns = self.facts.columns(table.schema(), table.name());
        let known: Vec<String> = columns.iter().filter_map(|r| r.text("attname")).map(str::to_owned).collect();
        let mut names = Names::default();
        names.add(table.schema(), table.name(), relid, known);
        let alias = node.alias.as_deref().or(node.relation.as_deref()).unwrap_or_default();
        let sql = format!("SELECT 1 FROM {} {} WHERE {condition}", table.sql(), quote_ident(alias));
        let read = read_all(&[Sql { sql: &sql, nested: false, path: &[] }], &names);
        read.into_iter().next()?.ok()?.blocks.into_iter().next()
    }

    /// Columns that a condition of a node compares with values: equalities first, then one range.
    pub fn columns_of(&self, node: &Node, condition: &str) -> Vec<String> {
        let Some(relid) = self.table_of(node).and_then(TableFact::relid) else { return Vec::new() };
        let Some(block) = self.block_of(node, condition) else { return Vec::new() };
        let ours = |at: usize| block.relations.get(at).is_some_and(|r| r.source == Source::Table(relid));
        let (mut equal, mut range) = (Vec::new(), Vec::new());
        for term in block.terms.iter().filter(|t| ours(t.relation)) {
            let Operand::Column(column) = &term.operand else { continue };
            match term.test {
                Test::Equal(_) | Test::OneOf(_) if !equal.contains(column) => equal.push(column.clone()),
                Test::Range { .. } if !range.contains(column) => range.push(column.clone()),
                _ => {}
            }
        }
        range.retain(|c| !equal.contains(c));
        equal.extend(range.into_iter().take(1));
        equal.truncate(4);
        equal
    }

    /// An index on these columns of what a node reads, where the table is in the dump and none begins with them.
    pub fn index_on(&self, node: &Node, columns: &[String], when_not: Text) -> Option<Fix> {
        let table = self.table_of(node).filter(|_| !columns.is_empty())?;
        let covers = |index: &super::IndexFact<'_>| {
            index.def().is_some_and(|def| {
                columns
                    .iter()
                    .enumerate()
                    .all(|(i, c)| def.keys.get(i).is_some_and(|k| !k.expression && k.text.trim_matches('"') == c))
            })
        };
        if table.relid().is_some_and(|relid| self.facts.indexes_of(relid).any(covers)) {
            return None;
        }
        let keys: Vec<String> = columns.iter().map(|c| quote_ident(c)).collect();
        let new = NewIndex {
            columns: columns.iter().map(String::as_str).collect(),
            keys: keys.join(", "),
            ..NewIndex::default()
        };
        create_index(self.facts, table, &new, when_not)
    }

    /// Looking at the indexes of what a node reads.
    pub fn look_at_indexes(&self, node: &Node) -> Option<Fix> {
        let name = node.relation.as_deref()?;
        let of = match node.schema.as_deref() {
            Some(schema) => format!("schemaname = {} AND tablename = {}", quote_literal(schema), quote_literal(name)),
            None => format!("tablename = {}", quote_literal(name)),
        };
        let sql = format!("SELECT schemaname, indexname, indexdef FROM pg_indexes WHERE {of} ORDER BY 1, 2;");
        Some(Fix::diagnose(node.qualified().unwrap_or_default(), sql))
    }
}

/// A share for prose.
pub fn share(of: Option<f64>) -> Option<Quantity> {
    Quantity::float(of?, Unit::Share)
}

/// What a filter threw away, of the rows that it saw in all executions.
pub fn seen_and_kept(removed: f64, kept: f64, executions: f64) -> String {
    let rows = |n: f64| show(n.round(), Unit::Rows);
    format!("{} seen − {} kept, in {}", rows(removed + kept), rows(kept), times(executions))
}

/// A number of executions.
pub fn times(executions: f64) -> String {
    let word = if executions == 1.0 { "execution" } else { "executions" };
    format!("{} {word}", show(executions, Unit::Count))
}

/// Rows for prose.
pub fn rows(n: f64) -> Option<Quantity> {
    super::whole(n, Unit::Rows)
}
